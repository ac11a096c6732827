/* SPDX-License-Identifier: BSD-2-Clause */
/* run_log.h - one line for each connection that was refused or led elsewhere. */
#ifndef SOCKGATE_RUN_LOG_H
#define SOCKGATE_RUN_LOG_H

#include <stdbool.h>

#include "run/run_target.h"

struct run_log {
	int fd;    /* -1: none; each line is one write(2) */
	bool json; /* else for people */
};

/*
 * `guard` is the guarded name, or why it could not be judged; `to` is where the connection was led, NULL when
 * it was refused. A line that cannot be written is lost: the workload's connection is refused or led in any
 * case.
 */
void run_log_connect(const struct run_log *log, const struct run_target *target, const char *guard,
		     const char *to);

#endif
