/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker.h - what the parts of a worker share.
 *
 * Theory of operation. One thread, one epoll. A turn of the loop has three phases, so that an audit record is
 * always on its way to disk before what it records happens, at the price of one write(2) a turn:
 *
 *   1. run every queued source: accept, read, recognise, decide. A decision becomes a record in the trail and
 * a pending action (forward this, or answer that) whose bytes lie in the turn's arena;
 *   2. write the trail;
 *   3. carry out the pending actions.
 *
 * Files: turn.c the three phases, inbox.c the proxy's messages, loop.c sources, deadline.c timeouts, client.c
 * and request.c reading and judging requests, facts.c what a judgement has to know, exchange.c forwarding and
 * responses, flow.c bodies and tunnels, pool.c engine connections, trail.c audit, monitor.c metrics and
 * health, metrics.c, heads.c and body_plan.c pure.
 */
#ifndef SOCKGATE_WORKER_H
#define SOCKGATE_WORKER_H

#include "channel/messages.h"
#include "policy/policy_decide.h"
#include "worker/deadline.h"
#include "worker/flow.h"
#include "worker/loop.h"
#include "worker/metrics.h"
#include "worker/trail.h"

#define WORKER_LISTENERS_MAX 64
#define WORKER_ENGINES_MAX   16
#define WORKER_SCRATCH       (256 * 1024)      /* bytes of one read at most */
#define WORKER_DESCRIPTORS   160               /* kept for other things than clients and what they carry */
#define WORKER_ARENA         (4 * 1024 * 1024) /* bytes of one turn's heads and inspected bodies */

struct client;
struct engine_connection;

struct listener {
	struct source source;
	unsigned index; /* in the image */
	char name[128]; /* "unix:/run/sockgate/docker.sock" */
	bool tcp;
};

struct engine {
	struct engine_connection *idle; /* connected, nobody's; last used first */
	unsigned n_idle;
	unsigned wanted;                        /* asked of the proxy and not come yet */
	struct client *waiting, **waiting_tail; /* requests without a connection */
	unsigned n_waiting;
};

struct worker {
	struct loop loop;
	struct deadlines deadlines;
	struct audit_writer trail;
	struct metrics metrics;
	int channel;
	struct source channel_source;
	const struct policy_image *image;
	struct listener listeners[WORKER_LISTENERS_MAX];
	unsigned n_listeners;
	struct engine engines[WORKER_ENGINES_MAX];
	bool serving;
	enum msg_gate gate;
	char gate_reason[MSG_TEXT_MAX];
	unsigned n_clients, clients_max;
	bool paused; /* a listener has no room to accept; since paused_at */
	int64_t paused_at;
	bool over; /* the worker is to end: the proxy is gone, or for a fault */
	const char *fault;
	int fault_error;          /* an errno, or 0 */
	int64_t now;              /* ms of CLOCK_MONOTONIC at the start of the turn */
	struct client *resolving; /* wait for the proxy to resolve a path */
	uint32_t last_lookup;
	struct client *pending; /* actions of this turn, first to last */
	struct client **pending_tail;
	struct client *dead_clients; /* freed at the end of the turn: an event may still point to them */
	struct engine_connection *dead_engines;
	struct buf arena;
	char *scratch; /* WORKER_SCRATCH bytes, valid until the next read */
	char target_scratch[API_TARGET_SCRATCH];
};

/* Carries out phases 2 and 3 now; for a turn whose arena is full. */
void worker_flush(struct worker *worker);

#endif
