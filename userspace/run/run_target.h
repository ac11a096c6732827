/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_target.h - what is taken from a thread that waits in connect(2): the address, copied once, and the
 * socket itself. Neither can be exchanged afterwards, whatever the process's other threads do to its memory
 * and descriptors.
 */
#ifndef SOCKGATE_RUN_TARGET_H
#define SOCKGATE_RUN_TARGET_H

#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "run/run_walk.h"

struct run_address {
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	};
	socklen_t size;
};

struct run_target {
	pid_t tid;
	int socket; /* the thread's own, shared with it; owned */
	int domain, type;
	struct run_address address;
};

/*
 * Takes them. `request` is a connect(2). Returns 0 or the negative errno that connect(2) would give; -EACCES
 * when the process does not let us look into it (it is not dumpable). The request must be found valid after
 * this and before anything taken is used: the thread's number may have become another's.
 */
int run_target_take(const struct seccomp_notif *request, struct run_target *ret);

/* Where the thread stands, its working directory only if the address is relative. */
int run_target_place(const struct run_target *target, struct run_place *ret);
void run_target_leave(struct run_place *place);

#endif
