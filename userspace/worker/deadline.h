/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deadline.h - timeouts, in a queue for each duration.
 *
 * All deadlines of a class last equally long, so a class is a list in order of expiry: setting and clearing
 * are O(1) and only the heads are ever looked at. Times are milliseconds of CLOCK_MONOTONIC.
 */
#ifndef SOCKGATE_WORKER_DEADLINE_H
#define SOCKGATE_WORKER_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

enum deadline_class {
	DEADLINE_HEAD,   /* a request's head must be complete */
	DEADLINE_BODY,   /* a body that is to be inspected must be complete */
	DEADLINE_ENGINE, /* the engine must be reached */
	DEADLINE_READY,  /* the engine must have answered a question about its health */
	DEADLINE_LINGER, /* what a refused client still sends is thrown away so long */
	DEADLINE_IDLE,   /* between two requests on a connection */
	DEADLINE_CLASSES,
	DEADLINE_NONE = DEADLINE_CLASSES
};

struct deadline {
	struct deadline *prev, *next;
	int64_t at;
	uint8_t class; /* DEADLINE_NONE: not set */
};

struct deadlines {
	struct deadline lists[DEADLINE_CLASSES]; /* heads of circular lists */
};

extern const int64_t deadline_milliseconds[DEADLINE_CLASSES];

void deadlines_init(struct deadlines *all);
void deadline_init(struct deadline *d);
/* Sets (again). */
void deadline_set(struct deadlines *all, struct deadline *d, enum deadline_class class, int64_t now);
void deadline_clear(struct deadline *d);
/* Milliseconds until the next one expires; -1: there is none. */
int deadline_timeout(const struct deadlines *all, int64_t now);
/* One that has expired, cleared (its class is left in *ret_class), or NULL. */
struct deadline *deadline_expired(struct deadlines *all, int64_t now, enum deadline_class *ret_class);

#endif
