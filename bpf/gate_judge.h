/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gate_judge.h - which sockets are guarded, who may connect to them, and the report of a refusal. BPF side
 * only.
 */
#ifndef SOCKGATE_GATE_JUDGE_H
#define SOCKGATE_GATE_JUDGE_H

#include "gate_maps.h"

static __always_inline bool has_directory(struct dentry *dentry)
{
	return dentry && dentry->d_parent && dentry->d_parent->d_inode;
}

/*
 * The kind of the guarded socket called `dentry`, or GATE_SOCKET_NONE. `mask` has the bits of those in its
 * directory. Only for the moment of listening: later the name may be another.
 */
static __always_inline __u32 socket_kind(struct dentry *dentry, __u32 mask)
{
	__u64 name[GATE_NAME_MAX / 8] = {};
	const unsigned char *text;

	text = dentry->d_name.name;
	/* A longer name is cut to GATE_NAME_MAX - 1 bytes, and no listed one has as many. */
	if (bpf_probe_read_kernel_str(name, sizeof(name), text) < 0)
		return GATE_SOCKET_NONE;
	for (int i = 0; i < GATE_SOCKETS_MAX; i++) {
		__u64 differ = !(mask & (1u << i));

		for (int word = 0; word < GATE_NAME_MAX / 8; word++)
			differ |= sockets[i].name[word] ^ name[word];
		if (!differ)
			return sockets[i].kind;
	}
	return GATE_SOCKET_NONE;
}

/* The mark is on the thread group's leader: threads and io_uring's workers count as their process. */
static __always_inline __u32 task_kind(void)
{
	struct task_struct *leader = bpf_get_current_task_btf()->group_leader;
	__u32 *kind;

	if (!leader)
		return GATE_TASK_NONE;
	kind = bpf_task_storage_get(&tasks, leader, 0, 0);
	return kind ? *kind : GATE_TASK_NONE;
}

static __always_inline void report(struct sock *listener, __u32 kind, __u32 hook)
{
	struct unix_sock *unix_sk = (struct unix_sock *)listener;
	struct task_struct *task = bpf_get_current_task_btf();
	struct gate_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	__u64 ids;

	if (!event) {
		count(GATE_EVENTS_LOST);
		return;
	}
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
	event->observed = observe;
	event->kind = kind;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_probe_read_kernel_str(event->socket, sizeof(event->socket),
				  BPF_CORE_READ(unix_sk, addr)->name[0].sun_path);
	bpf_ringbuf_submit(event, 0);
}

/* Whether to refuse. */
static __always_inline bool judge(struct sock *listener, __u32 kind, __u32 hook)
{
	__u32 task = task_kind();

	if ((kind == GATE_SOCKET_ENGINE && task == GATE_TASK_PROXY) ||
	    (kind == GATE_SOCKET_ALSO && task == GATE_TASK_ENGINE)) {
		if (hook == GATE_HOOK_CONNECT)
			count(GATE_ALLOWED);
		return false;
	}
	if (task == GATE_TASK_CANARY) {
		/* Under `observe` too: nobody is harmed, and it shows that the programs can refuse. */
		count(GATE_DENIED_CANARY);
		return true;
	}
	count(hook == GATE_HOOK_FIND ? GATE_DENIED_FIND : GATE_DENIED);
	report(listener, kind, hook);
	return !observe;
}

#endif
