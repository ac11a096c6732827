/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stub_engine - a very cheap stand-in for dockerd, so that what is measured is the cost of a proxy.
 *
 *   stub_engine LISTEN [LISTEN...]      LISTEN is unix:PATH or tcp:IPV4:PORT
 *
 * One thread, one epoll set. Answers, after an optional /vN.NN prefix, with heads like Docker's:
 *   GET  /events...              200, chunked, then silence for ever
 *   GET  /images/N/get           200, N bytes in 32 KiB chunks (what Go sends for `docker save`)
 *   GET  /containers/N/export    200, N bytes with Content-Length
 *   POST /containers/create...   reads the body, 201 {"Id": ...}
 *   POST or PUT of anything else reads the body, 200 {"bytes": N}
 *   anything else                200, a container list of one
 * Requests must not be pipelined, and only the bench's own peers are trusted to talk to it.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/chunk_scan.h"
#include "lib/head_scan.h"

enum { HEAD_CAP = 16384, CHUNK = 32768, UNIT = 6 + CHUNK + 2, UNITS = 9, REPLY_MAX = 1024 };
enum { ACCEPTS_A_TURN = 64, EVENTS_MAX = 256, LISTEN_BACKLOG = 4096 };
enum state { LISTENING, HEAD, UPLOAD, DOWNLOAD, SILENT };

#define DOCKER_FIELDS \
	"Api-Version: 1.41\r\nContent-Type: application/json\r\nDocker-Experimental: false\r\nOstype: " \
	"linux\r\n" \
	"Server: Docker/20.10.24 (linux)\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\n"
#define CONTAINER_LIST \
	"[{\"Id\":\"4f5e2c7d9b1a\",\"Names\":[\"/web\"],\"Image\":\"nginx:latest\",\"ImageID\":" \
	"\"sha256:9beeba249f3e\",\"Command\":\"nginx -g 'daemon " \
	"off;'\",\"Created\":1700000000,\"Ports\":[]," \
	"\"Labels\":{},\"State\":\"running\",\"Status\":\"Up 5 days\"}]"
#define CREATED \
	"{\"Id\":\"4f5e2c7d9b1a4f5e2c7d9b1a4f5e2c7d9b1a4f5e2c7d9b1a4f5e2c7d9b1a0000\",\"Warnings\":[]}\n"

struct connection {
	int fd;
	enum state state;
	bool close_after, watches_out;
	char *head; /* only while a head is incomplete */
	size_t head_len;
	bool create; /* the upload is a container's configuration */
	bool chunked;
	uint64_t got, left; /* upload */
	struct chunk_scan chunks;
	uint64_t sent, end; /* download, in bytes on the wire */
};

struct stub {
	int epoll;
	char units[UNITS * UNIT]; /* framed chunks for downloads */
	char receive[256 * 1024];
};

static void drop(struct connection *c)
{
	close(c->fd);
	free(c->head);
	free(c);
}

static void watch(struct stub *stub, struct connection *c, bool out)
{
	struct epoll_event event = { .events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c };

	if (c->watches_out == out)
		return;
	if (epoll_ctl(stub->epoll, EPOLL_CTL_MOD, c->fd, &event))
		err(1, "epoll_ctl");
	c->watches_out = out;
}

