/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/events.h"

#include <stdio.h>
#include <time.h>

#include "sockgated/process_facts.h"

#define DRAIN_LIMIT 64 /* events at a time, so that a flood does not keep the loop from its other work */

static struct str text_of(const char *text, size_t size)
{
	return (struct str){ text, strnlen(text, size) };
}

struct hook {
	const char *name;
	const char *reason;
	const char *about; /* of `target`, where there is no socket */
};

static const struct hook hooks[GATE_HOOKS] = {
	[GATE_HOOK_CONNECT] = { "unix_stream_connect", "only the proxy may connect", NULL },
	[GATE_HOOK_FIND] = { "unix_find", "only the proxy may connect", NULL },
	[GATE_HOOK_RECEIVE] = { "file_receive", "only workers may be given an engine's connection", NULL },
	[GATE_HOOK_TRACE] = { "ptrace_access_check", "nobody may trace or read what has a mark of the gate",
			      "process" },
	[GATE_HOOK_KILL] = { "task_kill", "only the service manager may send signals to the gate",
			     "process" },
	[GATE_HOOK_BPF] = { "bpf", "the gate's programs and maps are its own", "bpf command" },
	[GATE_HOOK_PIN] = { "inode_unlink", "the gate's pins are its own", NULL },
	[GATE_HOOK_NAME] = { "inode_rename", "an engine's socket keeps its name", NULL },
	[GATE_HOOK_LISTEN] = { "socket_listen", "the engine may not listen on this port", "tcp port" },
	[GATE_HOOK_CONNECT_TCP] = { "socket_connect", "only the proxy may connect", "tcp port" },
};

static struct str reason_of(const struct gate_event *event)
{
	if (event->hook != GATE_HOOK_CONNECT && event->hook != GATE_HOOK_FIND)
		return str_from(hooks[event->hook].reason);
	switch ((enum gate_socket_kind)event->kind) {
	case GATE_SOCKET_ALSO:
		return STR("only the engine's own processes may connect");
	case GATE_SOCKET_FALSE:
		return STR("it is not the engine that listens here");
	case GATE_SOCKET_NONE:
		return STR("the proxy may connect to engines only");
	default:
		return str_from(hooks[event->hook].reason);
	}
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
		.observed_only = event->observed,
	};
	char about[64];
	unsigned *written;

	if (event->hook == 0 || event->hook >= GATE_HOOKS)
		return;
	record.hook = str_from(hooks[event->hook].name);
	record.reason = reason_of(event);
	if (hooks[event->hook].about) {
		(void)snprintf(about, sizeof(about), "%s %u", hooks[event->hook].about, event->target);
		record.socket = str_from(about);
	}

	(void)clock_gettime(CLOCK_REALTIME, &record.time);
	if (record.time.tv_sec != events->second) {
		events->second = record.time.tv_sec;
		events->written[0] = events->written[1] = 0;
	}
	written = &events->written[event->hook != GATE_HOOK_CONNECT && event->hook != GATE_HOOK_FIND];
	if (*written >= EVENTS_PER_SECOND) {
		events->suppressed++;
		return;
	}
	++*written;
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
