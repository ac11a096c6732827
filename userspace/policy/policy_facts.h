/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_facts.h - what a decision needs to know that is not in the request, and the judgement over it. Pure.
 *
 * Where a bind's source leads, what a named volume is made of, what a container was created with: somebody
 * who may look (the worker, through proxy and engine) fills these in, and a request that refers to such
 * things is judged with them.
 */
#ifndef SOCKGATE_POLICY_FACTS_H
#define SOCKGATE_POLICY_FACTS_H

#include "policy/policy_inspect.h"

struct policy_fact {
	struct policy_fact *next;
	enum policy_reference_kind kind;
	bool read_only; /* of a bind */
	bool known;
	int error;       /* an errno: the proxy could not look, or the engine not be asked */
	unsigned status; /* of the engine's answer: 200, 404, ... */
	char *answer; /* a bind: the resolved path, NUL-terminated; else the engine's JSON; the owner frees it
		       */
	size_t answer_len;
	char name[]; /* NUL-terminated */
};

/*
 * Whether the policy wants to know about this reference at all: a look costs a round trip, so it is taken
 * only where the answer can change the verdict.
 */
bool policy_fact_matters(const struct policy_image *image, const struct image_policy *policy,
			 const struct api_target *target, const struct policy_reference *reference);

/*
 * Holds a list of known facts against the policy. False: *ret says why not. Allocates for the engine's JSON
 * only, and frees it.
 */
bool policy_facts_judge(const struct policy_image *image, const struct image_policy *policy,
			const struct api_target *target, const struct policy_fact *facts,
			struct policy_decision *ret);

/* --- What the engine has stored, against the same limits: policy_stored.c --- */

/* GET /containers/NAME/json. Findings as from policy_inspect(). */
unsigned policy_inspect_stored_container(const struct policy_image *image, const struct image_policy *policy,
					 const struct api_target *target, const struct json_body *inspected,
					 policy_found found, void *context);
/* GET /volumes/NAME. */
unsigned policy_inspect_stored_volume(const struct policy_image *image, const struct image_policy *policy,
				      const struct api_target *target, const struct json_body *inspected,
				      policy_found found, void *context);

#endif
