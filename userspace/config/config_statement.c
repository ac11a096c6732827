/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config_statement.h"

#include "policy/policy_glob.h"
#include "yaml/yaml_doc.h"

#define PATTERN_MAX 96 /* longer than any pattern of api_operations.inc */

/* --- Globs --- */

/* What stands at the front of a glob or a pattern: one byte, or a run within a segment, or a run of anything.
 */
enum piece_kind { PIECE_END, PIECE_BYTE, PIECE_SEGMENT, PIECE_ANY };
struct piece {
	enum piece_kind kind;
	char byte;
	size_t n; /* bytes it takes in the glob or pattern */
};

static struct piece glob_piece(struct str s, size_t at)
{
	if (at == s.n)
		return (struct piece){ PIECE_END, 0, 0 };
	if (s.p[at] != '*')
		return (struct piece){ PIECE_BYTE, s.p[at], 1 };
	if (at + 1 < s.n && s.p[at + 1] == '*')
		return (struct piece){ PIECE_ANY, 0, 2 };
	return (struct piece){ PIECE_SEGMENT, 0, 1 };
}

/* api_operations.h: {name} spans slashes, {segment:x} does not. */
static struct piece pattern_piece(struct str s, size_t at)
{
	size_t end = at;

	if (at == s.n)
		return (struct piece){ PIECE_END, 0, 0 };
	if (s.p[at] != '{')
		return (struct piece){ PIECE_BYTE, s.p[at], 1 };
	while (end < s.n && s.p[end] != '}')
		end++;
	return (struct piece){ str_starts((struct str){ s.p + at, s.n - at }, STR("{segment:"))
				       ? PIECE_SEGMENT
				       : PIECE_ANY,
			       0, end + (end < s.n) - at };
}

static bool piece_takes(struct piece p, struct piece other)
{
	/* Both stand for some byte. A run takes the other's byte; two runs always have one in common. */
	if (p.kind == PIECE_BYTE && other.kind == PIECE_BYTE)
		return p.byte == other.byte;
	if (p.kind == PIECE_SEGMENT && other.kind == PIECE_BYTE)
		return other.byte != '/';
	return true;
}

/*
 * Walks both at once, as one automaton whose states are pairs of places: reached[g][p] says that some text
 * leads to place g of the glob and place p of the pattern.
 */
bool config_glob_meets(struct str glob, const char *pattern)
{
	struct str pat = str_from(pattern);

	/* Most pairs part before the first wildcard. */
	for (size_t i = 0; i < glob.n && i < pat.n && glob.p[i] != '*' && pat.p[i] != '{'; i++)
		if (glob.p[i] != pat.p[i])
			return false;
	if (glob.n > POLICY_GLOB_MAX || pat.n > PATTERN_MAX)
		return true; /* not known: looked at for every request, which is slow and never wrong */
	bool reached[POLICY_GLOB_MAX + 1][PATTERN_MAX + 1] = { { false } };

	reached[0][0] = true;
	for (size_t g = 0; g <= glob.n; g++) {
		for (size_t p = 0; p <= pat.n; p++) {
			struct piece a = glob_piece(glob, g), b = pattern_piece(pat, p);
			bool run_a = a.kind == PIECE_SEGMENT || a.kind == PIECE_ANY;
			bool run_b = b.kind == PIECE_SEGMENT || b.kind == PIECE_ANY;

			if (!reached[g][p])
				continue;
			/* A run may be empty, or be over. */
			if (run_a)
				reached[g + a.n][p] = true;
			if (run_b)
				reached[g][p + b.n] = true;
			if (a.kind == PIECE_END || b.kind == PIECE_END || !piece_takes(a, b) ||
			    !piece_takes(b, a))
				continue;
			/* One byte more: a run stays where it is. */
			reached[run_a ? g : g + a.n][run_b ? p : p + b.n] = true;
		}
	}
	return reached[glob.n][pat.n];
}

static const char *glob_problem(struct str glob)
{
	struct str first;

	if (glob.n == 0 || glob.p[0] != '/')
		return "a path must start with /";
	if (glob.n > POLICY_GLOB_MAX)
		return "a path of more than 256 bytes";
	for (size_t i = 0, stars = 0; i < glob.n; i++) {
		stars = glob.p[i] == '*' ? stars + 1 : 0;
		if (stars > 2)
			return "more than two stars in a row";
		if (glob.p[i] == '?' || glob.p[i] == '[' || glob.p[i] == '{' || glob.p[i] == '\\' ||
		    glob.p[i] == '%')
			return "* and ** are the only wildcards of a path, and it has no query and no "
			       "escapes";
		if ((unsigned char)glob.p[i] <= ' ')
			return "a space in a path";
		if (i && glob.p[i] == '/' && glob.p[i - 1] == '/')
			return "an empty segment in a path";
	}
	first = (struct str){ glob.p + 1, 0 };
	while (1 + first.n < glob.n && first.p[first.n] != '/')
		first.n++;
	if (first.n > 2 && first.p[0] == 'v' && first.p[1] >= '0' && first.p[1] <= '9')
		return "a path is written without a version";
	return NULL;
}

/* --- Entries --- */

struct entry {
	struct config_reader *reader;
	const struct yaml_node *node;
	struct str text;
	unsigned policy;
	bool allow;
};

