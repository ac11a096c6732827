/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/rollout.h"

#include "check.h"

/* A stand-in for an image: one policy that allows nothing, and the names of two limits. */
struct fake_image {
	struct policy_image image;
	struct image_policy policy;
	char strings[64];
};

static struct fake_image fake;
static struct api_target target;
static struct rollout rollout;
static struct policy_decision decision;

static void name_limit(enum policy_key key, const char *name, size_t at)
{
	memcpy(fake.strings + at, name, strlen(name) + 1);
	fake.policy.values[key].source.text =
		(struct image_str){ (uint32_t)(offsetof(struct fake_image, strings) + at),
				    (uint32_t)strlen(name) };
}

static void start(enum policy_mode mode)
{
	fake = (struct fake_image){ .policy = { .mode = mode } };
	name_limit(POLICY_KEY_CONTAINERS_PRIVILEGED, "containers.privileged", 0);
	name_limit(POLICY_KEY_CONTAINERS_BINDS, "containers.binds", 32);
	/* A body that says little is fine, whatever else is not set. */
	fake.policy.values[POLICY_KEY_CONTAINERS_BODY_LIMIT].number = JSON_BODY_MAX;
	target = (struct api_target){ .operation = &api_operations[API_OP_CONTAINERS_CREATE],
				      .path = STR("/containers/create") };
	rollout.would_deny = false;
	rollout.limits_n = 0;
	policy_decide(&fake.image, &fake.policy, NULL, &target, &decision);
}

static bool head(void)
{
	return rollout_head(&rollout, &fake.image, &fake.policy, NULL, &target, &decision);
}

static bool body(const char *text)
{
	struct json_body *document = NULL;
	const char *why;
	bool goes_on;

	CU_ASSERT_EQUAL_FATAL(json_body_load(text, strlen(text), &document, &why), 0);
	policy_decide_body(&fake.image, &fake.policy, &target, document, &decision);
	goes_on = rollout_body(&rollout, &fake.image, &fake.policy, &target, document, &decision);
	json_body_free(document);
	return goes_on;
}

static void enforce_stays_a_refusal(void)
{
	start(POLICY_ENFORCE);
	CU_ASSERT_FALSE(decision.allow);
	CU_ASSERT_FALSE(head());
	CU_ASSERT_FALSE(body("{}"));
	CU_ASSERT_FALSE(rollout_facts(&rollout, &fake.policy, &decision));
	CU_ASSERT_FALSE(rollout.would_deny);
	CU_ASSERT_EQUAL(decision.status, 403);
}

static void what_is_allowed_goes_on_without_a_word(void)
{
	start(POLICY_WARN);
	decision.allow = true;
	CU_ASSERT_TRUE(head());
	CU_ASSERT_TRUE(rollout_facts(&rollout, &fake.policy, &decision));
	CU_ASSERT_FALSE(rollout.would_deny);
	CU_ASSERT_EQUAL(rollout.limits_n, 0);
}

static void the_first_refusal_is_kept_and_every_limit_named_once(void)
{
	static const char limits[] = "containers.privileged, containers.binds";

	start(POLICY_LEARN);
	CU_ASSERT_TRUE(head());
	CU_ASSERT_TRUE(rollout.would_deny);
	CU_ASSERT_TRUE(body("{\"HostConfig\":{\"Privileged\":true,\"Binds\":[\"/etc:/a\",\"/var:/b\"]}}"));
	CU_ASSERT_TRUE(str_eqz((struct str){ rollout.limits, rollout.limits_n }, limits));
	CU_ASSERT_TRUE(str_eqz(rollout.refusal.rule, "default"));
	decision = (struct policy_decision){ .status = 403, .rule = STR("containers.binds") };
	CU_ASSERT_TRUE(rollout_facts(&rollout, &fake.policy, &decision));
	CU_ASSERT_EQUAL(rollout.limits_n, sizeof(limits) - 1);
	CU_ASSERT_TRUE(str_eqz(rollout.refusal.rule, "default"));
}

static void what_is_malformed_behind_a_refusal_is_refused(void)
{
	start(POLICY_WARN);
	CU_ASSERT_TRUE(head());
	CU_ASSERT_FALSE(body("{\"HostConfig\":{\"Privileged\":true,\"Binds\":7}}"));
	CU_ASSERT_EQUAL(decision.status, 400);
	CU_ASSERT_FALSE(decision.allow);

	start(POLICY_WARN);
	target.operation = &api_operations[API_OP_CONTAINERS_START];
	target.path = STR("/containers/web/db/start");
	target.names[0] = STR("web/db");
	policy_decide(&fake.image, &fake.policy, NULL, &target, &decision);
	CU_ASSERT_EQUAL(decision.status, 403);
	CU_ASSERT_FALSE(head());
	CU_ASSERT_EQUAL(decision.status, 400);
}

static void other_refusals_than_the_policys_never_pass(void)
{
	static const unsigned statuses[] = { 400, 413, 415, 431, 503 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		start(POLICY_WARN);
		decision.status = statuses[i];
		CU_ASSERT_FALSE(head());
		CU_ASSERT_FALSE(rollout_facts(&rollout, &fake.policy, &decision));
		CU_ASSERT_FALSE(rollout.would_deny);
	}
}

static void names_of_limits_are_never_cut(void)
{
	char long_name[ROLLOUT_LIMITS_MAX + 1];

	start(POLICY_WARN);
	memset(long_name, 'x', sizeof(long_name));
	decision.rule = (struct str){ long_name, 200 };
	CU_ASSERT_TRUE(rollout_facts(&rollout, &fake.policy, &decision));
	decision.rule.n = 100;
	CU_ASSERT_TRUE(rollout_facts(&rollout, &fake.policy, &decision));
	CU_ASSERT_EQUAL(rollout.limits_n, 200);
	decision.rule.n = 54;
	CU_ASSERT_TRUE(rollout_facts(&rollout, &fake.policy, &decision));
	CU_ASSERT_EQUAL(rollout.limits_n, 256);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "enforce stays a refusal", enforce_stays_a_refusal },
		{ "what is allowed goes on without a word", what_is_allowed_goes_on_without_a_word },
		{ "the first refusal is kept, and every limit named once",
		  the_first_refusal_is_kept_and_every_limit_named_once },
		{ "what is malformed behind a refusal is refused",
		  what_is_malformed_behind_a_refusal_is_refused },
		{ "other refusals than the policy's never pass", other_refusals_than_the_policys_never_pass },
		{ "names of limits are never cut", names_of_limits_are_never_cut },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("rollout", tests);
}
