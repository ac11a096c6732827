/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_writer.h - puts records into the trail, linked, and never loses one silently.
 *
 * Lines are collected and written with one write(2) on a descriptor opened with O_APPEND, so that lines of
 * several processes never mix. What cannot be written (a full disk) is counted, the chain goes on from the
 * last record that is whole in the trail, and the first record that can be written again says how many are
 * missing. A line that was half written is ended first when there is room again.
 */
#ifndef SOCKGATE_AUDIT_WRITER_H
#define SOCKGATE_AUDIT_WRITER_H

#include "audit/audit.h"
#include "audit/audit_chain.h"

struct audit_writer {
	int fd; /* -1: there is no trail */
	const char *program;
	uint64_t policy_hash;
	struct audit_chain chain;     /* behind the last line in `lines` */
	struct audit_chain kept;      /* behind the last line that is in the trail, or half of it */
	struct audit_chain torn_from; /* before the line that is half written */
	char *memory;                 /* as given to audit_writer_init() */
	struct buf lines;
	size_t start;  /* of the record in hand */
	size_t torn;   /* bytes at the head of `lines` that end a line of which the trail has the beginning */
	int64_t size;  /* of the file when that happened; -1: it is no file */
	uint64_t lost; /* records that are not in the trail, and that no record tells of */
	uint64_t lost_ever; /* of `lost`, those included that a record tells of by now */
	uint64_t told;      /* of these, what the note in `lines` tells of; 0: there is none */
	int error;          /* errno of the last write; 0: it went well */
	int owed; /* of audit_writer_begin()'s own writing, for the next audit_writer_flush() to return */
};

/* Begins a chain. `memory` is the caller's, at least 3 * AUDIT_LINE_MAX bytes. Returns 0 or -errno. */
int audit_writer_init(struct audit_writer *w, char *memory, size_t size, const char *program);
/* Takes over `fd`, and writes what there is to the one before, which is closed. */
void audit_writer_open(struct audit_writer *w, int fd);
/* The chain's last record, and the end of the trail's descriptor. */
void audit_writer_close(struct audit_writer *w);

/* Where to format one record; followed by audit_writer_end(). There must be a descriptor. */
struct buf *audit_writer_begin(struct audit_writer *w);
/* Between them, for who signs: links the record, and returns what the signature is to cover. */
struct str audit_writer_link(struct audit_writer *w);
void audit_writer_end_linked(struct audit_writer *w);
void audit_writer_end(struct audit_writer *w);

/*
 * Writes what there is. Returns 0 when every record since the last call is in the trail, or -errno: then
 * those that are not have been counted and said on standard error. -EBADF: there is no trail.
 */
int audit_writer_flush(struct audit_writer *w);

#endif
