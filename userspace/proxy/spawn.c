/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "channel/channel.h"

int spawn_worker_path(char *path, size_t size)
{
	static const char name[] = "sockgate-worker";
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		if (slash && (size_t)(slash + 1 - path) + sizeof(name) <= size) {
			memcpy(slash + 1, name, sizeof(name));
			if (access(path, X_OK) == 0)
				return 0;
		}
	}
	if (snprintf(path, size, "%s/%s", SOCKGATE_LIBEXECDIR, name) >= (int)size || access(path, X_OK) < 0)
		return -ENOENT;
	return 0;
}

/* In the child: only system calls from here on. */
static _Noreturn void become_worker(const char *path, int channel)
{
	char *const argv[] = { (char *)(uintptr_t) "sockgate-worker", NULL };
	char *const environment[] = { NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* dup2 onto itself would leave close-on-exec set. */
	if (channel == CHANNEL_FD ? fcntl(channel, F_SETFD, 0) < 0 : dup2(channel, CHANNEL_FD) < 0)
		_exit(126);
	execve(path, argv, environment);
	_exit(127);
}

static int send_patiently(int channel, const struct msg *msg, int fd)
{
	for (;;) {
		struct pollfd ready = { .fd = channel, .events = POLLOUT };
		int r = channel_send(channel, msg, fd);

		if (r != -EAGAIN)
			return r;
		if (poll(&ready, 1, -1) < 0 && errno != EINTR)
			return -errno;
	}
}

static int send_setup(int channel, const struct setup *setup)
{
	struct msg msg = { .type = MSG_IMAGE };
	int r = send_patiently(channel, &msg, setup->image_fd);

	for (unsigned i = 0; r == 0 && i < setup->n_listeners; i++) {
		msg = (struct msg){ .type = MSG_LISTENER, .arg = i };
		snprintf(msg.text, sizeof(msg.text), "%s", setup->listeners[i].name);
		r = send_patiently(channel, &msg, setup->listeners[i].fd);
	}
	if (r == 0 && setup->audit_fd >= 0) {
		msg = (struct msg){ .type = MSG_AUDIT };
		r = send_patiently(channel, &msg, setup->audit_fd);
	}
	if (r == 0) {
		msg = (struct msg){ .type = MSG_GATE, .arg = setup->gate };
		memcpy(msg.text, setup->gate_reason, sizeof(msg.text));
		r = send_patiently(channel, &msg, -1);
	}
	msg = (struct msg){ .type = MSG_START };
	return r == 0 ? send_patiently(channel, &msg, -1) : r;
}

int spawn_worker(const char *path, const struct setup *setup, struct child *ret)
{
	int fds[2], r = channel_pair(fds);
	pid_t pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (pid == 0)
		become_worker(path, fds[1]);
	close(fds[1]);
	r = send_setup(fds[0], setup);
	/* A worker that fails at once has said why; its death is seen by whoever waits for it. */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET) {
		/* Without the channel the worker ends. */
		close(fds[0]);
		return r;
	}
	*ret = (struct child){ .pid = pid, .channel = fds[0] };
	return 0;
}
