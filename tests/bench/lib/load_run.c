/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections of a load run.
 *
 * A connection goes OFF -> (WAIT_CONNECT) -> SENDING -> HEAD -> BODY and back to SENDING or OFF; an idle
 * stream ends in HELD. The head may come while the body is still being sent (a refused upload), so SENDING
 * reads too. A connection whose request has ended and that may start another is put on a list that the main
 * loop drains: a run of failures must not recurse.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "load_response.h"
#include "process_usage.h"

enum { RECEIVE_MAX = 256 * 1024, EVENTS_MAX = 256, OPEN_AT_ONCE = 128 };
enum state { OFF, WAIT_CONNECT, SENDING, HEAD, BODY, HELD };

struct connection {
	int fd;
	enum state state;
	bool watches_out;
	uint64_t started_ns;
	size_t head_sent;
	uint64_t body_sent;
	struct load_response response;
};

struct run {
	const struct load_options *options;
	struct load_results *results;
	struct load_request request;
	bool to_head; /* the method is HEAD: no response has a body */
	int epoll;
	struct connection *connections;
	struct connection **ready; /* may start their next request */
	int ready_count, opened, active, waiting_connect;
	uint64_t started, warmup_left;
	uint64_t begin_ns, stop_ns; /* of the measurement; stop_ns is 0 when a count ends it */
	int64_t cpu_begin[LOAD_PIDS_MAX];
	struct rusage usage_begin;
	char receive[RECEIVE_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void measure_begin(struct run *run)
{
	const struct load_options *o = run->options;

	for (int i = 0; i < o->pid_count; i++)
		run->cpu_begin[i] = process_cpu_ns(o->pids[i]);
	getrusage(RUSAGE_SELF, &run->usage_begin);
	run->results->connects = run->results->connect_retries = run->results->received_bytes = 0;
	run->begin_ns = now_ns();
	run->stop_ns = o->seconds > 0 ? run->begin_ns + (uint64_t)(o->seconds * 1e9) : 0;
}

static bool may_start(const struct run *run)
{
	if (run->warmup_left || run->stop_ns == 0)
		return run->started < run->options->count + run->options->warmup;
	return now_ns() < run->stop_ns;
}

static void connection_close(struct run *run, struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->state == WAIT_CONNECT)
		run->waiting_connect--;
	load_response_reset(&c->response);
	*c = (struct connection){ .fd = -1, .state = OFF };
}

static void watch(struct run *run, struct connection *c, int operation, bool out)
{
	struct epoll_event event = { .events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c };

	if (operation == EPOLL_CTL_MOD && c->watches_out == out)
		return;
	if (epoll_ctl(run->epoll, operation, c->fd, &event))
		err(2, "epoll_ctl");
	c->watches_out = out;
}

static void request_ended(struct run *run, struct connection *c, bool ok)
{
	struct load_results *results = run->results;

	run->active--;
	/* Mistakes count from the first request on: a warm-up hides none. */
	if (!ok)
		results->errors++;
	else if (c->response.status != run->options->expect)
		results->bad_status++;
	if (run->warmup_left) {
		if (--run->warmup_left == 0)
			measure_begin(run);
	} else {
		results->finished++;
		if (ok) {
			histogram_add(&results->latency, now_ns() - c->started_ns);
			if (c->response.status < LOAD_STATUS_MAX)
				results->statuses[c->response.status]++;
		}
	}
	if (!ok || c->response.peer_closes || run->options->close_each || c->body_sent < run->request.total)
		connection_close(run, c);
	run->ready[run->ready_count++] = c;
}

/* False when there is no connection now: the request has failed, or waits for room in the listen queue. */
static bool connection_open(struct run *run, struct connection *c)
{
	const struct address *address = &run->options->address;
	int fd = address_socket(address, SOCK_NONBLOCK);

	if (fd < 0) {
		errno = -fd;
		err(2, "socket");
	}
	if (connect(fd, (const struct sockaddr *)&address->storage, address->len) && errno != EINPROGRESS) {
		int e = errno;

		close(fd);
		if (e == EAGAIN) { /* a Unix socket's full listen queue */
			run->results->connect_retries++;
			run->waiting_connect += c->state != WAIT_CONNECT;
			c->state = WAIT_CONNECT;
			return false;
		}
		if (run->results->errors == 0)
			warnx("%s: %s", run->options->target, strerror(e));
		request_ended(run, c, false);
		return false;
	}
	if (c->state == WAIT_CONNECT)
		run->waiting_connect--;
	c->fd = fd;
	run->results->connects++;
	watch(run, c, EPOLL_CTL_ADD, false);
	return true;
}

/*
 * After a failed send. The peer may have answered and stopped reading (a refused upload): then stop sending
 * and let the reader find the response or the end of the stream.
 */
static void send_stopped(struct run *run, struct connection *c)
{
	if (errno == EAGAIN || errno == ENOTCONN) {
		watch(run, c, EPOLL_CTL_MOD, true);
		return;
	}
	if (errno != EPIPE && errno != ECONNRESET) {
		request_ended(run, c, false);
		return;
	}
	c->head_sent = run->request.head_len;
	c->body_sent = run->request.total;
	c->response.peer_closes = true;
	c->state = HEAD;
	watch(run, c, EPOLL_CTL_MOD, false);
}

static void send_some(struct run *run, struct connection *c)
{
	const struct load_request *request = &run->request;

	while (c->head_sent < request->head_len || c->body_sent < request->total) {
		bool in_head = c->head_sent < request->head_len;
		size_t len = request->head_len - c->head_sent;
		const char *p = in_head ? request->head + c->head_sent
					: load_request_body(request, c->body_sent, &len);
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL | (in_head && request->total ? MSG_MORE : 0));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			send_stopped(run, c);
			return;
		}
		if (in_head)
			c->head_sent += (size_t)n;
		else
			c->body_sent += (uint64_t)n;
	}
	watch(run, c, EPOLL_CTL_MOD, false);
	if (c->state == SENDING)
		c->state = HEAD;
}

