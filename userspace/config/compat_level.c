/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/compat_level.h"

#include <assert.h>
#include <errno.h>

#define ALL_METHODS ((1u << HTTP_METHODS) - 1)

static const char *const level_names[COMPAT_LEVELS] = {
	[COMPAT_TECNATIVA] = "tecnativa",
	[COMPAT_LINUXSERVER] = "linuxserver",
	[COMPAT_TECNATIVA_NEXT] = "tecnativa-next",
};

/* What a section's variable opens for OPTIONS, the one operation whose paths are everybody's. */
static const char *const section_globs[API_SECTIONS] = {
	[API_AUTH] = "/auth**",
	[API_BUILD] = "/build**",
	[API_COMMIT] = "/commit**",
	[API_CONFIGS] = "/configs**",
	[API_CONTAINERS] = "/containers**",
	[API_DISTRIBUTION] = "/distribution**",
	[API_EVENTS] = "/events**",
	[API_EXEC] = "/exec**",
	[API_GRPC] = "/grpc**",
	[API_IMAGES] = "/images**",
	[API_INFO] = "/info**",
	[API_NETWORKS] = "/networks**",
	[API_NODES] = "/nodes**",
	[API_PING] = "/_ping**",
	[API_PLUGINS] = "/plugins**",
	[API_SECRETS] = "/secrets**",
	[API_SERVICES] = "/services**",
	[API_SESSION] = "/session**",
	[API_SWARM] = "/swarm**",
	[API_SYSTEM] = "/system**",
	[API_TASKS] = "/tasks**",
	[API_VERSION] = "/version**",
	[API_VOLUMES] = "/volumes**",
};

#define CONTAINER   "/containers/*/"
#define TECNATIVA   (1u << COMPAT_TECNATIVA)
#define LINUXSERVER (1u << COMPAT_LINUXSERVER)
#define NEXT        (1u << COMPAT_TECNATIVA_NEXT)

/* Opened to the end of the segment only, shut with everything below: see compat_level.h on aliases. */
const struct compat_switch compat_switches[] = {
	{ "ALLOW_RESTARTS",
	  TECNATIVA | LINUXSERVER | NEXT,
	  false,
	  { CONTAINER "stop*", CONTAINER "restart*", CONTAINER "kill*" } },
	{ "ALLOW_START", TECNATIVA | LINUXSERVER | NEXT, false, { CONTAINER "start*" } },
	{ "ALLOW_STOP", TECNATIVA | LINUXSERVER | NEXT, false, { CONTAINER "stop*" } },
	{ "ALLOW_PAUSE", LINUXSERVER | NEXT, false, { CONTAINER "pause*" } },
	{ "ALLOW_UNPAUSE", LINUXSERVER | NEXT, false, { CONTAINER "unpause*" } },
	{ "ALLOW_ARCHIVE", LINUXSERVER | NEXT, true, { CONTAINER "archive**" } },
	{ "ALLOW_EXPORT", LINUXSERVER | NEXT, true, { CONTAINER "export**" } },
	{ "ALLOW_LOGS", LINUXSERVER | NEXT, true, { CONTAINER "logs**" } },
	{ "ALLOW_CHANGES", LINUXSERVER, true, { CONTAINER "changes**" } },
	{ "ALLOW_TOP", LINUXSERVER, true, { CONTAINER "top**" } },
	{ "ALLOW_EXEC", NEXT, true, { CONTAINER "exec**" } },
	{ "ALLOW_KILL", NEXT, true, { CONTAINER "kill**" } },
	{ "ALLOW_ATTACH", NEXT, true, { CONTAINER "attach**" } },
};
const size_t compat_n_switches = sizeof(compat_switches) / sizeof(compat_switches[0]);

const char *compat_level_name(enum compat_level level)
{
	return level_names[level];
}

