/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "config/config_statement.h"
#include "scratch.h"

#include <errno.h>

static const struct config_policy *loaded(struct scratch *s)
{
	return config_policy_at(s->build, s->index);
}

static const char *said(const struct config_policy *p, unsigned source)
{
	return source ? CONFIG_AT(p->sources, struct config_source, source - 1)->text : "";
}

static void errors_name_file_line_and_column(void)
{
	static const struct {
		const char *text, *errors;
	} cases[] = {
		{ "version: 2\n", "p.yaml:1:10: version must be 1\n" },
		{ "version: 1\nmode: permissive\n",
		  "p.yaml:2:7: mode must be one of: enforce, warn, learn\n" },
		{ "allow: []\n", "p.yaml:1:1: a policy needs the key version\n" },
		{ "- a\n", "p.yaml:1:1: a policy must be a mapping (key: value)\n" },
		{ "version: 1\nalow: []\n",
		  "p.yaml:2:1: unknown key alow in a policy; did you mean allow?\n" },
		{ "version: 1\nzzzzzzzz: []\n", "p.yaml:2:1: unknown key zzzzzzzz in a policy\n" },
		{ "version: 1\nallow: containers.*\n", "p.yaml:2:8: allow must be a list of operations\n" },
		{ "version: 1\nallow:\n  - containers.crate\n",
		  "p.yaml:3:5: unknown operation containers.crate; did you mean containers.create?\n" },
		{ "version: 1\ndeny:\n  - container.*\n",
		  "p.yaml:3:5: unknown section container.*; did you mean containers.*?\n" },
		{ "version: 1\nallow:\n  - /info\n",
		  "p.yaml:3:5: /info needs a method before it: \"GET /info\"\n" },
		{ "version: 1\nallow:\n  - [a]\n",
		  "p.yaml:3:5: an operation, a section (containers.*), * or \"METHOD /path\" is expected\n" },
		{ "version: 1\nallow:\n  - \"FETCH /info\"\n",
		  "p.yaml:3:5: FETCH is not a method, a list of methods (GET|HEAD) or *\n" },
		{ "version: 1\nallow:\n  - GET| /info\n",
		  "p.yaml:3:5: GET| is not a method, a list of methods (GET|HEAD) or *\n" },
		{ "version: 1\nallow:\n  - GET info\n", "p.yaml:3:5: info: a path must start with /\n" },
		{ "version: 1\nallow:\n  - GET /v1.41/info\n",
		  "p.yaml:3:5: /v1.41/info: a path is written without a version\n" },
		{ "version: 1\nallow:\n  - \"GET /info?x=1\"\n",
		  "p.yaml:3:5: /info?x=1: * and ** are the only wildcards of a path, and it has no query and "
		  "no escapes\n" },
		{ "version: 1\nallow:\n  - GET /contaners/**\n",
		  "p.yaml:3:5: GET /contaners/** matches no operation of the API\n" },
		{ "version: 1\nallow:\n  - POST /info\n",
		  "p.yaml:3:5: POST /info matches no operation of the API\n" },
		{ "version: 1\ncontainers:\n  privleged: true\n",
		  "p.yaml:3:3: unknown key privleged in containers; did you mean privileged?\n" },
		{ "version: 1\ncontainers: true\n",
		  "p.yaml:2:13: containers must be a mapping (key: value)\n" },
		{ "version: 1\ncontainers:\n  privileged: yes\n",
		  "p.yaml:3:15: containers.privileged must be true or false\n" },
		{ "version: 1\ncontainers:\n  privileged: 'true'\n",
		  "p.yaml:3:15: containers.privileged must be true or false\n" },
		{ "version: 1\ncontainers:\n  cap_add: NET_ADMIN\n",
		  "p.yaml:3:12: containers.cap_add must be a list of strings: [a, b]\n" },
		{ "version: 1\ncontainers:\n  cap_add: [a, [b]]\n",
		  "p.yaml:3:16: containers.cap_add must be a list of strings\n" },
		{ "version: 1\ncontainers:\n  memory_max: 1t\n",
		  "p.yaml:3:15: containers.memory_max must be a size such as 512k, 64m or 2g, 0 for no "
		  "limit\n" },
		{ "version: 1\ncontainers:\n  memory_max: 99999999999g\n",
		  "p.yaml:3:15: containers.memory_max must be a size such as 512k, 64m or 2g, 0 for no "
		  "limit\n" },
		{ "version: 1\ncontainers:\n  pids_max: -1\n",
		  "p.yaml:3:13: containers.pids_max must be a whole number, 0 for no limit\n" },
		{ "version: 1\ncontainers:\n  unknown_fields: maybe\n",
		  "p.yaml:3:19: containers.unknown_fields must be one of refuse|allow\n" },
		{ "version: 1\ncontainers:\n  binds: [srv]\n",
		  "p.yaml:3:11: containers.binds: srv is not an absolute path\n" },
		{ "version: 1\ncontainers:\n  binds: [/srv/../etc]\n",
		  "p.yaml:3:11: containers.binds: /srv/../etc is not a path without empty, \".\" or \"..\" "
		  "segments\n" },
		{ "version: 1\ncontainers:\n  binds: [/srv/]\n",
		  "p.yaml:3:11: containers.binds: /srv/ is not a path without empty, \".\" or \"..\" "
		  "segments\n" },
		{ "version: 1\ncontainers:\n  binds: [{source: /srv, mode: r}]\n",
		  "p.yaml:3:32: containers.binds must be given with mode ro, rw or force-ro\n" },
		{ "version: 1\ncontainers:\n  binds: [{src: /srv}]\n",
		  "p.yaml:3:12: containers.binds must be given as {source: /PATH, mode: ro|rw|force-ro}\n" },
		{ "version: 1\ncontainers:\n  binds: [{source: /srv, mode: force-rw}]\n",
		  "p.yaml:3:32: containers.binds must be given with mode ro, rw or force-ro\n" },
		{ "version: 1\ncontainers:\n  socket_bind: true\n",
		  "p.yaml:3:16: containers.socket_bind must be one of refuse|rewrite\n" },
		{ "version: 1\nextends: ../x\n",
		  "p.yaml:2:10: extends must be the name of a policy, without folder and .yaml\n" },
		{ "version: 1\nextends: nosuchpolicy\n", "p.yaml:2:10: there is no policy nosuchpolicy\n" },
		{ "version: 1\nextends: p\n", "p.yaml:2:10: p.yaml extends itself, through p.yaml\n" },
		/* All of a file's errors are told at once. */
		{ "version: 3\nallow: [a.b]\ndenny: []\n",
		  "p.yaml:1:10: version must be 1\n"
		  "p.yaml:2:9: unknown operation a.b (see `sockgate operations`)\n"
		  "p.yaml:3:1: unknown key denny in a policy; did you mean deny?\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scratch s;

		scratch_open(&s);
		CU_ASSERT_EQUAL(scratch_load(&s, scratch_write(&s, "p.yaml", cases[i].text), false), -EINVAL);
		CU_ASSERT_STRING_EQUAL(s.errors, cases[i].errors);
		if (strcmp(s.errors, cases[i].errors) != 0)
			fprintf(stderr, "wanted %sgot    %s", cases[i].errors, s.errors);
		/* After an error there is no image. */
		CU_ASSERT_EQUAL(config_seal(s.build), -EINVAL);
		scratch_close(&s);
	}
}

static void statements_fill_verdicts_with_their_place(void)
{
	static const char text[] = "version: 1\nallow: [containers.list, images.*]\ndeny:\n  - images.push\n";
	const struct config_policy *p;
	struct scratch s;

	scratch_open(&s);
	CU_ASSERT_EQUAL_FATAL(scratch_load(&s, scratch_write(&s, "p.yaml", text), false), 0);
	p = loaded(&s);
	CU_ASSERT_STRING_EQUAL(p->name, "p");
	CU_ASSERT_STRING_EQUAL(said(p, p->verdicts[API_OP_CONTAINERS_LIST].allow), "allow containers.list");
	CU_ASSERT_STRING_EQUAL(said(p, p->verdicts[API_OP_IMAGES_PUSH].allow), "allow images.*");
	CU_ASSERT_STRING_EQUAL(said(p, p->verdicts[API_OP_IMAGES_PUSH].deny), "deny images.push");
	CU_ASSERT_EQUAL(
		CONFIG_AT(p->sources, struct config_source, p->verdicts[API_OP_IMAGES_PUSH].deny - 1)->line,
		4);
	CU_ASSERT_EQUAL(
		CONFIG_AT(p->sources, struct config_source, p->verdicts[API_OP_IMAGES_PUSH].deny - 1)->column,
		5);
	CU_ASSERT_EQUAL(p->verdicts[API_OP_CONTAINERS_CREATE].allow, CONFIG_NO_SOURCE);
	scratch_close(&s);
}

static void a_chains_denies_add_up_and_its_limits_are_replaced(void)
{
	const struct config_policy *p;
	struct scratch s;

	scratch_open(&s);
	scratch_write(&s, "zz-base.yaml",
		      "version: 1\nallow: [containers.list]\ndeny: [containers.create]\n"
		      "containers:\n  cap_add: [A, B]\n  memory_max: 2g\n  privileged: true\n");
	scratch_write(
		&s, "zz-child.yaml",
		"version: 1\nextends: zz-base\nallow: [containers.create]\ncontainers:\n  cap_add: [C]\n");
	CU_ASSERT_EQUAL_FATAL(scratch_load(&s, "zz-child", false), 0);
	p = loaded(&s);
	CU_ASSERT_STRING_EQUAL(said(p, p->verdicts[API_OP_CONTAINERS_LIST].allow), "allow containers.list");
	CU_ASSERT_STRING_EQUAL(said(p, p->verdicts[API_OP_CONTAINERS_CREATE].allow),
			       "allow containers.create");
	CU_ASSERT_STRING_EQUAL(said(p, p->verdicts[API_OP_CONTAINERS_CREATE].deny), "deny containers.create");
	CU_ASSERT_EQUAL_FATAL(p->values[POLICY_KEY_CONTAINERS_CAP_ADD].list.n, 1);
	CU_ASSERT_STRING_EQUAL(*CONFIG_AT(p->values[POLICY_KEY_CONTAINERS_CAP_ADD].list, const char *, 0),
			       "C");
	CU_ASSERT_EQUAL(p->values[POLICY_KEY_CONTAINERS_MEMORY_MAX].number, 2ull << 30);
	CU_ASSERT_TRUE(p->values[POLICY_KEY_CONTAINERS_PRIVILEGED].flag);
	CU_ASSERT_STRING_EQUAL(said(p, p->values[POLICY_KEY_CONTAINERS_PRIVILEGED].source),
			       "containers.privileged");
	CU_ASSERT_FALSE(p->values[POLICY_KEY_EXEC_PRIVILEGED].set);
	CU_ASSERT_FALSE(p->values[POLICY_KEY_EXEC_PRIVILEGED].flag);
	scratch_close(&s);
}

static void a_cycle_is_refused_where_it_closes(void)
{
	struct scratch s;

	scratch_open(&s);
	scratch_write(&s, "zz-a.yaml", "version: 1\nextends: zz-b\n");
	scratch_write(&s, "zz-b.yaml", "version: 1\nextends: zz-a\n");
	CU_ASSERT_EQUAL(scratch_load(&s, "zz-a", false), -EINVAL);
	CU_ASSERT_STRING_EQUAL(s.errors, "zz-b.yaml:2:10: zz-a.yaml extends itself, through zz-b.yaml\n");
	scratch_close(&s);
}

static void a_chain_has_a_length_limit(void)
{
	struct scratch s;
	char name[32], text[64];

	scratch_open(&s);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "zz-%d.yaml", i);
		snprintf(text, sizeof(text), "version: 1\nextends: zz-%d\n", i + 1);
		scratch_write(&s, name, text);
	}
	CU_ASSERT_EQUAL(scratch_load(&s, "zz-0", false), -EINVAL);
	CU_ASSERT_STRING_EQUAL(s.errors, "zz-7.yaml:2:10: more than 8 policies extend one another\n");
	scratch_close(&s);
}

