/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/monitor.h"

#include <stdio.h>
#include <stdlib.h>

#include "worker/facts.h"
#include "worker/heads.h"

static const char plain[] = "text/plain; charset=utf-8";

/* The body may lie further behind in `out` itself. */
static void answer(struct buf *out, const struct client *client, unsigned status, const char *type,
		   struct str body)
{
	buf_puts(out, "HTTP/1.1 ");
	buf_u64(out, status);
	buf_putc(out, ' ');
	buf_puts(out, heads_reason(status));
	buf_puts(out, "\r\nContent-Type: ");
	buf_puts(out, type);
	buf_puts(out, "\r\nCache-Control: no-store\r\nContent-Length: ");
	buf_u64(out, body.n);
	buf_puts(out, client->keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
	if (client->head_only || body.n > out->cap - out->n)
		return;
	memmove(out->p + out->n, body.p, body.n);
	out->n += body.n;
}

static void answer_text(struct buf *out, const struct client *client, unsigned status, const char *text)
{
	char memory[MSG_TEXT_MAX + 16];
	struct buf body = buf_over(memory, sizeof(memory));

	buf_puts(&body, text);
	buf_putc(&body, '\n');
	answer(out, client, status, plain, buf_view(&body));
}

static struct metrics_view look(const struct worker *worker)
{
	static const enum metrics_gate gates[] = {
		[MSG_GATE_NONE] = METRICS_GATE_NONE,
		[MSG_GATE_ENFORCING] = METRICS_GATE_ENFORCING,
		[MSG_GATE_DEGRADED] = METRICS_GATE_DEGRADED,
		[MSG_GATE_OFF] = METRICS_GATE_OFF,
	};
	struct metrics_view view = {
		.clients = worker->n_clients,
		.audit_lost = worker->trail.lost_ever,
		.audit_failing = worker->trail.error != 0,
		.gate = worker->gate <= MSG_GATE_OFF ? gates[worker->gate] : METRICS_GATE_NONE,
		.policy_hash = worker->image->hash,
	};

	for (unsigned i = 0; i < worker->image->engines.count; i++) {
		view.engine_idle += worker->engines[i].n_idle;
		view.engine_wanted += worker->engines[i].wanted;
		view.waiting += worker->engines[i].n_waiting;
	}
	return view;
}

/* The body first, since the head says how long it is: behind room for the head, and moved up to it then. */
static void answer_metrics(const struct worker *worker, const struct client *client, struct buf *out)
{
	struct buf body = buf_over(out->p + (MONITOR_ROOM - METRICS_TEXT_MAX), METRICS_TEXT_MAX);
	struct metrics_view view = look(worker);

	metrics_format(&worker->metrics, &view, &body);
	if (body.overflow) {
		answer_text(out, client, 500, "the counters do not fit");
		return;
	}
	answer(out, client, 200, "text/plain; version=0.0.4; charset=utf-8", buf_view(&body));
}

/* What keeps requests from being served without a look at the engine, or NULL. */
static const char *own_problem(const struct worker *worker)
{
	if (worker->image->gate.require && worker->gate != MSG_GATE_ENFORCING)
		return worker->gate_reason[0] ? worker->gate_reason : "the kernel gate is not enforcing";
	if (worker->image->require_audit && (worker->trail.fd < 0 || worker->trail.error))
		return "require_audit: the audit trail cannot be written";
	return NULL;
}

/* One real question, on a connection from the pool: whatever a request would meet, this meets. */
static bool answer_ready(struct worker *worker, struct client *client, struct buf *out)
{
	const char *problem = own_problem(worker);
	struct policy_fact *fact = client->facts;
	char text[160];

	if (problem) {
		answer_text(out, client, 503, problem);
	} else if (!fact) {
		fact = calloc(1, sizeof(*fact) + sizeof("_ping"));
		if (!fact) {
			answer_text(out, client, 503, "out of memory");
			return true;
		}
		fact->kind = POLICY_REFERENCE_ENGINE;
		memcpy(fact->name, "_ping", sizeof("_ping"));
		client->facts = fact;
		return false;
	} else if (fact->error) {
		snprintf(text, sizeof(text), "the Docker engine cannot be asked: %s", strerror(fact->error));
		answer_text(out, client, 503, text);
	} else if (fact->status != 200) {
		snprintf(text, sizeof(text), "the Docker engine answers /_ping with %u", fact->status);
		answer_text(out, client, 503, text);
	} else {
		answer_text(out, client, 200, "ready");
	}
	return true;
}

bool monitor_answer(struct worker *worker, struct client *client, const struct http_request *request,
		    struct buf *out)
{
	struct str path = request->target;
	const char *query = memchr(path.p, '?', path.n);

	if (query)
		path.n = (size_t)(query - path.p);
	if (request->method != HTTP_GET && request->method != HTTP_HEAD)
		path.n = 0;
	if (str_eqz(path, "/readyz"))
		return answer_ready(worker, client, out);
	if (str_eqz(path, "/metrics"))
		answer_metrics(worker, client, out);
	else if (str_eqz(path, "/healthz"))
		answer_text(out, client, 200, "ok");
	else
		answer_text(out, client, 404, "there is /metrics, /healthz and /readyz");
	return true;
}
