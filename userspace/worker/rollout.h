/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rollout.h - policies that are tried out (mode: warn, learn): what they would deny passes, and is recorded.
 *
 * Only what the policy refuses (403) passes. What is malformed, ambiguous, encoded or too long is refused in
 * every mode: what it says is not known, and it must not reach the engine.
 */
#ifndef SOCKGATE_WORKER_ROLLOUT_H
#define SOCKGATE_WORKER_ROLLOUT_H

#include "policy/policy_decide.h"

#define ROLLOUT_LIMITS_MAX 256

/* Of one request. Set would_deny and limits_n to begin with; the rest is not read before they are. */
struct rollout {
	bool would_deny;
	struct policy_decision refusal; /* the first, when would_deny */
	size_t limits_n;
	char limits[ROLLOUT_LIMITS_MAX]; /* the limits that refuse, "containers.binds, containers.privileged"
					  */
};

/*
 * Each is asked after a decision, and returns whether the request goes on. False: decision is the refusal to
 * give, which need not be the one that was handed in.
 */
bool rollout_head(struct rollout *rollout, const struct policy_image *image,
		  const struct image_policy *policy, const struct http_request *request,
		  const struct api_target *target, struct policy_decision *decision);
/* `body` is NULL when there was none. */
bool rollout_body(struct rollout *rollout, const struct policy_image *image,
		  const struct image_policy *policy, const struct api_target *target,
		  const struct json_body *body, struct policy_decision *decision);
bool rollout_facts(struct rollout *rollout, const struct image_policy *policy,
		   const struct policy_decision *decision);

#endif
