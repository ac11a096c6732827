/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockgate learn - the smallest policy that would have allowed what an audit trail shows.
 *
 * Operations are allowed one by one; limits on bodies are only named in comments, since the trail never holds
 * a body and what one may ask for is for a person to say. Whatever stands in the trail stays in a comment.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/cli_event.h"
#include "cli/cli_learn.h"
#include "cli/cli_log.h"

static const char help[] =
	"usage: sockgate learn [--yaml|--variables] [--level LEVEL] [--name NAME] FILE...\n"
	"\n"
	"Reads audit trails (- is standard input) and prints the smallest policy that would have allowed "
	"every\n"
	"request in them, the refused ones included. Run a policy with \"mode: learn\" to have all of them.\n"
	"  --yaml         a policy file (default)\n"
	"  --variables    the fewest variables of Tecnativa's that open the same, and what else they open\n"
	"  --level LEVEL  of the variables: tecnativa (default), linuxserver, tecnativa-next\n"
	"  --name NAME    what to call the policy\n"
	"Exit status: 0, or 2 for a usage error or a file that cannot be read.\n";

struct options {
	const char *name;
	enum compat_level level;
	bool variables;
};

/* --- Counting --- */

/* Of a time no more than its own characters: it will stand in a file that is read again. */
static void copy_time(char to[LEARN_TIME_MAX], struct str time)
{
	size_t n = 0;

	for (size_t i = 0; i < time.n && n < LEARN_TIME_MAX - 1; i++)
		if (strchr("0123456789-:.TZ", time.p[i]) && time.p[i])
			to[n++] = time.p[i];
	to[n] = '\0';
}

static void copy_text(char to[LEARN_TEXT_MAX], struct str text)
{
	struct buf b = buf_over(to, LEARN_TEXT_MAX - 1);

	if (text.n > b.cap)
		text.n = b.cap;
	cli_put_safe(&b, text);
	/* Half a character would make the policy unreadable, and some are line breaks to some readers. */
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)to[i] >= 0x80)
			to[i] = '?';
	to[b.n] = '\0';
}

static void count(struct learn_count *c, const char *time, bool refused)
{
	c->n++;
	c->refused += refused;
	/* Trails may be given in any order; times of one form compare as text. */
	if (strcmp(time, c->last) > 0)
		memcpy(c->last, time, LEARN_TIME_MAX);
}

