/* SPDX-License-Identifier: BSD-2-Clause */
/* The bypasses that real engines took, and the requests of real clients, against the limits that they are
 * about. */
#include "check.h"
#include "inspect_cases.h"
#include "inspect_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct setting {
	enum policy_key key;
	const char *value;
};
#define S(id, value) \
	{ \
		POLICY_KEY_##id, value \
	}

/* tests/vectors/bypass_cases.jsonl names its policies; these are their limits. */
static const struct setting run[] = {
	S(CONTAINERS_UNKNOWN_FIELDS, "allow"),
	S(CONTAINERS_BINDS, "[/srv/app:rw]"),
	S(CONTAINERS_CAP_ADD, "[NET_BIND_SERVICE, CHOWN, SETUID, SETGID]"),
	S(CONTAINERS_NETWORKS, "[default, bridge, none, appnet]"),
	S(CONTAINERS_SECURITY_OPT, "[no-new-privileges]"),
	S(CONTAINERS_RUNTIMES, "[runc]"),
	S(CONTAINERS_LOG_DRIVERS, "[json-file, local, none]"),
	S(NETWORKS_OPTIONS, "[]"),
	S(CONTAINERS_IMAGES, "[bb, docker.io/library/*, ghcr.io/acme/*]"),
	S(CONTAINERS_PROTECTED, "[gate]"),
};
static const struct setting pull[] = {
	S(IMAGES_PULL, "[docker.io/library/*, ghcr.io/acme/*]"),
	S(IMAGES_ADDRESS_REGISTRIES, "true"), /* the list alone must do */
};

static const struct {
	const char *name;
	const struct setting *settings;
	size_t n;
} policies[] = {
	{ "run", run, COUNT(run) },
	{ "all-sections", run, COUNT(run) },
	{ "pull", pull, COUNT(pull) },
	{ "build", NULL, 0 },
	{ "buildkit", NULL, 0 },
	{ "monitor", NULL, 0 },
	{ "ops", NULL, 0 },
};

/* What the limits cannot see: refused by statements about operations and names, or by what comes before. */
static const struct {
	const char *id, *why;
} elsewhere[] = {
	{ "D032", "the operation" },
	{ "D034", "the operation" },
	{ "D040", "the operation" },
	{ "D043", "the operation" },
	{ "D049", "the operation" },
	{ "D050", "the operation" },
	{ "D051", "the operation" },
	{ "D054", "a name with a slash" },
	{ "D055", "the operation" },
	{ "D056", "the operation" },
	{ "D057", "the operation" },
	{ "D060", "a body that the engine does not read" },
	{ "D253", "the beginning of an id: only the engine knows whose" },
	{ "D264", "the body is a form" },
	{ "D285", "the operation" },
	{ "D303", "the body is a form" },
};
static unsigned left_to_others;

static unsigned allowed, refused;

static enum http_method method_of(struct str name)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "PUT", "DELETE" };

	for (unsigned i = 0; i < COUNT(names); i++)
		if (str_eqz(name, names[i]))
			return i;
	return HTTP_METHODS;
}

static bool set_up(struct fixture *f, struct str policy)
{
	for (size_t i = 0; i < COUNT(policies); i++) {
		if (!str_eqz(policy, policies[i].name))
			continue;
		fixture_init(f);
		for (size_t s = 0; s < policies[i].n; s++)
			fixture_set(f, policies[i].settings[s].key, policies[i].settings[s].value);
		return true;
	}
	return false;
}

static void run_case(const struct bypass_case *c)
{
	static struct fixture f;
	struct fixture_verdict v;

	if (!c->one_request || method_of(c->method) == HTTP_METHODS || !set_up(&f, c->policy))
		return;
	v = fixture_inspect(&f, method_of(c->method), c->target, c->body);
	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		if (!str_eqz(c->id, elsewhere[i].id))
			continue;
		/* Should the limits see it one day, the line above goes. */
		CU_ASSERT_EQUAL(v.findings, 0);
		left_to_others++;
		return;
	}
	if ((v.findings == 0) != c->allow)
		fprintf(stderr, "%.*s %.*s %.*s: %s %s %s\n", STR_ARG(c->id), STR_ARG(c->policy),
			STR_ARG(c->target), v.field, v.value, v.problem ? v.problem : "");
	CU_ASSERT_EQUAL(v.findings == 0, c->allow);
	if (c->allow)
		allowed++;
	else
		refused++;
}

static void every_case_about_a_body_or_query_has_its_verdict(void)
{
	CU_ASSERT_TRUE_FATAL(cases_each(TEST_VECTORS "/bypass_cases.jsonl", run_case) > 200);
	CU_ASSERT_TRUE(allowed > 30);
	CU_ASSERT_TRUE(refused > 100);
	CU_ASSERT_EQUAL(left_to_others, COUNT(elsewhere));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "every case about a body or query has its verdict",
		  every_case_about_a_body_or_query_has_its_verdict },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("policy/policy_inspect_cases", tests);
}
