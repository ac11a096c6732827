/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockgate-worker - recognises, judges and relays requests. It is started by sockgate-proxy with one end of a
 * channel at descriptor CHANNEL_FD, and everything it will ever use comes through that. It ends when the
 * channel does.
 */
#include "worker/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel/channel.h"
#include "sandbox/sandbox.h"
#include "worker/client.h"
#include "worker/exchange.h"
#include "worker/facts.h"
#include "worker/pool.h"
#include "json/json_body.h"

#define ACCEPTS_PER_TURN 16
#define ACCEPT_PAUSE     50 /* ms */

/* What the proxy may send before MSG_START, and after. */
#define PERMIT_SETUP \
	((1u << MSG_IMAGE) | (1u << MSG_LISTENER) | (1u << MSG_AUDIT) | (1u << MSG_GATE) | (1u << MSG_START))
#define PERMIT_SERVE \
	((1u << MSG_IMAGE) | (1u << MSG_AUDIT) | (1u << MSG_GATE) | (1u << MSG_ENGINE) | \
	 (1u << MSG_ENGINE_DOWN) | (1u << MSG_RESOLVED))

static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static _Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "sockgate-worker: %s%s%s\n", what, error ? ": " : "", error ? strerror(error) : "");
	exit(EXIT_FAILURE);
}

/* --- Messages from the proxy -----------------------------------------------------------------------------
 */

static void take_image(struct worker *worker, int fd)
{
	const struct policy_image *image;
	const char *why = "cannot be mapped";
	int r = policy_image_map(fd, &image, &why);

	close(fd);
	if (r < 0)
		die(why, r == -EBADMSG ? 0 : -r);
	if (worker->image)
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
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		die("a listener that the image does not name", 0);
	listener = &worker->listeners[worker->n_listeners++];
	listener->source = (struct source){ .fd = fd, .kind = SOURCE_LISTENER };
	listener->index = msg->arg;
	listener->tcp = address.ss_family != AF_UNIX;
	snprintf(listener->name, sizeof(listener->name), "%.*s", (int)sizeof(listener->name) - 1, msg->text);
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
		trail_flush(&worker->trail);
		if (worker->trail.fd >= 0)
			close(worker->trail.fd);
		worker->trail.fd = fd;
		break;
	case MSG_GATE:
		worker->gate = (enum msg_gate)msg->arg;
		snprintf(worker->gate_reason, sizeof(worker->gate_reason), "%s", msg->text);
		break;
	case MSG_START:
		worker->serving = true;
		break;
	case MSG_ENGINE:
		if (msg->arg >= worker->image->engines.count)
			die("a connection to an engine that the image does not name", 0);
		pool_arrived(worker, msg->arg, fd);
		break;
	case MSG_ENGINE_DOWN:
		if (msg->arg < WORKER_ENGINES_MAX)
			pool_down(worker, msg->arg, msg->error);
		break;
	case MSG_RESOLVED:
		facts_resolved(worker, msg);
		break;
	default:
		break;
	}
}

static void run_channel(struct worker *worker)
{
	for (;;) {
		struct msg msg;
		int fd, r = channel_recv(worker->channel, worker->serving ? PERMIT_SERVE : PERMIT_SETUP, &msg,
					 &fd);

		if (r == -EAGAIN)
			return;
		if (r == 0)
			exit(EXIT_SUCCESS); /* the proxy is gone: nothing can be reached any more */
		if (r < 0)
			die("the proxy sent a message out of place", -r);
		take_message(worker, &msg, fd);
	}
}

/* --- Clients ---------------------------------------------------------------------------------------------
 */

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

static void run_listener(struct worker *worker, struct listener *listener)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
		socklen_t size = sizeof(address);
		int fd = accept4(listener->source.fd, (struct sockaddr *)&address, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			client_accept(worker, listener, fd, listener->tcp ? address_text(&address) : NULL);
			continue;
		}
		/* Out of descriptors: clients stay in the backlog until some may be free again. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			loop_remove(&worker->loop, &listener->source);
			worker->paused_at = worker->now;
		}
		return;
	}
}

/* Listeners that paused for lack of descriptors listen again. */
static void resume_listeners(struct worker *worker)
{
	if (!worker->paused_at || worker->now - worker->paused_at < ACCEPT_PAUSE)
		return;
	worker->paused_at = 0;
	for (unsigned i = 0; i < worker->n_listeners; i++) {
		struct listener *listener = &worker->listeners[i];
		int r = listener->source.registered ? 0 : loop_add(&worker->loop, &listener->source);

		if (r < 0)
			die("cannot listen again", -r);
	}
}