/* Short replies always fit in an empty socket buffer. Like everything below: false drops the connection. */
static bool reply(struct connection *c, const char *status, const char *fields, const char *body)
{
	char text[REPLY_MAX];
	int n = body ? snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
				fields, strlen(body), body)
		     : snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n%s\r\n", status, fields);

	return n > 0 && (size_t)n < sizeof(text) && send(c->fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool request_ended(struct connection *c)
{
	c->state = HEAD;
	return !c->close_after;
}

static bool download_some(struct stub *stub, struct connection *c)
{
	static const char last[] = "0\r\n\r\n";
	uint64_t data_end = c->chunked ? c->end - (sizeof(last) - 1) : c->end;

	while (c->sent < c->end) {
		uint64_t offset = c->chunked ? c->sent % UNIT : 0, n = sizeof(stub->units) - offset;
		const char *p = stub->units + offset;
		ssize_t w;

		if (c->sent >= data_end) {
			p = last + (c->sent - data_end);
			n = c->end - c->sent;
		} else if (n > data_end - c->sent) {
			n = data_end - c->sent;
		}
		w = send(c->fd, p, n, MSG_NOSIGNAL);
		if (w < 0 && errno == EAGAIN) {
			watch(stub, c, true);
			return true;
		}
		if (w < 0)
			return false;
		c->sent += (uint64_t)w;
	}
	watch(stub, c, false);
	return request_ended(c);
}

static bool download_begin(struct stub *stub, struct connection *c, uint64_t bytes, bool chunked)
{
	char fields[128];
	bool ok;

	c->chunked = chunked;
	c->sent = 0;
	c->state = DOWNLOAD;
	if (chunked) {
		c->end = (bytes + CHUNK - 1) / CHUNK * UNIT + 5;
		snprintf(fields, sizeof(fields),
			 "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n");
	} else {
		c->end = bytes;
		snprintf(fields, sizeof(fields),
			 "Content-Type: application/x-tar\r\nContent-Length: %llu\r\n",
			 (unsigned long long)bytes);
	}
	ok = reply(c, "200 OK", fields, NULL);
	return ok && download_some(stub, c);
}

static bool upload_ended(struct connection *c)
{
	char body[64];

	if (c->create)
		return reply(c, "201 Created", DOCKER_FIELDS, CREATED) && request_ended(c);
	snprintf(body, sizeof(body), "{\"bytes\":%llu}\n", (unsigned long long)c->got);
	return reply(c, "200 OK", DOCKER_FIELDS, body) && request_ended(c);
}

static bool upload_some(struct connection *c, const char *p, size_t n)
{
	if (c->chunked) {
		ssize_t taken = chunk_scan_take(&c->chunks, p, n, &c->got);

		if (taken < 0 || (size_t)taken < n)
			return false;
		return c->chunks.state != CHUNK_DONE || upload_ended(c);
	}
	if (n > c->left)
		return false;
	c->left -= n;
	c->got += n;
	return c->left > 0 || upload_ended(c);
}

static bool upload_begin(struct connection *c, const char *head, size_t n, bool create, const char *rest,
			 size_t rest_len)
{
	size_t len;
	const char *length = head_scan_field(head, n, "Content-Length", &len);

	c->state = UPLOAD;
	c->create = create;
	c->got = 0;
	c->chunked = head_scan_has(head, n, "Transfer-Encoding", "chunked");
	c->chunks = (struct chunk_scan){ 0 };
	c->left = length ? strtoull(length, NULL, 10) : 0;
	if (!c->chunked && c->left == 0)
		return upload_ended(c);
	if (head_scan_has(head, n, "Expect", "100-continue") && !reply(c, "100 Continue", "", NULL))
		return false;
	return rest_len == 0 || upload_some(c, rest, rest_len);
}

/* N of "PREFIX/N/VERB", or 0. */
static uint64_t sized_path(const char *path, const char *prefix, const char *verb)
{
	size_t prefix_len = strlen(prefix);
	unsigned long long n;
	char *end;

	if (strncmp(path, prefix, prefix_len) != 0)
		return 0;
	n = strtoull(path + prefix_len, &end, 10);
	return strncmp(end, verb, strlen(verb)) == 0 ? n : 0;
}

/* One whole request head, and what followed it. The caller's buffer ends in NUL. */
static bool request(struct stub *stub, struct connection *c, const char *head, size_t n, const char *rest,
		    size_t rest_len)
{
	const char *path = memchr(head, ' ', n);
	uint64_t bytes;

	if (!path)
		return false;
	path++;
	if (path[0] == '/' && path[1] == 'v' && path[2] >= '0' && path[2] <= '9') {
		path = strchr(path + 1, '/');
		if (!path)
			return false;
	}
	c->close_after = head_scan_has(head, n, "Connection", "close");
	if (head[0] == 'P')
		return upload_begin(c, head, n, strncmp(path, "/containers/create", 18) == 0, rest, rest_len);
	if (strncmp(path, "/events", 7) == 0) {
		c->state = SILENT;
		return reply(c, "200 OK", DOCKER_FIELDS "Transfer-Encoding: chunked\r\n", NULL);
	}
	if ((bytes = sized_path(path, "/images/", "/get")))
		return download_begin(stub, c, bytes, true);
	if ((bytes = sized_path(path, "/containers/", "/export")))
		return download_begin(stub, c, bytes, false);
	return reply(c, "200 OK", DOCKER_FIELDS, CONTAINER_LIST) && request_ended(c);
}

/* A head that has not ended: keeps it for the next bytes. */
static bool head_keep(struct connection *c, const char *bytes, size_t n)
{
	if (c->head_len + n >= HEAD_CAP)
		return false;
	if (!c->head && !(c->head = malloc(HEAD_CAP)))
		return false;
	memcpy(c->head + c->head_len, bytes, n);
	c->head_len += n;
	c->head[c->head_len] = '\0';
	return true;
}

static bool receive_some(struct stub *stub, struct connection *c)
{
	ssize_t n = recv(c->fd, stub->receive, sizeof(stub->receive) - 1, 0);
	const char *head = stub->receive;
	size_t len, end;

	if (n < 0)
		return errno == EAGAIN;
	if (n == 0)
		return false;
	if (c->state == UPLOAD)
		return upload_some(c, stub->receive, (size_t)n);
	if (c->state != HEAD)
		return true;
	stub->receive[n] = '\0';
	len = (size_t)n;
	if (c->head_len) {
		if (!head_keep(c, stub->receive, len))
			return false;
		head = c->head;
		len = c->head_len;
	}
	end = head_scan_end(head, len);
	if (end == 0)
		return c->head_len > 0 || head_keep(c, head, len);
	c->head_len = 0;
	return request(stub, c, head, end, head + end, len - end);
}

static void add(struct stub *stub, int fd, enum state state)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

	if (!c)
		err(1, "connection");
	c->fd = fd;
	c->state = state;
	if (epoll_ctl(stub->epoll, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll_ctl");
} /* NOLINT(clang-analyzer-unix.Malloc): the epoll set holds the connection until drop() */

static void listen_on(struct stub *stub, const char *spec)
{
	struct address address;
	const char *why;
	int fd, one = 1;

	if (address_parse(spec, &address, &why))
		errx(2, "%s: %s", spec, why);
	fd = address_socket(&address, SOCK_NONBLOCK);
	if (fd < 0) {
		errno = -fd;
		err(2, "%s", spec);
	}
	if (address.storage.ss_family == AF_UNIX)
		unlink(spec + 5);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&address.storage, address.len) || listen(fd, LISTEN_BACKLOG))
		err(2, "%s", spec);
	/* A proxy under test may run as somebody else. */
	if (address.storage.ss_family == AF_UNIX && chmod(spec + 5, 0666))
		err(2, "%s", spec);
	add(stub, fd, LISTENING);
}

