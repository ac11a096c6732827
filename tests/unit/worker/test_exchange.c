/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/epoll.h>

#include "scene.h"

/* --- Requests and responses ----------------------------------------------------------------------------- */

static void pipelined_requests_go_one_at_a_time_and_in_order(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, GET("/info") GET("/nowhere") GET("/version"));
	expect(engine, GET("/info"));
	put_run(engine, OK("one", 3));
	/* The refusal came from here, so the engine has the third by now. */
	expect(engine, GET("/version"));
	put_run(engine, OK("three", 5));
	const char *all = got(client);
	CU_ASSERT_PTR_NOT_NULL(strstr(all, "one"));
	CU_ASSERT_TRUE(strstr(all, "one") < strstr(all, "HTTP/1.1 403"));
	CU_ASSERT_TRUE(strstr(all, "HTTP/1.1 403") < strstr(all, "three"));
	CLOSE_STAGE(client, engine);
}

static void a_connection_is_used_again_for_another_client(void)
{
	int first, second, engine;

	open_stage();
	first = stage_client(&stage);
	second = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(first, GET("/info"));
	expect(engine, GET("/info"));
	put_run(second, GET("/version"));
	expect(engine, "");
	put_run(engine, OK("first", 5));
	expect(engine, GET("/version"));
	put_run(engine, OK("second", 6));
	expect(first, OK("first", 5));
	expect(second, OK("second", 6));
	CLOSE_STAGE(first, second, engine);
}

/* A head that came in pieces must not be in the way of the next response on the same connection. */
static void a_head_in_pieces_leaves_nothing_behind(void)
{
	int first, second, engine;

	open_stage();
	first = stage_client(&stage);
	second = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(first, GET("/info"));
	expect(engine, GET("/info"));
	put_run(engine, "HTTP/1.1 200 OK\r\nX-Secret: of the first ");
	put_run(engine, "client\r\nContent-Length: 0\r\n\r\n");
	expect(first, "HTTP/1.1 200 OK\r\nX-Secret: of the first client\r\nContent-Length: 0\r\n\r\n");
	put_run(second, GET("/version"));
	expect(engine, GET("/version"));
	put_run(engine, OK("second", 6));
	expect(second, OK("second", 6));
	CLOSE_STAGE(first, second, engine);
}

/* What stands behind a response is nobody's: least of all the next client's response. */
static void a_connection_that_says_too_much_is_not_used_again(void)
{
	static const char *const responses[][2] = {
		{ OK("12345", 5) OK("stray", 5), "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "12345" OK("stray", 5) },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		  "1\r\n1\r\n0\r\n\r\n" OK("stray", 5) },
		{ "HTTP/1.1 204 No Content\r\n\r\n" OK("stray", 5), "" },
		{ OK("12345", 5), OK("stray", 5) },
	};

	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		int client, next, engine, spare;

		open_stage();
		client = stage_client(&stage);
		next = stage_client(&stage);
		engine = stage_engine(&stage);
		put_run(client, GET("/info"));
		expect(engine, GET("/info"));
		put_run(engine, responses[i][0]);
		/* The stray bytes and the next request are seen in the same turn. */
		send(engine, responses[i][1], strlen(responses[i][1]), MSG_NOSIGNAL);
		put_run(next, GET("/version"));
		CU_ASSERT_PTR_NULL(strstr(got(client), "stray"));
		spare = stage_engine(&stage);
		stage_run(&stage);
		expect(spare, GET("/version"));
		expect(next, "");
		CLOSE_STAGE(client, next, engine, spare);
	}
}

static void a_stale_connection_is_replaced_for_get_and_not_for_post(void)
{
	for (int post = 0; post < 2; post++) {
		int client, engine, fresh;

		open_stage();
		client = stage_client(&stage);
		engine = stage_engine(&stage);
		put_run(client, GET("/info"));
		got(engine);
		put_run(engine, OK("", 0));
		expect(client, OK("", 0));
		put_run(client, post ? POST("/containers/a/stop") : GET("/version"));
		expect(engine, post ? POST("/containers/a/stop") : GET("/version"));
		/* The engine took the request and is gone: a POST may have had its effect. */
		close(engine);
		fresh = stage_engine(&stage);
		stage_run(&stage);
		expect(fresh, post ? "" : GET("/version"));
		if (post) {
			expect_refusal(client, 502, "<end>");
		} else {
			put_run(fresh, OK("fresh", 5));
			expect(client, OK("fresh", 5));
		}
		CLOSE_STAGE(client, fresh);
	}
}

/* Nothing has left for an engine that was gone before: any request may take another connection. */
static void a_request_that_never_left_is_sent_on_another_connection(void)
{
	int client, engine, fresh;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	stage_run(&stage);
	put(client, POST("/containers/a/stop"));
	/* The worker sees the request first, and has not heard that the connection is closed. */
	stage.worker.engines[0].idle->source.registered = false;
	CU_ASSERT_EQUAL(epoll_ctl(stage.worker.loop.epoll, EPOLL_CTL_DEL,
				  stage.worker.engines[0].idle->source.fd, NULL),
			0);
	close(engine);
	stage_run(&stage);
	fresh = stage_engine(&stage);
	stage_run(&stage);
	expect(fresh, POST("/containers/a/stop"));
	put_run(fresh, OK("", 0));
	expect(client, OK("", 0));
	CLOSE_STAGE(client, fresh);
}

