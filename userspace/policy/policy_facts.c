/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_facts.h"

#include <errno.h>

#include "policy/policy_reason.h"

/* Collects the first finding into a decision. */
struct verdict {
	struct policy_reason reason;
	struct policy_decision *decision;
};

static bool take_first(void *context, const struct policy_finding *finding)
{
	struct verdict *v = context;

	policy_reason_finding(&v->reason, finding, v->decision);
	return false;
}

static bool starts_a_container(const struct api_target *target)
{
	enum api_operation_id id = target->operation->id;

	return id == API_OP_CONTAINERS_START || id == API_OP_CONTAINERS_RESTART;
}

bool policy_fact_matters(const struct policy_image *image, const struct image_policy *policy,
			 const struct api_target *target, const struct policy_reference *reference)
{
	const char *why;

	switch (reference->kind) {
	case POLICY_REFERENCE_BIND:
		/* Where everything may be mounted, it does not matter where a link leads. */
		return !policy_inspect_bind(image, policy, STR("/"), false, &why);
	case POLICY_REFERENCE_VOLUME:
		return policy_bool(policy, POLICY_KEY_CONTAINERS_CHECK_STORED);
	case POLICY_REFERENCE_ENGINE:
		return false;
	case POLICY_REFERENCE_CONTAINER:
		return policy->values[POLICY_KEY_CONTAINERS_PROTECTED].list.count > 0 ||
		       (starts_a_container(target) &&
			policy_bool(policy, POLICY_KEY_CONTAINERS_CHECK_STORED));
	}
	return true;
}

static bool refuse(struct verdict *v, enum policy_key key, const char *field, struct str value,
		   const char *problem)
{
	struct policy_finding finding = {
		.status = 403,
		.key = key,
		.field = field,
		.value = value,
		.problem = problem,
	};

	policy_reason_finding(&v->reason, &finding, v->decision);
	return false;
}

static bool judge_bind(struct verdict *v, const struct policy_fact *fact)
{
	struct str real = str_from(fact->answer);
	const char *why;

	/* A proxy that does not see the engine's files said so when it started; the spelling was judged
	 * already. */
	if (fact->error == EOPNOTSUPP)
		return true;
	if (fact->error == EACCES || fact->error == EPERM)
		return refuse(v, POLICY_KEY_CONTAINERS_BINDS, "bind source", str_from(fact->name),
			      "is where the proxy may not look, so where it leads is not known");
	if (fact->error)
		return refuse(v, POLICY_KEY_CONTAINERS_BINDS, "bind source", str_from(fact->name),
			      "cannot be resolved on the host");
	if (policy_inspect_bind(v->reason.image, v->reason.policy, real, fact->read_only, &why))
		return true;
	return refuse(v, POLICY_KEY_CONTAINERS_BINDS, "bind source, where its links lead,", real, why);
}

/* What the engine answered, as a document; NULL, and a refusal, when that is none. */
static struct json_body *load(struct verdict *v, const struct policy_fact *fact, const char *field)
{
	struct json_body *body = NULL;
	const char *why;

	if (fact->error || fact->status != 200)
		refuse(v, POLICY_KEY_CONTAINERS_CHECK_STORED, field, str_from(fact->name),
		       "could not be looked up at the engine");
	else if (json_body_load(fact->answer, fact->answer_len, &body, &why) < 0)
		refuse(v, POLICY_KEY_CONTAINERS_CHECK_STORED, field, str_from(fact->name), why);
	return body;
}

static bool judge_volume(struct verdict *v, const struct policy_fact *fact)
{
	struct json_body *body;
	unsigned findings;

	/* It is going to be made, by the local driver and without options. */
	if (!fact->error && fact->status == 404)
		return true;
	body = load(v, fact, "volume");
	if (!body)
		return false;
	findings = policy_inspect_stored_volume(v->reason.image, v->reason.policy, v->reason.target, body,
						take_first, v);
	json_body_free(body);
	return findings == 0;
}

static struct str member(const struct json_body *body, const char *name)
{
	const struct json_value *root = json_body_root(body);

	for (const struct json_member *it = json_first(root); it; it = json_next(root, it))
		if (str_eqz(json_member_name(it), name))
			return json_value_string(json_member_value(it));
	return (struct str){ NULL, 0 };
}

static bool judge_container(struct verdict *v, const struct policy_fact *fact)
{
	const struct policy_image *image = v->reason.image;
	const struct image_policy *policy = v->reason.policy;
	struct json_body *body;
	struct str name;
	unsigned findings = 0;

	/* There is no such container: the engine says so better than we. */
	if (!fact->error && fact->status == 404)
		return true;
	body = load(v, fact, "container");
	if (!body)
		return false;
	name = member(body, "Name");
	if (name.n && name.p[0] == '/')
		name = (struct str){ name.p + 1, name.n - 1 };
	if (policy_inspect_protected(image, policy, name)) {
		refuse(v, POLICY_KEY_CONTAINERS_PROTECTED, "container", name,
		       "is a container that is protected");
		findings = 1;
	} else if (starts_a_container(v->reason.target) &&
		   policy_bool(policy, POLICY_KEY_CONTAINERS_CHECK_STORED)) {
		findings =
			policy_inspect_stored_container(image, policy, v->reason.target, body, take_first, v);
	}
	json_body_free(body);
	return findings == 0;
}

bool policy_facts_judge(const struct policy_image *image, const struct image_policy *policy,
			const struct api_target *target, const struct policy_fact *facts,
			struct policy_decision *ret)
{
	struct verdict v = { { image, policy, target }, ret };

	for (const struct policy_fact *fact = facts; fact; fact = fact->next) {
		bool fine = false;

		switch (fact->kind) {
		case POLICY_REFERENCE_BIND:
			fine = judge_bind(&v, fact);
			break;
		case POLICY_REFERENCE_VOLUME:
			fine = judge_volume(&v, fact);
			break;
		case POLICY_REFERENCE_CONTAINER:
			fine = judge_container(&v, fact);
			break;
		case POLICY_REFERENCE_ENGINE:
			fine = true;
			break;
		}
		if (!fine)
			return false;
	}
	return true;
}
