/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/watchdog.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "channel/channel.h"

static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A number of decimal digits and nothing else, or 0. */
static uint64_t number_of(const char *variable)
{
	const char *text = getenv(variable);
	char *end;
	unsigned long long n;

	if (!text || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	return errno || *end ? 0 : n;
}

void watchdog_init(struct watchdog *watchdog)
{
	uint64_t interval = number_of("WATCHDOG_USEC") / 1000;

	*watchdog = (struct watchdog){ .every = 0 };
	if (interval < 2 || interval > INT_MAX)
		return;
	if (getenv("WATCHDOG_PID") && number_of("WATCHDOG_PID") != (uint64_t)getpid())
		return;
	watchdog->every = (int64_t)interval / 2;
}

int watchdog_timeout(const struct watchdog *watchdog, int timeout)
{
	int64_t left;

	if (!watchdog->every)
		return timeout;
	left = watchdog->next - milliseconds();
	if (left < 0)
		left = 0;
	return timeout < 0 || left < timeout ? (int)left : timeout;
}

void watchdog_ask(struct watchdog *watchdog, int channel)
{
	struct msg msg = { .type = MSG_PING };
	int64_t now;

	if (!watchdog->every)
		return;
	now = milliseconds();
	if (now < watchdog->next)
		return;
	watchdog->next = now + watchdog->every;
	/* A worker that takes no messages does not answer either: the manager will see to it. */
	if (channel >= 0)
		(void)channel_send(channel, &msg, -1);
}
