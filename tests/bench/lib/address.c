/* SPDX-License-Identifier: BSD-2-Clause */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static int parse_unix(const char *path, struct address *ret, const char **why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(un.sun_path)) {
		*why = "a Unix socket's path has 1 to 107 bytes";
		return -EINVAL;
	}
	memcpy(un.sun_path, path, n);
	memcpy(&ret->storage, &un, sizeof(un));
	ret->len = sizeof(un);
	return 0;
}

static int parse_tcp(const char *text, struct address *ret, const char **why)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	unsigned long port;
	char *end;

	*why = "want tcp:IPV4:PORT";
	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	port = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end || port == 0 || port > 65535 ||
	    inet_pton(AF_INET, host, &in.sin_addr) != 1)
		return -EINVAL;
	in.sin_port = htons((uint16_t)port);
	memcpy(&ret->storage, &in, sizeof(in));
	ret->len = sizeof(in);
	return 0;
}

int address_parse(const char *spec, struct address *ret, const char **why)
{
	struct address address = { 0 };
	int r;

	if (!strncmp(spec, "unix:", 5)) {
		r = parse_unix(spec + 5, &address, why);
	} else if (!strncmp(spec, "tcp:", 4)) {
		r = parse_tcp(spec + 4, &address, why);
	} else {
		*why = "an address is unix:PATH or tcp:IPV4:PORT";
		r = -EINVAL;
	}
	if (r == 0)
		*ret = address;
	return r;
}

int address_socket(const struct address *address, int flags)
{
	int family = address->storage.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	if (family == AF_INET && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))) {
		int e = errno;

		close(fd);
		return -e;
	}
	return fd;
}
