/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_environment.c - the drop-in: one policy, its listeners and its engine, out of Tecnativa's variables.
 *
 * What the variables mean is in compat_level.c and compat_bind.c; here it becomes statements of a policy
 * whose sources are the variables themselves, so that a refusal can say "POST=0". Theirs look at no body, so
 * that CONTAINERS=1 with POST=1 gives the host away; here the safe limits on what a request asks for hold
 * unless SOCKGATE_INSPECT=0 says otherwise, and WORKSPACE_DIR is the one directory that may be mounted, which
 * is made read-only whatever was asked.
 */
#include <errno.h>

#include "config/compat_bind.h"
#include "config/compat_level.h"
#include "config/compat_warnings.h"
#include "config/config_build.h"
#include "config/config_statement.h"

#define POLICY_NAME    "environment"
#define DEFAULT_SOCKET "/var/run/docker.sock"
#define DEFAULT_PORT   2375
#define LISTENERS_MAX  8
#define ORIGIN_MAX     256

struct environment {
	struct config_build *build;
	char *const *block;
	FILE *errors;
	enum compat_level level;
	unsigned policy;
};

static int complain(const struct environment *e, const char *variable, const char *what)
{
	const char *value = compat_variable(e->block, variable);

	if (e->errors)
		fprintf(e->errors, "%s:0:0: %s is not %s\n", variable,
			value && value[0] ? value : "an empty value", what);
	e->build->invalid = true;
	return -EINVAL;
}

/* --- Statements --- */

/* "CONTAINERS=1", with the value that counts. */
static const char *setting(const struct environment *e, const char *variable)
{
	return config_format(e->build, "%s=%s", variable, compat_value(e->block, variable));
}

/* One source for each text, however many statements it stands for. */
static unsigned source_of(const struct environment *e, const char *file, const char *text)
{
	const struct config_policy *policy = config_policy_at(e->build, e->policy);

	for (size_t i = 0; i < policy->sources.n; i++) {
		const struct config_source *s = CONFIG_AT(policy->sources, struct config_source, i);

		if (strcmp(s->file, file) == 0 && strcmp(s->text, text) == 0)
			return (unsigned)i + 1;
	}
	return config_policy_source(e->build, e->policy, file, text, 0, 0);
}

static unsigned allow_source(const struct environment *e, const char *variable, const char *method)
{
	const char *file = setting(e, variable);

	if (method)
		file = config_format(e->build, "%s %s", file, setting(e, method));
	return source_of(e, file, "");
}

static unsigned deny_source(const struct environment *e, const char *variable)
{
	return source_of(e, "", config_format(e->build, "%s, set %s=1", setting(e, variable), variable));
}

/* Whether a glob may open the operation after all: then the operation as such is not denied. */
static bool glob_may_allow(const struct compat_rules *rules, const struct api_operation *operation)
{
	for (unsigned i = 0; i < rules->n_globs; i++) {
		const struct compat_glob *g = &rules->globs[i];

		if (g->allow && g->methods & 1u << operation->method &&
		    config_glob_meets(str_from(g->glob), operation->pattern))
			return true;
	}
	return false;
}

static void say_rules(const struct environment *e)
{
	struct compat_rules rules;

	compat_compile(e->level, e->block, &rules);
	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		const struct compat_verdict *v = &rules.verdicts[i];

		if (v->allow)
			config_policy_say(e->build, e->policy, (enum api_operation_id)i, true,
					  allow_source(e, v->variable, v->method));
		else if (v->variable && !glob_may_allow(&rules, &api_operations[i]))
			config_policy_say(e->build, e->policy, (enum api_operation_id)i, false,
					  deny_source(e, v->variable));
	}
	for (unsigned i = 0; i < rules.n_globs; i++) {
		const struct compat_glob *g = &rules.globs[i];

		config_policy_glob(e->build, e->policy, g->methods, g->glob, g->allow,
				   g->allow ? allow_source(e, g->variable, NULL)
					    : deny_source(e, g->variable));
	}
}

/* --- Limits --- */

/* The value of a key with which nothing is refused, as YAML. NULL: its default does that already. */
static const char *open_value(enum policy_key key)
{
	const struct policy_key_row *row = &policy_keys[key];

	switch (key) {
	case POLICY_KEY_CONTAINERS_BODY_LIMIT:
		return "4m";
	case POLICY_KEY_CONTAINERS_UNKNOWN_FIELDS:
		return "allow";
	case POLICY_KEY_CONTAINERS_LABELS_REFUSED:
		return "[]";
	case POLICY_KEY_CONTAINERS_PROTECTED:
	case POLICY_KEY_CONTAINERS_LABELS_ADD:
		return NULL;
	default:
		break;
	}
	if (strncmp(row->name, "require_", strlen("require_")) == 0)
		return NULL;
	switch (row->type) {
	case POLICY_BOOL:
		return "true";
	case POLICY_STRINGS:
		return "[\"*\"]";
	case POLICY_BINDS:
		return "[{source: /, mode: rw}]";
	default: /* numbers and sizes: 0 is no limit */
		return NULL;
	}
}

