/* SPDX-License-Identifier: BSD-2-Clause */
#include "process_usage.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t process_cpu_ns(pid_t pid)
{
	struct timespec t;
	clockid_t clock;
	int r = clock_getcpuclockid(pid, &clock);

	if (r)
		return -r;
	if (clock_gettime(clock, &t))
		return -errno;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t process_kib(pid_t pid, const char *file, const char *name)
{
	char path[64], line[256];
	size_t name_len = strlen(name);
	int64_t kib = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
			kib = strtoll(line + name_len + 1, NULL, 10);
			break;
		}
	}
	fclose(f);
	return kib;
}

int process_fds(pid_t pid)
{
	char path[64];
	struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (!d)
		return -errno;
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}
