/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standin.c - stands in for sockgate-proxy: speaks the same channel to sockgated, is marked like it, and then
 * tries what the real one never would. It writes what happened to /run/test/standin, gives a connection to
 * the engine to everybody who connects to ATTACK_LEAK, connects to a false engine on SIGUSR2, and ends on
 * SIGUSR1 by executing itself, which has to cost it the mark.
 *
 * sockgate-proxy --supervised | --connect | --after-exec
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "channel/channel.h"
#include "report.h"
#include "ring.h"

#define RESULTS "/run/test/standin"
#define PODMAN  "/run/podman/podman.sock"

static volatile sig_atomic_t wanted; /* the signal */

static void on_signal(int number)
{
	wanted = number;
}

static int through_ring(enum ring_kind kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = ATTACK_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : ring_connect(kind, fd, (const struct sockaddr *)&address, sizeof(address));
}

static int from_ring_worker(void)
{
	return through_ring(RING_WORKER);
}

static void *connect_in_thread(void *result)
{
	*(int *)result = attack_plain();
	return NULL;
}

static int from_thread(void)
{
	pthread_t thread;
	int result = -EIO;

	if (pthread_create(&thread, NULL, connect_in_thread, &result) != 0)
		return -EAGAIN;
	pthread_join(thread, NULL);
	return result;
}

static int from_fork(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(attack_plain());
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return -EIO;
	return WEXITSTATUS(status);
}

static void try_one(FILE *results, const char *name, int (*run)(void), int expected)
{
	struct report_counters before, after;
	const char *hook;
	uint64_t moved, allowed;
	int error;

	report_counters(&before);
	error = run();
	report_counters(&after);
	moved = report_moved(&before, &after, ATTACK_CONNECTS, &hook);
	allowed = after.sum[GATE_ALLOWED] - before.sum[GATE_ALLOWED];
	report_line(results, name, "the proxy", report_errno(expected), report_errno(error), hook,
		    error == expected && moved == (expected ? 1 : 0) && allowed == (expected ? 0 : 1));
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		exit(1);
	return fd;
}

/* The proxy may connect to engines, and to nothing else. */
static int to_unmarked(void)
{
	return attack_connect(ATTACK_LEAK, SOCK_STREAM);
}

static int to_false_engine(void)
{
	return attack_connect(PODMAN, SOCK_STREAM);
}

static void leak(int listener)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = ATTACK_SOCKET };
	int engine = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };

	if (connect(engine, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		memcpy(CMSG_DATA(&control.header), &engine, sizeof(engine));
		(void)sendmsg(client, &message, MSG_NOSIGNAL);
	}
	close(engine);
	close(client);
}

/* Takes everything that sockgated sends, up to MSG_START. */
static void receive_all(void)
{
	for (;;) {
		struct pollfd wait = { .fd = CHANNEL_FD, .events = POLLIN };
		struct msg msg;
		int fd, r;

		(void)poll(&wait, 1, -1);
		r = channel_recv(CHANNEL_FD, ~0U, &msg, &fd);
		if (r == -EAGAIN)
			continue;
		if (r <= 0)
			exit(1);
		if (msg.type == MSG_START)
			return;
	}
}

static int serve(FILE *results, int leaks)
{
	for (;;) {
		struct pollfd wait[2] = { { .fd = CHANNEL_FD, .events = POLLIN },
					  { .fd = leaks, .events = POLLIN } };
		struct msg msg;
		int fd, r;

		(void)poll(wait, 2, 200);
		if (wanted == SIGUSR1)
			execl("/proc/self/exe", "sockgate-proxy", "--after-exec", NULL);
		if (wanted == SIGUSR2)
			try_one(results, "a false engine", to_false_engine, EPERM);
		wanted = 0;
		if (wait[1].revents)
			leak(leaks);
		r = channel_recv(CHANNEL_FD, ~0U, &msg, &fd);
		if (r != -EAGAIN && r <= 0)
			return 1;
	}
}

static int supervised(FILE *results)
{
	struct msg ready = { .type = MSG_READY };
	int leaks;

	receive_all();
	leaks = listen_at(ATTACK_LEAK);
	try_one(results, "connect of the marked process", attack_plain, 0);
	try_one(results, "from its thread", from_thread, 0);
	try_one(results, "from its io_uring worker", from_ring_worker, 0);
	try_one(results, "child of the proxy after fork", from_fork, EPERM);
	try_one(results, "to a listener that is no engine's", to_unmarked, EPERM);
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	return channel_send(CHANNEL_FD, &ready, -1) < 0 ? 1 : serve(results, leaks);
}

int main(int argc, char **argv)
{
	FILE *results;

	if (argc == 2 && strcmp(argv[1], "--connect") == 0)
		return attack_plain();
	results = fopen(RESULTS, "ae");
	if (!results)
		return 1;
	if (argc == 2 && strcmp(argv[1], "--after-exec") == 0) {
		try_one(results, "the proxy after exec", attack_plain, EPERM);
		return 0;
	}
	return argc == 2 && strcmp(argv[1], "--supervised") == 0 ? supervised(results) : 2;
}
