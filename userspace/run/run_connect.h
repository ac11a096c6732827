/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_connect.h - answers one connect(2) of the workload.
 *
 * Theory of operation. The supervisor makes every connection itself, on the workload's own socket, to the
 * address that it copied and judged; no call is ever let go on (SECCOMP_USER_NOTIF_FLAG_CONTINUE). To let a
 * harmless one go on, a TCP connection say, would be to let the kernel read address and descriptor number a
 * second time, after another thread has put a guarded name and a Unix socket there.
 *
 *   take     the address and the socket out of the process; valid?
 *   walk     a pathname from the process's own root, with its permissions, and hold what is found
 *   judge    what is held, not what it is called
 *   connect  through /proc/self/fd to what is held; or to the proxy; or refuse
 */
#ifndef SOCKGATE_RUN_CONNECT_H
#define SOCKGATE_RUN_CONNECT_H

#include <linux/seccomp.h>

#include "run/run_guard.h"
#include "run/run_identity.h"
#include "run/run_log.h"

struct run_gate {
	int listener; /* the seccomp listener */
	struct run_guards *guards;
	const char *redirect;  /* the proxy's socket, NULL: refuse */
	bool private_redirect; /* the proxy is this run's own: its socket is for whoever runs within */
	struct run_identity own;
	bool may_change; /* run_identity_matters() */
	struct run_log log;
};

/*
 * Returns what connect(2) returns in the workload: 0 or -errno. Refused is -EACCES. May block as long as
 * connect(2) does; a signal to the calling thread ends that with -EINTR. For any number of threads at once.
 */
int run_connect_answer(struct run_gate *gate, const struct seccomp_notif *request);

#endif
