/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "worker/metrics.h"

static void put_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A sample without labels, of a family of its own. */
static void put_alone(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	put_family(out, name, type, help);
	buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

/*
 * A label's value: backslash, quote and newline are escaped, the rest is UTF-8. A rule's text is a policy
 * file's, so it may hold anything; a byte that starts no character (a cut one, too) becomes '?', since one
 * bad byte would cost the whole scrape.
 */
static void put_value(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : 4;
		bool whole = c < 0x80 || (c >= 0xc2 && c < 0xf5 && i + n <= s.n);

		for (size_t k = 1; whole && k < n; k++)
			whole = ((unsigned char)s.p[i + k] & 0xc0) == 0x80;
		/* Too long a form, a surrogate, beyond the last character (RFC 3629 section 4). */
		if (whole && n > 2) {
			unsigned char second = (unsigned char)s.p[i + 1];

			whole = !((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ||
				  (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f));
		}
		if (!whole || (c < 0x20 && c != '\n') || c == 0x7f) {
			buf_putc(out, '?');
			i++;
			continue;
		}
		if (c == '\\' || c == '"')
			buf_putc(out, '\\');
		if (c == '\n')
			buf_puts(out, "\\n");
		else
			buf_append(out, s.p + i, n);
		i += n;
	}
}

static void put_requests(const struct metrics *m, struct buf *out)
{
	static const char *const verdicts[METRICS_VERDICTS] = { "allow", "warn", "deny" };

	put_family(out, "sockgate_requests_total", "counter",
		   "Requests decided, by operation of the Docker API and by verdict.");
	for (unsigned op = 0; op <= API_OPERATIONS; op++)
		for (unsigned v = 0; v < METRICS_VERDICTS; v++)
			if (m->requests[op][v])
				buf_printf(out,
					   "sockgate_requests_total{operation=\"%s\",verdict=\"%s\"} %" PRIu64
					   "\n",
					   op < API_OPERATIONS ? api_operations[op].name : "none",
					   verdicts[v], m->requests[op][v]);
}

static void put_rule(struct buf *out, struct str rule, uint64_t count)
{
	buf_puts(out, "sockgate_refusals_total{rule=\"");
	put_value(out, rule);
	buf_printf(out, "\"} %" PRIu64 "\n", count);
}

static void put_refusals(const struct metrics *m, struct buf *out)
{
	put_family(out, "sockgate_refusals_total", "counter",
		   "Refusals, by the rule that refused, or the status where it was none.");
	for (unsigned i = 0; i < METRICS_RULES; i++)
		if (m->rules[i].count)
			put_rule(out, (struct str){ m->rules[i].text, m->rules[i].len }, m->rules[i].count);
	put_rule(out, STR("other"), m->other_rules);
}

static void put_durations(const struct metrics *m, struct buf *out)
{
	static const char name[] = "sockgate_request_duration_seconds";
	uint64_t count = 0;

	put_family(out, name, "histogram", "From the decision to the engine's response head.");
	for (unsigned i = 0; i < METRICS_BUCKETS; i++) {
		count += m->buckets[i];
		buf_printf(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, metrics_buckets[i].seconds,
			   count);
	}
	count += m->buckets[METRICS_BUCKETS];
	buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
	buf_printf(out, "%s_sum %" PRIu64 ".%06" PRIu64 "\n", name, m->duration_sum / 1000000,
		   m->duration_sum % 1000000);
	buf_printf(out, "%s_count %" PRIu64 "\n", name, count);
}

static void put_traffic(const struct metrics *m, const struct metrics_view *view, struct buf *out)
{
	put_family(out, "sockgate_bytes_total", "counter", "Bytes sent, heads included.");
	buf_printf(out, "sockgate_bytes_total{direction=\"to_engine\"} %" PRIu64 "\n",
		   m->bytes[METRICS_TO_ENGINE]);
	buf_printf(out, "sockgate_bytes_total{direction=\"to_client\"} %" PRIu64 "\n",
		   m->bytes[METRICS_TO_CLIENT]);
	put_alone(out, "sockgate_open_connections", "gauge", "Clients that are connected.", view->clients);
	put_family(out, "sockgate_open_streams", "gauge",
		   "Responses that have begun and not ended, and connections that have become tunnels.");
	buf_printf(out, "sockgate_open_streams{kind=\"response\"} %u\n", m->streams[METRICS_RESPONSE]);
	buf_printf(out, "sockgate_open_streams{kind=\"tunnel\"} %u\n", m->streams[METRICS_TUNNEL]);
}

static void put_engine(const struct metrics *m, const struct metrics_view *view, struct buf *out)
{
	put_family(out, "sockgate_engine_connections", "gauge",
		   "Connections to the engines: idle, busy, or asked of the proxy and not come yet.");
	buf_printf(out, "sockgate_engine_connections{state=\"idle\"} %u\n", view->engine_idle);
	buf_printf(out, "sockgate_engine_connections{state=\"busy\"} %u\n",
		   m->engine_connections - view->engine_idle);
	buf_printf(out, "sockgate_engine_connections{state=\"awaited\"} %u\n", view->engine_wanted);
	put_alone(out, "sockgate_waiting_requests", "gauge", "Requests that wait for a connection.",
		  view->waiting);
	put_family(out, "sockgate_engine_failures_total", "counter",
		   "Times an engine could not be connected to, and requests answered 502 or 504.");
	buf_printf(out, "sockgate_engine_failures_total{kind=\"connect\"} %" PRIu64 "\n",
		   m->engine_unreachable);
	buf_printf(out, "sockgate_engine_failures_total{kind=\"request\"} %" PRIu64 "\n", m->engine_failures);
}

static void put_state(const struct metrics *m, const struct metrics_view *view, struct buf *out)
{
	static const char *const gates[METRICS_GATES] = { "none", "enforcing", "degraded", "off" };

	put_alone(out, "sockgate_audit_records_total", "counter",
		  "Decisions handed to the audit trail, the lost ones included.", m->audit_records);
	put_alone(out, "sockgate_audit_lost_total", "counter", "Records that could not be written.",
		  view->audit_lost);
	put_alone(out, "sockgate_audit_failing", "gauge", "1 while the audit trail cannot be written.",
		  view->audit_failing);
	put_family(out, "sockgate_gate_state", "gauge", "The kernel gate: 1 at the state it is in.");
	for (unsigned i = 0; i < METRICS_GATES; i++)
		buf_printf(out, "sockgate_gate_state{state=\"%s\"} %d\n", gates[i], view->gate == i);
	put_family(out, "sockgate_policy_info", "gauge", "The policy in force, as the audit trail names it.");
	buf_printf(out, "sockgate_policy_info{hash=\"%016" PRIx64 "\"} 1\n", view->policy_hash);
	put_family(out, "sockgate_build_info", "gauge", "The program's version.");
	buf_puts(out, "sockgate_build_info{version=\"" SOCKGATE_VERSION "\"} 1\n");
	put_alone(out, "sockgate_start_time_seconds", "gauge",
		  "When the worker started, in seconds since 1970.", (uint64_t)m->started);
}

void metrics_format(const struct metrics *metrics, const struct metrics_view *view, struct buf *out)
{
	put_requests(metrics, out);
	put_refusals(metrics, out);
	put_durations(metrics, out);
	put_traffic(metrics, view, out);
	put_engine(metrics, view, out);
	put_state(metrics, view, out);
}
