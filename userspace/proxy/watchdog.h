/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watchdog.h - the service manager's watchdog (sd_watchdog_enabled(3)): it is told that all is well only when
 * the worker has answered, so a worker that hangs counts as much as a proxy that does.
 *
 * Twice in the interval the worker is asked; its answer is passed on at once. Without $WATCHDOG_USEC nothing
 * is asked. Times are milliseconds of CLOCK_MONOTONIC.
 */
#ifndef SOCKGATE_PROXY_WATCHDOG_H
#define SOCKGATE_PROXY_WATCHDOG_H

#include <stdint.h>

struct watchdog {
	int64_t every; /* 0: nobody waits for us */
	int64_t next;
};

/* Reads $WATCHDOG_USEC and $WATCHDOG_PID; what is meant for another process, or is no number, is as nothing.
 */
void watchdog_init(struct watchdog *watchdog);
/* The shorter of `timeout` (poll(2)'s: -1 is for ever) and the time until the worker is to be asked. */
int watchdog_timeout(const struct watchdog *watchdog, int timeout);
/* Asks the worker, if it is time; `channel` is -1 while there is none. */
void watchdog_ask(struct watchdog *watchdog, int channel);

#endif