static void an_early_response_ends_the_connection(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, "PUT /containers/a/archive?path=%2F HTTP/1.1\r\nHost: docker\r\nContent-Type: "
			"application/x-tar\r\nContent-Length: 100\r\n\r\nbeginning");
	CU_ASSERT_PTR_NOT_NULL(strstr(got(engine), "\r\n\r\nbeginning"));
	put_run(engine, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
	expect(client, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno<end>");
	/* Not used again: the engine waits for the rest of a body. */
	CU_ASSERT_EQUAL(stage.worker.engines[0].n_idle, 0);
	/* What the client still sends is no request. */
	put_run(client, GET("/info"));
	expect(client, "<end>");
	CLOSE_STAGE(client, engine);
}

static void interim_responses_are_for_the_hop(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, GET("/info"));
	put_run(engine, "HTTP/1.1 100 Continue\r\n\r\n");
	expect(client, "");
	put_run(engine, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" OK("done", 4));
	expect(client, OK("done", 4));
	CLOSE_STAGE(client, engine);
}

static void a_head_that_breaks_off_is_an_error_at_once(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, GET("/info"));
	/* Both at once: the read that gets the last bytes raises no further event. */
	put(engine, "HTTP/1.1 200 OK\r\nContent-");
	close(engine);
	stage_run(&stage);
	expect_refusal(client, 502, "<end>");
	CLOSE_STAGE(client);
}

static void a_body_that_breaks_off_breaks_the_client_off(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, GET("/info"));
	put_run(engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
	close(engine);
	stage_run(&stage);
	expect(client, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n<end>");
	CLOSE_STAGE(client);
}

/* --- Bodies --------------------------------------------------------------------------------------------- */

#define UPLOAD \
	"PUT /containers/a/archive?path=%2F HTTP/1.1\r\nHost: docker\r\nContent-Type: application/x-tar\r\n"

static void a_chunked_upload_is_framed_anew(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, UPLOAD "Transfer-Encoding: chunked\r\n\r\n003\r\nab");
	expect(engine, UPLOAD "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
	put_run(client, "c\r\n1\r\nd\r\n0\r");
	expect(engine, "2\r\ncd\r\n");
	put_run(client, "\n\r\n");
	expect(engine, "0\r\n\r\n");
	put_run(engine, OK("", 0));
	expect(client, OK("", 0));
	put_run(client, GET("/info"));
	expect(engine, GET("/info"));
	CLOSE_STAGE(client, engine);
}

static void who_expects_100_gets_it_here(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, UPLOAD "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
	expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
	expect(engine, UPLOAD "Content-Length: 3\r\n\r\n");
	put_run(client, "abc");
	expect(engine, "abc");
	put_run(engine, OK("", 0));
	expect(client, OK("", 0));
	put_run(client,
		"POST /containers/create HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
		"Content-Length: 13\r\nExpect: 100-continue\r\n\r\n");
	expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
	expect(engine, "");
	put_run(client, "{\"Image\":\"a\"}");
	CU_ASSERT_PTR_NOT_NULL(strstr(got(engine), "\r\n\r\n{\"Image\":\"a\"}"));
	CLOSE_STAGE(client, engine);
}

/* A body that is refused is still to come: it must not be taken for the next request. */
static void the_body_of_a_refused_upload_is_no_request(void)
{
	struct msg msg;
	int client, engine;

	open_stage();
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_PROTECTED, "[guarded]");
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, "PUT /containers/alias/archive?path=%2F HTTP/1.1\r\nHost: docker\r\nContent-Length: "
			"999\r\n\r\n");
	expect(engine, "GET /containers/alias/json HTTP/1.1\r\nHost: docker\r\nUser-Agent: sockgate\r\n\r\n");
	put_run(engine, OK("{\"Name\":\"/guarded\"}", 19));
	expect_refusal(client, 403, "<end>");
	put_run(client, GET("/info"));
	expect(client, "<end>");
	expect(engine, "");
	CU_ASSERT_FALSE(stage_hear(&stage, MSG_RESOLVE, &msg));
	CLOSE_STAGE(client, engine);
}

static CU_TestInfo tests[] = {
	{ "pipelined requests go one at a time and in order",
	  pipelined_requests_go_one_at_a_time_and_in_order },
	{ "a connection is used again for another client", a_connection_is_used_again_for_another_client },
	{ "a head in pieces leaves nothing behind", a_head_in_pieces_leaves_nothing_behind },
	{ "a connection that says too much is not used again",
	  a_connection_that_says_too_much_is_not_used_again },
	{ "a stale connection is replaced for GET and not for POST",
	  a_stale_connection_is_replaced_for_get_and_not_for_post },
	{ "a request that never left is sent on another connection",
	  a_request_that_never_left_is_sent_on_another_connection },
	{ "an early response ends the connection", an_early_response_ends_the_connection },
	{ "interim responses are for the hop", interim_responses_are_for_the_hop },
	{ "a head that breaks off is an error at once", a_head_that_breaks_off_is_an_error_at_once },
	{ "a body that breaks off breaks the client off", a_body_that_breaks_off_breaks_the_client_off },
	{ "a chunked upload is framed anew", a_chunked_upload_is_framed_anew },
	{ "who expects 100 gets it here", who_expects_100_gets_it_here },
	{ "the body of a refused upload is no request", the_body_of_a_refused_upload_is_no_request },
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return check_main("exchange", tests);
}
