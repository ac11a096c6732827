/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/verdict.h"

#include <stdio.h>
#include <time.h>

#include "worker/heads.h"

/* What a policy may add to a body, before the arena is emptied for it. */
#define REWRITE_ROOM (128 * 1024)

#define PREFIX "sockgate: "

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

void verdict_record(struct worker *worker, struct client *client, const struct judged *j, bool allow,
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

struct buf verdict_room(struct worker *worker, size_t need)
{
	if (worker->arena.cap - worker->arena.n < need)
		worker_flush(worker);
	return buf_over(worker->arena.p + worker->arena.n, worker->arena.cap - worker->arena.n);
}

void verdict_pend(struct worker *worker, struct client *client, const struct buf *bytes, bool forward)
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

void verdict_refuse(struct worker *worker, struct client *client, const struct judged *j, unsigned status,
		    struct str reason)
{
	struct buf out = verdict_room(worker, VERDICT_HEAD_ROOM);

	verdict_record(worker, client, j, false, status, reason);
	/*
	 * Where a raw stream was asked for, closing is not announced: Docker's CLI up to 20.10 takes what
	 * says "Connection: close" for the stream itself (net/http/httputil ErrPersistEOF) and shows the
	 * message as garbage.
	 */
	heads_write_refusal(&out, status, reason, !client->keep_alive && !client->may_hijack,
			    client->head_only, str_from(client->origin));
	verdict_pend(worker, client, &out, false);
}

void verdict_because(struct worker *worker, struct client *client, const struct judged *j, unsigned status,
		     const char *why)
{
	char message[256];

	snprintf(message, sizeof(message), PREFIX "%s", why);
	verdict_refuse(worker, client, j, status, str_from(message));
}

/* The docker CLI prints the message as the daemon's, so it says who speaks. */
void verdict_decided(struct worker *worker, struct client *client, const struct judged *j)
{
	char memory[POLICY_REASON_MAX + sizeof(PREFIX)];
	struct buf message = buf_over(memory, sizeof(memory));

	buf_puts(&message, PREFIX);
	buf_append(&message, j->decision.reason, j->decision.reason_len);
	verdict_refuse(worker, client, j, j->decision.status, buf_view(&message));
}

void verdict_forward(struct worker *worker, struct client *client, struct judged *j,
		     enum http_framing framing, uint64_t length, const struct json_body *body)
{
	struct buf out = verdict_room(worker, VERDICT_HEAD_ROOM);

	if (body) {
		/* The head says how long the body is, so the body is written first, behind room for the head.
		 */
		struct buf json = verdict_room(worker, VERDICT_HEAD_ROOM + client->body_len * 2 + 4096 +
							       (j->rewritten.n ? REWRITE_ROOM : 0));
		size_t head;

		out = buf_over(json.p, VERDICT_HEAD_ROOM);
		json = buf_over(json.p + VERDICT_HEAD_ROOM, json.cap - VERDICT_HEAD_ROOM);
		json_body_write(body, &json);
		if (json.overflow) {
			verdict_because(worker, client, j, 413,
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
		verdict_because(worker, client, j, 431,
				"the request's head is too long when written out in full");
		return;
	}
	verdict_record(worker, client, j, true, 0, (struct str){ NULL, 0 });
	client->body_framing = (uint8_t)framing;
	client->body_length = length;
	if (body)
		client->body_framing = HTTP_BODY_NONE;
	verdict_pend(worker, client, &out, true);
}
