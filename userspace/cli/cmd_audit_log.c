/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_audit_log.c - sockgate audit-log verify [--key FILE] [--json] FILE...: whether records of the trail
 * were deleted, changed, reordered or cut off, and which. Files in the order in which they were written.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_verify.h"
#include "cli/cli.h"

#define PUBLIC_KEY SOCKGATE_SYSCONFDIR "/audit.pub"
#define READ_SIZE  (1024 * 1024)

struct request {
	const char *key_file; /* NULL: none is there, signatures are not checked */
	bool json;
	char **files;
	uint32_t n_files;
};

static int usage(FILE *to)
{
	fputs("usage: sockgate audit-log verify [--key FILE] [--json] FILE...\n"
	      "  FILE        audit trails, the oldest first; - is standard input\n"
	      "  --key FILE  the public key of the checkpoints (" PUBLIC_KEY ", if it is there)\n",
	      to);
	return to == stdout ? CLI_FINE : CLI_USAGE;
}

static int fail(const char *file, int error)
{
	fprintf(stderr, "sockgate: %s: %s\n", file,
		error == -EBADMSG ? "not an Ed25519 key" : strerror(-error));
	return error == -EACCES || error == -EPERM ? CLI_NOT_PERMITTED : CLI_USAGE;
}

static int read_lines(struct audit_verify *verify, struct audit_lines *lines)
{
	struct str line;
	int r;

	do {
		r = audit_lines_next(lines, &line);
		if (r == 1)
			r = audit_verify_line(verify, line) < 0 ? -ENOMEM : 1;
		else if (r == -EMSGSIZE)
			r = audit_verify_unreadable(verify) < 0 ? -ENOMEM : 1;
	} while (r > 0);
	return r == 0 && audit_lines_unfinished(lines) ? audit_verify_unfinished(verify) : r;
}

static int read_file(struct audit_verify *verify, const struct request *request, uint32_t index)
{
	bool input = strcmp(request->files[index], "-") == 0;
	struct audit_lines lines = {
		.fd = input ? STDIN_FILENO : open(request->files[index], O_RDONLY | O_CLOEXEC),
		.pipe = true, /* once from beginning to end */
		.memory = malloc(READ_SIZE),
		.cap = READ_SIZE,
	};
	int r = lines.fd < 0 ? -errno : lines.memory ? 0 : -ENOMEM;

	audit_verify_file(verify, index);
	if (r == 0)
		r = read_lines(verify, &lines);
	free(lines.memory);
	if (!input && lines.fd >= 0)
		close(lines.fd);
	return r;
}

static void print_finding(const struct request *request, const struct audit_finding *f)
{
	printf("%s:%u: %s", request->files[f->place.file], f->place.line, audit_finding_name(f->kind));
	if (f->has_chain && f->count > 1)
		printf(", chain %016llx records %llu to %llu", (unsigned long long)f->chain,
		       (unsigned long long)f->seq, (unsigned long long)(f->seq + f->count - 1));
	else if (f->has_chain)
		printf(", chain %016llx record %llu", (unsigned long long)f->chain,
		       (unsigned long long)f->seq);
	printf(": %s\n", audit_finding_detail(f->kind));
}

static void print_summary(const struct request *request, const struct audit_summary *s, size_t n)
{
	printf("%llu records in %llu chains (%llu without an end, %llu from earlier files)\n",
	       (unsigned long long)s->records, (unsigned long long)s->chains, (unsigned long long)s->open,
	       (unsigned long long)s->continued);
	if (!request->key_file)
		puts("signatures were not checked: there is no key");
	if (s->checkpoints)
		printf("%llu checkpoints, the last of %s; %llu records are not in one, and could be cut off "
		       "or changed at the end unseen\n",
		       (unsigned long long)s->checkpoints, s->last_checkpoint,
		       (unsigned long long)s->unproved);
	else
		puts("no checkpoints: records at the end could be cut off or changed unseen");
	puts(n ? "NOT INTACT" : "intact");
}

static void print_json(const struct request *request, const struct audit_finding *f, size_t n,
		       const struct audit_summary *s)
{
	printf("{\"intact\":%s,\"records\":%llu,\"chains\":%llu,\"open\":%llu,\"continued\":%llu,"
	       "\"signatures_checked\":%s,\"checkpoints\":%llu,\"last_checkpoint\":\"%s\",\"unproved\":%llu,"
	       "\"findings\":[",
	       n ? "false" : "true", (unsigned long long)s->records, (unsigned long long)s->chains,
	       (unsigned long long)s->open, (unsigned long long)s->continued,
	       request->key_file ? "true" : "false", (unsigned long long)s->checkpoints, s->last_checkpoint,
	       (unsigned long long)s->unproved);
	for (size_t i = 0; i < n; i++) {
		char memory[8192];
		struct buf out = buf_over(memory, sizeof(memory));

		buf_puts(&out, i ? ",{\"what\":\"" : "{\"what\":\"");
		buf_puts(&out, audit_finding_name(f[i].kind));
		buf_puts(&out, "\",\"file\":");
		buf_json(&out, str_from(request->files[f[i].place.file]));
		buf_printf(&out, ",\"line\":%u", f[i].place.line);
		if (f[i].has_chain)
			buf_printf(&out, ",\"chain\":\"%016llx\",\"seq\":%llu,\"count\":%llu",
				   (unsigned long long)f[i].chain, (unsigned long long)f[i].seq,
				   (unsigned long long)f[i].count);
		printf("%.*s}", STR_ARG(buf_view(&out)));
	}
	puts("]}");
}

static int verify_files(const struct request *request, const struct audit_key *key)
{
	struct audit_verify *verify = audit_verify_new(key);
	const struct audit_finding *findings;
	struct audit_summary summary;
	const char *file = request->files[0];
	size_t n = 0;
	int r = verify ? 0 : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < request->n_files; i++) {
		file = request->files[i];
		r = read_file(verify, request, i);
	}
	if (r == 0)
		r = audit_verify_finish(verify, &findings, &n, &summary);
	if (r == 0 && request->json) {
		print_json(request, findings, n, &summary);
	} else if (r == 0) {
		for (size_t i = 0; i < n; i++)
			print_finding(request, &findings[i]);
		print_summary(request, &summary, n);
	}
	audit_verify_free(verify);
	if (r < 0)
		return fail(file, r);
	return n ? CLI_NEGATIVE : CLI_FINE;
}

int cmd_audit_log(int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct request request = { .json = false };
	struct audit_key key;
	int r;

	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		if (option == 'k')
			request.key_file = optarg;
		else if (option == 'j')
			request.json = true;
		else
			return usage(option == 'h' ? stdout : stderr);
	}
	if (argc - optind < 2 || strcmp(argv[optind], "verify") != 0)
		return usage(stderr);
	request.files = argv + optind + 1;
	request.n_files = (uint32_t)(argc - optind - 1);
	if (!request.key_file && access(PUBLIC_KEY, F_OK) == 0)
		request.key_file = PUBLIC_KEY;
	r = request.key_file ? audit_key_load_public(request.key_file, &key) : 0;
	if (r < 0)
		return fail(request.key_file, r);
	return verify_files(&request, request.key_file ? &key : NULL);
}
