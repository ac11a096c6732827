/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/api_target.h"
#include "check.h"
#include "config/compat_bind.h"
#include "config/compat_level.h"
#include "config/compat_warnings.h"
#include "config/config.h"
#include "policy/policy_decide.h"

#include <errno.h>
#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <unistd.h>

#define ENVIRONMENT_MAX 64

struct environment {
	char *block[ENVIRONMENT_MAX + 1];
	size_t n;
};

static void environment_add(struct environment *e, const char *name, const char *value)
{
	CU_ASSERT_FATAL(e->n < ENVIRONMENT_MAX);
	CU_ASSERT_FATAL(asprintf(&e->block[e->n++], "%s=%s", name, value) > 0);
	e->block[e->n] = NULL;
}

static void environment_free(struct environment *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->block[i]);
}

/* --- The cases of tests/vectors
 * ------------------------------------------------------------------------------- */

static bool method_of(const char *name, enum http_method *ret)
{
	for (unsigned m = 0; m < HTTP_METHODS; m++) {
		if (strcmp(http_method_name((enum http_method)m), name) == 0) {
			*ret = (enum http_method)m;
			return true;
		}
	}
	return false;
}

/* The glob of compat_level.h as a regular expression. */
static bool glob_matches(const char *glob, struct str path)
{
	char text[256], copy[512];
	struct buf b = buf_over(text, sizeof(text) - 1);
	regex_t regex;
	bool matches;

	buf_putc(&b, '^');
	for (const char *p = glob; *p; p++) {
		if (p[0] == '*' && p[1] == '*') {
			buf_puts(&b, ".*");
			p++;
		} else if (*p == '*') {
			buf_puts(&b, p[1] ? "[A-Za-z0-9_.-]+" : "[A-Za-z0-9_.-]*");
		} else {
			buf_putc(&b, *p);
		}
	}
	buf_putc(&b, '$');
	CU_ASSERT_FATAL(!b.overflow && path.n < sizeof(copy));
	text[b.n] = '\0';
	memcpy(copy, path.p, path.n);
	copy[path.n] = '\0';
	CU_ASSERT_FATAL(regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) == 0);
	matches = regexec(&regex, copy, 0, NULL, 0) == 0;
	regfree(&regex);
	return matches;
}

static bool rules_allow(enum compat_level level, const struct environment *e, const struct api_target *target)
{
	struct compat_rules rules;
	bool allow;

	compat_compile(level, e->block, &rules);
	allow = rules.verdicts[target->operation->id].allow;
	for (unsigned i = 0; i < rules.n_globs; i++) {
		const struct compat_glob *g = &rules.globs[i];

		if (!(g->methods & 1u << target->operation->method) || !glob_matches(g->glob, target->path))
			continue;
		if (!g->allow)
			return false;
		allow = true;
	}
	return allow;
}

static bool image_allows(const struct environment *e, const struct api_target *target)
{
	struct config_build *build = config_build_new();
	const struct policy_image *image = NULL;
	struct policy_decision decision = { 0 };
	const char *why = "";
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(build);
	CU_ASSERT_EQUAL_FATAL(config_load_environment(build, e->block, NULL), 0);
	fd = config_seal(build);
	config_build_free(build);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(policy_image_map(fd, &image, &why), 0);
	policy_decide(image, policy_image_find(image, STR("environment")), NULL, target, &decision);
	policy_image_unmap(image);
	close(fd);
	return decision.allow;
}

struct verdicts {
	bool rules;
	bool image;
};

/* What cannot be read counts as refused. A version that is spelt oddly is the daemon's business here. */
static struct verdicts judge(enum compat_level level, const struct environment *e, const char *method_name,
			     const char *text)
{
	static char scratch[API_TARGET_SCRATCH];
	struct api_target target;
	enum http_method method;
	const char *why;
	int r;

	if (!method_of(method_name, &method) || text[0] != '/')
		return (struct verdicts){ false, false };
	r = api_target_parse(method, str_from(text), scratch, &target, &why);
	if (r != 0 && r != -EPROTONOSUPPORT)
		return (struct verdicts){ false, false };
	return (struct verdicts){ rules_allow(level, e, &target), image_allows(e, &target) };
}

