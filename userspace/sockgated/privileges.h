/* SPDX-License-Identifier: BSD-2-Clause */
/* privileges.h - what sockgated keeps once the gate is armed and its listeners are open. */
#ifndef SOCKGATE_SOCKGATED_PRIVILEGES_H
#define SOCKGATE_SOCKGATED_PRIVILEGES_H

/*
 * Gives up every capability that is not in the table of privileges.c, for this process and all it will ever
 * start, and verifies it. Returns 0 or -errno with *why.
 */
int privileges_keep_needed(const char **why);

#endif
