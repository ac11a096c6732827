/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "worker/exchange.h"
#include "worker/facts.h"
#include "worker/heads.h"
#include "worker/request.h"

/* A first read is enough for nearly every request; bodies that are inspected come in further ones. */
#define READ_SIZE      65536
#define HEAD_READ_SIZE 4096 /* once a head came in pieces: a slow client costs no more memory than that */
#define LINGER_READS   4    /* of WORKER_SCRATCH bytes, in one turn */

static void client_answer_more(struct worker *worker, struct client *client);

static void peer_of(struct client *client, bool tcp)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	client->peer = (struct policy_peer){ .uid = -1, .gid = -1, .pid = -1 };
	if (tcp || getsockopt(client->source.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return;
	client->peer.uid = credentials.uid;
	client->peer.gid = credentials.gid;
	client->peer.pid = credentials.pid;
}

void client_accept(struct worker *worker, struct listener *listener, int fd, char *address)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		struct source lost = { .fd = fd };

		free(address);
		loop_close(&worker->loop, &lost);
		return;
	}
	client->source =
		(struct source){ .fd = fd, .kind = SOURCE_CLIENT, .readable = true, .writable = true };
	client->listener = listener;
	client->address = address;
	worker->n_clients++;
	deadline_init(&client->deadline);
	peer_of(client, listener->tcp);
	if (loop_add(&worker->loop, &client->source) < 0) {
		client_close(worker, client);
		return;
	}
	deadline_set(&worker->deadlines, &client->deadline, DEADLINE_HEAD, worker->now);
	client_run(worker, client);
}

void client_close(struct worker *worker, struct client *client)
{
	if (client->state == CLIENT_DEAD)
		return;
	if (client->state == CLIENT_WAITING || client->state == CLIENT_FACTS)
		pool_unwait(worker, client->engine_index, client);
	if (client->lookup)
		facts_forget(worker, client);
	facts_free(client->facts);
	client->facts = NULL;
	if (client->engine)
		pool_drop(worker, client->engine);
	client->engine = NULL;
	deadline_clear(&client->deadline);
	loop_close(&worker->loop, &client->source);
	flow_end(&client->up);
	flow_end(&client->down);
	free(client->held);
	free(client->request);
	free(client->address);
	free(client->origin);
	client->origin = NULL;
	client->held = client->request = client->address = NULL;
	client->held_len = client->held_cap = 0;
	/* One that waits in worker.pending is freed by whoever takes it from there. */
	if (client->state != CLIENT_PENDING) {
		client->next = worker->dead_clients;
		worker->dead_clients = client;
	}
	metrics_set_stream(&worker->metrics, &client->stream, METRICS_NO_STREAM);
	client->state = CLIENT_DEAD;
	worker->n_clients--;
}

/* Grows `held` to room for `want` bytes in all. */
static int reserve(struct client *client, size_t want)
{
	size_t cap = client->held_cap ? client->held_cap : 1024;
	char *held;

	if (client->held && want <= client->held_cap)
		return 0;
	while (cap < want)
		cap *= 2;
	held = realloc(client->held, cap);
	if (!held)
		return -ENOMEM;
	client->held = held;
	client->held_cap = cap;
	return 0;
}

int client_hold(struct client *client, const char *in, size_t len)
{
	if (len == 0) {
		free(client->held);
		client->held = NULL;
		client->held_len = client->held_cap = 0;
		return 0;
	}
	/* The bytes may be the end of `held` itself. */
	if (client->held && in >= client->held && in < client->held + client->held_cap) {
		memmove(client->held, in, len);
	} else {
		if (reserve(client, len) < 0)
			return -ENOMEM;
		memcpy(client->held, in, len);
	}
	client->held_len = len;
	return 0;
}

/* Judges what is in [in, in+n) and keeps what is not consumed. */
static void take(struct worker *worker, struct client *client, char *in, size_t n)
{
	size_t keep, consumed = request_take(worker, client, in, n, &keep);

	if (client->state == CLIENT_DEAD)
		return;
	client->fresh = consumed > 0;
	if (client_hold(client, in + consumed, consumed ? n - consumed : keep) < 0)
		client_close(worker, client);
	else if (client->state == CLIENT_FACTS)
		facts_look_up(worker, client);
}

