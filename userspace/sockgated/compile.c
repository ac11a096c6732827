/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compile.c - the one place where sockgated's privilege and a parser could meet, and do not: the child gives
 * up its privilege first, and all that it can hand back is one descriptor, which is checked before it is
 * used.
 */
#include "sockgated/compile.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel/channel.h"
#include "config/config.h"
#include "sandbox/sandbox.h"

#define COMPILE_TIMEOUT_MS 30000

/* As nobody, in group sockgate, so that a configuration may be kept from the rest of the system. */
static int drop_everything(void)
{
	struct sandbox_identity nobody, sockgate;
	const char *why = "";
	bool found;
	int r;

	sandbox_user("nobody", &nobody, &found);
	sandbox_user("sockgate", &sockgate, &found);
	nobody.gid = found ? sockgate.gid : nobody.gid;
	nobody.n_groups = 0;
	r = sandbox_process(&why);
	if (r == 0)
		r = sandbox_identity(&nobody, sandbox_may_change_user(), &why);
	if (r < 0)
		fprintf(stderr, "sockgated: compiler: %s\n", why);
	return r;
}

/* In the child; returns its exit status. */
static int compile(const char *path, int channel)
{
	struct msg msg = { .type = MSG_IMAGE };
	struct config_build *build;
	int fd, r;

	if (drop_everything() < 0)
		return EXIT_FAILURE;
	build = config_build_new();
	if (!build)
		return EXIT_FAILURE;
	r = path ? config_load_file(build, path, stderr) : config_defaults(build, stderr);
	if (r < 0)
		return 2;
	fd = config_seal(build);
	if (fd < 0)
		return EXIT_FAILURE;
	return channel_send(channel, &msg, fd) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int compile_image(const char *path, const char **why)
{
	struct pollfd answer = { .events = POLLIN };
	struct msg msg;
	int channel[2], fd = -1, status = 0;
	pid_t child;
	int r = channel_pair(channel);

	*why = "cannot start the compiler";
	if (r < 0)
		return r;
	child = fork();
	if (child == 0) {
		close(channel[0]);
		_exit(compile(path, channel[1]));
	}
	r = child < 0 ? -errno : 0;
	close(channel[1]);
	if (r == 0) {
		answer.fd = channel[0];
		if (poll(&answer, 1, COMPILE_TIMEOUT_MS) == 1)
			r = channel_recv(channel[0], 1u << MSG_IMAGE, &msg, &fd);
		if (r <= 0)
			(void)kill(child, SIGKILL);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(channel[0]);
	if (fd >= 0)
		return fd;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
		*why = "the configuration is wrong";
		return -EINVAL;
	}
	*why = "the compiler died";
	return r < 0 ? r : -ECHILD;
}
