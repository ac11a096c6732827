/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The kernel's own name for an open file: without links, seen from our root. */
static int name_of(int fd, char *ret, size_t size)
{
	static const char deleted[] = " (deleted)";
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	ret[n] = '\0';
	/* "socket:[1]" has no place in the file system; a directory that was removed has none any more. */
	if (ret[0] != '/')
		return -EINVAL;
	if ((size_t)n > sizeof(deleted) && strcmp(ret + n - (sizeof(deleted) - 1), deleted) == 0)
		return -ENOENT;
	return 0;
}

static int append(char *path, size_t size, const char *rest)
{
	size_t n = strlen(path);

	/* The root's name ends in the slash that the rest starts with. */
	if (n == 1)
		n = 0;
	if (n + strlen(rest) + 1 > size)
		return -ENAMETOOLONG;
	memcpy(path + n, rest, strlen(rest) + 1);
	return 0;
}

int resolve_path(const char *path, char *ret, size_t size)
{
	char head[PATH_MAX];
	size_t n = strlen(path), all = n;
	int fd, r;

	if (path[0] != '/')
		return -EINVAL;
	if (n >= sizeof(head))
		return -ENAMETOOLONG;
	memcpy(head, path, n + 1);
	for (;;) {
		fd = open(head, O_PATH | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT || n == 1)
			break;
		/* A link to nowhere is no missing directory: the engine would follow it. */
		fd = open(head, O_PATH | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0) {
			close(fd);
			return -ENOENT;
		}
		while (n > 1 && head[n - 1] != '/')
			n--;
		if (n > 1)
			n--;
		head[n] = '\0';
	}
	if (fd < 0)
		return -errno;
	r = name_of(fd, ret, size);
	close(fd);
	if (r == 0 && n < all)
		r = append(ret, size, path + (n == 1 ? 0 : n));
	return r;
}
