/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli_learn.h - what `sockgate learn` has learnt, and the two ways to write it: cmd_learn.c counts and writes
 * YAML, cli_variables.c finds Tecnativa's variables.
 */
#ifndef SOCKGATE_CLI_LEARN_H
#define SOCKGATE_CLI_LEARN_H

#include "config/compat_level.h"
#include "policy/policy_keys.h"

#define LEARN_TIME_MAX 28
#define LEARN_TEXT_MAX 1024

struct learn_count {
	uint64_t n;
	uint64_t refused;
	char last[LEARN_TIME_MAX]; /* the latest time, "" where none could be read */
	char text[LEARN_TEXT_MAX]; /* of an operation: a path; of a limit: the last reason; no control bytes
				    */
};

struct learned {
	uint64_t n;
	char first[LEARN_TIME_MAX], last[LEARN_TIME_MAX];
	struct learn_count operations[API_OPERATIONS];
	struct learn_count limits[POLICY_KEYS];
};

/* Prints the fewest variables that open every operation that was used, and what else they open. */
void learn_print_variables(const struct learned *learned, enum compat_level level);

#endif
