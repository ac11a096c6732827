/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.h - the worker's event sources: epoll, edge-triggered, registered once, without callbacks.
 *
 * Every descriptor belongs to a struct source, embedded in what it is a source of. An event only sets the
 * source's flags and puts it on the run queue; whoever runs it clears a flag when the kernel says EAGAIN. A
 * source that has used up its share of a turn is put back on the queue, so a bulk stream never holds up the
 * others. The one switch over kinds is dispatch() in turn.c.
 */
#ifndef SOCKGATE_WORKER_LOOP_H
#define SOCKGATE_WORKER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

enum source_kind { SOURCE_CHANNEL, SOURCE_LISTENER, SOURCE_CLIENT, SOURCE_ENGINE };

struct source {
	int fd; /* -1: closed */
	uint8_t kind;
	bool registered;     /* with epoll */
	bool readable;       /* a read may give something, the end of the stream included */
	bool writable;       /* a write may take something */
	bool hangup;         /* both directions are shut, or the connection broke: EPOLLHUP, EPOLLERR */
	bool half_closed;    /* the other end sends no more: EPOLLRDHUP */
	bool queued;         /* on the run queue */
	struct source *next; /* on the run queue */
};

struct loop {
	int epoll;
	struct source *head, **tail; /* run queue */
	unsigned n_queued;
};

int loop_init(struct loop *loop); /* 0 or -errno */
/* Registers a source for everything, edge-triggered. 0 or -errno. */
int loop_add(struct loop *loop, struct source *source);
/* Takes a source out of epoll; it stays open. */
void loop_remove(struct loop *loop, struct source *source);
/* Puts a source on the run queue, once. */
void loop_queue(struct loop *loop, struct source *source);
/* Takes a source off the run queue, wherever it stands. */
void loop_unqueue(struct loop *loop, struct source *source);
/* Waits for events, at most `timeout` ms (-1: for ever); queues what is ready. 0 or -errno. */
int loop_wait(struct loop *loop, int timeout);
/* The next source to run, taken off the queue; NULL at the end. */
struct source *loop_next(struct loop *loop);
/* Closes the descriptor; the source is on no queue afterwards. */
void loop_close(struct loop *loop, struct source *source);

#endif
