/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int sandbox_descriptors(unsigned below, const char **why)
{
	/* A socket that got number 2 would receive our own error messages. */
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", O_RDWR) != fd) {
			*why = "cannot open /dev/null for a standard descriptor that was closed";
			return -EBADF;
		}
	}
	if (close_range(below, ~0U, 0) < 0) {
		*why = "cannot close inherited descriptors (close_range)";
		return -errno;
	}
	return 0;
}

int sandbox_process(const char **why)
{
	static const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0) < 0) {
		*why = "cannot become non-dumpable (PR_SET_DUMPABLE)";
		return -errno;
	}
	if (setrlimit(RLIMIT_CORE, &none) < 0) {
		*why = "cannot forbid core dumps (RLIMIT_CORE)";
		return -errno;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		*why = "cannot set no_new_privs";
		return -errno;
	}
	return 0;
}

bool sandbox_may_change_user(void)
{
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID);
}

void sandbox_user(const char *name, struct sandbox_identity *ret, bool *ret_found)
{
	const struct passwd *user = getpwnam(name);

	*ret = (struct sandbox_identity){ .uid = user ? user->pw_uid : 65534,
					  .gid = user ? user->pw_gid : 65534 };
	*ret_found = user != NULL;
}

/* Reads back what the kernel thinks: a privilege that was to go and did not is an error, not a detail. */
static int verify(const struct sandbox_identity *identity, bool changed, const char **why)
{
	static const char *const sets[] = { "CapInh:", "CapPrm:", "CapEff:", "CapAmb:" };
	char line[256];
	FILE *status;
	unsigned seen = 0;
	int r = 0;

	if (changed) {
		uid_t uids[3];
		gid_t gids[3];

		if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
		    getresgid(&gids[0], &gids[1], &gids[2]) < 0)
			return -errno;
		for (int i = 0; i < 3; i++) {
			if (uids[i] != identity->uid || gids[i] != identity->gid) {
				*why = "still another user than asked for";
				return -EPERM;
			}
		}
	}
	status = fopen("/proc/self/status", "re");
	if (!status) {
		*why = "cannot read /proc/self/status to verify that capabilities are gone";
		return -errno;
	}
	while (fgets(line, sizeof(line), status)) {
		for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
			if (strncmp(line, sets[i], strlen(sets[i])) != 0)
				continue;
			seen++;
			if (strspn(line + strlen(sets[i]), "\t 0\n") != strlen(line + strlen(sets[i])))
				r = -EPERM;
		}
	}
	fclose(status);
	if (seen != sizeof(sets) / sizeof(sets[0]))
		r = -EPERM;
	if (r)
		*why = "capabilities are still there after they were given up";
	return r;
}

int sandbox_identity(const struct sandbox_identity *identity, bool change_user, const char **why)
{
	*why = "cannot give up capabilities";
	/* libcap-ng caches the thread's state at its first call, which may have been in a parent before a
	 * fork. */
	if (capng_get_caps_process() < 0)
		return -EPERM;
	capng_clear(CAPNG_SELECT_BOTH);
	if (change_user) {
		if (setgroups(identity->n_groups, identity->groups) < 0) {
			*why = "cannot set supplementary groups";
			return -errno;
		}
		if (capng_change_id((int)identity->uid, (int)identity->gid, CAPNG_CLEAR_BOUNDING) < 0) {
			*why = "cannot become the unprivileged user";
			return -EPERM;
		}
	} else {
		/* The bounding set needs CAP_SETPCAP; no_new_privs already makes it unreachable. */
		bool bounding = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);

		if (capng_apply(bounding ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) < 0)
			return -EPERM;
	}
	/* setresuid() makes a process dumpable again according to fs.suid_dumpable. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	return verify(identity, change_user, why);
}
