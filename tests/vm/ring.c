/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *map(int ring, size_t size, uint64_t offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, (off_t)offset);
}

static uint32_t *field(void *base, uint32_t offset)
{
	return (uint32_t *)(void *)((char *)base + offset);
}

int ring_connect(enum ring_kind kind, int fd, const struct sockaddr *address, socklen_t size)
{
	struct io_uring_params p = { .flags = kind == RING_POLLED ? IORING_SETUP_SQPOLL : 0,
				     .sq_thread_idle = 100 };
	unsigned flags = IORING_ENTER_GETEVENTS | (kind == RING_POLLED ? IORING_ENTER_SQ_WAKEUP : 0);
	int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	uint32_t *tail;
	void *sq, *cq;

	if (ring < 0)
		return -errno;
	sq = map(ring, p.sq_off.array + p.sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	cq = map(ring, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	sqes = map(ring, p.sq_entries * sizeof(*sqes), IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
		return -ENOMEM;
	memset(&sqes[0], 0, sizeof(sqes[0]));
	sqes[0].opcode = IORING_OP_CONNECT;
	sqes[0].fd = fd;
	sqes[0].addr = (uint64_t)(uintptr_t)address;
	sqes[0].off = size;
	sqes[0].flags = kind == RING_WORKER ? IOSQE_ASYNC : 0;
	*field(sq, p.sq_off.array) = 0;
	tail = field(sq, p.sq_off.tail);
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, flags, NULL, 0) < 0)
		return -errno;
	if (__atomic_load_n(field(cq, p.cq_off.tail), __ATOMIC_ACQUIRE) == *field(cq, p.cq_off.head))
		return -EIO;
	cqes = (struct io_uring_cqe *)(void *)((char *)cq + p.cq_off.cqes);
	return -cqes[*field(cq, p.cq_off.head)].res;
}
