/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange.h - one request at the engine and its response, or the tunnel it turns into.
 *
 * The response decides what the connection becomes, never the request alone: a raw stream only where the
 * operation may hijack and the engine answered 101, or 200 with Docker's stream type and no framing (moby
 * httputils.HijackConnection). Bytes that the client sends early are held until then.
 */
#ifndef SOCKGATE_WORKER_EXCHANGE_H
#define SOCKGATE_WORKER_EXCHANGE_H

#include "worker/client.h"
#include "worker/pool.h"

/* Phase 3: sends client->action to the engine, or lets the client wait for a connection. */
void exchange_forward(struct worker *worker, struct client *client);
/* A connection is there: sends the request on it. */
void exchange_begin(struct worker *worker, struct client *client, struct engine_connection *connection);
/* Something happened on either side: moves what can be moved. */
void exchange_run(struct worker *worker, struct client *client);
/* No connection can be had. */
void exchange_engine_down(struct worker *worker, struct client *client, int error);

#endif