static bool key_by_name(struct str name, unsigned *ret)
{
	for (unsigned i = 0; i < POLICY_KEYS; i++) {
		size_t n = strlen(policy_keys[i].section);

		if (name.n > n && name.p[n] == '.' && memcmp(name.p, policy_keys[i].section, n) == 0 &&
		    str_eqz((struct str){ name.p + n + 1, name.n - n - 1 }, policy_keys[i].name)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static void learn_limits(struct learned *l, const struct cli_log_request *r, const char *time)
{
	struct str limits = r->limits, word;
	unsigned decided = POLICY_KEYS, key;

	if (key_by_name(r->rule, &decided)) {
		count(&l->limits[decided], time, true);
		copy_text(l->limits[decided].text, r->reason);
	}
	while (cli_log_word(&limits, &word))
		if (key_by_name(word, &key) && key != decided)
			count(&l->limits[key], time, true);
}

static void learn_request(void *context, const struct cli_log_request *r)
{
	struct learned *l = context;
	struct learn_count *operation = &l->operations[r->operation->id];
	char time[LEARN_TIME_MAX] = "";

	copy_time(time, r->time);
	if (l->n++ == 0 || strcmp(time, l->first) < 0)
		memcpy(l->first, time, LEARN_TIME_MAX);
	if (strcmp(time, l->last) > 0)
		memcpy(l->last, time, LEARN_TIME_MAX);
	count(operation, time, r->refused);
	if (!operation->text[0])
		copy_text(operation->text, r->path);
	if (r->refused)
		learn_limits(l, r, time);
}

/* --- Writing --- */

static int by_name(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return strcmp(api_operations[*x].name, api_operations[*y].name);
}

static void print_count(const struct learn_count *c)
{
	printf("%llu request%s", (unsigned long long)c->n, c->n == 1 ? "" : "s");
	if (c->refused && c->refused < c->n)
		printf(" (%llu not allowed so far)", (unsigned long long)c->refused);
	else if (c->refused)
		printf(" (not allowed so far)");
	if (c->last[0])
		printf(", last %s", c->last);
}

static void print_allow(const struct learned *l)
{
	unsigned used[API_OPERATIONS] = { 0 }, n = 0;

	for (unsigned i = 0; i < API_OPERATIONS; i++)
		if (l->operations[i].n)
			used[n++] = i;
	qsort(used, n, sizeof(used[0]), by_name);
	puts(n ? "allow:" : "allow: []");
	for (unsigned i = 0; i < n; i++) {
		printf("  - %s  # ", api_operations[used[i]].name);
		print_count(&l->operations[used[i]]);
		putchar('\n');
	}
}

/* A value that says less than the default, as far as one can be known without the body. */
static const char *hint(const struct policy_key_row *row)
{
	switch (row->type) {
	case POLICY_BOOL:
		return strcmp(row->fallback, "true") == 0 ? "false" : "true";
	case POLICY_CHOICE:
		return row->choices;
	case POLICY_NUMBER:
	case POLICY_SIZE:
		return "LIMIT";
	case POLICY_STRINGS:
		return "[VALUE]";
	case POLICY_BINDS:
		return "[{source: /PATH, mode: ro}]";
	}
	return "VALUE";
}

static void print_limits(const struct learned *l)
{
	const char *section = "";
	bool first = true;

	for (unsigned i = 0; i < POLICY_KEYS; i++) {
		const struct policy_key_row *row = &policy_keys[i];

		if (!l->limits[i].n)
			continue;
		if (first)
			puts("\n# What was asked for beyond the limits. Uncomment what is meant, as narrow "
			     "as "
			     "it can be said:");
		first = false;
		if (strcmp(section, row->section) != 0)
			printf("# %s:\n", row->section);
		section = row->section;
		printf("#   %s: %s  # ", row->name, hint(row));
		print_count(&l->limits[i]);
		putchar('\n');
		if (l->limits[i].text[0])
			printf("#     %s\n", l->limits[i].text);
	}
}

static void print_yaml(const struct options *o, const struct learned *l)
{
	printf("# %s.yaml, as sockgate learn made it of %llu requests", o->name, (unsigned long long)l->n);
	if (l->first[0])
		printf(", %s to %s", l->first, l->last);
	puts("\n# Every line opens something for good: read it before use.\nversion: 1");
	print_allow(l);
	print_limits(l);
}

static bool is_name(const char *name)
{
	return *name &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] ==
		       '\0';
}

/* Returns 0, -1 when help was asked for, or 1. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "yaml", no_argument, NULL, 'y' },        { "variables", no_argument, NULL, 'v' },
		{ "level", required_argument, NULL, 'l' }, { "name", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		if (c == 'h')
			return -1;
		if (c == 'y' || c == 'v')
			o->variables = c == 'v';
		else if (c == 'n' && is_name(optarg))
			o->name = optarg;
		else if (c != 'l' || compat_level_by_name(optarg, &o->level) < 0)
			return 1;
	}
	return optind == argc;
}

int cmd_learn(int argc, char **argv)
{
	struct options o = { .name = "learned", .level = COMPAT_TECNATIVA };
	struct learned *learned = calloc(1, sizeof(*learned));
	struct cli_log log = { .request = learn_request, .context = learned };
	int r = parse_options(argc, argv, &o), status = r > 0 ? CLI_USAGE : CLI_FINE;

	if (r != 0)
		fputs(help, r < 0 ? stdout : stderr);
	for (int i = optind; r == 0 && i < argc; i++) {
		r = learned ? cli_log_read(&log, argv[i]) : -ENOMEM;
		if (r == 0)
			continue;
		fprintf(stderr, "sockgate learn: %s: %s\n", argv[i], strerror(-r));
		status = r == -EACCES || r == -EPERM ? CLI_NOT_PERMITTED : CLI_USAGE;
	}
	if (r == 0 && log.others)
		fprintf(stderr,
			"sockgate learn: %llu requests left out: malformed, or no operation of the API\n",
			(unsigned long long)log.others);
	if (r == 0 && log.unreadable)
		fprintf(stderr, "sockgate learn: %llu lines left out that are no records\n",
			(unsigned long long)log.unreadable);
	if (r == 0 && o.variables)
		learn_print_variables(learned, o.level);
	else if (r == 0)
		print_yaml(&o, learned);
	free(learned);
	return status;
}
