/* SPDX-License-Identifier: BSD-2-Clause */
/* sockgate - the command line. Nothing here needs root unless the subcommand says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* A new subcommand is a row here, a prototype in cli.h and a file. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "check", cmd_check, "check configuration and policy files" },
	{ "explain", cmd_explain, "say what a policy decides about a request, and why" },
	{ "operations", cmd_operations, "list the operations that policies can name" },
	{ "status", cmd_status, "show how the gate and the proxy are" },
	{ "events", cmd_events, "show the audit trail, live with -f" },
	{ "learn", cmd_learn, "make the smallest policy that allows what an audit trail shows" },
	{ "diff", cmd_diff, "show what changes from one policy to another" },
	{ "audit-log", cmd_audit_log, "prove that the audit trail is whole, or say what was done to it" },
	{ "gate", cmd_gate, "turn the kernel gate on or off, or ask how it is" },
	{ "who", cmd_who, "list who can reach the engine, and how" },
	{ "run", cmd_run, "run a command that reaches the engine through the proxy alone" },
};

static int usage(FILE *to)
{
	fputs("usage: sockgate COMMAND [--help] [ARGUMENT...]\n\n", to);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].summary);
	fputs("\nsockgate --version prints the version.\n", to);
	return to == stdout ? CLI_FINE : CLI_USAGE;
}

char *cli_policy_directory(void)
{
	const char *set = getenv("SOCKGATE_POLICY_DIR");
	char self[4096], *path;
	ssize_t n;
	struct stat st;

	if (set && *set)
		return strdup(set);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return NULL;
	self[n] = '\0';
	/* .../build/sockgate: the folder, then its parent. */
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(self, '/');

		if (slash)
			*slash = '\0';
	}
	if (asprintf(&path, "%s/policies", self) < 0)
		return NULL;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return path;
	free(path);
	return NULL;
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return usage(stdout);
	if (strcmp(argv[1], "--version") == 0) {
		puts("sockgate " SOCKGATE_VERSION);
		return CLI_FINE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		status = commands[i].run(argc - 1, argv + 1);
		/* What could not be printed was not said. */
		if (fflush(stdout) != 0 && status == CLI_FINE) {
			perror("sockgate: standard output");
			return CLI_USAGE;
		}
		return status;
	}
	fprintf(stderr, "sockgate: unknown command %s\n", argv[1]);
	return usage(stderr);
}
