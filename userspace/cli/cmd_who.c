/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockgate who - who can reach an engine's sockets now. Here is what surrounds userspace/who/: the options,
 * what was configured, and sockgated's word on the gate.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli_control.h"
#include "who/who.h"

#define WANTED_MAX 64
#define PATH_SIZE  109 /* of sun_path, and a NUL */

static const char help[] =
	"usage: sockgate who [--all] [--json] [--config FILE] [--engine PATH]...\n"
	"\n"
	"Lists every process, container, mount, group member and TCP listener that can reach an engine now, "
	"from what the\n"
	"kernel shows, each with a verdict: open, shut (the gate would refuse it), unknown (whether there is "
	"a "
	"gate may not\n"
	"be asked), proxy (the marked proxy), engine (its own processes).\n"
	"\n"
	"  --engine PATH   a socket that counts as an engine's, besides the usual ones; may be repeated\n"
	"  --config FILE   the engines of this sockgate.yaml, and what stands in their `also`\n"
	"  --all           a line for every process, where like ones are counted otherwise\n"
	"\n"
	"Exit status: 0 nothing is open, 1 something is, 2 usage or configuration error, 3 nothing is open "
	"as "
	"far as could\n"
	"be seen. Seeing everything takes root.\n";

struct who_options {
	const char *config;
	struct who_wanted wanted[WANTED_MAX];
	size_t n_wanted;
	/* What the wanted paths point into. */
	struct json_body *status;
	char copies[WANTED_MAX][PATH_SIZE];
	size_t n_copies;
	bool all;
	bool json;
};

/* Adds a socket, or tells more of one that is there. Returns 0 or a status after a message. */
static int add_wanted(struct who_options *o, const char *path, uint16_t port, bool guarded, bool named)
{
	for (size_t i = 0; i < o->n_wanted; i++) {
		struct who_wanted *wanted = &o->wanted[i];

		if (path ? !wanted->path || strcmp(wanted->path, path) != 0 : wanted->port != port)
			continue;
		wanted->guarded = wanted->guarded || guarded;
		wanted->named = wanted->named || named;
		return CLI_FINE;
	}
	if (o->n_wanted == WANTED_MAX) {
		fprintf(stderr, "sockgate who: more than %d engine sockets\n", WANTED_MAX);
		return CLI_USAGE;
	}
	o->wanted[o->n_wanted++] =
		(struct who_wanted){ .path = path, .port = port, .guarded = guarded, .named = named };
	return CLI_FINE;
}

/* The same for a path that does not end in NUL, or does not live long enough. */
static int add_copy(struct who_options *o, struct str path, bool guarded)
{
	char *copy;

	if (o->n_copies == WANTED_MAX || path.n >= PATH_SIZE) {
		fprintf(stderr, "sockgate who: %.*s: %s\n", STR_ARG(path),
			path.n >= PATH_SIZE ? "longer than a socket's name can be"
					    : "too many engine sockets");
		return CLI_USAGE;
	}
	copy = o->copies[o->n_copies++];
	memcpy(copy, path.p, path.n);
	copy[path.n] = '\0';
	return add_wanted(o, copy, 0, guarded, false);
}

static int add_engine(struct who_options *o, const struct policy_image *image,
		      const struct image_engine *engine, bool guarded)
{
	const struct image_str *also = IMAGE_LIST(image, struct image_str, engine->also);
	int status;

	if (engine->kind == IMAGE_TCP)
		return add_wanted(o, NULL, (uint16_t)engine->port, false, false);
	status = add_copy(o, image_string(image, engine->address), guarded);
	for (uint32_t i = 0; status == CLI_FINE && i < engine->also.count; i++)
		status = add_copy(o, image_string(image, also[i]), guarded);
	return status;
}

/*
 * The engines of a configuration. They count as guarded where sockgated runs with the very same one: its
 * status names the engines' sockets alone, and the image's hash. Returns an enum cli_status after a message.
 */
static int add_config(struct who_options *o, const char *running_hash)
{
	char *directory = cli_policy_directory(), hash[17];
	struct config_build *build = config_build_new();
	const struct policy_image *image = NULL;
	const char *why = "out of memory";
	int fd = -1, r = build ? 0 : -ENOMEM, status = CLI_FINE;

	if (r == 0) {
		config_policy_directory(build, directory);
		r = config_load_file(build, o->config, stderr);
		why = NULL; /* every error was printed */
	}
	if (r == 0) {
		fd = config_seal(build);
		r = fd < 0 ? fd : policy_image_map(fd, &image, &why);
	}
	if (r < 0 && why)
		fprintf(stderr, "sockgate who: cannot compile: %s\n", why);
	for (uint32_t i = 0; r == 0 && status == CLI_FINE && i < image->engines.count; i++) {
		(void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)image->hash);
		status = add_engine(o, image, IMAGE_LIST(image, struct image_engine, image->engines) + i,
				    strcmp(hash, running_hash) == 0);
	}
	policy_image_unmap(image);
	if (fd >= 0)
		close(fd);
	config_build_free(build);
	free(directory);
	return r < 0 ? CLI_USAGE : status;
}

static struct str text_of(const struct json_value *object, const char *name)
{
	const struct json_value *v = cli_control_member(object, name);

