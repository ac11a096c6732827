/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "channel/channel.h"
#include "http/http_chunks.h"
#include "http/http_head.h"
#include "worker/client.h"

#define READ_SIZE   65536
#define RETRIES_MAX 3

void facts_free(struct policy_fact *facts)
{
	while (facts) {
		struct policy_fact *next = facts->next;

		free(facts->answer);
		free(facts);
		facts = next;
	}
}

/* --- What is needed --------------------------------------------------------------------------------------
 */

struct collector {
	struct worker *worker;
	struct client *client;
	const struct image_policy *policy;
	const struct api_target *target;
	int error;
	unsigned count;
};

static void take_reference(void *context, const struct policy_reference *reference)
{
	struct collector *c = context;
	struct policy_fact *fact, **at = &c->client->facts;

	if (c->error || !policy_fact_matters(c->worker->image, c->policy, c->target, reference))
		return;
	for (; *at; at = &(*at)->next)
		if ((*at)->kind == reference->kind && (*at)->read_only == reference->read_only &&
		    str_eqz(reference->name, (*at)->name))
			return;
	if (++c->count > FACTS_MAX) {
		c->error = -E2BIG;
		return;
	}
	fact = calloc(1, sizeof(*fact) + reference->name.n + 1);
	if (!fact) {
		c->error = -ENOMEM;
		return;
	}
	fact->kind = reference->kind;
	fact->read_only = reference->read_only;
	memcpy(fact->name, reference->name.p, reference->name.n);
	*at = fact;
}

int facts_collect(struct worker *worker, struct client *client, const struct image_policy *policy,
		  const struct api_target *target, const struct json_body *body)
{
	struct collector c = { .worker = worker, .client = client, .policy = policy, .target = target };
	int unknown = 0;

	policy_inspect_references(worker->image, policy, target, body, take_reference, &c);
	if (c.error)
		return c.error;
	for (const struct policy_fact *fact = client->facts; fact; fact = fact->next)
		unknown += !fact->known;
	return unknown;
}

/* --- Looking up ------------------------------------------------------------------------------------------
 */

static struct policy_fact *next_unknown(struct client *client)
{
	struct policy_fact *fact = client->facts;

	while (fact && fact->known)
		fact = fact->next;
	return fact;
}

/* This one is settled; on to the next, or to the judgement. */
static void settle(struct worker *worker, struct client *client, int error)
{
	client->fact->known = true;
	client->fact->error = error;
	facts_look_up(worker, client);
}

static void ask_proxy(struct worker *worker, struct client *client, const struct policy_fact *fact)
{
	struct msg msg = { .type = MSG_RESOLVE };
	int r = -ENAMETOOLONG;

	if (strlen(fact->name) < sizeof(msg.text)) {
		/* 0 stands for none; a number comes round again long after its lookup is over. */
		msg.arg = ++worker->last_lookup ? worker->last_lookup : ++worker->last_lookup;
		memcpy(msg.text, fact->name, strlen(fact->name) + 1);
		r = channel_send(worker->channel, &msg, -1);
	}
	if (r < 0) {
		settle(worker, client, -r);
		return;
	}
	client->lookup = msg.arg;
	client->next_waiting = worker->resolving;
	worker->resolving = client;
}

/* Names of volumes and containers have passed their rules, so no byte of theirs needs an escape. */
static bool is_plain(const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	return name[0] != '\0' && name[0] != '.' && strspn(name, plain) == strlen(name);
}

static void ask_engine(struct worker *worker, struct client *client)
{
	struct engine_connection *connection;

	if (!is_plain(client->fact->name)) {
		settle(worker, client, EINVAL);
		return;
	}
	connection = pool_take(worker, client->engine_index, client);
	if (connection)
		facts_begin(worker, client, connection);
	else
		pool_wait(worker, client->engine_index, client);
}

