/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client.h - a client's connection: accepted, read, judged, answered.
 *
 * States, and who may be called in each:
 *   HEAD      reading a request head; also between requests
 *   BODY      reading a body that is to be inspected, whole
 *   PENDING   an action waits for the trail to be written (worker.pending)
 *   FACTS     waits for what the host or the engine knows (facts.h); the request is held from its first byte
 *   WAITING   allowed, without a connection to the engine (pool.h)
 *   EXCHANGE  the engine has the request; exchange.c moves both directions
 *   ANSWER    an answer of ours has not been taken whole yet
 *   LINGER    answered, our side shut: what the client still sends is thrown away until it ends
 *   DEAD      closed; freed at the end of the turn
 */
#ifndef SOCKGATE_WORKER_CLIENT_H
#define SOCKGATE_WORKER_CLIENT_H

#include "http/http_chunks.h"
#include "worker/worker.h"

enum client_state {
	CLIENT_HEAD,
	CLIENT_BODY,
	CLIENT_FACTS,
	CLIENT_PENDING,
	CLIENT_WAITING,
	CLIENT_EXCHANGE,
	CLIENT_ANSWER,
	CLIENT_LINGER,
	CLIENT_DEAD,
};

struct client {
	struct source source;
	struct deadline deadline;
	struct listener *listener;
	struct policy_peer peer;
	char *address; /* TCP: "127.0.0.1:40312", allocated; else NULL */

	uint8_t state;
	uint8_t method;  /* of the request in hand: enum http_method */
	bool keep_alive; /* another request may follow on this connection */
	bool http_1_0;
	bool head_only;   /* the answer to HEAD has no body */
	bool may_hijack;  /* the operation may turn into a raw stream, and the client asked for it */
	bool upgrade;     /* the request carried Upgrade, and ours does */
	bool tunnel;      /* it has turned into one */
	bool body_unread; /* of a request that was refused or answered early: what comes is thrown away */
	bool forward;     /* the pending action is to forward; else to answer */
	bool answered;    /* the engine's response head has been passed on */
	bool engine_shut; /* our side towards the engine is shut: it cannot be used again */
	bool engine_keep; /* the response lets the connection be used again */
	uint8_t stream;   /* enum metrics_stream */
	int64_t decided;  /* metrics.now when the request in hand was allowed */
	uint8_t retries;
	uint8_t engine_index;

	/* Received and not consumed: in BODY from the head on, else whatever follows the request in hand. */
	char *held;
	size_t held_len, held_cap;
	bool fresh; /* nobody has looked at what is held: it came behind the request before */
	/* BODY: offsets into held. */
	size_t head_len, body_len, raw_at;
	struct http_chunks chunks;

	struct str action;    /* PENDING: in the turn's arena */
	uint8_t body_framing; /* of a body to stream: enum http_framing */
	uint64_t body_length;
	char *origin;  /* of the web page that may read the answer, allocated; NULL: no page asks */
	char *request; /* WAITING, or kept for another try: the action's bytes, allocated */
	size_t request_len;

	struct policy_fact *facts; /* of the request in hand */
	struct policy_fact *fact;  /* FACTS: the one that is looked up now */
	uint32_t lookup;           /* FACTS: what MSG_RESOLVED will name; 0: nothing is asked of the proxy */

	struct engine_connection *engine;
	struct flow up, down;
	struct client *next;         /* in worker.pending or worker.dead_clients */
	struct client *next_waiting; /* in engine.waiting, or in worker.resolving */
};

/* Takes over an accepted connection. */
void client_accept(struct worker *worker, struct listener *listener, int fd, char *address);
/* Something happened on the client's connection. */
void client_run(struct worker *worker, struct client *client);
/* Closes everything that belongs to the client, the engine's connection included. */
void client_close(struct worker *worker, struct client *client);
/* A connection that the client waited for is there (it belongs to the client), or cannot be had. */
void client_engine_arrived(struct worker *worker, struct client *client,
			   struct engine_connection *connection);
void client_engine_down(struct worker *worker, struct client *client, int error);
/* All facts are known: judges the request that is held once more. */
void client_judge_again(struct worker *worker, struct client *client);
/* An exchange or answer is over: the next request, or the end. */
void client_next(struct worker *worker, struct client *client);
/* The last answer of a connection has been sent: closes it in a way that the client gets all of it. */
void client_finish(struct worker *worker, struct client *client);
void client_expired(struct worker *worker, struct client *client, enum deadline_class class);
/* Phase 3: sends the pending answer. */
void client_answer(struct worker *worker, struct client *client);
/* Answers at once, outside of the decision's path (the engine failed): the decision has its record already.
 */
void client_fail(struct worker *worker, struct client *client, unsigned status, const char *message);
/* Phase 3, in place of forwarding: the trail does not have the record (an errno), and must. */
void client_unrecorded(struct worker *worker, struct client *client, int error);
/* Keeps [in, in+len) as the bytes not consumed. 0 or -ENOMEM. */
int client_hold(struct client *client, const char *in, size_t len);

#endif
