/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/landlock.h of Linux 7.1, which Debian 12's headers are older than. */
#define CREATE_RULESET_VERSION (1u << 0)
#define RULE_PATH_BENEATH      1
#define FS_REFER               (UINT64_C(1) << 13)
#define FS_RESOLVE_UNIX        (UINT64_C(1) << 16)
#define SCOPE_ABSTRACT         (UINT64_C(1) << 0)

struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct path_beneath {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

/* Where programs send datagrams without connect(2): sd_notify(3), the journal, syslog(3). No engine is there.
 */
static const char *const datagrams[] = { "/run/systemd/notify", "/run/systemd/journal", "/dev/log" };

int run_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static int allow(int ruleset, const char *path, uint64_t access)
{
	struct path_beneath rule = { .allowed_access = access };
	int fd = open(path, O_PATH | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	rule.parent_fd = fd;
	r = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int fill(int ruleset, const struct ruleset *rules)
{
	/* Each domain that knows of files forbids renames between folders unless it says otherwise. */
	int r = allow(ruleset, "/", FS_REFER);

	if (!(rules->handled_access_fs & FS_RESOLVE_UNIX))
		return r;
	for (size_t i = 0; r == 0 && i < sizeof(datagrams) / sizeof(datagrams[0]); i++) {
		r = allow(ruleset, datagrams[i], FS_RESOLVE_UNIX);
		if (r == -ENOENT || r == -EACCES)
			r = 0;
	}
	return r;
}

int run_landlock_restrict(int abi, const char **why)
{
	struct ruleset rules = { .handled_access_fs = 0 };
	int fd, r = 0;

	if (abi >= RUN_LANDLOCK_ABI_SCOPE)
		rules.scoped = SCOPE_ABSTRACT;
	else
		rules.handled_access_fs = FS_REFER; /* something must be handled for there to be a domain */
	if (abi >= RUN_LANDLOCK_ABI_UNIX)
		rules.handled_access_fs = FS_RESOLVE_UNIX | FS_REFER;
	*why = "the kernel refuses the Landlock domain";
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (fd < 0)
		return -errno;
	if (rules.handled_access_fs)
		r = fill(fd, &rules);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		r = -errno;
	close(fd);
	return r;
}
