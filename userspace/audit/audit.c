/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/audit.h"

#include "audit/audit_chain.h"

/*
 * Bytes of one value, and of the list of what was rewritten, which shall be whole. An escaped byte takes six:
 * that list and all ten other strings of a record, escaped throughout, still fit.
 */
#define VALUE_MAX   256
#define LIST_MAX    1024
#define STRINGS_MAX 10
_Static_assert((STRINGS_MAX * (VALUE_MAX + 3) + LIST_MAX + 3) * 6 + 2048 < AUDIT_LINE_MAX,
	       "a record always fits");

static void put_digits(char *at, unsigned value, size_t n)
{
	while (n--) {
		at[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

/*
 * UTC. Not gmtime_r(3), which takes a lock and reads the time zone's file. Days become a date by eras of 400
 * years, which start on 1 March so that a leap day ends a year.
 */
static void put_time(struct buf *out, struct timespec time)
{
	char text[] = "{\"@timestamp\":\"0000-00-00T00:00:00.000000Z\"", *at = text + 15;
	uint64_t seconds = (uint64_t)time.tv_sec, days = seconds / 86400 + 719468;
	unsigned second = (unsigned)(seconds % 86400), era_day = (unsigned)(days % 146097);
	unsigned era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	unsigned year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
	unsigned from_march = (5 * year_day + 2) / 153;
	unsigned month = from_march < 10 ? from_march + 3 : from_march - 9;
	unsigned year = (unsigned)(days / 146097 * 400) + era_year + (month <= 2);

	put_digits(at, year, 4);
	put_digits(at + 5, month, 2);
	put_digits(at + 8, year_day - (153 * from_march + 2) / 5 + 1, 2);
	put_digits(at + 11, second / 3600, 2);
	put_digits(at + 14, second / 60 % 60, 2);
	put_digits(at + 17, second % 60, 2);
	put_digits(at + 20, (unsigned)(time.tv_nsec / 1000), 6);
	buf_append(out, text, sizeof(text) - 1);
}

/* A member's beginning, in one piece. */
#define NAME(name) STR(",\"" name "\":")

/* Whether JSON would write these bytes as they are. No early end: so the compiler can take many at a time. */
static bool is_plain(struct str value)
{
	unsigned odd = 0;

	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		odd |= (unsigned)((c < 0x20) | (c > 0x7e) | (c == '"') | (c == '\\'));
	}
	return odd == 0;
}

/* Appends a string member; an empty one is left out, one of more than `max` bytes is cut. */
static void put_cut(struct buf *out, struct str name, struct str value, size_t max)
{
	char cut[LIST_MAX + 3];

	if (value.n == 0)
		return;
	if (value.n > max) {
		memcpy(cut, value.p, max);
		memcpy(cut + max, "...", 3);
		value = (struct str){ cut, max + 3 };
	}
	buf_str(out, name);
	if (!is_plain(value)) {
		buf_json(out, value);
		return;
	}
	buf_putc(out, '"');
	buf_str(out, value);
	buf_putc(out, '"');
}

static void put_string(struct buf *out, struct str name, struct str value)
{
	put_cut(out, name, value, VALUE_MAX);
}

static void put_number(struct buf *out, struct str name, int64_t value)
{
	if (value < 0)
		return;
	buf_str(out, name);
	buf_u64(out, (uint64_t)value);
}

static void put_policy(struct buf *out, uint64_t hash)
{
	buf_putc(out, '"');
	audit_put_id(out, hash);
	buf_str(out, STR("\"}\n"));
}

void audit_format_request(struct buf *out, const struct audit_request *r)
{
	put_time(out, r->time);
	buf_str(out, STR(",\"event.kind\":\"event\",\"event.category\":[\"network\"],\"event.action\":"
			 "\"request\""));
	buf_puts(out, r->allow ? ",\"event.outcome\":\"success\",\"event.type\":[\"allowed\"]"
			       : ",\"event.outcome\":\"failure\",\"event.type\":[\"denied\"]");
	if (r->would_deny)
		buf_str(out, STR(",\"sockgate.would_deny\":true"));
	put_string(out, NAME("http.request.method"), r->method);
	put_string(out, NAME("url.path"), r->path);
	if (r->status)
		put_number(out, NAME("http.response.status_code"), r->status);
	put_string(out, NAME("sockgate.operation"), r->operation);
	put_string(out, NAME("sockgate.policy"), r->policy);
	put_string(out, NAME("rule.name"), r->rule);
	put_string(out, NAME("rule.file"), r->file);
	if (r->line)
		put_number(out, NAME("rule.line"), r->line);
	put_string(out, NAME("event.reason"), r->reason);
	put_string(out, NAME("sockgate.limits"), r->limits);
	put_cut(out, NAME("sockgate.rewritten"), r->rewritten, LIST_MAX);
	put_string(out, NAME("sockgate.listener"), r->listener);
	put_number(out, NAME("user.id"), r->uid);
	put_number(out, NAME("group.id"), r->gid);
	put_number(out, NAME("process.pid"), r->pid);
	put_string(out, NAME("client.address"), r->peer);
	buf_str(out, NAME("sockgate.policy_hash"));
	put_policy(out, r->policy_hash);
}

void audit_format_connect(struct buf *out, const struct audit_connect *c)
{
	put_time(out, c->time);
	buf_str(out, STR(",\"event.kind\":\"alert\",\"event.category\":[\"network\"],\"event.action\":"
			 "\"connect\""));
	buf_puts(out, c->observed_only ? ",\"event.outcome\":\"success\",\"event.type\":[\"allowed\"]"
				       : ",\"event.outcome\":\"failure\",\"event.type\":[\"denied\"]");
	put_number(out, NAME("process.pid"), c->pid);
	put_number(out, NAME("user.id"), c->uid);
	put_number(out, NAME("group.id"), c->gid);
	put_string(out, NAME("process.name"), c->comm);
	put_string(out, NAME("process.executable"), c->exe);
	put_string(out, NAME("sockgate.cgroup"), c->cgroup);
	put_string(out, NAME("container.id"), c->container);
	put_string(out, NAME("sockgate.socket"), c->socket);
	put_string(out, NAME("sockgate.hook"), c->hook);
	put_string(out, NAME("event.reason"), c->reason);
	buf_str(out, STR("}\n"));
}

void audit_format_note(struct buf *out, const struct audit_note *n)
{
	put_time(out, n->time);
	buf_str(out, STR(",\"event.kind\":\"event\",\"event.category\":[\"process\"]"));
	put_string(out, NAME("event.action"), n->action);
	buf_puts(out, n->failure ? ",\"event.outcome\":\"failure\"" : ",\"event.outcome\":\"success\"");
	put_string(out, NAME("event.reason"), n->reason);
	if (n->count)
		put_number(out, NAME("sockgate.count"), (int64_t)n->count);
	buf_str(out, STR("}\n"));
}

void audit_format_mark(struct buf *out, const struct audit_mark *m)
{
	put_time(out, m->time);
	buf_str(out, STR(",\"event.kind\":\"event\",\"event.category\":[\"process\"]"));
	put_string(out, NAME("event.action"), m->action);
	put_string(out, NAME("process.name"), m->program);
	put_number(out, NAME("process.pid"), m->pid);
	put_string(out, NAME("service.version"), STR(SOCKGATE_VERSION));
	buf_str(out, NAME("sockgate.policy_hash"));
	put_policy(out, m->policy_hash);
}

void audit_format_checkpoint(struct buf *out, struct timespec time, struct str heads)
{
	put_time(out, time);
	buf_str(out, STR(",\"event.kind\":\"event\",\"event.category\":[\"process\"]"
			 ",\"event.action\":\"checkpoint\",\"sockgate.heads\":["));
	buf_str(out, heads);
	buf_str(out, STR("]}\n"));
}
