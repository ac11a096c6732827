/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - connects to the engines and delivers the connections to the worker that owes them.
 *
 * No call blocks: a connect(2) that is not through at once is waited for in the proxy's poll, and a Unix
 * socket whose backlog is full (EAGAIN) is tried again a moment later.
 */
#ifndef SOCKGATE_PROXY_ENGINE_H
#define SOCKGATE_PROXY_ENGINE_H

#include <poll.h>
#include <sys/socket.h>

#include "proxy/proxy.h"

#define ENGINE_ATTEMPTS_MAX 64 /* connects under way */
#define ENGINE_RETRY        10 /* ms until a full backlog, or a full channel, is tried again */

struct engine_address {
	struct sockaddr_storage address;
	socklen_t size;
};

struct engine_attempt {
	int fd; /* -1: free */
	unsigned engine;
};

struct engines {
	unsigned n;
	struct engine_address at[PROXY_ENGINES_MAX];
	struct engine_attempt attempts[ENGINE_ATTEMPTS_MAX];
	bool elsewhere; /* an engine's process is not on this host, or sees other files than we do */
	bool again;     /* something is to be tried again after ENGINE_RETRY */
};

/* Resolves the addresses that the image names. 0, or -errno after saying what is wrong on standard error. */
int engines_init(struct engines *engines, const struct policy_image *image);

/* Connects for everything that is owed to `child` and not under way yet. */
void engines_serve(struct engines *engines, struct child *child);

/* Whether a host path means the same to the engine as to us, as far as its connections told. */
bool engines_share_files(const struct engines *engines);

/* Fills in what poll() has to watch; returns the number. */
unsigned engines_watch(const struct engines *engines, struct pollfd *fds);
/* Attempts that poll() found decided. */
void engines_ready(struct engines *engines, struct child *child, const struct pollfd *fds, unsigned n);

#endif
