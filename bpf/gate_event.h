/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* gate_event.h - counts a refusal and puts it into the ring; no verdict depends on that. BPF side only. */
#ifndef SOCKGATE_GATE_EVENT_H
#define SOCKGATE_GATE_EVENT_H

#include "gate_marks.h"

/*
 * A verdict that the compiler may not make of another value (a mark that happens to be 0, say): the verifier
 * of 6.12 wants to see the constant.
 */
static __always_inline int verdict(long value)
{
	asm volatile("" : "+r"(value));
	return value;
}

static __always_inline void fill_event(struct gate_event *event, __u32 hook)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 ids;

	__builtin_memset(event, 0, sizeof(*event));
	ids = bpf_get_current_pid_tgid();
	event->pid = ids >> 32;
	event->tid = ids;
	ids = bpf_get_current_uid_gid();
	event->gid = ids >> 32;
	event->uid = ids;
	event->cgroup = bpf_get_current_cgroup_id();
	event->start_time = BPF_CORE_READ(task, group_leader, start_boottime);
	event->hook = hook;
	event->observed = settings.observe;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

/*
 * Counts and reports. Returns whether to refuse: not under `observe`. The ring's answer is looked at once and
 * returned from at once: 6.1's verifier does not know a second time that it was not NULL.
 */
static __always_inline bool refuse_socket(__u32 counter, __u32 hook, struct sock *sk, __u32 kind)
{
	struct unix_sock *unix_sk = (struct unix_sock *)sk;
	struct gate_event *event;

	count(counter);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(GATE_EVENTS_LOST);
		return !settings.observe;
	}
	fill_event(event, hook);
	event->kind = kind;
	bpf_probe_read_kernel_str(event->socket, sizeof(event->socket),
				  BPF_CORE_READ(unix_sk, addr)->name[0].sun_path);
	bpf_ringbuf_submit(event, 0);
	return !settings.observe;
}

static __always_inline bool refuse(__u32 counter, __u32 hook, __u32 target)
{
	struct gate_event *event;

	count(counter);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(GATE_EVENTS_LOST);
		return !settings.observe;
	}
	fill_event(event, hook);
	event->target = target;
	bpf_ringbuf_submit(event, 0);
	return !settings.observe;
}

#endif
