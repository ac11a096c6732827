/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/metrics.h"

const struct metrics_bucket metrics_buckets[METRICS_BUCKETS] = {
	{ 250, "0.00025" }, { 500, "0.0005" },  { 1000, "0.001" },  { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" },  { 25000, "0.025" }, { 50000, "0.05" },  { 100000, "0.1" },  { 250000, "0.25" },
	{ 500000, "0.5" },  { 1000000, "1" },   { 2500000, "2.5" }, { 5000000, "5" },   { 10000000, "10" },
};

void metrics_count_request(struct metrics *metrics, const struct api_operation *operation,
			   enum metrics_verdict verdict)
{
	metrics->requests[operation ? (unsigned)operation->id : API_OPERATIONS][verdict]++;
}

/* Rules differ in length and at their ends ("deny: swarm.*", "containers.binds"): that spreads them enough.
 */
static unsigned place_of(struct str rule)
{
	unsigned middle = (unsigned char)rule.p[rule.n / 2], last = (unsigned char)rule.p[rule.n - 1];

	return ((unsigned)rule.n * 31 + middle * 7 + last) % METRICS_RULES;
}

/*
 * Mustn't: grow with what clients send. The texts are the policy's and ours; where there are more than
 * places, those that come late share one series.
 */
static void count_rule(struct metrics *metrics, struct str rule)
{
	if (rule.n > METRICS_RULE_MAX)
		rule.n = METRICS_RULE_MAX;
	for (unsigned i = 0, at = place_of(rule); i < METRICS_RULES; i++, at = (at + 1) % METRICS_RULES) {
		struct metrics_rule *place = &metrics->rules[at];

		if (place->count == 0) {
			memcpy(place->text, rule.p, rule.n);
			place->len = (uint8_t)rule.n;
		}
		if (place->len == rule.n && memcmp(place->text, rule.p, rule.n) == 0) {
			place->count++;
			return;
		}
	}
	metrics->other_rules++;
}

void metrics_count_refusal(struct metrics *metrics, struct str rule, unsigned status)
{
	char memory[32];
	struct buf out = buf_over(memory, sizeof(memory));

	if (rule.n == 0) {
		buf_puts(&out, "status ");
		buf_u64(&out, status);
		rule = buf_view(&out);
	}
	count_rule(metrics, rule);
}

void metrics_count_answer(struct metrics *metrics, int64_t decided)
{
	int64_t duration = metrics->now > decided ? metrics->now - decided : 0;
	unsigned i = 0;

	while (i < METRICS_BUCKETS && duration > metrics_buckets[i].limit)
		i++;
	metrics->buckets[i]++;
	metrics->duration_sum += (uint64_t)duration;
}

void metrics_count_failure(struct metrics *metrics, unsigned status)
{
	if (status == 502 || status == 504)
		metrics->engine_failures++;
}

void metrics_set_stream(struct metrics *metrics, uint8_t *stream, enum metrics_stream now)
{
	if (*stream != METRICS_NO_STREAM)
		metrics->streams[*stream]--;
	if (now != METRICS_NO_STREAM)
		metrics->streams[now]++;
	*stream = (uint8_t)now;
}
