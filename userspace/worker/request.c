/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "policy/policy_rewrite.h"
#include "worker/body_plan.h"
#include "worker/facts.h"
#include "worker/monitor.h"
#include "worker/origin.h"
#include "worker/verdict.h"

void request_refuse(struct worker *worker, struct client *client, unsigned status, const char *why)
{
	client->keep_alive = false;
	client->body_unread = true;
	verdict_because(worker, client, NULL, status, why);
}

/* What the rest of the connection has to know of the request in hand. */
static void note_request(struct client *client, const struct http_request *request)
{
	client->method = (uint8_t)request->method;
	client->keep_alive = request->keep_alive;
	client->http_1_0 = request->minor == 0;
	client->head_only = request->method == HTTP_HEAD;
	client->may_hijack = client->upgrade = client->body_unread = false;
	free(client->origin);
	client->origin = NULL;
}

static const struct image_listener *listener_of(const struct worker *worker, const struct client *client)
{
	return IMAGE_LIST(worker->image, struct image_listener, worker->image->listeners) +
	       client->listener->index;
}

/* Judges where a request comes from before what it asks for. False: an answer is pending. */
static bool judge_origin(struct worker *worker, struct client *client, struct judged *j)
{
	struct str origin = { NULL, 0 };
	const char *why;
	enum origin_verdict verdict =
		origin_judge(worker->image, listener_of(worker, client), &j->request, &origin, &why);

	if (verdict == ORIGIN_NONE)
		return true;
	if (verdict == ORIGIN_REFUSED) {
		verdict_because(worker, client, j, 403, why);
		return false;
	}
	client->origin = strndup(origin.p, origin.n);
	if (!client->origin) {
		verdict_because(worker, client, j, 503, "out of memory");
		return false;
	}
	if (verdict == ORIGIN_PREFLIGHT) {
		struct buf out = verdict_room(worker, VERDICT_HEAD_ROOM);

		verdict_record(worker, client, j, true, 204, STR("a preflight, answered here"));
		origin_write_preflight(&out, origin);
		verdict_pend(worker, client, &out, false);
		return false;
	}
	return true;
}

/* Judges everything but the body. False: a refusal is pending. */
static bool judge_head(struct worker *worker, struct client *client, struct judged *j)
{
	bool keep_alive = client->keep_alive;
	const char *why;
	int r;

	/* Behind a request for a raw stream may stand what was meant for it: never a request. */
	client->keep_alive = keep_alive && !j->request.upgrade.p;
	if (worker->image->gate.require && worker->gate != MSG_GATE_ENFORCING) {
		verdict_because(worker, client, j, 503, worker->gate_reason);
		return false;
	}
	if (!judge_origin(worker, client, j))
		return false;
	j->policy = policy_for(worker->image, listener_of(worker, client), &client->peer);
	r = api_target_parse(j->request.method, j->request.target, worker->target_scratch, &j->target, &why);
	/* Theirs does not look at the version; the engine refuses one that it does not speak. */
	if (r == -EPROTONOSUPPORT && j->policy->compat)
		r = 0;
	if (r == -ENOENT) {
		verdict_because(
			worker, client, j, 403,
			"no operation of the Docker API has this method and path, so no policy can allow it");
		return false;
	}
	if (r < 0) {
		verdict_because(worker, client, j, 400, why);
		return false;
	}
	client->may_hijack = (j->target.operation->flags & API_HIJACK) != 0;
	client->keep_alive = keep_alive && !client->may_hijack;
	policy_decide(worker->image, j->policy, &j->request, &j->target, &j->decision);
	if (!rollout_head(&j->rollout, worker->image, j->policy, &j->request, &j->target, &j->decision)) {
		verdict_decided(worker, client, j);
		return false;
	}
	client->upgrade = client->may_hijack && j->request.upgrade.n > 0;
	return true;
}

/*
 * Judges what the request refers to. False: a refusal is pending, or the client is in state FACTS until more
 * is known and then comes here again.
 */
static bool know_enough(struct worker *worker, struct client *client, struct judged *j,
			const struct json_body *body)
{
	int unknown = facts_collect(worker, client, j->policy, &j->target, body);

	if (unknown < 0) {
		verdict_because(worker, client, j, unknown == -E2BIG ? 403 : 503,
				unknown == -E2BIG ? "the request refers to more than can be looked up"
						  : "out of memory");
		return false;
	}
	if (unknown > 0) {
		client->state = CLIENT_FACTS;
		return false;
	}
	if (policy_facts_judge(worker->image, j->policy, &j->target, client->facts, &j->decision) ||
	    rollout_facts(&j->rollout, j->policy, &j->decision))
		return true;
	verdict_decided(worker, client, j);
	return false;
}

/*
 * The engine reads no body for this operation, so none goes on. Clients that send one (dockerode) say the
 * query again in it; but a start could once carry a whole HostConfig (API before 1.24), and who sends one
 * means it.
 */
static bool may_drop(const struct judged *j, const struct json_body *body)
{
	return j->target.operation->id != API_OP_CONTAINERS_START || json_size(json_body_root(body)) == 0;
}

