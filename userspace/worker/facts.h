/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts.h - looks up what a decision needs to know that is not in the request (policy_facts.h).
 *
 * Where a bind's source leads is asked of the proxy; what a volume or a container is, of the engine, on a
 * connection of the pool. The request waits in state FACTS, held from its first byte, and is judged anew when
 * all is known: deciding stays a pure function, of the request and the facts. One lookup is under way at a
 * time.
 */
#ifndef SOCKGATE_WORKER_FACTS_H
#define SOCKGATE_WORKER_FACTS_H

#include "policy/policy_facts.h"
#include "worker/pool.h"

#define FACTS_MAX       64            /* references in one request; more are refused */
#define FACT_ANSWER_MAX (1024 * 1024) /* bytes of an engine's answer, its head included */

/* Frees a list. */
void facts_free(struct policy_fact *facts);

/*
 * Adds to client->facts what the request refers to, where it matters and is not there yet. Returns the number
 * that is not known, -E2BIG beyond FACTS_MAX, or -ENOMEM.
 */
int facts_collect(struct worker *worker, struct client *client, const struct image_policy *policy,
		  const struct api_target *target, const struct json_body *body);

/* Looks up the next one; with all known, has the request judged anew. */
void facts_look_up(struct worker *worker, struct client *client);

/* The client is not interested any more in what the proxy was asked. */
void facts_forget(struct worker *worker, struct client *client);
/* The proxy's answer to MSG_RESOLVE. */
void facts_resolved(struct worker *worker, const struct msg *msg);
/* The engine's connection for the lookup is there, is readable, or cannot be had. */
void facts_begin(struct worker *worker, struct client *client, struct engine_connection *connection);
void facts_run(struct worker *worker, struct client *client);
void facts_engine_down(struct worker *worker, struct client *client, int error);

#endif
