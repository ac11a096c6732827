/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_inspect.h - holds a request's body, query and names against the limits of a policy. Called by
 * policy_decide() and policy_decide_body() alone.
 *
 * The tables in policy_inspect_*.c name Docker's fields, their types and the key that limits each. Judging is
 * lexical: what only the host knows (where a symbolic link leads, what a volume is made of, whose id "3f2a"
 * is) is listed by policy_inspect_references(), looked up by whoever can, and judged again with what was
 * found. Nothing here allocates, does I/O or keeps state.
 */
#ifndef SOCKGATE_POLICY_INSPECT_H
#define SOCKGATE_POLICY_INSPECT_H

#include "policy/policy_decide.h"

/* One thing in a request that the policy does not allow. */
struct policy_finding {
	unsigned status;     /* 403, 400 */
	enum policy_key key; /* the key that decided; POLICY_KEYS: none (malformed or ambiguous) */
	const char *field;   /* "HostConfig.Privileged", "?networkmode"; valid during the call */
	struct str value;    /* what stood there, may be long; valid during the call */
	const char *problem; /* "is true": for people, a constant string */
};

/* Called once for each finding, in the order of the body; returns false to stop the walk. */
typedef bool (*policy_found)(void *context, const struct policy_finding *finding);

/* Returns the number of findings. 0: the body asks for nothing that the policy forbids. */
unsigned policy_inspect(const struct policy_image *image, const struct image_policy *policy,
			const struct api_target *target, const struct json_body *body, policy_found found,
			void *context);

/* The same for what an operation without a body (or before its body) says in its path and query. */
unsigned policy_inspect_query(const struct policy_image *image, const struct image_policy *policy,
			      const struct api_target *target, policy_found found, void *context);

/* Something that a request names and that only the host or the engine can resolve. */
enum policy_reference_kind {
	POLICY_REFERENCE_BIND,   /* a host path, clean and absolute, that the policy allows as it is spelt */
	POLICY_REFERENCE_VOLUME, /* a named volume */
	POLICY_REFERENCE_CONTAINER, /* a container: name, id or prefix of an id */
	POLICY_REFERENCE_ENGINE, /* the engine itself, which no request names: a question about its health */
};
struct policy_reference {
	enum policy_reference_kind kind;
	struct str name; /* valid during the call */
	bool read_only;  /* of a bind: mounted so */
};
typedef void (*policy_referenced)(void *context, const struct policy_reference *reference);

/* Calls `referenced` for each reference in names, query and body (NULL where there is none) that the policy
 * allows. */
void policy_inspect_references(const struct policy_image *image, const struct image_policy *policy,
			       const struct api_target *target, const struct json_body *body,
			       policy_referenced referenced, void *context);

/*
 * Whether a host path (clean and absolute, links resolved) may be mounted: containers.binds. *why names the
 * reason when it may not (a constant string).
 */
bool policy_inspect_bind(const struct policy_image *image, const struct image_policy *policy, struct str path,
			 bool read_only, const char **why);

/* Whether a container of that name may not be touched: containers.protected. `name` is without its slash. */
bool policy_inspect_protected(const struct policy_image *image, const struct image_policy *policy,
			      struct str name);

#endif
