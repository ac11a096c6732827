/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/engine.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel/channel.h"

static int unix_address(struct str path, struct engine_address *ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (path.n == 0 || path.n >= sizeof(address.sun_path)) {
		fprintf(stderr, "sockgate-proxy: the engine's socket has too long a path: %.*s\n",
			STR_ARG(path));
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, path.p, path.n);
	memcpy(&ret->address, &address, sizeof(address));
	ret->size = sizeof(address);
	return 0;
}

static int tcp_address(struct str host, unsigned port, struct engine_address *ret)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list;
	char name[256], service[8];
	int error;

	snprintf(name, sizeof(name), "%.*s", STR_ARG(host));
	snprintf(service, sizeof(service), "%u", port);
	error = getaddrinfo(name, service, &hints, &list);
	if (error) {
		fprintf(stderr, "sockgate-proxy: engine %s:%s: %s\n", name, service, gai_strerror(error));
		return -EADDRNOTAVAIL;
	}
	memcpy(&ret->address, list->ai_addr, list->ai_addrlen);
	ret->size = list->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

int engines_init(struct engines *engines, const struct policy_image *image)
{
	const struct image_engine *list = IMAGE_LIST(image, struct image_engine, image->engines);
	int r = 0;

	*engines = (struct engines){ .n = image->engines.count };
	for (unsigned i = 0; i < ENGINE_ATTEMPTS_MAX; i++)
		engines->attempts[i].fd = -1;
	if (engines->n == 0 || engines->n > PROXY_ENGINES_MAX) {
		fprintf(stderr, "sockgate-proxy: there must be 1 to %d engines\n", PROXY_ENGINES_MAX);
		return -EINVAL;
	}
	for (unsigned i = 0; r == 0 && i < engines->n; i++) {
		struct str address = image_string(image, list[i].address);

		r = list[i].kind == IMAGE_UNIX ? unix_address(address, &engines->at[i])
					       : tcp_address(address, list[i].port, &engines->at[i]);
	}
	return r;
}

/* Everything that is owed for this engine is answered with the reason. */
static void report_down(struct engines *engines, struct child *child, unsigned engine, int error)
{
	struct msg msg = { .type = MSG_ENGINE_DOWN, .arg = engine, .error = error };

	/* A full channel keeps the debt: it is tried again, and fails again or not. */
	if (channel_send(child->channel, &msg, -1) == 0)
		child->owed[engine] = 0;
	else
		engines->again = true;
}

/*
 * The kernel says which process listens. Number 0 is one in another PID namespace: we are in a container and
 * the engine is not. So is one with another mount namespace, where we may know.
 */
static void look_at_peer(struct engines *engines, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	struct stat ours, theirs;
	char path[64];
	bool elsewhere = true;

	if (engines->elsewhere)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)peer.pid);
		elsewhere = stat(path, &theirs) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 &&
			    theirs.st_ino != ours.st_ino;
	}
	if (elsewhere)
		fprintf(stderr,
			"sockgate-proxy: warning: the engine does not share our files: host paths are judged "
			"as they are spelt, and where links lead is not known\n");
	engines->elsewhere = elsewhere;
}

bool engines_share_files(const struct engines *engines)
{
	return !engines->elsewhere;
}

/* Takes over fd. */
static void deliver(struct engines *engines, struct child *child, unsigned engine, int fd)
{
	struct msg msg = { .type = MSG_ENGINE, .arg = engine };

	look_at_peer(engines, fd);
	if (child->owed[engine] > 0) {
		int r = channel_send(child->channel, &msg, fd);

		if (r == 0)
			child->owed[engine]--;
		else if (r == -EAGAIN)
			engines->again = true;
	}
	close(fd);
}

static struct engine_attempt *free_attempt(struct engines *engines)
{
	for (unsigned i = 0; i < ENGINE_ATTEMPTS_MAX; i++)
		if (engines->attempts[i].fd < 0)
			return &engines->attempts[i];
	return NULL;
}

static unsigned count_attempts(const struct engines *engines, unsigned engine)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ENGINE_ATTEMPTS_MAX; i++)
		n += engines->attempts[i].fd >= 0 && engines->attempts[i].engine == engine;
	return n;
}

/* One connection. False: no more can be done for this engine now. */
static bool engine_connect(struct engines *engines, struct child *child, unsigned engine)
{
	const struct engine_address *at = &engines->at[engine];
	struct engine_attempt *attempt;
	int fd = socket(at->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		report_down(engines, child, engine, errno);
		return false;
	}
	if (connect(fd, (const struct sockaddr *)&at->address, at->size) == 0) {
		unsigned owed = child->owed[engine];

		deliver(engines, child, engine, fd);
		return child->owed[engine] < owed;
	}
	if (errno == EINPROGRESS && (attempt = free_attempt(engines))) {
		*attempt = (struct engine_attempt){ .fd = fd, .engine = engine };
		return true;
	}
	if (errno == EAGAIN || errno == EINPROGRESS)
		engines->again = true;
	else
		report_down(engines, child, engine, errno);
	close(fd);
	return false;
}

void engines_serve(struct engines *engines, struct child *child)
{
	engines->again = false;
	if (!child->ready)
		return;
	for (unsigned i = 0; i < engines->n; i++)
		while (child->owed[i] > count_attempts(engines, i) && engine_connect(engines, child, i))
			;
}

unsigned engines_watch(const struct engines *engines, struct pollfd *fds)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ENGINE_ATTEMPTS_MAX; i++)
		if (engines->attempts[i].fd >= 0)
			fds[n++] = (struct pollfd){ .fd = engines->attempts[i].fd, .events = POLLOUT };
	return n;
}

void engines_ready(struct engines *engines, struct child *child, const struct pollfd *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!fds[i].revents)
			continue;
		for (unsigned k = 0; k < ENGINE_ATTEMPTS_MAX; k++) {
			struct engine_attempt *attempt = &engines->attempts[k];
			int error = 0;
			socklen_t size = sizeof(error);

			if (attempt->fd != fds[i].fd)
				continue;
			if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
				error = errno;
			attempt->fd = -1;
			if (error) {
				report_down(engines, child, attempt->engine, error);
				close(fds[i].fd);
			} else {
				deliver(engines, child, attempt->engine, fds[i].fd);
			}
		}
	}
}
