/* SPDX-License-Identifier: BSD-2-Clause */
#include "load_response.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "head_scan.h"

enum { HEAD_MAX = 32768 };

void load_response_reset(struct load_response *response)
{
	free(response->head);
	*response = (struct load_response){ 0 };
}

static bool parse_number(const char *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9' || v > UINT64_MAX / 16)
			return false;
		v = v * 10 + (unsigned)(p[i] - '0');
	}
	*ret = v;
	return n > 0;
}

static bool parse_head(struct load_response *r, bool to_head, const char *head, size_t n)
{
	uint64_t status;
	const char *value;
	size_t len;

	if (n < 12 || memcmp(head, "HTTP/1.", 7) != 0 || !parse_number(head + 9, 3, &status))
		return false;
	r->status = (int)status;
	if (head_scan_has(head, n, "Connection", "close") ||
	    (head[7] == '0' && !head_scan_has(head, n, "Connection", "keep-alive")))
		r->peer_closes = true; /* never back to false: the sender may have found it out already */
	if (r->status < 200)
		return true;
	if (to_head || r->status == 204 || r->status == 304) {
		r->framing = LOAD_FRAMING_NONE;
	} else if (head_scan_has(head, n, "Transfer-Encoding", "chunked")) {
		r->framing = LOAD_FRAMING_CHUNKED;
		r->chunks = (struct chunk_scan){ 0 };
	} else if ((value = head_scan_field(head, n, "Content-Length", &len))) {
		r->framing = LOAD_FRAMING_LENGTH;
		return parse_number(value, len, &r->left);
	} else {
		r->framing = LOAD_FRAMING_CLOSE;
		r->peer_closes = true;
	}
	return true;
}

int load_response_take_head(struct load_response *r, bool to_head, const char **p, size_t *n)
{
	const char *head = *p;
	size_t len = *n, end;

	if (r->head_len) {
		if (r->head_len + *n > HEAD_MAX)
			return -1;
		memcpy(r->head + r->head_len, *p, *n);
		head = r->head;
		len += r->head_len;
	}
	end = head_scan_end(head, len);
	if (end == 0) {
		if (len > HEAD_MAX)
			return -1;
		if (!r->head && !(r->head = malloc(HEAD_MAX)))
			err(2, "response head");
		if (r->head_len == 0)
			memcpy(r->head, *p, *n);
		r->head_len = len;
		*n = 0;
		return 0;
	}
	if (!parse_head(r, to_head, head, end))
		return -1;
	*p += end - r->head_len;
	*n -= end - r->head_len;
	r->head_len = 0;
	return 1;
}

int load_response_take_body(struct load_response *r, const char *p, size_t n, uint64_t *received)
{
	ssize_t taken;

	switch (r->framing) {
	case LOAD_FRAMING_NONE:
		return n ? -1 : 1;
	case LOAD_FRAMING_LENGTH:
		if (n > r->left)
			return -1;
		r->left -= n;
		*received += n;
		return r->left == 0;
	case LOAD_FRAMING_CHUNKED:
		taken = chunk_scan_take(&r->chunks, p, n, received);
		if (taken < 0 || (size_t)taken < n)
			return -1;
		return r->chunks.state == CHUNK_DONE;
	case LOAD_FRAMING_CLOSE:
		*received += n;
		return 0;
	}
	return -1;
}
