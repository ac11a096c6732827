/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli_log.h - the requests of an audit trail, for `sockgate learn` and `sockgate diff`.
 *
 * A trail is input like any other: it may be damaged or written by somebody else. Nothing here trusts it;
 * audit-log verify says whether it is whole.
 */
#ifndef SOCKGATE_CLI_LOG_H
#define SOCKGATE_CLI_LOG_H

#include "api/api_operations.h"

/* One request that a policy has judged: 400s and the like are not here. Slices are valid during the call. */
struct cli_log_request {
	const struct api_operation *operation;
	struct str path;   /* canonical, without the query; "..." at the end of a very long one */
	struct str time;   /* "2026-01-31T12:00:00.000000Z" */
	bool refused;      /* denied, or it would have been */
	struct str reason; /* of a refusal */
	struct str rule;   /* that decided: a statement or a limit */
	struct str limits; /* every limit that refused, where the policy only warned */
};

struct cli_log {
	void (*request)(void *context, const struct cli_log_request *request);
	void *context;
	uint64_t others;     /* requests that no policy could have let through: malformed, no operation */
	uint64_t unreadable; /* lines that are no records */
};

/*
 * Reads a file ("-": standard input). The counters add up over several files. Returns 0 or -errno.
 */
int cli_log_read(struct cli_log *log, const char *file);

/* Takes one word off a list "containers.binds, exec.users"; false after the last. */
bool cli_log_word(struct str *list, struct str *ret);

#endif
