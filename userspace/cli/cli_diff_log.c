/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli_diff_log.c - logged requests, judged again by two policies. The trail has neither query nor body, so
 * only what the path and the operation decide can be compared.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli_diff.h"
#include "cli/cli_event.h"
#include "cli/cli_log.h"

struct changed {
	const struct api_operation *operation;
	bool old, new;
	uint64_t n;
	char path[]; /* NUL-terminated */
};

struct collection {
	const struct diff *diff;
	struct changed **p;
	size_t n, cap;
	uint64_t total;
	bool failed; /* out of memory */
};

static bool allows(const struct diff_side *side, const struct api_target *target)
{
	struct policy_decision decision = { 0 };

	policy_decide(side->image, side->policy, NULL, target, &decision);
	return decision.allow;
}

static void keep(struct collection *c, const struct api_target *target, bool old)
{
	struct changed *changed = calloc(1, sizeof(*changed) + target->path.n + 1);

	if (changed && c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		struct changed **p = reallocarray(c->p, cap, sizeof(struct changed *));

		if (p) {
			c->p = p;
			c->cap = cap;
		}
	}
	if (!changed || c->n == c->cap) {
		free(changed);
		c->failed = true;
		return;
	}
	changed->operation = target->operation;
	changed->old = old;
	changed->new = !old;
	changed->n = 1;
	memcpy(changed->path, target->path.p, target->path.n);
	c->p[c->n++] = changed;
}

static void judge(void *context, const struct cli_log_request *r)
{
	struct collection *c = context;
	struct api_target target = { .path = r->path };
	bool old, new;

	target.operation = api_route(r->operation->method, r->path, target.names);
	/* A path that was cut for the trail may lead elsewhere now. */
	if (target.operation != r->operation)
		return;
	c->total++;
	old = allows(&c->diff->old, &target);
	new = allows(&c->diff->new, &target);
	if (old != new)
		keep(c, &target, old);
}

static int compare(const void *a, const void *b)
{
	const struct changed *const *x = a, *const *y = b;
	int r = strcmp((*x)->operation->name, (*y)->operation->name);

	return r ? r : strcmp((*x)->path, (*y)->path);
}

/* Counts equal ones together; returns how many are left. */
static size_t merge(struct collection *c)
{
	size_t n = 0;

	if (c->n)
		qsort(c->p, c->n, sizeof(struct changed *), compare);
	for (size_t i = 0; i < c->n; i++) {
		if (n && compare(&c->p[n - 1], &c->p[i]) == 0) {
			c->p[n - 1]->n++;
			free(c->p[i]);
		} else {
			c->p[n++] = c->p[i];
		}
	}
	return n;
}

static void print(const struct diff *diff, const struct changed *changed, bool first)
{
	const char *method = http_method_name(changed->operation->method);
	char memory[6 * 1024];
	struct buf b = buf_over(memory, sizeof(memory));

	if (diff->json) {
		buf_printf(&b, "%s{\"operation\":\"%s\",\"method\":\"%s\",\"path\":", first ? "" : ",",
			   changed->operation->name, method);
		buf_json(&b, str_from(changed->path));
		buf_printf(&b, ",\"old\":\"%s\",\"new\":\"%s\",\"count\":%llu}", diff_word(changed->old),
			   diff_word(changed->new), (unsigned long long)changed->n);
	} else {
		buf_printf(&b, "%llu x %s ", (unsigned long long)changed->n, method);
		cli_put_safe(&b, str_from(changed->path));
		buf_printf(&b, ": %s -> %s\n", diff_word(changed->old), diff_word(changed->new));
	}
	fwrite(b.p, 1, b.n, stdout);
}

int64_t diff_log(const struct diff *diff, char *const *files, size_t n_files)
{
	struct collection c = { .diff = diff };
	struct cli_log log = { .request = judge, .context = &c };
	int64_t r = 0;
	size_t n;

	for (size_t i = 0; r == 0 && i < n_files; i++) {
		r = cli_log_read(&log, files[i]);
		if (r < 0)
			fprintf(stderr, "sockgate diff: %s: %s\n", files[i], strerror((int)-r));
	}
	if (r == 0 && c.failed) {
		fputs("sockgate diff: out of memory\n", stderr);
		r = -ENOMEM;
	}
	if (log.unreadable)
		fprintf(stderr, "sockgate diff: %llu lines left out that are no records\n",
			(unsigned long long)log.unreadable);
	n = merge(&c);
	for (size_t i = 0; i < n; i++) {
		if (r >= 0) {
			print(diff, c.p[i], i == 0);
			r += (int64_t)c.p[i]->n;
		}
		free(c.p[i]);
	}
	free(c.p);
	if (r >= 0 && !diff->json && n_files)
		printf("%lld of %llu logged requests change (queries and bodies are not in the log)\n",
		       (long long)r, (unsigned long long)c.total);
	return r;
}
