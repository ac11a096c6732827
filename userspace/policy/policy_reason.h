/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_reason.h - refusals in words: what was refused, by which rule, and how to allow it.
 *
 * Whatever a client sent appears only quoted and escaped as JSON does it, and cut short.
 */
#ifndef SOCKGATE_POLICY_REASON_H
#define SOCKGATE_POLICY_REASON_H

#include "policy/policy_inspect.h"

/* What is being judged. */
struct policy_reason {
	const struct policy_image *image;
	const struct image_policy *policy;
	const struct api_target *target;
};

/* Fills rule, file and line. */
void policy_reason_rule(const struct policy_image *image, const struct image_source *source,
			struct policy_decision *ret);

/* Each fills a whole decision that refuses. */
void policy_reason_denied(const struct policy_reason *reason, const struct image_source *source,
			  struct policy_decision *ret);
void policy_reason_default(const struct policy_reason *reason, struct policy_decision *ret);
void policy_reason_malformed(const struct policy_reason *reason, unsigned status, const char *why,
			     struct policy_decision *ret);
void policy_reason_finding(const struct policy_reason *reason, const struct policy_finding *finding,
			   struct policy_decision *ret);

#endif
