/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_verify.h - finds what was done to a trail. Pure: it is fed lines and gives findings.
 *
 * What it can find: a record that is missing, changed, doubled or out of order; one after its chain's end; a
 * checkpoint that is not signed by the key, or that saw more than there is; a line that is no record. What it
 * cannot: what came after the last signed checkpoint and was cut off, or, without a key, a chain that was
 * written anew.
 */
#ifndef SOCKGATE_AUDIT_VERIFY_H
#define SOCKGATE_AUDIT_VERIFY_H

#include "audit/audit_key.h"

enum audit_finding_kind {
	AUDIT_CHANGED,
	AUDIT_MISSING,
	AUDIT_REORDERED,
	AUDIT_DUPLICATED,
	AUDIT_AFTER_END,
	AUDIT_TRUNCATED,
	AUDIT_BAD_SIGNATURE,
	AUDIT_UNREADABLE,
	AUDIT_UNFINISHED,
};
const char *audit_finding_name(enum audit_finding_kind kind);   /* "changed" */
const char *audit_finding_detail(enum audit_finding_kind kind); /* what that means */

struct audit_place {
	uint32_t file; /* as given to audit_verify_file() */
	uint32_t line; /* 1-based */
};

struct audit_finding {
	enum audit_finding_kind kind;
	struct audit_place place;
	bool has_chain;
	uint64_t chain;
	uint64_t seq;   /* the record, or the first of the missing ones */
	uint64_t count; /* of missing records; otherwise 1 */
};

struct audit_summary {
	uint64_t records, chains, continued; /* chains that begin in a file that was not given */
	uint64_t open;                       /* chains without an end: they run, or were killed */
	uint64_t checkpoints;                /* with a good signature, or all when there is no key */
	uint64_t unproved;                   /* records that no such checkpoint holds */
	char last_checkpoint[32];            /* its time, or empty */
};

struct audit_verify;

/* `key` may be NULL: signatures are not checked. Returns NULL when there is no memory. */
struct audit_verify *audit_verify_new(const struct audit_key *key);
struct audit_verify *audit_verify_free(struct audit_verify *v);
/* The next file; in the order in which they were written. */
void audit_verify_file(struct audit_verify *v, uint32_t file);
/* The next line, without its newline. Returns 0 or -ENOMEM. */
int audit_verify_line(struct audit_verify *v, struct str line);
/* In place of a line: one that is too long. */
int audit_verify_unreadable(struct audit_verify *v);
/* At a file's end: bytes behind the last newline. */
int audit_verify_unfinished(struct audit_verify *v);
/*
 * After the last line: the findings in the order of their lines, valid until audit_verify_free(). Returns 0
 * or -ENOMEM.
 */
int audit_verify_finish(struct audit_verify *v, const struct audit_finding **ret, size_t *ret_n,
			struct audit_summary *ret_summary);

#endif
