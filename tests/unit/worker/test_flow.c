/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "worker/flow.h"

/* A flow between two socket pairs: the test holds the far ends. */
struct bench {
	struct source from, to;
	int sender, receiver;
	struct flow flow;
	char scratch[8192];
};

static void bench_open(struct bench *b)
{
	int a[2], c[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a), 0);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, c), 0);
	*b = (struct bench){ .from = { .fd = a[0] }, .to = { .fd = c[0] }, .sender = a[1], .receiver = c[1] };
}

static void bench_close(struct bench *b)
{
	flow_end(&b->flow);
	close(b->from.fd);
	close(b->to.fd);
	if (b->sender >= 0)
		close(b->sender);
	if (b->receiver >= 0)
		close(b->receiver);
}

static void put(struct bench *b, const char *bytes)
{
	CU_ASSERT_EQUAL(write(b->sender, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	b->from.readable = true;
}

static enum flow_result run(struct bench *b)
{
	return flow_run(&b->flow, b->scratch, sizeof(b->scratch), sizeof(b->scratch));
}

static void expect(struct bench *b, const char *bytes)
{
	char got[4096];
	ssize_t n = read(b->receiver, got, sizeof(got));
	struct str s = { got, n < 0 ? 0 : (size_t)n };

	CU_ASSERT_TRUE(str_eqz(s, bytes));
	if (!str_eqz(s, bytes))
		printf("\n    got \"%.*s\", expected \"%s\"\n", STR_ARG(s), bytes);
}

static void a_body_of_known_length_ends_by_count(void)
{
	struct bench b;
	size_t consumed;

	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_LENGTH, 10, HTTP_BODY_LENGTH);
	CU_ASSERT_EQUAL(flow_feed(&b.flow, STR("HEAD "), "01234", 5, &consumed), FLOW_BLOCKED);
	CU_ASSERT_EQUAL(consumed, 5);
	expect(&b, "HEAD 01234");
	put(&b, "56789NEXT");
	CU_ASSERT_EQUAL(run(&b), FLOW_DONE);
	expect(&b, "56789");
	/* What follows the body stays in the socket. */
	char rest[8];
	CU_ASSERT_EQUAL(read(b.from.fd, rest, sizeof(rest)), 4);
	bench_close(&b);
}

static void bytes_behind_the_body_are_not_consumed(void)
{
	struct bench b;
	size_t consumed;

	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_LENGTH, 3, HTTP_BODY_LENGTH);
	CU_ASSERT_EQUAL(flow_feed(&b.flow, STR(""), "abcGET /", 8, &consumed), FLOW_DONE);
	CU_ASSERT_EQUAL(consumed, 3);
	expect(&b, "abc");
	bench_close(&b);
}

static void chunks_are_framed_anew(void)
{
	struct bench b;
	size_t consumed;

	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_CHUNKED, 0, HTTP_BODY_CHUNKED);
	CU_ASSERT_EQUAL(flow_feed(&b.flow, STR("H"), "1\r\na\r\n2\r\nbc\r\n00", 15, &consumed), FLOW_BLOCKED);
	expect(&b, "H3\r\nabc\r\n");
	put(&b, "0\r\n\r\n");
	CU_ASSERT_EQUAL(run(&b), FLOW_DONE);
	expect(&b, "0\r\n\r\n");
	bench_close(&b);
}

static void chunks_become_a_plain_body_for_http_1_0(void)
{
	struct bench b;
	size_t consumed;

	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_CHUNKED, 0, HTTP_BODY_CLOSE);
	CU_ASSERT_EQUAL(flow_feed(&b.flow, STR(""), "3\r\nabc\r\n0\r\n\r\n", 13, &consumed), FLOW_DONE);
	expect(&b, "abc");
	bench_close(&b);
}

static void a_body_until_the_end_gets_chunks(void)
{
	struct bench b;

	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_CLOSE, 0, HTTP_BODY_CHUNKED);
	put(&b, "abc");
	CU_ASSERT_EQUAL(run(&b), FLOW_BLOCKED);
	expect(&b, "3\r\nabc\r\n");
	close(b.sender);
	b.sender = -1;
	b.from.readable = true;
	CU_ASSERT_EQUAL(run(&b), FLOW_DONE);
	expect(&b, "0\r\n\r\n");
	bench_close(&b);
}

static void a_body_that_breaks_off_is_no_whole_one(void)
{
	static const enum http_framing framings[] = { HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED };

	for (int i = 0; i < 2; i++) {
		struct bench b;

		bench_open(&b);
		flow_begin(&b.flow, &b.from, &b.to, framings[i], 10, framings[i]);
		put(&b, "5\r\nab");
		close(b.sender);
		b.sender = -1;
		b.from.half_closed = true;
		CU_ASSERT_EQUAL(run(&b), FLOW_FROM_LOST);
		bench_close(&b);
	}
}

