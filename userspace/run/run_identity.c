/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_identity.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* "Uid:\tREAL\tEFFECTIVE\tSAVED\tFILE SYSTEM", likewise "Gid:". */
static bool read_ids(const char *p, unsigned *ret_effective, unsigned *ret_fs)
{
	unsigned long ids[4];
	char *end;

	for (int i = 0; i < 4; i++) {
		errno = 0;
		ids[i] = strtoul(p, &end, 10);
		if (end == p || errno)
			return false;
		p = end;
	}
	*ret_effective = (unsigned)ids[1];
	*ret_fs = (unsigned)ids[3];
	return true;
}

static int read_groups(const char *p, struct run_identity *identity)
{
	for (;;) {
		char *end;
		unsigned long id = strtoul(p, &end, 10);

		if (end == p)
			return 0;
		if (identity->n_groups == RUN_IDENTITY_GROUPS_MAX)
			return -E2BIG;
		identity->groups[identity->n_groups++] = (gid_t)id;
		p = end;
	}
}

static bool in_our_user_namespace(pid_t tid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)tid);
	return stat("/proc/self/ns/user", &own) == 0 && stat(path, &other) == 0 &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

int run_identity_read(pid_t tid, struct run_identity *ret)
{
	struct run_identity identity = { .n_groups = 0 };
	unsigned seen = 0;
	char path[64], *line = NULL;
	size_t size = 0;
	FILE *status;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	status = fopen(path, "re");
	if (!status)
		return -errno;
	while (r == 0 && getline(&line, &size, status) > 0) {
		if (strncmp(line, "Uid:", 4) == 0) {
			seen += read_ids(line + 4, &identity.euid, &identity.fsuid);
		} else if (strncmp(line, "Gid:", 4) == 0) {
			seen += read_ids(line + 4, &identity.egid, &identity.fsgid);
		} else if (strncmp(line, "Groups:", 7) == 0) {
			r = read_groups(line + 7, &identity);
			seen++;
		} else if (strncmp(line, "CapEff:", 7) == 0) {
			identity.effective = strtoull(line + 7, NULL, 16);
			seen++;
		}
	}
	free(line);
	fclose(status);
	if (r == 0 && seen != 4)
		r = -ESRCH;
	if (r < 0)
		return r;
	if (!in_our_user_namespace(tid))
		identity.effective = 0;
	*ret = identity;
	return 0;
}

bool run_identity_equal(const struct run_identity *a, const struct run_identity *b)
{
	return a->euid == b->euid && a->fsuid == b->fsuid && a->egid == b->egid && a->fsgid == b->fsgid &&
	       a->effective == b->effective && a->n_groups == b->n_groups &&
	       memcmp(a->groups, b->groups, a->n_groups * sizeof(a->groups[0])) == 0;
}

bool run_identity_matters(const struct run_identity *own)
{
	return own->effective & (UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETGID);
}

/* Effective capabilities, of those permitted. */
static int set_effective(uint64_t wanted)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted & (uint32_t)(wanted >> (32 * i));
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int run_identity_enter(const struct run_identity *other)
{
	/* Groups first, capabilities last: each needs what the next one takes. */
	if (syscall(SYS_setgroups, other->n_groups, other->groups) < 0 ||
	    syscall(SYS_setresgid, -1, other->egid, -1) < 0)
		return -errno;
	syscall(SYS_setfsgid, other->fsgid);
	if (syscall(SYS_setresuid, -1, other->euid, -1) < 0)
		return -errno;
	syscall(SYS_setfsuid, other->fsuid);
	/* These two tell by what was before, asked with an id that cannot be. */
	if ((uid_t)syscall(SYS_setfsuid, -1) != other->fsuid ||
	    (gid_t)syscall(SYS_setfsgid, -1) != other->fsgid)
		return -EPERM;
	return set_effective(other->effective);
}

void run_identity_leave(const struct run_identity *own)
{
	struct run_identity now = { .n_groups = 0 };

	if (set_effective(own->effective) < 0 || syscall(SYS_setresuid, -1, own->euid, -1) < 0 ||
	    set_effective(own->effective) < 0 || syscall(SYS_setresgid, -1, own->egid, -1) < 0 ||
	    syscall(SYS_setgroups, own->n_groups, own->groups) < 0)
		abort();
	syscall(SYS_setfsgid, own->fsgid);
	syscall(SYS_setfsuid, own->fsuid);
	if (set_effective(own->effective) < 0 || run_identity_read((pid_t)syscall(SYS_gettid), &now) < 0 ||
	    !run_identity_equal(&now, own))
		abort();
}
