/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - runs a command whose connections to guarded sockets are refused or led to the proxy, without
 * privileges.
 *
 * What protects what:
 *   run_filter    sends every connect(2) here and refuses what else could connect
 *   run_landlock  keeps the command from using another process of the same user
 *   run_connect   makes the connections, never letting a call go on
 *   run_guard     knows the guarded sockets by what they are, not by what they are called
 * The supervisor is not dumpable: what it runs cannot trace it. If it dies, connect(2) fails within (ENOSYS).
 */
#ifndef SOCKGATE_RUN_H
#define SOCKGATE_RUN_H

#include "run/run_guard.h"
#include "run/run_log.h"

struct run_command {
	char **argv;               /* found by PATH, ends in NULL */
	struct run_guards *guards; /* filled; stays the threads' until the process ends */
	const char *redirect;      /* the proxy's socket, NULL: refuse */
	bool private_redirect;     /* it is run_proxy's */
	pid_t proxy;               /* run_proxy's, 0: none; that it ended is said on standard error */
	struct run_log log;
	bool landlock; /* where the kernel has it */
	bool verbose;  /* say on standard error how the command is held */
};

/*
 * Runs it to its end; the calling process should have one thread and no children but the proxy. Signals that
 * are sent to this process are passed on, and it stops and goes on with the command, as job control wants.
 * Puts into *ret_status the command's exit status, 128 and the signal's number, 126 or 127 when it could not
 * be started. Returns 0, or -errno with *why when nothing was run: -ENOSYS when the kernel lacks what it
 * takes, -EPERM within another run. `why` holds `why_size` bytes.
 */
int run_command(const struct run_command *command, int *ret_status, char *why, size_t why_size);

#endif
