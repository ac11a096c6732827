/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/trail.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int trail_init(struct trail *trail)
{
	trail->fd = -1;
	trail->lost = 0;
	trail->memory = malloc(TRAIL_SIZE);
	if (!trail->memory)
		return -ENOMEM;
	trail->lines = buf_over(trail->memory, TRAIL_SIZE);
	return 0;
}

void trail_add(struct trail *trail, const struct audit_request *record)
{
	if (trail->fd < 0)
		return;
	if (trail->lines.cap - trail->lines.n < AUDIT_LINE_MAX)
		trail_flush(trail);
	audit_format_request(&trail->lines, record);
}

#define TRAIL_PATIENCE 1000 /* ms */

static uint64_t count_lines(const char *p, size_t n)
{
	uint64_t count = 0;

	for (const char *end = p + n; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		count++;
	return count;
}

/*
 * The trail may be a pipe, whose reader is slow or gone to sleep. It gets a moment; after that requests go on
 * without it, and what is lost is counted and said. A file never comes here.
 */
static bool wait_for_reader(struct trail *trail)
{
	struct pollfd ready = { .fd = trail->fd, .events = POLLOUT };

	if (trail->lost)
		return false;
	return poll(&ready, 1, TRAIL_PATIENCE) > 0 && (ready.revents & POLLOUT);
}

void trail_flush(struct trail *trail)
{
	size_t at = 0;

	while (at < trail->lines.n) {
		ssize_t n = write(trail->fd, trail->lines.p + at, trail->lines.n - at);

		if (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_for_reader(trail))))
			continue;
		if (n <= 0) {
			if (trail->lost == 0)
				fprintf(stderr, "sockgate-worker: audit trail: cannot write: %s\n",
					strerror(errno));
			trail->lost += count_lines(trail->lines.p + at, trail->lines.n - at);
			break;
		}
		at += (size_t)n;
	}
	if (at == trail->lines.n && at > 0 && trail->lost > 0) {
		fprintf(stderr, "sockgate-worker: audit trail: %llu records were lost\n",
			(unsigned long long)trail->lost);
		trail->lost = 0;
	}
	trail->lines = buf_over(trail->memory, TRAIL_SIZE);
}
