/* SPDX-License-Identifier: BSD-2-Clause */
/* sockgate diff - which operations, limits and logged requests change verdict from one policy to another. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_diff.h"
#include "cli/cli_explain.h"

#define LOGS_MAX 64
/* What a policy says of an operation or a limit, which is compared as text and so must be whole. */
#define TEXT_MAX ((size_t)256 * 1024)
/* An escaped byte takes six. */
#define JSON_MAX (12 * TEXT_MAX + 1024)
#define MEMORY   (2 * TEXT_MAX + JSON_MAX)

static const char help[] = "usage: sockgate diff [--json] [--log FILE]... OLD NEW\n"
			   "\n"
			   "Compiles two policies, names or files, and prints the operations whose verdict "
			   "changes, the limits that\n"
			   "differ, and with --log (an audit trail, - is standard input) the requests in it "
			   "that change verdict.\n"
			   "Exit status: 0 nothing changes, 1 something does, 2 usage or an error.\n";

/* Where containers.socket_bind, for one, finds a socket. */
#define LISTENER "unix:/run/sockgate/docker.sock"

struct texts {
	struct buf old, new;
	struct buf json; /* of both, escaped */
};

const char *diff_word(bool allow)
{
	return allow ? "allowed" : "denied";
}

static int load(const char *name, const char *directory, struct diff_side *ret)
{
	struct config_build *build = config_build_new();
	const char *why = "";
	unsigned index;
	int fd = -1, r = -ENOMEM;

	if (!build)
		goto out;
	config_policy_directory(build, directory);
	r = config_load_policy(build, name, stderr, &index);
	if (r == 0)
		r = config_add_listener(build, LISTENER, index, stderr);
	if (r < 0)
		goto out;
	fd = config_seal(build);
	r = fd < 0 ? fd : policy_image_map(fd, &ret->image, &why);
	if (r == 0)
		ret->policy = policy_image_at(ret->image, index);
out:
	if (r < 0 && r != -EINVAL)
		fprintf(stderr, "sockgate diff: %s: %s\n", name, *why ? why : strerror(-r));
	if (fd >= 0)
		close(fd);
	config_build_free(build);
	return r;
}

/* --- What changes --- */

static void print_change(const struct diff *diff, const char *kind, const char *name, struct texts *texts,
			 bool first)
{
	struct buf *b = &texts->json;

	if (!diff->json) {
		printf("%s: %.*s -> %.*s\n", name, STR_ARG(buf_view(&texts->old)),
		       STR_ARG(buf_view(&texts->new)));
	} else {
		b->n = 0;
		buf_printf(b, "%s{\"%s\":\"%s\",\"old\":", first ? "" : ",", kind, name);
		buf_json(b, buf_view(&texts->old));
		buf_puts(b, ",\"new\":");
		buf_json(b, buf_view(&texts->new));
		buf_putc(b, '}');
		fwrite(b->p, 1, b->n, stdout);
	}
}

/* "denied", "allowed", or what decides where that depends on the path; equal texts are equal verdicts. */
static void put_verdict(struct buf *b, const struct diff_side *side, unsigned operation)
{
	const struct image_policy *policy = side->policy;
	const struct image_verdict *verdict = &policy->verdicts[operation];
	struct image_list list = policy->operation_globs[operation];
	const uint32_t *index = IMAGE_LIST(side->image, uint32_t, list);
	const struct image_glob *globs = IMAGE_LIST(side->image, struct image_glob, policy->globs);
	unsigned allows = verdict->allow != 0, denies = 0;

	for (uint32_t i = 0; i < list.count; i++) {
		allows += globs[index[i]].allow;
		denies += !globs[index[i]].allow;
	}
	if (verdict->deny || !allows || (verdict->allow && !denies)) {
		buf_puts(b, diff_word(!verdict->deny && allows));
		return;
	}
	buf_puts(b, verdict->allow ? "allowed but" : "denied but");
	for (uint32_t i = 0; i < list.count; i++) {
		const struct image_glob *g = &globs[index[i]];

		/* An allow for a path says nothing where every path is allowed. */
		if (verdict->allow && g->allow)
			continue;
		buf_printf(b, " %s %.*s", g->allow ? "allow" : "deny",
			   STR_ARG(image_string(side->image, g->glob)));
	}
}

