/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/turn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "worker/client.h"
#include "worker/exchange.h"
#include "worker/facts.h"
#include "worker/inbox.h"
#include "worker/pool.h"
#include "json/json_body.h"

#define ACCEPTS_PER_TURN 16
#define ACCEPT_PAUSE     50 /* ms */

static char *address_text(const struct sockaddr_storage *address)
{
	char host[INET6_ADDRSTRLEN] = "", *text = NULL;
	unsigned port = 0;

	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		port = ntohs(in->sin_port);
	} else if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;

		inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
		port = ntohs(in->sin6_port);
	}
	return asprintf(&text, "%s:%u", host, port) < 0 ? NULL : text;
}

/* Clients stay in the backlog until there may be room again. */
static void pause_listener(struct worker *worker, struct listener *listener)
{
	loop_remove(&worker->loop, &listener->source);
	worker->paused_at = worker->now;
	worker->paused = true;
}

static void run_listener(struct worker *worker, struct listener *listener)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
		socklen_t size = sizeof(address);
		int fd;

		if (worker->n_clients >= worker->clients_max) {
			pause_listener(worker, listener);
			return;
		}
		fd = accept4(listener->source.fd, (struct sockaddr *)&address, &size,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
				pause_listener(worker, listener);
			return;
		}
		client_accept(worker, listener, fd, listener->tcp ? address_text(&address) : NULL);
	}
}

/* Where it cannot be done now it is tried again after another pause. */
static void resume_listeners(struct worker *worker)
{
	if (!worker->paused || worker->now - worker->paused_at < ACCEPT_PAUSE)
		return;
	worker->paused = false;
	for (unsigned i = 0; i < worker->n_listeners; i++) {
		struct listener *listener = &worker->listeners[i];

		if (!listener->source.registered && loop_add(&worker->loop, &listener->source) < 0)
			pause_listener(worker, listener);
	}
}

void worker_flush(struct worker *worker)
{
	struct client *client;
	int unrecorded = trail_flush(&worker->trail);

	if (worker->image && !worker->image->require_audit)
		unrecorded = 0;
	while ((client = worker->pending)) {
		worker->pending = client->next;
		if (!worker->pending)
			worker->pending_tail = &worker->pending;
		client->next = NULL;
		if (client->state == CLIENT_DEAD) {
			client->next = worker->dead_clients;
			worker->dead_clients = client;
		} else if (client->forward && unrecorded < 0) {
			client_unrecorded(worker, client, -unrecorded);
		} else if (client->forward) {
			exchange_forward(worker, client);
		} else {
			client_answer(worker, client);
		}
	}
	worker->arena.n = 0;
	worker->arena.overflow = false;
}

static void expire(struct worker *worker)
{
	enum deadline_class class;
	struct deadline *d;

	while ((d = deadline_expired(&worker->deadlines, worker->now, &class)))
		client_expired(worker,
			       (struct client *)(void *)((char *)d - offsetof(struct client, deadline)),
			       class);
}

static void bury(struct worker *worker)
{
	while (worker->dead_clients) {
		struct client *next = worker->dead_clients->next;

		free(worker->dead_clients);
		worker->dead_clients = next;
	}
	while (worker->dead_engines) {
		struct engine_connection *next = worker->dead_engines->next;

		free(worker->dead_engines);
		worker->dead_engines = next;
	}
}

#define CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static void dispatch(struct worker *worker, struct source *source)
{
	if (source->fd < 0)
		return;
	switch ((enum source_kind)source->kind) {
	case SOURCE_CHANNEL:
		inbox_run(worker);
		/* It may have been full when connections were needed. */
		for (unsigned i = 0; i < worker->image->engines.count; i++)
			pool_stock(worker, i);
		break;
	case SOURCE_LISTENER:
		run_listener(worker, CONTAINER(source, struct listener, source));
		break;
	case SOURCE_CLIENT:
		client_run(worker, CONTAINER(source, struct client, source));
		break;
	case SOURCE_ENGINE: {
		struct engine_connection *connection = CONTAINER(source, struct engine_connection, source);

		if (!connection->client)
			pool_idle_event(worker, connection);
		else if (connection->client->state == CLIENT_FACTS)
			facts_run(worker, connection->client);
		else if (connection->client->state == CLIENT_EXCHANGE)
			exchange_run(worker, connection->client);
		break;
	}
	}
}

bool worker_turn(struct worker *worker, int64_t now)
{
	worker->now = now;
	resume_listeners(worker);
	/* Only what is queued now: what queues itself again has its turn after the others. */
	for (unsigned n = worker->loop.n_queued; n > 0 && worker->loop.head; n--)
		dispatch(worker, loop_next(&worker->loop));
	worker_flush(worker);
	expire(worker);
	bury(worker);
	return !worker->over;
}

int worker_timeout(const struct worker *worker)
{
	int timeout = worker->loop.n_queued ? 0 : deadline_timeout(&worker->deadlines, worker->now);

	return worker->paused && (timeout < 0 || timeout > ACCEPT_PAUSE) ? ACCEPT_PAUSE : timeout;
}

/* --- The start -------------------------------------------------------------------------------------------
 */

/*
 * Every client may need a connection to the engine, and one that cannot be taken from the channel for lack of
 * a descriptor is lost: so clients get no more than half of what there is.
 */
static unsigned clients_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > UINT_MAX)
		return UINT_MAX / 2;
	if (limit.rlim_cur <= 2 * WORKER_DESCRIPTORS)
		return (unsigned)limit.rlim_cur / 4;
	return ((unsigned)limit.rlim_cur - WORKER_DESCRIPTORS) / 2;
}

int worker_init(struct worker *worker, int channel)
{
	char *arena = malloc(WORKER_ARENA);
	int r;

	*worker = (struct worker){ .channel = channel, .clients_max = clients_max() };
	worker->pending_tail = &worker->pending;
	worker->scratch = malloc(WORKER_SCRATCH);
	if (!arena || !worker->scratch) {
		free(arena);
		return -ENOMEM;
	}
	worker->arena = buf_over(arena, WORKER_ARENA);
	deadlines_init(&worker->deadlines);
	pool_init(worker);
	json_body_init();
	r = trail_init(&worker->trail);
	if (r == 0)
		r = loop_init(&worker->loop);
	return r;
}

int worker_begin(struct worker *worker)
{
	int r;

	worker->channel_source = (struct source){ .fd = worker->channel, .kind = SOURCE_CHANNEL };
	r = loop_add(&worker->loop, &worker->channel_source);
	for (unsigned i = 0; r == 0 && i < worker->n_listeners; i++)
		r = loop_add(&worker->loop, &worker->listeners[i].source);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < worker->image->engines.count; i++)
		pool_stock(worker, i);
	return 0;
}