/*
 * One read. Returns the bytes, 0 at the end, -EAGAIN when there are none yet, another -errno when the
 * connection broke.
 */
static ssize_t receive(struct client *client, char *into, size_t size)
{
	ssize_t n;

	do
		n = recv(client->source.fd, into, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		return -errno;
	/* A short read has emptied the socket; what comes later raises a new event. */
	if (n < 0 || (n > 0 && (size_t)n < size && !client->source.half_closed && !client->source.hangup))
		client->source.readable = false;
	return n < 0 ? -EAGAIN : n;
}

/* One read into the scratch, or behind what is held already; then a look at all there is. */
static ssize_t read_more(struct worker *worker, struct client *client)
{
	size_t room = client->state == CLIENT_BODY ? READ_SIZE : HEAD_READ_SIZE;
	ssize_t n;

	if (client->held_len == 0) {
		n = receive(client, worker->scratch, READ_SIZE);
		if (n > 0)
			take(worker, client, worker->scratch, (size_t)n);
		return n;
	}
	if (reserve(client, client->held_len + room) < 0)
		return -ENOMEM;
	n = receive(client, client->held + client->held_len, room);
	if (n > 0) {
		client->held_len += (size_t)n;
		take(worker, client, client->held, client->held_len);
	}
	return n;
}

static void read_request(struct worker *worker, struct client *client)
{
	if (client->fresh && client->held_len)
		take(worker, client, client->held, client->held_len);
	while ((client->state == CLIENT_HEAD || client->state == CLIENT_BODY) && client->source.readable) {
		ssize_t n = read_more(worker, client);

		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			client_close(worker, client);
			return;
		}
	}
}

/* Throws away what a refused client still sends, so that closing does not cost it our answer. */
static void linger(struct worker *worker, struct client *client)
{
	for (int reads = 0; client->source.readable && reads < LINGER_READS; reads++) {
		ssize_t n = receive(client, worker->scratch, WORKER_SCRATCH);

		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			client_close(worker, client);
			return;
		}
	}
	if (client->source.readable)
		loop_queue(&worker->loop, &client->source);
}

void client_run(struct worker *worker, struct client *client)
{
	switch (client->state) {
	case CLIENT_HEAD:
	case CLIENT_BODY:
		read_request(worker, client);
		break;
	case CLIENT_FACTS:
	case CLIENT_WAITING:
		if (client->source.hangup)
			client_close(worker, client);
		break;
	case CLIENT_EXCHANGE:
		exchange_run(worker, client);
		break;
	case CLIENT_ANSWER:
		client_answer_more(worker, client);
		break;
	case CLIENT_LINGER:
		linger(worker, client);
		break;
	default: /* PENDING: the action comes first; DEAD: an event that came before the end */
		break;
	}
}

/* The answer has been sent: on to the next request, or to the end. */
static void answered(struct worker *worker, struct client *client)
{
	flow_end(&client->down);
	if (client->keep_alive) {
		client_next(worker, client);
		return;
	}
	client_finish(worker, client);
}

static void client_answer_more(struct worker *worker, struct client *client)
{
	switch (flow_run(&client->down, worker->scratch, WORKER_SCRATCH, WORKER_SCRATCH)) {
	case FLOW_DONE:
		answered(worker, client);
		break;
	case FLOW_BLOCKED:
	case FLOW_MORE:
		break;
	default:
		client_close(worker, client);
	}
}

static void send_answer(struct worker *worker, struct client *client, struct str bytes)
{
	size_t consumed;

	flow_begin(&client->down, &client->source, &client->source, HTTP_BODY_NONE, 0, HTTP_BODY_NONE);
	flow_count(&client->down, &worker->metrics.bytes[METRICS_TO_CLIENT]);
	client->state = CLIENT_ANSWER;
	deadline_set(&worker->deadlines, &client->deadline, DEADLINE_BODY, worker->now);
	switch (flow_feed(&client->down, bytes, NULL, 0, &consumed)) {
	case FLOW_DONE:
		answered(worker, client);
		break;
	case FLOW_BLOCKED:
		break;
	default:
		client_close(worker, client);
	}
}

