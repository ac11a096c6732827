/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/monitor.h"

#include "../policy/inspect_fixture.h"
#include "check.h"
#include "stage.h"

static struct fixture fixture;
static struct stage stage;

/* One listener, for metrics, on TCP: nothing that comes to it may reach the engine but our own question. */
static void open_stage(void)
{
	struct image_listener *listener;
	uint32_t at;

	fixture_init(&fixture);
	at = fixture_take(&fixture, sizeof(*listener));
	fixture_image(&fixture)->listeners = (struct image_list){ at, 1 };
	listener = (struct image_listener *)(void *)(fixture.memory + at);
	listener->kind = IMAGE_TCP;
	listener->address = fixture_string(&fixture, STR("127.0.0.1"));
	listener->metrics = 1;
	/* Whatever a policy would say: it is not asked. */
	for (unsigned i = 0; i < API_OPERATIONS; i++)
		fixture_policy(&fixture)->verdicts[i].allow = 1;
	stage_open(&stage, fixture_image(&fixture));
}

static void close_stage(int client, int engine)
{
	close(client);
	if (engine >= 0)
		close(engine);
	stage_run(&stage);
	CU_ASSERT_EQUAL(stage.worker.n_clients, 0);
	CU_ASSERT_EQUAL(stage.worker.metrics.engine_connections, 0);
	CU_ASSERT_PTR_NULL(stage.worker.engines[0].waiting);
	stage_close(&stage);
}

static void put(int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	stage_run(&stage);
}

