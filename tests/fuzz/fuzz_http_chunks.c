/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A body decoded in pieces is the body decoded at once, and what was decoded, coded anew, decodes to itself.
 * The first byte says whether trailers are dropped and how long a piece is.
 */
#include <assert.h>
#include <stdlib.h>

#include "http/http_chunks.h"
#include "text/buf.h"

/* Returns 1 if the body is complete, 0 if more is needed, or the error; appends its data. */
static ssize_t decode(struct str in, size_t step, bool trailers_dropped, struct buf *data)
{
	struct http_chunks c = { .state = 0 };

	while (in.n > 0 && !c.done) {
		size_t n = in.n < step ? in.n : step;
		struct str run = { NULL, 0 };
		const char *why = NULL;
		ssize_t got = http_chunks_decode(&c, in.p, n, trailers_dropped, &run, &why);

		assert(got != 0 && got <= (ssize_t)n && (got < 0) == (why != NULL));
		if (got < 0)
			return got;
		assert(run.n == 0 || (run.p >= in.p && run.p + run.n == in.p + got));
		buf_str(data, run);
		in = (struct str){ in.p + got, in.n - (size_t)got };
	}
	assert(!data->overflow);
	return c.done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct str in = { (const char *)data + 1, size - 1 };
	size_t room = size + HTTP_CHUNK_LINE_MAX + 8;
	char *memory = malloc(3 * room), line[HTTP_CHUNK_LINE_MAX];
	struct buf whole = buf_over(memory, room), parts = buf_over(memory + room, room);
	struct buf coded = buf_over(memory + 2 * room, room);
	ssize_t verdict = decode(in, in.n, data[0] & 1, &whole);

	assert(verdict == decode(in, 1 + data[0] / 2, data[0] & 1, &parts));
	assert(str_eq(buf_view(&whole), buf_view(&parts)));
	if (verdict == 1 && whole.n > 0) {
		buf_append(&coded, line, http_chunk_line(whole.n, line));
		buf_str(&coded, buf_view(&whole));
		buf_puts(&coded, "\r\n0\r\n\r\n");
		parts.n = 0;
		assert(!coded.overflow && decode(buf_view(&coded), coded.n, false, &parts) == 1);
		assert(str_eq(buf_view(&whole), buf_view(&parts)));
	}
	free(memory);
	return 0;
}
