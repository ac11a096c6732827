/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trail.h - sockgated's own lines in the audit trail. The descriptor is shared with proxy and workers; every
 * record is one write(2) of one line, so lines never mix.
 */
#ifndef SOCKGATE_SOCKGATED_TRAIL_H
#define SOCKGATE_SOCKGATED_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/audit.h"

struct trail {
	int fd;        /* -1: no trail is configured */
	uint64_t lost; /* records that could not be written */
};

/* `path` as in the image: empty for none, "-" for standard output. Returns 0 or -errno. */
int trail_open(struct trail *trail, struct str path);
void trail_connect(struct trail *trail, const struct audit_connect *record);
/* A note goes to standard error as well: an administrator reads that first. */
void trail_note(struct trail *trail, const char *action, bool failure, uint64_t count, const char *reason);

#endif
