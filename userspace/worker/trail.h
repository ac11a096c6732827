/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trail.h - the worker's end of the audit trail: records are collected and written once a turn, before
 * anything that they record happens.
 */
#ifndef SOCKGATE_WORKER_TRAIL_H
#define SOCKGATE_WORKER_TRAIL_H

#include "audit/audit_writer.h"

#define TRAIL_SIZE (256 * 1024)

int trail_init(struct audit_writer *trail); /* 0 or -errno */
/* Adds a record; writes first when the buffer could not hold one more. */
void trail_add(struct audit_writer *trail, const struct audit_request *record);
/*
 * Writes what there is. Returns 0, or -errno when not every record is in the trail; then it is counted and
 * said, and under require_audit nothing may be forwarded.
 */
int trail_flush(struct audit_writer *trail);

#endif
