/* SPDX-License-Identifier: BSD-2-Clause */
#include "http/http_chunks.h"

#include <errno.h>

#include "http/http_head.h"
#include "http/http_scan.h"

#define SIZE_DIGITS 16

/*
 * What the next byte belongs to. The body reads
 *   SIZE+ SIZE_LF (DATA+ DATA_CR DATA_LF SIZE+ SIZE_LF)* TRAILER (TRAILER_LINE* TRAILER_LF TRAILER)* END_LF
 * where the CR that ends a line is read in the state of the line.
 */
enum chunks_state {
	CHUNKS_SIZE,
	CHUNKS_SIZE_LF,
	CHUNKS_DATA,
	CHUNKS_DATA_CR,
	CHUNKS_DATA_LF,
	CHUNKS_TRAILER, /* the start of a line after the last chunk; from here on `left` counts bytes read */
	CHUNKS_TRAILER_LINE,
	CHUNKS_TRAILER_LF,
	CHUNKS_END_LF,
};

/* A byte of a size line; returns NULL or the rule that is broken. */
static const char *size_byte(struct http_chunks *c, char byte)
{
	int value = http_hex_value(byte);

	if (value < 0) {
		if (byte != '\r' || c->digits == 0)
			return "a chunk size that is not a plain hexadecimal number";
		c->state = CHUNKS_SIZE_LF;
		return NULL;
	}
	if (c->digits == SIZE_DIGITS || c->left > (INT64_MAX >> 4))
		return "a chunk size that is too large";
	c->left = c->left << 4 | (uint64_t)value;
	c->digits++;
	return NULL;
}

/* A byte after the last chunk; it is dropped, but bounded like a head. */
static const char *trailer_byte(struct http_chunks *c, char byte, bool trailers_dropped)
{
	if (++c->left > HTTP_HEAD_MAX)
		return "a trailer section that is too long";
	if (c->state == CHUNKS_TRAILER) {
		if (byte == '\r') {
			c->state = CHUNKS_END_LF;
			return NULL;
		}
		if (!trailers_dropped)
			return "a trailer section, or no CRLF after the last chunk";
		if (!http_byte_is(byte, HTTP_BYTE_TOKEN))
			return "a malformed trailer section";
		c->state = CHUNKS_TRAILER_LINE;
		return NULL;
	}
	if (byte == '\r')
		c->state = CHUNKS_TRAILER_LF;
	else if (!http_byte_is(byte, HTTP_BYTE_VALUE))
		return "a malformed trailer section";
	return NULL;
}

static const char *expect_byte(struct http_chunks *c, char byte, char expected, enum chunks_state next)
{
	if (byte != expected)
		return "a line of the chunked coding does not end in CRLF";
	c->state = next;
	return NULL;
}

/* One byte of anything but data. */
static const char *coding_byte(struct http_chunks *c, char byte, bool trailers_dropped)
{
	const char *fault;

	switch ((enum chunks_state)c->state) {
	case CHUNKS_SIZE:
		return size_byte(c, byte);
	case CHUNKS_SIZE_LF:
		c->digits = 0;
		return expect_byte(c, byte, '\n', c->left > 0 ? CHUNKS_DATA : CHUNKS_TRAILER);
	case CHUNKS_DATA_CR:
		return expect_byte(c, byte, '\r', CHUNKS_DATA_LF);
	case CHUNKS_DATA_LF:
		return expect_byte(c, byte, '\n', CHUNKS_SIZE);
	case CHUNKS_TRAILER:
	case CHUNKS_TRAILER_LINE:
		return trailer_byte(c, byte, trailers_dropped);
	case CHUNKS_TRAILER_LF:
		return expect_byte(c, byte, '\n', CHUNKS_TRAILER);
	case CHUNKS_END_LF:
		fault = expect_byte(c, byte, '\n', CHUNKS_END_LF);
		c->done = fault == NULL;
		return fault;
	case CHUNKS_DATA:
		break; /* the caller reads data */
	}
	return "a decoder that was not initialised";
}

ssize_t http_chunks_decode(struct http_chunks *c, const char *in, size_t len, bool trailers_dropped,
			   struct str *ret_data, const char **why)
{
	struct str data = { NULL, 0 };
	size_t used = 0;

	while (used < len && !c->done) {
		const char *fault;

		if (c->state == CHUNKS_DATA) {
			data.p = in + used;
			data.n = c->left < len - used ? (size_t)c->left : len - used;
			used += data.n;
			c->left -= data.n;
			if (c->left == 0)
				c->state = CHUNKS_DATA_CR;
			break;
		}
		fault = coding_byte(c, in[used], trailers_dropped);
		if (fault) {
			*why = fault;
			return -EBADMSG;
		}
		used++;
	}
	*ret_data = data;
	return (ssize_t)used;
}

size_t http_chunk_line(uint64_t n, char out[static HTTP_CHUNK_LINE_MAX])
{
	size_t digits = 1;

	while (digits < SIZE_DIGITS && n >> (4 * digits))
		digits++;
	for (size_t i = 0; i < digits; i++)
		out[i] = "0123456789abcdef"[n >> (4 * (digits - 1 - i)) & 0xf];
	out[digits] = '\r';
	out[digits + 1] = '\n';
	return digits + 2;
}
