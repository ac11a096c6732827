/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockgate-worker - recognises, judges and relays requests. It is started by sockgate-proxy with one end of a
 * channel at descriptor CHANNEL_FD, and everything it will ever use comes through that. It ends when the
 * channel does.
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "channel/channel.h"
#include "sandbox/sandbox.h"
#include "worker/inbox.h"
#include "worker/turn.h"

static int64_t microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static _Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "sockgate-worker: %s%s%s\n", what, error ? ": " : "", error ? strerror(error) : "");
	exit(EXIT_FAILURE);
}

/* The worker is over: because the proxy is gone, or for a fault. */
static _Noreturn void end(const struct worker *worker)
{
	if (worker->fault)
		die(worker->fault, worker->fault_error);
	exit(EXIT_SUCCESS);
}

static _Noreturn void serve(struct worker *worker)
{
	for (;;) {
		int r = loop_wait(&worker->loop, worker_timeout(worker));

		if (r < 0)
			die("epoll_wait", -r);
		worker->metrics.now = microseconds();
		if (!worker_turn(worker, worker->metrics.now / 1000)) {
			audit_writer_close(&worker->trail);
			end(worker);
		}
	}
}

/* Takes everything that is needed before the first client, up to MSG_START. */
static void set_up(struct worker *worker)
{
	while (!worker->serving) {
		struct pollfd wait = { .fd = worker->channel, .events = POLLIN };

		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			die("poll", errno);
		inbox_run(worker);
		if (worker->over)
			end(worker);
	}
}

/* Says loudly what could not be given up; under a supervisor the proxy sees the same and decides. */
static void warn(int r, const char *why)
{
	if (r < 0)
		fprintf(stderr, "sockgate-worker: warning: %s: %s\n", why, strerror(-r));
}

/* Stage 1: before a message is read. Mustn't: keep a descriptor, a capability or a user that was inherited.
 */
static void confine_early(void)
{
	struct sandbox_identity identity;
	bool change = sandbox_may_change_user(), found;
	const char *why = "";
	int r;

	warn(sandbox_descriptors(CHANNEL_FD + 1, &why), why);
	warn(sandbox_process(&why), why);
	sandbox_user("sockgate-worker", &identity, &found);
	if (change && !found)
		fprintf(stderr,
			"sockgate-worker: warning: there is no user sockgate-worker: running as uid %u\n",
			identity.uid);
	r = sandbox_identity(&identity, change, &why);
	/* A worker that was to become another user and did not must not see a client. */
	if (r < 0 && change)
		die(why, -r);
	warn(r, why);
}

/* Stage 2: before the first client. From here on nothing can be opened, connected to or started. */
static void confine_late(void)
{
	const char *why = "";
	int r = sandbox_syscalls(SANDBOX_WORKER, &why);

	warn(r, why);
}

static void start_serving(struct worker *worker)
{
	struct msg ready = { .type = MSG_READY };
	int r = worker_begin(worker);

	if (r < 0)
		die("cannot watch what the proxy sent", -r);
	r = channel_send(worker->channel, &ready, -1);
	if (r < 0)
		die("cannot tell the proxy that all is ready", -r);
}

int main(void)
{
	static struct worker worker;
	int r;

	if (fcntl(CHANNEL_FD, F_GETFD) < 0) {
		fprintf(stderr, "sockgate-worker: this program is started by sockgate-proxy\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	confine_early();
	r = worker_init(&worker, CHANNEL_FD);
	if (r < 0)
		die("cannot start", -r);
	worker.metrics.started = (int64_t)time(NULL);
	set_up(&worker);
	confine_late();
	start_serving(&worker);
	serve(&worker);
}