static void request_start(struct run *run, struct connection *c)
{
	if (c->state != WAIT_CONNECT) { /* not another try of the same request */
		run->started++;
		run->active++;
		c->started_ns = now_ns();
		c->head_sent = 0;
		c->body_sent = 0;
		load_response_reset(&c->response);
	}
	if (c->fd < 0 && !connection_open(run, c))
		return;
	c->state = SENDING;
	send_some(run, c);
}

/* An idle stream's head is here: from now on it is only held. */
static void stream_opened(struct run *run, struct connection *c)
{
	run->active--;
	if (c->response.status != run->options->expect) {
		run->results->bad_status++;
		connection_close(run, c);
		return;
	}
	run->results->finished++;
	run->results->held++;
	c->state = HELD;
}

/* True while the request goes on. */
static bool take_bytes(struct run *run, struct connection *c, const char *p, size_t n)
{
	int r = 1;

	if (c->state == HELD) {
		run->results->received_bytes += n;
		return true;
	}
	while (r > 0 && (c->state == HEAD || c->state == SENDING)) {
		r = load_response_take_head(&c->response, run->to_head, &p, &n);
		if (r > 0 && c->response.status >= 200)
			c->state = BODY;
	}
	if (r > 0 && run->options->hold > 0) {
		stream_opened(run, c);
		return false;
	}
	if (r > 0)
		r = load_response_take_body(&c->response, p, n, &run->results->received_bytes);
	if (r == 0)
		return true;
	request_ended(run, c, r > 0);
	return false;
}

static void stream_lost(struct run *run, struct connection *c)
{
	run->results->held--;
	run->results->errors++;
	connection_close(run, c);
}

