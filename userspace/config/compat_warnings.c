/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/compat_warnings.h"

#include <stdarg.h>

#include "config/config_build.h"

/* Seen in compose files, read by no level: the reads that they hope to shut are opened by CONTAINERS=1. */
static const char *const imagined[] = { "LOGS",   "PORTS",  "START", "STOP",   "RESTART",
					"KILL",   "ATTACH", "GET",   "HEAD",   "OPTIONS",
					"LIBPOD", "TOP",    "STATS", "EXPORT", "ARCHIVE" };
static const char *const methods[] = { "POST", "DELETE", "PUT", "PATCH" };

#define VARIABLE_MAX 64 /* longer names are nobody's misspelling */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct warner {
	enum compat_level level;
	char *const *environment;
	FILE *out;
	unsigned n;
};

__attribute__((format(printf, 2, 3))) static void warn(struct warner *w, const char *format, ...)
{
	va_list ap;

	w->n++;
	if (!w->out)
		return;
	fputs("warning: ", w->out);
	va_start(ap, format);
	vfprintf(w->out, format, ap);
	va_end(ap);
	fputc('\n', w->out);
}

static bool is_section(const char *name)
{
	for (unsigned s = 0; s < API_SECTIONS; s++) {
		const char *variable = api_section_variable((enum api_section)s);

		if (variable && strcmp(variable, name) == 0)
			return true;
	}
	return false;
}

static const struct compat_switch *switch_of(const char *name)
{
	for (size_t i = 0; i < compat_n_switches; i++) {
		if (strcmp(compat_switches[i].variable, name) == 0)
			return &compat_switches[i];
	}
	return NULL;
}

static bool is_method(enum compat_level level, const char *name)
{
	return strcmp(name, "POST") == 0 ||
	       (level == COMPAT_TECNATIVA_NEXT &&
		(strcmp(name, "DELETE") == 0 || strcmp(name, "PUT") == 0 || strcmp(name, "PATCH") == 0));
}

static bool is_read(enum compat_level level, const char *name)
{
	const struct compat_switch *s = switch_of(name);

	return is_section(name) || is_method(level, name) || (s && s->levels & 1u << level);
}

/* A value with which somebody wants to turn something on or off. */
static bool looks_boolean(const char *value)
{
	static const char *const words[] = { "0", "1", "true", "false", "yes", "no", "on", "off" };

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcasecmp(value, words[i]) == 0)
			return true;
	}
	return false;
}

static void warn_value(struct warner *w, const char *name, const char *value)
{
	if (value[0] == '\0' || strcmp(value, "0") == 0 || strcmp(value, "1") == 0)
		return;
	warn(w, "%s=%s counts as %s, as it does there; write %s=%d", name, value,
	     compat_is_true(value) ? "1" : "0", name, compat_is_true(value));
}

/* A section that is on and opens nothing, since all that it has is behind a method that is off. */
static void warn_section(struct warner *w, const struct compat_rules *rules, enum api_section section)
{
	const char *variable = api_section_variable(section);
	const char *missing = NULL;

	if (!variable || !compat_is_on(w->environment, variable))
		return;
	for (size_t i = 0; i < API_OPERATIONS; i++) {
		if (api_operations[i].section != section)
			continue;
		if (rules->verdicts[i].allow)
			return;
		missing = rules->verdicts[i].variable;
	}
	if (missing)
		warn(w, "%s=%s does nothing while %s is off", variable,
		     compat_value(w->environment, variable), missing);
}

/* ALLOW_* in the two ways that surprise. */
static void warn_switch(struct warner *w, const struct compat_switch *s)
{
	const char *value = compat_variable(w->environment, s->variable);
	bool containers = compat_is_on(w->environment, "CONTAINERS");
	bool post = compat_is_on(w->environment, "POST");

	if (!value || !(s->levels & 1u << w->level))
		return;
	if (s->lifts) {
		if (compat_is_true(value) && !containers)
			warn(w, "%s=%s does nothing by itself: it needs CONTAINERS=1", s->variable, value);
	} else if (compat_is_true(value)) {
		if (w->level != COMPAT_LINUXSERVER && !post)
			warn(w, "%s=%s does nothing while POST is off", s->variable, value);
	} else if (containers && post) {
		warn(w, "%s=%s takes nothing away: CONTAINERS=1 and POST=1 open it already", s->variable,
		     value);
	}
}

/* One that no rule above knows. */
static void warn_unknown(struct warner *w, const char *name, const char *value)
{
	const struct compat_switch *other = switch_of(name);
	char upper[VARIABLE_MAX] = { 0 };
	struct config_guess guess = { 0 };

	if (other) {
		warn(w, "%s=%s does nothing at SOCKGATE_COMPAT=%s", name, value, compat_level_name(w->level));
		return;
	}
	if (strncmp(name, "LIBPOD_", 7) == 0) {
		warn(w, "%s=%s does nothing: Podman's own routes are not served", name, value);
		return;
	}
	for (size_t i = 0; i < COUNT(methods); i++) {
		if (strcmp(name, methods[i]) == 0) {
			warn(w, "%s=%s does nothing at SOCKGATE_COMPAT=%s: POST=1 opens every method", name,
			     value, compat_level_name(w->level));
			return;
		}
	}
	for (size_t i = 0; i < COUNT(imagined); i++) {
		if (strcmp(name, imagined[i]) == 0) {
			warn(w, "%s=%s does nothing: there is no such variable", name, value);
			return;
		}
	}
	for (size_t i = 0; name[i]; i++)
		upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') : name[i];
	guess.word = str_from(upper);
	for (unsigned s = 0; s < API_SECTIONS; s++) {
		if (api_section_variable((enum api_section)s))
			config_guess_try(&guess, api_section_variable((enum api_section)s));
	}
	for (size_t i = 0; i < compat_n_switches; i++)
		config_guess_try(&guess, compat_switches[i].variable);
	config_guess_try(&guess, "POST");
	/* "containers", "IMAGE": names are case-sensitive, and one letter is soon forgotten. */
	if (guess.best && guess.distance <= 1)
		warn(w, "%s=%s does nothing; did you mean %s?", name, value, guess.best);
	else if (strncmp(name, "ALLOW_", 6) == 0)
		warn(w, "%s=%s does nothing: there is no such variable", name, value);
}

static void warn_level(struct warner *w)
{
	const char *level = compat_variable(w->environment, "LOG_LEVEL");

	if (level && level[0] && strcmp(level, "debug") != 0 && strcmp(level, "info") != 0)
		warn(w, "LOG_LEVEL=%s does not silence the audit trail: refusals are always recorded", level);
}

unsigned compat_warn(enum compat_level level, char *const *environment, FILE *out)
{
	struct warner w = { level, environment, out, 0 };
	struct compat_rules rules;

	compat_compile(level, environment, &rules);
	for (char *const *e = environment; *e; e++) {
		const char *equals = strchr(*e, '=');
		char name[VARIABLE_MAX];

		if (!equals || (size_t)(equals - *e) >= sizeof(name))
			continue;
		memcpy(name, *e, (size_t)(equals - *e));
		name[equals - *e] = '\0';
		if (is_read(level, name))
			warn_value(&w, name, equals + 1);
		else if (looks_boolean(equals + 1))
			warn_unknown(&w, name, equals + 1);
	}
	for (unsigned s = 0; s < API_SECTIONS; s++)
		warn_section(&w, &rules, (enum api_section)s);
	for (size_t i = 0; i < compat_n_switches; i++)
		warn_switch(&w, &compat_switches[i]);
	warn_level(&w);
	return w.n;
}