static void one_file_is_one_policy_however_it_is_named(void)
{
	struct scratch s;
	char by_path[160];
	unsigned first;

	scratch_open(&s);
	scratch_write(&s, "zz-x.yaml", "version: 1\n");
	CU_ASSERT_EQUAL(scratch_load(&s, "zz-x", false), 0);
	first = s.index;
	snprintf(by_path, sizeof(by_path), "%s/./zz-x.yaml", s.folder);
	CU_ASSERT_EQUAL(scratch_load(&s, by_path, false), 0);
	CU_ASSERT_EQUAL(s.index, first);
	CU_ASSERT_EQUAL(s.build->policies.n, 1);
	scratch_close(&s);
}

static void a_policy_that_does_not_exist_says_where_it_was_looked_for(void)
{
	struct scratch s;

	scratch_open(&s);
	CU_ASSERT_EQUAL(scratch_load(&s, "zz-none", false), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(s.errors, "zz-none:0:0: there is no such policy in " SOCKGATE_SYSCONFDIR
						"/policies, "));
	CU_ASSERT_EQUAL(scratch_load(&s, "..", false), -EINVAL);
	scratch_close(&s);
}

static void values_can_be_set_from_text(void)
{
	struct config_build *build = config_build_new();
	const struct config_policy *p;
	unsigned index, source;

	CU_ASSERT_EQUAL_FATAL(config_policy_new(build, "environment", &index), 0);
	CU_ASSERT_EQUAL(config_policy_new(build, "environment", &index), -EEXIST);
	source = config_policy_source(build, index, "POST=1", "", 0, 0);
	CU_ASSERT_EQUAL(
		config_policy_set(build, index, POLICY_KEY_CONTAINERS_PRIVILEGED, "true", source, NULL), 0);
	CU_ASSERT_EQUAL(config_policy_set(build, index, POLICY_KEY_CONTAINERS_BINDS,
					  "[/a, {source: /b, mode: rw}, {mode: force-ro, source: /c}]",
					  source, NULL),
			0);
	CU_ASSERT_EQUAL(config_policy_set(build, index, POLICY_KEY_CONTAINERS_BINDS, "[b]", source, NULL),
			-EINVAL);
	CU_ASSERT_EQUAL(config_policy_set(build, index, POLICY_KEY_CONTAINERS_PRIVILEGED, "true, false",
					  source, NULL),
			-EINVAL);
	p = config_policy_at(build, index);
	CU_ASSERT_EQUAL_FATAL(p->values[POLICY_KEY_CONTAINERS_BINDS].list.n, 3);
	CU_ASSERT_STRING_EQUAL(
		CONFIG_AT(p->values[POLICY_KEY_CONTAINERS_BINDS].list, struct config_bind, 1)->source, "/b");
	CU_ASSERT_TRUE(
		CONFIG_AT(p->values[POLICY_KEY_CONTAINERS_BINDS].list, struct config_bind, 0)->read_only);
	CU_ASSERT_FALSE(
		CONFIG_AT(p->values[POLICY_KEY_CONTAINERS_BINDS].list, struct config_bind, 1)->read_only);
	CU_ASSERT_STRING_EQUAL(
		CONFIG_AT(p->values[POLICY_KEY_CONTAINERS_BINDS].list, struct config_bind, 2)->source, "/c");
	CU_ASSERT_TRUE(
		CONFIG_AT(p->values[POLICY_KEY_CONTAINERS_BINDS].list, struct config_bind, 2)->read_only);
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(
			CONFIG_AT(p->values[POLICY_KEY_CONTAINERS_BINDS].list, struct config_bind, i)->force,
			i == 2);
	config_build_free(build);
}