void client_answer(struct worker *worker, struct client *client)
{
	send_answer(worker, client, client->action);
}

void client_fail(struct worker *worker, struct client *client, unsigned status, const char *message)
{
	char memory[1024];
	struct buf out = buf_over(memory, sizeof(memory));

	metrics_count_failure(&worker->metrics, status);
	client->keep_alive = false;
	/* Wherever the request stood: of its body there may be more to come. */
	client->body_unread = true;
	if (client->engine)
		pool_drop(worker, client->engine);
	client->engine = NULL;
	flow_end(&client->up);
	flow_end(&client->down);
	heads_write_refusal(&out, status, str_from(message), true, client->head_only,
			    str_from(client->origin));
	send_answer(worker, client, buf_view(&out));
}

void client_unrecorded(struct worker *worker, struct client *client, int error)
{
	char message[256];

	(void)snprintf(message, sizeof(message),
		       "sockgate: require_audit: the audit trail cannot be written: %s", strerror(error));
	client->body_unread = true;
	client_fail(worker, client, 503, message);
}

void client_finish(struct worker *worker, struct client *client)
{
	/* With nothing unread an orderly close loses nothing; else the client would see a reset before our
	 * answer. */
	bool unread = client->body_unread || client->held_len || client->source.readable;

	metrics_set_stream(&worker->metrics, &client->stream, METRICS_NO_STREAM);
	if (!unread || client->source.hangup || shutdown(client->source.fd, SHUT_WR) < 0) {
		client_close(worker, client);
		return;
	}
	client->state = CLIENT_LINGER;
	client->source.readable = true;
	deadline_set(&worker->deadlines, &client->deadline, DEADLINE_LINGER, worker->now);
	/* Not at once: another request, which is being judged, may lie in the scratch. */
	loop_queue(&worker->loop, &client->source);
}

void client_engine_arrived(struct worker *worker, struct client *client, struct engine_connection *connection)
{
	if (client->state == CLIENT_FACTS)
		facts_begin(worker, client, connection);
	else
		exchange_begin(worker, client, connection);
}

void client_engine_down(struct worker *worker, struct client *client, int error)
{
	if (client->state == CLIENT_FACTS)
		facts_engine_down(worker, client, error);
	else
		exchange_engine_down(worker, client, error);
}

void client_judge_again(struct worker *worker, struct client *client)
{
	deadline_clear(&client->deadline);
	client->retries = 0;
	/* The head is known to be whole, and the body with it. */
	client->state = CLIENT_BODY;
	take(worker, client, client->held, client->held_len);
}

void client_next(struct worker *worker, struct client *client)
{
	facts_free(client->facts);
	client->facts = NULL;
	free(client->request);
	client->request = NULL;
	client->request_len = 0;
	client->retries = 0;
	client->answered = client->engine_shut = client->tunnel = false;
	metrics_set_stream(&worker->metrics, &client->stream, METRICS_NO_STREAM);
	client->state = CLIENT_HEAD;
	deadline_set(&worker->deadlines, &client->deadline, DEADLINE_IDLE, worker->now);
	if (client->held_len || client->source.readable)
		loop_queue(&worker->loop, &client->source);
}

void client_expired(struct worker *worker, struct client *client, enum deadline_class class)
{
	switch (class) {
	case DEADLINE_HEAD:
		if (client->held_len)
			client_fail(worker, client, 408, "sockgate: the request's head did not come in time");
		else
			client_close(worker, client);
		break;
	case DEADLINE_BODY:
		if (client->state == CLIENT_BODY)
			client_fail(worker, client, 408, "sockgate: the request's body did not come in time");
		else
			client_close(worker, client);
		break;
	case DEADLINE_ENGINE:
		pool_unwait(worker, client->engine_index, client);
		if (client->lookup)
			facts_forget(worker, client);
		client_fail(worker, client, 504, "sockgate: the engine did not take a connection in time");
		break;
	case DEADLINE_READY:
		pool_unwait(worker, client->engine_index, client);
		client_fail(worker, client, 503, "sockgate: the Docker engine did not answer /_ping in time");
		break;
	default:
		client_close(worker, client);
	}
}
