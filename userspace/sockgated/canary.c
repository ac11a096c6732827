/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockgated/local_socket.h"

#define CANARY_TIMEOUT_MS 2000

#define FTRACE "/proc/sys/kernel/ftrace_enabled"

/* What the child found: an errno for each guarded socket, 0 for a connect that succeeded. */
struct findings {
	int32_t error[GATE_SOCKETS_MAX];
	int32_t sysctl; /* of writing to FTRACE what it is already */
};

int canary_open(const char **why)
{
	int fd;

	*why = "cannot make " CANARY_DIRECTORY;
	if (mkdir(CANARY_DIRECTORY, 0700) < 0 && errno != EEXIST)
		return -errno;
	/* One of an earlier process: nobody may connect to it, so it looks like one in use. */
	if (unlink(CANARY_SOCKET) < 0 && errno != ENOENT)
		return -errno;
	fd = local_socket_open(CANARY_SOCKET, NULL, 0600, why);
	return fd;
}

static int try_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error, fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	error = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	return error;
}

/* Harmless where it succeeds, and refused where the kernel's settings are guarded. */
static int try_sysctl(void)
{
	int error = 0, fd = open(FTRACE, O_RDWR | O_CLOEXEC);
	char value[16];
	ssize_t n;

	if (fd < 0)
		return errno;
	n = read(fd, value, sizeof(value));
	if (n <= 0 || pwrite(fd, value, (size_t)n, 0) < 0)
		error = errno;
	close(fd);
	return error;
}

/* In the child: waits until it is marked as the canary, tries, tells. */
static void try_all(int pipe_fd, const struct gate_wanted *wanted)
{
	struct findings findings = { 0 };
	char go;

	if (read(pipe_fd, &go, 1) != 1)
		_exit(1);
	for (size_t i = 0; i < wanted->n_sockets; i++)
		findings.error[i] = try_connect(wanted->sockets[i].path);
	findings.sysctl = wanted->sysctl ? try_sysctl() : EPERM;
	_exit(write(pipe_fd, &findings, sizeof(findings)) == (ssize_t)sizeof(findings) ? 0 : 1);
}

/* Marks the child, lets it go on, and reads what it found. Returns 0 or -errno. */
static int ask_child(struct gate_handle *gate, int pidfd, int pipe_fd, struct findings *ret)
{
	struct pollfd answer = { .fd = pipe_fd, .events = POLLIN };
	int r = gate_mark_task(gate, pidfd, GATE_TASK_CANARY);

	if (r < 0)
		return r;
	if (send(pipe_fd, "g", 1, MSG_NOSIGNAL) != 1)
		return -errno;
	if (poll(&answer, 1, CANARY_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	return read(pipe_fd, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret) ? 0 : -ECHILD;
}

static int run_child(struct gate_handle *gate, const struct gate_wanted *wanted, struct findings *ret)
{
	int pair[2], pidfd, r;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		close(pair[0]);
		try_all(pair[1], wanted);
	}
	r = child < 0 ? -errno : 0;
	close(pair[1]);
	if (r == 0) {
		/* The child is ours and not waited for, so its number cannot be another's yet. */
		pidfd = (int)syscall(SYS_pidfd_open, child, 0);
		r = pidfd < 0 ? -errno : ask_child(gate, pidfd, pair[0], ret);
		if (pidfd >= 0)
			close(pidfd);
		(void)kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(pair[0]);
	return r;
}

/* Whoever got through waits in our own queue. */
static void empty_queue(int listener)
{
	for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
		close(fd);
}

static int judge(const struct gate_wanted *wanted, const struct findings *findings, uint64_t moved,
		 char *reason, size_t size)
{
	uint64_t refused = 0;

	for (size_t i = 0; i < wanted->n_sockets; i++) {
		const struct gate_guarded *socket = &wanted->sockets[i];
		int error = findings->error[i];

		if (error == 0) {
			(void)snprintf(reason, size, "%s is open: an unmarked process could connect to it",
				       socket->path);
			return 0;
		}
		refused += error == EPERM;
		if (socket->kind == GATE_SOCKET_CANARY && error != EPERM) {
			(void)snprintf(reason, size, "the canary was not refused but got: %s",
				       strerror(error));
			return 0;
		}
	}
	if (moved != refused) {
		(void)snprintf(reason, size, "%llu connects were refused, but the gate's programs saw %llu",
			       (unsigned long long)refused, (unsigned long long)moved);
		return 0;
	}
	/* Where the file is not there or on a read-only mount (ProtectKernelTunables=), nothing is shown. */
	if (findings->sysctl == 0 || findings->sysctl == EOPNOTSUPP) {
		(void)snprintf(reason, size, "writes to kernel.ftrace_enabled are not refused");
		return 0;
	}
	if (refused == 0) {
		(void)snprintf(reason, size, "there is no canary to be refused");
		return 0;
	}
	return 1;
}

int canary_try(struct gate_handle *gate, int listener, const struct gate_wanted *wanted, char *reason,
	       size_t size)
{
	uint64_t before[GATE_COUNTERS] = { 0 }, after[GATE_COUNTERS] = { 0 };
	struct findings findings = { 0 };
	int r = gate_counters(gate, before);

	if (r == 0)
		r = run_child(gate, wanted, &findings);
	empty_queue(listener);
	if (r == 0)
		r = gate_counters(gate, after);
	if (r < 0)
		return r;
	return judge(wanted, &findings, after[GATE_DENIED_CANARY] - before[GATE_DENIED_CANARY], reason, size);
}
