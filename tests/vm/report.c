/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PROCESSORS_MAX 512 /* room for possible ones, which are more than there are */

static int open_pin(const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uint64_t)(uintptr_t)path;
	attr.file_flags = BPF_F_RDONLY; /* the gate lets nobody write */
	return (int)syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
}

void report_counters(struct report_counters *ret)
{
	static uint64_t values[PROCESSORS_MAX];
	union bpf_attr attr;
	int map = open_pin("/sys/fs/bpf/sockgate/counters");

	memset(ret, 0, sizeof(*ret));
	ret->present = map >= 0;
	for (uint32_t i = 0; map >= 0 && i < GATE_COUNTERS; i++) {
		memset(values, 0, sizeof(values));
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (uint32_t)map;
		attr.key = (uint64_t)(uintptr_t)&i;
		attr.value = (uint64_t)(uintptr_t)values;
		if (syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) < 0) {
			perror("counters");
			exit(1);
		}
		for (size_t cpu = 0; cpu < PROCESSORS_MAX; cpu++)
			ret->sum[i] += values[cpu];
	}
	if (map >= 0)
		close(map);
}

uint64_t report_moved(const struct report_counters *before, const struct report_counters *after,
		      unsigned counter, const char **hook)
{
	static const char *const hooks[GATE_COUNTERS] = {
		[GATE_DENIED_RECEIVE] = "file_receive",
		[GATE_DENIED_TRACE] = "ptrace_access_check",
		[GATE_DENIED_KILL] = "task_kill",
		[GATE_DENIED_OBJECT] = "bpf, inode_*, sb_umount",
		[GATE_DENIED_NAME] = "inode_rename, inode_unlink",
		[GATE_DENIED_TCP] = "socket_listen, socket_connect",
		[GATE_DENIED_SYSCTL] = "cgroup/sysctl",
	};
	uint64_t connects = after->sum[GATE_DENIED] - before->sum[GATE_DENIED];
	uint64_t finds = after->sum[GATE_DENIED_FIND] - before->sum[GATE_DENIED_FIND];
	uint64_t moved = after->sum[counter] - before->sum[counter];

	if (counter == 0) {
		*hook = finds ? "unix_find" : connects ? "unix_stream_connect" : "";
		return connects + finds;
	}
	*hook = moved ? hooks[counter] : "";
	return moved;
}

static void lsm_list(char *text, size_t size)
{
	int fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

bool report_line(FILE *to, const char *attack, const char *position, const char *expected, const char *got,
		 const char *hook, bool ok)
{
	struct utsname system;
	char lsm[512];

	uname(&system);
	lsm_list(lsm, sizeof(lsm));
	fprintf(to,
		"{\"kernel\":\"%s\",\"lsm\":\"%s\",\"attack\":\"%s\",\"position\":\"%s\",\"expected\":\"%s\","
		"\"got\":\"%s\",\"hook\":\"%s\",\"ok\":%s}\n",
		system.release, lsm, attack, position, expected, got, hook, ok ? "true" : "false");
	fflush(to);
	return ok;
}

const char *report_errno(int error)
{
	const char *name = error > 0 ? strerrorname_np(error) : NULL;

	if (error == 0)
		return "connected";
	return name ? name : "not tried";
}
