/* SPDX-License-Identifier: BSD-2-Clause */
/* ring.h - connect(2) through io_uring, by raw system calls: no library stands between the test and the
 * kernel. */
#ifndef SOCKGATE_TESTS_VM_RING_H
#define SOCKGATE_TESTS_VM_RING_H

#include <sys/socket.h>

enum ring_kind {
	RING_INLINE, /* by the submitting task */
	RING_WORKER, /* IOSQE_ASYNC: by a kernel worker of the process */
	RING_POLLED, /* IORING_SETUP_SQPOLL: by a kernel thread that takes submissions by itself */
};

/* Returns the connect's errno, 0 when it succeeded, or -errno when there was no ring. */
int ring_connect(enum ring_kind kind, int fd, const struct sockaddr *address, socklen_t size);

#endif
