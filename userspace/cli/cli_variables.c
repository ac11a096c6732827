/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli_variables.c - Tecnativa's variables that allow a set of operations.
 *
 * What a combination opens is asked of compat_compile(), which also decides when the proxy is started with
 * it; nothing is known here of what a variable means. All of them are on to begin with, and each is turned
 * off that is not missed, those that open most first.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli_learn.h"
#include "policy/policy_glob.h"
#include "text/buf.h"

#define VARIABLES_MAX  64
#define NAME_MAX_BYTES 32
#define PATH_MAX_BYTES 256

struct search {
	const struct learned *learned;
	enum compat_level level;
	unsigned n;
	char text[VARIABLES_MAX][NAME_MAX_BYTES]; /* "CONTAINERS=1" */
	char *environment[VARIABLES_MAX + 1];
	struct compat_rules rules;
	bool needed[API_OPERATIONS];
};

static void add(struct search *s, const char *variable)
{
	struct buf b = buf_over(s->text[s->n], NAME_MAX_BYTES - 1);

	if (!variable || s->n == VARIABLES_MAX || compat_variable(s->environment, variable))
		return;
	buf_printf(&b, "%s=1", variable);
	s->environment[s->n++] = b.p;
}

static void add_switches(struct search *s, size_t n_globs)
{
	for (size_t i = 0; i < compat_n_switches; i++) {
		const struct compat_switch *c = &compat_switches[i];
		size_t n = 0;

		while (n < sizeof(c->globs) / sizeof(c->globs[0]) && c->globs[n])
			n++;
		if (n == n_globs && c->levels & 1u << s->level)
			add(s, c->variable);
	}
}

/* In the order in which they are tried: methods open most, switches of one path least. */
static void add_all(struct search *s)
{
	bool never;

	for (unsigned m = 0; m < HTTP_METHODS; m++)
		add(s, compat_method_variable(s->level, (enum http_method)m, &never));
	for (unsigned i = 0; i < API_SECTIONS; i++)
		add(s, api_section_variable((enum api_section)i));
	for (size_t n = sizeof(compat_switches[0].globs) / sizeof(compat_switches[0].globs[0]); n > 0; n--)
		add_switches(s, n);
}

/* "/containers/{name}/start" with a name put in. */
static void put_sample(struct buf *b, const char *pattern)
{
	for (; *pattern; pattern++) {
		buf_putc(b, *pattern == '{' ? 'x' : *pattern);
		if (*pattern == '{')
			pattern += strcspn(pattern, "}");
	}
}

static bool glob_matches(const struct compat_glob *g, enum http_method method, struct str path)
{
	struct str glob = str_from(g->glob);
	const char *last = strrchr(g->glob, '*');
	size_t prefix = strcspn(g->glob, "*");

	return g->methods & 1u << method &&
	       policy_glob_match_names(glob, prefix, last ? strlen(last + 1) : 0, path);
}

static bool opens(const struct search *s, unsigned operation)
{
	const struct api_operation *op = &api_operations[operation];
	char memory[PATH_MAX_BYTES];
	struct buf path = buf_over(memory, sizeof(memory));
	bool allow = s->rules.verdicts[operation].allow;

	/* A switch opens some paths of one operation; which are asked for is what the trail shows. */
	if (s->learned->operations[operation].text[0])
		buf_puts(&path, s->learned->operations[operation].text);
	else
		put_sample(&path, op->pattern);
	for (unsigned i = 0; i < s->rules.n_globs; i++) {
		if (!glob_matches(&s->rules.globs[i], op->method, buf_view(&path)))
			continue;
		if (!s->rules.globs[i].allow)
			return false;
		allow = true;
	}
	return allow;
}

static bool opens_all(struct search *s)
{
	compat_compile(s->level, s->environment, &s->rules);
	for (unsigned i = 0; i < API_OPERATIONS; i++)
		if (s->needed[i] && !opens(s, i))
			return false;
	return true;
}

static void turn(struct search *s, unsigned variable, bool on)
{
	char *text = s->text[variable];

	text[strlen(text) - 1] = on ? '1' : '0';
}

static void print_list(const struct search *s, const char *title, bool opened)
{
	unsigned n = 0;

	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		bool used = s->learned->operations[i].n > 0;

		if (opened ? used || !opens(s, i) : !used || s->needed[i])
			continue;
		printf("%s%s", n++ ? ", " : title, api_operations[i].name);
	}
	if (n)
		putchar('\n');
}

static void print_limits(const struct learned *learned)
{
	unsigned n = 0;

	for (unsigned i = 0; i < POLICY_KEYS; i++)
		if (learned->limits[i].n)
			printf("%s%s.%s",
			       n++ ? ", " : "# No variable sets these limits, which refused bodies: ",
			       policy_keys[i].section, policy_keys[i].name);
	if (n)
		puts("\n# (a policy file can; SOCKGATE_INSPECT=0 turns all of them off)");
}

void learn_print_variables(const struct learned *learned, enum compat_level level)
{
	struct search *s = calloc(1, sizeof(*s));
	char *none = NULL;

	if (!s) {
		perror("sockgate learn");
		return;
	}
	s->learned = learned;
	s->level = level;
	add_all(s);
	compat_compile(level, s->environment, &s->rules);
	for (unsigned i = 0; i < API_OPERATIONS; i++)
		s->needed[i] = learned->operations[i].n > 0 && opens(s, i);
	for (unsigned v = 0; v < s->n; v++) {
		turn(s, v, false);
		if (!opens_all(s))
			turn(s, v, true);
	}
	compat_compile(level, s->environment, &s->rules);
	printf("# SOCKGATE_COMPAT=%s\n", compat_level_name(level));
	for (unsigned v = 0; v < s->n; v++) {
		const char *text = s->text[v];
		size_t n = strcspn(text, "=");
		bool on = text[n + 1] == '1';
		char name[NAME_MAX_BYTES] = "";

		memcpy(name, text, n);
		/* What is off anyway need not be said. */
		if (on || strcmp(compat_value(&none, name), "0") != 0)
			puts(text);
	}
	print_list(s, "# These open as well: ", true);
	print_list(s, "# No variable opens: ", false);
	print_limits(learned);
	free(s);
}
