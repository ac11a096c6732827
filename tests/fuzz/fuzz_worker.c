/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A script of what clients, engine and proxy do to a worker, two bytes a step. Whatever they do:
 *
 *   - what an engine receives is a row of heads that http_request_parse() accepts, each allowed by the policy
 *     with its body, or a lookup of ours;
 *   - no client receives a byte that another's exchange produced: every client marks its requests with a byte
 *     of its own (0x80 and up), which nobody else writes, and an engine marks all it says with the byte of
 * the last request it heard;
 *   - when everybody has hung up, the worker has no client, connection, descriptor or memory left.
 */
#include <fcntl.h>
#include <stdint.h>

#include "../unit/worker/stage.h"
#include "audit/audit_writer.h"
#include "config/config.h"
#include "policy/policy_decide.h"
#include "json/json_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS   4
#define ENGINES   5
#define QUESTIONS 8
#define HEARD_MAX (512 * 1024)
#define FILL      300000 /* more than a socket takes */

static void must_at(bool condition, int line)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz_worker.c:%d\n", line);
	abort();
}
#define must(condition) must_at(condition, __LINE__)

/* What somebody says: '*' stands for the mark, '#' at the end for FILL marks. */
struct mouth {
	char bytes[FILL + 1024];
	size_t at, n;
};

struct client_player {
	int fd; /* -1: nobody */
	unsigned char mark;
	struct mouth mouth;
};

struct engine_player {
	int fd;
	bool raw, checks_body; /* a tunnel; the body in hand is judged when it is whole */
	unsigned char mark;    /* of the last request; 0: it had none */
	bool hijack, switched; /* it asks for a tunnel; an answer that opens one has been said */
	enum http_framing framing;
	uint64_t left;
	struct http_chunks chunks;
	char heard[HEARD_MAX]; /* from the head in hand on */
	size_t n, head_len;
	struct mouth mouth;
};

static struct stage stage;
static const struct policy_image *images[3];
static struct client_player clients[CLIENTS];
static struct engine_player engines[ENGINES];
static uint32_t questions[QUESTIONS];
static unsigned n_questions, n_marks;

#define HOST    " HTTP/1.1\r\nHost: a\r\nUser-Agent: *\r\n"
#define JSON(n) HOST "Content-Type: application/json\r\nContent-Length: " #n "\r\n\r\n"

