/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_identity.h - lets a thread of ours do something with a workload's permissions.
 *
 * A supervisor without privileges needs none of this: under no_new_privs and without CAP_SETUID its workload
 * cannot become anybody else. One that is root may have a workload that has given privileges up, for which it
 * must not open what that one may not. Credentials are a thread's own to the kernel, so the system calls are
 * made directly: the C library's functions would change every thread.
 */
#ifndef SOCKGATE_RUN_IDENTITY_H
#define SOCKGATE_RUN_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RUN_IDENTITY_GROUPS_MAX 256

struct run_identity {
	uid_t euid, fsuid;
	gid_t egid, fsgid;
	uint64_t effective; /* capabilities */
	size_t n_groups;
	gid_t groups[RUN_IDENTITY_GROUPS_MAX];
};

/*
 * Reads a thread's from /proc. Capabilities that it holds in another user namespace than ours count for
 * nothing. Returns 0 or -errno, -E2BIG for more groups than fit.
 */
int run_identity_read(pid_t tid, struct run_identity *ret);

bool run_identity_equal(const struct run_identity *a, const struct run_identity *b);

/* Whether the calling process could be somebody else than its workload: it has CAP_SETUID or CAP_SETGID. */
bool run_identity_matters(const struct run_identity *own);

/* The calling thread becomes `other`. Returns 0 or -errno, half way included: then, too, leave it. */
int run_identity_enter(const struct run_identity *other);
/* And is itself again. What cannot be undone ends the process: its threads would act for the wrong user. */
void run_identity_leave(const struct run_identity *own);

#endif
