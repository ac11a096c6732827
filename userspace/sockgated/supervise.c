/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXEC_TIMEOUT_MS 5000
#define STOP_TIMEOUT_MS 5000

static time_t monotonic(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int supervise_init(struct supervise *s)
{
	char *slash;
	ssize_t n;

	*s = (struct supervise){ .pidfd = -1, .channel = -1, .delay_ms = SUPERVISE_DELAY_MIN_MS };
	n = readlink("/proc/self/exe", s->program, sizeof(s->program) - sizeof("sockgate-proxy"));
	if (n < 0)
		return -errno;
	s->program[n] = '\0';
	slash = strrchr(s->program, '/');
	if (slash) {
		memcpy(slash + 1, "sockgate-proxy", sizeof("sockgate-proxy"));
		if (access(s->program, X_OK) == 0)
			return 0;
	}
	(void)snprintf(s->program, sizeof(s->program), "%s/sockgate-proxy", SOCKGATE_LIBEXECDIR);
	return access(s->program, X_OK) < 0 ? -errno : 0;
}

/*
 * In the child. Should: wait until it is marked, then have the channel at CHANNEL_FD, `pipe_fd` just above it
 * until exec, signals as usual. Mustn't: hand down any other descriptor.
 */
static void become_proxy(const struct supervise *s, int channel, int pipe_fd)
{
	char *const arguments[] = { (char *)(uintptr_t) "sockgate-proxy", (char *)(uintptr_t) "--supervised",
				    NULL };
	sigset_t none;
	char go;
	int error;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	/* Only sockgated speaks to systemd. */
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	/* Away from the numbers that are about to be overwritten. */
	channel = fcntl(channel, F_DUPFD, CHANNEL_FD + 2);
	pipe_fd = fcntl(pipe_fd, F_DUPFD, CHANNEL_FD + 2);
	if (channel < 0 || pipe_fd < 0 || dup2(channel, CHANNEL_FD) < 0 ||
	    dup3(pipe_fd, CHANNEL_FD + 1, O_CLOEXEC) < 0 ||
	    syscall(SYS_close_range, CHANNEL_FD + 2, ~0U, 0) < 0 || read(CHANNEL_FD + 1, &go, 1) != 1)
		_exit(127);
	execv(s->program, arguments);
	error = errno;
	(void)!write(CHANNEL_FD + 1, &error, sizeof(error));
	_exit(127);
}

/*
 * Lets the child go on and waits until its end of the pipe closes, which exec does. The kernel clears a mark
 * at exec, after that, so it is marked before: what it executes next is the proxy.
 */
static int let_exec(const struct supervise *s, struct gate_handle *gate, int pipe_fd)
{
	struct pollfd exec = { .fd = pipe_fd, .events = POLLIN };
	int error, r = gate ? gate_mark_task(gate, s->pidfd, GATE_TASK_PROXY_NEXT) : 0;

	if (r < 0)
		return r;
	if (send(pipe_fd, "g", 1, MSG_NOSIGNAL) != 1)
		return -errno;
	if (poll(&exec, 1, EXEC_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	return read(pipe_fd, &error, sizeof(error)) == (ssize_t)sizeof(error) ? -error : 0;
}

static int spawn(struct supervise *s, struct gate_handle *gate)
{
	int channel[2], pipe_fds[2];
	int r = channel_pair(channel);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipe_fds) < 0) {
		r = -errno;
		close(channel[0]);
		close(channel[1]);
		return r;
	}
	s->pid = fork();
	if (s->pid == 0)
		become_proxy(s, channel[1], pipe_fds[1]);
	r = s->pid < 0 ? -errno : 0;
	if (s->pid < 0)
		s->pid = 0;
	close(channel[1]);
	close(pipe_fds[1]);
	s->channel = channel[0];
	if (r == 0) {
		/* Not waited for yet, so the number is still this child's. */
		s->pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
		r = s->pidfd < 0 ? -errno : let_exec(s, gate, pipe_fds[0]);
	}
	close(pipe_fds[0]);
	return r;
}

static int send_gifts(const struct supervise *s, const struct supervise_gifts *gifts)
{
	struct msg msg = { .type = MSG_IMAGE };
	int r = channel_send(s->channel, &msg, gifts->image);

	for (unsigned i = 0; r == 0 && i < gifts->listeners->n; i++) {
		msg = (struct msg){ .type = MSG_LISTENER, .arg = i };
		(void)snprintf(msg.text, sizeof(msg.text), "%s", gifts->listeners->sockets[i].name);
		r = channel_send(s->channel, &msg, gifts->listeners->sockets[i].fd);
	}
	if (r == 0 && gifts->audit >= 0) {
		msg = (struct msg){ .type = MSG_AUDIT };
		r = channel_send(s->channel, &msg, gifts->audit);
	}
	return r == 0 ? supervise_tell(s, gifts->state, gifts->reason) : r;
}

int supervise_start(struct supervise *s, struct gate_handle *gate, const struct supervise_gifts *gifts,
		    const char **why)
{
	struct msg start = { .type = MSG_START };
	int r;

	s->serving = false;
	s->started = monotonic();
	*why = "cannot start and mark the proxy";
	r = spawn(s, gate);
	if (r == 0) {
		*why = "cannot hand the proxy its descriptors";
		r = send_gifts(s, gifts);
	}
	if (r == 0) {
		*why = "cannot start the proxy's service";
		r = channel_send(s->channel, &start, -1);
	}
	return r;
}

int supervise_tell(const struct supervise *s, enum msg_gate state, const char *reason)
{
	struct msg msg = { .type = MSG_GATE, .arg = state };

	if (s->channel < 0)
		return 0;
	(void)snprintf(msg.text, sizeof(msg.text), "%s", reason);
	return channel_send(s->channel, &msg, -1);
}

int supervise_pass_trail(const struct supervise *s, int fd)
{
	struct msg msg = { .type = MSG_AUDIT };

	return s->channel < 0 ? 0 : channel_send(s->channel, &msg, fd);
}

int supervise_receive(struct supervise *s)
{
	struct msg msg;
	int fd, r = channel_recv(s->channel, 1u << MSG_READY, &msg, &fd);

	if (r == -EAGAIN)
		return 0;
	if (r <= 0)
		return r < 0 ? r : -EPIPE;
	s->serving = true;
	return 1;
}

void supervise_reap(struct supervise *s, char *how, size_t size)
{
	int status = 0;

	(void)snprintf(how, size, "it could not be started");
	if (s->channel >= 0)
		close(s->channel);
	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL); /* ours and not waited for: the number is its own */
		while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
			;
		if (WIFSIGNALED(status))
			(void)snprintf(how, size, "signal %d", WTERMSIG(status));
		else
			(void)snprintf(how, size, "exit status %d", WEXITSTATUS(status));
	}
	if (s->pidfd >= 0)
		close(s->pidfd);
	if (s->serving && monotonic() - s->started >= SUPERVISE_STEADY_SEC)
		s->delay_ms = SUPERVISE_DELAY_MIN_MS;
	else
		s->delay_ms =
			s->delay_ms * 2 < SUPERVISE_DELAY_MAX_MS ? s->delay_ms * 2 : SUPERVISE_DELAY_MAX_MS;
	s->pid = 0;
	s->pidfd = s->channel = -1;
	s->serving = false;
}

void supervise_stop(struct supervise *s)
{
	struct pollfd exit = { .fd = s->pidfd, .events = POLLIN };
	char how[64];

	if (s->pid > 0 && kill(s->pid, SIGTERM) == 0)
		(void)poll(&exit, 1, STOP_TIMEOUT_MS);
	supervise_reap(s, how, sizeof(how));
}
