/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "worker/heads.h"

#define RETRIES_MAX 3

/* Bytes of one read, and of one turn, while others wait; alone, a stream takes what the scratch holds. */
#define SHARE_READ 65536

static bool is_idempotent(const struct client *client)
{
	return client->method != HTTP_POST && client->body_framing == HTTP_BODY_NONE;
}

/* --- Towards the engine --------------------------------------------------------------------------------- */

/* Keeps a copy of the pending action beyond the turn. */
static int keep_request(struct client *client)
{
	if (client->request)
		return 0;
	client->request = malloc(client->action.n);
	if (!client->request)
		return -ENOMEM;
	memcpy(client->request, client->action.p, client->action.n);
	client->request_len = client->action.n;
	client->action = (struct str){ client->request, client->request_len };
	return 0;
}

void exchange_engine_down(struct worker *worker, struct client *client, int error)
{
	char message[160];

	snprintf(message, sizeof(message), "sockgate: cannot connect to the Docker engine: %s",
		 strerror(error));
	client_fail(worker, client, 502, message);
}

void exchange_forward(struct worker *worker, struct client *client)
{
	struct engine_connection *connection = pool_take(worker, client->engine_index, client);

	if (connection) {
		exchange_begin(worker, client, connection);
		return;
	}
	if (keep_request(client) < 0) {
		client_fail(worker, client, 503, "sockgate: out of memory");
		return;
	}
	client->state = CLIENT_WAITING;
	deadline_set(&worker->deadlines, &client->deadline, DEADLINE_ENGINE, worker->now);
	pool_wait(worker, client->engine_index, client);
	/* It may have gone while its request was judged: the event for that has been. */
	if (client->source.hangup)
		loop_queue(&worker->loop, &client->source);
}

/* The engine takes no more of the request; it may have answered. The rest of the body is not read. */
static void stop_sending(struct worker *worker, struct client *client)
{
	client->engine_shut = true;
	client->keep_alive = false;
	client->body_unread = true;
	flow_end(&client->up);
	client->engine->source.readable = true;
	loop_queue(&worker->loop, &client->engine->source);
}

/* The connection turned out to be closed before the engine can have acted on the request: takes another. */
static void try_again(struct worker *worker, struct client *client)
{
	pool_drop(worker, client->engine);
	client->engine = NULL;
	flow_end(&client->up);
	if (client->retries++ >= RETRIES_MAX) {
		client_fail(worker, client, 502, "sockgate: the Docker engine closes every connection");
		return;
	}
	exchange_forward(worker, client);
}

void exchange_begin(struct worker *worker, struct client *client, struct engine_connection *connection)
{
	enum http_framing in = (enum http_framing)client->body_framing;
	size_t consumed;
	enum flow_result r;

	client->engine = connection;
	client->state = CLIENT_EXCHANGE;
	client->answered = client->tunnel = client->engine_shut = false;
	deadline_clear(&client->deadline);
	/* One that was used before may be closed by now: then the request is sent again, on another. */
	if (connection->used && is_idempotent(client) && keep_request(client) < 0) {
		client_fail(worker, client, 503, "sockgate: out of memory");
		return;
	}
	flow_begin(&client->up, &client->source, &connection->source, in, client->body_length, in);
	flow_count(&client->up, &worker->metrics.bytes[METRICS_TO_ENGINE]);
	r = flow_feed(&client->up, client->action, client->held, client->held_len, &consumed);
	if (r == FLOW_TO_LOST) {
		/* Where nothing has left, nothing of the body is gone either: safe for any method. */
		if (client->up.sent)
			stop_sending(worker, client);
		else
			try_again(worker, client);
		return;
	}
	if (r == FLOW_FROM_LOST) {
		client_close(worker, client);
		return;
	}
	if (in != HTTP_BODY_NONE && consumed > 0 &&
	    client_hold(client, client->held + consumed, client->held_len - consumed) < 0) {
		client_close(worker, client);
		return;
	}
	if (client->source.readable || client->source.hangup || connection->source.readable)
		loop_queue(&worker->loop, &client->source);
}

/* --- From the engine ------------------------------------------------------------------------------------ */

static bool is_docker_stream(const struct http_response *response)
{
	return str_ieqz(response->content_type, "application/vnd.docker.raw-stream") ||
	       str_ieqz(response->content_type, "application/vnd.docker.multiplexed-stream");
}

/* The engine broke off before a whole head. */
static void no_answer(struct worker *worker, struct client *client)
{
	struct engine_connection *connection = client->engine;

	if (connection->used && !connection->held && client->request && is_idempotent(client)) {
		client->action = (struct str){ client->request, client->request_len };
		try_again(worker, client);
		return;
	}
	pool_drop(worker, connection);
	client->engine = NULL;
	client_fail(worker, client, 502,
		    "sockgate: the Docker engine closed the connection without an answer");
}

