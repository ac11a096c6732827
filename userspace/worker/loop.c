/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_PER_WAIT 128

int loop_init(struct loop *loop)
{
	loop->head = NULL;
	loop->tail = &loop->head;
	loop->n_queued = 0;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll < 0 ? -errno : 0;
}

int loop_add(struct loop *loop, struct source *source)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
		.data.ptr = source,
	};

	/* Several workers may share a listening socket: wake one of them, not all. It has nothing to write.
	 */
	if (source->kind == SOURCE_LISTENER)
		event.events = EPOLLIN | EPOLLEXCLUSIVE;
	else
		event.events |= EPOLLOUT;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0)
		return -errno;
	source->registered = true;
	return 0;
}

void loop_remove(struct loop *loop, struct source *source)
{
	/* Fails only for a descriptor that epoll does not know, which is what is wanted. */
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	source->registered = false;
}

void loop_queue(struct loop *loop, struct source *source)
{
	if (source->queued || source->fd < 0)
		return;
	source->queued = true;
	source->next = NULL;
	*loop->tail = source;
	loop->tail = &source->next;
	loop->n_queued++;
}

struct source *loop_next(struct loop *loop)
{
	struct source *source = loop->head;

	if (!source)
		return NULL;
	loop->head = source->next;
	if (!loop->head)
		loop->tail = &loop->head;
	source->next = NULL;
	source->queued = false;
	loop->n_queued--;
	return source;
}

void loop_unqueue(struct loop *loop, struct source *source)
{
	if (!source->queued)
		return;
	for (struct source **at = &loop->head; *at; at = &(*at)->next) {
		if (*at != source)
			continue;
		*at = source->next;
		if (loop->tail == &source->next)
			loop->tail = at;
		break;
	}
	source->next = NULL;
	source->queued = false;
	loop->n_queued--;
}

int loop_wait(struct loop *loop, int timeout)
{
	struct epoll_event events[EVENTS_PER_WAIT];
	int n = epoll_wait(loop->epoll, events, EVENTS_PER_WAIT, timeout);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;
		uint32_t e = events[i].events;

		if (e & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			source->readable = true;
		if (e & EPOLLOUT)
			source->writable = true;
		if (e & EPOLLRDHUP)
			source->half_closed = true;
		if (e & (EPOLLHUP | EPOLLERR))
			source->hangup = true;
		loop_queue(loop, source);
	}
	return 0;
}

void loop_close(struct loop *loop, struct source *source)
{
	loop_unqueue(loop, source);
	/*
	 * Closing the last descriptor of a socket takes it out of the epoll set. But of an engine's
	 * connection the proxy, which sent it, may hold one for a moment longer, and an event then would
	 * point to freed memory.
	 */
	if (source->registered && source->kind == SOURCE_ENGINE)
		loop_remove(loop, source);
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}
