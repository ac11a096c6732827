/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supervise.h - starts the proxy, hands it everything, marks it, and starts it again when it dies.
 *
 * The listening sockets, the image and the trail are sockgated's and survive the proxy. It has the mark from
 * after its exec until it ends or executes something else; another process cannot inherit it.
 */
#ifndef SOCKGATE_SOCKGATED_SUPERVISE_H
#define SOCKGATE_SOCKGATED_SUPERVISE_H

#include <stdbool.h>
#include <sys/types.h>

#include "channel/channel.h"
#include "gate/gate.h"
#include "sockgated/listeners.h"

#define SUPERVISE_DELAY_MIN_MS 100
#define SUPERVISE_DELAY_MAX_MS 10000
#define SUPERVISE_STEADY_SEC   10 /* served that long: the next restart is immediate again */

struct supervise {
	char program[4096]; /* the proxy's path */
	pid_t pid;          /* 0: not running */
	int pidfd;
	int channel;
	bool serving;   /* it said so */
	time_t started; /* CLOCK_MONOTONIC, seconds */
	unsigned restarts;
	unsigned delay_ms; /* before the next start */
};

/* What a proxy is given. The descriptors stay the caller's. */
struct supervise_gifts {
	int image;
	int audit; /* -1: none */
	const struct listeners *listeners;
	enum msg_gate state;
	const char *reason;
};

/* Looks for the proxy beside our own executable, then in SOCKGATE_LIBEXECDIR. Returns 0 or -errno. */
int supervise_init(struct supervise *s);

/*
 * Starts and marks a proxy. `gate` may be NULL: no gate, no mark. Returns 0, or -errno with *why: then
 * supervise_reap() clears up.
 */
int supervise_start(struct supervise *s, struct gate_handle *gate, const struct supervise_gifts *gifts,
		    const char **why);

/* Tells the proxy how the gate is. Returns 0 or -errno. */
int supervise_tell(const struct supervise *s, enum msg_gate state, const char *reason);

/* The trail's new descriptor, which stays the caller's. Returns 0 or -errno. */
int supervise_pass_trail(const struct supervise *s, int fd);

/* Reads the channel. Returns 1 when the proxy said that it serves, 0 for nothing, -errno when it is to be
 * stopped. */
int supervise_receive(struct supervise *s);

/*
 * The proxy is dead, or is made so now if it is not. Writes how it ended into `how`, and sets delay_ms for
 * the next start.
 */
void supervise_reap(struct supervise *s, char *how, size_t size);

/* Asks the proxy to end and waits a while, then insists. */
void supervise_stop(struct supervise *s);

#endif
