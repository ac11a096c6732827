/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "who/who_scan.h"

int who_proc_open(int proc, pid_t pid)
{
	char name[16];
	int fd;

	(void)snprintf(name, sizeof(name), "%d", (int)pid);
	fd = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Reads up to `size` bytes. Returns how many, or -errno. */
static ssize_t read_up_to(int fd, char *text, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = read(fd, text + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

int who_proc_read(int dir, const char *name, size_t limit, char **ret, size_t *ret_n)
{
	size_t cap = 16384, n = 0;
	char *text = malloc(cap + 1);
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : 0;

	if (!text)
		r = -ENOMEM;
	while (r == 0) {
		ssize_t got = read_up_to(fd, text + n, cap - n);
		char *larger;

		r = got < 0 ? (int)got : 0;
		n += got > 0 ? (size_t)got : 0;
		if (r < 0 || n < cap)
			break;
		larger = n > limit ? NULL : realloc(text, 2 * cap + 1);
		r = n > limit ? -EFBIG : larger ? 0 : -ENOMEM;
		text = larger ? larger : text;
		cap *= 2;
	}
	if (fd >= 0)
		close(fd);
	if (r == 0 && n > limit)
		r = -EFBIG;
	if (r < 0) {
		free(text);
		return r;
	}
	text[n] = '\0';
	*ret = text;
	*ret_n = n;
	return 0;
}

struct str who_proc_text(int dir, const char *name, char *text, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read_up_to(fd, text, size);

	if (fd >= 0)
		close(fd);
	return (struct str){ text, n > 0 ? (size_t)n : 0 };
}

ssize_t who_proc_link(int dir, const char *name, char *text, size_t size)
{
	ssize_t n = readlinkat(dir, name, text, size);

	if (n < 0)
		return -errno;
	/* A link that fills the memory may be longer than it. */
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	text[n] = '\0';
	return n;
}

int who_proc_namespace(int dir, const char *kind, uint64_t *ret)
{
	char name[32], text[64];
	ssize_t n;

	(void)snprintf(name, sizeof(name), "ns/%s", kind);
	n = who_proc_link(dir, name, text, sizeof(text));
	if (n < 0)
		return (int)n;
	return who_scan_link((struct str){ text, (size_t)n }, kind, ret) ? 0 : -EBADMSG;
}

pid_t who_proc_next(void *stream)
{
	const struct dirent *entry;
	uint64_t pid;

	while ((entry = readdir(stream)) != NULL)
		if (who_scan_number(str_from(entry->d_name), 10, INT_MAX, &pid) && pid > 0)
			return (pid_t)pid;
	return 0;
}
