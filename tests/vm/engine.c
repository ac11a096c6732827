/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.c - plays dockerd: removes what is at PATH, binds, gives it to the group, listens, accepts, answers
 * every request with a small one. With --times N it does so N times over, some milliseconds each, as if it
 * were restarted.
 *
 * engine [--times N] PATH GID
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64

static const char answer[] =
	"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: text/plain; charset=utf-8\r\n"
	"Content-Length: 2\r\n\r\nOK";

static int listen_at(const char *path, gid_t group)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chown(path, 0, group) < 0 || chmod(path, 0660) < 0 || listen(fd, 64) < 0) {
		perror("engine");
		exit(1);
	}
	return fd;
}

/* Everything that fits into one read is taken for one request: the clients here send no more. */
static void serve_one(struct pollfd *connection)
{
	char request[16384];
	ssize_t n = read(connection->fd, request, sizeof(request));

	if (n > 0 && send(connection->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) > 0)
		return;
	close(connection->fd);
	connection->fd = -1;
}

/* For `milliseconds`, or for ever when that is negative. */
static void serve(int listener, int milliseconds)
{
	struct pollfd fds[1 + CONNECTIONS];
	struct timespec now;
	int64_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + milliseconds;
	for (size_t i = 0; i < 1 + CONNECTIONS; i++)
		fds[i] = (struct pollfd){ .fd = i ? -1 : listener, .events = POLLIN };
	for (;;) {
		int64_t left;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = end - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
		if (milliseconds >= 0 && left <= 0)
			break;
		if (poll(fds, 1 + CONNECTIONS, milliseconds < 0 ? -1 : (int)left) < 0)
			continue;
		for (size_t i = 1; i <= CONNECTIONS; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				serve_one(&fds[i]);
		for (size_t i = 1; i <= CONNECTIONS && fds[0].revents; i++)
			if (fds[i].fd < 0) {
				fds[i].fd = accept(listener, NULL, NULL);
				break;
			}
	}
	for (size_t i = 1; i <= CONNECTIONS; i++)
		if (fds[i].fd >= 0)
			close(fds[i].fd);
}

int main(int argc, char **argv)
{
	long times = -1;

	if (argc == 5 && strcmp(argv[1], "--times") == 0) {
		times = strtol(argv[2], NULL, 10);
		argv += 2;
		argc -= 2;
	}
	if (argc != 3) {
		fputs("usage: engine [--times N] PATH GID\n", stderr);
		return 2;
	}
	if (times < 0)
		serve(listen_at(argv[1], (gid_t)strtoul(argv[2], NULL, 10)), -1);
	for (long i = 0; i < times; i++) {
		int listener = listen_at(argv[1], (gid_t)strtoul(argv[2], NULL, 10));

		serve(listener, 2 + (int)(i % 5));
		close(listener);
	}
	return 0;
}