static unsigned source_of(const struct entry *e)
{
	const char *text =
		config_format(e->reader->build, "%s %.*s", e->allow ? "allow" : "deny", STR_ARG(e->text));

	return config_policy_source(e->reader->build, e->policy, yaml_doc_name(e->reader->doc), text,
				    yaml_node_line(e->node), yaml_node_column(e->node));
}

/* "GET", "GET|HEAD" or "*". 0 when a word is no method. */
static uint32_t read_methods(struct str s)
{
	uint32_t methods = 0;

	if (str_eqz(s, "*"))
		return (1u << HTTP_METHODS) - 1;
	while (true) {
		const char *bar = memchr(s.p, '|', s.n);
		struct str word = { s.p, bar ? (size_t)(bar - s.p) : s.n };
		unsigned m = 0;

		while (m < HTTP_METHODS && !str_eqz(word, http_method_name(m)))
			m++;
		if (m == HTTP_METHODS)
			return 0;
		methods |= 1u << m;
		if (!bar)
			return methods;
		s = (struct str){ bar + 1, s.n - word.n - 1 };
	}
}

static void read_glob(const struct entry *e, size_t space)
{
	struct str methods_text = { e->text.p, space },
		   glob = { e->text.p + space + 1, e->text.n - space - 1 };
	uint32_t methods = read_methods(methods_text);
	const char *why = glob_problem(glob);

	if (!methods) {
		config_complain(e->reader, e->node, "%.*s is not a method, a list of methods (GET|HEAD) or *",
				STR_ARG(methods_text));
		return;
	}
	if (why) {
		config_complain(e->reader, e->node, "%.*s: %s", STR_ARG(glob), why);
		return;
	}
	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		if (methods & 1u << api_operations[i].method &&
		    config_glob_meets(glob, api_operations[i].pattern)) {
			config_policy_glob(e->reader->build, e->policy, methods,
					   config_copy(e->reader->build, glob), e->allow, source_of(e));
			return;
		}
	}
	config_complain(e->reader, e->node, "%.*s matches no operation of the API", STR_ARG(e->text));
}

/* Says it for every operation that has the prefix. Returns whether there was one. */
static bool say_for(const struct entry *e, struct str prefix)
{
	unsigned source = CONFIG_NO_SOURCE;

	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		if (!str_starts(str_from(api_operations[i].name), prefix))
			continue;
		if (source == CONFIG_NO_SOURCE)
			source = source_of(e);
		config_policy_say(e->reader->build, e->policy, i, e->allow, source);
	}
	return source != CONFIG_NO_SOURCE || e->reader->build->failed;
}

static void complain_section(const struct entry *e, struct str section)
{
	struct config_guess guess = { .word = section };

	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		const char *dot = strchr(api_operations[i].name, '.');

		if (dot)
			config_guess_try(&guess,
					 config_copy(e->reader->build,
						     (struct str){ api_operations[i].name,
								   (size_t)(dot - api_operations[i].name) }));
	}
	config_complain(e->reader, e->node, "unknown section %.*s%s%s%s", STR_ARG(e->text),
			guess.best ? "; did you mean " : "", guess.best ? guess.best : "",
			guess.best ? ".*?" : "");
}

static void complain_operation(const struct entry *e)
{
	struct config_guess guess = { .word = e->text };

	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		const char *dot = strchr(api_operations[i].name, '.');

		config_guess_try(&guess, api_operations[i].name);
		/* "create" or "containers" alone is nearest to nothing. */
		if (dot && !guess.best && str_eqz(e->text, dot + 1))
			guess.best = api_operations[i].name;
	}
	if (e->text.n && e->text.p[0] == '/')
		config_complain(e->reader, e->node, "%.*s needs a method before it: \"GET %.*s\"",
				STR_ARG(e->text), STR_ARG(e->text));
	else
		config_complain(e->reader, e->node, "unknown operation %.*s%s%s%s", STR_ARG(e->text),
				guess.best ? "; did you mean " : " (see `sockgate operations`)",
				guess.best ? guess.best : "", guess.best ? "?" : "");
}

static void read_entry(const struct entry *e)
{
	const char *space = memchr(e->text.p, ' ', e->text.n);
	const struct api_operation *operation;

	if (space) {
		read_glob(e, (size_t)(space - e->text.p));
	} else if (str_eqz(e->text, "*")) {
		say_for(e, STR(""));
	} else if (e->text.n > 2 && memcmp(e->text.p + e->text.n - 2, ".*", 2) == 0) {
		if (!say_for(e, (struct str){ e->text.p, e->text.n - 1 }))
			complain_section(e, (struct str){ e->text.p, e->text.n - 2 });
	} else {
		operation = api_operation_by_name(e->text);
		if (operation)
			config_policy_say(e->reader->build, e->policy, operation->id, e->allow, source_of(e));
		else
			complain_operation(e);
	}
}

void config_statement_read(struct config_reader *reader, unsigned policy, const struct yaml_node *list,
			   bool allow)
{
	if (yaml_node_kind(list) != YAML_SEQUENCE) {
		config_complain(reader, list, "%s must be a list of operations", allow ? "allow" : "deny");
		return;
	}
	for (size_t i = 0; i < yaml_node_count(list); i++) {
		const struct yaml_node *node = yaml_node_item(list, i);
		struct entry entry = { reader, node, yaml_node_text(node), policy, allow };

		if (yaml_node_kind(node) != YAML_SCALAR || entry.text.n == 0)
			config_complain(
				reader, node,
				"an operation, a section (containers.*), * or \"METHOD /path\" is expected");
		else
			read_entry(&entry);
	}
}
