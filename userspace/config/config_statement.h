/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_statement.h - the entries of a policy's allow and deny lists.
 *
 * An entry is an operation ("containers.create"), a section ("containers.*"), everything ("*"), or methods
 * and a glob over the canonical path without a version ("GET /images/x"). What matches no
 * operation is an error: a misspelt deny would be a hole.
 */
#ifndef SOCKGATE_CONFIG_STATEMENT_H
#define SOCKGATE_CONFIG_STATEMENT_H

#include "config/config_reader.h"

/* Reads a list of entries into a policy. */
void config_statement_read(struct config_reader *reader, unsigned policy, const struct yaml_node *list,
			   bool allow);

/*
 * Whether a glob and the pattern of an operation ("/containers/{name}/start") have a path in common. Only for
 * such operations is the glob looked at when a request is judged.
 */
bool config_glob_meets(struct str glob, const char *pattern);

#endif
