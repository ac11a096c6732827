/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_status.c - sockgate status [--json]: how the gate and the proxy are. 0: enforcing and serving; 1: not
 * both. */
#include <stdio.h>
#include <string.h>

#include "cli/cli_control.h"

static struct str text_of(const struct json_value *object, const char *name)
{
	const struct json_value *v = cli_control_member(object, name);

	return v && json_value_type(v) == JSON_T_STRING ? json_value_string(v) : STR("");
}

static long long number_of(const struct json_value *object, const char *name)
{
	const struct json_value *v = cli_control_member(object, name);

	return v && json_value_type(v) == JSON_T_INTEGER ? (long long)json_value_integer(v) : 0;
}

static void print_address(const char *title, const struct json_value *entry)
{
	struct str path = text_of(entry, "unix"), host = text_of(entry, "tcp");

	if (path.n)
		printf("%-10s unix:%.*s\n", title, STR_ARG(path));
	else
		printf("%-10s tcp:%.*s:%lld\n", title, STR_ARG(host), number_of(entry, "port"));
}

static void print_list(const char *title, const struct json_value *list)
{
	for (size_t i = 0; list && i < json_size(list); i++)
		print_address(title, json_element(list, i));
}

static void print_gate(const struct json_value *gate)
{
	const struct json_value *missing = cli_control_member(gate, "missing");
	struct str reason = text_of(gate, "reason");

	printf("%-10s %.*s (%.*s)%s%.*s\n", "gate", STR_ARG(text_of(gate, "state")),
	       STR_ARG(text_of(gate, "backend")), reason.n ? ": " : "", STR_ARG(reason));
	printf("%-10s %.*s\n", "backend", STR_ARG(text_of(gate, "choice")));
	printf("%-10s %lld allowed, %lld refused, %lld events lost\n", "connects", number_of(gate, "allowed"),
	       number_of(gate, "denied"), number_of(gate, "events_lost"));
	for (size_t i = 0; missing && i < json_size(missing); i++)
		printf("%-10s %.*s: its directory does not exist\n", "unguarded",
		       STR_ARG(json_value_string(json_element(missing, i))));
}

static int print_status(struct str line)
{
	const struct json_value *root, *gate, *proxy;
	struct json_body *body;
	const char *why;
	bool fine;

	if (json_body_load(line.p, line.n, &body, &why) < 0)
		return CLI_NEGATIVE;
	root = json_body_root(body);
	gate = cli_control_member(root, "gate");
	proxy = cli_control_member(root, "proxy");
	print_gate(gate);
	printf("%-10s %.*s, pid %lld, %lld restarts\n", "proxy", STR_ARG(text_of(proxy, "state")),
	       number_of(proxy, "pid"), number_of(proxy, "restarts"));
	print_list("engine", cli_control_member(root, "engines"));
	print_list("listener", cli_control_member(root, "listeners"));
	printf("%-10s %.*s\n", "policy", STR_ARG(text_of(root, "policy_hash")));
	fine = str_eqz(text_of(gate, "state"), "enforcing") && str_eqz(text_of(proxy, "state"), "serving");
	json_body_free(body);
	return fine ? CLI_FINE : CLI_NEGATIVE;
}

int cmd_status(int argc, char **argv)
{
	char memory[CLI_CONTROL_REPLY_MAX];
	struct buf reply = buf_over(memory, sizeof(memory));
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	int status;

	if (argc > 1 && !json) {
		fputs("usage: sockgate status [--json]\n",
		      argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? CLI_FINE : CLI_USAGE;
	}
	json_body_init();
	status = cli_control_ask("status", &reply);
	if (status != CLI_FINE)
		return status;
	if (!json)
		return print_status(buf_view(&reply));
	printf("%.*s\n", STR_ARG(buf_view(&reply)));
	return CLI_FINE;
}
