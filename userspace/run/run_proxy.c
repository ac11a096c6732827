/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_MS 10000

/* Beside this program, or where sbin/ is beside its bin/. */
static int find_program(char *path, size_t size)
{
	static const char *const places[] = { "sockgate-proxy", "../sbin/sockgate-proxy" };
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (n < 0)
		return -errno;
	path[n] = '\0';
	slash = strrchr(path, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		size_t room = size - (size_t)(slash + 1 - path);

		if (snprintf(slash + 1, room, "%s", places[i]) < (int)room && access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

/* Where the proxy says that it is ready (sd_notify(3)). */
static int open_notify(const struct run_proxy *proxy, char *ret_path, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, r;

	if (snprintf(ret_path, size, "%s/notify", proxy->folder) >= (int)size ||
	    size > sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, ret_path, strlen(ret_path) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static _Noreturn void become(const char *program, char *const argv[], const char *notify)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Ctrl-C is the command's to handle: the proxy serves until it has ended. */
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || setpgid(0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || setenv("NOTIFY_SOCKET", notify, 1) < 0)
		_exit(126);
	execv(program, argv);
	_exit(127);
}

/* Until READY=1, or the end of the process. */
static int wait_until_ready(int notify, pid_t pid)
{
	struct pollfd events[2] = { { .fd = notify, .events = POLLIN }, { .events = POLLIN } };
	char text[512];
	int r = -ETIMEDOUT;

	events[1].fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (events[1].fd < 0)
		return -errno;
	while (poll(events, 2, READY_MS) > 0) {
		ssize_t n = events[0].revents ? recv(notify, text, sizeof(text) - 1, 0) : 0;

		if (n > 0) {
			text[n] = '\0';
			if (strstr(text, "READY=1")) {
				r = 0;
				break;
			}
		} else if (n < 0 || events[1].revents) {
			r = n < 0 ? -errno : -ECHILD;
			break;
		}
	}
	close(events[1].fd);
	return r;
}

static int start(const struct run_proxy_options *options, const char *program, struct run_proxy *proxy)
{
	char listen[RUN_PROXY_PATH_MAX + 8], notify[RUN_PROXY_PATH_MAX];
	const char *const argv[] = { "sockgate-proxy",
				     "--engine",
				     options->engine,
				     "--listen",
				     listen,
				     "--policy",
				     options->policy,
				     "--audit",
				     options->audit ? options->audit : "/dev/null",
				     NULL };
	int fd = open_notify(proxy, notify, sizeof(notify)), r;

	if (fd < 0)
		return fd;
	snprintf(listen, sizeof(listen), "unix:%s", proxy->socket);
	proxy->pid = fork();
	if (proxy->pid == 0)
		become(program, (char *const *)(uintptr_t)argv, notify);
	r = proxy->pid < 0 ? -errno : wait_until_ready(fd, proxy->pid);
	close(fd);
	unlink(notify);
	return r;
}

int run_proxy_start(const struct run_proxy_options *options, struct run_proxy *ret, char *why,
		    size_t why_size)
{
	struct run_proxy proxy = { .pid = -1 };
	char program[4096];
	int r = find_program(program, sizeof(program));

	if (r < 0) {
		snprintf(why, why_size, "there is no sockgate-proxy beside this program");
		return r;
	}
	if (snprintf(proxy.folder, sizeof(proxy.folder), "%s/sockgate-run-XXXXXX",
		     options->runtime ? options->runtime : "/tmp") >= (int)sizeof(proxy.folder) - 16 ||
	    !mkdtemp(proxy.folder)) {
		snprintf(why, why_size, "cannot make a folder for the proxy's socket: %s", strerror(errno));
		return -errno;
	}
	snprintf(proxy.socket, sizeof(proxy.socket), "%.*s/docker.sock", (int)sizeof(proxy.folder) - 16,
		 proxy.folder);
	r = start(options, program, &proxy);
	if (r < 0) {
		snprintf(why, why_size,
			 r == -ECHILD ? "the proxy did not start" : "the proxy does not serve: %s",
			 strerror(-r));
		run_proxy_stop(&proxy);
		return r;
	}
	*ret = proxy;
	return 0;
}

void run_proxy_stop(const struct run_proxy *proxy)
{
	if (proxy->pid > 0) {
		kill(proxy->pid, SIGTERM);
		waitpid(proxy->pid, NULL, 0);
	}
	unlink(proxy->socket);
	rmdir(proxy->folder);
}
