/* SPDX-License-Identifier: BSD-2-Clause */
/* sockgate check - compiles files as sockgated would, and says what is wrong with them. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "yaml/yaml_doc.h"

static const char help[] = "usage: sockgate check [--json] [FILE...]\n"
			   "\n"
			   "Compiles each FILE, a sockgate.yaml or a policy, exactly as it would be for use, "
			   "and prints every error as\n"
			   "FILE:LINE:COLUMN: MESSAGE. Without FILE: " SOCKGATE_SYSCONFDIR "/sockgate.yaml.\n"
			   "Exit status: 0 all are fine, 1 one is not, 2 usage.\n";

/* A file with one of sockgate.yaml's own keys is one; any other is taken for a policy. */
static bool is_main_file(const char *path)
{
	static const char *const keys[] = { "gate", "engines", "listeners", "policies", "audit" };
	struct yaml_doc *doc = NULL;
	bool found = false;

	if (yaml_doc_load_file(path, NULL, &doc) < 0)
		return false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		found = found || yaml_node_find(yaml_doc_root(doc), keys[i]);
	yaml_doc_free(doc);
	return found;
}

/* Compiles one file up to the sealed image, which is what counts. Returns 0 or a negative errno. */
static int check_file(const char *path, const char *directory, FILE *errors)
{
	struct config_build *build = config_build_new();
	const struct policy_image *image = NULL;
	const char *why = "";
	unsigned index;
	char *named;
	int fd = -1, r;

	/* A bare word would be looked for among the policies; here it is a file. */
	if (!build ||
	    asprintf(&named, "%s%s", strchr(path, '/') || strchr(path, '.') ? "" : "./", path) < 0) {
		config_build_free(build);
		return -ENOMEM;
	}
	config_policy_directory(build, directory);
	r = is_main_file(path) ? config_load_file(build, path, errors)
			       : config_load_policy(build, named, errors, &index);
	if (r == 0) {
		fd = config_seal(build);
		r = fd < 0 ? fd : policy_image_map(fd, &image, &why);
		if (r < 0)
			fprintf(errors, "%s:0:0: cannot be compiled: %s\n", path,
				r == -EBADMSG ? why : strerror(-r));
	}
	policy_image_unmap(image);
	if (fd >= 0)
		close(fd);
	free(named);
	config_build_free(build);
	return r;
}

static void print_json(const char *path, bool fine, const char *errors)
{
	size_t cap = 6 * (strlen(path) + strlen(errors)) + 256;
	char *memory = malloc(cap);
	struct buf b = buf_over(memory, memory ? cap : 0);
	struct str rest = str_from(errors);
	bool first = true;

	buf_puts(&b, "{\"file\":");
	buf_json(&b, str_from(path));
	buf_printf(&b, ",\"ok\":%s,\"messages\":[", fine ? "true" : "false");
	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;

		buf_puts(&b, first ? "" : ",");
		buf_json(&b, (struct str){ rest.p, n });
		first = false;
		rest = (struct str){ rest.p + n + (end != NULL), rest.n - n - (end != NULL) };
	}
	buf_puts(&b, "]}\n");
	fwrite(b.p, 1, b.n, stdout);
	free(memory);
}

static int check_and_print(const char *path, const char *directory, bool json)
{
	char *text = NULL;
	size_t size = 0;
	FILE *errors = open_memstream(&text, &size);
	int r;

	if (!errors)
		return -errno;
	r = check_file(path, directory, errors);
	if (fclose(errors) != 0 && r == 0)
		r = -ENOMEM;
	if (json)
		print_json(path, r == 0, text ? text : "");
	else if (r == 0)
		printf("%s%s: fine\n", text ? text : "", path);
	else
		fputs(text && *text ? text : "sockgate check: out of memory\n", stderr);
	free(text);
	return r;
}

int cmd_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char main_file[] = SOCKGATE_SYSCONFDIR "/sockgate.yaml", *fallback[] = { main_file, NULL };
	char *directory, **file;
	bool json = false;
	int c, status = CLI_FINE;

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
	directory = cli_policy_directory();
	for (file = optind < argc ? argv + optind : fallback; *file; file++)
		if (check_and_print(*file, directory, json) < 0)
			status = CLI_NEGATIVE;
	free(directory);
	return status;
}
