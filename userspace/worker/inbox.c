/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/inbox.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel/channel.h"
#include "worker/facts.h"
#include "worker/pool.h"

/* What the proxy may send before MSG_START, and after. */
#define PERMIT_SETUP \
	((1u << MSG_IMAGE) | (1u << MSG_LISTENER) | (1u << MSG_AUDIT) | (1u << MSG_GATE) | (1u << MSG_START))
#define PERMIT_SERVE \
	((1u << MSG_IMAGE) | (1u << MSG_AUDIT) | (1u << MSG_GATE) | (1u << MSG_ENGINE) | \
	 (1u << MSG_ENGINE_DOWN) | (1u << MSG_RESOLVED) | (1u << MSG_PING))

static void fail(struct worker *worker, const char *what, int error)
{
	worker->over = true;
	worker->fault = what;
	worker->fault_error = error;
}

/* Mustn't: take an image that names less than is in use, since clients refer to its parts by number. */
static void take_image(struct worker *worker, int fd)
{
	const struct policy_image *image;
	const char *why = "cannot be mapped";
	int r = policy_image_map(fd, &image, &why);

	close(fd);
	if (r < 0) {
		fail(worker, why, r == -EBADMSG ? 0 : -r);
		return;
	}
	if (image->engines.count == 0 || image->engines.count > WORKER_ENGINES_MAX ||
	    (worker->image && (image->engines.count < worker->image->engines.count ||
			       image->listeners.count < worker->image->listeners.count))) {
		policy_image_unmap(image);
		fail(worker, "an image with another number of engines, or fewer listeners", 0);
		return;
	}
	policy_image_unmap(worker->image);
	worker->image = image;
}

static void take_listener(struct worker *worker, const struct msg *msg, int fd)
{
	struct listener *listener;
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(address);

	if (!worker->image || msg->arg >= worker->image->listeners.count ||
	    worker->n_listeners == WORKER_LISTENERS_MAX ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
		close(fd);
		fail(worker, "a listener that the image does not name", 0);
		return;
	}
	listener = &worker->listeners[worker->n_listeners++];
	listener->source = (struct source){ .fd = fd, .kind = SOURCE_LISTENER };
	listener->index = msg->arg;
	listener->tcp = address.ss_family != AF_UNIX;
	snprintf(listener->name, sizeof(listener->name), "%.*s", (int)sizeof(listener->name) - 1, msg->text);
}

static void take_start(struct worker *worker)
{
	if (worker->image)
		worker->serving = true;
	else
		fail(worker, "the proxy sent no policy", 0);
}

static void take_engine(struct worker *worker, const struct msg *msg, int fd)
{
	if (msg->arg < worker->image->engines.count) {
		pool_arrived(worker, msg->arg, fd);
		return;
	}
	close(fd);
	fail(worker, "a connection to an engine that the image does not name", 0);
}

/* From the turn, so that it says that the loop turns. A channel that is full now is asked through again. */
static void take_ping(struct worker *worker)
{
	struct msg msg = { .type = MSG_PONG };

	(void)channel_send(worker->channel, &msg, -1);
}

static void take_message(struct worker *worker, const struct msg *msg, int fd)
{
	switch (msg->type) {
	case MSG_IMAGE:
		take_image(worker, fd);
		break;
	case MSG_LISTENER:
		take_listener(worker, msg, fd);
		break;
	case MSG_AUDIT:
		worker->trail.policy_hash = worker->image ? worker->image->hash : 0;
		audit_writer_open(&worker->trail, fd);
		break;
	case MSG_GATE:
		worker->gate = (enum msg_gate)msg->arg;
		snprintf(worker->gate_reason, sizeof(worker->gate_reason), "%s", msg->text);
		break;
	case MSG_START:
		take_start(worker);
		break;
	case MSG_ENGINE:
		take_engine(worker, msg, fd);
		break;
	case MSG_ENGINE_DOWN:
		if (msg->arg < WORKER_ENGINES_MAX)
			pool_down(worker, msg->arg, msg->error);
		break;
	case MSG_RESOLVED:
		facts_resolved(worker, msg);
		break;
	case MSG_PING:
		take_ping(worker);
		break;
	default:
		break;
	}
}

void inbox_run(struct worker *worker)
{
	bool serving = worker->serving;

	while (!worker->over && worker->serving == serving) {
		struct msg msg;
		int fd, r = channel_recv(worker->channel, serving ? PERMIT_SERVE : PERMIT_SETUP, &msg, &fd);

		if (r == -EAGAIN)
			return;
		if (r == 0)
			worker->over = true; /* the proxy is gone: nothing can be reached any more */
		else if (r < 0)
			fail(worker, "the proxy sent a message out of place", -r);
		else
			take_message(worker, &msg, fd);
	}
}