static bool may_create(const struct environment *e)
{
	const struct image_verdict *verdicts = config_policy_at(e->build, e->policy)->verdicts;

	return verdicts[API_OP_CONTAINERS_CREATE].allow || verdicts[API_OP_SERVICES_CREATE].allow;
}

static int open_limit(const struct environment *e, enum policy_key key, const char *file)
{
	const char *value = open_value(key);

	if (!value)
		return 0;
	return config_policy_set(e->build, e->policy, key, value, source_of(e, file, ""), e->errors);
}

/* As theirs: nothing is asked of a body. */
static int open_limits(const struct environment *e)
{
	for (unsigned key = 0; key < POLICY_KEYS; key++) {
		int r = open_limit(e, (enum policy_key)key, "SOCKGATE_INSPECT=0");

		if (r < 0)
			return r;
	}
	if (e->errors && may_create(e))
		fputs("warning: SOCKGATE_INSPECT=0: bodies are not judged, so whoever may create containers "
		      "is "
		      "root on this host\n",
		      e->errors);
	return 0;
}

static int limit_mounts(const struct environment *e, const char *directory)
{
	struct str path = str_from(directory);
	const char *problem;
	char memory[4200];
	struct buf yaml = buf_over(memory, sizeof(memory) - 1);

	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	problem = config_path_problem(path);
	if (problem)
		return complain(e, "WORKSPACE_DIR", problem);
	buf_puts(&yaml, "[{source: ");
	buf_json(&yaml, path);
	buf_puts(&yaml, ", mode: force-ro}]");
	if (yaml.overflow)
		return complain(e, "WORKSPACE_DIR", "a path of at most 4096 bytes");
	memory[yaml.n] = '\0';
	return config_policy_set(e->build, e->policy, POLICY_KEY_CONTAINERS_BINDS, memory,
				 source_of(e, config_format(e->build, "WORKSPACE_DIR=%s", directory), ""),
				 e->errors);
}

static int set_limits(const struct environment *e)
{
	const char *inspect = compat_variable(e->block, "SOCKGATE_INSPECT");
	const char *workspace = compat_variable(e->block, "WORKSPACE_DIR");
	int r;

	if (inspect && strcmp(inspect, "0") != 0 && strcmp(inspect, "1") != 0)
		return complain(e, "SOCKGATE_INSPECT", "0 or 1");
	if (inspect && inspect[0] == '0')
		r = open_limits(e);
	else
		/* PLUGINS and POST let a plugin be pulled from anywhere; what it may do is still limited. */
		r = open_limit(e, POLICY_KEY_PLUGINS_SOURCES, "PLUGINS");
	if (r == 0 && workspace && workspace[0])
		r = limit_mounts(e, workspace);
	return r;
}

/* --- Listeners --- */

static bool ipv6_is_disabled(const struct environment *e)
{
	const char *value = compat_variable(e->block, "DISABLE_IPV6");

	if (!value)
		return false;
	if (strcmp(value, "1") == 0)
		return true;
	return e->level != COMPAT_LINUXSERVER &&
	       (strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0);
}

/* Writes scheme://host[:port] of a URL in lower case, as browsers send it. Returns why it cannot, or NULL. */
static const char *write_origin(struct str url, bool may_have_path, struct buf *out)
{
	static const struct {
		const char *scheme;
		const char *port;
	} schemes[] = { { "http://", ":80" }, { "https://", ":443" } };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i].scheme), port = strlen(schemes[i].port);
		struct str host = { url.p + n, url.n - n };
		const char *slash;

		if (url.n <= n || strncasecmp(url.p, schemes[i].scheme, n) != 0)
			continue;
		slash = memchr(host.p, '/', host.n);
		if (slash && !may_have_path && slash + 1 < host.p + host.n)
			return "an origin without a path";
		if (slash)
			host.n = (size_t)(slash - host.p);
		if (host.n > port && memcmp(host.p + host.n - port, schemes[i].port, port) == 0)
			host.n -= port;
		buf_puts(out, schemes[i].scheme);
		for (size_t c = 0; c < host.n; c++) {
			char byte =
				host.p[c] >= 'A' && host.p[c] <= 'Z' ? (char)(host.p[c] | 0x20) : host.p[c];

			if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') &&
			    !strchr(".-:[]", byte))
				return "an origin such as https://app.example.com";
			buf_putc(out, byte);
		}
		return host.n == 0 || out->overflow ? "an origin such as https://app.example.com" : NULL;
	}
	return "an origin such as https://app.example.com (* would let every web page in)";
}

static int add_origin(const struct environment *e, const char *variable, struct str url,
		      struct config_array *origins)
{
	char memory[ORIGIN_MAX];
	struct buf origin = buf_over(memory, sizeof(memory));
	const char *why = write_origin(url, strcmp(variable, "APP_BASE_URL") == 0, &origin);
	const char **slot;

