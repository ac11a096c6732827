/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trail.h - sockgated's own lines in the audit trail, and the signed checkpoints over everybody's. Workers
 * write to the same descriptor, each with a chain of its own: see audit/audit_chain.h.
 */
#ifndef SOCKGATE_SOCKGATED_TRAIL_H
#define SOCKGATE_SOCKGATED_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/audit_signer.h"

struct trail {
	char path[4096]; /* empty: none; "-": standard output */
	struct audit_writer writer;
	bool signs; /* the trail is a file, and there is a key */
	struct audit_signer signer;
};

/*
 * `path` as in the image: empty for none, "-" for standard output (of a service: the journal). Makes the key
 * when there is none; without a key there are no checkpoints, which is told. Returns 0 or -errno.
 */
int trail_open(struct trail *trail, struct str path, uint64_t policy_hash);
/* After a rotation. Returns the new descriptor for others to write to, or -errno: then the old file stays. */
int trail_reopen(struct trail *trail);
/* Every few seconds: signs what has come. */
void trail_sign(struct trail *trail);
/* Everybody else has ended or is about to: waits a moment for last records, signs, ends the chain. */
void trail_close(struct trail *trail);

void trail_connect(struct trail *trail, const struct audit_connect *record);
/* A note goes to standard error as well: an administrator reads that first. */
void trail_note(struct trail *trail, const char *action, bool failure, uint64_t count, const char *reason);

#endif
