/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage.h - a whole worker in this process, with its clients, its engine and its proxy played by the test.
 *
 * Every connection is a socket pair whose far end the test holds; time stands still unless the test moves it.
 * Nothing runs but in stage_turn() and stage_run(), so a script of actions has one outcome only.
 */
#ifndef SOCKGATE_TESTS_STAGE_H
#define SOCKGATE_TESTS_STAGE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel/channel.h"
#include "worker/client.h"
#include "worker/pool.h"
#include "worker/turn.h"

struct stage {
	struct worker worker;
	int proxy; /* the far end of the worker's channel */
	int64_t now;
};

static inline void stage_must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "stage: %s: %s\n", what, strerror(errno));
	abort();
}

/* A listener without a socket: clients come from stage_client(). */
static inline void stage_open(struct stage *s, const struct policy_image *image)
{
	int channel[2];

	stage_must(channel_pair(channel) == 0, "channel_pair");
	stage_must(worker_init(&s->worker, channel[0]) == 0, "worker_init");
	s->proxy = channel[1];
	s->now = 1000;
	s->worker.image = image;
	s->worker.serving = true;
	s->worker.listeners[0] = (struct listener){ .source = { .fd = -1, .kind = SOURCE_LISTENER } };
	stage_must(worker_begin(&s->worker) == 0, "worker_begin");
}

static inline void stage_close(struct stage *s)
{
	if (s->worker.trail.fd >= 0)
		close(s->worker.trail.fd);
	close(s->worker.loop.epoll);
	close(s->worker.channel);
	close(s->proxy);
	free(s->worker.trail.memory);
	free(s->worker.arena.p);
	free(s->worker.scratch);
}

/* One turn with the events there are now. */
static inline void stage_turn(struct stage *s)
{
	stage_must(loop_wait(&s->worker.loop, 0) == 0, "epoll_wait");
	stage_must(worker_turn(&s->worker, s->now), "the worker ended");
}

/* Turns until nothing happens any more. A worker that never comes to rest would spin. */
static inline void stage_run(struct stage *s)
{
	for (int turns = 0; turns < 10000; turns++) {
		stage_must(loop_wait(&s->worker.loop, 0) == 0, "epoll_wait");
		if (!s->worker.loop.n_queued)
			return;
		stage_must(worker_turn(&s->worker, s->now), "the worker ended");
	}
	stage_must(false, "the worker never comes to rest");
}

/* Time passes; deadlines are looked at. */
static inline void stage_pass(struct stage *s, int64_t milliseconds)
{
	s->now += milliseconds;
	stage_turn(s);
	stage_run(s);
}

static inline void stage_pair(int ret[2])
{
	stage_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) == 0,
		   "socketpair");
}

/* A client connects; returns its end. */
static inline int stage_client(struct stage *s)
{
	int pair[2];

	stage_pair(pair);
	client_accept(&s->worker, &s->worker.listeners[0], pair[0], NULL);
	return pair[1];
}

/* The proxy delivers a connection; returns the engine's end. */
static inline int stage_engine(struct stage *s)
{
	struct msg msg = { .type = MSG_ENGINE };
	int pair[2];

	stage_pair(pair);
	stage_must(channel_send(s->proxy, &msg, pair[0]) == 0, "channel_send");
	close(pair[0]);
	return pair[1];
}

static inline void stage_tell(struct stage *s, const struct msg *msg)
{
	stage_must(channel_send(s->proxy, msg, -1) == 0, "channel_send");
}

/* The next message of that type from the worker, those before it thrown away. False: there is none. */
static inline bool stage_hear(struct stage *s, enum msg_type type, struct msg *ret)
{
	int fd;

	do
		if (channel_recv(s->proxy, ~0u, ret, &fd) != 1)
			return false;
	while (ret->type != type);
	return true;
}

#endif