	if (why)
		return complain(e, variable, why);
	slot = config_push(e->build, origins, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = config_copy(e->build, buf_view(&origin));
	return 0;
}

/* ALLOWED_ORIGINS, separated by commas, or else the application's own. */
static int add_origins(const struct environment *e, struct config_array *origins)
{
	const char *variable = "ALLOWED_ORIGINS";
	const char *value = compat_variable(e->block, variable);

	if (!value || !value[0]) {
		variable = "APP_BASE_URL";
		value = compat_variable(e->block, variable);
	}
	if (!value)
		return 0;
	while (*value) {
		size_t blanks = strspn(value, " ,");
		struct str url = { value + blanks, strcspn(value + blanks, " ,") };
		int r = url.n ? add_origin(e, variable, url, origins) : 0;

		if (r < 0)
			return r;
		value = url.p + url.n;
	}
	return 0;
}

/* To those that the command line named: a page comes by TCP, whoever said where. */
static int add_origins_to_listeners(const struct environment *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->build->listeners.n; i++) {
		struct config_listener *listener = CONFIG_AT(e->build->listeners, struct config_listener, i);

		if (listener->kind == IMAGE_TCP)
			r = add_origins(e, &listener->origins);
	}
	return r;
}

static int add_listener(const struct environment *e, const struct compat_bind *bind, const char *file)
{
	struct config_listener *listener = config_push(e->build, &e->build->listeners, sizeof(*listener));
	struct config_array origins = { 0 };
	int r;

	if (!listener)
		return -ENOMEM;
	*listener = (struct config_listener){
		.kind = bind->address.is_unix ? IMAGE_UNIX : IMAGE_TCP,
		.address = config_copy(e->build, bind->address.address),
		.port = bind->address.port,
		.group = bind->group.n ? config_copy(e->build, bind->group) : NULL,
		.mode = bind->mode,
		.policy = e->policy,
		.source = { .file = file, .text = "" },
	};
	r = add_origins(e, &origins);
	listener->origins = origins;
	return r;
}

static int add_listeners(const struct environment *e)
{
	const char *config = compat_variable(e->block, "BIND_CONFIG");
	struct compat_bind binds[LISTENERS_MAX] = { { .address = { .port = DEFAULT_PORT } } };
	const char *file = "DISABLE_IPV6", *why;
	int n = 1, r = 0;

	if (config && config[0]) {
		file = config_format(e->build, "BIND_CONFIG=%s", config);
		n = compat_bind_parse(str_from(config), binds, LISTENERS_MAX, &why);
		if (n < 0)
			return complain(e, "BIND_CONFIG", why);
	} else if (ipv6_is_disabled(e)) {
		binds[0].address.address = STR("0.0.0.0");
	}
	for (int i = 0; r == 0 && i < n; i++)
		r = add_listener(e, &binds[i], file);
	return r;
}

static int add_engine(const struct environment *e)
{
	const char *path = compat_variable(e->block, "SOCKET_PATH");
	struct compat_address address;
	struct config_engine *engine;
	const char *why;

	if (!path)
		path = DEFAULT_SOCKET;
	if (compat_address_parse(str_from(path), &address, &why) < 0)
		return complain(e, "SOCKET_PATH", why);
	engine = config_push(e->build, &e->build->engines, sizeof(*engine));
	if (!engine)
		return -ENOMEM;
	*engine = (struct config_engine){
		.name = "docker",
		.kind = address.is_unix ? IMAGE_UNIX : IMAGE_TCP,
		.address = config_copy(e->build, address.address),
		.port = address.port,
		.source = { .file = config_format(e->build, "SOCKET_PATH=%s", path), .text = "" },
	};
	return 0;
}

/* HAProxy's words, of which any other stops it. */
static bool log_level_is_fine(const char *level)
{
	static const char *const levels[] = { "",    "debug", "info",  "notice", "warning",
					      "err", "crit",  "alert", "emerg" };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(level, levels[i]) == 0)
			return true;
	}
	return false;
}

int config_load_environment(struct config_build *build, char *const *environment, FILE *errors)
{
	struct environment e = { .build = build, .block = environment, .errors = errors };
	const char *level = compat_variable(environment, "SOCKGATE_COMPAT");
	const char *log_level = compat_variable(environment, "LOG_LEVEL");
	int r;

	if (level && level[0] && compat_level_by_name(level, &e.level) < 0)
		return complain(&e, "SOCKGATE_COMPAT", "tecnativa, linuxserver or tecnativa-next");
	if (log_level && !log_level_is_fine(log_level))
		return complain(&e, "LOG_LEVEL", "debug, info, notice, warning, err, crit, alert or emerg");
	r = config_policy_new(build, POLICY_NAME, &e.policy);
	if (r < 0)
		return r;
	config_policy_at(build, e.policy)->compat = true;
	say_rules(&e);
	r = set_limits(&e);
	if (r == 0 && build->engines.n == 0)
		r = add_engine(&e);
	if (r == 0)
		r = build->listeners.n ? add_origins_to_listeners(&e) : add_listeners(&e);
	if (r == 0)
		(void)compat_warn(e.level, environment, errors);
	return r == 0 && build->failed ? -ENOMEM : r;
}