int compat_level_by_name(const char *name, enum compat_level *ret)
{
	for (unsigned i = 0; i < COMPAT_LEVELS; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret = (enum compat_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *compat_variable(char *const *environment, const char *name)
{
	size_t n = strlen(name);

	for (; *environment; environment++) {
		if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
			return *environment + n + 1;
	}
	return NULL;
}

bool compat_is_true(const char *value)
{
	if (*value == '-' || *value == '+')
		value++;
	for (; *value >= '0' && *value <= '9'; value++) {
		if (*value != '0')
			return true;
	}
	return false;
}

const char *compat_value(char *const *environment, const char *name)
{
	const char *value = compat_variable(environment, name);

	if (value)
		return value;
	return strcmp(name, "EVENTS") == 0 || strcmp(name, "PING") == 0 || strcmp(name, "VERSION") == 0 ? "1"
													: "0";
}

bool compat_is_on(char *const *environment, const char *name)
{
	return compat_is_true(compat_value(environment, name));
}

const char *compat_method_variable(enum compat_level level, enum http_method method, bool *ret_never)
{
	*ret_never = false;
	if (method == HTTP_GET || method == HTTP_HEAD)
		return NULL;
	if (level != COMPAT_TECNATIVA_NEXT)
		return "POST";
	switch (method) {
	case HTTP_POST:
		return "POST";
	case HTTP_DELETE:
		return "DELETE";
	case HTTP_PUT:
		return "PUT";
	case HTTP_PATCH:
		return "PATCH";
	default:
		*ret_never = true;
		return NULL;
	}
}

static bool method_is_open(enum compat_level level, char *const *environment, enum http_method method)
{
	bool never;
	const char *variable = compat_method_variable(level, method, &never);

	return !never && (!variable || compat_is_on(environment, variable));
}

/* Whether a glob "/containers/<any>/verb..." is about an operation: "/containers/{name}/verb" or more of it.
 */
static bool glob_names_operation(const char *glob, const struct api_operation *operation)
{
	static const char container[] = "/containers/{name}/";
	const char *verb = glob + strlen(CONTAINER);
	size_t n = strcspn(verb, "*");

	return strncmp(operation->pattern, container, strlen(container)) == 0 &&
	       strncmp(operation->pattern + strlen(container), verb, n) == 0;
}

static struct compat_verdict judge(enum compat_level level, char *const *environment,
				   const struct api_operation *operation)
{
	struct compat_verdict verdict = { .variable = api_section_variable(operation->section) };
	const char *method;
	bool never;

	if (!verdict.variable)
		return verdict;
	for (size_t i = 0; i < compat_n_switches; i++) {
		const struct compat_switch *s = &compat_switches[i];

		if (s->lifts && s->levels & 1u << level && !compat_is_on(environment, s->variable) &&
		    glob_names_operation(s->globs[0], operation)) {
			verdict.variable = s->variable;
			return verdict;
		}
	}
	if (!compat_is_on(environment, verdict.variable))
		return verdict;
	method = compat_method_variable(level, operation->method, &never);
	if (never || (method && !compat_is_on(environment, method))) {
		verdict.variable = method;
		return verdict;
	}
	verdict.allow = true;
	verdict.method = method;
	return verdict;
}

static void add_glob(struct compat_rules *rules, bool allow, uint32_t methods, const char *glob,
		     const char *variable)
{
	assert(rules->n_globs < COMPAT_GLOBS_MAX);
	rules->globs[rules->n_globs++] = (struct compat_glob){ allow, methods, glob, variable };
}

void compat_compile(enum compat_level level, char *const *environment, struct compat_rules *ret)
{
	uint32_t open = 0;

	for (unsigned m = 0; m < HTTP_METHODS; m++) {
		/* linuxserver's ALLOW_* come before its rule on methods. */
		if (level == COMPAT_LINUXSERVER || method_is_open(level, environment, (enum http_method)m))
			open |= 1u << m;
	}
	ret->n_globs = 0;
	for (size_t i = 0; i < API_OPERATIONS; i++)
		ret->verdicts[i] = judge(level, environment, &api_operations[i]);
	for (unsigned s = 0; s < API_SECTIONS; s++) {
		const char *variable = api_section_variable((enum api_section)s);

		if (variable && compat_is_on(environment, variable) &&
		    method_is_open(level, environment, HTTP_OPTIONS))
			add_glob(ret, true, 1u << HTTP_OPTIONS, section_globs[s], variable);
	}
	for (size_t i = 0; i < compat_n_switches; i++) {
		const struct compat_switch *s = &compat_switches[i];

		/* On, a switch that lifts says nothing; off, one that opens says nothing. */
		if (!(s->levels & 1u << level) || compat_is_on(environment, s->variable) == s->lifts)
			continue;
		for (size_t g = 0; g < sizeof(s->globs) / sizeof(s->globs[0]) && s->globs[g]; g++)
			add_glob(ret, !s->lifts, s->lifts ? ALL_METHODS : open, s->globs[g], s->variable);
	}
}
