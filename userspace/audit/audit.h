/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit.h - the audit trail's records: one JSON object a line, Elastic Common Schema names where it has one.
 *
 * This file formats; audit_chain.h links the records, audit_writer.h writes them, audit_read.h and
 * audit_verify.h read them again, audit_signer.h signs what there is.
 *
 * Never in a record, because they are secrets or may hold some: a query's values, header fields
 * (X-Registry-Auth, X-Registry-Config), bodies, environment variables and build arguments.
 */
#ifndef SOCKGATE_AUDIT_H
#define SOCKGATE_AUDIT_H

#include <stdint.h>
#include <time.h>

#include "text/buf.h"
#include "text/str.h"

#define AUDIT_LINE_MAX 24576 /* a record is never longer: long values are cut and end in "..." */

/* A decision of the proxy about a request. */
struct audit_request {
	struct timespec time; /* CLOCK_REALTIME */
	bool allow;
	bool would_deny; /* allowed by the policy's mode alone: rule and reason are the refusal's */
	unsigned status; /* of our own answer; 0 when the request was forwarded */
	struct str method;
	struct str path;      /* canonical, without the query: values of a query may be secrets */
	struct str operation; /* "containers.create", or empty */
	struct str policy;
	struct str rule, file;
	unsigned line;
	struct str reason; /* of a refusal */
	struct str
		limits; /* would_deny: every limit that refuses, "containers.binds, containers.privileged" */
	struct str rewritten;  /* what was changed before it was judged */
	struct str listener;   /* "unix:/run/sockgate/docker.sock" */
	int64_t uid, gid, pid; /* of the peer; -1: not known */
	struct str peer;       /* TCP: its address and port */
	uint64_t policy_hash;
};

/* A connect(2) to an engine's socket, refused by the kernel gate. */
struct audit_connect {
	struct timespec time;
	int64_t pid, uid, gid;
	struct str comm;
	struct str exe;       /* empty when it could not be read */
	struct str cgroup;    /* path */
	struct str container; /* id, or empty */
	struct str socket;    /* the engine's socket */
	struct str hook;      /* "unix_stream_connect" */
	struct str reason;
	bool observed_only; /* mode: observe: it was let through */
};

/* Something about the gate or the programs themselves: started, degraded, a worker died, events lost. */
struct audit_note {
	struct timespec time;
	struct str action; /* "gate-degraded" */
	struct str reason;
	bool failure;
	uint64_t count; /* events lost, or 0 */
};

/*
 * Where a writer's chain starts, goes on in another file, or ends: "chain-start", "chain-continue",
 * "chain-end".
 */
struct audit_mark {
	struct timespec time;
	struct str action;
	struct str program;
	int64_t pid;
	uint64_t policy_hash;
};

void audit_format_request(struct buf *out, const struct audit_request *r);
void audit_format_connect(struct buf *out, const struct audit_connect *c);
void audit_format_note(struct buf *out, const struct audit_note *n);
void audit_format_mark(struct buf *out, const struct audit_mark *m);
/* `heads`: what audit_signer.c made, a list of JSON strings, "chain:seq:hash". */
void audit_format_checkpoint(struct buf *out, struct timespec time, struct str heads);

#endif
