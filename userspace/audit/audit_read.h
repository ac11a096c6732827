/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_read.h - reads records back: lines of a file that grows, and the links of a line.
 *
 * Root reads with this what a worker wrote, so it looks at nothing but the end of a line, which is always the
 * same, and never interprets JSON: a quotation mark inside a value is always behind a backslash, so
 * `,"sockgate.chain":"` is a member's beginning wherever it stands.
 */
#ifndef SOCKGATE_AUDIT_READ_H
#define SOCKGATE_AUDIT_READ_H

#include "audit/audit_chain.h"

#define AUDIT_SIGNATURE_SIZE 64 /* Ed25519, RFC 8032 */

struct audit_link {
	uint64_t chain;
	uint64_t seq;
	uint8_t prev[AUDIT_HASH_SIZE];
	uint8_t hash[AUDIT_HASH_SIZE]; /* of this line */
	bool is_signed;
	uint8_t signature[AUDIT_SIGNATURE_SIZE];
	size_t signed_n; /* the bytes of the line that the signature covers */
};

/* The links of a line, which has no newline. Returns 0, or -EBADMSG where it is no record. */
int audit_read_link(struct str line, struct audit_link *ret);

enum audit_kind { AUDIT_RECORD, AUDIT_START, AUDIT_CONTINUE, AUDIT_END, AUDIT_CHECKPOINT };
enum audit_kind audit_read_kind(struct str line);

/* What a checkpoint says of a chain: its last record then. */
struct audit_head {
	uint64_t chain;
	uint64_t seq;
	uint8_t hash[AUDIT_HASH_SIZE];
};
/* The heads of a checkpoint's line, for audit_read_head(), which takes one off and is false after the last.
 */
struct str audit_read_heads(struct str line);
bool audit_read_head(struct str *heads, struct audit_head *ret);

/* --- Lines of a file --- */

struct audit_lines {
	int fd;         /* the caller's */
	bool pipe;      /* not a file: read(2), where a file is read at `offset` */
	int64_t offset; /* of the first byte that has not been read */
	char *memory;   /* the caller's, `cap` bytes, at least AUDIT_LINE_MAX */
	size_t cap, at, end;
	bool too_long; /* a line of more than `cap` bytes is being skipped */
};

/*
 * The next whole line, without its newline; valid until the next call. Returns 1, 0 at the end of what there
 * is (a line may have begun: audit_lines_unfinished()), -EMSGSIZE in place of a line that is too long, or
 * another -errno.
 */
int audit_lines_next(struct audit_lines *lines, struct str *ret);
/* Bytes behind the last newline. */
size_t audit_lines_unfinished(const struct audit_lines *lines);

#endif
