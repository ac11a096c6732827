/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel/channel.h"
#include "worker/client.h"

void pool_init(struct worker *worker)
{
	for (unsigned i = 0; i < WORKER_ENGINES_MAX; i++)
		worker->engines[i].waiting_tail = &worker->engines[i].waiting;
}

/* Asks the proxy for what is missing between what there is, what is on its way, and what should be. */
static void ask(struct worker *worker, unsigned index)
{
	struct engine *engine = &worker->engines[index];
	unsigned need = engine->n_waiting + POOL_STOCK;
	unsigned have = engine->n_idle + engine->wanted;
	struct msg msg = { .type = MSG_WANT, .arg = index };
	int r;

	if (need <= have || engine->wanted >= POOL_WANT_MAX)
		return;
	msg.count = need - have;
	if (msg.count > POOL_WANT_MAX - engine->wanted)
		msg.count = POOL_WANT_MAX - engine->wanted;
	r = channel_send(worker->channel, &msg, -1);
	/* A full channel is tried again at the next request; a broken one ends the worker when it is read. */
	if (r == 0)
		engine->wanted += msg.count;
	else if (r != -EAGAIN)
		fprintf(stderr, "sockgate-worker: cannot ask the proxy for connections: %s\n", strerror(-r));
}

void pool_stock(struct worker *worker, unsigned index)
{
	ask(worker, index);
}

static struct client *next_waiting(struct engine *engine)
{
	struct client *client = engine->waiting;

	if (!client)
		return NULL;
	engine->waiting = client->next_waiting;
	if (!engine->waiting)
		engine->waiting_tail = &engine->waiting;
	client->next_waiting = NULL;
	engine->n_waiting--;
	return client;
}

void pool_arrived(struct worker *worker, unsigned index, int fd)
{
	struct engine *engine = &worker->engines[index];
	struct engine_connection *connection = calloc(1, sizeof(*connection));
	struct client *client;

	if (engine->wanted)
		engine->wanted--;
	if (!connection) {
		close(fd);
		return;
	}
	connection->source = (struct source){ .fd = fd, .kind = SOURCE_ENGINE, .writable = true };
	connection->engine = index;
	worker->metrics.engine_connections++;
	if (loop_add(&worker->loop, &connection->source) < 0) {
		pool_drop(worker, connection);
		return;
	}
	client = next_waiting(engine);
	/* What could not be asked for at once, because too much was on its way already, is asked for now. */
	ask(worker, index);
	if (client) {
		connection->client = client;
		client_engine_arrived(worker, client, connection);
		return;
	}
	connection->next = engine->idle;
	engine->idle = connection;
	engine->n_idle++;
}

void pool_down(struct worker *worker, unsigned index, int error)
{
	struct engine *engine = &worker->engines[index];
	struct client *client;

	worker->metrics.engine_unreachable++;
	engine->wanted = 0;
	while ((client = next_waiting(engine)))
		client_engine_down(worker, client, error);
}

static void unlink_idle(struct engine *engine, struct engine_connection *connection)
{
	for (struct engine_connection **at = &engine->idle; *at; at = &(*at)->next) {
		if (*at != connection)
			continue;
		*at = connection->next;
		connection->next = NULL;
		engine->n_idle--;
		return;
	}
}

/*
 * An engine says nothing unasked. Mustn't: use a connection on which it did, for the next client would take
 * that for its response; nor one that it has closed.
 */
static bool is_quiet(const struct engine_connection *connection)
{
	const struct source *source = &connection->source;

	return !source->readable && !source->half_closed && !source->hangup && !connection->held;
}

struct engine_connection *pool_take(struct worker *worker, unsigned index, struct client *client)
{
	struct engine *engine = &worker->engines[index];
	struct engine_connection *connection;

	/* Its event may have come and not had its turn yet. */
	while ((connection = engine->idle) && !is_quiet(connection))
		pool_drop(worker, connection);
	if (connection) {
		engine->idle = connection->next;
		connection->next = NULL;
		engine->n_idle--;
		connection->client = client;
	}
	if (engine->n_idle < POOL_STOCK)
		ask(worker, index);
	return connection;
}

void pool_wait(struct worker *worker, unsigned index, struct client *client)
{
	struct engine *engine = &worker->engines[index];

	client->next_waiting = NULL;
	*engine->waiting_tail = client;
	engine->waiting_tail = &client->next_waiting;
	engine->n_waiting++;
	ask(worker, index);
}

void pool_unwait(struct worker *worker, unsigned index, struct client *client)
{
	struct engine *engine = &worker->engines[index];

	for (struct client **at = &engine->waiting; *at; at = &(*at)->next_waiting) {
		if (*at != client)
			continue;
		*at = client->next_waiting;
		if (engine->waiting_tail == &client->next_waiting)
			engine->waiting_tail = at;
		client->next_waiting = NULL;
		engine->n_waiting--;
		return;
	}
}

void pool_give_back(struct worker *worker, struct engine_connection *connection)
{
	struct engine *engine = &worker->engines[connection->engine];
	struct client *client;
	char byte;

	connection->client = NULL;
	connection->used = true;
	/* A read that got exactly what it asked for does not know whether there is more. */
	if (connection->source.readable &&
	    recv(connection->source.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		connection->source.readable = false;
	if (!is_quiet(connection) || engine->n_idle >= POOL_IDLE_MAX) {
		pool_drop(worker, connection);
		return;
	}
	client = next_waiting(engine);
	if (client) {
		connection->client = client;
		client_engine_arrived(worker, client, connection);
		return;
	}
	connection->next = engine->idle;
	engine->idle = connection;
	engine->n_idle++;
}

void pool_drop(struct worker *worker, struct engine_connection *connection)
{
	if (connection->source.fd < 0)
		return;
	if (!connection->client)
		unlink_idle(&worker->engines[connection->engine], connection);
	connection->client = NULL;
	worker->metrics.engine_connections--;
	loop_close(&worker->loop, &connection->source);
	free(connection->held);
	connection->held = NULL;
	connection->next = worker->dead_engines;
	worker->dead_engines = connection;
}

void pool_idle_event(struct worker *worker, struct engine_connection *connection)
{
	/* Only EPOLLOUT is no news. */
	if (!is_quiet(connection))
		pool_drop(worker, connection);
}
