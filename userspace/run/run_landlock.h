/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_landlock.h - a Landlock domain around the workload, under the seccomp filter.
 *
 * It is a second lock on the same door, and a lock on one that seccomp has not: a process in a domain can
 * neither trace nor write into a process outside of it, nor take its descriptors, whoever they both are. So
 * the workload cannot make another process of its user connect in its place.
 *
 * Since the supervisor, which is outside, makes every connection, the domain may forbid the workload all of
 * them: no list of what is allowed has to be complete. What a domain does, by the kernel's ABI
 * (Documentation/userspace-api/landlock.rst):
 *
 * - 2, Linux 5.19: tracing, as above, by a domain that knows of files, which forbids mount(2) within as well;
 * - 6, Linux 6.12: names in the abstract namespace outside; it knows of no files, so mount(2) works;
 * - 9, Linux 7.1: pathnames outside, but for a few that log by datagrams; it forbids mount(2) again.
 */
#ifndef SOCKGATE_RUN_LANDLOCK_H
#define SOCKGATE_RUN_LANDLOCK_H

/* The kernel's ABI, 0 without Landlock. */
int run_landlock_abi(void);

#define RUN_LANDLOCK_ABI_MIN   2 /* before, nothing could be moved between folders within a domain */
#define RUN_LANDLOCK_ABI_SCOPE 6
#define RUN_LANDLOCK_ABI_UNIX  9

/*
 * Puts the calling thread, which must have no_new_privs, into a domain as strong as `abi` allows; `abi` is at
 * least RUN_LANDLOCK_ABI_MIN. Returns 0 or -errno. Only system calls: for a child after fork.
 */
int run_landlock_restrict(int abi, const char **why);

#endif
