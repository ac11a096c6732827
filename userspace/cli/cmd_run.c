/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_run.c - sockgate run -- COMMAND: runs a command that cannot reach the engine but through the proxy.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/run.h"
#include "run/run_proxy.h"

#define PROXY_SOCKET  "/run/sockgate/docker.sock"
#define ENGINE_SOCKET "/run/docker.sock"

static const char usage_text[] =
	"usage: sockgate run [OPTION...] [--] COMMAND [ARGUMENT...]\n"
	"\n"
	"Runs COMMAND so that it reaches no engine's socket: a connection to one is led to the proxy, or "
	"refused.\n"
	"\n"
	"  --policy NAME|FILE  start a proxy of its own with this policy, and lead there\n"
	"  --engine ADDRESS    the engine behind that proxy (the first Docker socket found)\n"
	"  --audit FILE        that proxy's audit trail (none)\n"
	"  --redirect PATH     lead to this proxy ($SOCKGATE_SOCKET, else " PROXY_SOCKET ")\n"
	"  --no-redirect       refuse only\n"
	"  --guard NAME        guard this as well: /PATH, /FOLDER/, @ABSTRACT, tcp:PORT\n"
	"  --refuse NAME       the same, but never lead it to the proxy\n"
	"  --allow NAME        do not guard this, though it is guarded by default\n"
	"  --no-landlock       leave out the Landlock domain\n"
	"  --json              a line for programs on standard error for each connection refused or led "
	"elsewhere\n"
	"  --log FILE          append these lines to FILE\n"
	"  --verbose           say the same for people, and how the command is held\n"
	"\n"
	"The exit status is COMMAND's; 128 and the number of the signal that ended it; 126 or 127 when it "
	"cannot be\n"
	"started; 2, 3 or 4 when it cannot be held.\n";

enum {
	OPTION_POLICY = 256,
	OPTION_ENGINE,
	OPTION_AUDIT,
	OPTION_REDIRECT,
	OPTION_NO_REDIRECT,
	OPTION_GUARD,
	OPTION_REFUSE,
	OPTION_ALLOW,
	OPTION_NO_LANDLOCK,
	OPTION_JSON,
	OPTION_LOG,
	OPTION_VERBOSE,
};

static const struct option options[] = {
	{ "policy", required_argument, NULL, OPTION_POLICY },
	{ "engine", required_argument, NULL, OPTION_ENGINE },
	{ "audit", required_argument, NULL, OPTION_AUDIT },
	{ "redirect", required_argument, NULL, OPTION_REDIRECT },
	{ "no-redirect", no_argument, NULL, OPTION_NO_REDIRECT },
	{ "guard", required_argument, NULL, OPTION_GUARD },
	{ "refuse", required_argument, NULL, OPTION_REFUSE },
	{ "allow", required_argument, NULL, OPTION_ALLOW },
	{ "no-landlock", no_argument, NULL, OPTION_NO_LANDLOCK },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	struct run_command command;
	struct run_proxy_options proxy;
	const char *redirect, *log;
	bool no_redirect, json, help;
};

static int misused(const char *what, const char *argument)
{
	fprintf(stderr, "sockgate run: %s%s\n", argument, what);
	return CLI_USAGE;
}

/* Guards in the order they are given: those of the command line come after the defaults. */
static int parse_guard(struct run_guards *guards, int option, const char *name)
{
	int r;

	if (option == OPTION_ALLOW) {
		r = run_guards_remove(guards, name);
		return r < 0 ? misused(": is not guarded by default", name) : CLI_FINE;
	}
	r = run_guards_add(guards, name, option == OPTION_GUARD);
	if (r == -ENOSPC)
		return misused(": too many guards", name);
	return r < 0 ? misused(": a guard is /PATH, /FOLDER/, @NAME or tcp:PORT", name) : CLI_FINE;
}

static int parse_option(struct arguments *a, int option)
{
	switch (option) {
	case OPTION_POLICY:
		a->proxy.policy = optarg;
		return CLI_FINE;
	case OPTION_ENGINE:
		a->proxy.engine = optarg;
		return CLI_FINE;
	case OPTION_AUDIT:
		a->proxy.audit = optarg;
		return CLI_FINE;
	case OPTION_REDIRECT:
		a->redirect = optarg;
		return CLI_FINE;
	case OPTION_NO_REDIRECT:
		a->no_redirect = true;
		return CLI_FINE;
	case OPTION_GUARD:
	case OPTION_REFUSE:
	case OPTION_ALLOW:
		return parse_guard(a->command.guards, option, optarg);
	case OPTION_NO_LANDLOCK:
		a->command.landlock = false;
		return CLI_FINE;
	case OPTION_JSON:
		a->json = true;
		return CLI_FINE;
	case OPTION_LOG:
		a->log = optarg;
		return CLI_FINE;
	case OPTION_VERBOSE:
		a->command.verbose = true;
		return CLI_FINE;
	case 'h':
		a->help = true;
		return CLI_FINE;
	default:
		return misused("see sockgate run --help", "");
	}
}

