/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli.h - the subcommands of sockgate. One file each, cmd_NAME.c; the table is in sockgate.c.
 *
 * A subcommand gets argv with its own name first, prints for people unless --json is given, and returns one
 * of the statuses below.
 */
#ifndef SOCKGATE_CLI_H
#define SOCKGATE_CLI_H

#include "config/config.h"

enum cli_status {
	CLI_FINE = 0,
	CLI_NEGATIVE = 1, /* denied, or a check that failed */
	CLI_USAGE = 2,    /* usage or configuration error */
	CLI_NOT_PERMITTED = 3,
	CLI_UNSUPPORTED = 4, /* the kernel lacks what was required */
};

int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_operations(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_who(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_gate(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_audit_log(int argc, char **argv);
int cmd_learn(int argc, char **argv);
int cmd_diff(int argc, char **argv);

/*
 * Where policies are found without installing: $SOCKGATE_POLICY_DIR, or policies/ beside the folder that
 * holds the running program (build/../policies). NULL when there is neither. The string is the caller's to
 * free.
 */
char *cli_policy_directory(void);

#endif
