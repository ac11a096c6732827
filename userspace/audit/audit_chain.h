/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_chain.h - links the records of one writer, so that none can be taken away or changed unseen.
 *
 * Several processes append to one file, so each has a chain of its own: a random id, a number for every
 * record, and the hash of the record before (SHA-256 of its line without the newline, cut to 128 bits). Lines
 * of different chains may stand in any order, those of one chain never. A chain starts with a "chain-start"
 * record, says "chain-continue" at the top of every file but its first, and "chain-end" at an orderly end.
 *
 * Whoever can write the file can write a chain anew: against that there are signed checkpoints
 * (audit_signer.h).
 */
#ifndef SOCKGATE_AUDIT_CHAIN_H
#define SOCKGATE_AUDIT_CHAIN_H

#include "text/buf.h"

#define AUDIT_HASH_SIZE 16

struct audit_chain {
	uint64_t id;
	uint64_t seq;                  /* of the next record */
	uint8_t prev[AUDIT_HASH_SIZE]; /* hash of the record before it; zeros for the first */
};

/* A new chain with a random id. Returns 0 or -errno. */
int audit_chain_begin(struct audit_chain *chain);

/*
 * [out->p + start, out->n) is a record as audit_format_*() writes it, "{...}\n". audit_chain_link() takes its
 * end off and adds chain, number and hash; what is to be signed is what stands there then.
 * audit_chain_close() ends it again and moves the chain on.
 */
void audit_chain_link(const struct audit_chain *chain, struct buf *out);
void audit_chain_close(struct audit_chain *chain, struct buf *out, size_t start);

/* Moves the chain on past a line that is its next record; `line` has no newline. */
void audit_chain_follow(struct audit_chain *chain, struct str line);

void audit_hash(struct str line, uint8_t ret[AUDIT_HASH_SIZE]);
/* Appends lower-case hexadecimal digits. */
void audit_put_hex(struct buf *out, const uint8_t *bytes, size_t n);
void audit_put_id(struct buf *out, uint64_t id);

#endif
