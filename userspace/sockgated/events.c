/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/events.h"

#include <time.h>

#include "sockgated/process_facts.h"

#define DRAIN_LIMIT 64 /* events at a time, so that a flood does not keep the loop from its other work */

static struct str text_of(const char *text, size_t size)
{
	return (struct str){ text, strnlen(text, size) };
}

static void write_event(void *context, const struct gate_event *event)
{
	struct events *events = context;
	struct process_facts facts;
	struct audit_connect record = {
		.pid = event->pid,
		.uid = event->uid,
		.gid = event->gid,
		.comm = text_of(event->comm, sizeof(event->comm)),
		.socket = text_of(event->socket, sizeof(event->socket)),
		.hook = event->hook == GATE_HOOK_FIND ? STR("unix_find") : STR("unix_stream_connect"),
		.reason = event->kind == GATE_SOCKET_ALSO ? STR("only the engine's own processes may connect")
							  : STR("only the proxy may connect"),
		.observed_only = event->observed,
	};

	(void)clock_gettime(CLOCK_REALTIME, &record.time);
	if (record.time.tv_sec != events->second) {
		events->second = record.time.tv_sec;
		events->written = 0;
	}
	if (events->written >= EVENTS_PER_SECOND) {
		events->suppressed++;
		return;
	}
	events->written++;
	process_facts_read((pid_t)event->pid, event->start_time, &facts);
	record.exe = str_from(facts.exe);
	record.cgroup = str_from(facts.cgroup);
	record.container = str_from(facts.container);
	trail_connect(events->trail, &record);
}

int events_drain(struct events *events, struct gate_handle *gate)
{
	int r = gate_events_drain(gate, write_event, events, DRAIN_LIMIT);

	return r < 0 ? r : 0;
}

void events_tell_lost(struct events *events, uint64_t kernel_lost)
{
	if (kernel_lost > events->lost)
		trail_note(events->trail, "events-lost", true, kernel_lost - events->lost,
			   "the kernel's ring was full; the connects were refused");
	if (events->suppressed)
		trail_note(events->trail, "events-suppressed", true, events->suppressed,
			   "more refused connects than are written in a second");
	events->lost = kernel_lost;
	events->suppressed = 0;
}
