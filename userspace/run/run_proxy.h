/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_proxy.h - a sockgate-proxy for one run alone, with a policy of its own, in a folder that only its user
 * may enter. It is started before, and so outside of, everything that confines the command.
 */
#ifndef SOCKGATE_RUN_PROXY_H
#define SOCKGATE_RUN_PROXY_H

#include <stddef.h>
#include <sys/types.h>

#define RUN_PROXY_PATH_MAX 108

struct run_proxy {
	pid_t pid;
	char folder[RUN_PROXY_PATH_MAX];
	char socket[RUN_PROXY_PATH_MAX]; /* where it listens */
};

struct run_proxy_options {
	const char *policy;  /* name or file */
	const char *engine;  /* as sockgate-proxy's --engine */
	const char *audit;   /* a file, or NULL: no trail */
	const char *runtime; /* the folder to make ours in: $XDG_RUNTIME_DIR, or NULL: /tmp */
};

/*
 * Starts it and waits until it serves, at most some seconds. Returns 0, or -errno with a message in `why`;
 * the proxy has then said more on standard error. Ends with us (PR_SET_PDEATHSIG).
 */
int run_proxy_start(const struct run_proxy_options *options, struct run_proxy *ret, char *why,
		    size_t why_size);

/* Ends it, waits for that, and removes its folder. */
void run_proxy_stop(const struct run_proxy *proxy);

#endif
