/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>

#include "scene.h"

/* --- Lookups -------------------------------------------------------------------------------------------- */

#define CREATE(n, json) \
	"POST /containers/create HTTP/1.1\r\nHost: docker\r\nContent-Type: " \
	"application/json\r\nContent-Length: " #n "\r\n\r\n" json
#define LOOK(path) "GET " path " HTTP/1.1\r\nHost: docker\r\nUser-Agent: sockgate\r\n\r\n"

static void a_bind_is_judged_where_it_leads(void)
{
	struct msg question, answer = { .type = MSG_RESOLVED };
	int client, engine;

	open_stage();
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_BINDS, "[/srv:rw]");
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	for (int i = 0; i < 2; i++) {
		put_run(client, CREATE(50, "{\"Image\":\"a\",\"HostConfig\":{\"Binds\":[\"/srv/a:/a\"]}}"));
		CU_ASSERT_TRUE_FATAL(stage_hear(&stage, MSG_RESOLVE, &question));
		CU_ASSERT_STRING_EQUAL(question.text, "/srv/a");
		expect(engine, "");
		answer.arg = question.arg;
		snprintf(answer.text, sizeof(answer.text), "%s", i ? "/etc" : "/srv/other");
		stage_tell(&stage, &answer);
		stage_run(&stage);
		if (i == 0) {
			CU_ASSERT_PTR_NOT_NULL(strstr(got(engine), "Binds"));
			put_run(engine, OK("", 0));
			expect(client, OK("", 0));
		} else {
			expect_refusal(client, 403, "\n");
			expect(engine, "");
		}
	}
	CLOSE_STAGE(client, engine);
}

static void an_answer_for_who_has_gone_is_nobodys(void)
{
	struct msg question, answer = { .type = MSG_RESOLVED, .text = "/srv/a" };
	int client, engine;

	open_stage();
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_BINDS, "[/srv:rw]");
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, CREATE(50, "{\"Image\":\"a\",\"HostConfig\":{\"Binds\":[\"/srv/a:/a\"]}}"));
	CU_ASSERT_TRUE(stage_hear(&stage, MSG_RESOLVE, &question));
	close(client);
	stage_run(&stage);
	CU_ASSERT_EQUAL(stage.worker.n_clients, 0);
	answer.arg = question.arg;
	stage_tell(&stage, &answer);
	stage_run(&stage);
	expect(engine, "");
	CLOSE_STAGE(engine);
}

static void a_volume_is_looked_up_at_the_engine(void)
{
	static const char body[] = CREATE(49, "{\"Image\":\"a\",\"HostConfig\":{\"Binds\":[\"data:/a\"]}} ");
	int client, engine;

	open_stage();
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_CHECK_STORED, "true");
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, body);
	expect(engine, LOOK("/volumes/data"));
	put_run(engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"Dri");
	put_run(engine, "\r\n42\r\nver\":\"local\",\"Name\":\"data\",\"Options\":{\"device\":\"/"
			"etc\",\"o\":\"bind\"}}\r\n0\r\n\r\n");
	expect_refusal(client, 403, "\n");
	put_run(client, body);
	expect(engine, LOOK("/volumes/data"));
	put_run(engine, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(got(engine), "\r\n\r\n{\"Image\""));
	CLOSE_STAGE(client, engine);
}

static void a_start_looks_at_the_container(void)
{
	int client, engine;

	open_stage();
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_CHECK_STORED, "true");
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, POST("/containers/a/start"));
	expect(engine, LOOK("/containers/a/json"));
	put_run(engine, OK("{\"Name\":\"/a\",\"HostConfig\":{\"Privileged\":true}}", 46));
	expect_refusal(client, 403, "\n");
	CLOSE_STAGE(client, engine);
}

