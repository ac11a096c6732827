/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_decide.h - the decision: a pure function of image, peer, operation, query and body.
 *
 * No I/O, no clock, no allocation. An explicit deny wins, else an allow, else deny; then the limits on what
 * the request asks for. The last line of every decider is a refusal.
 */
#ifndef SOCKGATE_POLICY_DECIDE_H
#define SOCKGATE_POLICY_DECIDE_H

#include "api/api_target.h"
#include "http/http_head.h"
#include "policy/policy_image.h"
#include "json/json_body.h"

struct policy_peer {
	int64_t uid; /* -1: not known (TCP) */
	int64_t gid;
	int64_t pid;
};

#define POLICY_REASON_MAX 768

struct policy_decision {
	bool allow;
	unsigned status; /* of the answer when refused: 403, or 400, 413, 415 for what the body is */
	struct str rule; /* the statement that decided, as written; or a short name: "default" */
	struct str file; /* where it stands; empty for a default */
	unsigned line;
	size_t reason_len;
	char reason[POLICY_REASON_MAX]; /* for people: what was refused, by which rule, and how to allow it */
};

/* The policy for a peer on a listener: the first `policies: when` that fits, else the listener's own. */
const struct image_policy *policy_for(const struct policy_image *image, const struct image_listener *listener,
				      const struct policy_peer *peer);

/* Judges the operation, its names and its query; the body has not been read yet. */
void policy_decide(const struct policy_image *image, const struct image_policy *policy,
		   const struct http_request *request, const struct api_target *target,
		   struct policy_decision *ret);

/* Judges the body of an operation that policy_decide() allowed. `body` is NULL when there was none. */
void policy_decide_body(const struct policy_image *image, const struct image_policy *policy,
			const struct api_target *target, const struct json_body *body,
			struct policy_decision *ret);

/*
 * For offline users (`sockgate explain`): every refusal that the query and the body deserve, not the first
 * alone. Calls `each` once for each and returns their number; 0 when the operation itself is refused.
 */
unsigned policy_findings(const struct policy_image *image, const struct image_policy *policy,
			 const struct api_target *target, const struct json_body *body,
			 void (*each)(void *context, const struct policy_decision *decision), void *context);

/*
 * For policies that only warn: what policy_decide() leaves out once it has refused. The first is false, with
 * *ret, for a name or a body that no policy lets through; the second is policy_findings() for an operation
 * that is refused as well.
 */
bool policy_judge_form(const struct policy_image *image, const struct image_policy *policy,
		       const struct http_request *request, const struct api_target *target,
		       struct policy_decision *ret);
unsigned policy_limit_findings(const struct policy_image *image, const struct image_policy *policy,
			       const struct api_target *target, const struct json_body *body,
			       void (*each)(void *context, const struct policy_decision *decision),
			       void *context);

/* The limit of a key in a policy. */
bool policy_bool(const struct image_policy *policy, enum policy_key key);
unsigned policy_choice(const struct image_policy *policy, enum policy_key key);
uint64_t policy_number(const struct image_policy *policy, enum policy_key key);

#endif