	return v && json_value_type(v) == JSON_T_STRING ? json_value_string(v) : STR("");
}

static bool is_in(const struct json_value *list, struct str path)
{
	for (size_t i = 0; list && i < json_size(list); i++)
		if (str_eq(json_value_string(json_element(list, i)), path))
			return true;
	return false;
}

/* What sockgated's status says of the gate and the proxy. Returns an enum cli_status. */
static int read_status(struct who_options *o, const struct json_value *root, struct who_request *request,
		       char *hash, size_t hash_size)
{
	const struct json_value *gate = cli_control_member(root, "gate"), *observe,
				*proxy = cli_control_member(root, "proxy"),
				*engines = cli_control_member(root, "engines"),
				*missing = cli_control_member(gate, "missing"), *pid;
	int status = CLI_FINE;

	observe = cli_control_member(gate, "observe");
	pid = cli_control_member(proxy, "pid");
	if (str_eqz(text_of(gate, "state"), "enforcing") && !(observe && json_value_bool(observe)))
		request->gate = WHO_GATE_ENFORCING;
	if (pid && json_value_type(pid) == JSON_T_INTEGER && json_value_integer(pid) > 1 &&
	    json_value_integer(pid) <= INT32_MAX)
		request->proxy = (pid_t)json_value_integer(pid);
	(void)snprintf(hash, hash_size, "%.*s", STR_ARG(text_of(root, "policy_hash")));
	for (size_t i = 0; engines && status == CLI_FINE && i < json_size(engines); i++) {
		struct str path = text_of(json_element(engines, i), "unix");

		/* One whose directory was not there when it was armed is not guarded yet. */
		if (path.n)
			status = add_copy(o, path, !is_in(missing, path));
	}
	return status;
}

/* Asks sockgated, where there is one. Returns an enum cli_status. */
static int ask_daemon(struct who_options *o, struct who_request *request, char *hash, size_t hash_size)
{
	char memory[CLI_CONTROL_REPLY_MAX];
	struct buf reply = buf_over(memory, sizeof(memory));
	struct str line;
	const char *why;
	int status;

	if (access(CLI_CONTROL_SOCKET, F_OK) < 0 && errno == ENOENT)
		return CLI_FINE;
	status = cli_control_ask("status", &reply);
	if (status == CLI_NOT_PERMITTED)
		request->gate = WHO_GATE_UNKNOWN;
	if (status != CLI_FINE)
		return CLI_FINE; /* a message was printed; without its word nothing is shut */
	line = buf_view(&reply);
	if (json_body_load(line.p, line.n, &o->status, &why) < 0) {
		fprintf(stderr, "sockgate who: sockgated's answer: %s\n", why);
		return CLI_FINE;
	}
	return read_status(o, json_body_root(o->status), request, hash, hash_size);
}

/* Returns 0, or a status with which to end (after a message); -1: help was asked for. */
static int parse_options(int argc, char **argv, struct who_options *o)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },          { "json", no_argument, NULL, 'j' },
		{ "config", required_argument, NULL, 'c' }, { "engine", required_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
	};
	int c, status = CLI_FINE;

	while (status == CLI_FINE && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			o->all = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'c':
			o->config = optarg;
			break;
		case 'e':
			if (strncmp(optarg, "unix:", 5) == 0)
				optarg += strncmp(optarg, "unix://", 7) == 0 ? 7 : 5;
			if (*optarg != '/') {
				fprintf(stderr, "sockgate who: %s is not an absolute path\n", optarg);
				return CLI_USAGE;
			}
			status = add_wanted(o, optarg, 0, false, true);
			break;
		case 'h':
			return -1;
		default:
			return CLI_USAGE;
		}
	}
	return status != CLI_FINE || optind != argc ? CLI_USAGE : CLI_FINE;
}

static int report_and_judge(const struct who_options *o, const struct who_request *request)
{
	struct who_report *report;
	const char *why;
	int status, r = who_collect(request, &report, &why);

	if (r < 0) {
		fprintf(stderr, "sockgate who: %s: %s\n", why, strerror(-r));
		return CLI_NOT_PERMITTED;
	}
	if (o->json)
		who_report_json(report, stdout);
	else
		who_report_table(report, o->all, stdout);
	if (who_report_count(report, WHO_OPEN))
		status = CLI_NEGATIVE;
	else
		status = who_report_count(report, WHO_UNKNOWN) || report->n_unseen ? CLI_NOT_PERMITTED
										   : CLI_FINE;
	who_report_free(report);
	return status;
}

int cmd_who(int argc, char **argv)
{
	struct who_options o = { 0 };
	struct who_request request = { 0 };
	char hash[24] = "";
	int status = parse_options(argc, argv, &o);

	if (status != CLI_FINE) {
		fputs(help, status < 0 ? stdout : stderr);
		return status < 0 ? CLI_FINE : status;
	}
	json_body_init();
	status = ask_daemon(&o, &request, hash, sizeof(hash));
	if (status == CLI_FINE && o.config)
		status = add_config(&o, hash);
	if (status == CLI_FINE) {
		request.wanted = o.wanted;
		request.n_wanted = o.n_wanted;
		request.all = o.all;
		status = report_and_judge(&o, &request);
	}
	json_body_free(o.status);
	return status;
}