static int parse(int argc, char **argv, struct arguments *a)
{
	int option, status = CLI_FINE;

	/* 0: getopt starts anew. "+": what comes after the command is the command's. */
	optind = 0;
	while (status == CLI_FINE && (option = getopt_long(argc, argv, "+h", options, NULL)) != -1)
		status = parse_option(a, option);
	if (status != CLI_FINE || a->help)
		return status;
	a->command.argv = argv + optind;
	if (optind == argc)
		return misused("no command", "");
	if (a->no_redirect && (a->redirect || a->proxy.policy))
		return misused("--no-redirect goes with neither --redirect nor --policy", "");
	if (a->redirect && a->proxy.policy)
		return misused("--policy starts a proxy of its own: --redirect does not go with it", "");
	if (!a->proxy.policy && (a->proxy.engine || a->proxy.audit))
		return misused("--engine and --audit are for the proxy that --policy starts", "");
	return CLI_FINE;
}

/* What is not said: the proxy that serves everybody here, if it is there. */
static void choose_redirect(struct arguments *a)
{
	const char *set = getenv("SOCKGATE_SOCKET");

	if (a->no_redirect || a->proxy.policy)
		return;
	if (a->redirect)
		a->command.redirect = a->redirect;
	else if (set && *set)
		a->command.redirect = set;
	else if (access(PROXY_SOCKET, F_OK) == 0)
		a->command.redirect = PROXY_SOCKET;
}

/* The first Docker socket that is there, of those that are guarded. */
static const char *choose_engine(const struct run_guards *guards, char *memory, size_t size)
{
	const char *path = ENGINE_SOCKET;

	for (size_t i = 0; i < guards->n; i++) {
		const struct run_guard *guard = &guards->guards[i];

		if (guard->kind == RUN_GUARD_PATH && guard->redirect && access(guard->name, F_OK) == 0) {
			path = guard->name;
			break;
		}
	}
	snprintf(memory, size, "unix:%s", path);
	return memory;
}

static int open_log(struct arguments *a)
{
	a->command.log = (struct run_log){ .fd = -1, .json = a->json || a->log };
	if (a->log) {
		a->command.log.fd = open(a->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
		if (a->command.log.fd < 0) {
			fprintf(stderr, "sockgate run: %s: %s\n", a->log, strerror(errno));
			return CLI_USAGE;
		}
	} else if (a->json || a->command.verbose) {
		a->command.log.fd = STDERR_FILENO;
	}
	return CLI_FINE;
}

static int to_status(int error)
{
	switch (error) {
	case -ENOSYS:
		return CLI_UNSUPPORTED;
	case -EPERM:
	case -EACCES:
		return CLI_NOT_PERMITTED;
	default:
		return CLI_USAGE;
	}
}

static int run(struct arguments *a)
{
	char why[256], engine[RUN_GUARD_NAME_MAX + 8];
	struct run_proxy proxy = { .pid = -1 };
	int status = open_log(a), r = 0;

	if (status != CLI_FINE)
		return status;
	if (a->proxy.policy) {
		if (!a->proxy.engine)
			a->proxy.engine = choose_engine(a->command.guards, engine, sizeof(engine));
		r = run_proxy_start(&a->proxy, &proxy, why, sizeof(why));
		a->command.redirect = proxy.socket;
		a->command.private_redirect = true;
		a->command.proxy = proxy.pid;
	}
	if (r == 0) {
		r = run_command(&a->command, &status, why, sizeof(why));
		if (proxy.pid > 0)
			run_proxy_stop(&proxy);
	}
	if (r < 0) {
		fprintf(stderr, "sockgate run: %s\n", why);
		return to_status(r);
	}
	return status;
}

int cmd_run(int argc, char **argv)
{
	/* Threads judge by it until the process ends. */
	struct run_guards *guards = malloc(sizeof(*guards));
	struct arguments a = { .command = { .guards = guards, .landlock = true } };
	char runtime[64];
	int status;

	if (!guards)
		return misused("out of memory", "");
	a.proxy.runtime = getenv("XDG_RUNTIME_DIR");
	if (!a.proxy.runtime || !*a.proxy.runtime) {
		snprintf(runtime, sizeof(runtime), "/run/user/%u", (unsigned)getuid());
		a.proxy.runtime = access(runtime, W_OK) == 0 ? runtime : NULL;
	}
	run_guards_init(guards);
	status = run_guards_add_defaults(guards, getenv("HOME"), a.proxy.runtime) < 0 ? CLI_USAGE
										      : parse(argc, argv, &a);
	if (status == CLI_FINE && a.help) {
		fputs(usage_text, stdout);
	} else if (status == CLI_FINE) {
		choose_redirect(&a);
		return run(&a);
	}
	run_guards_free(guards);
	free(guards);
	return status;
}
