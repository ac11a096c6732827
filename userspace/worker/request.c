/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "policy/policy_rewrite.h"
#include "worker/body_plan.h"
#include "worker/facts.h"
#include "worker/heads.h"
#include "worker/monitor.h"
#include "worker/origin.h"
#include "worker/rollout.h"
#include "json/json_body.h"

/*
 * A canonical head is at most as long as the client's, but for percent-encoding (three bytes for one) and our
 * own lines; a refusal is shorter still.
 */
#define HEAD_ROOM (HTTP_HEAD_MAX * 3 + 1024)

/* What a policy may add to a body, before the arena is emptied for it. */
#define REWRITE_ROOM (128 * 1024)

#define PREFIX "sockgate: "

/* A request that is being judged; all of it points into the input or the worker's target scratch. */
struct judged {
	struct http_request request;
	struct api_target target;
	const struct image_policy *policy;
	struct policy_decision decision;
	struct rollout rollout;
	struct str rewritten; /* what was changed in the body, while that is being judged; else empty */
};

/* What passes is a refusal to whoever reads the trail: its rule and reason, not those that let it pass. */
static void record_would_deny(struct audit_request *r, const struct rollout *rollout)
{
	r->would_deny = true;
	r->rule = rollout->refusal.rule;
	r->file = rollout->refusal.file;
	r->line = rollout->refusal.line;
	r->reason = (struct str){ rollout->refusal.reason, rollout->refusal.reason_len };
	r->limits = (struct str){ rollout->limits, rollout->limits_n };
}

/* By the rule that refused, which is not the one that decided where something else was wrong. */
static void count(struct worker *worker, struct client *client, const struct judged *j, bool allow,
		  unsigned status)
{
	bool by_rule = j && j->decision.rule.n && !j->decision.allow;

	metrics_count_request(&worker->metrics, j ? j->target.operation : NULL,
			      !allow                       ? METRICS_DENY
			      : j && j->rollout.would_deny ? METRICS_WARN
							   : METRICS_ALLOW);
	if (!allow)
		metrics_count_refusal(&worker->metrics, by_rule ? j->decision.rule : STR(""), status);
	client->decided = worker->metrics.now;
}

static void record(struct worker *worker, struct client *client, const struct judged *j, bool allow,
		   unsigned status, struct str reason)
{
	struct audit_request r = {
		.allow = allow,
		.status = status,
		.reason = reason,
		.listener = str_from(client->listener->name),
		.uid = client->peer.uid,
		.gid = client->peer.gid,
		.pid = client->peer.pid,
		.peer = str_from(client->address),
		.policy_hash = worker->image ? worker->image->hash : 0,
	};

	count(worker, client, j, allow, status);
	if (worker->trail.fd < 0)
		return;
	worker->metrics.audit_records++;
	clock_gettime(CLOCK_REALTIME, &r.time);
	if (j) {
		r.method = str_from(http_method_name(j->request.method));
		r.path = j->target.path;
		r.operation = str_from(j->target.operation ? j->target.operation->name : NULL);
		r.rule = j->decision.rule;
		r.file = j->decision.file;
		r.line = j->decision.line;
		r.rewritten = j->rewritten;
		if (j->policy)
			r.policy = image_string(worker->image, j->policy->name);
	}
	if (j && allow && j->rollout.would_deny)
		record_would_deny(&r, &j->rollout);
	trail_add(&worker->trail, &r);
}

/* Makes room for `need` bytes in the turn's arena, carrying out what is pending when there is none. */
static struct buf arena_room(struct worker *worker, size_t need)
{
	if (worker->arena.cap - worker->arena.n < need)
		worker_flush(worker);
	return buf_over(worker->arena.p + worker->arena.n, worker->arena.cap - worker->arena.n);
}

static void pend(struct worker *worker, struct client *client, const struct buf *bytes, bool forward)
{
	worker->arena.n += bytes->n;
	client->action = buf_view(bytes);
	client->forward = forward;
	client->state = CLIENT_PENDING;
	client->next = NULL;
	deadline_clear(&client->deadline);
	*worker->pending_tail = client;
	worker->pending_tail = &client->next;
}

static void refuse(struct worker *worker, struct client *client, const struct judged *j, unsigned status,
		   struct str reason)
{
	struct buf out = arena_room(worker, HEAD_ROOM);

	record(worker, client, j, false, status, reason);
	heads_write_refusal(&out, status, reason, !client->keep_alive, client->head_only,
			    str_from(client->origin));
	pend(worker, client, &out, false);
}

void request_refuse(struct worker *worker, struct client *client, unsigned status, const char *why)
{
	char message[256];

	snprintf(message, sizeof(message), PREFIX "%s", why);
	client->keep_alive = false;
	client->body_unread = true;
	refuse(worker, client, NULL, status, str_from(message));
}

static void refuse_because(struct worker *worker, struct client *client, const struct judged *j,
			   unsigned status, const char *why)
{
	char message[256];

	snprintf(message, sizeof(message), PREFIX "%s", why);
	refuse(worker, client, j, status, str_from(message));
}

