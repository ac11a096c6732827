/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.h - drives one workload against one address: N connections, one request in flight on each, one thread.
 *
 * The loop is closed: a connection sends its next request when the last one ended, so a stall lowers the rate
 * instead of piling up (read p99 and max with that in mind). Latency runs from just before connect(2) (a new
 * connection) or the first write (a reused one) to the last byte of the response. Set-up failures end the
 * process (exit status 2); what the peer does wrong is counted.
 */
#ifndef SOCKGATE_BENCH_LOAD_H
#define SOCKGATE_BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"
#include "histogram.h"

enum { LOAD_HEADERS_MAX = 32, LOAD_PIDS_MAX = 64, LOAD_STATUS_MAX = 600 };

struct load_options {
	struct address address;
	const char *target, *path, *method, *label;
	const char *headers[LOAD_HEADERS_MAX];
	int header_count;
	uint64_t count;  /* requests to measure, or ... */
	double seconds;  /* ... when > 0: how long to start new ones */
	uint64_t warmup; /* requests before, neither counted nor timed */
	int connections;
	bool close_each; /* a new connection for every request */
	char *body;      /* fixed body, sent as JSON; owned by the caller */
	size_t body_len;
	uint64_t upload_bytes; /* > 0: a generated body instead */
	size_t upload_chunk;
	bool upload_length; /* framed by Content-Length, not chunked */
	int expect;         /* the status that every response must have */
	double hold;        /* > 0: idle streams, held so many seconds */
	double limit;       /* seconds of wall time after which to give up */
	pid_t pids[LOAD_PIDS_MAX];
	int pid_count;
};

/* What a request consists of on the wire: `head` (with a fixed body), then `total` bytes of the generated
 * body, which repeat `period` bytes held several times over in `run`, and end in `last`. */
struct load_request {
	char *head;
	size_t head_len;
	char *run;
	size_t run_len, period;
	const char *last;
	size_t last_len;
	uint64_t total;
};

void load_request_build(struct load_request *request, const struct load_options *options);
void load_request_free(struct load_request *request);
/* The bytes to send at offset `at` of the generated body: a pointer, and how many. */
const char *load_request_body(const struct load_request *request, uint64_t at, size_t *ret_len);

struct load_results {
	struct histogram latency;
	uint64_t finished, errors, bad_status, connects, connect_retries, received_bytes;
	uint64_t statuses[LOAD_STATUS_MAX];
	double wall_s, client_cpu_s;
	double cpu_s[LOAD_PIDS_MAX]; /* of options->pids, while it ran; < 0: the process is gone */
	int64_t pss_kib, fds;        /* of all of them at the end */
	int held;                    /* idle streams that were open at the end */
	bool cut_short;              /* ended by options->limit */
};

void load_run(const struct load_options *options, struct load_results *results);

#endif
