/* SPDX-License-Identifier: BSD-2-Clause */
/* run_child.h - from fork to exec: the command's side, and how its listener comes to the supervisor. */
#ifndef SOCKGATE_RUN_CHILD_H
#define SOCKGATE_RUN_CHILD_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "run/run_filter.h"

struct run_child {
	char **argv;
	const struct run_filter *filter;
	int landlock_abi;        /* 0: no domain */
	const sigset_t *signals; /* the mask to run with */
};

/*
 * Forks. The child gives up what it must not have and waits before exec until run_child_go(). Returns its pid
 * with the seccomp listener in *ret_listener and in *ret_channel what to let it go by, or -errno with a
 * message in `why`.
 */
pid_t run_child_start(const struct run_child *child, int *ret_listener, int *ret_channel, char *why,
		      size_t why_size);

/* Lets it go on to exec, and closes the channel. */
void run_child_go(int channel);

#endif
