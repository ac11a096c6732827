/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "sockgated/daemon.h"

static void add_str(struct buf *out, const char *name, struct str value)
{
	buf_printf(out, "\"%s\":", name);
	buf_json(out, value);
}

static void add_number(struct buf *out, const char *name, uint64_t value)
{
	buf_printf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void add_flag(struct buf *out, const char *name, bool value)
{
	buf_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

/* Hooks that are held, and with the kernel.bpf_stats_enabled sysctl what they cost. */
static void add_programs(const struct guard *guard, struct buf *out)
{
	struct gate_program programs[32];
	int n = guard->gate ? gate_programs(guard->gate, programs, 32) : 0;

	buf_puts(out, ",\"programs\":[");
	for (int i = 0; i < n; i++) {
		buf_puts(out, i ? ",{" : "{");
		add_str(out, "name", str_from(programs[i].name));
		add_number(out, "runs", programs[i].runs);
		add_number(out, "nanoseconds", programs[i].nanoseconds);
		buf_putc(out, '}');
	}
	buf_putc(out, ']');
}

/* Refusals by what was tried, connects apart. */
static void add_refusals(const uint64_t counters[static GATE_COUNTERS], struct buf *out)
{
	static const struct {
		enum gate_counter counter;
		const char *name;
	} kinds[] = {
		{ GATE_DENIED_RECEIVE, "receive" }, { GATE_DENIED_TRACE, "trace" },
		{ GATE_DENIED_KILL, "kill" },       { GATE_DENIED_OBJECT, "object" },
		{ GATE_DENIED_NAME, "name" },       { GATE_DENIED_TCP, "tcp" },
		{ GATE_DENIED_SYSCTL, "sysctl" },
	};

	buf_puts(out, ",\"guards\":{");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		buf_printf(out, "%s\"%s\":%llu", i ? "," : "", kinds[i].name,
			   (unsigned long long)counters[kinds[i].counter]);
	buf_putc(out, '}');
}

static void add_gate(const struct daemon *d, struct buf *out)
{
	const struct guard *guard = &d->guard;
	uint64_t counters[GATE_COUNTERS] = { 0 };
	const char *comma = "";

	if (guard->gate)
		(void)gate_counters(guard->gate,
				    counters); /* zeros tell nothing wrong: the state is proven apart */
	buf_puts(out, "\"gate\":{");
	add_str(out, "state", str_from(guard_state_name(guard->state)));
	buf_putc(out, ',');
	add_str(out, "reason", str_from(guard->reason));
	buf_putc(out, ',');
	add_str(out, "backend", str_from(guard_backend_name(guard)));
	buf_putc(out, ',');
	add_str(out, "choice", str_from(guard->choice));
	add_programs(guard, out);
	add_refusals(counters, out);
	add_flag(out, "sysctl_guarded", guard->gate && guard->wanted.sysctl);
	add_flag(out, "pinned", guard->gate && guard->wanted.pin);
	add_flag(out, "observe", guard->wanted.observe);
	add_flag(out, "require", d->image->gate.require);
	add_number(out, "allowed", counters[GATE_ALLOWED]);
	add_number(out, "denied", counters[GATE_DENIED] + counters[GATE_DENIED_FIND]);
	add_number(out, "canary_denied", counters[GATE_DENIED_CANARY]);
	add_number(out, "listeners_marked", counters[GATE_MARKED]);
	add_number(out, "events_lost", counters[GATE_EVENTS_LOST]);
	add_number(out, "earlier_connections", counters[GATE_EARLIER]);
	buf_puts(out, ",\"missing\":[");
	for (size_t i = 0; i < guard->wanted.n_sockets; i++) {
		if (!(guard->missing >> i & 1))
			continue;
		buf_puts(out, comma);
		buf_json(out, str_from(guard->wanted.sockets[i].path));
		comma = ",";
	}
	buf_puts(out, "]}");
}

static void add_addresses(const struct daemon *d, struct buf *out)
{
	const struct image_engine *engines = IMAGE_LIST(d->image, struct image_engine, d->image->engines);
	const struct image_listener *listeners =
		IMAGE_LIST(d->image, struct image_listener, d->image->listeners);

	buf_puts(out, "\"engines\":[");
	for (unsigned i = 0; i < d->image->engines.count; i++) {
		buf_puts(out, i ? ",{" : "{");
		add_str(out, "name", image_string(d->image, engines[i].name));
		buf_putc(out, ',');
		add_str(out, engines[i].kind == IMAGE_UNIX ? "unix" : "tcp",
			image_string(d->image, engines[i].address));
		if (engines[i].kind == IMAGE_TCP)
			add_number(out, "port", engines[i].port);
		buf_putc(out, '}');
	}
	buf_puts(out, "],\"listeners\":[");
	for (unsigned i = 0; i < d->image->listeners.count; i++) {
		buf_puts(out, i ? ",{" : "{");
		add_str(out, listeners[i].kind == IMAGE_UNIX ? "unix" : "tcp",
			image_string(d->image, listeners[i].address));
		if (listeners[i].kind == IMAGE_TCP)
			add_number(out, "port", listeners[i].port);
		buf_putc(out, '}');
	}
	buf_putc(out, ']');
}

void status_format(const struct daemon *d, struct buf *out)
{
	buf_puts(out, "{\"version\":\"" SOCKGATE_VERSION "\",");
	add_gate(d, out);
	buf_puts(out, ",\"proxy\":{");
	add_str(out, "state",
		d->proxy.serving ? STR("serving")
		: d->proxy.pid   ? STR("starting")
				 : STR("down"));
	add_number(out, "pid", (uint64_t)d->proxy.pid);
	add_number(out, "restarts", d->proxy.restarts);
	buf_puts(out, "},");
	add_addresses(d, out);
	buf_printf(out, ",\"policy_hash\":\"%016llx\"", (unsigned long long)d->image->hash);
	add_number(out, "audit_lost", d->trail.writer.lost);
	buf_puts(out, "}\n");
}
