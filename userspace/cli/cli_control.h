/* SPDX-License-Identifier: BSD-2-Clause */
/* cli_control.h - asks sockgated over its control socket. */
#ifndef SOCKGATE_CLI_CONTROL_H
#define SOCKGATE_CLI_CONTROL_H

#include "cli/cli.h"
#include "json/json_body.h"

#define CLI_CONTROL_SOCKET    "/run/sockgate/control.sock"
#define CLI_CONTROL_REPLY_MAX 16384

/*
 * Sends {"command": command} and reads the one line of the answer into `reply`, without its newline. What
 * goes wrong, an "error" in the answer included, is printed on standard error. Returns an enum cli_status.
 */
int cli_control_ask(const char *command, struct buf *reply);

/* The member of an object, or NULL. */
const struct json_value *cli_control_member(const struct json_value *object, const char *name);

#endif
