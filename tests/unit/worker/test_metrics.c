/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/metrics.h"

#include <stdio.h>

#include "check.h"

static struct metrics metrics;
static struct metrics_view view;
static char text[METRICS_TEXT_MAX + 1];

static void begin(void)
{
	metrics = (struct metrics){ .now = 0 };
	view = (struct metrics_view){ .clients = 0 };
}

/* Everything, as text. */
static const char *format(void)
{
	struct buf out = buf_over(text, METRICS_TEXT_MAX);

	metrics_format(&metrics, &view, &out);
	CU_ASSERT_FALSE(out.overflow);
	text[out.n] = '\0';
	return text;
}

/* Whether a whole line of the text is `line`. */
static bool has(const char *line)
{
	size_t n = strlen(line);

	for (const char *at = format(); (at = strstr(at, line)); at += n)
		if ((at == text || at[-1] == '\n') && at[n] == '\n')
			return true;
	printf("\n    no line \"%s\"\n", line);
	return false;
}

static void requests_are_counted_by_operation_and_verdict(void)
{
	const struct api_operation *create = &api_operations[API_OP_CONTAINERS_CREATE];

	begin();
	metrics_count_request(&metrics, create, METRICS_ALLOW);
	metrics_count_request(&metrics, create, METRICS_ALLOW);
	metrics_count_request(&metrics, create, METRICS_WARN);
	metrics_count_request(&metrics, NULL, METRICS_DENY);
	CU_ASSERT_TRUE(has("sockgate_requests_total{operation=\"containers.create\",verdict=\"allow\"} 2"));
	CU_ASSERT_TRUE(has("sockgate_requests_total{operation=\"containers.create\",verdict=\"warn\"} 1"));
	CU_ASSERT_TRUE(has("sockgate_requests_total{operation=\"none\",verdict=\"deny\"} 1"));
	CU_ASSERT_PTR_NULL(strstr(text, "containers.create\",verdict=\"deny\""));
}

static void refusals_are_counted_by_rule_or_by_status_where_there_is_none(void)
{
	char rule[] = "deny: swarm.*";

	begin();
	metrics_count_refusal(&metrics, str_from(rule), 403);
	/* The text is a copy: the image that it stood in may be gone by the next time. */
	memset(rule, 'x', strlen(rule));
	metrics_count_refusal(&metrics, STR("deny: swarm.*"), 403);
	metrics_count_refusal(&metrics, STR("containers.binds"), 403);
	metrics_count_refusal(&metrics, STR(""), 400);
	CU_ASSERT_TRUE(has("sockgate_refusals_total{rule=\"deny: swarm.*\"} 2"));
	CU_ASSERT_TRUE(has("sockgate_refusals_total{rule=\"containers.binds\"} 1"));
	CU_ASSERT_TRUE(has("sockgate_refusals_total{rule=\"status 400\"} 1"));
	CU_ASSERT_TRUE(has("sockgate_refusals_total{rule=\"other\"} 0"));
}