void facts_look_up(struct worker *worker, struct client *client)
{
	client->fact = next_unknown(client);
	if (!client->fact) {
		client_judge_again(worker, client);
		return;
	}
	/* It may have gone meanwhile: the event for that has been. */
	if (client->source.hangup)
		loop_queue(&worker->loop, &client->source);
	deadline_set(&worker->deadlines, &client->deadline,
		     client->fact->kind == POLICY_REFERENCE_ENGINE ? DEADLINE_READY : DEADLINE_ENGINE,
		     worker->now);
	if (client->fact->kind == POLICY_REFERENCE_BIND)
		ask_proxy(worker, client, client->fact);
	else
		ask_engine(worker, client);
}

void facts_forget(struct worker *worker, struct client *client)
{
	struct client **at = &worker->resolving;

	while (*at && *at != client)
		at = &(*at)->next_waiting;
	if (*at)
		*at = client->next_waiting;
	client->next_waiting = NULL;
	client->lookup = 0;
}

void facts_resolved(struct worker *worker, const struct msg *msg)
{
	struct client *client = worker->resolving;
	struct policy_fact *fact;
	int error = msg->error;

	while (client && client->lookup != msg->arg)
		client = client->next_waiting;
	/* The client may have gone meanwhile. */
	if (!client)
		return;
	facts_forget(worker, client);
	fact = client->fact;
	if (!error) {
		fact->answer = strdup(msg->text);
		if (!fact->answer)
			error = ENOMEM;
		else
			fact->answer_len = strlen(fact->answer);
	}
	settle(worker, client, error);
}

/* --- At the engine ---------------------------------------------------------------------------------------
 */

static void drop(struct worker *worker, struct client *client, int error)
{
	pool_drop(worker, client->engine);
	client->engine = NULL;
	settle(worker, client, error);
}

/* A connection from the pool may have been closed by now; asking is safe to do twice. */
static void try_again(struct worker *worker, struct client *client)
{
	pool_drop(worker, client->engine);
	client->engine = NULL;
	if (client->retries++ < RETRIES_MAX)
		ask_engine(worker, client);
	else
		settle(worker, client, EPIPE);
}

static void put_target(struct buf *out, const struct policy_fact *fact)
{
	buf_puts(out, fact->kind == POLICY_REFERENCE_VOLUME      ? "/volumes/"
		      : fact->kind == POLICY_REFERENCE_CONTAINER ? "/containers/"
								 : "/");
	buf_puts(out, fact->name);
	buf_puts(out, fact->kind == POLICY_REFERENCE_CONTAINER ? "/json" : "");
}

void facts_begin(struct worker *worker, struct client *client, struct engine_connection *connection)
{
	const struct policy_fact *fact = client->fact;
	char memory[1024];
	struct buf out = buf_over(memory, sizeof(memory));

	client->engine = connection;
	buf_puts(&out, "GET ");
	put_target(&out, fact);
	buf_puts(&out, " HTTP/1.1\r\nHost: docker\r\nUser-Agent: sockgate\r\n\r\n");
	if (out.overflow) {
		drop(worker, client, ENAMETOOLONG);
		return;
	}
	/* A line that does not fit into an empty socket means that the connection is no good. */
	if (send(connection->source.fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)out.n) {
		try_again(worker, client);
		return;
	}
	if (connection->source.readable)
		loop_queue(&worker->loop, &connection->source);
}

/* Grows the connection's buffer by one read. -EAGAIN, 0 at the end, or the bytes. */
static ssize_t read_more(struct engine_connection *connection)
{
	size_t have = connection->held_len;
	ssize_t n;
	char *held;

	if (have + READ_SIZE > FACT_ANSWER_MAX)
		return -EMSGSIZE;
	held = realloc(connection->held, have + READ_SIZE);
	if (!held)
		return -ENOMEM;
	connection->held = held;
	do
		n = recv(connection->source.fd, held + have, READ_SIZE, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		connection->source.readable = errno != EAGAIN;
		return -errno;
	}
	connection->held_len += (size_t)n;
	return n;
}

