/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/api_target.h"
#include "check.h"

#include <errno.h>
#include <stdio.h>

static char scratch[API_TARGET_SCRATCH];

static int parse(enum http_method method, const char *text, struct api_target *ret)
{
	const char *why = NULL;
	int r = api_target_parse(method, str_from(text), scratch, ret, &why);

	CU_ASSERT_TRUE(r == 0 || why);
	return r;
}

static bool writes(const struct api_target *target, const char *expected)
{
	char memory[1024];
	struct buf b = buf_over(memory, sizeof(memory));

	api_target_write(target, &b);
	if (!str_eqz(buf_view(&b), expected))
		fprintf(stderr, "%.*s is not %s\n", STR_ARG(buf_view(&b)), expected);
	return !b.overflow && str_eqz(buf_view(&b), expected);
}

static void what_the_daemon_serves_is_written_canonically(void)
{
	static const struct {
		enum http_method method;
		const char *target;
		const char *operation;
		const char *written;
	} cases[] = {
		{ HTTP_GET, "/v1.41/containers/json", "containers.list", "/v1.41/containers/json" },
		{ HTTP_GET, "/containers/json?all=1", "containers.list", "/containers/json?all=1" },
		{ HTTP_POST, "/v1.41%2fcontainers%2fcreate", "containers.create",
		  "/v1.41/containers/create" },
		{ HTTP_GET, "/v1%2e41/containers/json", "containers.list", "/v1.41/containers/json" },
		{ HTTP_GET, "/containers%2Fjson", "containers.list", "/containers/json" },
		{ HTTP_POST, "/%76%31.41/%63ontainers/cre%61te", "containers.create",
		  "/v1.41/containers/create" },
		{ HTTP_GET, "/%5Fping", "system.ping", "/_ping" },
		{ HTTP_GET, "/_ping?", "system.ping", "/_ping" },
		{ HTTP_HEAD, "/_ping", "system.ping_head", "/_ping" },
		{ HTTP_GET, "/images/library%2Fbb/json", "images.inspect", "/images/library/bb/json" },
		{ HTTP_GET, "/images/a%3Ab%40sha256:0/json", "images.inspect", "/images/a:b@sha256:0/json" },
		{ HTTP_GET, "/networks/", "networks.list", "/networks" },
		{ HTTP_GET, "/v1.41/networks/?filters=", "networks.list", "/v1.41/networks?filters=" },
		{ HTTP_GET, "/networks/x/connect", "networks.inspect", "/networks/x/connect" },
		{ HTTP_GET, "/debug/pprof/", "debug.pprof_index", "/debug/pprof/" },
		{ HTTP_OPTIONS, "/containers/json", "system.options", "/containers/json" },
		{ HTTP_POST, "/containers/a%20b%3f%23%25/start", "containers.start",
		  "/containers/a%20b%3F%23%25/start" },
		{ HTTP_POST, "/images/create/push?tag=x", "images.push", "/images/create/push?tag=x" },
		{ HTTP_POST, "/containers/web/stop/exec", "exec.create", "/containers/web/stop/exec" },
		{ HTTP_DELETE, "/v1.41/containers/x?v=False&link=False&force=False", "containers.delete",
		  "/v1.41/containers/x?v=False&link=False&force=False" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct api_target target;
		int r = parse(cases[i].method, cases[i].target, &target);

		CU_ASSERT_EQUAL(r, 0);
		if (r == 0) {
			CU_ASSERT_STRING_EQUAL(target.operation->name, cases[i].operation);
			CU_ASSERT_TRUE(writes(&target, cases[i].written));
		}
	}
}

static void what_could_be_read_in_two_ways_is_refused(void)
{
	static const char *const targets[] = {
		"",
		"x",
		"*",
		"http://h/containers/json",
		"unix:///containers/json",
		"containers/json",
		"//containers/json",
		"/containers//json",
		"/containers/%2Fjson",
		"/./containers/json",
		"/x/../containers/json",
		"/_ping/../containers/json",
		"/_ping/%2e%2e/containers/json",
		"/x/%2e",
		"/containers/web/..",
		"/containers/web/.",
		"/..",
		"/.",
		"/containers/json/",
		"/_ping/",
		"/volumes/",
		"/containers/networks/",
		"/networks/x/",
		"/containers/",
		"/containers/json%2f",
		"/containers/a%00b/json",
		"/containers/a%0ab/json",
		"/containers/a%7fb/json",
		"/containers/caf%c3%a9/json",
		"/containers/caf\xc3\xa9/json",
		"/containers/json#x",
		"/containers/ json",
		"/containers/json%",
		"/containers/json%4",
		"/containers/json%zz",
		"/containers/%u0041/json",
		"/containers/json?all=%",
		"/containers/json?all=%4",
		"/containers/json?al%g1=1",
		"/containers/json?all=1;size=1",
		"/containers/json?;",
		"/containers/json?all=%00",
		"/containers/json?all=%1b",
		"/containers/json?al%0a=1",
		"/containers/json?all=%ff",
		"/containers/json?all=%c0%af",
		"/containers/json?all=%ed%a0%80",
		"/containers/json?all=%e2%82",
		"/containers/json?all=%f4%90%80%80",
		"/containers/json?all=%c2%85",
		"/containers/json?all=\x80",
		"/containers/json?all=1#x",
		"/containers/json?all=1&all=1",
		"/containers/json?all=1&%61ll=0",
		"/containers/json?all&all",
	};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct api_target target;
		int r = parse(HTTP_GET, targets[i], &target);

		if (r != -EBADMSG)
			fprintf(stderr, "%s: %d\n", targets[i], r);
		CU_ASSERT_EQUAL(r, -EBADMSG);
	}
}