/* The same desync as above, by the answer to a lookup. */
static void a_lookup_whose_answer_says_too_much_is_not_trusted_again(void)
{
	static const char *const answers[] = {
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" OK("stray", 5),
		"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" OK("stray", 5),
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		int client, engine;

		open_stage();
		fixture_set(&fixture, POLICY_KEY_CONTAINERS_CHECK_STORED, "true");
		client = stage_client(&stage);
		engine = stage_engine(&stage);
		put_run(client, POST("/containers/a/start"));
		expect(engine, LOOK("/containers/a/json"));
		put_run(engine, answers[i]);
		expect(engine, "<end>");
		CLOSE_STAGE(client, engine);
	}
}

static void a_lookup_takes_another_connection_when_one_is_stale(void)
{
	int client, engine, fresh;

	open_stage();
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_CHECK_STORED, "true");
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, POST("/containers/a/start"));
	/* Closed with the question unread, which makes it a reset. */
	close(engine);
	fresh = stage_engine(&stage);
	stage_run(&stage);
	expect(fresh, LOOK("/containers/a/json"));
	CLOSE_STAGE(client, fresh);
}

/* --- Order ---------------------------------------------------------------------------------------------- */

static void the_record_is_written_before_the_request_is_sent(void)
{
	char line[4096];
	int client, engine, trail[2];

	open_stage();
	CU_ASSERT_EQUAL_FATAL(pipe2(trail, O_NONBLOCK), 0);
	stage.worker.trail.fd = trail[1];
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	/* The record cannot be written until there is room, so neither may the request be there. */
	put_run(client, GET("/info") GET("/nowhere"));
	CU_ASSERT_TRUE(read(trail[0], line, sizeof(line)) > 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"system.info\""));
	expect(engine, GET("/info"));
	close(trail[0]);
	CLOSE_STAGE(client, engine);
}

/* What waits is carried out while a request is judged that lies in the scratch: it must stay what it was. */
static void a_full_arena_changes_no_request_that_is_judged(void)
{
	char head[16384], filler[16000], junk[70000];
	int refused, client, engine;
	size_t n;

	open_stage();
	memset(filler, 'f', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	memset(junk, 'X', sizeof(junk));
	refused = stage_client(&stage);
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	stage_run(&stage);
	/* Refused, with more behind it that is thrown away when the refusal is sent. */
	put(refused,
	    "GET /info HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 900000\r\n\r\n");
	CU_ASSERT_EQUAL(send(refused, junk, sizeof(junk), 0), (ssize_t)sizeof(junk));
	n = (size_t)snprintf(head, sizeof(head),
			     "GET /version HTTP/1.1\r\nHost: docker\r\nUser-Agent: %s\r\n\r\n", filler);
	CU_ASSERT_EQUAL(send(client, head, n, 0), (ssize_t)n);
	/* As if other requests had filled the arena: there is room for the refusal, and then no more. */
	stage.worker.arena.n = stage.worker.arena.cap - (HTTP_HEAD_MAX * 3 + 1024) - 64;
	CU_ASSERT_EQUAL(loop_wait(&stage.worker.loop, 0), 0);
	CU_ASSERT_TRUE(worker_turn(&stage.worker, stage.now));
	stage_run(&stage);
	CU_ASSERT_STRING_EQUAL(got(engine), head);
	CLOSE_STAGE(refused, client, engine);
}

static CU_TestInfo tests[] = {
	{ "a bind is judged where it leads", a_bind_is_judged_where_it_leads },
	{ "an answer for who has gone is nobody's", an_answer_for_who_has_gone_is_nobodys },
	{ "a volume is looked up at the engine", a_volume_is_looked_up_at_the_engine },
	{ "a start looks at the container", a_start_looks_at_the_container },
	{ "a lookup whose answer says too much is not trusted again",
	  a_lookup_whose_answer_says_too_much_is_not_trusted_again },
	{ "a lookup takes another connection when one is stale",
	  a_lookup_takes_another_connection_when_one_is_stale },
	{ "the record is written before the request is sent",
	  the_record_is_written_before_the_request_is_sent },
	{ "a full arena changes no request that is judged", a_full_arena_changes_no_request_that_is_judged },
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return check_main("lookup", tests);
}