static const char *got(int fd)
{
	static char text[METRICS_TEXT_MAX * 2];
	size_t n = 0;
	ssize_t r;

	while ((r = recv(fd, text + n, sizeof(text) - 1 - n, 0)) > 0)
		n += (size_t)r;
	text[n] = '\0';
	return text;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define PING      "GET /_ping HTTP/1.1\r\nHost: docker\r\nUser-Agent: sockgate\r\n\r\n"
#define PONG      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"

static bool answers(int client, const char *request, const char *status)
{
	char line[64];
	const char *is;

	put(client, request);
	is = got(client);
	snprintf(line, sizeof(line), "HTTP/1.1 %s\r\n", status);
	if (strncmp(is, line, strlen(line)) == 0)
		return true;
	printf("\n    \"%.60s\" got \"%.60s\"\n", request, is);
	return false;
}

static void metrics_and_health_need_no_engine(void)
{
	int client;
	const char *is;

	open_stage();
	client = stage_client(&stage);
	put(client, GET("/healthz"));
	CU_ASSERT_STRING_EQUAL(got(client), "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
					    "Cache-Control: no-store\r\nContent-Length: 3\r\n\r\nok\n");
	put(client, GET("/metrics?x=1"));
	is = got(client);
	CU_ASSERT_PTR_EQUAL(strstr(is, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"), is);
	CU_ASSERT_PTR_NOT_NULL(strstr(is, "\r\n\r\n# HELP sockgate_requests_total"));
	CU_ASSERT_EQUAL(strlen(strstr(is, "\r\n\r\n") + 4),
			strtoul(strstr(is, "Content-Length: ") + 16, NULL, 10));
	/* Nothing was decided, so nothing was counted. */
	CU_ASSERT_PTR_NULL(strstr(is, "sockgate_requests_total{"));
	CU_ASSERT_PTR_NOT_NULL(strstr(is, "\nsockgate_open_connections 1\n"));
	close_stage(client, -1);
}

static void head_has_the_same_head_and_no_body(void)
{
	int client;
	const char *is;

	open_stage();
	client = stage_client(&stage);
	put(client, "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	is = got(client);
	CU_ASSERT_PTR_NOT_NULL(strstr(is, "Content-Length: 3\r\n\r\n"));
	CU_ASSERT_STRING_EQUAL(strstr(is, "\r\n\r\n"), "\r\n\r\n");
	close_stage(client, -1);
}

static void nothing_is_ever_forwarded(void)
{
	static const char *const requests[] = {
		GET("/_ping"),
		GET("/v1.41/info"),
		GET("/"),
		GET("/metrics/"),
		GET("//metrics"),
		GET("/Metrics"),
		"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
		"POST /containers/web/start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
		"OPTIONS /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
	};
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		CU_ASSERT_TRUE(answers(client, requests[i], "404 Not Found"));
	/* What follows a body or an Upgrade would be no request of its own. */
	CU_ASSERT_TRUE(
		answers(client,
			"POST /v1.41/exec/1/start HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
			"Upgrade: tcp\r\nContent-Length: 4\r\n\r\nGET " GET("/_ping"),
			"404 Not Found"));
	CU_ASSERT_STRING_EQUAL(got(engine), "");
	close_stage(client, engine);
}

static void a_page_gets_nothing(void)
{
	static const char *const requests[] = {
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: rebound.example\r\n\r\n",
		"GET /readyz HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const char *is;
		int client;

		open_stage();
		client = stage_client(&stage);
		put(client, requests[i]);
		is = got(client);
		CU_ASSERT_PTR_EQUAL(strstr(is, "HTTP/1.1 403 "), is);
		CU_ASSERT_PTR_NULL(strcasestr(is, "access-control"));
		close_stage(client, -1);
	}
}

static void ready_is_what_the_engine_answers(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	put(client, GET("/readyz") GET("/healthz"));
	CU_ASSERT_STRING_EQUAL(got(client), "");
	engine = stage_engine(&stage);
	stage_run(&stage);
	CU_ASSERT_STRING_EQUAL(got(engine), PING);
	put(engine, PONG);
	/* The second was held, and has its turn. */
	CU_ASSERT_PTR_NOT_NULL(strstr(got(client), "\r\n\r\nready\nHTTP/1.1 200 OK"));
	/* A new question each time, on the same connection. */
	put(client, "HEAD /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT_STRING_EQUAL(got(engine), PING);
	put(engine, "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno");
	CU_ASSERT_PTR_NOT_NULL(strstr(got(client), "HTTP/1.1 503 "));
	put(client, GET("/readyz"));
	CU_ASSERT_STRING_EQUAL(got(engine), PING);
	put(engine, PONG);
	CU_ASSERT_PTR_NOT_NULL(strstr(got(client), "\r\n\r\nready\n"));
	close_stage(client, engine);
}

static void an_engine_that_cannot_be_reached_is_not_ready(void)
{
	struct msg down = { .type = MSG_ENGINE_DOWN, .error = ECONNREFUSED };
	int client;

	open_stage();
	client = stage_client(&stage);
	put(client, GET("/readyz"));
	stage_tell(&stage, &down);
	stage_run(&stage);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(got(client), "the Docker engine cannot be asked: Connection refused\n"));
	CU_ASSERT_EQUAL(stage.worker.metrics.engine_unreachable, 1);
	/* Its return needs no new client. */
	put(client, GET("/readyz"));
	close_stage(client, stage_engine(&stage));
}

static void an_engine_that_stalls_is_not_ready_after_two_seconds(void)
{
	for (int connected = 0; connected < 2; connected++) {
		int client, engine = -1;

		open_stage();
		client = stage_client(&stage);
		if (connected)
			engine = stage_engine(&stage);
		put(client, GET("/readyz"));
		stage_pass(&stage, 1900);
		CU_ASSERT_STRING_EQUAL(got(client), "");
		stage_pass(&stage, 200);
		CU_ASSERT_PTR_NOT_NULL(strstr(got(client), "HTTP/1.1 503 "));
		close_stage(client, engine);
	}
}

static void whoever_hangs_up_leaves_nothing_behind(void)
{
	int client, engine;

	open_stage();
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put(client, GET("/readyz"));
	CU_ASSERT_STRING_EQUAL(got(engine), PING);
	close_stage(client, engine);
}

static void without_its_gate_a_worker_that_needs_it_is_not_ready(void)
{
	int client, engine;

	open_stage();
	fixture_image(&fixture)->gate.require = 1;
	stage.worker.gate = MSG_GATE_DEGRADED;
	snprintf(stage.worker.gate_reason, sizeof(stage.worker.gate_reason), "the canary got through");
	client = stage_client(&stage);
	engine = stage_engine(&stage);
	put(client, GET("/readyz"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got(client), "\r\n\r\nthe canary got through\n"));
	CU_ASSERT_STRING_EQUAL(got(engine), "");
	/* But what there is to tell is told. */
	put(client, GET("/metrics"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got(client), "\nsockgate_gate_state{state=\"degraded\"} 1\n"));
	close_stage(client, engine);
}

static void a_ping_from_the_proxy_is_answered(void)
{
	struct msg ping = { .type = MSG_PING }, pong;
	int client;

	open_stage();
	client = stage_client(&stage);
	stage_tell(&stage, &ping);
	stage_run(&stage);
	CU_ASSERT_TRUE(stage_hear(&stage, MSG_PONG, &pong));
	close_stage(client, -1);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "metrics and health need no engine", metrics_and_health_need_no_engine },
		{ "HEAD has the same head and no body", head_has_the_same_head_and_no_body },
		{ "nothing is ever forwarded", nothing_is_ever_forwarded },
		{ "a page gets nothing", a_page_gets_nothing },
		{ "ready is what the engine answers", ready_is_what_the_engine_answers },
		{ "an engine that cannot be reached is not ready",
		  an_engine_that_cannot_be_reached_is_not_ready },
		{ "an engine that stalls is not ready after two seconds",
		  an_engine_that_stalls_is_not_ready_after_two_seconds },
		{ "whoever hangs up leaves nothing behind", whoever_hangs_up_leaves_nothing_behind },
		{ "without its gate a worker that needs it is not ready",
		  without_its_gate_a_worker_that_needs_it_is_not_ready },
		{ "a ping from the proxy is answered", a_ping_from_the_proxy_is_answered },
		CU_TEST_INFO_NULL,
	};

	return check_main("worker/monitor", tests);
}
