/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SEGMENTS_MAX 60                 /* of data in one send */
#define IOV_COUNT    (SEGMENTS_MAX + 5) /* prefix and size line in front, CRLF and last chunk behind */

void flow_begin(struct flow *flow, struct source *from, struct source *to, enum http_framing in,
		uint64_t length, enum http_framing out)
{
	*flow = (struct flow){
		.from = from,
		.to = to,
		.in = (uint8_t)in,
		.out = (uint8_t)out,
		.left = in == HTTP_BODY_LENGTH ? length : 0,
	};
	flow->ended = in == HTTP_BODY_NONE || (in == HTTP_BODY_LENGTH && length == 0);
}

void flow_count(struct flow *flow, uint64_t *counter)
{
	flow->count = counter;
}

static void add_sent(struct flow *flow, size_t sent)
{
	if (flow->count)
		*flow->count += sent;
}

void flow_end(struct flow *flow)
{
	free(flow->tail);
	*flow = (struct flow){ 0 };
}

bool flow_active(const struct flow *flow)
{
	return flow->from != NULL;
}

/* Adds iov, from `skip` bytes on, to the tail. */
static int keep_tail(struct flow *flow, const struct iovec *iov, int n, size_t total, size_t skip)
{
	size_t at = flow->tail ? flow->tail_len : 0;
	char *tail = realloc(flow->tail, at + total - skip);

	if (!tail)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		memcpy(tail + at, (const char *)iov[i].iov_base + skip, iov[i].iov_len - skip);
		at += iov[i].iov_len - skip;
		skip = 0;
	}
	if (!flow->tail)
		flow->tail_at = 0;
	flow->tail = tail;
	flow->tail_len = at;
	return 0;
}

/* Sends iov; what is not taken, and all of it behind a tail, joins the tail. */
static enum flow_result emit(struct flow *flow, struct iovec *iov, int n)
{
	struct msghdr packet = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	size_t total = 0;
	ssize_t sent = 0;

	for (int i = 0; i < n; i++)
		total += iov[i].iov_len;
	if (total == 0)
		return FLOW_DONE;
	if (!flow->tail) {
		do
			sent = sendmsg(flow->to->fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
		while (sent < 0 && errno == EINTR);
		if (sent < 0 && errno != EAGAIN)
			return FLOW_TO_LOST;
		if (sent < 0)
			sent = 0;
		flow->sent |= sent > 0;
		add_sent(flow, (size_t)sent);
		if ((size_t)sent == total)
			return FLOW_DONE;
		flow->to->writable = false;
	}
	return keep_tail(flow, iov, n, total, (size_t)sent) < 0 ? FLOW_TO_LOST : FLOW_BLOCKED;
}

static enum flow_result send_tail(struct flow *flow)
{
	ssize_t sent;