void worker_flush(struct worker *worker)
{
	struct client *client;

	trail_flush(&worker->trail);
	while ((client = worker->pending)) {
		worker->pending = client->next;
		if (!worker->pending)
			worker->pending_tail = &worker->pending;
		client->next = NULL;
		if (client->state == CLIENT_DEAD) {
			client->next = worker->dead_clients;
			worker->dead_clients = client;
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

/* --- The loop --------------------------------------------------------------------------------------------
 */

#define CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static void dispatch(struct worker *worker, struct source *source)
{
	if (source->fd < 0)
		return;
	switch ((enum source_kind)source->kind) {
	case SOURCE_CHANNEL:
		run_channel(worker);
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

static void serve(struct worker *worker)
{
	for (;;) {
		unsigned n;
		int r, timeout =
			       worker->loop.n_queued ? 0 : deadline_timeout(&worker->deadlines, worker->now);

		if (worker->paused_at && (timeout < 0 || timeout > ACCEPT_PAUSE))
			timeout = ACCEPT_PAUSE;
		r = loop_wait(&worker->loop, timeout);
		if (r < 0)
			die("epoll_wait", -r);
		worker->now = milliseconds();
		resume_listeners(worker);
		/* Only what is queued now: what queues itself again has its turn after the others. */
		for (n = worker->loop.n_queued; n > 0 && worker->loop.head; n--)
			dispatch(worker, loop_next(&worker->loop));
		worker_flush(worker);
		expire(worker);
		bury(worker);
	}
}

static int worker_init(struct worker *worker)
{
	char *arena = malloc(WORKER_ARENA);
	int r;

	*worker = (struct worker){ .channel = CHANNEL_FD };
	worker->pending_tail = &worker->pending;
	worker->scratch = malloc(WORKER_SCRATCH);
	if (!arena || !worker->scratch)
		return -ENOMEM;
	worker->arena = buf_over(arena, WORKER_ARENA);
	deadlines_init(&worker->deadlines);
	pool_init(worker);
	json_body_init();
	audit_init();
	r = trail_init(&worker->trail);
	if (r == 0)
		r = loop_init(&worker->loop);
	return r;
}

/* Takes everything that is needed before the first client, up to MSG_START. */
static void set_up(struct worker *worker)
{
	while (!worker->serving) {
		struct pollfd wait = { .fd = worker->channel, .events = POLLIN };
		struct msg msg;
		int fd, r;

		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			die("poll", errno);
		r = channel_recv(worker->channel, PERMIT_SETUP, &msg, &fd);
		if (r == -EAGAIN)
			continue;
		if (r == 0)
			exit(EXIT_SUCCESS);
		if (r < 0)
			die("the proxy sent a message out of place", -r);
		take_message(worker, &msg, fd);
	}
	if (!worker->image || worker->image->engines.count == 0)
		die("the proxy sent no policy, or one without an engine", 0);
}

/* Says loudly what could not be given up; under a supervisor the proxy sees the same and decides. */
static void warn(int r, const char *why)
{
	if (r < 0)
		fprintf(stderr, "sockgate-worker: warning: %s: %s\n", why, strerror(-r));
}

/* Stage 1: before a message is read. Mustn't: keep a descriptor, a capability or a user that was inherited.
 */
static void confine_early(void)
{
	struct sandbox_identity identity;
	bool change = sandbox_may_change_user(), found;
	const char *why = "";
	int r;

	warn(sandbox_descriptors(CHANNEL_FD + 1, &why), why);
	warn(sandbox_process(&why), why);
	sandbox_user("sockgate-worker", &identity, &found);
	if (change && !found)
		fprintf(stderr,
			"sockgate-worker: warning: there is no user sockgate-worker: running as uid %u\n",
			identity.uid);
	r = sandbox_identity(&identity, change, &why);
	/* A worker that was to become another user and did not must not see a client. */
	if (r < 0 && change)
		die(why, -r);
	warn(r, why);
}

/* Stage 2: before the first client. From here on nothing can be opened, connected to or started. */
static void confine_late(void)
{
	const char *why = "";
	int r = sandbox_syscalls(SANDBOX_WORKER, &why);

	warn(r, why);
}

static void start_serving(struct worker *worker)
{
	struct msg ready = { .type = MSG_READY };
	int r;

	worker->channel_source = (struct source){ .fd = worker->channel, .kind = SOURCE_CHANNEL };
	r = loop_add(&worker->loop, &worker->channel_source);
	for (unsigned i = 0; r == 0 && i < worker->n_listeners; i++)
		r = loop_add(&worker->loop, &worker->listeners[i].source);
	if (r < 0)
		die("cannot watch what the proxy sent", -r);
	for (unsigned i = 0; i < worker->image->engines.count; i++)
		pool_stock(worker, i);
	r = channel_send(worker->channel, &ready, -1);
	if (r < 0)
		die("cannot tell the proxy that all is ready", -r);
}

int main(void)
{
	static struct worker worker;
	int r;

	if (fcntl(CHANNEL_FD, F_GETFD) < 0) {
		fprintf(stderr, "sockgate-worker: this program is started by sockgate-proxy\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	confine_early();
	r = worker_init(&worker);
	if (r < 0)
		die("cannot start", -r);
	set_up(&worker);
	confine_late();
	start_serving(&worker);
	serve(&worker);
}