/* "null", which clients of Go write for nothing (docker commit), and which Go's decoder takes for nothing. */
static bool is_null(const char *in, size_t n)
{
	while (n > 0 && (in[n - 1] == '\n' || in[n - 1] == ' '))
		n--;
	return n == 4 && memcmp(in, "null", 4) == 0;
}

/* What is judged, recorded and forwarded is the body with the policy's changes. False: a refusal is pending.
 */
static bool rewrite_body(struct worker *worker, struct client *client, struct judged *j,
			 struct json_body *body, struct buf *changes)
{
	const char *why;
	int r = policy_rewrite(worker->image, j->policy, listener_of(worker, client), &j->target, body,
			       changes, &why);

	if (r < 0)
		verdict_because(worker, client, j, r == -ENOMEM ? 413 : 400, why);
	else
		j->rewritten = buf_view(changes);
	return r >= 0;
}

/* The whole body is there (n == 0: it was empty). */
static void judge_body(struct worker *worker, struct client *client, struct judged *j, enum body_plan plan,
		       const char *in, size_t n)
{
	char memory[POLICY_CHANGES_MAX];
	struct buf changes = buf_over(memory, sizeof(memory));
	struct json_body *body = NULL;
	const char *why;
	int r = 0;

	if (n > 0 && !is_null(in, n))
		r = json_body_load(in, n, &body, &why);
	if (r < 0) {
		verdict_because(worker, client, j, r == -ENOMEM || r == -EMSGSIZE ? 413 : 400, why);
		return;
	}
	if (body && plan != BODY_INSPECT) {
		bool fine = may_drop(j, body);

		body = json_body_free(body);
		if (!fine) {
			verdict_because(worker, client, j, 400,
					"a start takes no HostConfig (since API 1.24)");
			return;
		}
	}
	if (!rewrite_body(worker, client, j, body, &changes))
		goto out;
	policy_decide_body(worker->image, j->policy, &j->target, body, &j->decision);
	if (!rollout_body(&j->rollout, worker->image, j->policy, &j->target, body, &j->decision))
		verdict_decided(worker, client, j);
	else if (know_enough(worker, client, j, body))
		verdict_forward(worker, client, j, HTTP_BODY_NONE, 0, body);
	j->rewritten = (struct str){ NULL, 0 };
out:
	json_body_free(body);
}

static size_t body_limit(const struct judged *j)
{
	uint64_t limit = policy_number(j->policy, POLICY_KEY_CONTAINERS_BODY_LIMIT);

	return limit == 0 || limit > JSON_BODY_MAX ? JSON_BODY_MAX : (size_t)limit;
}

/* Where a body that is read whole stands in the input. */
struct body_state {
	bool complete;
	bool malformed;
	const char *why;
	size_t end; /* complete: the first byte behind it */
};

/*
 * Decodes what has come of the body, in place: the data moves up behind the head, and client->raw_at says
 * from where the bytes are still coded.
 */
static struct body_state gather_body(struct client *client, const struct http_request *request, char *in,
				     size_t n)
{
	struct body_state s = { .complete = false };

	if (request->framing != HTTP_BODY_CHUNKED) {
		uint64_t have = n - client->head_len;

		s.complete = have >= request->content_length;
		client->body_len = s.complete ? (size_t)request->content_length : (size_t)have;
		s.end = client->head_len + client->body_len;
		return s;
	}
	while (client->raw_at < n && !client->chunks.done) {
		struct str data;
		ssize_t used = http_chunks_decode(&client->chunks, in + client->raw_at, n - client->raw_at,
						  false, &data, &s.why);

		if (used < 0) {
			s.malformed = true;
			return s;
		}
		memmove(in + client->head_len + client->body_len, data.p ? data.p : in, data.n);
		client->body_len += data.n;
		client->raw_at += (size_t)used;
	}
	s.complete = client->chunks.done;
	s.end = client->raw_at;
	return s;
}

/* Asks a client that waits for it to send its body; what does not fit into the socket now is not worth a
 * wait. */
static void say_continue(struct client *client)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (send(client->source.fd, line, sizeof(line) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(line) - 1)
		client->source.hangup = true;
}