/* Opens the tunnel: from here on both directions are bytes. What the client sent early goes first. */
static void open_tunnel(struct worker *worker, struct client *client)
{
	size_t consumed;
	enum flow_result r;

	/* An engine that answers what it has not read yet: the stream would lack the request's end. */
	if (client->up.tail) {
		client_close(worker, client);
		return;
	}
	client->tunnel = true;
	client->keep_alive = false;
	flow_end(&client->up);
	flow_begin(&client->up, &client->source, &client->engine->source, HTTP_BODY_CLOSE, 0,
		   HTTP_BODY_CLOSE);
	flow_count(&client->up, &worker->metrics.bytes[METRICS_TO_ENGINE]);
	r = flow_feed(&client->up, (struct str){ NULL, 0 }, client->held, client->held_len, &consumed);
	if (r == FLOW_TO_LOST || r == FLOW_FROM_LOST || client_hold(client, NULL, 0) < 0) {
		client_close(worker, client);
		return;
	}
	/* More may lie in the socket already, and raises no new event. */
	loop_queue(&worker->loop, &client->source);
}

/* Passes on a response head that was recognised, with the body bytes that came behind it. */
static void answer(struct worker *worker, struct client *client, const struct http_response *response,
		   const char *rest, size_t len)
{
	char memory[HTTP_HEAD_MAX + 1024];
	struct buf head = buf_over(memory, sizeof(memory));
	enum http_framing in = response->framing, out = in;
	bool tunnel = client->may_hijack &&
		      (response->status == 101 ? client->upgrade
					       : response->status == 200 && in == HTTP_BODY_CLOSE &&
							 is_docker_stream(response));
	enum heads_connection connection;
	size_t consumed;
	enum flow_result r;

	if (response->status == 101 && !tunnel) {
		client_fail(worker, client, 502, "sockgate: the Docker engine changed protocols unasked");
		return;
	}
	if (tunnel) {
		in = out = HTTP_BODY_CLOSE;
		connection = HEADS_UPGRADE;
	} else {
		/* A body that ends with the connection gets chunks, so that its end is known; 1.0 knows none.
		 */
		if (in == HTTP_BODY_CLOSE || in == HTTP_BODY_CHUNKED)
			out = client->http_1_0 ? HTTP_BODY_CLOSE : HTTP_BODY_CHUNKED;
		if (client->up.from && !client->up.ended)
			client->keep_alive = false;
		connection = client->keep_alive ? HEADS_KEEP : HEADS_CLOSE;
	}
	client->engine_keep = response->keep_alive && !tunnel;
	client->answered = true;
	heads_write_response(&head, response, out, response->content_length, connection,
			     str_from(client->origin));
	if (head.overflow) {
		client_fail(worker, client, 502, "sockgate: the Docker engine's response head is too long");
		return;
	}
	flow_begin(&client->down, &client->engine->source, &client->source, in, response->content_length,
		   out);
	flow_count(&client->down, &worker->metrics.bytes[METRICS_TO_CLIENT]);
	metrics_count_answer(&worker->metrics, client->decided);
	metrics_set_stream(&worker->metrics, &client->stream, tunnel ? METRICS_TUNNEL : METRICS_RESPONSE);
	r = flow_feed(&client->down, buf_view(&head), rest, len, &consumed);
	if (r == FLOW_FROM_LOST || r == FLOW_TO_LOST) {
		client_close(worker, client);
		return;
	}
	client->down.excess = consumed < len;
	if (tunnel)
		open_tunnel(worker, client);
}

/* Takes the head, and interim heads before it, from [in, in+n). */
static void take_head(struct worker *worker, struct client *client, const char *in, size_t n)
{
	struct engine_connection *connection = client->engine;
	size_t at = 0;

	/* They are in the scratch. Mustn't: be there when the connection comes to its next response. */
	free(connection->held);
	connection->held = NULL;
	connection->held_len = 0;
	for (;;) {
		struct http_response response;
		const char *why;
		ssize_t head = http_response_parse(in + at, n - at, (enum http_method)client->method,
						   &response, &why);

		if (head < 0) {
			char message[200];

			snprintf(message, sizeof(message),
				 "sockgate: the Docker engine's response is malformed: %s", why);
			pool_drop(worker, connection);
			client->engine = NULL;
			client_fail(worker, client, 502, message);
			return;
		}
		if (head == 0)
			break;
		at += (size_t)head;
		/* Interim responses are for the hop: Expect was answered here. */
		if (response.status < 200 && response.status != 101)
			continue;
		answer(worker, client, &response, in + at, n - at);
		return;
	}
	if (at < n) {
		char *held = malloc(n - at);

		if (!held) {
			client_close(worker, client);
			return;
		}
		memcpy(held, in + at, n - at);
		connection->held = held;
		connection->held_len = n - at;
	}
	/* What is there already raises no event: most of all the end. */
	if (connection->source.readable)
		loop_queue(&worker->loop, &connection->source);
}