static void receive_some(struct run *run, struct connection *c)
{
	for (;;) {
		ssize_t n = recv(c->fd, run->receive, RECEIVE_MAX, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (c->state == HELD)
				stream_lost(run, c);
			else
				request_ended(run, c,
					      n == 0 && c->state == BODY &&
						      c->response.framing == LOAD_FRAMING_CLOSE);
			return;
		}
		if (!take_bytes(run, c, run->receive, (size_t)n))
			return;
		if (n < RECEIVE_MAX) /* level-triggered: epoll tells of more */
			return;
	}
}

/* Opens connections until all are; idle streams in steps, so that a short listen queue is no obstacle. */
static void open_more(struct run *run)
{
	int step = run->options->hold > 0 ? OPEN_AT_ONCE : run->options->connections;

	while (run->opened < run->options->connections && run->active < step && may_start(run))
		request_start(run, &run->connections[run->opened++]);
}

static void poll_once(struct run *run)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(run->epoll, events, EVENTS_MAX, run->waiting_connect ? 1 : 100);

	for (int i = 0; i < n; i++) {
		struct connection *c = events[i].data.ptr;

		if (c->fd >= 0 && (events[i].events & EPOLLOUT) && c->watches_out)
			send_some(run, c);
		if (c->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
			receive_some(run, c);
	}
	for (int i = 0; i < run->opened && run->waiting_connect; i++)
		if (run->connections[i].state == WAIT_CONNECT)
			request_start(run, &run->connections[i]);
}

/* Until every request has ended and, with idle streams, their time is over. */
static void loop(struct run *run)
{
	uint64_t deadline = now_ns() + (uint64_t)(run->options->limit * 1e9), hold_until = 0;

	for (;;) {
		open_more(run);
		while (run->ready_count) {
			struct connection *c = run->ready[--run->ready_count];

			if (run->options->hold <= 0 && may_start(run))
				request_start(run, c);
			else
				connection_close(run, c);
		}
		if (run->active == 0 && (run->opened == run->options->connections || !may_start(run))) {
			if (run->options->hold <= 0 || (hold_until && now_ns() >= hold_until))
				return;
			if (!hold_until)
				hold_until = now_ns() + (uint64_t)(run->options->hold * 1e9);
		}
		if (now_ns() >= deadline) {
			run->results->cut_short = true;
			return;
		}
		poll_once(run);
	}
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void measure_end(struct run *run)
{
	const struct load_options *o = run->options;
	struct load_results *results = run->results;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	results->wall_s = (double)(now_ns() - run->begin_ns) / 1e9;
	results->client_cpu_s = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime) -
				seconds_of(run->usage_begin.ru_utime) - seconds_of(run->usage_begin.ru_stime);
	for (int i = 0; i < o->pid_count; i++) {
		int64_t end = process_cpu_ns(o->pids[i]),
			pss = process_kib(o->pids[i], "smaps_rollup", "Pss");
		int fds = process_fds(o->pids[i]);

		results->cpu_s[i] =
			run->cpu_begin[i] < 0 || end < 0 ? -1 : (double)(end - run->cpu_begin[i]) / 1e9;
		results->pss_kib += pss > 0 ? pss : 0;
		results->fds += fds > 0 ? fds : 0;
	}
}

void load_run(const struct load_options *options, struct load_results *results)
{
	struct run *run = calloc(1, sizeof(*run));
	size_t n = (size_t)options->connections;

	memset(results, 0, sizeof(*results));
	if (!run || !(run->connections = calloc(n, sizeof(*run->connections))) ||
	    !(run->ready = calloc(n, sizeof(struct connection *))))
		err(2, "%zu connections", n);
	run->options = options;
	run->results = results;
	run->to_head = strcmp(options->method, "HEAD") == 0;
	run->warmup_left = options->warmup;
	run->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (run->epoll < 0)
		err(2, "epoll_create1");
	for (size_t i = 0; i < n; i++)
		run->connections[i].fd = -1;
	load_request_build(&run->request, options);

	measure_begin(run);
	loop(run);
	measure_end(run);

	for (size_t i = 0; i < n; i++)
		connection_close(run, &run->connections[i]);
	load_request_free(&run->request);
	close(run->epoll);
	free(run->connections);
	free(run->ready);
	free(run);
}
