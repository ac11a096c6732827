/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h - the worker's connections to the engines.
 *
 * A worker cannot connect. The proxy sends it connected sockets ahead of need; a worker uses one for a
 * request, keeps it for the next whatever the client said of its own connection, and asks for more when its
 * stock runs low.
 */
#ifndef SOCKGATE_WORKER_POOL_H
#define SOCKGATE_WORKER_POOL_H

#include "worker/worker.h"

#define POOL_STOCK    2  /* idle connections that are kept ahead of need */
#define POOL_IDLE_MAX 64 /* beyond these a connection that becomes idle is closed */
#define POOL_WANT_MAX 64 /* asked for at a time */

struct engine_connection {
	struct source source;
	unsigned engine;
	bool used;             /* has carried a request: the engine may have closed it meanwhile */
	struct client *client; /* whose request it carries; NULL: idle */
	char *held;            /* the bytes of a response head that is not complete yet, or NULL */
	size_t held_len;
	struct engine_connection *next; /* in engine.idle or worker.dead_engines */
};

void pool_init(struct worker *worker);
/* Asks for the first connections, ahead of need. */
void pool_stock(struct worker *worker, unsigned index);
/* A connection came from the proxy; the pool owns fd from now on. */
void pool_arrived(struct worker *worker, unsigned index, int fd);
/* The proxy could not connect: everyone who waits is answered. */
void pool_down(struct worker *worker, unsigned index, int error);
/* An idle connection for `client`, which it belongs to from now on, or NULL; asks for more as needed. */
struct engine_connection *pool_take(struct worker *worker, unsigned index, struct client *client);
/* Queues `client` for the next connection. */
void pool_wait(struct worker *worker, unsigned index, struct client *client);
void pool_unwait(struct worker *worker, unsigned index, struct client *client);
/* The exchange is over and the connection fit for another. */
void pool_give_back(struct worker *worker, struct engine_connection *connection);
/* Closes a connection, whoever's it is; its memory goes at the end of the turn. */
void pool_drop(struct worker *worker, struct engine_connection *connection);
/* An idle connection became readable: the engine closed it, or said something unasked. */
void pool_idle_event(struct worker *worker, struct engine_connection *connection);

#endif