static void read_head(struct worker *worker, struct client *client)
{
	struct engine_connection *connection = client->engine;
	size_t have = connection->held_len;
	ssize_t n;

	if (!connection->source.readable)
		return;
	/* A whole head fits, with room to spare for body bytes. */
	if (have)
		memcpy(worker->scratch, connection->held, have);
	n = recv(connection->source.fd, worker->scratch + have, SHARE_READ, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		connection->source.readable = errno == EINTR;
		return;
	}
	if (n <= 0) {
		no_answer(worker, client);
		return;
	}
	if (n < SHARE_READ && !connection->source.half_closed && !connection->source.hangup)
		connection->source.readable = false;
	take_head(worker, client, worker->scratch, have + (size_t)n);
}

/* --- Both ways ------------------------------------------------------------------------------------------ */

/* The response has been passed on whole. */
static void finish(struct worker *worker, struct client *client)
{
	struct engine_connection *connection = client->engine;
	bool sent = !client->up.from || (client->up.ended && !client->up.tail);
	bool reusable = client->engine_keep && sent && !client->engine_shut && !client->down.excess;

	client->keep_alive = client->keep_alive && sent && !client->up.excess;
	client->body_unread |= !sent;
	client->engine = NULL;
	flow_end(&client->up);
	flow_end(&client->down);
	if (reusable)
		pool_give_back(worker, connection);
	else
		pool_drop(worker, connection);
	if (client->keep_alive)
		client_next(worker, client);
	else
		client_finish(worker, client);
}

/* The client sends no more: says so to the engine, as it would hear it without us. */
static void shut_engine(struct client *client)
{
	if (client->engine_shut)
		return;
	client->engine_shut = true;
	if (shutdown(client->engine->source.fd, SHUT_WR) < 0)
		client->engine->source.hangup = true;
}

/* Whether a client whose request is whole sends nothing more: what is readable may be the next request. */
static bool client_has_ended(const struct client *client)
{
	char byte;

	return client->source.half_closed && client->held_len == 0 &&
	       recv(client->source.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* False: the exchange is over and the client may be gone. */
static bool run_up(struct worker *worker, struct client *client, size_t size)
{
	if (!client->up.from)
		return true;
	if (client->up.ended && !client->up.tail) {
		if (client->tunnel || (!client->engine_shut && client_has_ended(client)))
			shut_engine(client);
		return true;
	}
	switch (flow_run(&client->up, worker->scratch, size, size)) {
	case FLOW_DONE:
		if (client->tunnel)
			shut_engine(client);
		return true;
	case FLOW_MORE:
		loop_queue(&worker->loop, &client->source);
		return true;
	case FLOW_BLOCKED:
		return true;
	case FLOW_TO_LOST:
		stop_sending(worker, client);
		return true;
	default:
		client_close(worker, client);
		return false;
	}
}

static bool run_down(struct worker *worker, struct client *client, size_t size)
{
	if (!client->down.from)
		return true;
	switch (flow_run(&client->down, worker->scratch, size, size)) {
	case FLOW_DONE:
		break;
	case FLOW_MORE:
		loop_queue(&worker->loop, &client->engine->source);
		return true;
	case FLOW_BLOCKED:
		return true;
	default:
		/* Half a response: the client must see that it is no whole one. */
		client_close(worker, client);
		return false;
	}
	if (!client->tunnel) {
		finish(worker, client);
		return false;
	}
	/* The engine's end of the tunnel is shut; the client may still send, unless nobody is left to read
	 * it. */
	if (client->engine->source.hangup || client->engine_shut) {
		client->engine = (pool_drop(worker, client->engine), NULL);
		flow_end(&client->up);
		flow_end(&client->down);
		client_finish(worker, client);
		return false;
	}
	if (shutdown(client->source.fd, SHUT_WR) < 0) {
		client_close(worker, client);
		return false;
	}
	flow_end(&client->down);
	return true;
}

void exchange_run(struct worker *worker, struct client *client)
{
	/* Alone, a bulk stream may use the whole scratch; beside others it takes a small share of each turn.
	 */
	size_t size = worker->loop.n_queued == 0 ? WORKER_SCRATCH : SHARE_READ;

	/* Nobody is left to answer. In a tunnel, what was sent before the end still goes to the engine. */
	if (client->source.hangup && !client->tunnel) {
		client_close(worker, client);
		return;
	}
	if (!run_up(worker, client, size) || client->state != CLIENT_EXCHANGE)
		return;
	if (!client->answered)
		read_head(worker, client);
	if (client->state != CLIENT_EXCHANGE || !client->engine)
		return;
	if (!run_down(worker, client, size))
		return;
	if (!client->tunnel)
		return;
	/* Nobody is left on one side, or both directions have ended. */
	if ((client->engine_shut && (!client->down.from || client->source.hangup)) ||
	    (client->engine->source.hangup && !client->down.from))
		client_close(worker, client);
}
