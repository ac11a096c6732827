/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockgate explain - what a policy decides about one request, by the code that decides about real ones.
 *
 * The request is written out as an HTTP head and recognised like a client's, so that what the worker would
 * refuse as malformed is refused here with the same words.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_explain.h"

#define MAIN_FILE SOCKGATE_SYSCONFDIR "/sockgate.yaml"
/* Where a policy that is asked about alone is taken to be served: containers.socket_bind needs a socket. */
#define LISTENER "unix:/run/sockgate/docker.sock"

static const char help[] =
	"usage: sockgate explain [--policy NAME|FILE] [--config FILE] [--uid N] [--body FILE|-] [--json] "
	"METHOD TARGET\n"
	"       sockgate explain [--policy NAME|FILE] --limits\n"
	"\n"
	"Says whether a request would be allowed, by which rule, and how to allow it. TARGET is a path with "
	"or without\n"
	"a version, and its query: /v1.43/containers/create?name=web. With --body, every finding in the body "
	"is shown,\n"
	"and what the policy would change in it before that.\n"
	"Without --policy, the policy of the first listener in FILE (" MAIN_FILE ") for a\n"
	"client with user id N. --limits lists what the policy sets and every default.\n"
	"Exit status: 0 allowed, 1 denied, 2 usage or configuration error.\n";

/* Compiles the policy that was asked for into an image. Returns 0 or -1 after a message. */
static int load(const struct explain_options *o, const char *directory, const struct policy_image **ret_image,
		const struct image_policy **ret_policy)
{
	struct config_build *build = config_build_new();
	const struct policy_image *image = NULL;
	const char *why = "out of memory";
	unsigned index = 0;
	int fd = -1, r = -ENOMEM;

	if (!build)
		goto out;
	config_policy_directory(build, directory);
	if (o->policy)
		r = config_load_policy(build, o->policy, stderr, &index);
	else if (o->config || access(MAIN_FILE, F_OK) == 0)
		r = config_load_file(build, o->config ? o->config : MAIN_FILE, stderr);
	else
		r = config_defaults(build, stderr);
	if (r == 0 && o->policy)
		r = config_add_listener(build, LISTENER, index, stderr);
	if (r < 0)
		goto out;
	fd = config_seal(build);
	r = fd < 0 ? fd : policy_image_map(fd, &image, &why);
	if (r < 0) {
		fprintf(stderr, "sockgate explain: cannot compile: %s\n", r == -EBADMSG ? why : strerror(-r));
		goto out;
	}
	if (o->policy) {
		*ret_policy = policy_image_at(image, index);
	} else {
		struct policy_peer peer = { .uid = o->uid, .gid = -1, .pid = -1 };

		*ret_policy =
			policy_for(image, IMAGE_LIST(image, struct image_listener, image->listeners), &peer);
	}
	*ret_image = image;
out:
	if (fd >= 0)
		close(fd);
	config_build_free(build);
	return r < 0 ? -1 : 0;
}

/* Reads a whole file, one byte more than the limit at most. Returns 0 or -1 after a message. */
static int read_body(const char *path, size_t limit, char **ret, size_t *ret_n)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	char *memory = malloc(limit + 1);
	size_t n = 0;
	ssize_t got = -1;

	while (fd >= 0 && memory && n <= limit && (got = read(fd, memory + n, limit + 1 - n)) > 0)
		n += (size_t)got;
	if (fd < 0 || !memory || (got < 0 && n <= limit)) {
		fprintf(stderr, "sockgate explain: %s: %s\n", path, strerror(errno));
		free(memory);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(fd);
	*ret = memory;
	*ret_n = n;
	return 0;
}

static bool parse_uid(const char *s, int64_t *ret)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno || *s < '0' || *s > '9' || *end || v >= UINT32_MAX)
		return false;
	*ret = (int64_t)v;
	return true;
}

/* Returns 0, or a status with which to end (after a message); -1: help was asked for. */
static int parse_options(int argc, char **argv, struct explain_options *o)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' }, { "config", required_argument, NULL, 'c' },
		{ "uid", required_argument, NULL, 'u' },    { "body", required_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },         { "limits", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			o->policy = optarg;
			break;
		case 'c':
			o->config = optarg;
			break;
		case 'u':
			if (!parse_uid(optarg, &o->uid)) {
				fprintf(stderr, "sockgate explain: %s is not a user id\n", optarg);
				return CLI_USAGE;
			}
			break;
		case 'b':
			o->body = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'l':
			o->limits = true;
			break;
		case 'h':
			return -1;
		default:
			return CLI_USAGE;
		}
	}
	if (argc - optind != (o->limits ? 0 : 2))
		return CLI_USAGE;
	o->method = argv[optind];
	o->target = o->limits ? NULL : argv[optind + 1];
	return 0;
}

int cmd_explain(int argc, char **argv)
{
	struct explain_options o = { .uid = -1 };
	const struct policy_image *image = NULL;
	const struct image_policy *policy = NULL;
	char *directory = NULL, *body = NULL;
	size_t body_n = 0;
	int status;

	status = parse_options(argc, argv, &o);
	if (status != 0) {
		fputs(help, status < 0 ? stdout : stderr);
		return status < 0 ? CLI_FINE : status;
	}
	directory = cli_policy_directory();
	status = CLI_USAGE;
	if (load(&o, directory, &image, &policy) < 0)
		goto out;
	if (o.limits)
		status = explain_limits(&o, image, policy);
	else if (!o.body || read_body(o.body, JSON_BODY_MAX, &body, &body_n) == 0)
		status = explain_request(&o, image, policy, body, body_n);
out:
	policy_image_unmap(image);
	free(body);
	free(directory);
	return status;
}
