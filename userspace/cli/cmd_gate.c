/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_gate.c - sockgate gate on|off|status [--json]: so that nobody is ever locked out. sockgated asks the
 * kernel who is speaking and writes it into the audit trail.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli_control.h"

static const struct {
	const char *word;
	const char *command;
} words[] = {
	{ "on", "gate-on" },
	{ "off", "gate-off" },
	{ "status", "status" },
};

static int usage(FILE *to)
{
	fputs("usage: sockgate gate on|off|status [--json]\n", to);
	return to == stdout ? CLI_FINE : CLI_USAGE;
}

/* on, off: whether it is so now. status: 0 only when it enforces. */
static int print_gate(const char *word, struct str line, bool json)
{
	const struct json_value *state, *gate;
	struct json_body *body;
	struct str reason = STR("");
	const char *why;
	bool fine = false;

	if (json_body_load(line.p, line.n, &body, &why) < 0)
		return CLI_NEGATIVE;
	gate = cli_control_member(json_body_root(body), "gate");
	state = cli_control_member(gate, "state");
	if (cli_control_member(gate, "reason"))
		reason = json_value_string(cli_control_member(gate, "reason"));
	if (json)
		printf("%.*s\n", STR_ARG(line));
	else if (state)
		printf("gate %.*s%s%.*s\n", STR_ARG(json_value_string(state)), reason.n ? ": " : "",
		       STR_ARG(reason));
	if (state)
		fine = str_eqz(json_value_string(state), strcmp(word, "off") == 0 ? "off" : "enforcing");
	json_body_free(body);
	return fine ? CLI_FINE : CLI_NEGATIVE;
}

int cmd_gate(int argc, char **argv)
{
	char memory[CLI_CONTROL_REPLY_MAX];
	struct buf reply = buf_over(memory, sizeof(memory));
	bool json = argc == 3 && strcmp(argv[2], "--json") == 0;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	if (argc != 2 && !json)
		return usage(stderr);
	json_body_init();
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		int status;

		if (strcmp(argv[1], words[i].word) != 0)
			continue;
		status = cli_control_ask(words[i].command, &reply);
		return status == CLI_FINE ? print_gate(words[i].word, buf_view(&reply), json) : status;
	}
	return usage(stderr);
}
