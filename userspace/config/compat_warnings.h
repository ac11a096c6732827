/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat_warnings.h - variables that look meant for us and do nothing, or not what their author hopes.
 *
 * A compose file that sets ALLOW_LOGS=0 where nobody reads it is a hole that its author does not know of;
 * theirs ignore such variables silently.
 */
#ifndef SOCKGATE_CONFIG_COMPAT_WARNINGS_H
#define SOCKGATE_CONFIG_COMPAT_WARNINGS_H

#include <stdio.h>

#include "config/compat_level.h"

/* Writes a line that starts with "warning: " for each. Returns how many. */
unsigned compat_warn(enum compat_level level, char *const *environment, FILE *out);

#endif