static void a_labels_value_is_escaped_and_always_utf_8(void)
{
	static const struct {
		const char *rule, *label;
	} cases[] = {
		{ "deny: \"GET /a\\b\"", "deny: \\\"GET /a\\\\b\\\"" },
		{ "a\nb", "a\\nb" },
		{ "a\tb\x7f", "a?b?" },
		{ "gr\xc3\xbc\xc3\x9f"
		  "e \xe2\x82\xac \xf0\x9f\x90\xb3",
		  "gr\xc3\xbc\xc3\x9f"
		  "e \xe2\x82\xac \xf0\x9f\x90\xb3" },
		{ "\xff|\xc3|\xc0\x80|\xe2\x82", "?|?|??|??" },
		{ "\xed\xa0\x80|\xe0\x80\x80|\xf4\x90\x80\x80", "???|???|????" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[128];

		begin();
		metrics_count_refusal(&metrics, str_from(cases[i].rule), 403);
		snprintf(line, sizeof(line), "sockgate_refusals_total{rule=\"%s\"} 1", cases[i].label);
		CU_ASSERT_TRUE(has(line));
	}
}

static void a_long_rule_is_cut_and_stays_one_series(void)
{
	char rule[METRICS_RULE_MAX * 2], line[METRICS_RULE_MAX * 3];

	begin();
	memset(rule, 'a', sizeof(rule));
	for (int i = 0; i < 3; i++)
		metrics_count_refusal(&metrics, (struct str){ rule, sizeof(rule) - (size_t)i }, 403);
	snprintf(line, sizeof(line), "sockgate_refusals_total{rule=\"%.*s\"} 3", METRICS_RULE_MAX, rule);
	CU_ASSERT_TRUE(has(line));
}

static void rules_beyond_the_table_share_one_series_and_none_is_lost(void)
{
	unsigned series = 0;

	begin();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 300; i++) {
			char rule[32];

			snprintf(rule, sizeof(rule), "deny: rule-%d", i);
			metrics_count_refusal(&metrics, str_from(rule), 403);
		}
	}
	CU_ASSERT_EQUAL(metrics.other_rules, 2 * (300 - METRICS_RULES));
	for (const char *at = format(); (at = strstr(at, "sockgate_refusals_total{")); at++)
		series++;
	CU_ASSERT_EQUAL(series, METRICS_RULES + 1);
	CU_ASSERT_TRUE(has("sockgate_refusals_total{rule=\"deny: rule-0\"} 2"));
}

static void durations_fall_into_the_bucket_that_ends_at_or_above_them(void)
{
	static const int64_t durations[] = { 0, 250, 251, 1000, 10000000, 10000001, 3600000000 };

	begin();
	metrics.now = 4000000000;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
		metrics_count_answer(&metrics, metrics.now - durations[i]);
	CU_ASSERT_TRUE(has("sockgate_request_duration_seconds_bucket{le=\"0.00025\"} 2"));
	CU_ASSERT_TRUE(has("sockgate_request_duration_seconds_bucket{le=\"0.0005\"} 3"));
	CU_ASSERT_TRUE(has("sockgate_request_duration_seconds_bucket{le=\"0.001\"} 4"));
	CU_ASSERT_TRUE(has("sockgate_request_duration_seconds_bucket{le=\"5\"} 4"));
	CU_ASSERT_TRUE(has("sockgate_request_duration_seconds_bucket{le=\"10\"} 5"));
	CU_ASSERT_TRUE(has("sockgate_request_duration_seconds_bucket{le=\"+Inf\"} 7"));
	CU_ASSERT_TRUE(has("sockgate_request_duration_seconds_count 7"));
	CU_ASSERT_TRUE(has("sockgate_request_duration_seconds_sum 3620.001502"));
}

static void a_bucket_is_called_what_it_is(void)
{
	for (unsigned i = 0; i < METRICS_BUCKETS; i++) {
		double seconds = strtod(metrics_buckets[i].seconds, NULL);

		CU_ASSERT_DOUBLE_EQUAL(seconds * 1e6, (double)metrics_buckets[i].limit, 1e-3);
		CU_ASSERT_TRUE(i == 0 || metrics_buckets[i].limit > metrics_buckets[i - 1].limit);
	}
}

static void a_stream_is_counted_while_it_lasts(void)
{
	uint8_t one = METRICS_NO_STREAM, two = METRICS_NO_STREAM;

	begin();
	metrics_set_stream(&metrics, &one, METRICS_RESPONSE);
	metrics_set_stream(&metrics, &two, METRICS_TUNNEL);
	CU_ASSERT_TRUE(has("sockgate_open_streams{kind=\"response\"} 1"));
	CU_ASSERT_TRUE(has("sockgate_open_streams{kind=\"tunnel\"} 1"));
	metrics_set_stream(&metrics, &one, METRICS_NO_STREAM);
	metrics_set_stream(&metrics, &one, METRICS_NO_STREAM);
	metrics_set_stream(&metrics, &two, METRICS_NO_STREAM);
	CU_ASSERT_TRUE(has("sockgate_open_streams{kind=\"response\"} 0"));
	CU_ASSERT_TRUE(has("sockgate_open_streams{kind=\"tunnel\"} 0"));
}

