/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_chunks.h - the chunked transfer coding (RFC 9112 section 7.1), decoded incrementally.
 *
 * Strict: sizes are 1 to 16 hexadecimal digits that do not overflow 63 bits, lines end in CRLF, there is no
 * chunk extension and no trailer section. Data is never copied: slices point into the caller's input.
 */
#ifndef SOCKGATE_HTTP_CHUNKS_H
#define SOCKGATE_HTTP_CHUNKS_H

#include <stdint.h>
#include <sys/types.h>

#include "text/str.h"

struct http_chunks {
	uint64_t left;  /* data bytes left in the current chunk, or the size read so far */
	uint8_t state;  /* private; 0 is the start */
	uint8_t digits; /* of the size read so far */
	bool done;      /* the last chunk and the final CRLF have been read */
};

/*
 * Consumes bytes of [in, in+len) up to the end of one run of data, of the body, or of the input.
 * Returns the bytes consumed; *ret_data is the data among them (n == 0 if none). Call it again with the rest
 * until it has consumed all or `done` is set; bytes after the end of the body are not consumed.
 * A malformed body: -EBADMSG, and *why names the rule (a constant string).
 * With `trailers_dropped` true (responses) a trailer section is read and thrown away instead of refused.
 */
ssize_t http_chunks_decode(struct http_chunks *c, const char *in, size_t len, bool trailers_dropped,
			   struct str *ret_data, const char **why);

/* Room for a chunk's size line: 16 digits and CRLF. */
#define HTTP_CHUNK_LINE_MAX 18

/* Writes the size line of a chunk of n bytes (n > 0); returns its length. The data and a CRLF follow it. */
size_t http_chunk_line(uint64_t n, char out[static HTTP_CHUNK_LINE_MAX]);

#endif
