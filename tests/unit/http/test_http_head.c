/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "../../vectors/http_heads.h"
#include "check.h"
#include "http/http_head.h"

#define REQUEST(head)          http_request_parse(head, sizeof(head) - 1, &request, &why)
#define RESPONSE(method, head) http_response_parse(head, sizeof(head) - 1, method, &response, &why)

static struct http_request request;
static struct http_response response;
static const char *why;

/* An assertion about a row of a table: says which. */
static void check_row(const char *row, bool good)
{
	if (!good)
		printf("\n    row: %s\n", row);
	CU_ASSERT_TRUE(good);
}

static void every_vector_gets_its_verdict(void)
{
	for (size_t i = 0; i < HTTP_VECTORS; i++) {
		const struct http_vector *v = &http_vectors[i];
		ssize_t got;

		why = NULL;
		got = http_request_parse(v->bytes, v->n, &request, &why);
		check_row(v->name, v->head ? got == v->head : got > 0);
		check_row(v->name, (why != NULL) == (v->head != 0));
	}
}

/* A prefix is incomplete until the answer is known, and then the answer stays. */
static void a_prefix_is_incomplete_or_has_the_final_answer(void)
{
	for (size_t i = 0; i < HTTP_VECTORS; i++) {
		const struct http_vector *v = &http_vectors[i];
		ssize_t whole = http_request_parse(v->bytes, v->n, &request, &why);
		bool good = true;

		for (size_t n = 0; n < v->n; n++) {
			ssize_t got = http_request_parse(v->bytes, n, &request, &why);
			bool decided = whole > 0 ? n >= (size_t)whole : got != 0;

			good = good && got == (decided ? whole : 0);
		}
		check_row(v->name, good);
	}
}

static void a_hopeless_head_is_refused_at_once(void)
{
	static const struct {
		const char *bytes;
		int error;
	} cases[] = {
		{ "PR", EBADMSG },
		{ "g", EBADMSG },
		{ "\r", EBADMSG },
		{ "\x16", EBADMSG },
		{ "GET h", EBADMSG },
		{ "GET  ", EBADMSG },
		{ "GET /\x01", EBADMSG },
		{ "GET /\r", EBADMSG },
		{ "GET / HTTP/2", EPROTONOSUPPORT },
		{ "GET / HTTP/1.1\n", EBADMSG },
		{ "GET / HTTP/1.1\r\n ", EBADMSG },
		{ "GET / HTTP/1.1\r\nA ", EBADMSG },
		{ "GET / HTTP/1.1\r\nA: \x01", EBADMSG },
		{ "GET / HTTP/1.1\r\nContent-Length: x\r\n", EBADMSG },
		{ "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", EBADMSG },
		{ "GET / HTTP/1.1\r\nExpect: x\r\n", ENOTSUP },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = strlen(cases[i].bytes);

		check_row(cases[i].bytes,
			  http_request_parse(cases[i].bytes, n, &request, &why) == -cases[i].error);
	}
}

static void a_request_is_understood(void)
{
	static const char head[] = "POST /v1.41/containers/create?name=a HTTP/1.1\r\n"
				   "Host: docker\r\n"
				   "User-Agent: Docker-Client/28.2.2 (linux)\r\n"
				   "Content-Length: 47\r\n"
				   "Content-Type:  application/json \r\n"
				   "content-encoding:gzip\r\n"
				   "Origin: http://a\r\n"
				   "Upgrade:\r\n"
				   "Expect: 100-continue\r\n"
				   "X-A: \t\r\n"
				   "\r\n";

	CU_ASSERT_EQUAL(REQUEST(head), sizeof(head) - 1);
	CU_ASSERT_EQUAL(request.method, HTTP_POST);
	CU_ASSERT_EQUAL(request.minor, 1);
	CU_ASSERT_TRUE(str_eqz(request.target, "/v1.41/containers/create?name=a"));
	CU_ASSERT_EQUAL(request.framing, HTTP_BODY_LENGTH);
	CU_ASSERT_EQUAL(request.content_length, 47);
	CU_ASSERT_TRUE(request.keep_alive);
	CU_ASSERT_TRUE(request.expect_continue);
	CU_ASSERT_TRUE(request.upgrade.p && request.upgrade.n == 0);
	CU_ASSERT_TRUE(str_eqz(request.content_type, "application/json"));
	CU_ASSERT_TRUE(str_eqz(request.content_encoding, "gzip"));
	CU_ASSERT_TRUE(str_eqz(request.host, "docker"));
	CU_ASSERT_TRUE(str_eqz(request.origin, "http://a"));
	CU_ASSERT_EQUAL(request.n_fields, 9);
	CU_ASSERT_TRUE(str_eqz(request.fields[1].name, "User-Agent"));
	CU_ASSERT_EQUAL(request.fields[1].id, HTTP_FIELD_OTHER);
	CU_ASSERT_TRUE(str_eqz(http_request_field(&request, "user-agent"), "Docker-Client/28.2.2 (linux)"));
	CU_ASSERT_TRUE(http_request_field(&request, "x-a").p != NULL);
	CU_ASSERT_TRUE(http_request_field(&request, "x-b").p == NULL);
}

