/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/api_target.h"
#include "check.h"

#include <regex.h>
#include <stdio.h>

/* What moby registers, in its order. */
struct mux_route {
	int order;
	enum http_method method;
	const char *pattern;
	const char *example;
	enum api_section section;
	const char *keys;
};

static const struct mux_route routes[] = {
#define ROUTE(order, method, pattern, example, section, keys) \
	{ order, HTTP_##method, pattern, example, API_##section, keys },
#define NO_ROUTE(method, path)
#include "../../vectors/api_routes.inc"
#undef ROUTE
#undef NO_ROUTE
};

static const struct {
	enum http_method method;
	const char *path;
} removed[] = {
#define ROUTE(...)
#define NO_ROUTE(method, path) { HTTP_##method, path },
#include "../../vectors/api_routes.inc"
#undef ROUTE
#undef NO_ROUTE
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

/* The one row without an operation of its own: GET /networks/ is GET /networks. */
#define NETWORKS_SLASH 108

static const struct api_operation *operation_of(size_t route)
{
	size_t index = 0;

	for (size_t i = 0; i < route; i++)
		index += routes[i].order != NETWORKS_SLASH;
	if (routes[route].order == NETWORKS_SLASH)
		return api_operation_by_name(STR("networks.list"));
	return index < API_OPERATIONS ? &api_operations[index] : NULL;
}

/*
 * Writes mux's pattern as an extended regular expression. ".*" is taken for ".+": an empty parameter needs a
 * path that api_target_parse() refuses.
 */
static void write_regex(const char *pattern, char *out, size_t cap)
{
	struct buf b = buf_over(out, cap - 1);

	buf_putc(&b, '^');
	for (const char *p = pattern; *p; p++) {
		if (*p == '{') {
			const char *end = strchr(p, '}');
			bool spans = memchr(p, '*', (size_t)(end - p)) || memchr(p, '+', (size_t)(end - p));

			buf_puts(&b, spans ? "(.+)" : "([^/]+)");
			p = end;
		} else {
			buf_putc(&b, *p);
		}
	}
	buf_putc(&b, '$');
	CU_ASSERT_FALSE_FATAL(b.overflow);
	out[b.n] = '\0';
}

static void every_row_of_the_api_is_the_operation_in_its_place(void)
{
	size_t own = 0;

	for (size_t i = 0; i < N_ROUTES; i++) {
		const struct api_operation *operation = operation_of(i);
		struct api_target target;
		char scratch[API_TARGET_SCRATCH];
		const char *why = "";
		int r = api_target_parse(routes[i].method, str_from(routes[i].example), scratch, &target,
					 &why);

		CU_ASSERT_PTR_NOT_NULL_FATAL(operation);
		CU_ASSERT_EQUAL(routes[i].order, (int)i);
		CU_ASSERT_EQUAL(r, 0);
		CU_ASSERT_PTR_EQUAL(target.operation, operation);
		CU_ASSERT_EQUAL(operation->method, routes[i].method);
		CU_ASSERT_EQUAL(operation->section, routes[i].section);
		if (target.operation != operation)
			fprintf(stderr, "%s: %s is not %s\n", routes[i].example, why, operation->name);
		own += routes[i].order != NETWORKS_SLASH;
	}
	CU_ASSERT_EQUAL(own, API_OPERATIONS);
}

static bool word_in(const char *list, struct str word)
{
	const char *at = list;

	while ((at = memmem(at, strlen(at), word.p, word.n))) {
		if ((at == list || at[-1] == ' ') && (at[word.n] == ' ' || at[word.n] == '\0'))
			return true;
		at++;
	}
	return false;
}

static void every_documented_query_key_is_known(void)
{
	for (size_t i = 0; i < N_ROUTES; i++) {
		const struct api_operation *operation = operation_of(i);

		for (const char *p = routes[i].keys; *p;) {
			const char *end = strchrnul(p, ' ');
			struct str key = { p, (size_t)(end - p) };
			bool once = word_in(operation->query, key);
			bool often = word_in(operation->repeatable, key);

			CU_ASSERT_NOT_EQUAL(once, often);
			p = *end ? end + 1 : end;
		}
	}
}

/* mux: the first route whose method and pattern fit. Compiled once, since there are thousands of questions.
 */
static int mux_first(const regex_t *regexes, enum http_method method, const char *path)
{
	for (size_t i = 0; i < N_ROUTES; i++) {
		if (routes[i].method == method && regexec(&regexes[i], path, 0, NULL, 0) == 0)
			return (int)i;
	}
	return -1;
}

static void routing_is_that_of_a_scan_of_all_patterns(void)
{
	static const char *const heads[] = {
		"containers", "images",  "exec",  "networks", "volumes", "plugins",   "distribution",
		"services",   "tasks",   "nodes", "secrets",  "configs", "swarm",     "build",
		"system",     "debug",   "_ping", "version",  "info",    "events",    "auth",
		"commit",     "session", "grpc",  "libpod",   "v1.41",   "container", "containersx",
	};
	static const char *const tails[] = {
		"",
		"/json",
		"/create",
		"/web",
		"/web/json",
		"/web/a/json",
		"/json/json",
		"/create/push",
		"/load/tag",
		"/web/stop",
		"/web/stop/exec",
		"/web/exec/start",
		"/web/start",
		"/x/connect",
		"/prune",
		"/web/attach/ws",
		"/attach/ws",
		"/a/checkpoints/b",
		"/a/b/checkpoints/c",
		"/a/checkpoints/b/c",
		"/a/checkpoints",
		"/checkpoints",
		"/get",
		"/web/get",
		"/get/get",
		"/search",
		"/privileges",
		"/privileges/json",
		"/web/update",
		"/a/b/update",
		"/web/logs",
		"/a/b/logs",
		"/init",
		"/unlockkey",
		"/df",
		"/vars",
		"/pprof",
		"/pprof/heap",
		"/pprof/heap/x",
		"/pprof/trace",
		"/web/stopx",
		"/pull",
		"/web/pull",
		"/cancel",
		"/a/b",
		"/a/disconnect",
		"/connect",
		"/a/archive",
		"/JSON",
	};
	regex_t regexes[N_ROUTES];
	size_t routed = 0;

	for (size_t i = 0; i < N_ROUTES; i++) {
		char text[256];

		write_regex(routes[i].pattern, text, sizeof(text));
		CU_ASSERT_EQUAL_FATAL(regcomp(&regexes[i], text, REG_EXTENDED | REG_NOSUB), 0);
	}
	for (size_t h = 0; h < sizeof(heads) / sizeof(heads[0]); h++) {
		for (size_t t = 0; t < sizeof(tails) / sizeof(tails[0]); t++) {
			char path[128];
			struct str names[API_NAMES_MAX];

			snprintf(path, sizeof(path), "/%s%s", heads[h], tails[t]);
			for (int m = 0; m < HTTP_METHODS; m++) {
				int expected = mux_first(regexes, (enum http_method)m, path);
				const struct api_operation *found =
					api_route((enum http_method)m, str_from(path), names);

				if (found != (expected < 0 ? NULL : operation_of((size_t)expected)))
					fprintf(stderr, "%d %s: %s\n", m, path, found ? found->name : "none");
				CU_ASSERT_PTR_EQUAL(found,
						    expected < 0 ? NULL : operation_of((size_t)expected));
				routed += found != NULL;
			}
		}
	}
	CU_ASSERT_TRUE(routed > 1000);
	for (size_t i = 0; i < N_ROUTES; i++)
		regfree(&regexes[i]);
}

static void parameters_are_slices_of_the_path(void)
{
	struct str names[API_NAMES_MAX];

	CU_ASSERT_PTR_NOT_NULL(api_route(HTTP_GET, STR("/images/docker.io/library/bb:1/json"), names));
	CU_ASSERT_TRUE(str_eqz(names[0], "docker.io/library/bb:1"));
	CU_ASSERT_PTR_NULL(names[1].p);
	CU_ASSERT_PTR_NOT_NULL(api_route(HTTP_DELETE, STR("/containers/web/checkpoints/first"), names));
	CU_ASSERT_TRUE(str_eqz(names[0], "web"));
	CU_ASSERT_TRUE(str_eqz(names[1], "first"));
	CU_ASSERT_PTR_NOT_NULL(api_route(HTTP_GET, STR("/containers/json"), names));
	CU_ASSERT_PTR_NULL(names[0].p);
	CU_ASSERT_PTR_NOT_NULL(api_route(HTTP_OPTIONS, STR("/"), names));
	CU_ASSERT_EQUAL(names[0].n, 0);
}

static void what_no_daemon_routes_has_no_operation(void)
{
	struct str names[API_NAMES_MAX];

	for (size_t i = 0; i < sizeof(removed) / sizeof(removed[0]); i++)
		CU_ASSERT_PTR_NULL(api_route(removed[i].method, str_from(removed[i].path), names));
	CU_ASSERT_PTR_NULL(api_route(HTTP_HEAD, STR("/containers/json"), names));
	CU_ASSERT_PTR_NULL(api_route(HTTP_TRACE, STR("/_ping"), names));
	CU_ASSERT_PTR_NULL(api_route(HTTP_GET, STR("/"), names));
	CU_ASSERT_PTR_NULL(api_route(HTTP_GET, STR(""), names));
}

static void names_are_unique_and_found(void)
{
	for (size_t i = 0; i < API_OPERATIONS; i++) {
		CU_ASSERT_EQUAL((size_t)api_operations[i].id, i);
		CU_ASSERT_PTR_EQUAL(api_operation_by_name(str_from(api_operations[i].name)),
				    &api_operations[i]);
		CU_ASSERT_PTR_NOT_NULL(strchr(api_operations[i].name, '.'));
	}
	CU_ASSERT_PTR_NULL(api_operation_by_name(STR("containers.lis")));
	CU_ASSERT_PTR_NULL(api_operation_by_name(STR("")));
}

static void only_writes_and_hijacks_can_change_anything(void)
{
	for (size_t i = 0; i < API_OPERATIONS; i++) {
		const struct api_operation *o = &api_operations[i];
		bool reads = o->method == HTTP_GET || o->method == HTTP_HEAD || o->method == HTTP_OPTIONS;

		if (o->id == API_OP_CONTAINERS_ATTACH_WS)
			reads = false;
		CU_ASSERT_EQUAL(!(o->flags & API_WRITE), reads);
		CU_ASSERT_TRUE(!(o->flags & API_HIJACK) || (o->flags & API_WRITE));
		CU_ASSERT_TRUE(!(o->flags & API_BODY_OPTIONAL) || o->body == API_BODY_JSON);
		CU_ASSERT_TRUE(!reads || o->body == API_BODY_NONE);
	}
}

static void sections_have_names(void)
{
	for (unsigned s = 0; s < API_SECTIONS; s++)
		CU_ASSERT_PTR_NOT_NULL(api_section_name((enum api_section)s));
	CU_ASSERT_STRING_EQUAL(api_section_variable(api_operations[API_OP_EXEC_CREATE].section),
			       "CONTAINERS");
	CU_ASSERT_PTR_NULL(api_section_variable(API_DEBUG));
	CU_ASSERT_PTR_NULL(api_section_variable(API_OPTIONS));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "every row of the API is the operation in its place",
		  every_row_of_the_api_is_the_operation_in_its_place },
		{ "every documented query key is known", every_documented_query_key_is_known },
		{ "routing is that of a scan of all patterns", routing_is_that_of_a_scan_of_all_patterns },
		{ "parameters are slices of the path", parameters_are_slices_of_the_path },
		{ "what no daemon routes has no operation", what_no_daemon_routes_has_no_operation },
		{ "names are unique and found", names_are_unique_and_found },
		{ "only writes and hijacks can change anything",
		  only_writes_and_hijacks_can_change_anything },
		{ "sections have names", sections_have_names },
		CU_TEST_INFO_NULL,
	};

	return check_main("api/api_route", tests);
}