static void check_case(enum compat_level level, const json_t *row)
{
	bool expected = strcmp(json_string_value(json_object_get(row, "expect")), "allow") == 0;
	bool served = json_is_true(json_object_get(row, "served"));
	const char *method = json_string_value(json_object_get(row, "method"));
	const char *path = json_string_value(json_object_get(row, "path"));
	struct environment e = { .n = 0 };
	json_t *variables = json_object_get(row, "env");
	struct verdicts v;

	environment_add(&e, "SOCKGATE_COMPAT", compat_level_name(level));
	for (void *i = json_object_iter(variables); i; i = json_object_iter_next(variables, i))
		environment_add(&e, json_object_iter_key(i), json_string_value(json_object_iter_value(i)));
	v = judge(level, &e, method, path);
	/* What no route serves may be refused, and may never be allowed where theirs refuses. */
	if (served || !expected) {
		if (v.rules != expected || v.image != expected)
			fprintf(stderr, "%s: %s %s: rules %d, image %d: %s\n", compat_level_name(level),
				method, path, v.rules, v.image,
				json_string_value(json_object_get(row, "note")));
		CU_ASSERT_EQUAL(v.rules, expected);
		CU_ASSERT_EQUAL(v.image, expected);
	}
	environment_free(&e);
}

static void check_file(enum compat_level level, const char *name)
{
	char path[512], line[8192];
	unsigned n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", TEST_VECTORS, name);
	file = fopen(path, "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	while (fgets(line, sizeof(line), file)) {
		json_t *row = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		CU_ASSERT_PTR_NOT_NULL_FATAL(row);
		check_case(level, row);
		json_decref(row);
		n++;
	}
	fclose(file);
	CU_ASSERT_TRUE(n > 100);
}

static void tecnativa_cases_have_their_verdicts(void)
{
	check_file(COMPAT_TECNATIVA, "tecnativa_cases.jsonl");
}

static void linuxserver_cases_have_their_verdicts(void)
{
	check_file(COMPAT_LINUXSERVER, "linuxserver_cases.jsonl");
}

static void tecnativa_next_cases_have_their_verdicts(void)
{
	check_file(COMPAT_TECNATIVA_NEXT, "tecnativa_next_cases.jsonl");
}

/* --- The parts
 * ------------------------------------------------------------------------------------------------ */

