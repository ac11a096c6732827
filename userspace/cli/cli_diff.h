/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli_diff.h - two compiled policies held against each other: cmd_diff.c what they say, cli_diff_log.c what
 * they say of logged requests.
 */
#ifndef SOCKGATE_CLI_DIFF_H
#define SOCKGATE_CLI_DIFF_H

#include "policy/policy_decide.h"

struct diff_side {
	const struct policy_image *image;
	const struct image_policy *policy;
};

struct diff {
	struct diff_side old, new;
	bool json;
};

/* Prints the logged requests that change verdict. Returns their number, or -errno after a message. */
int64_t diff_log(const struct diff *diff, char *const *files, size_t n_files);

/* "allowed" */
const char *diff_word(bool allow);

#endif
