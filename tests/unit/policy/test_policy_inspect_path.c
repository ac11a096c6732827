/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "inspect_fixture.h"
#include "policy/policy_inspect_path.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct fixture f;

static void binds_are_judged_by_whole_components(void)
{
	static const struct {
		const char *rules, *path;
		bool read_only, allowed;
	} cases[] = {
		{ "[/srv/app:rw]", "/srv/app", false, true },
		{ "[/srv/app:rw]", "/srv/app/x/y", false, true },
		{ "[/srv/app:rw]", "/srv/application", false, false },
		{ "[/srv/app:rw]", "/srv", false, false },
		{ "[/srv/app:ro]", "/srv/app", false, false },
		{ "[/srv/app:ro]", "/srv/app", true, true },
		{ "[/srv/app:ro, /srv/app/out:rw]", "/srv/app/out/x", false, true },
		/* Closed places inside a wide rule, and those that a rule names. */
		{ "[/:ro]", "/mnt", true, true },
		{ "[/:ro]", "/etc", true, false },
		{ "[/:ro]", "/", true, false },
		{ "[/:ro]", "/var", true, false },
		{ "[/:ro]", "/var/log", true, false }, /* sockgate's own log is in it */
		{ "[/:ro]", "/var/log/nginx", true, true },
		{ "[/:rw]", "/", false, true },
		{ "[/:rw]", "/etc/shadow", false, true },
		{ "[/var:rw]", "/var/lib/docker/volumes", false, false },
		{ "[/var:rw]", "/var/lib", false, false },
		{ "[/var:rw]", "/var/www", false, true },
		{ "[/etc/ssl:ro]", "/etc/ssl/certs", true, true },
		{ "[/home/me/work:rw]", "/home/me/work/a", false, true },
		{ "[/home/me/work:rw]", "/home/me", false, false },
		/* Engines' sockets. */
		{ "[/run:rw]", "/run/user/1000", false, true },
		{ "[/run:rw]", "/run", false, false },
		{ "[/run:rw]", "/run/docker.sock", false, false },
		{ "[/run:rw]", "/var/run/docker.sock", false, false },
		{ "[/run/docker.sock:rw]", "/run/docker.sock", false, true },
		{ "[/run/docker.sock:rw]", "/var/run/docker.sock", false, true },
		{ "[/srv:rw]", "/srv/x/docker.sock", false, false },
		{ "[/srv:rw]", "/srv/engine/private.sock", false, false },
		{ "[/srv:rw]", "/srv/engine", false, false },
		{ "[/srv:rw]", "/srv/other/private.sock", false, false },
		{ "[]", "/srv", true, false },
		/* What was not made read-only is judged as if it had to be. */
		{ "[/srv/app:force-ro]", "/srv/app/x", false, false },
		{ "[/srv/app:force-ro]", "/srv/app/x", true, true },
		{ "[/:force-ro]", "/etc", true, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = NULL;
		bool allowed;

		fixture_init(&f);
		fixture_set(&f, POLICY_KEY_CONTAINERS_BINDS, cases[i].rules);
		allowed = policy_inspect_bind(fixture_image(&f), fixture_policy(&f), str_from(cases[i].path),
					      cases[i].read_only, &why);
		CU_ASSERT_EQUAL(allowed, cases[i].allowed);
		CU_ASSERT_EQUAL(why == NULL, allowed);
		if (allowed != cases[i].allowed)
			fprintf(stderr, "%s %s: %s\n", cases[i].rules, cases[i].path, why ? why : "allowed");
	}
}

static void the_longest_rule_says_whether_a_mount_is_made_read_only(void)
{
	static const struct {
		const char *rules, *path;
		bool forced;
	} cases[] = {
		{ "[/srv/app:force-ro]", "/srv/app", true },
		{ "[/srv/app:force-ro]", "/srv/app/x", true },
		{ "[/srv/app:force-ro]", "/srv/application", false },
		{ "[/srv/app:force-ro]", "/srv", false },
		{ "[/srv/app:ro]", "/srv/app", false },
		{ "[/srv:rw, /srv/app:force-ro]", "/srv/app/x", true },
		{ "[/srv/app:force-ro, /srv:rw]", "/srv/app/x", true },
		{ "[/srv:force-ro, /srv/out:rw]", "/srv/out/x", false },
		{ "[/srv:force-ro, /srv/out:rw]", "/srv/in", true },
		{ "[/srv:force-ro, /srv:rw]", "/srv", true },
		{ "[/srv:rw, /srv:force-ro]", "/srv", true },
		{ "[/var/run/x:force-ro]", "/run/x/y", true },
		{ "[]", "/srv", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool forced;

		fixture_init(&f);
		fixture_set(&f, POLICY_KEY_CONTAINERS_BINDS, cases[i].rules);
		forced = inspect_bind_forced(fixture_image(&f), fixture_policy(&f), str_from(cases[i].path));
		CU_ASSERT_EQUAL(forced, cases[i].forced);
		if (forced != cases[i].forced)
			fprintf(stderr, "%s %s\n", cases[i].rules, cases[i].path);
	}
}

static void binds_are_read_as_the_engine_does(void)
{
	static const struct {
		const char *host, *value;
		bool allowed;
	} cases[] = {
		{ "Binds", "[\"/srv/app:/m\"]", true },
		{ "Binds", "[\"//srv/./app/:/m:rw\"]", true },
		{ "Binds", "[\"/srv/app/../../etc:/m\"]", false },
		{ "Binds", "[\"/srv/app:/m:ro,rslave,z\"]", true },
		{ "Binds", "[\"/srv/app:/m:rshared\"]", false },
		{ "Binds", "[\"/srv/app:/m:bogus\"]", false },
		{ "Binds", "[\"/srv/app:/m:ro:x\"]", false },
		{ "Binds", "[\"/srv/ro:/m\"]", false },
		{ "Binds", "[\"/srv/ro:/m:ro\"]", true },
		{ "Binds", "[\"/srv/ro:/m:rw\"]", false },
		{ "Binds", "[\"/srv/ro:/m:ro,Z\"]", false },
		{ "Binds", "[\"/only-a-destination\"]", true },
		{ "Binds", "[\"data:/m:nocopy\"]", true },
		{ "Binds", "[\"../etc:/m\"]", false },
		{ "Binds", "[\" /etc:/m\"]", false },
		{ "Binds", "[\"\\\\etc:/m\"]", false },
		{ "Binds", "[\":/m\"]", false },
		{ "Binds", "[\"/srv/app\\u0001:/m\"]", false },
		{ "Mounts",
		  "[{\"Type\":\"bind\",\"Source\":\"/srv/ro\",\"Target\":\"/m\",\"ReadOnly\":true}]", true },
		{ "Mounts", "[{\"Type\":\"bind\",\"Source\":\"/srv/ro\",\"Target\":\"/m\"}]", false },
		{ "Mounts",
		  "[{\"Type\":\"bind\",\"Source\":\"/srv/"
		  "ro\",\"ReadOnly\":true,\"BindOptions\":{\"ReadOnlyNonRecursive\":true}}]",
		  false },
		{ "Mounts", "[{\"Type\":\"bind\",\"Source\":\"srv/app\"}]", false },
		{ "Mounts", "[{\"Type\":\"bind\"}]", false },
		{ "Mounts", "[{\"Type\":\"BIND\",\"Source\":\"/srv/app\"}]", false },
		{ "Mounts", "[{\"Source\":\"/srv/app\"}]", false },
		{ "Mounts", "[{}]", false },
		{ "Mounts", "[null]", false },
		{ "Mounts", "[{\"Type\":\"volume\",\"Source\":\"/etc\"}]", false },
		{ "Mounts", "[{\"Type\":\"volume\",\"Source\":\"data\"},{\"Type\":\"volume\"}]", true },
		{ "Mounts", "[{\"Type\":\"image\",\"Source\":\"bb\"}]", true },
	};

	fixture_init(&f);
	fixture_set(&f, POLICY_KEY_CONTAINERS_BINDS, "[/srv/app:rw, /srv/ro:ro]");
	for (size_t i = 0; i < COUNT(cases); i++) {
		char memory[256];
		struct buf b = buf_over(memory, sizeof(memory));
		struct fixture_verdict v;

		buf_printf(&b, "{\"HostConfig\":{\"%s\":%s}}", cases[i].host, cases[i].value);
		CU_ASSERT_FALSE_FATAL(b.overflow);
		v = fixture_inspect(&f, HTTP_POST, STR("/containers/create"), buf_view(&b));
		CU_ASSERT_EQUAL(v.findings == 0, cases[i].allowed);
		if ((v.findings == 0) != cases[i].allowed)
			fprintf(stderr, "%s: %s %s\n", cases[i].value, v.field,
				v.problem ? v.problem : "allowed");
	}
}

static void paths_are_cleaned_as_in_go(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "/", "/" },
		{ "//etc", "/etc" },
		{ "/etc/", "/etc" },
		{ "/./etc", "/etc" },
		{ "/tmp/../etc", "/etc" },
		{ "/../..", "/" },
		{ "/a/b/../../c", "/c" },
		{ "/...", "/..." },
		{ "/a/..b", "/a/..b" },
		{ "/dev/fd/../../../etc", "/etc" },
		{ "a", NULL },
		{ "", NULL },
		{ "/a\x7f", NULL },
	};
	char memory[16];
	struct str clean;

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool ok = inspect_path_clean(str_from(cases[i].in), memory, sizeof(memory), &clean);

		CU_ASSERT_EQUAL(ok, cases[i].out != NULL);
		if (ok)
			CU_ASSERT_TRUE(str_eqz(clean, cases[i].out));
	}
	CU_ASSERT_TRUE(inspect_path_clean(STR("/23456789abcdef"), memory, sizeof(memory), &clean));
	CU_ASSERT_TRUE(inspect_path_clean(STR("/23456789abcdefg"), memory, sizeof(memory), &clean));
	CU_ASSERT_FALSE(inspect_path_clean(STR("/23456789abcdefgh"), memory, sizeof(memory), &clean));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "binds are judged by whole components", binds_are_judged_by_whole_components },
		{ "the longest rule says whether a mount is made read-only",
		  the_longest_rule_says_whether_a_mount_is_made_read_only },
		{ "binds are read as the engine does", binds_are_read_as_the_engine_does },
		{ "paths are cleaned as in Go", paths_are_cleaned_as_in_go },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("policy/policy_inspect_path", tests);
}
