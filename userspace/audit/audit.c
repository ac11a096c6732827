/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/audit.h"

/* Bytes of one value. An escaped byte takes six: all nine strings of a record, escaped throughout, still fit.
 */
#define VALUE_MAX   256
#define STRINGS_MAX 9
_Static_assert(STRINGS_MAX *(VALUE_MAX + 3) * 6 + 1024 < AUDIT_LINE_MAX, "a record always fits");

void audit_init(void)
{
	tzset();
}

static void put_time(struct buf *out, struct timespec time)
{
	struct tm tm;

	gmtime_r(&time.tv_sec, &tm);
	buf_printf(out, "{\"@timestamp\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ\"", tm.tm_year + 1900,
		   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, time.tv_nsec / 1000);
}

static void put_name(struct buf *out, const char *name)
{
	buf_puts(out, ",\"");
	buf_puts(out, name);
	buf_puts(out, "\":");
}

/* Appends a string member; an empty one is left out, a long one is cut. */
static void put_string(struct buf *out, const char *name, struct str value)
{
	char cut[VALUE_MAX + 3];

	if (value.n == 0)
		return;
	if (value.n > VALUE_MAX) {
		memcpy(cut, value.p, VALUE_MAX);
		memcpy(cut + VALUE_MAX, "...", 3);
		value = (struct str){ cut, sizeof(cut) };
	}
	put_name(out, name);
	buf_json(out, value);
}

static void put_number(struct buf *out, const char *name, int64_t value)
{
	if (value < 0)
		return;
	put_name(out, name);
	buf_u64(out, (uint64_t)value);
}

void audit_format_request(struct buf *out, const struct audit_request *r)
{
	put_time(out, r->time);
	buf_puts(out,
		 ",\"event.kind\":\"event\",\"event.category\":[\"network\"],\"event.action\":\"request\"");
	buf_puts(out, r->allow ? ",\"event.outcome\":\"success\",\"event.type\":[\"allowed\"]"
			       : ",\"event.outcome\":\"failure\",\"event.type\":[\"denied\"]");
	put_string(out, "http.request.method", r->method);
	put_string(out, "url.path", r->path);
	if (r->status)
		put_number(out, "http.response.status_code", r->status);
	put_string(out, "sockgate.operation", r->operation);
	put_string(out, "sockgate.policy", r->policy);
	put_string(out, "rule.name", r->rule);
	put_string(out, "rule.file", r->file);
	if (r->line)
		put_number(out, "rule.line", r->line);
	put_string(out, "event.reason", r->reason);
	put_string(out, "sockgate.listener", r->listener);
	put_number(out, "user.id", r->uid);
	put_number(out, "group.id", r->gid);
	put_number(out, "process.pid", r->pid);
	put_string(out, "client.address", r->peer);
	buf_printf(out, ",\"sockgate.policy_hash\":\"%016llx\"}\n", (unsigned long long)r->policy_hash);
}

void audit_format_connect(struct buf *out, const struct audit_connect *c)
{
	put_time(out, c->time);
	buf_puts(out,
		 ",\"event.kind\":\"alert\",\"event.category\":[\"network\"],\"event.action\":\"connect\"");
	buf_puts(out, c->observed_only ? ",\"event.outcome\":\"success\",\"event.type\":[\"allowed\"]"
				       : ",\"event.outcome\":\"failure\",\"event.type\":[\"denied\"]");
	put_number(out, "process.pid", c->pid);
	put_number(out, "user.id", c->uid);
	put_number(out, "group.id", c->gid);
	put_string(out, "process.name", c->comm);
	put_string(out, "process.executable", c->exe);
	put_string(out, "sockgate.cgroup", c->cgroup);
	put_string(out, "container.id", c->container);
	put_string(out, "sockgate.socket", c->socket);
	put_string(out, "sockgate.hook", c->hook);
	put_string(out, "event.reason", c->reason);
	buf_puts(out, "}\n");
}

void audit_format_note(struct buf *out, const struct audit_note *n)
{
	put_time(out, n->time);
	buf_puts(out, ",\"event.kind\":\"event\",\"event.category\":[\"process\"]");
	put_string(out, "event.action", n->action);
	buf_puts(out, n->failure ? ",\"event.outcome\":\"failure\"" : ",\"event.outcome\":\"success\"");
	put_string(out, "event.reason", n->reason);
	if (n->count)
		put_number(out, "sockgate.count", (int64_t)n->count);
	buf_puts(out, "}\n");
}