static void what_is_absent_is_null(void)
{
	CU_ASSERT_TRUE(REQUEST("GET / HTTP/1.1\r\nHost:\r\n\r\n") > 0);
	CU_ASSERT_EQUAL(request.framing, HTTP_BODY_NONE);
	CU_ASSERT_EQUAL(request.content_length, 0);
	CU_ASSERT_TRUE(request.host.p && request.host.n == 0);
	CU_ASSERT_TRUE(!request.upgrade.p && !request.content_type.p && !request.content_encoding.p);
	CU_ASSERT_TRUE(!request.origin.p && !request.expect_continue);
}

static void every_method_has_its_name(void)
{
	for (enum http_method m = 0; m < HTTP_METHODS; m++) {
		char head[64];
		int n = snprintf(head, sizeof(head), "%s / HTTP/1.0\r\n\r\n", http_method_name(m));

		CU_ASSERT_EQUAL(http_request_parse(head, (size_t)n, &request, &why), n);
		CU_ASSERT_EQUAL(request.method, m);
	}
}

static void only_http_1_1_without_close_goes_on(void)
{
	CU_ASSERT_TRUE(REQUEST("GET / HTTP/1.1\r\nHost:\r\nConnection: Upgrade\r\n\r\n") > 0 &&
		       request.keep_alive);
	CU_ASSERT_TRUE(REQUEST("GET / HTTP/1.1\r\nHost:\r\nConnection: a,CLOSE\r\n\r\n") > 0);
	CU_ASSERT_FALSE(request.keep_alive);
	CU_ASSERT_TRUE(REQUEST("GET / HTTP/1.1\r\nHost:\r\nConnection: a\r\nConnection: close\r\n\r\n") > 0);
	CU_ASSERT_FALSE(request.keep_alive);
	CU_ASSERT_TRUE(REQUEST("GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n") >
		       0);
	CU_ASSERT_FALSE(request.keep_alive || request.expect_continue);
}

static void bytes_after_the_head_are_left(void)
{
	static const char two[] = "GET /a HTTP/1.0\r\n\r\nGET /b HTTP/1.0\r\n\r\n";

	CU_ASSERT_EQUAL(REQUEST(two), (sizeof(two) - 1) / 2);
	CU_ASSERT_TRUE(str_eqz(request.target, "/a"));
}