/* Decodes a chunked body in place. Returns its length, -EAGAIN when it is not whole, or -EBADMSG. *ret_rest
 * is what stands behind it. */
static ssize_t unchunk(char *in, size_t n, size_t *ret_rest)
{
	struct http_chunks chunks = { 0 };
	size_t at = 0, len = 0;
	const char *why;

	while (at < n && !chunks.done) {
		struct str data;
		ssize_t used = http_chunks_decode(&chunks, in + at, n - at, true, &data, &why);

		if (used < 0)
			return used;
		if (data.n)
			memmove(in + len, data.p, data.n);
		len += data.n;
		at += (size_t)used;
	}
	*ret_rest = n - at;
	return chunks.done ? (ssize_t)len : -EAGAIN;
}

/*
 * Takes a whole answer out of what has come. Returns 1 and fills in the fact, 0 when more is to come, or
 * -EBADMSG. Chunks are decoded on a copy: they may not all be there yet. *ret_keep: the connection may be
 * used again; mustn't be so when bytes stand behind the answer.
 */
static int take_answer(struct engine_connection *connection, struct policy_fact *fact, bool ended,
		       bool *ret_keep)
{
	struct http_response response;
	const char *why;
	ssize_t head = http_response_parse(connection->held, connection->held_len, HTTP_GET, &response, &why);
	size_t rest = 0;
	ssize_t len;
	char *body;

	if (head <= 0)
		return head < 0 || ended ? -EBADMSG : 0;
	/* No interim response was asked for, and behind one the answer is still to come. */
	if (response.status < 200)
		return -EBADMSG;
	len = (ssize_t)connection->held_len - head;
	if (response.framing == HTTP_BODY_LENGTH && (uint64_t)len < response.content_length)
		return ended ? -EBADMSG : 0;
	if (response.framing == HTTP_BODY_CLOSE && !ended)
		return 0;
	body = malloc((size_t)len + 1);
	if (!body)
		return -ENOMEM;
	memcpy(body, connection->held + head, (size_t)len);
	if (response.framing == HTTP_BODY_CHUNKED) {
		len = unchunk(body, (size_t)len, &rest);
	} else if (response.framing != HTTP_BODY_CLOSE) {
		rest = (size_t)len - (size_t)response.content_length;
		len = (ssize_t)response.content_length;
	}
	if (len < 0) {
		free(body);
		return len == -EAGAIN && !ended ? 0 : -EBADMSG;
	}
	body[len] = '\0';
	fact->status = response.status;
	fact->answer = body;
	fact->answer_len = (size_t)len;
	*ret_keep = response.keep_alive && !ended && rest == 0;
	return 1;
}

void facts_run(struct worker *worker, struct client *client)
{
	struct engine_connection *connection = client->engine;

	if (client->source.hangup) {
		client_close(worker, client);
		return;
	}
	while (connection && connection->source.readable) {
		ssize_t n = read_more(connection);
		bool keep = false;
		int r;

		if (n == -EAGAIN)
			return;
		if ((n == 0 || n == -ECONNRESET || n == -EPIPE) && connection->held_len == 0) {
			try_again(worker, client);
			return;
		}
		if (n < 0) {
			drop(worker, client, (int)-n);
			return;
		}
		r = take_answer(connection, client->fact, n == 0, &keep);
		if (r < 0) {
			drop(worker, client, -r);
			return;
		}
		if (r == 0)
			continue;
		free(connection->held);
		connection->held = NULL;
		connection->held_len = 0;
		client->engine = NULL;
		if (keep)
			pool_give_back(worker, connection);
		else
			pool_drop(worker, connection);
		settle(worker, client, 0);
		return;
	}
}

void facts_engine_down(struct worker *worker, struct client *client, int error)
{
	settle(worker, client, error);
}
