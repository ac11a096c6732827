/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.h - refusals from the kernel's ring into the audit trail. What is lost, in the ring or by the limit
 * on lines, is counted and told; no verdict ever depends on it.
 */
#ifndef SOCKGATE_SOCKGATED_EVENTS_H
#define SOCKGATE_SOCKGATED_EVENTS_H

#include "gate/gate.h"
#include "sockgated/trail.h"

#define EVENTS_PER_SECOND 200 /* lines; a flood of refused connects must not fill the disk */

struct events {
	struct trail *trail;
	int64_t second;      /* the one that `written` counts in */
	unsigned written[2]; /* of refused connects, and of what the guards refused: a flood of one hides not
				the other */
	uint64_t suppressed; /* by the limit, since the last note */
	uint64_t lost;       /* of the kernel's counter, told already */
};

/* Takes what waits, up to a bound; call again when the descriptor is still readable. Returns 0 or -errno. */
int events_drain(struct events *events, struct gate_handle *gate);
/* Every few seconds: tells what was lost since. */
void events_tell_lost(struct events *events, uint64_t kernel_lost);

#endif
