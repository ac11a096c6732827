/* SPDX-License-Identifier: BSD-2-Clause */
/* Every limit, once: what it refuses by default or when it is set, and what lets it through. */
#include "check.h"
#include "inspect_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct limit {
	enum policy_key key;
	const char *set; /* the value under which it is refused; NULL: the default */
	const char *permit;
	const char *target; /* of a POST, or "GET /...": with its method */
	const char *body;   /* NULL: none; without a '{' in front: the inside of HostConfig */
	const char *field;  /* of the finding */
};

#include "inspect_limits.inc"

static struct fixture_verdict inspect(struct fixture *f, const struct limit *l)
{
	char memory[1024];
	struct buf b = buf_over(memory, sizeof(memory));

	enum http_method method = HTTP_POST;
	const char *target = l->target;

	if (strncmp(target, "GET ", 4) == 0) {
		method = HTTP_GET;
		target += 4;
	} else if (strncmp(target, "PUT ", 4) == 0) {
		method = HTTP_PUT;
		target += 4;
	} else if (strncmp(target, "DELETE ", 7) == 0) {
		method = HTTP_DELETE;
		target += 7;
	}
	if (!l->body || l->body[0] != '"')
		return fixture_inspect(f, method, str_from(target), str_from(l->body));
	buf_printf(&b, "{\"HostConfig\":{%s}}", l->body);
	CU_ASSERT_FALSE_FATAL(b.overflow);
	return fixture_inspect(f, method, str_from(target), buf_view(&b));
}

static void each_limit_refuses_and_can_be_lifted(void)
{
	static struct fixture f;

	for (size_t i = 0; i < COUNT(limits); i++) {
		const struct limit *l = &limits[i];
		struct fixture_verdict v;
		bool refused;

		fixture_init(&f);
		if (l->set)
			fixture_set(&f, l->key, l->set);
		v = inspect(&f, l);
		refused = v.findings > 0 && v.status == 403 && v.key == l->key &&
			  strcmp(v.field, l->field) == 0;
		CU_ASSERT_TRUE(refused);
		if (!refused)
			fprintf(stderr, "%s.%s: %s: %u findings, %s '%s' %s\n", policy_keys[l->key].section,
				policy_keys[l->key].name, l->field, v.findings, v.field, v.value,
				v.problem ? v.problem : "");
		fixture_set(&f, l->key, l->permit);
		v = inspect(&f, l);
		CU_ASSERT_EQUAL(v.findings, 0);
		if (v.findings)
			fprintf(stderr, "%s.%s permitted: %s '%s' %s\n", policy_keys[l->key].section,
				policy_keys[l->key].name, v.field, v.value, v.problem);
	}
}

static void no_limit_is_without_a_case(void)
{
	/* Asked by the worker, by policy_facts.c and by policy_rewrite.c, not by the inspection alone. */
	static const enum policy_key others[] = {
		POLICY_KEY_CONTAINERS_BODY_LIMIT,  POLICY_KEY_CONTAINERS_CHECK_STORED,
		POLICY_KEY_CONTAINERS_SOCKET_BIND, POLICY_KEY_CONTAINERS_MEMORY_DEFAULT,
		POLICY_KEY_CONTAINERS_CPU_DEFAULT, POLICY_KEY_CONTAINERS_PIDS_DEFAULT,
		POLICY_KEY_CONTAINERS_LABELS_ADD,
	};
	bool seen[POLICY_KEYS] = { false };

	for (size_t i = 0; i < COUNT(others); i++)
		seen[others[i]] = true;
	for (size_t i = 0; i < COUNT(limits); i++)
		seen[limits[i].key] = true;
	for (unsigned key = 0; key < POLICY_KEYS; key++) {
		CU_ASSERT_TRUE(seen[key]);
		if (!seen[key])
			fprintf(stderr, "%s.%s\n", policy_keys[key].section, policy_keys[key].name);
	}
}

static void rows_are_complete(void)
{
	for (unsigned key = 0; key < POLICY_KEYS; key++) {
		const struct policy_key_row *row = &policy_keys[key];

		CU_ASSERT_EQUAL(row->key, key);
		CU_ASSERT_TRUE(row->section[0] && row->name[0] && row->fallback[0] && row->field[0]);
		CU_ASSERT_TRUE(row->since[0] && row->help[0] && row->help[strlen(row->help) - 1] == '.');
		CU_ASSERT_EQUAL(row->type == POLICY_CHOICE, row->choices[0] != '\0');
		for (unsigned other = 0; other < key; other++)
			CU_ASSERT_FALSE(strcmp(policy_keys[other].section, row->section) == 0 &&
					strcmp(policy_keys[other].name, row->name) == 0);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "each limit refuses, and can be lifted", each_limit_refuses_and_can_be_lifted },
		{ "no limit is without a case", no_limit_is_without_a_case },
		{ "rows are complete", rows_are_complete },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("policy/policy_inspect_keys", tests);
}
