/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_signer.h - reads the trail as it grows and signs where every chain has come to.
 *
 * One process beside the writers (sockgated; a proxy that runs alone with --audit-key) has the key. It reads
 * the file back, so the worker sends it nothing and holds nothing, and follows each chain: what it signs was
 * there, whole and linked, when it was read. A checkpoint is a record of the signer's own chain with the last
 * record of every chain that has moved since the one before. So whoever cuts the trail's end off and has not
 * the key can hide only what came after the last checkpoint.
 */
#ifndef SOCKGATE_AUDIT_SIGNER_H
#define SOCKGATE_AUDIT_SIGNER_H

#include "audit/audit_key.h"
#include "audit/audit_writer.h"

#define AUDIT_CHECKPOINT_SECONDS 10
#define AUDIT_SIGNER_CHAINS      64                 /* those that moved last; one checkpoint names them all */
#define AUDIT_SIGNER_START       (1024 * 1024)      /* bytes of an older trail that are read at the start */
#define AUDIT_SIGNER_READ        (32 * 1024 * 1024) /* bytes of one audit_signer_read() at most */

struct audit_signer_chain {
	struct audit_chain chain; /* seq and prev of the record that comes next */
	bool moved;               /* since the last checkpoint */
	bool ended;
};

struct audit_signer {
	struct audit_key key;
	struct audit_lines now, before; /* the trail, and the one before the last rotation: fd -1 for none */
	struct audit_signer_chain chains[AUDIT_SIGNER_CHAINS]; /* the one that moved last is the last */
	unsigned n;
	int64_t signed_at; /* seconds, CLOCK_MONOTONIC */
	uint64_t damaged;  /* lines that are not what their chain goes on with, not told of yet */
};

/* Allocates; `key` is copied. Returns 0 or -ENOMEM. */
int audit_signer_init(struct audit_signer *s, const struct audit_key *key);
/* Takes over a descriptor for reading the trail from now on; the one before is read to its end as well. */
void audit_signer_open(struct audit_signer *s, int fd);
/* Reads what has come. Returns 0 or -errno. */
int audit_signer_read(struct audit_signer *s);
/*
 * Reads, and when something has moved and AUDIT_CHECKPOINT_SECONDS are over (or `at_once`) writes a
 * checkpoint, and a note about damage that it saw. Returns 0 or -errno.
 */
int audit_signer_tick(struct audit_signer *s, struct audit_writer *writer, bool at_once);
/* Whether no other chain of this run is without its end: at shutdown, the workers' last records are there. */
bool audit_signer_all_ended(const struct audit_signer *s, uint64_t own);

#endif