	do
		sent = send(flow->to->fd, flow->tail + flow->tail_at, flow->tail_len - flow->tail_at,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno == EAGAIN)
		sent = 0;
	else if (sent < 0)
		return FLOW_TO_LOST;
	flow->tail_at += (size_t)sent;
	add_sent(flow, (size_t)sent);
	if (flow->tail_at < flow->tail_len) {
		flow->to->writable = false;
		return FLOW_BLOCKED;
	}
	free(flow->tail);
	flow->tail = NULL;
	return FLOW_DONE;
}

/*
 * Undoes the framing of [in, in+len): up to SEGMENTS_MAX runs of data go to iov.
 * Returns the number of runs, or -EBADMSG; *ret_consumed and *ret_data count bytes.
 */
static int take_data(struct flow *flow, const char *in, size_t len, struct iovec *iov, size_t *ret_consumed,
		     size_t *ret_data)
{
	const char *why;
	size_t at = 0, data = 0;
	int n = 0;

	if (flow->in != HTTP_BODY_CHUNKED) {
		size_t take = len;

		if (flow->in == HTTP_BODY_NONE)
			take = 0;
		else if (flow->in == HTTP_BODY_LENGTH && take > flow->left)
			take = (size_t)flow->left;
		if (flow->in == HTTP_BODY_LENGTH) {
			flow->left -= take;
			flow->ended = flow->left == 0;
		}
		if (take)
			iov[n++] = (struct iovec){ (void *)(uintptr_t)in, take };
		*ret_consumed = *ret_data = take;
		return n;
	}
	while (at < len && n < SEGMENTS_MAX && !flow->chunks.done) {
		struct str run;
		ssize_t used = http_chunks_decode(&flow->chunks, in + at, len - at, true, &run, &why);

		if (used < 0)
			return (int)used;
		at += (size_t)used;
		if (run.n) {
			iov[n++] = (struct iovec){ (void *)(uintptr_t)run.p, run.n };
			data += run.n;
		}
	}
	flow->ended = flow->chunks.done;
	*ret_consumed = at;
	*ret_data = data;
	return n;
}

/* What one send is made of. */
struct pieces {
	struct iovec iov[IOV_COUNT];
	char line[HTTP_CHUNK_LINE_MAX];
};

/* Puts our framing around the runs in p->iov[first..n) and sends them; there is room for it on both sides. */
static enum flow_result emit_framed(struct flow *flow, struct str prefix, struct pieces *p, int first, int n,
				    size_t data)
{
	static const char crlf[] = "\r\n", last[] = "0\r\n\r\n";
	struct iovec *iov = p->iov;

	if (flow->out == HTTP_BODY_CHUNKED && data) {
		iov[--first] = (struct iovec){ p->line, http_chunk_line(data, p->line) };
		iov[n++] = (struct iovec){ (void *)(uintptr_t)crlf, sizeof(crlf) - 1 };
	}
	if (flow->out == HTTP_BODY_CHUNKED && flow->ended && !flow->last_sent) {
		flow->last_sent = true;
		iov[n++] = (struct iovec){ (void *)(uintptr_t)last, sizeof(last) - 1 };
	}
	if (prefix.n)
		iov[--first] = (struct iovec){ (void *)(uintptr_t)prefix.p, prefix.n };
	return emit(flow, iov + first, n - first);
}

enum flow_result flow_feed(struct flow *flow, struct str prefix, const char *in, size_t len,
			   size_t *ret_consumed)
{
	size_t consumed = 0;

	*ret_consumed = 0;
	if (!in)
		in = ""; /* C has no NULL + 0 */
	do {
		struct pieces pieces;
		size_t used = 0, data = 0;
		int runs = take_data(flow, in + consumed, len - consumed, pieces.iov + 2, &used, &data);

		if (runs < 0)
			return FLOW_FROM_LOST;
		consumed += used;
		if (emit_framed(flow, prefix, &pieces, 2, 2 + runs, data) == FLOW_TO_LOST)
			return FLOW_TO_LOST;
		prefix.n = 0;
	} while (consumed < len && !flow->ended);
	*ret_consumed = consumed;
	return flow->ended && !flow->tail ? FLOW_DONE : FLOW_BLOCKED;
}

/* The sending end has closed: the end of a raw stream, a broken body otherwise. */
static enum flow_result end_of_stream(struct flow *flow)
{
	size_t consumed;

	if (flow->in != HTTP_BODY_CLOSE)
		return FLOW_FROM_LOST;
	flow->ended = true;
	return flow_feed(flow, (struct str){ NULL, 0 }, NULL, 0, &consumed);
}

enum flow_result flow_run(struct flow *flow, char *scratch, size_t size, size_t share)
{
	size_t moved = 0;

	for (;;) {
		size_t consumed, want = size;
		enum flow_result r;
		ssize_t n;

		if (flow->tail) {
			r = send_tail(flow);
			if (r != FLOW_DONE)
				return r;
		}
		if (flow->ended)
			return FLOW_DONE;
		if (moved >= share)
			return FLOW_MORE;
		if (!flow->from->readable)
			return FLOW_BLOCKED;
		/* Bytes behind the end of a body are the next request's: they stay in the socket. */
		if (flow->in == HTTP_BODY_LENGTH && want > flow->left)
			want = (size_t)flow->left;
		n = recv(flow->from->fd, scratch, want, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			flow->from->readable = false;
			return FLOW_BLOCKED;
		}
		if (n < 0)
			return FLOW_FROM_LOST;
		if (n == 0)
			return end_of_stream(flow);
		/* A short read has emptied the socket; the next bytes, or the end, raise a new event. */
		if ((size_t)n < want && !flow->from->half_closed && !flow->from->hangup)
			flow->from->readable = false;
		moved += (size_t)n;
		r = flow_feed(flow, (struct str){ NULL, 0 }, scratch, (size_t)n, &consumed);
		flow->excess = consumed < (size_t)n;
		if (r != FLOW_BLOCKED)
			return r;
	}
}