/* Reads the body of an allowed request whole. Returns what request_take() returns. */
static size_t take_body(struct worker *worker, struct client *client, struct judged *j, enum body_plan plan,
			char *in, size_t n, size_t *ret_keep)
{
	struct body_state s = gather_body(client, &j->request, in, n);
	size_t limit = body_limit(j);

	if (s.malformed) {
		client->keep_alive = false;
		verdict_because(worker, client, j, 400, s.why);
		return n;
	}
	if (plan == BODY_EMPTY && client->body_len > 0) {
		client->keep_alive = false;
		verdict_because(worker, client, j, 415,
				"a body for this operation must have Content-Type: application/json");
		return n;
	}
	if (client->body_len > limit ||
	    (j->request.framing == HTTP_BODY_LENGTH && j->request.content_length > limit)) {
		client->keep_alive = false;
		verdict_because(
			worker, client, j, 413,
			"the body is larger than the policy's containers.body_limit, and none goes on "
			"unread");
		return n;
	}
	if (s.complete) {
		client->body_unread = false;
		judge_body(worker, client, j, plan, in + client->head_len, client->body_len);
		*ret_keep = n;
		return client->state == CLIENT_FACTS ? 0 : s.end;
	}
	if (client->state == CLIENT_HEAD) {
		client->state = CLIENT_BODY;
		deadline_set(&worker->deadlines, &client->deadline, DEADLINE_BODY, worker->now);
		if (j->request.expect_continue)
			say_continue(client);
	}
	/* Decoding has left a gap between the data and the bytes still coded: close it. */
	if (j->request.framing == HTTP_BODY_CHUNKED) {
		size_t data_end = client->head_len + client->body_len;

		memmove(in + data_end, in + client->raw_at, n - client->raw_at);
		n -= client->raw_at - data_end;
		client->raw_at = data_end;
	}
	*ret_keep = n;
	return 0;
}

/* On a listener for metrics. Mustn't: judge, forward. */
static void monitor(struct worker *worker, struct client *client, struct judged *j)
{
	struct buf out;

	client->keep_alive = client->keep_alive && !j->request.upgrade.p;
	if (!judge_origin(worker, client, j))
		return;
	out = verdict_room(worker, MONITOR_ROOM);
	if (monitor_answer(worker, client, &j->request, &out))
		verdict_pend(worker, client, &out, false);
	else
		client->state = CLIENT_FACTS;
}

static unsigned head_status(ssize_t error)
{
	switch (error) {
	case -EMSGSIZE:
		return 431;
	case -EPROTONOSUPPORT:
		return 505;
	case -ENOTSUP:
		return 417;
	default:
		return 400;
	}
}

/* Judges the request whose head is in [in, in+head). */
static size_t judge(struct worker *worker, struct client *client, struct judged *j, char *in, size_t n,
		    size_t *ret_keep)
{
	unsigned status = 400;
	const char *why = NULL;
	enum body_plan plan;
	bool keep_alive = client->keep_alive;
	bool has_body = j->request.framing == HTTP_BODY_CHUNKED ||
			(j->request.framing == HTTP_BODY_LENGTH && j->request.content_length > 0);

	/* A body behind a refusal is not read, so nothing can follow it. */
	client->keep_alive = keep_alive && !has_body;
	client->body_unread = has_body;
	if (listener_of(worker, client)->metrics) {
		*ret_keep = n;
		monitor(worker, client, j);
		return client->state == CLIENT_FACTS ? 0 : has_body ? n : client->head_len;
	}
	if (!judge_head(worker, client, j))
		return has_body ? n : client->head_len;
	keep_alive = keep_alive && !client->may_hijack;
	plan = body_plan_make(&j->request, j->target.operation, &status, &why);
	switch (plan) {
	case BODY_REFUSE:
		verdict_because(worker, client, j, status, why);
		return n;
	case BODY_ABSENT:
		judge_body(worker, client, j, plan, NULL, 0);
		*ret_keep = n;
		return client->state == CLIENT_FACTS ? 0 : client->head_len;
	case BODY_STREAM:
		*ret_keep = n;
		if (!know_enough(worker, client, j, NULL))
			return client->state == CLIENT_FACTS ? 0 : n;
		verdict_forward(worker, client, j, j->request.framing, j->request.content_length, NULL);
		if (!client->forward)
			return n;
		client->keep_alive = keep_alive;
		client->body_unread = false;
		if (j->request.expect_continue)
			say_continue(client);
		return client->head_len;
	default:
		client->keep_alive = keep_alive;
		return take_body(worker, client, j, plan, in, n, ret_keep);
	}
}

size_t request_take(struct worker *worker, struct client *client, char *in, size_t n, size_t *ret_keep)
{
	const char *why = NULL;
	struct judged j;
	ssize_t head;

	j.target.operation = NULL;
	j.target.path = (struct str){ NULL, 0 };
	j.policy = NULL;
	j.decision.rule = j.decision.file = (struct str){ NULL, 0 };
	j.decision.line = 0;
	j.rewritten = (struct str){ NULL, 0 };
	j.rollout.would_deny = false;
	j.rollout.limits_n = 0;
	head = http_request_parse(in, client->state == CLIENT_BODY ? client->head_len : n, &j.request, &why);
	if (head == 0) {
		if (client->deadline.class != DEADLINE_HEAD)
			deadline_set(&worker->deadlines, &client->deadline, DEADLINE_HEAD, worker->now);
		*ret_keep = n;
		return 0;
	}
	if (head < 0) {
		client->head_only = false;
		request_refuse(worker, client, head_status(head), why);
		return n;
	}
	note_request(client, &j.request);
	if (client->state == CLIENT_HEAD) {
		client->head_len = client->raw_at = (size_t)head;
		client->body_len = 0;
		client->chunks = (struct http_chunks){ 0 };
	}
	return judge(worker, client, &j, in, n, ret_keep);
}