static void a_malformed_chunk_is_lost_and_not_passed_on(void)
{
	struct bench b;
	size_t consumed;

	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_CHUNKED, 0, HTTP_BODY_CHUNKED);
	CU_ASSERT_EQUAL(flow_feed(&b.flow, STR(""), "0x3\r\nabc\r\n", 10, &consumed), FLOW_FROM_LOST);
	expect(&b, "");
	bench_close(&b);
}

/* Reads all there is at the receiving end. */
static size_t drain(struct bench *b)
{
	char got[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = read(b->receiver, got, sizeof(got))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (got[i] != 'x')
				CU_FAIL("a byte that was never sent");
		all += (size_t)n;
	}
	return all;
}

static void a_slow_receiver_holds_up_the_sender_and_loses_nothing(void)
{
	enum { BLOCK = 8192, TOTAL = 400 * BLOCK };
	struct bench b;
	static char block[BLOCK];
	size_t sent = 0, got = 0;
	bool held_up = false;

	memset(block, 'x', sizeof(block));
	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_LENGTH, TOTAL, HTTP_BODY_LENGTH);
	for (int turn = 0; turn < 10000 && got < TOTAL; turn++) {
		ssize_t n = sent < TOTAL ? write(b.sender, block, sizeof(block)) : 0;

		sent += n > 0 ? (size_t)n : 0;
		b.from.readable = true;
		(void)run(&b);
		/* While there is a tail, the sender's socket fills up: that is the back-pressure. */
		held_up |= n < 0 && b.flow.tail;
		if (turn % 100 == 99)
			got += drain(&b);
	}
	got += drain(&b);
	CU_ASSERT_TRUE(held_up);
	CU_ASSERT_EQUAL(got, TOTAL);
	CU_ASSERT_EQUAL(run(&b), FLOW_DONE);
	bench_close(&b);
}

static void many_small_chunks_in_one_read_all_arrive(void)
{
	struct bench b;
	char in[6 * 500 + 8], *at = in;
	size_t consumed, got = 0;
	char out[8192];
	ssize_t n;

	for (int i = 0; i < 500; i++)
		at = mempcpy(at, "1\r\nx\r\n", 6);
	at = mempcpy(at, "0\r\n\r\n", 5);
	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_CHUNKED, 0, HTTP_BODY_CLOSE);
	CU_ASSERT_EQUAL(flow_feed(&b.flow, STR(""), in, (size_t)(at - in), &consumed), FLOW_DONE);
	CU_ASSERT_EQUAL(consumed, (size_t)(at - in));
	while ((n = read(b.receiver, out, sizeof(out))) > 0)
		got += (size_t)n;
	CU_ASSERT_EQUAL(got, 500);
	bench_close(&b);
}

static void a_share_of_the_turn_is_not_exceeded(void)
{
	struct bench b;

	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_CLOSE, 0, HTTP_BODY_CLOSE);
	put(&b, "0123456789");
	b.from.half_closed = true; /* as if more were to come at once */
	CU_ASSERT_EQUAL(flow_run(&b.flow, b.scratch, 4, 4), FLOW_MORE);
	expect(&b, "0123");
	bench_close(&b);
}

static void a_receiver_that_is_gone_is_noticed(void)
{
	struct bench b;

	bench_open(&b);
	flow_begin(&b.flow, &b.from, &b.to, HTTP_BODY_CLOSE, 0, HTTP_BODY_CLOSE);
	close(b.receiver);
	b.receiver = -1;
	put(&b, "x");
	CU_ASSERT_EQUAL(run(&b), FLOW_TO_LOST);
	bench_close(&b);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a body of known length ends by count", a_body_of_known_length_ends_by_count },
		{ "bytes behind the body are not consumed", bytes_behind_the_body_are_not_consumed },
		{ "chunks are framed anew", chunks_are_framed_anew },
		{ "chunks become a plain body for HTTP/1.0", chunks_become_a_plain_body_for_http_1_0 },
		{ "a body until the end gets chunks", a_body_until_the_end_gets_chunks },
		{ "a body that breaks off is no whole one", a_body_that_breaks_off_is_no_whole_one },
		{ "a malformed chunk is lost and not passed on",
		  a_malformed_chunk_is_lost_and_not_passed_on },
		{ "a slow receiver holds up the sender and loses nothing",
		  a_slow_receiver_holds_up_the_sender_and_loses_nothing },
		{ "many small chunks in one read all arrive", many_small_chunks_in_one_read_all_arrive },
		{ "a share of the turn is not exceeded", a_share_of_the_turn_is_not_exceeded },
		{ "a receiver that is gone is noticed", a_receiver_that_is_gone_is_noticed },
		CU_TEST_INFO_NULL,
	};

	return check_main("worker/flow", tests);
}
