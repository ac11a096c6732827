/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.h - gives up privilege, in named stages that a program calls in this order:
 *
 *   sandbox_descriptors()  nothing inherited by accident
 *   sandbox_process()      no core dump, no ptrace by the same user, no new privileges
 *   sandbox_identity()     another user, no groups but those named, no capabilities; verified afterwards
 *   sandbox_syscalls()     a seccomp filter that kills the process at the first call that is not in its table
 *
 * The one includer of libseccomp and libcap-ng. Each stage returns 0, or -errno with *why (a constant
 * string); what a failure means is the caller's to decide: never silence.
 */
#ifndef SOCKGATE_SANDBOX_H
#define SOCKGATE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Should: leave descriptors 0..below-1 alone, with 0 to 2 open on something.
 * Mustn't: leave any other descriptor open.
 */
int sandbox_descriptors(unsigned below, const char **why);

/* Should: set PR_SET_DUMPABLE 0, RLIMIT_CORE 0 and no_new_privs. */
int sandbox_process(const char **why);

#define SANDBOX_GROUPS_MAX 8

struct sandbox_identity {
	uid_t uid;
	gid_t gid;
	gid_t groups[SANDBOX_GROUPS_MAX]; /* supplementary */
	size_t n_groups;
};

/*
 * Should: become that user with exactly those groups when the process may, and give up every capability, the
 * bounding set included; then read the result back from the kernel. Mustn't: go on with a capability, or as
 * another user than asked for. A process without CAP_SETUID stays who it is (change_user false): only
 * capabilities are given up.
 */
int sandbox_identity(const struct sandbox_identity *identity, bool change_user, const char **why);

/* Whether the calling process may become another user: CAP_SETUID and CAP_SETGID in the effective set. */
bool sandbox_may_change_user(void);

/*
 * A user's ids by name. Where there is no such user, those of `nobody` (65534), and *ret_found is false.
 * Reads the user database, so it comes before sandbox_syscalls().
 */
void sandbox_user(const char *name, struct sandbox_identity *ret, bool *ret_found);

enum sandbox_table {
	SANDBOX_WORKER,        /* accepts, relays; opens nothing, connects to nothing, starts nothing */
	SANDBOX_PROXY,         /* connects to the engine, passes descriptors */
	SANDBOX_PROXY_RESPAWN, /* the same, and may start a worker again */
};

/* Mustn't: be called before everything that needs more has been done; there is no way back. */
int sandbox_syscalls(enum sandbox_table table, const char **why);

#endif
