/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <sys/epoll.h>

#include "../policy/inspect_fixture.h"
#include "check.h"
#include "stage.h"

static struct fixture fixture;
static struct stage stage;

/* Everything is allowed by its rule, so that limits and lookups alone decide. */
static void open_stage(void)
{
	struct image_policy *policy;
	uint32_t at;

	fixture_init(&fixture);
	at = fixture_take(&fixture, sizeof(struct image_listener));
	fixture_image(&fixture)->listeners = (struct image_list){ at, 1 };
	policy = fixture_policy(&fixture);
	at = fixture_take(&fixture, sizeof(struct image_source));
	policy->sources = (struct image_list){ at, 1 };
	for (unsigned i = 0; i < API_OPERATIONS; i++)
		policy->verdicts[i].allow = 1;
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_CHECK_STORED, "false");
	stage_open(&stage, fixture_image(&fixture));
}

/* Everybody hangs up: then nobody may be left over, and nothing that belonged to them. */
static void close_stage(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	stage_run(&stage);
	CU_ASSERT_EQUAL(stage.worker.n_clients, 0);
	CU_ASSERT_EQUAL(stage.worker.engines[0].n_idle, 0);
	CU_ASSERT_PTR_NULL(stage.worker.engines[0].waiting);
	CU_ASSERT_PTR_NULL(stage.worker.resolving);
	stage_close(&stage);
}
#define CLOSE_STAGE(...) \
	close_stage((const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

static void put(int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void put_run(int fd, const char *text)
{
	put(fd, text);
	stage_run(&stage);
}

/* What has come, as text; "<end>" stands for the end, "<reset>" for a broken connection. */
static const char *got(int fd)
{
	static char text[65536];
	size_t n = 0;
	ssize_t r = 1;

	while (n < sizeof(text) - 16 && (r = recv(fd, text + n, sizeof(text) - 16 - n, 0)) > 0)
		n += (size_t)r;
	strcpy(text + n, r == 0 ? "<end>" : errno == ECONNRESET ? "<reset>" : "");
	return text;
}

static void expect(int fd, const char *wanted)
{
	const char *is = got(fd);

	CU_ASSERT_STRING_EQUAL(is, wanted);
	if (strcmp(is, wanted) != 0)
		printf("\n    got \"%s\"\n    not \"%s\"\n", is, wanted);
}

/* A refusal of ours with that status and, at its end, whatever `behind` says. */
static void expect_refusal(int fd, unsigned status, const char *behind)
{
	const char *is = got(fd);
	char line[32];
	bool good;

	snprintf(line, sizeof(line), "HTTP/1.1 %u ", status);
	good = strncmp(is, line, strlen(line)) == 0 && strstr(is, "sockgate: ") &&
	       strcmp(is + strlen(is) - strlen(behind), behind) == 0;
	CU_ASSERT_TRUE(good);
	if (!good)
		printf("\n    got \"%s\"\n    not a %u that ends in \"%s\"\n", is, status, behind);
}

#define GET(path)     "GET " path " HTTP/1.1\r\nHost: docker\r\n\r\n"
#define POST(path)    "POST " path " HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"
#define OK(text, n)   "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n" text
#define UPGRADE(path) "POST " path " HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
#define UPGRADE_SENT(path) \
	"POST " path \
	" HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
#define SWITCHED "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

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
	{ "a client that leaves a silent stream ends it in the same turn",
	  a_client_that_leaves_a_silent_stream_ends_it_in_the_same_turn },
	{ "a client that ends its side is heard by the engine",
	  a_client_that_ends_its_side_is_heard_by_the_engine },
	{ "a connection that the proxy still holds is forgotten",
	  a_connection_that_the_proxy_still_holds_is_forgotten },
	{ "no more clients are taken than can be served", no_more_clients_are_taken_than_can_be_served },
	{ "a tunnel passes early data and each end", a_tunnel_passes_early_data_and_each_end },
	{ "a tunnel passes the engine's end first", a_tunnel_passes_the_engines_end_first },
	{ "early data of a tunnel that fails is no request",
	  early_data_of_a_tunnel_that_fails_is_no_request },
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
	return check_main("exchange", tests);
}