static void only_what_the_engine_failed_at_is_its_failure(void)
{
	static const unsigned statuses[] = { 502, 504, 408, 503, 403, 502 };

	begin();
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		metrics_count_failure(&metrics, statuses[i]);
	CU_ASSERT_TRUE(has("sockgate_engine_failures_total{kind=\"request\"} 3"));
}

static void what_others_know_is_told(void)
{
	begin();
	metrics.engine_connections = 7;
	view = (struct metrics_view){ .clients = 3,
				      .engine_idle = 5,
				      .engine_wanted = 1,
				      .waiting = 4,
				      .audit_lost = 9,
				      .audit_failing = true,
				      .gate = METRICS_GATE_DEGRADED,
				      .policy_hash = 0xabc };
	CU_ASSERT_TRUE(has("sockgate_open_connections 3"));
	CU_ASSERT_TRUE(has("sockgate_engine_connections{state=\"busy\"} 2"));
	CU_ASSERT_TRUE(has("sockgate_engine_connections{state=\"awaited\"} 1"));
	CU_ASSERT_TRUE(has("sockgate_waiting_requests 4"));
	CU_ASSERT_TRUE(has("sockgate_audit_lost_total 9"));
	CU_ASSERT_TRUE(has("sockgate_audit_failing 1"));
	CU_ASSERT_TRUE(has("sockgate_gate_state{state=\"degraded\"} 1"));
	CU_ASSERT_TRUE(has("sockgate_gate_state{state=\"enforcing\"} 0"));
	CU_ASSERT_TRUE(has("sockgate_policy_info{hash=\"0000000000000abc\"} 1"));
	CU_ASSERT_TRUE(has("sockgate_build_info{version=\"" SOCKGATE_VERSION "\"} 1"));
}

/* Every counter at its largest, every rule as long as can be and all escapes. */
static void the_largest_text_fits(void)
{
	begin();
	memset(&metrics, 0xff, sizeof(metrics));
	memset(&view, 0xff, sizeof(view));
	view.gate = METRICS_GATE_OFF;
	view.audit_failing = true;
	for (unsigned i = 0; i < METRICS_RULES; i++) {
		metrics.rules[i].len = METRICS_RULE_MAX;
		memset(metrics.rules[i].text, '"', METRICS_RULE_MAX);
	}
	CU_ASSERT_TRUE(strlen(format()) > METRICS_TEXT_MAX / 2);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "requests are counted by operation and verdict",
		  requests_are_counted_by_operation_and_verdict },
		{ "refusals are counted by rule, or by status where there is none",
		  refusals_are_counted_by_rule_or_by_status_where_there_is_none },
		{ "a label's value is escaped and always UTF-8", a_labels_value_is_escaped_and_always_utf_8 },
		{ "a long rule is cut and stays one series", a_long_rule_is_cut_and_stays_one_series },
		{ "rules beyond the table share one series, and none is lost",
		  rules_beyond_the_table_share_one_series_and_none_is_lost },
		{ "durations fall into the bucket that ends at or above them",
		  durations_fall_into_the_bucket_that_ends_at_or_above_them },
		{ "a bucket is called what it is", a_bucket_is_called_what_it_is },
		{ "a stream is counted while it lasts", a_stream_is_counted_while_it_lasts },
		{ "only what the engine failed at is its failure",
		  only_what_the_engine_failed_at_is_its_failure },
		{ "what others know is told", what_others_know_is_told },
		{ "the largest text fits", the_largest_text_fits },
		CU_TEST_INFO_NULL,
	};

	return check_main("worker/metrics", tests);
}
