/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_decide.c - which rule decides. The words of a refusal are in policy_reason.c.
 *
 * Every function here starts from a refusal and returns early with one; only the last line of each allows.
 */
#include "policy/policy_decide.h"

#include "policy/policy_inspect.h"
#include "policy/policy_reason.h"
#include "policy/policy_statements.h"

const struct image_policy *policy_for(const struct policy_image *image, const struct image_listener *listener,
				      const struct policy_peer *peer)
{
	const struct image_when *when = IMAGE_LIST(image, struct image_when, image->whens);

	for (uint32_t i = 0; i < image->whens.count; i++) {
		/* What is not known (-1) fits no criterion. */
		bool uid = when[i].uid < 0 || (peer->uid >= 0 && peer->uid == when[i].uid);
		bool gid = when[i].gid < 0 || (peer->gid >= 0 && peer->gid == when[i].gid);

		if (uid && gid)
			return policy_image_at(image, when[i].policy);
	}
	return policy_image_at(image, listener->policy);
}

bool policy_bool(const struct image_policy *policy, enum policy_key key)
{
	return policy->values[key].flag != 0;
}

unsigned policy_choice(const struct image_policy *policy, enum policy_key key)
{
	return policy->values[key].flag;
}

uint64_t policy_number(const struct image_policy *policy, enum policy_key key)
{
	return policy->values[key].number;
}

/* --- Names --- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* moby's names.RestrictedNameChars: what a container or volume can be called, and every id. */
static bool is_restricted_name(struct str name)
{
	if (name.n == 0 || !is_word(name.p[0]))
		return false;
	for (size_t i = 1; i < name.n; i++)
		if (!is_word(name.p[i]) && name.p[i] != '_' && name.p[i] != '.' && name.p[i] != '-')
			return false;
	return true;
}

/*
 * Legacy links give containers names with a slash ("/web/db" is the container db): a rule about web would be
 * asked about a request for db. Networks may be called anything but have no slashes; images and plugins do
 * have them.
 */
static bool name_is_fine(const struct api_operation *operation, struct str name)
{
	if (!name.p)
		return true;
	switch (operation->section) {
	case API_CONTAINERS:
	case API_EXEC:
	case API_VOLUMES:
		return is_restricted_name(name);
	case API_NETWORKS:
		return name.n > 0 && !memchr(name.p, '/', name.n);
	default:
		return true;
	}
}

/* --- The decision --- */

static void accept(const struct policy_image *image, const struct image_source *source,
		   struct policy_decision *ret)
{
	policy_reason_rule(image, source, ret);
	ret->allow = true;
	ret->status = 0;
	ret->reason_len = 0;
	ret->reason[0] = '\0';
}

/* A form in a body overrides the query (net/http's ParseForm), and what is encoded twice is not judged. */
static const char *body_problem(const struct http_request *request, const struct api_operation *operation)
{
	struct str type = request->content_type;
	size_t n = 0;

	if (request->framing != HTTP_BODY_CHUNKED &&
	    (request->framing != HTTP_BODY_LENGTH || request->content_length == 0))
		return NULL;
	while (n < type.n && type.p[n] != ';' && type.p[n] != ' ' && type.p[n] != '\t')
		n++;
	type.n = n;
	if (str_ieqz(type, "application/x-www-form-urlencoded") ||
	    (type.n > 10 && strncasecmp(type.p, "multipart/", 10) == 0))
		return "a form in the body could override the query";
	if (operation->body == API_BODY_JSON && request->content_encoding.n &&
	    !str_ieqz(request->content_encoding, "identity"))
		return "the body is encoded (Content-Encoding)";
	return NULL;
}

struct first {
	const struct policy_reason *reason;
	struct policy_decision *ret;
};

static bool take_first(void *context, const struct policy_finding *finding)
{
	struct first *first = context;

	policy_reason_finding(first->reason, finding, first->ret);
	return false;
}

bool policy_judge_form(const struct policy_image *image, const struct image_policy *policy,
		       const struct http_request *request, const struct api_target *target,
		       struct policy_decision *ret)
{
	struct policy_reason reason = { image, policy, target };
	const char *why;

	for (unsigned i = 0; i < API_NAMES_MAX && !policy->compat; i++) {
		if (!name_is_fine(target->operation, target->names[i])) {
			policy_reason_malformed(&reason, 400,
						"the name in the path is not one that objects can have", ret);
			return false;
		}
	}
	why = request ? body_problem(request, target->operation) : NULL;
	if (!why)
		return true;
	policy_reason_malformed(&reason, 415, why, ret);
	return false;
}

void policy_decide(const struct policy_image *image, const struct image_policy *policy,
		   const struct http_request *request, const struct api_target *target,
		   struct policy_decision *ret)
{
	struct policy_reason reason = { image, policy, target };
	struct first first = { &reason, ret };
	struct policy_statements found;

	if (!target->operation) {
		policy_reason_malformed(&reason, 403, "the path is no operation of the Engine API", ret);
		return;
	}
	found = policy_statements_find(image, policy, target);
	if (found.deny) {
		policy_reason_denied(&reason, found.deny, ret);
		return;
	}
	if (!found.allow) {
		policy_reason_default(&reason, ret);
		return;
	}
	if (!policy_judge_form(image, policy, request, target, ret))
		return;
	if (policy_inspect_query(image, policy, target, take_first, &first) > 0)
		return;
	accept(image, found.allow, ret);
}

void policy_decide_body(const struct policy_image *image, const struct image_policy *policy,
			const struct api_target *target, const struct json_body *body,
			struct policy_decision *ret)
{
	struct policy_reason reason = { image, policy, target };
	struct first first = { &reason, ret };
	struct policy_statements found = policy_statements_find(image, policy, target);

	/* policy_decide() has allowed it; a caller that did not ask gets no more from asking here. */
	if (found.deny || !found.allow) {
		policy_reason_default(&reason, ret);
		return;
	}
	if (body && policy_inspect(image, policy, target, body, take_first, &first) > 0)
		return;
	accept(image, found.allow, ret);
}

struct every {
	const struct policy_reason *reason;
	void (*each)(void *context, const struct policy_decision *decision);
	void *context;
};

static bool take_every(void *context, const struct policy_finding *finding)
{
	const struct every *every = context;
	struct policy_decision decision = { 0 };

	policy_reason_finding(every->reason, finding, &decision);
	every->each(every->context, &decision);
	return true;
}

unsigned policy_limit_findings(const struct policy_image *image, const struct image_policy *policy,
			       const struct api_target *target, const struct json_body *body,
			       void (*each)(void *context, const struct policy_decision *decision),
			       void *context)
{
	struct policy_reason reason = { image, policy, target };
	struct every every = { &reason, each, context };
	unsigned n = policy_inspect_query(image, policy, target, take_every, &every);

	if (body)
		n += policy_inspect(image, policy, target, body, take_every, &every);
	return n;
}

unsigned policy_findings(const struct policy_image *image, const struct image_policy *policy,
			 const struct api_target *target, const struct json_body *body,
			 void (*each)(void *context, const struct policy_decision *decision), void *context)
{
	struct policy_statements found = policy_statements_find(image, policy, target);

	if (found.deny || !found.allow)
		return 0;
	return policy_limit_findings(image, policy, target, body, each, context);
}