static void truth_is_a_leading_integer(void)
{
	static const char *const yes[] = { "1", "2", "-1", "01", "+1", "1abc", "1.0", "1 " };
	static const char *const no[] = { "true", "yes", "on",  "",  " 1", "0",
					  "00",   "0x1", "0.5", "-", "-0", "+-1" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		CU_ASSERT_TRUE(compat_is_true(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		CU_ASSERT_FALSE(compat_is_true(no[i]));
}

static void a_links_alias_opens_nothing(void)
{
	struct environment e = { .n = 0 };

	environment_add(&e, "SOCKGATE_COMPAT", "tecnativa-next");
	environment_add(&e, "CONTAINERS", "1");
	environment_add(&e, "POST", "1");
	environment_add(&e, "ALLOW_STOP", "1");
	CU_ASSERT_FALSE(judge(COMPAT_TECNATIVA_NEXT, &e, "GET", "/containers/web/db/logs").image);
	CU_ASSERT_FALSE(judge(COMPAT_TECNATIVA_NEXT, &e, "POST", "/containers/web/stop/exec").image);
	environment_free(&e);
	e.n = 0;
	environment_add(&e, "POST", "1");
	environment_add(&e, "ALLOW_STOP", "1");
	CU_ASSERT_TRUE(judge(COMPAT_TECNATIVA, &e, "POST", "/containers/web/stop").image);
	CU_ASSERT_FALSE(judge(COMPAT_TECNATIVA, &e, "POST", "/containers/web/stop/exec").image);
	environment_free(&e);
}

static void refusals_name_the_variable(void)
{
	struct environment e = { .n = 0 };
	struct compat_rules rules;

	environment_add(&e, "CONTAINERS", "1");
	compat_compile(COMPAT_TECNATIVA, e.block, &rules);
	CU_ASSERT_TRUE(rules.verdicts[API_OP_CONTAINERS_LIST].allow);
	CU_ASSERT_PTR_NULL(rules.verdicts[API_OP_CONTAINERS_LIST].method);
	CU_ASSERT_STRING_EQUAL(rules.verdicts[API_OP_CONTAINERS_CREATE].variable, "POST");
	CU_ASSERT_STRING_EQUAL(rules.verdicts[API_OP_IMAGES_BUILD].variable, "BUILD");
	CU_ASSERT_PTR_NULL(rules.verdicts[API_OP_DEBUG_VARS].variable);
	compat_compile(COMPAT_TECNATIVA_NEXT, e.block, &rules);
	CU_ASSERT_STRING_EQUAL(rules.verdicts[API_OP_CONTAINERS_LOGS].variable, "ALLOW_LOGS");
	CU_ASSERT_STRING_EQUAL(rules.verdicts[API_OP_CONTAINERS_DELETE].variable, "DELETE");
	environment_free(&e);
}

static void addresses_are_haproxys(void)
{
	static const struct {
		const char *text;
		bool is_unix;
		const char *address;
		unsigned port;
	} good[] = {
		{ ":2375", false, "", 2375 },
		{ "*:1", false, "", 1 },
		{ "0.0.0.0:1234", false, "0.0.0.0", 1234 },
		{ "[::]:2375 v4v6", false, "", 2375 },
		{ "[::1]:2375", false, "::1", 2375 },
		{ ":::2375", false, "::", 2375 },
		{ "/shared/x.sock mode 660", true, "/shared/x.sock", 0 },
		{ "unix@/shared/x.sock", true, "/shared/x.sock", 0 },
	};
	static const char *const bad[] = { "",
					   "2375",
					   ":0",
					   ":65536",
					   ":80-90",
					   "abns@x:1",
					   "unix@x:1",
					   ":2375 ssl crt /x",
					   ":2375 mode",
					   ":2375 mode 999",
					   ":1,",
					   "host",
					   ":2375 accept-proxy",
					   "a:b@c:1" };
	struct compat_bind binds[2];
	const char *why = NULL;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CU_ASSERT_EQUAL_FATAL(compat_bind_parse(str_from(good[i].text), binds, 2, &why), 1);
		CU_ASSERT_EQUAL(binds[0].address.is_unix, good[i].is_unix);
		CU_ASSERT_TRUE(str_eqz(binds[0].address.address, good[i].address));
		CU_ASSERT_EQUAL(binds[0].address.port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		CU_ASSERT_EQUAL(compat_bind_parse(str_from(bad[i]), binds, 2, &why), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(why);
	}
	CU_ASSERT_EQUAL(compat_bind_parse(STR(":1,/x mode 600 group docker"), binds, 2, &why), 2);
	CU_ASSERT_EQUAL(binds[1].mode, 0600);
	CU_ASSERT_TRUE(str_eqz(binds[1].group, "docker"));
	CU_ASSERT_EQUAL(compat_bind_parse(STR(":1,:2,:3"), binds, 2, &why), -E2BIG);
}

static unsigned warnings(enum compat_level level, const char *name, const char *value)
{
	char *block[] = { NULL, NULL };
	unsigned n;

	CU_ASSERT_FATAL(asprintf(&block[0], "%s=%s", name, value) > 0);
	n = compat_warn(level, block, NULL);
	free(block[0]);
	return n;
}

static void variables_that_do_nothing_are_warned_about(void)
{
	static const struct {
		const char *name;
		const char *value;
	} warned[] = {
		{ "LOGS", "1" },          { "DELETE", "1" },        { "ALLOW_LOGS", "0" },
		{ "ALLOW_PAUSE", "1" },   { "containers", "1" },    { "CONTAINER", "1" },
		{ "CONTAINERS", "true" }, { "ALLOW_NOTHING", "1" }, { "ALLOW_START", "1" },
		{ "AUTH", "1" },          { "LIBPOD_INFO", "1" },   { "LOG_LEVEL", "err" },
	};

	for (size_t i = 0; i < sizeof(warned) / sizeof(warned[0]); i++)
		CU_ASSERT_EQUAL(warnings(COMPAT_TECNATIVA, warned[i].name, warned[i].value), 1);
	CU_ASSERT_EQUAL(warnings(COMPAT_LINUXSERVER, "ALLOW_START", "1"), 0);
	CU_ASSERT_EQUAL(warnings(COMPAT_TECNATIVA, "CONTAINERS", "1"), 0);
	CU_ASSERT_EQUAL(warnings(COMPAT_TECNATIVA, "HOME", "/root"), 0);
	CU_ASSERT_EQUAL(warnings(COMPAT_TECNATIVA, "CI", "true"), 0);
	CU_ASSERT_EQUAL(warnings(COMPAT_TECNATIVA, "PORT", "8080"), 0);
}

/* --- The whole
 * ------------------------------------------------------------------------------------------------ */

static const struct policy_image *load(char *const *block, int *ret_fd)
{
	struct config_build *build = config_build_new();
	const struct policy_image *image = NULL;
	const char *why = "";

	CU_ASSERT_PTR_NOT_NULL_FATAL(build);
	CU_ASSERT_EQUAL_FATAL(config_load_environment(build, block, NULL), 0);
	*ret_fd = config_seal(build);
	config_build_free(build);
	CU_ASSERT_FATAL(*ret_fd >= 0);
	CU_ASSERT_EQUAL_FATAL(policy_image_map(*ret_fd, &image, &why), 0);
	return image;
}

static void the_seeds_compose_file_starts_unchanged(void)
{
	char *block[] = { (char *)"CONTAINERS=1", (char *)"POST=1",        (char *)"BUILD=1",
			  (char *)"IMAGES=1",     (char *)"NETWORKS=1",    (char *)"VOLUMES=1",
			  (char *)"EXEC=1",       (char *)"ALLOW_START=1", (char *)"ALLOW_STOP=1",
			  (char *)"SERVICES=0",   (char *)"SWARM=0",       NULL };
	int fd;
	const struct policy_image *image = load(block, &fd);
	const struct image_listener *listener = IMAGE_LIST(image, struct image_listener, image->listeners);
	const struct image_engine *engine = IMAGE_LIST(image, struct image_engine, image->engines);
	const struct image_policy *policy = policy_image_find(image, STR("environment"));

	CU_ASSERT_EQUAL(compat_warn(COMPAT_TECNATIVA, block, NULL), 0);
	CU_ASSERT_EQUAL(image->listeners.count, 1);
	CU_ASSERT_EQUAL(listener->kind, IMAGE_TCP);
	CU_ASSERT_EQUAL(listener->port, 2375);
	CU_ASSERT_EQUAL(listener->address.len, 0);
	CU_ASSERT_TRUE(str_eqz(image_string(image, engine->address), "/var/run/docker.sock"));
	CU_ASSERT_NOT_EQUAL(policy->verdicts[API_OP_CONTAINERS_CREATE].allow, 0);
	CU_ASSERT_NOT_EQUAL(policy->verdicts[API_OP_IMAGES_BUILD].allow, 0);
	CU_ASSERT_NOT_EQUAL(policy->verdicts[API_OP_SERVICES_LIST].deny, 0);
	/* Theirs reads no body; what may be asked for is limited here all the same. */
	CU_ASSERT_FALSE(policy_bool(policy, POLICY_KEY_CONTAINERS_PRIVILEGED));
	policy_image_unmap(image);
	close(fd);
}

static void bodies_are_not_judged_only_when_said(void)
{
	char *block[] = { (char *)"CONTAINERS=1", (char *)"POST=1", (char *)"SOCKGATE_INSPECT=0", NULL };
	int fd;
	const struct policy_image *image = load(block, &fd);
	const struct image_policy *policy = policy_image_find(image, STR("environment"));

	CU_ASSERT_EQUAL(compat_warn(COMPAT_TECNATIVA, block, NULL), 0);
	CU_ASSERT_TRUE(policy_bool(policy, POLICY_KEY_CONTAINERS_PRIVILEGED));
	policy_image_unmap(image);
	close(fd);
}

static void a_workspace_is_the_one_directory_that_may_be_mounted(void)
{
	char *block[] = { (char *)"CONTAINERS=1",
			  (char *)"WORKSPACE_DIR=/srv/work \"x\"/",
			  (char *)"APP_BASE_URL=https://App.example.com:443/login",
			  (char *)"DISABLE_IPV6=yes",
			  (char *)"SOCKET_PATH=docker:2375",
			  NULL };
	int fd;
	const struct policy_image *image = load(block, &fd);
	const struct image_policy *policy = policy_image_find(image, STR("environment"));
	const struct image_value *binds = &policy->values[POLICY_KEY_CONTAINERS_BINDS];
	const struct image_bind *bind = IMAGE_LIST(image, struct image_bind, binds->list);
	const struct image_listener *listener = IMAGE_LIST(image, struct image_listener, image->listeners);
	const struct image_str *origin = IMAGE_LIST(image, struct image_str, listener->allowed_origins);
	const struct image_engine *engine = IMAGE_LIST(image, struct image_engine, image->engines);

	CU_ASSERT_EQUAL_FATAL(binds->list.count, 1);
	CU_ASSERT_TRUE(str_eqz(image_string(image, bind->source), "/srv/work \"x\""));
	CU_ASSERT_EQUAL(bind->read_only, 1);
	CU_ASSERT_EQUAL(bind->force, 1);
	CU_ASSERT_FALSE(policy_bool(policy, POLICY_KEY_CONTAINERS_PRIVILEGED));
	CU_ASSERT_EQUAL_FATAL(listener->allowed_origins.count, 1);
	CU_ASSERT_TRUE(str_eqz(image_string(image, *origin), "https://app.example.com"));
	CU_ASSERT_TRUE(str_eqz(image_string(image, listener->address), "0.0.0.0"));
	CU_ASSERT_EQUAL(engine->kind, IMAGE_TCP);
	CU_ASSERT_EQUAL(engine->port, 2375);
	policy_image_unmap(image);
	close(fd);
}

static void what_stops_theirs_stops_this(void)
{
	static const char *const bad[] = { "SOCKET_PATH=",
					   "SOCKET_PATH=docker",
					   "LOG_LEVEL=error",
					   "LOG_LEVEL=INFO",
					   "BIND_CONFIG=:2375 ssl",
					   "SOCKGATE_COMPAT=nginx",
					   "ALLOWED_ORIGINS=*",
					   "WORKSPACE_DIR=work",
					   "WORKSPACE_DIR=/a/../b",
					   "SOCKGATE_INSPECT=no",
					   "ALLOWED_ORIGINS=x.y",
					   "ALLOWED_ORIGINS=https://",
					   "ALLOWED_ORIGINS=https://a/b" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *block[] = { strdup(bad[i]), NULL };
		struct config_build *build = config_build_new();
		char *text = NULL;
		size_t size = 0;
		FILE *errors = open_memstream(&text, &size);

		CU_ASSERT_PTR_NOT_NULL_FATAL(errors);
		CU_ASSERT_EQUAL(config_load_environment(build, block, errors), -EINVAL);
		fclose(errors);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, ":0:0: "));
		config_build_free(build);
		free(text);
		free(block[0]);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "tecnativa: every case has its verdict", tecnativa_cases_have_their_verdicts },
		{ "linuxserver: every case has its verdict", linuxserver_cases_have_their_verdicts },
		{ "tecnativa-next: every case has its verdict", tecnativa_next_cases_have_their_verdicts },
		{ "truth is a leading integer", truth_is_a_leading_integer },
		{ "a link's alias opens nothing", a_links_alias_opens_nothing },
		{ "refusals name the variable", refusals_name_the_variable },
		{ "addresses are HAProxy's", addresses_are_haproxys },
		{ "variables that do nothing are warned about", variables_that_do_nothing_are_warned_about },
		{ "bodies are not judged only when said", bodies_are_not_judged_only_when_said },
		{ "the seeds' compose file starts unchanged", the_seeds_compose_file_starts_unchanged },
		{ "a workspace is the one directory that may be mounted",
		  a_workspace_is_the_one_directory_that_may_be_mounted },
		{ "what stops theirs stops this", what_stops_theirs_stops_this },
		CU_TEST_INFO_NULL,
	};

	return check_main("config/compat", tests);
}
