/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.h - moves one body, or one direction of a tunnel, from one connection to another.
 *
 * The framing on the way in is undone and ours put on: what leaves is one canonical chunk for each read, or
 * bytes of a known number, or bytes until the end. Nothing is buffered but what the receiving end would not
 * take, and while there is such a tail nothing more is read: that is the back-pressure.
 */
#ifndef SOCKGATE_WORKER_FLOW_H
#define SOCKGATE_WORKER_FLOW_H

#include "http/http_chunks.h"
#include "http/http_head.h"
#include "worker/loop.h"

struct flow {
	struct source *from, *to;
	uint8_t in, out; /* enum http_framing; HTTP_BODY_CLOSE on both sides is a raw stream */
	bool ended;      /* the end of the body has been read */
	bool last_sent;  /* the last chunk has been put out */
	bool sent;       /* something has left: it cannot be taken back and sent elsewhere */
	bool excess; /* bytes stood behind a chunked body and were thrown away: `from` cannot be used again */
	uint64_t left; /* HTTP_BODY_LENGTH: bytes not read yet */
	struct http_chunks chunks;
	uint64_t *count; /* somebody else's counter of the bytes that leave, or NULL */
	char *tail;      /* allocated: what `to` has not taken yet */
	size_t tail_at, tail_len;
};

enum flow_result {
	FLOW_BLOCKED,   /* waits for one end to become readable, or the other writable */
	FLOW_MORE,      /* its share of the turn is used up; there is more to do at once */
	FLOW_DONE,      /* everything has been sent, the end of the body included */
	FLOW_FROM_LOST, /* the sending end broke off, or sent what is no body */
	FLOW_TO_LOST,   /* the receiving end broke off, or there is no memory for the tail */
};

void flow_begin(struct flow *flow, struct source *from, struct source *to, enum http_framing in,
		uint64_t length, enum http_framing out);
/* Adds to *counter, which outlives the flow, the bytes that leave. */
void flow_count(struct flow *flow, uint64_t *counter);
/* Frees the tail. A flow that never began (all zero) is fine. */
void flow_end(struct flow *flow);
/* Whether a flow has begun and not been ended. */
bool flow_active(const struct flow *flow);

/*
 * Sends `prefix` (a head, or nothing) and the part of [in, in+len) that belongs to the body, framed anew.
 * *ret_consumed is the number of bytes of `in` that were body; the rest belongs to what follows it.
 */
enum flow_result flow_feed(struct flow *flow, struct str prefix, const char *in, size_t len,
			   size_t *ret_consumed);

/* Reads and sends through `scratch` until blocked, done, or `share` bytes have been read. */
enum flow_result flow_run(struct flow *flow, char *scratch, size_t size, size_t share);

#endif
