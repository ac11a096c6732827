/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request.c - request PATH [SECONDS]: after so long, sends GET /_ping to a Unix socket and prints the
 * answer's first line, or nothing. request listen|dial PORT: does so on 127.0.0.1 and prints what came of it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int on_tcp(const char *what, const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), r;

	if (strcmp(what, "dial") == 0)
		r = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	else
		r = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : listen(fd, 1);
	puts(r < 0 ? strerrorname_np(errno) : "done");
	return 0;
}

int main(int argc, char **argv)
{
	static const char ping[] = "GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n";
	const struct timeval timeout = { .tv_sec = 5 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char answer[4096];
	ssize_t n;

	if (argc == 3 && (strcmp(argv[1], "listen") == 0 || strcmp(argv[1], "dial") == 0))
		return on_tcp(argv[1], argv[2]);
	if (argc < 2 || strlen(argv[1]) >= sizeof(address.sun_path) || fd < 0)
		return 2;
	strcpy(address.sun_path, argv[1]);
	if (argc > 2)
		sleep((unsigned)strtoul(argv[2], NULL, 10));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, ping, sizeof(ping) - 1, MSG_NOSIGNAL) < 0)
		return 1;
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	answer[n > 0 ? n : 0] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	puts(answer);
	return n > 0 ? 0 : 1;
}
