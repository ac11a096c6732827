/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_filter.h - the seccomp filter of a workload: what goes to the supervisor, what is refused outright.
 *
 * A classic filter sees numbers and pointers, never what they point to, so every connect(2) is sent to the
 * supervisor and none is decided here. What else could connect is refused: io_uring, a foreign ABI's calls,
 * TCP Fast Open by a send; and what could take the decision away: a second listener, typing into the
 * terminal.
 */
#ifndef SOCKGATE_RUN_FILTER_H
#define SOCKGATE_RUN_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#define RUN_FILTER_MAX 96

struct run_filter {
	struct sock_filter code[RUN_FILTER_MAX];
	size_t n;
};

/*
 * `own_tracing_only`: nothing else keeps the workload from tracing processes outside (no Landlock domain), so
 * the calls that do it by name are refused as well, within the workload too.
 */
void run_filter_build(struct run_filter *ret, bool own_tracing_only);

/*
 * Installs it on the calling thread, which must have no_new_privs. Returns the listener (close-on-exec), or
 * -errno: -ENOSYS where the kernel has no WAIT_KILLABLE_RECV (5.19), without which a signal makes a connect
 * happen twice; -EPERM where a listener exists already, as inside another run.
 */
int run_filter_install(const struct run_filter *filter, const char **why);

#endif