/* Returns the number of changes, or -E2BIG. */
static int64_t compare(const struct diff *diff, struct texts *t, bool limits)
{
	unsigned end = limits ? POLICY_KEYS : API_OPERATIONS;
	int64_t n = 0;

	for (unsigned i = 0; i < end; i++) {
		const struct policy_key_row *row = &policy_keys[limits ? i : 0];
		char name[128];

		t->old.n = t->new.n = 0;
		if (limits) {
			snprintf(name, sizeof(name), "%s.%s", row->section, row->name);
			cli_limit_value(&t->old, diff->old.image, row, &diff->old.policy->values[i]);
			cli_limit_value(&t->new, diff->new.image, row, &diff->new.policy->values[i]);
		} else {
			snprintf(name, sizeof(name), "%s", api_operations[i].name);
			put_verdict(&t->old, &diff->old, i);
			put_verdict(&t->new, &diff->new, i);
		}
		if (t->old.overflow || t->new.overflow)
			return -E2BIG;
		if (!str_eq(buf_view(&t->old), buf_view(&t->new)))
			print_change(diff, limits ? "limit" : "operation", name, t, n++ == 0);
	}
	return n;
}

/* From enforce to warn is the greatest change of all. */
static int64_t compare_modes(const struct diff *diff)
{
	static const char *const words[] = { "enforce", "warn", "learn" };
	const char *old = words[diff->old.policy->mode], *new = words[diff->new.policy->mode];
	bool change = old != new;

	if (diff->json)
		printf("{\"mode\":{\"old\":\"%s\",\"new\":\"%s\"}", old, new);
	else if (change)
		printf("mode: %s -> %s\n", old, new);
	return change;
}

/* `memory` has MEMORY bytes. */
static int run(const struct diff *diff, char *memory, char *const *logs, size_t n_logs)
{
	struct texts t = { buf_over(memory, TEXT_MAX), buf_over(memory + TEXT_MAX, TEXT_MAX),
			   buf_over(memory + 2 * TEXT_MAX, JSON_MAX) };
	int64_t changes = compare_modes(diff), n;

	for (int limits = 0; limits < 2; limits++) {
		if (diff->json)
			fputs(limits ? "],\"limits\":[" : ",\"operations\":[", stdout);
		n = compare(diff, &t, limits);
		if (n < 0) {
			fputs("sockgate diff: a value is too long to be compared\n", stderr);
			return CLI_USAGE;
		}
		changes += n;
	}
	if (diff->json)
		fputs("],\"requests\":[", stdout);
	n = diff_log(diff, logs, n_logs);
	if (n < 0)
		return n == -EACCES || n == -EPERM ? CLI_NOT_PERMITTED : CLI_USAGE;
	changes += n;
	if (diff->json)
		printf("],\"changed\":%s}\n", changes ? "true" : "false");
	return changes ? CLI_NEGATIVE : CLI_FINE;
}

int cmd_diff(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "log", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct diff diff = { .json = false };
	char *logs[LOGS_MAX], *directory = cli_policy_directory(), *memory = malloc(MEMORY);
	size_t n_logs = 0;
	int c, status = -1;

	while (status < 0 && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'j')
			diff.json = true;
		else if (c == 'l' && n_logs < LOGS_MAX)
			logs[n_logs++] = optarg;
		else
			status = c == 'h' ? CLI_FINE : CLI_USAGE;
	}
	if (status < 0 && argc - optind != 2)
		status = CLI_USAGE;
	if (status >= 0) {
		fputs(help, status == CLI_FINE ? stdout : stderr);
	} else {
		status = CLI_USAGE;
		if (!memory)
			perror("sockgate diff");
		else if (load(argv[optind], directory, &diff.old) == 0 &&
			 load(argv[optind + 1], directory, &diff.new) == 0)
			status = run(&diff, memory, logs, n_logs);
	}
	policy_image_unmap(diff.old.image);
	policy_image_unmap(diff.new.image);
	free(memory);
	free(directory);
	return status;
}