static void the_result_is_untouched_unless_there_is_one(void)
{
	const unsigned char *bytes = (const unsigned char *)&request;
	bool untouched = true;

	memset(&request, 0x5a, sizeof(request));
	CU_ASSERT_EQUAL(REQUEST("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), -EBADMSG);
	CU_ASSERT_EQUAL(REQUEST("GET / HTTP/1.1\r\nHost: a\r\n"), 0);
	for (size_t i = 0; i < sizeof(request); i++)
		untouched = untouched && bytes[i] == 0x5a;
	CU_ASSERT_TRUE(untouched);
}

static void a_head_has_at_most_64_fields(void)
{
	char head[2048];
	struct buf b = buf_over(head, sizeof(head));

	buf_puts(&b, "GET / HTTP/1.1\r\nHost: d\r\n");
	for (unsigned i = 1; i < HTTP_FIELDS_MAX; i++)
		buf_puts(&b, "A: b\r\n");
	CU_ASSERT_EQUAL(http_request_parse(b.p, b.n, &request, &why), 0);
	buf_puts(&b, "\r\n");
	CU_ASSERT_EQUAL(http_request_parse(b.p, b.n, &request, &why), b.n);
	CU_ASSERT_EQUAL(request.n_fields, HTTP_FIELDS_MAX);
	b.n -= 2;
	buf_puts(&b, "A");
	CU_ASSERT_EQUAL(http_request_parse(b.p, b.n, &request, &why), -EMSGSIZE);
}

static void a_head_has_at_most_16_kib(void)
{
	static const char start[] = "GET / HTTP/1.1\r\nHost: d\r\nA: ", end[] = "\r\n\r\n";
	char head[HTTP_HEAD_MAX + 16];

	memset(head, 'x', sizeof(head));
	memcpy(head, start, sizeof(start) - 1);
	memcpy(head + HTTP_HEAD_MAX - 4, end, 4);
	CU_ASSERT_EQUAL(http_request_parse(head, HTTP_HEAD_MAX, &request, &why), HTTP_HEAD_MAX);
	CU_ASSERT_EQUAL(http_request_parse(head, sizeof(head), &request, &why), HTTP_HEAD_MAX);
	CU_ASSERT_EQUAL(http_request_parse(head, HTTP_HEAD_MAX - 1, &request, &why), 0);
	memset(head + HTTP_HEAD_MAX - 4, 'x', 4);
	memcpy(head + HTTP_HEAD_MAX - 3, end, 4);
	CU_ASSERT_EQUAL(http_request_parse(head, HTTP_HEAD_MAX - 1, &request, &why), 0);
	CU_ASSERT_EQUAL(http_request_parse(head, HTTP_HEAD_MAX, &request, &why), -EMSGSIZE);
	CU_ASSERT_EQUAL(http_request_parse(head, HTTP_HEAD_MAX + 1, &request, &why), -EMSGSIZE);
	memcpy(head, "HTTP/1.1 200 OK\r\nA: xxxxxxxxxx", sizeof(start) - 1);
	CU_ASSERT_EQUAL(http_response_parse(head, HTTP_HEAD_MAX, HTTP_GET, &response, &why), -EMSGSIZE);
}

static void hop_by_hop_fields_are_known(void)
{
	static const char head[] =
		"GET / HTTP/1.1\r\n"
		"Connection: a\r\nKeep-Alive: a\r\nContent-Length: 1\r\nTE: trailers\r\n"
		"Trailer: a\r\nUpgrade: a\r\nExpect: 100-continue\r\nProxy-Connection: a\r\n"
		"HTTP2-Settings: a\r\n"
		"Host: a\r\nContent-Type: a\r\nContent-Encoding: a\r\nOrigin: a\r\nX-Meta: a\r\n"
		"Trailers: a\r\nOrigi-: a\r\n\r\n";

	CU_ASSERT_EQUAL(REQUEST(head), sizeof(head) - 1);
	for (unsigned i = 0; i < request.n_fields; i++)
		CU_ASSERT_EQUAL(http_field_is_hop_by_hop(&request.fields[i]), i < 9);
	CU_ASSERT_TRUE(REQUEST("GET / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n") > 0);
	CU_ASSERT_TRUE(http_field_is_hop_by_hop(&request.fields[1]));
}

#define OK "HTTP/1.1 200 OK\r\n"

static void a_response_is_framed_as_rfc_9112_says(void)
{
	static const struct {
		const char *head;
		enum http_method method;
		unsigned status;
		enum http_framing framing;
		uint64_t length;
		bool keep_alive;
	} cases[] = {
		{ OK "Content-Length: 3\r\n\r\n", HTTP_GET, 200, HTTP_BODY_LENGTH, 3, true },
		{ OK "Content-Length: 0\r\n\r\n", HTTP_GET, 200, HTTP_BODY_LENGTH, 0, true },
		{ OK "Transfer-Encoding: chunked\r\n\r\n", HTTP_GET, 200, HTTP_BODY_CHUNKED, 0, true },
		{ OK "\r\n", HTTP_POST, 200, HTTP_BODY_CLOSE, 0, false },
		{ OK "Connection: close\r\nContent-Length: 3\r\n\r\n", HTTP_GET, 200, HTTP_BODY_LENGTH, 3,
		  false },
		{ OK "Content-Length: 3\r\n\r\n", HTTP_HEAD, 200, HTTP_BODY_NONE, 0, true },
		{ OK "\r\n", HTTP_HEAD, 200, HTTP_BODY_NONE, 0, true },
		{ "HTTP/1.1 204 No Content\r\n\r\n", HTTP_GET, 204, HTTP_BODY_NONE, 0, true },
		{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", HTTP_GET, 304, HTTP_BODY_NONE, 0,
		  true },
		{ "HTTP/1.1 100 Continue\r\n\r\n", HTTP_POST, 100, HTTP_BODY_NONE, 0, true },
		{ "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", HTTP_POST, 101,
		  HTTP_BODY_NONE, 0, false },
		{ "HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\n", HTTP_GET, 404, HTTP_BODY_LENGTH, 1, true },
		{ "HTTP/1.0 599 x\r\nContent-Length: 1\r\n\r\n", HTTP_GET, 599, HTTP_BODY_LENGTH, 1, false },
		{ OK
		  "Host: a\r\nHost: b c\r\nExpect: x\r\nOrigin: a\r\nOrigin: b\r\nContent-Length: 1\r\n\r\n",
		  HTTP_GET, 200, HTTP_BODY_LENGTH, 1, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = strlen(cases[i].head);

		check_row(cases[i].head, http_response_parse(cases[i].head, n, cases[i].method, &response,
							     &why) == (ssize_t)n &&
						 response.status == cases[i].status &&
						 response.framing == cases[i].framing &&
						 response.content_length == cases[i].length &&
						 response.keep_alive == cases[i].keep_alive);
		for (size_t part = 0; part < n; part++)
			check_row(cases[i].head, http_response_parse(cases[i].head, part, cases[i].method,
								     &response, &why) == 0);
	}
}

static void a_response_is_understood(void)
{
	CU_ASSERT_TRUE(RESPONSE(HTTP_POST, "HTTP/1.1 101 UPGRADED\r\nApi-Version: 1.48\r\nUpgrade: tcp\r\n"
					   "Content-Type: application/vnd.docker.raw-stream\r\n\r\n") > 0);
	CU_ASSERT_TRUE(str_eqz(response.reason, "UPGRADED"));
	CU_ASSERT_TRUE(str_eqz(response.upgrade, "tcp"));
	CU_ASSERT_TRUE(str_eqz(response.content_type, "application/vnd.docker.raw-stream"));
	CU_ASSERT_EQUAL(response.n_fields, 3);
	CU_ASSERT_EQUAL(response.minor, 1);
	CU_ASSERT_TRUE(RESPONSE(HTTP_POST, "HTTP/1.1 200 a b\t\xe9\r\n\r\n") > 0);
	CU_ASSERT_TRUE(str_eqz(response.reason, "a b\t\xe9"));
	CU_ASSERT_TRUE(!response.upgrade.p && !response.content_type.p);
}

static void a_response_outside_the_subset_is_refused(void)
{
	static const char *const cases[] = {
		"HTTP/2",
		"HTTP/1.2",
		"h",
		"ICY 200 OK",
		"HTTP/1.1  ",
		"HTTP/1.1 6",
		"HTTP/1.1 0",
		"HTTP/1.1 20x",
		"HTTP/1.1 2000",
		"HTTP/1.1 200\r",
		"HTTP/1.1 200 OK\n",
		"HTTP/1.1 200 O\rK",
		"HTTP/1.1 200 O\x01",
		OK " a: b\r\n",
		OK "a : b\r\n",
		OK "Content-Length: 1\r\nContent-Length: 1\r\n",
		OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
		OK "Transfer-Encoding: gzip\r\n",
		OK "Content-Type: a\r\nContent-Type: a\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_row(cases[i], http_response_parse(cases[i], strlen(cases[i]), HTTP_GET, &response,
							&why) == -EBADMSG);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "every vector gets its verdict", every_vector_gets_its_verdict },
		{ "a prefix is incomplete or has the final answer",
		  a_prefix_is_incomplete_or_has_the_final_answer },
		{ "a hopeless head is refused at once", a_hopeless_head_is_refused_at_once },
		{ "a request is understood", a_request_is_understood },
		{ "what is absent is null", what_is_absent_is_null },
		{ "every method has its name", every_method_has_its_name },
		{ "only HTTP/1.1 without close goes on", only_http_1_1_without_close_goes_on },
		{ "bytes after the head are left", bytes_after_the_head_are_left },
		{ "the result is untouched unless there is one",
		  the_result_is_untouched_unless_there_is_one },
		{ "a head has at most 64 fields", a_head_has_at_most_64_fields },
		{ "a head has at most 16 KiB", a_head_has_at_most_16_kib },
		{ "hop-by-hop fields are known", hop_by_hop_fields_are_known },
		{ "a response is framed as RFC 9112 says", a_response_is_framed_as_rfc_9112_says },
		{ "a response is understood", a_response_is_understood },
		{ "a response outside the subset is refused", a_response_outside_the_subset_is_refused },
		CU_TEST_INFO_NULL,
	};

	return check_main("http/head", tests);
}
