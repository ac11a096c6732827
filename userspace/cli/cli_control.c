/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli_control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_TIMEOUT_SEC 15 /* turning the gate on proves it first */

static int fail(int status, const char *what)
{
	fprintf(stderr, "sockgate: %s\n", what);
	return status;
}

static int connect_to_daemon(void)
{
	static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CLI_CONTROL_SOCKET };
	const struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_SEC };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* Up to the newline. Returns 0 or -errno. */
static int read_line(int fd, struct buf *reply)
{
	char piece[4096];

	for (;;) {
		ssize_t n = recv(fd, piece, sizeof(piece), 0);
		const char *newline;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		newline = memchr(piece, '\n', (size_t)n);
		buf_append(reply, piece, newline ? (size_t)(newline - piece) : (size_t)n);
		if (newline)
			return reply->overflow ? -EMSGSIZE : 0;
	}
}

const struct json_value *cli_control_member(const struct json_value *object, const char *name)
{
	if (!object || json_value_type(object) != JSON_T_OBJECT)
		return NULL;
	for (const struct json_member *it = json_first(object); it; it = json_next(object, it))
		if (str_eqz(json_member_name(it), name))
			return json_member_value(it);
	return NULL;
}

static int check_answer(struct str line)
{
	const struct json_value *error;
	struct json_body *body;
	const char *why;
	int status = CLI_FINE;

	if (json_body_load(line.p, line.n, &body, &why) < 0)
		return fail(CLI_NEGATIVE, "sockgated's answer is not JSON");
	error = cli_control_member(json_body_root(body), "error");
	if (error && json_value_type(error) == JSON_T_STRING) {
		fprintf(stderr, "sockgate: %.*s\n", STR_ARG(json_value_string(error)));
		status = CLI_NOT_PERMITTED;
	}
	json_body_free(body);
	return status;
}

int cli_control_ask(const char *command, struct buf *reply)
{
	char request[128];
	int r, fd = connect_to_daemon();

	if (fd == -EACCES || fd == -EPERM)
		return fail(CLI_NOT_PERMITTED, "only root and group sockgate may ask sockgated");
	if (fd < 0)
		return fail(CLI_NEGATIVE, "sockgated does not run (" CLI_CONTROL_SOCKET ")");
	r = snprintf(request, sizeof(request), "{\"command\":\"%s\"}\n", command);
	if (send(fd, request, (size_t)r, MSG_NOSIGNAL) != (ssize_t)r)
		r = -errno;
	else
		r = read_line(fd, reply);
	close(fd);
	if (r < 0)
		return fail(CLI_NEGATIVE, "sockgated did not answer");
	return check_answer(buf_view(reply));
}
