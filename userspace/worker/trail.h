/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trail.h - the worker's end of the audit trail: records are collected and written once a turn.
 */
#ifndef SOCKGATE_WORKER_TRAIL_H
#define SOCKGATE_WORKER_TRAIL_H

#include "audit/audit.h"

#define TRAIL_SIZE (256 * 1024)

struct trail {
	int fd; /* -1: none is kept */
	struct buf lines;
	char *memory;
	uint64_t lost; /* records that could not be written, since the last that could */
};

int trail_init(struct trail *trail); /* 0 or -ENOMEM */
/* Adds a record; writes first when the buffer could not hold one more. */
void trail_add(struct trail *trail, const struct audit_request *record);
/* Writes what there is. A record that cannot be written is counted and said on standard error, never dropped
 * silently. */
void trail_flush(struct trail *trail);

#endif
