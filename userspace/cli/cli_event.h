/* SPDX-License-Identifier: BSD-2-Clause */
/* cli_event.h - one record of the audit trail as one line for people. */
#ifndef SOCKGATE_CLI_EVENT_H
#define SOCKGATE_CLI_EVENT_H

#include "text/buf.h"

/*
 * Appends a line with its newline; `colour` for a terminal. A line that is no JSON object is copied, what a
 * terminal could take for a command made harmless: a record holds words that an attacker chose.
 */
void cli_event_format(struct buf *out, struct str line, bool colour);

/* Appends words that an attacker may have chosen: control characters become '?'. */
void cli_put_safe(struct buf *out, struct str text);

#endif