static const char *const requests[] = {
	"GET /info" HOST "\r\n",
	"HEAD /_ping" HOST "\r\n",
	"GET /events" HOST "Connection: close\r\n\r\n",
	"DELETE /v1.41/containers/a" HOST "\r\n",
	"GET /nowhere" HOST "\r\n",
	"GET /info HTTP/1.0\r\nUser-Agent: *\r\n\r\n",
	"POST /containers/a/start" HOST "Content-Length: 0\r\n\r\n",
	"POST /containers/a/attach?stream=1" HOST "Upgrade: tcp\r\n\r\nearly",
	"POST /containers/a/attach?stream=1" HOST "\r\n",
	"POST /exec/a/start" JSON(18) "{\"Detach\":  false}",
	"POST /containers/create" JSON(13) "{\"Image\":\"a\"}",
	"POST /containers/create" JSON(52) "{\"Image\":\"a\",\"HostConfig\":{\"Binds\":[\"/srv/app:/a\"]}}",
	"POST /containers/create" JSON(46) "{\"Image\":\"a\",\"HostConfig\":{\"Binds\":[\"v:/a\"]}} ",
	"POST /containers/create" JSON(46) "{\"Image\":\"a\",\"HostConfig\":{\"Privileged\":true}}",
	"POST /containers/create" HOST "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	"7\r\n{\"Image\r\n6\r\n\":\"a\"}\r\n0\r\n\r\n",
	"PUT /containers/a/archive?path=%2F" HOST "Content-Length: 300000\r\nExpect: 100-continue\r\n\r\n#",
	"POST /build" HOST "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
	"0003\r\nbcd\r\n0\r\n\r\n",
	"POST /build" HOST "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n#",
};

static const char *const responses[] = {
	"HTTP/1.1 200 OK\r\nX: *\r\nContent-Length: 3\r\n\r\n***",
	"HTTP/1.1 200 *\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n**\r\n1\r\n*\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n**\r\n",
	"HTTP/1.1 200 OK\r\n\r\n***",
	"HTTP/1.1 204 No Content\r\nX: *\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nX: *\r\n\r\n",
	"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 100 Continue\r\nX: *\r\n\r\n",
	"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n*",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n*",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n**HTTP/1.1 200 OK\r\nX: *\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n#",
	"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n*",
	"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n*",
	"HTTP/1.1 200 OK\r\nContent-Length: 46\r\n\r\n{\"Name\":\"/a\",\"HostConfig\":{\"Privileged\":true}}",
	"HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n{\"Name\":\"v\",\"Driver\":\"local\",\"Options\":{}}",
};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- Speaking and hearing ------------------------------------------------------------------------------- */

static void prepare(struct mouth *mouth, const char *template, unsigned char mark)
{
	mouth->at = mouth->n = 0;
	for (; *template; template ++) {
		if (*template == '#') {
			memset(mouth->bytes + mouth->n, mark, FILL);
			mouth->n += FILL;
		} else {
			mouth->bytes[mouth->n++] = *template == '*' ? (char)mark : *template;
		}
	}
}

static void speak(int fd, struct mouth *mouth, size_t most)
{
	size_t n = mouth->n - mouth->at < most ? mouth->n - mouth->at : most;
	ssize_t sent = n && fd >= 0 ? send(fd, mouth->bytes + mouth->at, n, MSG_NOSIGNAL) : 0;

	if (sent > 0)
		mouth->at += (size_t)sent;
}

static void hear_client(struct client_player *client)
{
	static char heard[65536];
	ssize_t n;

	while (client->fd >= 0 && (n = recv(client->fd, heard, sizeof(heard), 0)) > 0)
		for (ssize_t i = 0; i < n; i++)
			must((unsigned char)heard[i] < 0x80 || (unsigned char)heard[i] == client->mark);
}

static const struct image_policy *policy(void)
{
	const struct policy_image *image = stage.worker.image;

	return policy_image_at(image, IMAGE_LIST(image, struct image_listener, image->listeners)->policy);
}

static void parse_heard(const struct engine_player *e, struct http_request *request,
			struct api_target *target)
{
	static char scratch[API_TARGET_SCRATCH];
	const char *why;

	must(http_request_parse(e->heard, e->head_len, request, &why) == (ssize_t)e->head_len);
	must(api_target_parse(request->method, request->target, scratch, target, &why) == 0);
}

/* A whole head is there. */
static void take_head(struct engine_player *e)
{
	static struct policy_decision decision;
	struct http_request request;
	struct api_target target;
	struct str agent;

	parse_heard(e, &request, &target);
	agent = http_request_field(&request, "User-Agent");
	must(request.minor == 1 && str_eqz(request.host, "docker"));
	policy_decide(stage.worker.image, policy(), &request, &target, &decision);
	must(decision.allow || (request.method == HTTP_GET && str_eqz(agent, "sockgate")));
	e->mark = agent.n == 1 && (unsigned char)agent.p[0] >= 0x80 ? (unsigned char)agent.p[0] : 0;
	e->hijack = (target.operation->flags & API_HIJACK) != 0;
	e->raw = e->hijack && e->switched;
	e->framing = request.framing;
	e->left = request.framing == HTTP_BODY_LENGTH ? request.content_length : 0;
	e->chunks = (struct http_chunks){ 0 };
	e->checks_body = target.operation->body == API_BODY_JSON && e->left > 0;
}

/* The JSON that stands behind the head is what the policy allows. */
static void judge_body(const struct engine_player *e, size_t n)
{
	static struct policy_decision decision;
	struct http_request request;
	struct api_target target;
	struct json_body *body;
	const char *why;

	parse_heard(e, &request, &target);
	must(json_body_load(e->heard + e->head_len, n, &body, &why) == 0);
	policy_decide_body(stage.worker.image, policy(), &target, body, &decision);
	must(decision.allow);
	json_body_free(body);
}

/* Takes one message, or what there is of it, from what was heard. Returns the bytes that are done with. */
static size_t take_message(struct engine_player *e)
{
	size_t at = e->head_len;

	if (e->head_len == 0) {
		struct http_request request;
		const char *why;
		ssize_t head = http_request_parse(e->heard, e->n, &request, &why);

		must(head >= 0);
		if (head == 0)
			return 0;
		e->head_len = at = (size_t)head;
		take_head(e);
	}
	if (e->framing == HTTP_BODY_LENGTH) {
		if (e->n - at < e->left)
			return 0;
		if (e->checks_body)
			judge_body(e, (size_t)e->left);
		at += (size_t)e->left;
	}
	while (e->framing == HTTP_BODY_CHUNKED && !e->chunks.done) {
		struct http_chunks chunks = { 0 };
		struct str data;
		const char *why;

		for (at = e->head_len, e->chunks = chunks; at < e->n && !e->chunks.done;) {
			ssize_t used =
				http_chunks_decode(&e->chunks, e->heard + at, e->n - at, false, &data, &why);

			must(used > 0);
			at += (size_t)used;
		}
		if (!e->chunks.done)
			return 0;
	}
	e->head_len = 0;
	return at;
}

static void hear_engine(struct engine_player *e)
{
	ssize_t n;

	while (e->fd >= 0 && (n = recv(e->fd, e->heard + e->n, sizeof(e->heard) - e->n, 0)) > 0) {
		size_t done;

		e->n += (size_t)n;
		while (!e->raw && e->n && (done = take_message(e)) > 0) {
			memmove(e->heard, e->heard + done, e->n - done);
			e->n -= done;
		}
		if (e->raw)
			e->n = 0;
		must(e->n < sizeof(e->heard));
	}
}

static void hear_all(void)
{
	struct msg msg;

	for (unsigned i = 0; i < CLIENTS; i++)
		hear_client(&clients[i]);
	for (unsigned i = 0; i < ENGINES; i++)
		hear_engine(&engines[i]);
	while (stage_hear(&stage, MSG_RESOLVE, &msg))
		if (n_questions < QUESTIONS)
			questions[n_questions++] = msg.arg;
}

/* --- The script ----------------------------------------------------------------------------------------- */

struct script {
	const uint8_t *p, *end;
};

/* Bytes of the script itself; without marks. */
static void prepare_raw(struct mouth *mouth, struct script *script, size_t n)
{
	mouth->at = mouth->n = 0;
	for (; n > 0 && script->p < script->end; n--)
		mouth->bytes[mouth->n++] = (char)(*script->p++ & 0x7f);
}

static void hang_up(int *fd, bool half)
{
	if (*fd < 0)
		return;
	if (half) {
		shutdown(*fd, SHUT_WR);
		return;
	}
	close(*fd);
	*fd = -1;
}

static void act_client(struct client_player *client, unsigned action, unsigned how, struct script *script)
{
	if (client->fd < 0) {
		client->fd = stage_client(&stage);
		client->mark = (unsigned char)(0x80 | n_marks++);
		client->mouth.at = client->mouth.n = 0;
	}
	switch (action) {
	case 0:
	case 1:
		prepare(&client->mouth, requests[how % COUNT(requests)], client->mark);
		speak(client->fd, &client->mouth, action == 0 ? SIZE_MAX : 1 + how / 2);
		break;
	case 2:
		speak(client->fd, &client->mouth, how % 2 ? SIZE_MAX : 1 + how);
		break;
	case 3:
		prepare_raw(&client->mouth, script, how % 64);
		speak(client->fd, &client->mouth, SIZE_MAX);
		break;
	default:
		hear_client(client);
		hang_up(&client->fd, how % 2);
	}
}

static void act_engine(struct engine_player *e, unsigned action, unsigned how, struct script *script)
{
	const char *template = responses[how % COUNT(responses)];

	if (e->fd < 0) {
		e->fd = stage_engine(&stage);
		e->raw = e->hijack = e->switched = false;
		e->mark = 0;
		e->n = e->head_len = e->mouth.at = e->mouth.n = 0;
	}
	hear_engine(e);
	switch (action) {
	case 0:
	case 1:
		prepare(&e->mouth, template, e->mark ? e->mark : 'x');
		e->switched |= strstr(template, " 101 ") || strstr(template, "raw-stream");
		e->raw = e->hijack && e->switched;
		speak(e->fd, &e->mouth, action == 0 ? SIZE_MAX : 1 + how / 2);
		break;
	case 2:
		speak(e->fd, &e->mouth, how % 2 ? SIZE_MAX : 1 + how);
		break;
	case 3:
		prepare_raw(&e->mouth, script, how % 64);
		speak(e->fd, &e->mouth, SIZE_MAX);
		break;
	default:
		hang_up(&e->fd, how % 2);
	}
}

static void act_proxy(unsigned how)
{
	static const char *const paths[] = { "/srv/app", "/etc", "/", "" };
	static const int64_t times[] = { 1, 100, 3000, 11000, 61000, 601000 };
	struct msg msg = { .type = MSG_ENGINE_DOWN, .error = ECONNREFUSED };

	if (how % 4 == 0) {
		stage_tell(&stage, &msg);
	} else if (how % 4 == 1 && n_questions) {
		msg = (struct msg){ .type = MSG_RESOLVED, .arg = questions[--n_questions] };
		msg.error = how & 64 ? EACCES : 0;
		snprintf(msg.text, sizeof(msg.text), "%s", paths[how / 4 % COUNT(paths)]);
		stage_tell(&stage, &msg);
	} else if (how % 4 == 2) {
		stage.now += times[how / 4 % COUNT(times)];
	} else {
		stage_run(&stage);
		hear_all();
	}
}

static void act(struct script *script)
{
	unsigned what = *script->p++, how = *script->p++, action = what % 5;

	if (what < 110)
		act_client(&clients[what / 5 % CLIENTS], action, how, script);
	else if (what < 220)
		act_engine(&engines[what / 5 % ENGINES], action, how, script);
	else
		act_proxy(how);
	/* Else more is seen in the same turn. */
	if (how < 192)
		stage_turn(&stage);
}

/* --- Before and after ----------------------------------------------------------------------------------- */

static const struct policy_image *compile(const char *name)
{
	struct config_build *build = config_build_new();
	const struct policy_image *image;
	unsigned index;
	const char *why;
	int fd;

	config_policy_directory(build, TEST_VECTORS "/../../policies");
	must(config_load_policy(build, name, stderr, &index) == 0);
	must(config_add_engine(build, "unix:/run/docker.sock", stderr) == 0);
	must(config_add_listener(build, "unix:/run/sockgate/docker.sock", index, stderr) == 0);
	fd = config_seal(build);
	must(fd >= 0 && policy_image_map(fd, &image, &why) == 0);
	close(fd);
	config_build_free(build);
	return image;
}

__attribute__((constructor)) static void start(void)
{
	images[0] = compile("unrestricted");
	images[1] = compile("worker");
	images[2] = compile("readonly");
	stage_open(&stage, images[0]);
	audit_writer_open(&stage.worker.trail, open("/dev/null", O_WRONLY | O_CLOEXEC));
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i].fd = -1;
	for (unsigned i = 0; i < ENGINES; i++)
		engines[i].fd = -1;
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 128; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void must_be_empty(void)
{
	struct worker *worker = &stage.worker;

	must(worker->n_clients == 0 && !worker->pending && !worker->resolving && !worker->over);
	must(!worker->engines[0].idle && worker->engines[0].n_idle == 0);
	must(!worker->engines[0].waiting && worker->engines[0].n_waiting == 0);
	must(!worker->dead_clients && !worker->dead_engines);
	must(deadline_timeout(&worker->deadlines, worker->now) == -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = { data + 1, data + size };
	unsigned descriptors = count_descriptors();

	if (size == 0)
		return 0;
	stage.worker.image = images[data[0] % COUNT(images)];
	n_marks = n_questions = 0;
	while (script.end - script.p >= 2)
		act(&script);
	stage_run(&stage);
	hear_all();
	for (unsigned i = 0; i < CLIENTS; i++)
		hang_up(&clients[i].fd, false);
	stage_run(&stage);
	for (unsigned i = 0; i < ENGINES; i++)
		hang_up(&engines[i].fd, false);
	stage_run(&stage);
	hear_all();
	must_be_empty();
	must(count_descriptors() == descriptors);
	stage.worker.engines[0].wanted = 0;
	return 0;
}
