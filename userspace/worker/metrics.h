/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.h - what the worker counts, and how it is written down for Prometheus. Pure: no I/O, no clock, no
 * allocation, and no float.
 *
 * Counting is adding to a number in a plain struct that one thread owns; time is the turn's, so that a
 * request costs no reading of the clock. Writing follows the text format 0.0.4 (Prometheus, "Exposition
 * formats").
 */
#ifndef SOCKGATE_WORKER_METRICS_H
#define SOCKGATE_WORKER_METRICS_H

#include "api/api_operations.h"
#include "text/buf.h"

#define METRICS_RULES    64 /* rules that are told apart, in the order in which they first refuse */
#define METRICS_RULE_MAX 95 /* bytes of a rule's text; what is longer is cut */
#define METRICS_BUCKETS  15
#define METRICS_TEXT_MAX (64 * 1024) /* what metrics_format() writes is never longer */

enum metrics_verdict { METRICS_ALLOW, METRICS_WARN, METRICS_DENY, METRICS_VERDICTS };
enum metrics_direction { METRICS_TO_ENGINE, METRICS_TO_CLIENT, METRICS_DIRECTIONS };
enum metrics_stream { METRICS_NO_STREAM, METRICS_RESPONSE, METRICS_TUNNEL, METRICS_STREAMS };
enum metrics_gate {
	METRICS_GATE_NONE,
	METRICS_GATE_ENFORCING,
	METRICS_GATE_DEGRADED,
	METRICS_GATE_OFF,
	METRICS_GATES
};

struct metrics_rule {
	uint64_t count; /* 0: the place is free */
	uint8_t len;
	char text[METRICS_RULE_MAX]; /* a copy: the image that it stands in may go */
};

struct metrics {
	int64_t now;     /* microseconds of CLOCK_MONOTONIC at the start of the turn */
	int64_t started; /* seconds of CLOCK_REALTIME */
	uint64_t requests[API_OPERATIONS + 1][METRICS_VERDICTS]; /* the last row: no operation */
	struct metrics_rule rules[METRICS_RULES];                /* a hash table, open addressing */
	uint64_t other_rules;
	uint64_t buckets[METRICS_BUCKETS + 1]; /* not cumulative; the last one: longer */
	uint64_t duration_sum;                 /* microseconds */
	uint64_t bytes[METRICS_DIRECTIONS];
	unsigned streams[METRICS_STREAMS];
	unsigned engine_connections; /* to all engines, idle or not */
	uint64_t engine_unreachable, engine_failures;
	uint64_t audit_records;
};

/* What others know, when it is written down. */
struct metrics_view {
	unsigned clients;
	unsigned engine_idle, engine_wanted, waiting;
	uint64_t audit_lost;
	bool audit_failing;
	enum metrics_gate gate;
	uint64_t policy_hash;
};

/* A request was decided; `operation` is NULL where none was recognised. */
void metrics_count_request(struct metrics *metrics, const struct api_operation *operation,
			   enum metrics_verdict verdict);
/* A refusal, by the rule that refused; by the status of the answer where it was none (`rule` empty). */
void metrics_count_refusal(struct metrics *metrics, struct str rule, unsigned status);
/* The engine's response head has been passed on, to a request decided at `decided` (metrics.now of then). */
void metrics_count_answer(struct metrics *metrics, int64_t decided);
/* A client was answered with this status because of the engine: only 502 and 504 are its failures. */
void metrics_count_failure(struct metrics *metrics, unsigned status);
/* What the client's exchange is now; *stream is what it was. */
void metrics_set_stream(struct metrics *metrics, uint8_t *stream, enum metrics_stream now);

/* metrics_format.c: appends everything. */
void metrics_format(const struct metrics *metrics, const struct metrics_view *view, struct buf *out);

/* The upper bounds of the histogram's buckets in microseconds, and as the text that `le` has (seconds). */
struct metrics_bucket {
	int64_t limit;
	const char *seconds;
};
extern const struct metrics_bucket metrics_buckets[METRICS_BUCKETS];

#endif