static void accept_some(struct stub *stub, int listener)
{
	for (int k = 0; k < ACCEPTS_A_TURN; k++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		add(stub, fd, HEAD);
	}
}

static void turn(struct stub *stub)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(stub->epoll, events, EVENTS_MAX, -1);

	for (int i = 0; i < n; i++) {
		struct connection *c = events[i].data.ptr;
		bool ok = true;

		if (c->state == LISTENING) {
			accept_some(stub, c->fd);
			continue;
		}
		if ((events[i].events & EPOLLOUT) && c->state == DOWNLOAD)
			ok = download_some(stub, c);
		if (ok && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
			ok = receive_some(stub, c);
		if (!ok)
			drop(c);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct stub *stub;

	if (argc < 2) {
		fputs("usage: stub_engine unix:PATH|tcp:IPV4:PORT...\n", stderr);
		return 2;
	}
	stub = calloc(1, sizeof(*stub));
	if (!stub)
		err(2, "stub");
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files))
			warn("open files");
	}
	for (int i = 0; i < UNITS; i++) {
		char *unit = stub->units + (size_t)i * UNIT;

		memcpy(unit, "8000\r\n", 6);
		memset(unit + 6, 'x', CHUNK);
		memcpy(unit + 6 + CHUNK, "\r\n", 2);
	}
	stub->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (stub->epoll < 0)
		err(2, "epoll_create1");
	for (int i = 1; i < argc; i++)
		listen_on(stub, argv[i]);
	for (;;)
		turn(stub);
}
