/* SPDX-License-Identifier: BSD-2-Clause */
/* sockgate operations - the whole API as policies see it. */
#include <getopt.h>
#include <stdio.h>

#include "api/api_operations.h"
#include "cli/cli.h"

static const char help[] = "usage: sockgate operations [--json] [SECTION]\n"
			   "\n"
			   "Lists every operation of the Engine API that can stand in a policy: its name, "
			   "method and path, what kind of\n"
			   "body it has, whether it writes, and what it does. \"sensitive\" marks reads that "
			   "give away files or secrets or\n"
			   "reach other hosts; \"stream\" after an arrow marks those that may become a raw "
			   "stream in both directions.\n";

static const char *body_name(enum api_body body)
{
	switch (body) {
	case API_BODY_NONE:
		return "none";
	case API_BODY_JSON:
		return "json";
	case API_BODY_STREAM:
		return "stream";
	}
	return "unknown";
}

static const char *access_name(const struct api_operation *op)
{
	if (op->flags & API_WRITE)
		return "write";
	return op->flags & API_SENSITIVE ? "sensitive" : "read";
}

static void print_json(const struct api_operation *op, bool first)
{
	char memory[2048];
	struct buf b = buf_over(memory, sizeof(memory));

	buf_puts(&b, first ? "[\n" : ",\n");
	buf_puts(&b, "{\"name\":");
	buf_json(&b, str_from(op->name));
	buf_puts(&b, ",\"method\":");
	buf_json(&b, str_from(http_method_name(op->method)));
	buf_puts(&b, ",\"path\":");
	buf_json(&b, str_from(op->pattern));
	buf_puts(&b, ",\"section\":");
	buf_json(&b, str_from(api_section_name(op->section)));
	buf_puts(&b, ",\"body\":");
	buf_json(&b, str_from(body_name(op->body)));
	buf_printf(&b, ",\"write\":%s,\"sensitive\":%s,\"hijack\":%s,\"summary\":",
		   op->flags & API_WRITE ? "true" : "false", op->flags & API_SENSITIVE ? "true" : "false",
		   op->flags & API_HIJACK ? "true" : "false");
	buf_json(&b, str_from(op->summary));
	buf_putc(&b, '}');
	fwrite(b.p, 1, b.n, stdout);
}

int cmd_operations(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	const char *section;
	unsigned n = 0;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return CLI_FINE;
		}
		if (c != 'j') {
			fputs(help, stderr);
			return CLI_USAGE;
		}
		json = true;
	}
	if (argc - optind > 1) {
		fputs(help, stderr);
		return CLI_USAGE;
	}
	section = argv[optind];
	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		const struct api_operation *op = &api_operations[i];

		if (section && strcmp(section, api_section_name(op->section)) != 0)
			continue;
		if (json)
			print_json(op, n == 0);
		else
			printf("%-28s %-7s %-46s %-12s %-6s %-9s %s%s\n", op->name,
			       http_method_name(op->method), op->pattern, api_section_name(op->section),
			       body_name(op->body), access_name(op), op->summary,
			       op->flags & API_HIJACK ? " -> stream" : "");
		n++;
	}
	if (json)
		puts(n ? "\n]" : "[]");
	if (n)
		return CLI_FINE;
	fprintf(stderr, "sockgate operations: there is no section %s\n", section);
	return CLI_USAGE;
}