static void what_is_not_in_the_table_is_refused_by_name(void)
{
	static const char *const targets[] = {
		"/",
		"/versionx",
		"/containers/json%3fall=1",
		"/containers;x",
		"/CONTAINERS/json",
		"/v1.41",
		"/v1.41/v1.41/containers/json",
		"/V1.41/containers/json",
		"/libpod/info",
		"/v/containers/json",
		"/v1,41/containers/json",
		"/vX/containers/json",
		"/metrics",
	};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct api_target target;

		CU_ASSERT_EQUAL(parse(HTTP_GET, targets[i], &target), -ENOENT);
	}
}

static void versions_are_two_digits_from_24(void)
{
	static const char *const odd[] = {
		"v1.23",  "v1.09", "v1",     "v1.",   "v1.4",     "v1.41.", "v1.41.0", "v01.41", "v1.041",
		"v1.411", "v2.41", "v1..41", "v....", "v99999.9", "v1.4.1", "v11.41",  "v.1.41",
	};
	struct api_target target;
	char text[64];

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		snprintf(text, sizeof(text), "/%s/containers/x/json?size=1", odd[i]);
		CU_ASSERT_EQUAL(parse(HTTP_GET, text, &target), -EPROTONOSUPPORT);
		/* Complete all the same, for a compatibility level. */
		CU_ASSERT_TRUE(str_eqz(target.version, odd[i]));
		CU_ASSERT_EQUAL(target.minor, 0);
		CU_ASSERT_TRUE(writes(&target, text));
	}
	CU_ASSERT_EQUAL(parse(HTTP_GET, "/v1.24/info", &target), 0);
	CU_ASSERT_EQUAL(target.minor, 24);
	CU_ASSERT_EQUAL(parse(HTTP_GET, "/v1.99/info", &target), 0);
	CU_ASSERT_EQUAL(target.minor, 99);
	CU_ASSERT_EQUAL(parse(HTTP_GET, "/version", &target), 0);
	CU_ASSERT_EQUAL(target.version.n, 0);
	/* Other faults come first. */
	CU_ASSERT_EQUAL(parse(HTTP_GET, "/v1.2/containers/json?all=%", &target), -EBADMSG);
	CU_ASSERT_EQUAL(parse(HTTP_GET, "/v1.2/nothing", &target), -ENOENT);
	CU_ASSERT_TRUE(str_eqz(target.path, "/nothing"));
}

static void queries_are_read_as_parsequery_does(void)
{
	struct api_target target;

	CU_ASSERT_EQUAL(parse(HTTP_POST, "/containers/web/rename?&&%6eame=a+b%2Bc&x==&y", &target), 0);
	CU_ASSERT_EQUAL(target.n_query, 3);
	CU_ASSERT_TRUE(str_eqz(api_query_get(&target, "name"), "a b+c"));
	CU_ASSERT_TRUE(target.query[0].known);
	CU_ASSERT_TRUE(str_eqz(api_query_get(&target, "x"), "="));
	CU_ASSERT_FALSE(target.query[1].known);
	CU_ASSERT_PTR_NOT_NULL(api_query_get(&target, "y").p);
	CU_ASSERT_EQUAL(api_query_get(&target, "y").n, 0);
	CU_ASSERT_PTR_NULL(api_query_get(&target, "Name").p);
	CU_ASSERT_TRUE(writes(&target, "/containers/web/rename?name=a%20b%2Bc&x=%3D&y="));
	CU_ASSERT_EQUAL(parse(HTTP_POST, "/commit?comment=caf%C3%A9%0Atwo%09lines", &target), 0);
	CU_ASSERT_TRUE(str_eqz(api_query_get(&target, "comment"), "caf\xc3\xa9\ntwo\tlines"));
	CU_ASSERT_TRUE(writes(&target, "/commit?comment=caf%C3%A9%0Atwo%09lines"));
}