/* The docker CLI prints the message as the daemon's, so it says who speaks. */
static void refuse_decision(struct worker *worker, struct client *client, const struct judged *j)
{
	char memory[POLICY_REASON_MAX + sizeof(PREFIX)];
	struct buf message = buf_over(memory, sizeof(memory));

	buf_puts(&message, PREFIX);
	buf_append(&message, j->decision.reason, j->decision.reason_len);
	refuse(worker, client, j, j->decision.status, buf_view(&message));
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
		refuse_because(worker, client, j, 403, why);
		return false;
	}
	client->origin = strndup(origin.p, origin.n);
	if (!client->origin) {
		refuse_because(worker, client, j, 503, "out of memory");
		return false;
	}
	if (verdict == ORIGIN_PREFLIGHT) {
		struct buf out = arena_room(worker, HEAD_ROOM);

		record(worker, client, j, true, 204, STR("a preflight, answered here"));
		origin_write_preflight(&out, origin);
		pend(worker, client, &out, false);
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
		refuse_because(worker, client, j, 503, worker->gate_reason);
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
		refuse_because(
			worker, client, j, 403,
			"no operation of the Docker API has this method and path, so no policy can allow it");
		return false;
	}
	if (r < 0) {
		refuse_because(worker, client, j, 400, why);
		return false;
	}
	client->may_hijack = (j->target.operation->flags & API_HIJACK) != 0;
	client->keep_alive = keep_alive && !client->may_hijack;
	policy_decide(worker->image, j->policy, &j->request, &j->target, &j->decision);
	if (!rollout_head(&j->rollout, worker->image, j->policy, &j->request, &j->target, &j->decision)) {
		refuse_decision(worker, client, j);
		return false;
	}
	client->upgrade = client->may_hijack && j->request.upgrade.n > 0;
	return true;
}

/* Allowed: the canonical request becomes the pending action. */
static void forward(struct worker *worker, struct client *client, struct judged *j, enum http_framing framing,
		    uint64_t length, const struct json_body *body)
{
	struct buf out = arena_room(worker, HEAD_ROOM);

	if (body) {
		/* The head says how long the body is, so the body is written first, behind room for the head.
		 */
		struct buf json = arena_room(worker, HEAD_ROOM + client->body_len * 2 + 4096 +
							     (j->rewritten.n ? REWRITE_ROOM : 0));
		size_t head;

		out = buf_over(json.p, HEAD_ROOM);
		json = buf_over(json.p + HEAD_ROOM, json.cap - HEAD_ROOM);
		json_body_write(body, &json);
		if (json.overflow) {
			refuse_because(worker, client, j, 413,
				       "the body is too large when written out in full");
			return;
		}
		heads_write_request(&out, &j->request, &j->target, HTTP_BODY_LENGTH, json.n, client->upgrade);
		head = out.n;
		memmove(out.p + head, json.p, json.n);
		out.n += json.n;
	} else {
		heads_write_request(&out, &j->request, &j->target, framing, length, client->upgrade);
	}
	if (out.overflow) {
		refuse_because(worker, client, j, 431,
			       "the request's head is too long when written out in full");
		return;
	}
	record(worker, client, j, true, 0, (struct str){ NULL, 0 });
	client->body_framing = (uint8_t)framing;
	client->body_length = length;
	if (body)
		client->body_framing = HTTP_BODY_NONE;
	pend(worker, client, &out, true);
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
		refuse_because(worker, client, j, unknown == -E2BIG ? 403 : 503,
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
	refuse_decision(worker, client, j);
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
		refuse_because(worker, client, j, r == -ENOMEM ? 413 : 400, why);
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
		refuse_because(worker, client, j, r == -ENOMEM || r == -EMSGSIZE ? 413 : 400, why);
		return;
	}
	if (body && plan != BODY_INSPECT) {
		bool fine = may_drop(j, body);

		body = json_body_free(body);
		if (!fine) {
			refuse_because(worker, client, j, 400,
				       "a start takes no HostConfig (since API 1.24)");
			return;
		}
	}
	if (!rewrite_body(worker, client, j, body, &changes))
		goto out;
	policy_decide_body(worker->image, j->policy, &j->target, body, &j->decision);
	if (!rollout_body(&j->rollout, worker->image, j->policy, &j->target, body, &j->decision))
		refuse_decision(worker, client, j);
	else if (know_enough(worker, client, j, body))
		forward(worker, client, j, HTTP_BODY_NONE, 0, body);
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
		refuse_because(worker, client, j, 400, s.why);
		return n;
	}
	if (plan == BODY_EMPTY && client->body_len > 0) {
		client->keep_alive = false;
		refuse_because(worker, client, j, 415,
			       "a body for this operation must have Content-Type: application/json");
		return n;
	}
	if (client->body_len > limit ||
	    (j->request.framing == HTTP_BODY_LENGTH && j->request.content_length > limit)) {
		client->keep_alive = false;
		refuse_because(worker, client, j, 413,
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
	out = arena_room(worker, MONITOR_ROOM);
	if (monitor_answer(worker, client, &j->request, &out))
		pend(worker, client, &out, false);
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
		refuse_because(worker, client, j, status, why);
		return n;
	case BODY_ABSENT:
		judge_body(worker, client, j, plan, NULL, 0);
		*ret_keep = n;
		return client->state == CLIENT_FACTS ? 0 : client->head_len;
	case BODY_STREAM:
		*ret_keep = n;
		if (!know_enough(worker, client, j, NULL))
			return client->state == CLIENT_FACTS ? 0 : n;
		forward(worker, client, j, j->request.framing, j->request.content_length, NULL);
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
