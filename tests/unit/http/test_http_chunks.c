/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "../../vectors/http_heads.h"
#include "check.h"
#include "http/http_chunks.h"
#include "http/http_head.h"
#include "text/buf.h"

/* What became of a body. */
struct outcome {
	int error;
	size_t used;
	bool done;
	char memory[1024];
	struct buf data;
};

/* Feeds at most `step` bytes at a time, as a slow peer would. */
static void decode(const char *in, size_t len, size_t step, bool trailers_dropped, struct outcome *o)
{
	struct http_chunks c = { .state = 0 };

	*o = (struct outcome){ .error = 0 };
	o->data = buf_over(o->memory, sizeof(o->memory));
	while (o->used < len && !c.done) {
		size_t n = len - o->used < step ? len - o->used : step;
		struct str data = { NULL, 0 };
		const char *why = NULL;
		ssize_t got = http_chunks_decode(&c, in + o->used, n, trailers_dropped, &data, &why);

		if (got <= 0) {
			CU_ASSERT_TRUE(got < 0 && why != NULL);
			o->error = (int)got;
			break;
		}
		if (data.n > 0)
			CU_ASSERT_TRUE(data.p >= in + o->used && data.p + data.n == in + o->used + got);
		buf_str(&o->data, data);
		o->used += (size_t)got;
	}
	o->done = c.done;
	CU_ASSERT_FALSE(o->data.overflow);
}

static bool outcome_is(const struct outcome *o, int error, bool done, const char *data)
{
	return o->error == error && o->done == done && str_eqz(buf_view(&o->data), data);
}

static void every_vector_gets_its_verdict_in_any_steps(void)
{
	unsigned chunked = 0;

	for (size_t i = 0; i < HTTP_VECTORS; i++) {
		const struct http_vector *v = &http_vectors[i];
		struct http_request request;
		struct outcome whole, o;
		const char *why;
		ssize_t head = http_request_parse(v->bytes, v->n, &request, &why);

		if (head <= 0 || request.framing != HTTP_BODY_CHUNKED)
			continue;
		chunked++;
		decode(v->bytes + head, v->n - (size_t)head, SIZE_MAX, false, &whole);
		if (whole.error != v->body || whole.done == (v->body != 0))
			printf("\n    row: %s\n", v->name);
		CU_ASSERT_EQUAL(whole.error, v->body);
		CU_ASSERT_EQUAL(whole.done, v->body == 0);
		for (size_t step = 1; step < 8; step++) {
			decode(v->bytes + head, v->n - (size_t)head, step, false, &o);
			CU_ASSERT_TRUE(o.error == whole.error && o.done == whole.done);
			CU_ASSERT_TRUE(str_eq(buf_view(&o.data), buf_view(&whole.data)));
		}
	}
	CU_ASSERT_TRUE(chunked > 15);
}

static void data_comes_out_in_order(void)
{
	static const char body[] = "5\r\nhello\r\n1\r\n \r\n00005\r\nworld\r\n0\r\n\r\n";
	struct outcome o;

	for (size_t step = 1; step < sizeof(body); step++) {
		decode(body, sizeof(body) - 1, step, false, &o);
		CU_ASSERT_TRUE(outcome_is(&o, 0, true, "hello world"));
	}
}

static void every_prefix_asks_for_more(void)
{
	static const char body[] = "5\r\nhello\r\n1f\r\n0123456789012345678901234567890\r\n0\r\n\r\n";
	struct outcome o;

	for (size_t n = 0; n < sizeof(body) - 1; n++) {
		decode(body, n, SIZE_MAX, false, &o);
		CU_ASSERT_TRUE(o.error == 0 && !o.done && o.used == n);
	}
}

static void bytes_after_the_body_are_left(void)
{
	static const char body[] = "0\r\n\r\n0\r\n\r\n";
	struct http_chunks c = { .state = 0 };
	struct str data = STR("old");
	const char *why;

	CU_ASSERT_EQUAL(http_chunks_decode(&c, body, sizeof(body) - 1, false, &data, &why), 5);
	CU_ASSERT_TRUE(c.done && data.n == 0);
	CU_ASSERT_EQUAL(http_chunks_decode(&c, body, sizeof(body) - 1, false, &data, &why), 0);
}

