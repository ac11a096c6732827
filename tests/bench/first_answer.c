/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * first_answer - milliseconds from exec of a server to its first answer of 200.
 *
 *   first_answer TARGET PATH COMMAND [ARGUMENT...]
 *
 * Starts COMMAND in a process group of its own, asks for PATH until an answer comes, prints the milliseconds,
 * ends the group. Any other status is a failure: a server that is "up" and answers 503 is not up.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/address.h"

enum { TRY_NS = 100 * 1000, GIVE_UP_MS = 10000, ANSWER_MS = 2000 };

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static pid_t start(char **command)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		err(2, "fork");
	if (pid > 0) {
		setpgid(pid, pid); /* as the child does: whoever is first */
		return pid;
	}
	setpgid(0, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		err(2, "/dev/null");
	execvp(command[0], command);
	err(2, "%s", command[0]);
}

/* The status of "HTTP/1.1 200 ...", or -EBADMSG. */
static int status_of(const char *answer, ssize_t n)
{
	char *end;
	long status;

	if (n < 13 || strncmp(answer, "HTTP/1.", 7) != 0)
		return -EBADMSG;
	status = strtol(answer + 9, &end, 10);
	return end == answer + 12 && status >= 100 ? (int)status : -EBADMSG;
}

/* The status of one answer, or -errno: -ENOENT and -ECONNREFUSED while nobody listens. */
static int ask(const struct address *address, const char *path)
{
	struct pollfd ready = { .events = POLLIN };
	char request[512], answer[512];
	int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: docker\r\n\r\n", path);
	int status = -EBADMSG;
	ssize_t got;

	if (n < 0 || (size_t)n >= sizeof(request))
		return -EMSGSIZE;
	ready.fd = address_socket(address, 0);
	if (ready.fd < 0)
		return ready.fd;
	if (connect(ready.fd, (const struct sockaddr *)&address->storage, address->len) ||
	    send(ready.fd, request, (size_t)n, MSG_NOSIGNAL) != n) {
		status = -errno;
	} else if (poll(&ready, 1, ANSWER_MS) == 1) {
		got = recv(ready.fd, answer, sizeof(answer) - 1, 0);
		answer[got > 0 ? got : 0] = '\0';
		status = status_of(answer, got);
	}
	close(ready.fd);
	return status;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = TRY_NS };
	struct address address;
	int status = -ENOENT;
	const char *why;
	double begin;
	pid_t pid;

	if (argc < 4) {
		fputs("usage: first_answer TARGET PATH COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	if (address_parse(argv[1], &address, &why))
		errx(2, "%s: %s", argv[1], why);
	begin = now_ms();
	pid = start(argv + 3);
	while (now_ms() - begin < GIVE_UP_MS) {
		status = ask(&address, argv[2]);
		if (status != -ENOENT && status != -ECONNREFUSED)
			break;
		if (waitpid(pid, NULL, WNOHANG) == pid)
			errx(1, "%s ended before it answered", argv[3]);
		nanosleep(&pause, NULL);
	}
	if (status == 200)
		printf("%.3f\n", now_ms() - begin);
	kill(-pid, SIGTERM);
	waitpid(pid, NULL, 0);
	kill(-pid, SIGKILL); /* what the leader left behind, if anything */
	if (status != 200)
		errx(1, "%s: first answer: %d", argv[3], status);
	return 0;
}
