/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/process_facts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define CONTAINER_ID_LENGTH 64

struct str process_facts_container(struct str cgroup)
{
	struct str found = { NULL, 0 };
	size_t run = 0;

	for (size_t i = 0; i <= cgroup.n; i++) {
		/* "docker-ID.scope", "/docker/ID", "cri-containerd-ID.scope": a word of another length is
		 * none. */
		if (i < cgroup.n && isxdigit((unsigned char)cgroup.p[i])) {
			run++;
			continue;
		}
		if (run == CONTAINER_ID_LENGTH && (i == cgroup.n || !isalnum((unsigned char)cgroup.p[i])) &&
		    (i == run || !isalnum((unsigned char)cgroup.p[i - run - 1])))
			found = (struct str){ cgroup.p + i - run, run };
		run = 0;
	}
	return found;
}

/* "0::/system.slice/x.service" is cgroup2's line; without one, the first line's path. */
struct str process_facts_cgroup(struct str text)
{
	struct str first = { NULL, 0 };

	for (const char *p = text.p, *end = text.p + text.n; p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		struct str line = { p, (size_t)((newline ? newline : end) - p) };
		const char *colon = memchr(line.p, ':', line.n);
		const char *second =
			colon ? memchr(colon + 1, ':', (size_t)(line.p + line.n - colon - 1)) : NULL;

		if (second) {
			struct str path = { second + 1, (size_t)(line.p + line.n - second - 1) };

			if (str_starts(line, STR("0::")))
				return path;
			if (!first.p)
				first = path;
		}
		p = newline ? newline + 1 : end;
	}
	return first;
}

uint64_t process_facts_start(struct str stat)
{
	const char *p = stat.n ? memrchr(stat.p, ')', stat.n) : NULL;
	uint64_t ticks = 0;
	unsigned field = 2;

	if (!p)
		return 0;
	for (p++; p < stat.p + stat.n && field < 22; p++)
		field += *p == ' ';
	for (; p < stat.p + stat.n && isdigit((unsigned char)*p); p++)
		ticks = ticks * 10 + (uint64_t)(*p - '0');
	return ticks;
}

static struct str read_at(int dir, const char *name, char *text, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size);

	if (fd >= 0)
		close(fd);
	return (struct str){ text, n > 0 ? (size_t)n : 0 };
}

static void keep(char *to, size_t size, struct str s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	if (n)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

static bool started_at(int dir, uint64_t start_time)
{
	const uint64_t tick = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	char text[2048];

	return process_facts_start(read_at(dir, "stat", text, sizeof(text))) == start_time / tick;
}

void process_facts_read(pid_t pid, uint64_t start_time, struct process_facts *ret)
{
	char path[32], text[4096];
	struct str cgroup;
	ssize_t n;
	int dir;

	memset(ret, 0, sizeof(*ret));
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	if (started_at(dir, start_time)) {
		n = readlinkat(dir, "exe", ret->exe, sizeof(ret->exe) - 1);
		ret->exe[n > 0 ? n : 0] = '\0';
		cgroup = process_facts_cgroup(read_at(dir, "cgroup", text, sizeof(text)));
		keep(ret->cgroup, sizeof(ret->cgroup), cgroup);
		keep(ret->container, sizeof(ret->container), process_facts_container(cgroup));
	}
	close(dir);
}
