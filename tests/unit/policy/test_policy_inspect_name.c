/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "inspect_fixture.h"
#include "policy/policy_inspect_match.h"
#include "policy/policy_inspect_name.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct fixture f;

static void images_are_compared_as_the_engine_names_them(void)
{
	static const struct {
		const char *list, *reference, *tag;
		bool listed;
	} cases[] = {
		{ "[bb]", "bb", "latest", true },
		{ "[bb]", "bb:1", "latest", true },
		{ "[bb]", "docker.io/library/bb", "latest", true },
		{ "[bb]", "index.docker.io/bb", "latest", true },
		{ "[bb]", "evil.example/bb", "latest", false },
		{ "[docker.io/library/*]", "nginx", "latest", true },
		{ "[docker.io/library/*]", "acme/nginx", "latest", false },
		{ "[docker.io/library/*]", "docker.io.evil.example/library/nginx", "latest", false },
		{ "[docker.io/library/*]", "localhost/library/nginx", "latest", false },
		{ "[docker.io/*/*]", "Evil/nginx", "latest", false },     /* a registry to newer engines */
		{ "[docker.io/library/*]", "0123abcd", "latest", false }, /* perhaps an id */
		{ "[docker.io/library/*]", "sha256:0123", "latest", false },
		{ "[\"*\"]", "sha256:0123", "latest", true },
		{ "[ghcr.io/acme/*]", "ghcr.io/acme-evil/x", "latest", false },
		{ "[ghcr.io/acme/**]", "ghcr.io/acme/a/b", "latest", true },
		{ "[ghcr.io/acme/*]", "ghcr.io/acme/a/b", "latest", false },
		{ "[nginx:1.*]", "nginx:1.25", "latest", true },
		{ "[nginx:1.*]", "nginx", "latest", false },
		{ "[nginx:1.*]", "nginx:1.25@sha256:aa", "latest", false },
		{ "[nginx:latest]", "nginx", "latest", true },
		{ "[nginx:latest]", "nginx", "", false }, /* a pull of all tags */
		{ "[nginx@sha256:aa]", "nginx@sha256:aa", "latest", true },
		{ "[nginx@sha256:aa]", "nginx@sha256:ab", "latest", false },
		{ "[nginx@sha256:aa]", "nginx", "latest", false },
		{ "[nginx]", "nginx@", "latest", false },
		{ "[nginx]", "nginx:", "latest", false },
		{ "[nginx]", "nginx x", "latest", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool listed;

		fixture_init(&f);
		fixture_set(&f, POLICY_KEY_CONTAINERS_IMAGES, cases[i].list);
		listed = inspect_image_listed(fixture_image(&f), fixture_policy(&f),
					      POLICY_KEY_CONTAINERS_IMAGES, str_from(cases[i].reference),
					      cases[i].tag);
		CU_ASSERT_EQUAL(listed, cases[i].listed);
		if (listed != cases[i].listed)
			fprintf(stderr, "%s %s\n", cases[i].list, cases[i].reference);
	}
}

static void addresses_are_told_from_names(void)
{
	static const char *const addresses[] = { "127.0.0.1", "127.0.0.1:5000", "[::1]:5000",  "::1",
						 "localhost", "LOCALHOST:80",   "a.localhost", "127.1",
						 "0x7f.1",    "2130706433:80",  "10.0.0.1." };
	static const char *const names[] = { "docker.io", "ghcr.io:443", "registry:5000", "1.example.com",
					     "xn--a.example" };

	for (size_t i = 0; i < COUNT(addresses); i++)
		CU_ASSERT_TRUE(inspect_is_address(str_from(addresses[i])));
	for (size_t i = 0; i < COUNT(names); i++)
		CU_ASSERT_FALSE(inspect_is_address(str_from(names[i])));
	CU_ASSERT_TRUE(inspect_within_subnet(STR("10.1.0.0/16"), STR("10.0.0.0/8")));
	CU_ASSERT_TRUE(inspect_within_subnet(STR("10.1.2.3"), STR("10.0.0.0/8")));
	CU_ASSERT_FALSE(inspect_within_subnet(STR("0.0.0.0/0"), STR("10.0.0.0/8")));
	CU_ASSERT_FALSE(inspect_within_subnet(STR("11.0.0.0/8"), STR("10.0.0.0/8")));
	CU_ASSERT_TRUE(inspect_within_subnet(STR("fd00:1::/64"), STR("fc00::/7")));
	CU_ASSERT_FALSE(inspect_within_subnet(STR("2001:db8::/64"), STR("fc00::/7")));
	CU_ASSERT_FALSE(inspect_within_subnet(STR("10.0.0.0/33"), STR("10.0.0.0/8")));
	CU_ASSERT_FALSE(inspect_within_subnet(STR("010.0.0.1"), STR("0.0.0.0/0")));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "images are compared as the engine names them",
		  images_are_compared_as_the_engine_names_them },
		{ "addresses are told from names", addresses_are_told_from_names },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("policy/policy_inspect_name", tests);
}
