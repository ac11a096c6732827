/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/rollout.h"

#include "text/buf.h"

/* Whether the policy's own refusal passes under its mode; the first one is kept for the record. */
static bool note(struct rollout *rollout, const struct image_policy *policy,
		 const struct policy_decision *decision)
{
	if (policy->mode == POLICY_ENFORCE || decision->status != 403)
		return false;
	if (!rollout->would_deny)
		rollout->refusal = *decision;
	rollout->would_deny = true;
	return true;
}

static bool has_limit(const struct rollout *rollout, struct str limit)
{
	const char *at = rollout->limits, *end = at + rollout->limits_n;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t n = (size_t)((comma ? comma : end) - at);

		if (str_eq((struct str){ at, n }, limit))
			return true;
		at += n + 2;
	}
	return false;
}

/* One that does not fit is left out whole: half a name would be another. */
static void add_limit(struct rollout *rollout, struct str limit)
{
	struct buf out = buf_over(rollout->limits, sizeof(rollout->limits));

	if (has_limit(rollout, limit))
		return;
	out.n = rollout->limits_n;
	buf_puts(&out, out.n ? ", " : "");
	buf_str(&out, limit);
	if (!out.overflow)
		rollout->limits_n = out.n;
}

struct collector {
	struct rollout *rollout;
	struct policy_decision *decision;
	bool refused; /* for more than a limit, in *decision */
};

static void collect(void *context, const struct policy_decision *finding)
{
	struct collector *c = context;

	if (finding->status == 403) {
		add_limit(c->rollout, finding->rule);
	} else if (!c->refused) {
		*c->decision = *finding;
		c->refused = true;
	}
}

/* The decider stopped at its first refusal: what else is there, and is any of it more than a limit? */
static bool look_on(struct rollout *rollout, const struct policy_image *image,
		    const struct image_policy *policy, const struct api_target *target,
		    const struct json_body *body, struct policy_decision *decision)
{
	struct collector c = { rollout, decision, false };

	rollout->limits_n = 0;
	policy_limit_findings(image, policy, target, body, collect, &c);
	return !c.refused;
}

bool rollout_head(struct rollout *rollout, const struct policy_image *image,
		  const struct image_policy *policy, const struct http_request *request,
		  const struct api_target *target, struct policy_decision *decision)
{
	if (decision->allow)
		return true;
	return note(rollout, policy, decision) &&
	       policy_judge_form(image, policy, request, target, decision) &&
	       look_on(rollout, image, policy, target, NULL, decision);
}

bool rollout_body(struct rollout *rollout, const struct policy_image *image,
		  const struct image_policy *policy, const struct api_target *target,
		  const struct json_body *body, struct policy_decision *decision)
{
	if (decision->allow && !rollout->would_deny)
		return true;
	return (decision->allow || note(rollout, policy, decision)) &&
	       look_on(rollout, image, policy, target, body, decision);
}

bool rollout_facts(struct rollout *rollout, const struct image_policy *policy,
		   const struct policy_decision *decision)
{
	if (decision->allow)
		return true;
	if (!note(rollout, policy, decision))
		return false;
	add_limit(rollout, decision->rule);
	return true;
}
