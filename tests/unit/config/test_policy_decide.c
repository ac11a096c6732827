/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions need a compiled policy, and so these tests stand with the compiler. */
#include "check.h"
#include "policy/policy_decide.h"
#include "policy/policy_glob.h"
#include "scratch.h"

static char target_scratch[API_TARGET_SCRATCH];
static struct api_target target;

static struct policy_decision decide(const struct policy_image *image, enum http_method method,
				     const char *path)
{
	struct policy_decision d = { 0 };
	const char *why;

	if (api_target_parse(method, str_from(path), target_scratch, &target, &why) < 0)
		target.operation = NULL;
	policy_decide(image, policy_image_at(image, 0), NULL, &target, &d);
	return d;
}

static const struct policy_image *compile(struct scratch *s, const char *text)
{
	const struct policy_image *image;

	scratch_open(s);
	image = scratch_image(s, scratch_write(s, "p.yaml", text));
	CU_ASSERT_PTR_NOT_NULL_FATAL(image);
	return image;
}

static void deny_wins_over_allow_in_any_order_and_form(void)
{
	static const struct {
		const char *text;
		bool allow;
		const char *rule;
		unsigned line;
	} cases[] = {
		{ "version: 1\n", false, "default", 0 },
		{ "version: 1\nallow: [containers.start]\n", true, "allow containers.start", 2 },
		{ "version: 1\nallow: [containers.*]\n", true, "allow containers.*", 2 },
		{ "version: 1\nallow: ['*']\n", true, "allow *", 2 },
		{ "version: 1\nallow: ['POST /containers/*/start']\n", true, "allow POST /containers/*/start",
		  2 },
		{ "version: 1\nallow: ['* /containers/**']\n", true, "allow * /containers/**", 2 },
		{ "version: 1\nallow: ['POST /containers/web/start']\n", true,
		  "allow POST /containers/web/start", 2 },
		{ "version: 1\nallow: ['GET /containers/**']\n", false, "default", 0 },
		{ "version: 1\nallow: ['POST /containers/we/start']\n", false, "default", 0 },
		{ "version: 1\nallow: [images.*]\n", false, "default", 0 },
		{ "version: 1\ndeny: [containers.start]\nallow: ['*']\n", false, "deny containers.start", 2 },
		{ "version: 1\nallow: ['*']\ndeny: [containers.*]\n", false, "deny containers.*", 3 },
		{ "version: 1\nallow: ['*']\ndeny: ['POST /containers/web/*']\n", false,
		  "deny POST /containers/web/*", 3 },
		{ "version: 1\nallow: ['*']\ndeny: ['POST /containers/db/*']\n", true, "allow *", 2 },
		{ "version: 1\nallow: ['POST /containers/web/start']\ndeny: ['* /**']\n", false, "deny * /**",
		  3 },
		/* Of several globs that match, the first in the file is named. */
		{ "version: 1\nallow:\n  - '* /containers/**'\n  - 'POST /containers/web/start'\n", true,
		  "allow * /containers/**", 3 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scratch s;
		const struct policy_image *image = compile(&s, cases[i].text);
		struct policy_decision d = decide(image, HTTP_POST, "/v1.41/containers/web/start");

		CU_ASSERT_EQUAL(d.allow, cases[i].allow);
		CU_ASSERT_EQUAL(d.status, cases[i].allow ? 0 : 403);
		CU_ASSERT_TRUE(str_eqz(d.rule, cases[i].rule));
		CU_ASSERT_EQUAL(d.line, cases[i].line);
		policy_image_unmap(image);
		scratch_close(&s);
	}
}

static void a_refusal_names_the_rule_and_how_to_allow_it(void)
{
	static const char text[] =
		"version: 1\nallow: [containers.list, containers.inspect]\ndeny:\n  - services.*\n";
	struct policy_decision d;
	struct scratch s;
	const struct policy_image *image = compile(&s, text);

	d = decide(image, HTTP_POST, "/services/create");
	scratch_cut(&s, d.reason);
	CU_ASSERT_STRING_EQUAL(
		d.reason, "services.create is refused by policy p (p.yaml:4: deny services.*); a deny cannot "
			  "be overridden: remove it");
	d = decide(image, HTTP_POST, "/containers/create");
	scratch_cut(&s, d.reason);
	CU_ASSERT_STRING_EQUAL(d.reason, "no rule of policy p allows containers.create; add \"- "
					 "containers.create\" under allow in p.yaml");
	d = decide(image, HTTP_GET, "/nope\"");
	CU_ASSERT_EQUAL(d.status, 403);
	CU_ASSERT_STRING_EQUAL(
		d.reason, "\"/nope\\\"\" is refused by policy p: the path is no operation of the Engine API");
	d = decide(image, HTTP_GET, "/containers/a%2fb/json");
	CU_ASSERT_FALSE(d.allow);
	CU_ASSERT_EQUAL(d.status, 400);
	CU_ASSERT_STRING_EQUAL(
		d.reason, "containers.inspect is refused by policy p: the name in the path is not one that "
			  "objects can have");
	policy_image_unmap(image);
	scratch_close(&s);
}

static void names_are_those_that_objects_can_have(void)
{
	static const struct {
		enum http_method method;
		const char *path;
		bool allow;
	} cases[] = {
		{ HTTP_GET, "/containers/web_1.x-y/json", true },
		{ HTTP_GET, "/containers/9f/json", true },
		{ HTTP_GET, "/containers/-x/json", false },
		{ HTTP_GET, "/containers/a%20b/json", false },
		{ HTTP_GET, "/containers/a:b/json", false },
		{ HTTP_GET, "/containers/a/b/json", false },
		{ HTTP_GET, "/exec/a%2fb/json", false },
		{ HTTP_DELETE, "/volumes/data", true },
		{ HTTP_DELETE, "/volumes/a/b", false },
		{ HTTP_GET, "/networks/my%20net", true },
		{ HTTP_GET, "/networks/a/b", false },
		{ HTTP_GET, "/images/ghcr.io/a/b:1/json", true },
	};
	struct scratch s;
	const struct policy_image *image = compile(&s, "version: 1\nallow: ['*']\n");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(decide(image, cases[i].method, cases[i].path).allow, cases[i].allow);
	policy_image_unmap(image);
	scratch_close(&s);
}

static void a_form_or_an_encoded_body_is_refused(void)
{
	static const struct {
		struct http_request request;
		bool allow;
	} cases[] = {
		{ { .framing = HTTP_BODY_LENGTH,
		    .content_length = 1,
		    .content_type = STR("application/json") },
		  true },
		{ { .framing = HTTP_BODY_LENGTH,
		    .content_length = 1,
		    .content_type = STR("Application/X-www-form-urlencoded; charset=x") },
		  false },
		{ { .framing = HTTP_BODY_LENGTH, .content_type = STR("application/x-www-form-urlencoded") },
		  true },
		{ { .framing = HTTP_BODY_CHUNKED, .content_type = STR("multipart/form-data") }, false },
		{ { .framing = HTTP_BODY_CHUNKED, .content_encoding = STR("gzip") }, false },
		{ { .framing = HTTP_BODY_CHUNKED, .content_encoding = STR("identity") }, true },
	};
	struct scratch s;
	const struct policy_image *image = compile(&s, "version: 1\nallow: ['*']\n");
	const char *why;

	CU_ASSERT_EQUAL(api_target_parse(HTTP_POST, STR("/containers/create"), target_scratch, &target, &why),
			0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_decision d = { 0 };

		policy_decide(image, policy_image_at(image, 0), &cases[i].request, &target, &d);
		CU_ASSERT_EQUAL(d.allow, cases[i].allow);
		CU_ASSERT_EQUAL(d.status, cases[i].allow ? 0 : 415);
	}
	policy_image_unmap(image);
	scratch_close(&s);
}

static void variables_are_named_instead_of_files(void)
{
	const struct policy_image *image = NULL;
	struct config_build *build = config_build_new();
	struct policy_decision d;
	const char *why = NULL;
	unsigned index;
	int fd;

	CU_ASSERT_EQUAL_FATAL(config_policy_new(build, "environment", &index), 0);
	config_policy_at(build, index)->compat = true;
	config_policy_say(build, index, API_OP_CONTAINERS_START, true,
			  config_policy_source(build, index, "ALLOW_START=1", "", 0, 0));
	fd = config_seal(build);
	CU_ASSERT_EQUAL_FATAL(policy_image_map(fd, &image, &why), 0);
	d = decide(image, HTTP_POST, "/containers/a%2fb/start");
	CU_ASSERT_TRUE(d.allow);
	CU_ASSERT_TRUE(str_eqz(d.rule, "ALLOW_START=1"));
	CU_ASSERT_EQUAL(d.file.n, 0);
	d = decide(image, HTTP_POST, "/containers/create");
	CU_ASSERT_STRING_EQUAL(d.reason, "no variable allows containers.create; set CONTAINERS=1 and POST=1");
	d = decide(image, HTTP_GET, "/containers/json");
	CU_ASSERT_STRING_EQUAL(d.reason, "no variable allows containers.list; set CONTAINERS=1");
	policy_image_unmap(image);
	close(fd);
	config_build_free(build);
}

static void peers_get_the_first_policy_that_fits(void)
{
	static const struct {
		struct policy_peer peer;
		const char *policy;
	} cases[] = {
		{ { .uid = 1, .gid = 7, .pid = 1 }, "zz-both" },
		{ { .uid = 1, .gid = 8, .pid = 1 }, "zz-uid" },
		{ { .uid = 2, .gid = 9, .pid = 1 }, "zz-gid" },
		{ { .uid = 2, .gid = 7, .pid = 1 }, "zz-own" },
		/* A TCP client has no uid, and -1 is nobody's. */
		{ { .uid = -1, .gid = -1, .pid = -1 }, "zz-own" },
	};
	const struct policy_image *image = NULL;
	const char *why = NULL;
	struct scratch s;
	int fd;

	scratch_open(&s);
	scratch_write(&s, "zz-own.yaml", "version: 1\n");
	scratch_write(&s, "zz-both.yaml", "version: 1\n");
	scratch_write(&s, "zz-uid.yaml", "version: 1\n");
	scratch_write(&s, "zz-gid.yaml", "version: 1\n");
	CU_ASSERT_EQUAL_FATAL(scratch_load(&s,
					   scratch_write(&s, "c.yaml",
							 "version: 1\n"
							 "listeners: [{unix: /a, policy: zz-own}]\n"
							 "policies:\n"
							 "  - {when: {uid: 1, gid: 7}, policy: zz-both}\n"
							 "  - {when: {uid: 1}, policy: zz-uid}\n"
							 "  - {when: {gid: 9}, policy: zz-gid}\n"),
					   true),
			      0);
	fd = config_seal(s.build);
	CU_ASSERT_EQUAL_FATAL(policy_image_map(fd, &image, &why), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct image_policy *policy = policy_for(
			image, IMAGE_LIST(image, struct image_listener, image->listeners), &cases[i].peer);

		CU_ASSERT_TRUE(str_eqz(image_string(image, policy->name), cases[i].policy));
	}
	policy_image_unmap(image);
	close(fd);
	scratch_close(&s);
}

/* Each of a thousand rules is found by its own path and by no other; the walk by prefixes has no gaps. */
static void a_thousand_rules_are_told_apart(void)
{
	struct scratch s;
	const struct policy_image *image;
	size_t size;
	char *text, path[64];
	FILE *f = open_memstream(&text, &size);

	/* Names that differ in front of a star, behind one, or have none. */
	fputs("version: 1\nallow:\n", f);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "  - GET /containers/%s%d%s/%s\n", i % 3 ? "n" : "name", i, i % 5 ? "" : "*",
			i % 2 ? "json" : "logs");
	CU_ASSERT_EQUAL_FATAL(fclose(f), 0);
	image = compile(&s, text);
	for (int i = 0; i < 1000; i++) {
		struct policy_decision d = { 0 };
		const char *name = i % 3 ? "n" : "name";

		snprintf(path, sizeof(path), "/containers/%s%d/%s", name, i, i % 2 ? "json" : "logs");
		d = decide(image, HTTP_GET, path);
		CU_ASSERT_TRUE(d.allow);
		/* "n5*" takes "n50" as well, and stands before it; otherwise it is the rule's own line. */
		CU_ASSERT_TRUE(d.line == (unsigned)i + 3 ||
			       (d.line < (unsigned)i + 3 && memchr(d.rule.p, '*', d.rule.n)));
		snprintf(path, sizeof(path), "/containers/%s%d/top", name, i);
		CU_ASSERT_FALSE(decide(image, HTTP_GET, path).allow);
		snprintf(path, sizeof(path), "/containers/x%s%d/json", name, i);
		CU_ASSERT_FALSE(decide(image, HTTP_GET, path).allow);
	}
	policy_image_unmap(image);
	scratch_close(&s);
	free(text);
}

