/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turn.h - one turn of the worker's loop, and what the loop stands on. See worker.h for its phases.
 */
#ifndef SOCKGATE_WORKER_TURN_H
#define SOCKGATE_WORKER_TURN_H

#include "worker/worker.h"

/* Makes an empty worker at the end of `channel`. 0 or -errno. Never undone: the process ends with it. */
int worker_init(struct worker *worker, int channel);
/* Watches the channel and the listeners that came, asks for the first stock. 0 or -errno. */
int worker_begin(struct worker *worker);
/* How long the next turn may wait for events, in ms; -1: for ever. */
int worker_timeout(const struct worker *worker);
/*
 * Runs what is queued, writes the trail, carries out the actions; `now` is in ms of CLOCK_MONOTONIC.
 * False: the worker is over, see worker.fault.
 */
bool worker_turn(struct worker *worker, int64_t now);

#endif
