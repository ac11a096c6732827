/* SPDX-License-Identifier: BSD-2-Clause */
/* cli_explain.h - the two halves of `sockgate explain` that follow its options: cli_explain.c, cli_limits.c.
 */
#ifndef SOCKGATE_CLI_EXPLAIN_H
#define SOCKGATE_CLI_EXPLAIN_H

#include "policy/policy_decide.h"

struct explain_options {
	const char *policy;
	const char *config;
	const char *body;
	const char *method;
	const char *target;
	int64_t uid;
	bool json;
	bool limits;
};

/* Judges the request and prints the decision. `body` is NULL when none was given. Returns an exit status. */
int explain_request(const struct explain_options *o, const struct policy_image *image,
		    const struct image_policy *policy, const char *body, size_t body_n);
/* Prints every limit with its value. Returns an exit status. */
int explain_limits(const struct explain_options *o, const struct policy_image *image,
		   const struct image_policy *policy);

/* Appends a limit's value as it could stand in a policy. */
void cli_limit_value(struct buf *b, const struct policy_image *image, const struct policy_key_row *row,
		     const struct image_value *value);

#endif
