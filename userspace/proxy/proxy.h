/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy.h - what the parts of the proxy share.
 *
 * The proxy is the one process that the kernel gate lets connect to the engine. It never reads a byte from a
 * client: it starts the worker, hands it the listening sockets and the policy, and keeps it stocked with
 * connections.
 *
 * Files: options.c the command line; setup.c image and sockets when the proxy runs alone, trail.c its trail;
 * spawn.c the worker's process; engine.c connections; proxy.c the life of the process.
 */
#ifndef SOCKGATE_PROXY_H
#define SOCKGATE_PROXY_H

#include "channel/messages.h"
#include "listen/listen.h"
#include "policy/policy_image.h"
#include "proxy/trail.h"

#define PROXY_LISTENERS_MAX 64
#define PROXY_ENGINES_MAX   16

/* Everything that the worker is given. Descriptors are -1 where there is none. */
struct setup {
	const struct policy_image *image;
	int image_fd;
	int audit_fd;       /* what the worker writes to */
	struct trail trail; /* of a proxy that runs alone */
	unsigned n_listeners;
	struct listen_socket listeners[PROXY_LISTENERS_MAX]; /* fd -1: not come yet */
	enum msg_gate gate;
	char gate_reason[MSG_TEXT_MAX];
};

/* The worker as the proxy sees it. */
struct child {
	pid_t pid;   /* -1: there is none */
	int channel; /* -1 likewise */
	bool ready;  /* it has its listeners, and the channel is up */
	bool served; /* it was ready once: if it died since, starting another makes sense */
	unsigned owed[PROXY_ENGINES_MAX]; /* connections asked for and not delivered */
};

#endif