static void only_keys_that_the_daemon_reads_more_than_once_may_repeat(void)
{
	struct api_target target;

	CU_ASSERT_EQUAL(parse(HTTP_POST, "/build?t=a&t=b&extrahosts=x&extrahosts=y", &target), 0);
	CU_ASSERT_TRUE(writes(&target, "/build?t=a&t=b&extrahosts=x&extrahosts=y"));
	CU_ASSERT_EQUAL(parse(HTTP_POST, "/build?remote=a&remote=b", &target), -EBADMSG);
	CU_ASSERT_EQUAL(parse(HTTP_POST, "/containers/web/rename?name=A&name=B", &target), -EBADMSG);
	CU_ASSERT_EQUAL(parse(HTTP_GET, "/images/get?names=a&names=b", &target), 0);
	CU_ASSERT_EQUAL(parse(HTTP_POST, "/containers/web/stop?z=1&z=2", &target), 0);
}

static void a_create_loses_the_keys_that_nobody_reads(void)
{
	struct api_target target;

	CU_ASSERT_EQUAL(parse(HTTP_POST, "/containers/create?Image=bb&Cmd=a&Cmd=b&name=dj1&HostConfig=%7B%7D",
			      &target),
			0);
	CU_ASSERT_EQUAL(target.n_query, 1);
	CU_ASSERT_TRUE(writes(&target, "/containers/create?name=dj1"));
	CU_ASSERT_EQUAL(parse(HTTP_POST, "/containers/create?name=a&name=b", &target), -EBADMSG);
	CU_ASSERT_EQUAL(parse(HTTP_POST, "/containers/create?Image=%zz", &target), -EBADMSG);
}

static void booleans_are_mobys(void)
{
	static const struct {
		const char *query;
		bool value;
	} cases[] = {
		{ "", false },
		{ "force", false },
		{ "force=", false },
		{ "force=0", false },
		{ "force=No", false },
		{ "force=FALSE", false },
		{ "force=%20none+", false },
		{ "force=00", true },
		{ "force=f", true },
		{ "force=off", true },
		{ "force=2", true },
		{ "force=1", true },
		{ "force=true", true },
		{ "Force=1", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct api_target target;
		char text[64];

		snprintf(text, sizeof(text), "/containers/x?%s", cases[i].query);
		CU_ASSERT_EQUAL(parse(HTTP_DELETE, text, &target), 0);
		CU_ASSERT_EQUAL(api_query_bool(&target, "force"), cases[i].value);
	}
}

static void limits_are_kept(void)
{
	static char text[API_TARGET_SCRATCH + 2];
	struct api_target target;
	struct buf b = buf_over(text, sizeof(text) - 1);
	const char *why;

	buf_puts(&b, "/events?");
	for (unsigned i = 0; i < API_QUERY_MAX; i++)
		buf_printf(&b, "k%u=1&", i);
	CU_ASSERT_EQUAL(parse(HTTP_GET, text, &target), 0);
	CU_ASSERT_EQUAL(target.n_query, API_QUERY_MAX);
	buf_puts(&b, "more=1");
	CU_ASSERT_EQUAL(parse(HTTP_GET, text, &target), -EBADMSG);
	memset(text, 'a', sizeof(text));
	memcpy(text, "/images/", 8);
	CU_ASSERT_EQUAL(api_target_parse(HTTP_DELETE, (struct str){ text, API_TARGET_SCRATCH }, scratch,
					 &target, &why),
			0);
	CU_ASSERT_EQUAL(api_target_parse(HTTP_DELETE, (struct str){ text, API_TARGET_SCRATCH + 1 }, scratch,
					 &target, &why),
			-EBADMSG);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "what the daemon serves is written canonically",
		  what_the_daemon_serves_is_written_canonically },
		{ "what could be read in two ways is refused", what_could_be_read_in_two_ways_is_refused },
		{ "what is not in the table is refused by name",
		  what_is_not_in_the_table_is_refused_by_name },
		{ "versions are two digits, from 24", versions_are_two_digits_from_24 },
		{ "queries are read as ParseQuery does", queries_are_read_as_parsequery_does },
		{ "only keys that the daemon reads more than once may repeat",
		  only_keys_that_the_daemon_reads_more_than_once_may_repeat },
		{ "a create loses the keys that nobody reads", a_create_loses_the_keys_that_nobody_reads },
		{ "booleans are moby's", booleans_are_mobys },
		{ "limits are kept", limits_are_kept },
		CU_TEST_INFO_NULL,
	};

	return check_main("api/api_target", tests);
}
