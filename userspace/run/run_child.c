/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/run_landlock.h"

/* What the child says before it waits; without an error, the listener comes along. */
struct report {
	int error;
	char why[96];
};

/*
 * A descriptor that is already connected, or a ring that connects by itself, would be a way around
 * everything. Files, folders, pipes and devices are not; build tools hand pipes down.
 */
static bool may_inherit(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode);
}

/* Closes what may not be inherited, at exec; 0 to 2 are the caller's choice. */
static int shed_descriptors(const char **why)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	*why = "cannot read /proc/self/fd";
	if (!directory)
		return -errno;
	while ((entry = readdir(directory))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd > 2 && fd != dirfd(directory) && !may_inherit(fd) &&
		    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
			closedir(directory);
			return -errno;
		}
	}
	closedir(directory);
	return 0;
}

/* Returns the listener or -errno. */
static int confine(const struct run_child *child, const char **why)
{
	int r = shed_descriptors(why);

	if (r < 0)
		return r;
	*why = "cannot set no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = child->landlock_abi ? run_landlock_restrict(child->landlock_abi, why) : 0;
	return r < 0 ? r : run_filter_install(child->filter, why);
}

static int send_report(int channel, const struct report *report, int fd)
{
	struct iovec data = { .iov_base = (void *)(uintptr_t)report, .iov_len = sizeof(*report) };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *head;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	}
	return sendmsg(channel, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*report) ? 0 : -EPIPE;
}

static int receive_report(int channel, struct report *ret, int *ret_fd)
{
	struct iovec data = { .iov_base = ret, .iov_len = sizeof(*ret) };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	const struct cmsghdr *head;
	ssize_t n;

	do
		n = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*ret))
		return -EPIPE;
	ret->why[sizeof(ret->why) - 1] = '\0';
	head = CMSG_FIRSTHDR(&message);
	if (ret->error == 0 &&
	    (!head || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof(int))))
		return -EPIPE;
	if (ret->error == 0)
		memcpy(ret_fd, CMSG_DATA(head), sizeof(*ret_fd));
	return 0;
}

static _Noreturn void become(const struct run_child *child, int channel)
{
	struct report report = { .error = 0 };
	const char *why = "";
	int listener = confine(child, &why), error;
	char go;

	if (listener < 0) {
		report.error = -listener;
		snprintf(report.why, sizeof(report.why), "%s", why);
	}
	if (send_report(channel, &report, listener) < 0 || listener < 0)
		_exit(126);
	/* Whoever holds the listener decides: it must not live on in here. */
	close(listener);
	if (read(channel, &go, 1) != 1)
		_exit(126);
	sigprocmask(SIG_SETMASK, child->signals, NULL);
	execvp(child->argv[0], child->argv);
	error = errno;
	fprintf(stderr, "sockgate run: %s: %s\n", child->argv[0], strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

pid_t run_child_start(const struct run_child *child, int *ret_listener, int *ret_channel, char *why,
		      size_t why_size)
{
	struct report report;
	int channel[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0) {
		snprintf(why, why_size, "socketpair: %s", strerror(errno));
		return -errno;
	}
	pid = fork();
	if (pid == 0) {
		close(channel[0]);
		become(child, channel[1]);
	}
	r = pid < 0 ? -errno : 0;
	close(channel[1]);
	if (r == 0) {
		r = receive_report(channel[0], &report, ret_listener);
		if (r == 0 && report.error)
			r = -report.error;
	}
	if (r == 0) {
		*ret_channel = channel[0];
		return pid;
	}
	snprintf(why, why_size, "%s: %s",
		 pid < 0       ? "fork"
		 : r == -EPIPE ? "the command's process ended too early"
			       : report.why,
		 strerror(-r));
	close(channel[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return r;
}

void run_child_go(int channel)
{
	/* A child that has been killed meanwhile is seen by whoever waits for it. */
	(void)!write(channel, "", 1);
	close(channel);
}
