/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_statements.h - which allow and deny statements of a policy speak about a request.
 *
 * Statements about operations and sections are one look-up; those with globs are found by walking an order
 * that the compiler made (policy_glob_order()), so that a thousand rules about other paths cost next to
 * nothing.
 */
#ifndef SOCKGATE_POLICY_STATEMENTS_H
#define SOCKGATE_POLICY_STATEMENTS_H

#include "api/api_target.h"
#include "policy/policy_image.h"

/* NULL where there is none. A deny decides whatever `allow` says. */
struct policy_statements {
	const struct image_source *deny;
	const struct image_source *allow;
};

/* target->operation must not be NULL. */
struct policy_statements policy_statements_find(const struct policy_image *image,
						const struct image_policy *policy,
						const struct api_target *target);

#endif
