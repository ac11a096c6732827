/* SPDX-License-Identifier: BSD-2-Clause */
/* gate_parse.h - the texts that the gate reads from the kernel and from its configuration. Pure. */
#ifndef SOCKGATE_GATE_PARSE_H
#define SOCKGATE_GATE_PARSE_H

#include <stdint.h>

#include "gate_shared.h"
#include "text/str.h"

/* Whether the comma-separated list of /sys/kernel/security/lsm has exactly `name` in it. */
bool gate_parse_lsm_active(struct str list, const char *name);

/* The effective capabilities in the text of /proc/PID/status, as a mask; 0 when there are none or no such
 * line. */
uint64_t gate_parse_capabilities(struct str status);

/*
 * Splits an absolute path into directory and name, the latter padded with zeros as the programs compare it.
 * Returns 0, -EINVAL (not absolute, no name), or -ENAMETOOLONG. *ret_directory is a slice of `path`.
 */
int gate_parse_socket(struct str path, struct str *ret_directory,
		      uint64_t ret_name[static GATE_NAME_MAX / 8]);

#endif