static void a_glob_meets_the_patterns_that_share_a_path_with_it(void)
{
	static const struct {
		const char *glob, *pattern;
		bool want;
	} cases[] = {
		{ "/containers/*/logs", "/containers/{name}/logs", true },
		{ "/containers/web/logs", "/containers/{name}/logs", true },
		{ "/containers/a/b/logs", "/containers/{name}/logs", true },
		{ "/containers/*/logs", "/containers/{name}/top", false },
		{ "/containers/json", "/containers/{name}/json", false },
		{ "/containers/*", "/containers/json", true },
		{ "/containers/*", "/containers/{name}", true },
		{ "/containers/*/json", "/containers/json", false },
		{ "/services/a/b", "/services/{segment:id}", false },
		{ "/services/*", "/services/{segment:id}", true },
		{ "/services/**", "/services/{segment:id}/update", true },
		{ "/services/*/update", "/services/{segment:id}/update", true },
		{ "/services/**/update", "/services/{segment:id}", false },
		{ "/**", "/_ping", true },
		{ "/info", "/_ping", false },
		{ "/in*", "/info", true },
		{ "/*o", "/info", true },
		{ "/*x", "/info", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(config_glob_meets(str_from(cases[i].glob), cases[i].pattern), cases[i].want);
}

static void a_mode_is_enforce_unless_the_policy_itself_says_otherwise(void)
{
	static const struct {
		const char *text;
		enum policy_mode mode;
		bool warned;
	} cases[] = {
		{ "version: 1\n", POLICY_ENFORCE, false },
		{ "version: 1\nmode: enforce\n", POLICY_ENFORCE, false },
		{ "version: 1\nmode: warn\n", POLICY_WARN, true },
		{ "version: 1\nmode: learn\n", POLICY_LEARN, true },
		{ "version: 1\nextends: zz-parent\n", POLICY_ENFORCE, false },
		{ "version: 1\nextends: zz-parent\nmode: warn\n", POLICY_WARN, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct policy_image *image;
		struct scratch s;

		scratch_open(&s);
		scratch_write(&s, "zz-parent.yaml", "version: 1\nmode: learn\n");
		image = scratch_image(&s, scratch_write(&s, "p.yaml", cases[i].text));
		CU_ASSERT_PTR_NOT_NULL(image);
		if (image)
			CU_ASSERT_EQUAL(policy_image_at(image, s.index)->mode, cases[i].mode);
		CU_ASSERT_EQUAL(strstr(s.errors, "warning: p.yaml: mode: ") != NULL, cases[i].warned);
		CU_ASSERT_EQUAL(strstr(s.errors, "PROTECTS NOTHING") != NULL, cases[i].warned);
		policy_image_unmap(image);
		scratch_close(&s);
	}
}

static void a_policy_that_two_listeners_use_is_warned_about_once(void)
{
	struct scratch s;

	scratch_open(&s);
	scratch_write(&s, "zz-tried.yaml", "version: 1\nmode: warn\n");
	CU_ASSERT_EQUAL(scratch_load(&s, "zz-tried", false), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(s.errors, "PROTECTS NOTHING"));
	CU_ASSERT_EQUAL(scratch_load(&s, "zz-tried", false), 0);
	CU_ASSERT_STRING_EQUAL(s.errors, "");
	scratch_close(&s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "errors name file, line and column", errors_name_file_line_and_column },
		{ "statements fill verdicts, with their place", statements_fill_verdicts_with_their_place },
		{ "a chain's denies add up and its limits are replaced",
		  a_chains_denies_add_up_and_its_limits_are_replaced },
		{ "a cycle is refused where it closes", a_cycle_is_refused_where_it_closes },
		{ "a chain has a length limit", a_chain_has_a_length_limit },
		{ "one file is one policy, however it is named", one_file_is_one_policy_however_it_is_named },
		{ "a policy that does not exist says where it was looked for",
		  a_policy_that_does_not_exist_says_where_it_was_looked_for },
		{ "values can be set from text", values_can_be_set_from_text },
		{ "a glob meets the patterns that share a path with it",
		  a_glob_meets_the_patterns_that_share_a_path_with_it },
		{ "a mode is enforce unless the policy itself says otherwise",
		  a_mode_is_enforce_unless_the_policy_itself_says_otherwise },
		{ "a policy that two listeners use is warned about once",
		  a_policy_that_two_listeners_use_is_warned_about_once },
		CU_TEST_INFO_NULL,
	};

	return check_main("config/config_policy", tests);
}
