/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_SIZE (256u * 1024)
#define WAKE       SIGRTMIN /* interrupts a thread's connect(2) */

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

struct worker {
	struct run_pool *pool;
	pthread_t thread;
	uint64_t id; /* of the request that it is answering */
	bool busy;
};

struct run_pool {
	struct run_gate *gate;
	struct seccomp_notif_sizes sizes;
	pthread_mutex_t lock; /* for what is below */
	unsigned n, idle;
	struct worker workers[RUN_POOL_MAX];
};

static int start_worker(struct run_pool *pool);

/* Marks the worker busy, and sees to it that another one waits. */
static void begin(struct worker *worker, uint64_t id)
{
	struct run_pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	worker->id = id;
	worker->busy = true;
	/* One that cannot be started is missed, not needed: this one comes back. */
	if (--pool->idle == 0 && pool->n < RUN_POOL_MAX)
		(void)start_worker(pool);
	pthread_mutex_unlock(&pool->lock);
}

static void end(struct worker *worker)
{
	pthread_mutex_lock(&worker->pool->lock);
	worker->busy = false;
	worker->pool->idle++;
	pthread_mutex_unlock(&worker->pool->lock);
}

/* Whether anybody is left to ask: where nobody is, newer kernels answer ENOENT at once, and for ever. */
static bool is_over(int listener)
{
	struct pollfd state = { .fd = listener };

	return poll(&state, 1, 0) == 1 && (state.revents & POLLHUP);
}

static void *work(void *context)
{
	struct worker *worker = context;
	struct run_pool *pool = worker->pool;
	struct seccomp_notif *request = malloc(pool->sizes.seccomp_notif);
	struct seccomp_notif_resp *answer = malloc(pool->sizes.seccomp_notif_resp);

	while (request && answer) {
		memset(request, 0, pool->sizes.seccomp_notif);
		if (ioctl(pool->gate->listener, SECCOMP_IOCTL_NOTIF_RECV, request) < 0) {
			/* ENOENT: killed while it asked. */
			if (errno == EINTR || (errno == ENOENT && !is_over(pool->gate->listener)))
				continue;
			break;
		}
		begin(worker, request->id);
		memset(answer, 0, pool->sizes.seccomp_notif_resp);
		answer->id = request->id;
		answer->error = run_connect_answer(pool->gate, request);
		/* ENOENT: killed while it was answered. */
		if (ioctl(pool->gate->listener, SECCOMP_IOCTL_NOTIF_SEND, answer) < 0 && errno != ENOENT)
			break;
		end(worker);
	}
	free(request);
	free(answer);
	return NULL;
}

/* Locked. */
static int start_worker(struct run_pool *pool)
{
	struct worker *worker = &pool->workers[pool->n];
	pthread_attr_t attributes;
	int r = pthread_attr_init(&attributes);

	if (r)
		return -r;
	worker->pool = pool;
	r = pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (r == 0)
		r = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (r == 0)
		r = pthread_create(&worker->thread, &attributes, work, worker);
	pthread_attr_destroy(&attributes);
	if (r == 0) {
		pool->n++;
		pool->idle++;
	}
	return -r;
}

static void wake(int signal)
{
	(void)signal;
}

int run_pool_start(struct run_gate *gate, struct run_pool **ret)
{
	struct sigaction action = { .sa_handler = wake };
	struct run_pool *pool = calloc(1, sizeof(*pool));
	int r = 0;

	if (!pool)
		return -ENOMEM;
	pool->gate = gate;
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &pool->sizes) < 0 ||
	    sigaction(WAKE, &action, NULL) < 0) {
		r = -errno;
		free(pool);
		return r;
	}
	/* A newer kernel may have more to say than we know of; never less. */
	if (pool->sizes.seccomp_notif < sizeof(struct seccomp_notif))
		pool->sizes.seccomp_notif = sizeof(struct seccomp_notif);
	if (pool->sizes.seccomp_notif_resp < sizeof(struct seccomp_notif_resp))
		pool->sizes.seccomp_notif_resp = sizeof(struct seccomp_notif_resp);
	/* Only for speed: the one that asks and the one that answers take turns on one CPU. */
	(void)ioctl(gate->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_mutex_lock(&pool->lock);
	r = start_worker(pool);
	pthread_mutex_unlock(&pool->lock);
	if (r < 0)
		free(pool);
	else
		*ret = pool;
	return r;
}

void run_pool_tend(struct run_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	for (unsigned i = 0; i < pool->n; i++) {
		struct worker *worker = &pool->workers[i];

		if (worker->busy &&
		    ioctl(pool->gate->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &worker->id) < 0 &&
		    errno == ENOENT)
			pthread_kill(worker->thread, WAKE);
	}
	pthread_mutex_unlock(&pool->lock);
}
