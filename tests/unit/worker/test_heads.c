/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "worker/heads.h"

static char scratch[API_TARGET_SCRATCH];

/* Recognises `in` and writes it again. */
static void rewrite(const char *in, enum http_framing framing, uint64_t length, bool upgrade, struct buf *out)
{
	struct http_request request;
	struct api_target target;
	const char *why;

	CU_ASSERT_EQUAL_FATAL(http_request_parse(in, strlen(in), &request, &why), (ssize_t)strlen(in));
	CU_ASSERT_EQUAL_FATAL(api_target_parse(request.method, request.target, scratch, &target, &why), 0);
	heads_write_request(out, &request, &target, framing, length, upgrade);
}

static void a_request_is_written_in_our_order(void)
{
	char memory[2048];
	struct buf out = buf_over(memory, sizeof(memory));

	rewrite("POST /v1.41/containers/create?name=%77eb HTTP/1.1\r\n"
		"X-Secret: 1\r\nConnection: close, X-Secret\r\nContent-Length: 2\r\nuser-agent: t\r\n"
		"Host: evil\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n\r\n",
		HTTP_BODY_LENGTH, 2, false, &out);
	CU_ASSERT_TRUE(str_eqz(buf_view(&out),
			       "POST /v1.41/containers/create?name=web HTTP/1.1\r\nHost: docker\r\n"
			       "user-agent: t\r\nContent-Type: application/json\r\n"
			       "Content-Length: 2\r\n\r\n"));
}

static void a_post_without_a_body_says_so(void)
{
	char memory[2048];
	struct buf out = buf_over(memory, sizeof(memory));

	rewrite("POST /containers/web/start HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n\r\n",
		HTTP_BODY_NONE, 0, false, &out);
	CU_ASSERT_TRUE(
		str_eqz(buf_view(&out),
			"POST /containers/web/start HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"));
}

static void an_upgrade_goes_on_only_when_told(void)
{
	static const char in[] = "POST /containers/web/attach?stream=1 HTTP/1.1\r\nHost: d\r\n"
				 "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
	char memory[2048];
	struct buf out = buf_over(memory, sizeof(memory));

	rewrite(in, HTTP_BODY_NONE, 0, true, &out);
	CU_ASSERT_PTR_NOT_NULL(memmem(out.p, out.n, "Connection: Upgrade\r\nUpgrade: tcp\r\n", 34));
	out = buf_over(memory, sizeof(memory));
	rewrite(in, HTTP_BODY_NONE, 0, false, &out);
	CU_ASSERT_PTR_NULL(memmem(out.p, out.n, "pgrade", 6));
}

static void check_response(const char *in, enum http_method method, enum http_framing framing,
			   enum heads_connection connection, const char *expected)
{
	struct http_response response;
	const char *why;
	char memory[2048];
	struct buf out = buf_over(memory, sizeof(memory));

	CU_ASSERT_FATAL(http_response_parse(in, strlen(in), method, &response, &why) > 0);
	heads_write_response(&out, &response, framing, response.content_length, connection, STR(""));
	CU_ASSERT_TRUE(str_eqz(buf_view(&out), expected));
	if (!str_eqz(buf_view(&out), expected))
		printf("\n    got \"%.*s\"\n", STR_ARG(buf_view(&out)));
}

static void a_response_gets_our_framing(void)
{
	check_response("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nConnection: keep-alive\r\nTransfer-Encoding: "
		       "chunked\r\n\r\n",
		       HTTP_GET, HTTP_BODY_CHUNKED, HEADS_KEEP,
		       "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n");
	check_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nOstype: linux\r\n\r\n", HTTP_GET,
		       HTTP_BODY_LENGTH, HEADS_CLOSE,
		       "HTTP/1.1 200 OK\r\nOstype: linux\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
}

static void a_response_to_head_keeps_its_length(void)
{
	check_response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", HTTP_HEAD, HTTP_BODY_NONE, HEADS_KEEP,
		       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
}

static void a_tunnel_says_upgrade(void)
{
	check_response("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
		       "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
		       HTTP_POST, HTTP_BODY_CLOSE, HEADS_UPGRADE,
		       "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
		       "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
}

static void a_refusal_is_in_dockers_shape(void)
{
	char memory[2048];
	struct buf out = buf_over(memory, sizeof(memory));

	heads_write_refusal(&out, 403, STR("no \"x\""), true, false, STR(""));
	CU_ASSERT_TRUE(str_eqz(buf_view(&out), "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n"
					       "Content-Length: 23\r\nConnection: close\r\n\r\n"
					       "{\"message\":\"no \\\"x\\\"\"}\n"));
	out = buf_over(memory, sizeof(memory));
	heads_write_refusal(&out, 403, STR("x"), false, true, STR(""));
	CU_ASSERT_TRUE(out.n > 4 && memcmp(out.p + out.n - 4, "\r\n\r\n", 4) == 0);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a request is written in our order", a_request_is_written_in_our_order },
		{ "a POST without a body says so", a_post_without_a_body_says_so },
		{ "an upgrade goes on only when told", an_upgrade_goes_on_only_when_told },
		{ "a response gets our framing", a_response_gets_our_framing },
		{ "a response to HEAD keeps its length", a_response_to_head_keeps_its_length },
		{ "a tunnel says Upgrade", a_tunnel_says_upgrade },
		{ "a refusal is in Docker's shape", a_refusal_is_in_dockers_shape },
		CU_TEST_INFO_NULL,
	};

	return check_main("worker/heads", tests);
}
