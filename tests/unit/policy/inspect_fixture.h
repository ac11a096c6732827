/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect_fixture.h - a policy image made by hand: one policy of defaults, whose limits a test then sets one
 * by one.
 *
 * Values are written as in policy_keys.inc, but binds, which are "[/srv/app:rw, /etc/ssl:ro,
 * /srv/work:force-ro]".
 */
#ifndef SOCKGATE_TESTS_INSPECT_FIXTURE_H
#define SOCKGATE_TESTS_INSPECT_FIXTURE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/policy_inspect.h"
#include "json/json_body.h"

struct fixture {
	size_t used;
	_Alignas(16) char memory[128 * 1024];
};

static inline struct policy_image *fixture_image(struct fixture *f)
{
	return (struct policy_image *)(void *)f->memory;
}

static inline struct image_policy *fixture_policy(struct fixture *f)
{
	return (struct image_policy *)(void *)(f->memory + fixture_image(f)->policies.off);
}

static inline uint32_t fixture_take(struct fixture *f, size_t n)
{
	size_t at = (f->used + 15) & ~(size_t)15;

	assert(at + n <= sizeof(f->memory));
	memset(f->memory + at, 0, n);
	f->used = at + n;
	return (uint32_t)at;
}

static inline struct image_str fixture_string(struct fixture *f, struct str s)
{
	struct image_str r = { fixture_take(f, s.n), (uint32_t)s.n };

	if (s.n)
		memcpy(f->memory + r.off, s.p, s.n);
	return r;
}

/* The next entry of "[a, \"b\", c]". */
static inline bool fixture_entry(const char **rest, struct str *ret)
{
	const char *p = *rest + strspn(*rest, "[, ");
	size_t n;

	if (*p == ']' || *p == '\0')
		return false;
	if (*p == '"') {
		n = strcspn(++p, "\"");
		*rest = p + n + 1;
	} else {
		n = strcspn(p, ",]");
		*rest = p + n;
	}
	*ret = (struct str){ p, n };
	return true;
}

static inline struct image_bind fixture_bind(struct fixture *f, struct str s)
{
	const char *colon = memrchr(s.p, ':', s.n);
	struct str mode;
	struct image_bind b;

	assert(colon);
	mode = (struct str){ colon + 1, s.n - (size_t)(colon - s.p) - 1 };
	b.force = str_eqz(mode, "force-ro");
	b.read_only = b.force || str_eqz(mode, "ro");
	assert(b.read_only || str_eqz(mode, "rw"));
	b.source = fixture_string(f, (struct str){ s.p, (size_t)(colon - s.p) });
	return b;
}

static inline struct image_list fixture_list(struct fixture *f, const char *text, bool binds)
{
	size_t size = binds ? sizeof(struct image_bind) : sizeof(struct image_str);
	const char *rest = text;
	struct image_list list = { 0 };
	struct str entry;

	while (fixture_entry(&rest, &entry))
		list.count++;
	list.off = fixture_take(f, list.count * size);
	rest = text;
	for (uint32_t i = 0; fixture_entry(&rest, &entry); i++) {
		if (binds)
			((struct image_bind *)(void *)(f->memory + list.off))[i] = fixture_bind(f, entry);
		else
			((struct image_str *)(void *)(f->memory + list.off))[i] = fixture_string(f, entry);
	}
	return list;
}

static inline unsigned fixture_choice(const char *choices, const char *text)
{
	unsigned index = 0;

	while (strncmp(choices, text, strlen(text)) != 0 ||
	       (choices[strlen(text)] && choices[strlen(text)] != '|')) {
		choices = strchr(choices, '|');
		assert(choices);
		choices++;
		index++;
	}
	return index;
}

static inline void fixture_set(struct fixture *f, enum policy_key key, const char *text)
{
	struct image_value value = { .set = 1 };

	switch (policy_keys[key].type) {
	case POLICY_BOOL:
		value.flag = strcmp(text, "true") == 0;
		assert(value.flag || strcmp(text, "false") == 0);
		break;
	case POLICY_CHOICE:
		value.flag = fixture_choice(policy_keys[key].choices, text);
		break;
	case POLICY_NUMBER:
	case POLICY_SIZE:
		value.number = strtoull(text, NULL, 10) << (strchr(text, 'k')   ? 10
							    : strchr(text, 'm') ? 20
										: 0);
		break;
	case POLICY_STRINGS:
	case POLICY_BINDS:
		assert(text[0] == '[');
		value.list = fixture_list(f, text, policy_keys[key].type == POLICY_BINDS);
		break;
	}
	fixture_policy(f)->values[key] = value;
}

static inline void fixture_init(struct fixture *f)
{
	struct image_engine *engine;
	uint32_t at;

	f->used = 0;
	fixture_take(f, sizeof(struct policy_image));
	at = fixture_take(f, sizeof(struct image_policy));
	fixture_image(f)->policies = (struct image_list){ at, 1 };
	at = fixture_take(f, sizeof(*engine));
	fixture_image(f)->engines = (struct image_list){ at, 1 };
	engine = (struct image_engine *)(void *)(f->memory + at);
	engine->kind = IMAGE_UNIX;
	engine->address = fixture_string(f, STR("/srv/engine/private.sock"));
	for (unsigned key = 0; key < POLICY_KEYS; key++) {
		fixture_set(f, key, policy_keys[key].fallback);
		fixture_policy(f)->values[key].set = 0;
	}
}

/* What an inspection found; `first` is the first finding, copied. */
struct fixture_verdict {
	unsigned findings;
	unsigned status;
	enum policy_key key;
	char field[300];
	char value[300];
	const char *problem;
};

static inline bool fixture_found(void *context, const struct policy_finding *finding)
{
	struct fixture_verdict *v = context;

	if (v->problem)
		return true;
	v->status = finding->status;
	v->key = finding->key;
	v->problem = finding->problem;
	snprintf(v->field, sizeof(v->field), "%s", finding->field);
	snprintf(v->value, sizeof(v->value), "%.*s", STR_ARG(finding->value));
	return true;
}

/*
 * Inspects "METHOD TARGET" and a body (NULL for none). A target or body that is refused before the policy is
 * asked counts as a finding with that status.
 */
static inline struct fixture_verdict fixture_inspect(struct fixture *f, enum http_method method,
						     struct str target, struct str body)
{
	static char scratch[API_TARGET_SCRATCH];
	struct fixture_verdict v = { .key = POLICY_KEYS };
	struct json_body *json = NULL;
	struct api_target t;
	const char *why;

	if (api_target_parse(method, target, scratch, &t, &why)) {
		v = (struct fixture_verdict){ 1, 400, POLICY_KEYS, "target", "", why };
		return v;
	}
	v.findings = policy_inspect_query(fixture_image(f), fixture_policy(f), &t, fixture_found, &v);
	if (!body.p || t.operation->body != API_BODY_JSON)
		return v;
	if (json_body_load(body.p, body.n, &json, &why)) {
		v = (struct fixture_verdict){ v.findings + 1, 400, POLICY_KEYS, "body", "", why };
		return v;
	}
	v.findings += policy_inspect(fixture_image(f), fixture_policy(f), &t, json, fixture_found, &v);
	json_body_free(json);
	return v;
}

#endif
