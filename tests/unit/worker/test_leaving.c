/* SPDX-License-Identifier: BSD-2-Clause */
#include "scene.h"

/* --- Those who leave ------------------------------------------------------------------------------------ */

static void a_client_that_leaves_a_silent_stream_ends_it_in_the_same_turn(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, GET("/events"));
	expect(engine, GET("/events"));
	put_run(engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	close(client);
	stage_turn(&stage);
	expect(engine, "<end>");
	CLOSE_STAGE(engine);
}

/* Request and end are seen in one turn, so that no event comes while the client waits. */
static void a_client_that_has_gone_waits_for_nothing(void)
{
	struct msg msg;
	int client;

	open_stage();
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_CHECK_STORED, "true");
	for (int lookup = 0; lookup < 2; lookup++) {
		client = stage_client(&stage);
		put(client, lookup ? POST("/containers/a/start") : GET("/info"));
		close(client);
		stage_run(&stage);
		CU_ASSERT_EQUAL(stage.worker.n_clients, 0);
		CU_ASSERT_EQUAL(stage.worker.engines[0].n_waiting, 0);
	}
	CU_ASSERT_TRUE(stage_hear(&stage, MSG_WANT, &msg));
	CLOSE_STAGE(stage_engine(&stage));
}

static void a_client_that_ends_its_side_is_heard_by_the_engine(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, GET("/events"));
	expect(engine, GET("/events"));
	shutdown(client, SHUT_WR);
	stage_run(&stage);
	expect(engine, "<end>");
	put_run(engine, OK("last", 4));
	expect(client, OK("last", 4) "<end>");
	CU_ASSERT_EQUAL(stage.worker.engines[0].n_idle, 0);
	CLOSE_STAGE(client, engine);
}

/* The proxy closes its own copy of a connection when it gets to run: until then closing ours ends no events.
 */
static void a_connection_that_the_proxy_still_holds_is_forgotten(void)
{
	struct msg msg = { .type = MSG_ENGINE };
	int pair[2];

	open_stage();
	stage_pair(pair);
	CU_ASSERT_EQUAL(channel_send(stage.proxy, &msg, pair[0]), 0);
	stage_run(&stage);
	CU_ASSERT_EQUAL(stage.worker.engines[0].n_idle, 1);
	put_run(pair[1], "unasked");
	CU_ASSERT_EQUAL(stage.worker.engines[0].n_idle, 0);
	/* An event on it now would point to memory that is freed. */
	put(pair[1], "more");
	CU_ASSERT_EQUAL(loop_wait(&stage.worker.loop, 0), 0);
	CU_ASSERT_EQUAL(stage.worker.loop.n_queued, 0);
	close(pair[0]);
	CLOSE_STAGE(pair[1]);
}

static void no_more_clients_are_taken_than_can_be_served(void)
{
	struct source *source = &stage.worker.listeners[0].source;
	struct sockaddr_storage name = { .ss_family = AF_UNIX };
	socklen_t size = sizeof(sa_family_t);
	int ends[3];

	open_stage();
	stage.worker.clients_max = 2;
	stage.worker.n_listeners = 1;
	source->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	/* Bound to no name: the kernel makes one up. */
	CU_ASSERT_EQUAL(bind(source->fd, (struct sockaddr *)&name, size), 0);
	CU_ASSERT_EQUAL(listen(source->fd, 8), 0);
	size = sizeof(name);
	CU_ASSERT_EQUAL(getsockname(source->fd, (struct sockaddr *)&name, &size), 0);
	CU_ASSERT_EQUAL(loop_add(&stage.worker.loop, source), 0);
	for (int i = 0; i < 3; i++) {
		ends[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		CU_ASSERT_EQUAL(connect(ends[i], (struct sockaddr *)&name, size), 0);
	}
	stage_run(&stage);
	CU_ASSERT_EQUAL(stage.worker.n_clients, 2);
	stage_pass(&stage, 100);
	CU_ASSERT_EQUAL(stage.worker.n_clients, 2);
	close(ends[0]);
	stage_run(&stage);
	stage_pass(&stage, 100);
	CU_ASSERT_EQUAL(stage.worker.n_clients, 2);
	put_run(ends[2], GET("/nowhere"));
	expect_refusal(ends[2], 403, "\n");
	close(source->fd);
	CLOSE_STAGE(ends[1], ends[2]);
}

/* --- Tunnels -------------------------------------------------------------------------------------------- */

static void a_tunnel_passes_early_data_and_each_end(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, UPGRADE("/containers/a/attach?stream=1") "early");
	expect(engine, UPGRADE_SENT("/containers/a/attach?stream=1"));
	put_run(client, " and earlier");
	expect(engine, "");
	put_run(engine, SWITCHED "hello");
	expect(client, SWITCHED "hello");
	expect(engine, "early and earlier");
	put(client, "last");
	shutdown(client, SHUT_WR);
	stage_run(&stage);
	expect(engine, "last<end>");
	put_run(engine, "answer");
	expect(client, "answer");
	shutdown(engine, SHUT_WR);
	stage_run(&stage);
	expect(client, "<end>");
	CU_ASSERT_EQUAL(stage.worker.n_clients, 0);
	CLOSE_STAGE(client, engine);
}

static void a_tunnel_passes_the_engines_end_first(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, UPGRADE("/containers/a/attach?stream=1"));
	got(engine);
	put(engine, SWITCHED "bye");
	shutdown(engine, SHUT_WR);
	stage_run(&stage);
	expect(client, SWITCHED "bye<end>");
	put_run(client, "still here");
	expect(engine, "still here");
	/* With its other direction shut too, nobody is left for the client to talk to. */
	close(engine);
	stage_run(&stage);
	CU_ASSERT_EQUAL(stage.worker.n_clients, 0);
	CLOSE_STAGE(client);
}

/* dockerode writes standard input before it has an answer; where there is no stream it must not be a request.
 */
static void early_data_of_a_tunnel_that_fails_is_no_request(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, UPGRADE("/containers/a/attach?stream=1") GET("/info"));
	expect(engine, UPGRADE_SENT("/containers/a/attach?stream=1"));
	put_run(engine, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
	expect(client, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno<end>");
	expect(engine, "");
	CLOSE_STAGE(client, engine);

	open_stage();
	fixture_policy(&fixture)->verdicts[API_OP_CONTAINERS_ATTACH].allow = 0;
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put_run(client, UPGRADE("/containers/a/attach?stream=1") GET("/info"));
	expect_refusal(client, 403, "<end>");
	expect(engine, "");
	CLOSE_STAGE(client, engine);
}

static CU_TestInfo tests[] = {
	{ "a client that leaves a silent stream ends it in the same turn",
	  a_client_that_leaves_a_silent_stream_ends_it_in_the_same_turn },
	{ "a client that has gone waits for nothing", a_client_that_has_gone_waits_for_nothing },
	{ "a client that ends its side is heard by the engine",
	  a_client_that_ends_its_side_is_heard_by_the_engine },
	{ "a connection that the proxy still holds is forgotten",
	  a_connection_that_the_proxy_still_holds_is_forgotten },
	{ "no more clients are taken than can be served", no_more_clients_are_taken_than_can_be_served },
	{ "a tunnel passes early data and each end", a_tunnel_passes_early_data_and_each_end },
	{ "a tunnel passes the engine's end first", a_tunnel_passes_the_engines_end_first },
	{ "early data of a tunnel that fails is no request",
	  early_data_of_a_tunnel_that_fails_is_no_request },
	CU_TEST_INFO_NULL,
};

int main(void)
{
	return check_main("leaving", tests);
}
