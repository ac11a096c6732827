/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.h - sockgated's parts together, and the loop over what happens to them. */
#ifndef SOCKGATE_SOCKGATED_DAEMON_H
#define SOCKGATE_SOCKGATED_DAEMON_H

#include "sockgated/control.h"
#include "sockgated/events.h"
#include "sockgated/guard.h"
#include "sockgated/supervise.h"

#define DAEMON_TICK_SECONDS 2 /* between two proofs of the gate */

struct daemon {
	const struct policy_image *image;
	int image_fd;
	struct guard guard;
	struct listeners listeners;
	struct supervise proxy;
	struct trail trail;
	struct events events;
	struct control control;
	uint64_t earlier; /* connections older than the gate that were told already */
	int notify;       /* the service manager, or -1 */
	int epoll, signals, tick, restart;
	bool served; /* READY=1 was said */
	bool stopping;
};

/* Opens what the loop waits for. SIGTERM and SIGINT must be blocked. Returns 0 or -errno with *why. */
int daemon_init(struct daemon *d, const char **why);
/* Runs until it is told to stop. Returns 0 or -errno. */
int daemon_run(struct daemon *d);

/* status.c: everything that `sockgate status` shows, as one line. */
void status_format(const struct daemon *d, struct buf *out);

#endif