static void count(void *context, const struct policy_decision *decision)
{
	CU_ASSERT_FALSE(decision->allow);
	++*(unsigned *)context;
}

static void a_finding_names_field_value_rule_and_remedy(void)
{
	static const char text[] =
		"version: 1\nallow: [containers.create]\ncontainers:\n  cap_add: [CHOWN]\n";
	static const char body[] = "{\"HostConfig\":{\"CapAdd\":[\"\\\"SYS_ADMIN_"
				   "0123456789012345678901234567890123456789012345678"
				   "90123456789\"],\"Privileged\":true}}";
	const struct policy_image *image;
	struct policy_decision d = { 0 };
	struct json_body *document;
	unsigned findings = 0;
	struct scratch s;
	const char *why;

	image = compile(&s, text);
	CU_ASSERT_TRUE(decide(image, HTTP_POST, "/containers/create").allow);
	CU_ASSERT_EQUAL_FATAL(json_body_load(body, strlen(body), &document, &why), 0);
	policy_decide_body(image, policy_image_at(image, 0), &target, document, &d);
	CU_ASSERT_FALSE(d.allow);
	CU_ASSERT_EQUAL(d.status, 403);
	CU_ASSERT_EQUAL(d.line, 4);
	CU_ASSERT_TRUE(str_eqz(d.rule, "containers.cap_add"));
	CU_ASSERT_EQUAL(d.reason_len, strlen(d.reason));
	scratch_cut(&s, d.reason);
	CU_ASSERT_PTR_NOT_NULL(strstr(d.reason,
				      "containers.create is refused by policy p (p.yaml:4: "
				      "containers.cap_add): HostConfig.CapAdd[0] \"\\\"SYS_ADMIN_"));
	/* The value is cut short, and marked so. */
	CU_ASSERT_PTR_NOT_NULL(strstr(d.reason, "\"... "));
	CU_ASSERT_PTR_NULL(strstr(d.reason, "90123456789\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(d.reason, "; to allow it, add it to containers.cap_add in p.yaml"));
	CU_ASSERT_EQUAL(
		policy_findings(image, policy_image_at(image, 0), &target, document, count, &findings), 2);
	CU_ASSERT_EQUAL(findings, 2);
	json_body_free(document);
	policy_image_unmap(image);
	scratch_close(&s);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

/* A name of a few letters, with stars in a glob; short, so that globs and paths meet often. */
static const char *random_name(uint32_t *state, bool stars, char memory[static 16])
{
	static const char *const pieces[] = { "a", "b", "ab", "*", "**", "a*b" };
	unsigned n = 1 + next_random(state) % 4;

	memory[0] = '\0';
	while (n--) {
		size_t at = strlen(memory);
		const char *piece = pieces[next_random(state) % (stars ? 6 : 3)];

		/* "***" is no glob. */
		if (at && memory[at - 1] == '*' && piece[0] == '*')
			piece = "a";
		strcpy(memory + at, piece);
	}
	return memory;
}

/* The order of the globs and the two walks by it are a shortcut: the long way is to ask every rule. */
static void finds_what_asking_every_rule_finds(void)
{
	uint32_t state = 1;
	unsigned allowed = 0, wrong = 0;

	for (int round = 0; round < 40; round++) {
		const struct policy_image *image;
		const struct image_policy *policy;
		const struct image_glob *globs;
		char *text, name[16], path[64];
		struct scratch s;
		size_t size;
		FILE *f = open_memstream(&text, &size);

		fputs("version: 1\nallow:\n", f);
		for (int i = 0; i < 4; i++)
			fprintf(f, "  - GET /containers/%s/%s\n", random_name(&state, true, name),
				next_random(&state) % 2 ? "json" : "logs");
		CU_ASSERT_EQUAL_FATAL(fclose(f), 0);
		image = compile(&s, text);
		policy = policy_image_at(image, 0);
		globs = IMAGE_LIST(image, struct image_glob, policy->globs);
		for (int i = 0; i < 300; i++) {
			const struct image_glob *first = NULL;
			struct policy_decision d = { 0 };
			unsigned line = 0;

			snprintf(path, sizeof(path), "/containers/%s/%s", random_name(&state, false, name),
				 next_random(&state) % 2 ? "json" : "logs");
			for (uint32_t g = 0; g < policy->globs.count && !first; g++)
				if (policy_glob_match(image_string(image, globs[g].glob), globs[g].prefix,
						      globs[g].suffix, str_from(path)))
					first = &globs[g];
			if (first)
				line = first->source.line;
			d = decide(image, HTTP_GET, path);
			wrong += d.allow != (first != NULL) || d.line != line;
			allowed += d.allow;
		}
		policy_image_unmap(image);
		scratch_close(&s);
		free(text);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(allowed > 1000 && allowed < 11000);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "deny wins over allow, in any order and form", deny_wins_over_allow_in_any_order_and_form },
		{ "a refusal names the rule and how to allow it",
		  a_refusal_names_the_rule_and_how_to_allow_it },
		{ "names are those that objects can have", names_are_those_that_objects_can_have },
		{ "a form or an encoded body is refused", a_form_or_an_encoded_body_is_refused },
		{ "variables are named instead of files", variables_are_named_instead_of_files },
		{ "peers get the first policy that fits", peers_get_the_first_policy_that_fits },
		{ "a thousand rules are told apart", a_thousand_rules_are_told_apart },
		{ "a finding names field, value, rule and remedy",
		  a_finding_names_field_value_rule_and_remedy },
		{ "finds what asking every rule finds", finds_what_asking_every_rule_finds },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("policy/policy_decide", tests);
}