static void a_size_has_at_most_63_bits(void)
{
	struct http_chunks c = { .state = 0 };
	struct str data = STR("old");
	const char *why = NULL;

	CU_ASSERT_EQUAL(http_chunks_decode(&c, "7fffffffffffffff\r\nab", 20, false, &data, &why), 20);
	CU_ASSERT_TRUE(str_eqz(data, "ab"));
	CU_ASSERT_EQUAL(c.left, INT64_MAX - 2);
	c = (struct http_chunks){ .state = 0 };
	CU_ASSERT_EQUAL(http_chunks_decode(&c, "8000000000000000\r\nab", 20, false, &data, &why), -EBADMSG);
	CU_ASSERT_TRUE(why != NULL && str_eqz(data, "ab")); /* outputs stay on failure */
}

static void trailers_are_dropped_only_when_asked(void)
{
	static const char body[] = "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\n";
	struct outcome o;

	for (size_t step = 1; step < sizeof(body); step++) {
		decode(body, sizeof(body) - 1, step, true, &o);
		CU_ASSERT_TRUE(outcome_is(&o, 0, true, "x") && o.used == sizeof(body) - 1);
		decode(body, sizeof(body) - 1, step, false, &o);
		CU_ASSERT_TRUE(outcome_is(&o, -EBADMSG, false, "x"));
	}
}

static void a_trailer_section_is_checked_and_bounded(void)
{
	static const char *const bad[] = {
		"0\r\nA: b\n\r\n", "0\r\n a: b\r\n\r\n", "0\r\nA: \x01\r\n\r\n", "0\r\nA: b\r\r\n", "0\r\n\n",
		"0\r\n\rx"
	};
	char body[HTTP_HEAD_MAX + 64];
	struct outcome o;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		decode(bad[i], strlen(bad[i]), SIZE_MAX, true, &o);
		CU_ASSERT_TRUE(outcome_is(&o, -EBADMSG, false, ""));
	}
	memset(body, 'x', sizeof(body));
	memcpy(body, "0\r\n", 3);
	decode(body, HTTP_HEAD_MAX, SIZE_MAX, true, &o);
	CU_ASSERT_TRUE(outcome_is(&o, 0, false, ""));
	decode(body, sizeof(body), SIZE_MAX, true, &o);
	CU_ASSERT_TRUE(outcome_is(&o, -EBADMSG, false, ""));
}

static void a_size_line_is_shortest_and_read_back(void)
{
	static const struct {
		uint64_t n;
		const char *line;
	} cases[] = {
		{ 1, "1\r\n" },
		{ 15, "f\r\n" },
		{ 16, "10\r\n" },
		{ 65536, "10000\r\n" },
		{ INT64_MAX, "7fffffffffffffff\r\n" },
		{ UINT64_MAX, "ffffffffffffffff\r\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_chunks c = { .state = 0 };
		char line[HTTP_CHUNK_LINE_MAX];
		size_t n = http_chunk_line(cases[i].n, line);
		struct str data;
		const char *why;

		CU_ASSERT_TRUE(str_eqz((struct str){ line, n }, cases[i].line));
		if (cases[i].n > INT64_MAX)
			continue;
		CU_ASSERT_EQUAL(http_chunks_decode(&c, line, n, false, &data, &why), n);
		CU_ASSERT_EQUAL(c.left, cases[i].n);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "every vector gets its verdict in any steps", every_vector_gets_its_verdict_in_any_steps },
		{ "data comes out in order", data_comes_out_in_order },
		{ "every prefix asks for more", every_prefix_asks_for_more },
		{ "bytes after the body are left", bytes_after_the_body_are_left },
		{ "a size has at most 63 bits", a_size_has_at_most_63_bits },
		{ "trailers are dropped only when asked", trailers_are_dropped_only_when_asked },
		{ "a trailer section is checked and bounded", a_trailer_section_is_checked_and_bounded },
		{ "a size line is shortest and read back", a_size_line_is_shortest_and_read_back },
		CU_TEST_INFO_NULL,
	};

	return check_main("http/chunks", tests);
}
