/* SPDX-License-Identifier: BSD-2-Clause */
/* rewrite_fixture.h - rewrites a body under the fixture's policy, served on two listeners, and inspects it.
 */
#ifndef SOCKGATE_TESTS_REWRITE_FIXTURE_H
#define SOCKGATE_TESTS_REWRITE_FIXTURE_H

#include <errno.h>

#include "check.h"
#include "inspect_fixture.h"
#include "policy/policy_rewrite.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define OWN      "/run/sockgate/docker.sock"

static struct fixture f;

/* What came out of the last rewrite(). */
static char out_memory[16384], changes_memory[POLICY_CHANGES_MAX];
static struct buf out, changes;
static const char *problem;
static struct fixture_verdict verdict;

static inline void fixture_listeners(const char *const *addresses, size_t n)
{
	uint32_t at = fixture_take(&f, n * sizeof(struct image_listener));
	struct image_listener *l = (struct image_listener *)(void *)(f.memory + at);

	fixture_image(&f)->listeners = (struct image_list){ at, (uint32_t)n };
	for (size_t i = 0; i < n; i++) {
		l[i].kind = addresses[i][0] == '/' ? IMAGE_UNIX : IMAGE_TCP;
		l[i].address = fixture_string(&f, str_from(addresses[i]));
	}
}

static inline const struct image_listener *listener(size_t index)
{
	return IMAGE_LIST(fixture_image(&f), struct image_listener, fixture_image(&f)->listeners) + index;
}

/* The fixture's policy, with two listeners: over TCP, and at OWN. */
static inline void prepare(void)
{
	static const char *const addresses[] = { "127.0.0.1", OWN };

	fixture_init(&f);
	fixture_listeners(addresses, COUNT(addresses));
}

/* Rewrites the body of "POST target", then inspects it. Returns what policy_rewrite() does. */
static inline int rewrite_through(const struct image_listener *through, const char *target, const char *body)
{
	static char scratch[API_TARGET_SCRATCH];
	struct json_body *json = NULL;
	struct api_target t;
	int r;

	out = buf_over(out_memory, sizeof(out_memory) - 1);
	changes = buf_over(changes_memory, sizeof(changes_memory) - 1);
	verdict = (struct fixture_verdict){ .key = POLICY_KEYS };
	problem = NULL;
	CU_ASSERT_EQUAL_FATAL(api_target_parse(HTTP_POST, str_from(target), scratch, &t, &problem), 0);
	if (body)
		CU_ASSERT_EQUAL_FATAL(json_body_load(body, strlen(body), &json, &problem), 0);
	r = policy_rewrite(fixture_image(&f), fixture_policy(&f), through, &t, json, &changes, &problem);
	if (json) {
		json_body_write(json, &out);
		verdict.findings = policy_inspect(fixture_image(&f), fixture_policy(&f), &t, json,
						  fixture_found, &verdict);
	}
	if (r >= 0)
		CU_ASSERT_EQUAL(changes.n > 0, r > 0);
	json_body_free(json);
	out.p[out.n] = changes.p[changes.n] = '\0';
	return r;
}

static inline int rewrite(const char *target, const char *body)
{
	return rewrite_through(listener(1), target, body);
}

struct expected {
	const char *body, *out; /* out NULL: as it went in */
	bool allowed;
};

static inline void expect(const char *target, const struct expected *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *want = rows[i].out ? rows[i].out : rows[i].body;
		int r = rewrite(target, rows[i].body);

		CU_ASSERT_EQUAL(r > 0, rows[i].out != NULL);
		CU_ASSERT_STRING_EQUAL(out.p, want);
		CU_ASSERT_EQUAL(verdict.findings == 0, rows[i].allowed);
		if (strcmp(out.p, want) != 0 || (verdict.findings == 0) != rows[i].allowed)
			fprintf(stderr, "%s\n  %d %s\n  %s %s %s\n", rows[i].body, r, out.p, verdict.field,
				verdict.value, verdict.problem ? verdict.problem : "allowed");
	}
}

#define HC(inner) "{\"HostConfig\":{" inner "}}"
#define CREATE    "/v1.41/containers/create"

#endif
