/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/deadline.h"

#include <limits.h>
#include <stddef.h>

const int64_t deadline_milliseconds[DEADLINE_CLASSES] = {
	[DEADLINE_HEAD] = 10 * 1000, [DEADLINE_BODY] = 60 * 1000,  [DEADLINE_ENGINE] = 10 * 1000,
	[DEADLINE_READY] = 2 * 1000, [DEADLINE_LINGER] = 2 * 1000, [DEADLINE_IDLE] = 600 * 1000,
};

void deadlines_init(struct deadlines *all)
{
	for (int i = 0; i < DEADLINE_CLASSES; i++)
		all->lists[i].prev = all->lists[i].next = &all->lists[i];
}

void deadline_init(struct deadline *d)
{
	*d = (struct deadline){ .class = DEADLINE_NONE };
}

void deadline_clear(struct deadline *d)
{
	if (d->class == DEADLINE_NONE)
		return;
	d->prev->next = d->next;
	d->next->prev = d->prev;
	d->class = DEADLINE_NONE;
}

void deadline_set(struct deadlines *all, struct deadline *d, enum deadline_class class, int64_t now)
{
	struct deadline *list = &all->lists[class];

	deadline_clear(d);
	d->class = (uint8_t) class;
	d->at = now + deadline_milliseconds[class];
	d->prev = list->prev;
	d->next = list;
	list->prev->next = d;
	list->prev = d;
}

int deadline_timeout(const struct deadlines *all, int64_t now)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < DEADLINE_CLASSES; i++)
		if (all->lists[i].next != &all->lists[i] && all->lists[i].next->at < next)
			next = all->lists[i].next->at;
	if (next == INT64_MAX)
		return -1;
	if (next <= now)
		return 0;
	return next - now > INT_MAX ? INT_MAX : (int)(next - now);
}

struct deadline *deadline_expired(struct deadlines *all, int64_t now, enum deadline_class *ret_class)
{
	for (int i = 0; i < DEADLINE_CLASSES; i++) {
		struct deadline *d = all->lists[i].next;

		if (d == &all->lists[i] || d->at > now)
			continue;
		deadline_clear(d);
		*ret_class = (enum deadline_class)i;
		return d;
	}
	return NULL;
}
