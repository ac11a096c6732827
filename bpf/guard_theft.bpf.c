// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * guard_theft.bpf.c - nobody takes what the marked processes have: their memory, their descriptors, their
 * life.
 *
 * An engine's connection may be received by a worker only, a listening socket of an engine by nobody; by
 * SCM_RIGHTS, pidfd_getfd() and seccomp's ADDFD alike, which all end in file_receive. Reading /proc about a
 * process (PTRACE_MODE_READ) stays allowed: the administrator's tools do that all the time.
 */
#include "kernel_types.h"

#include <asm-generic/errno-base.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <linux/bpf.h>

#include "gate_event.h"

#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define TRACE_ATTACH 2 /* linux/ptrace.h: PTRACE_MODE_ATTACH */
#define SIGHUP       1
#define SIGCONT      18

static __always_inline bool is_ours(__u32 kind)
{
	return kind == GATE_TASK_PROXY || kind == GATE_TASK_PROXY_NEXT || kind == GATE_TASK_WORKER ||
	       kind == GATE_TASK_LOADER;
}

/* Attaching, /proc/PID/mem, process_vm_readv(), pidfd_getfd(). */
SEC("lsm/ptrace_access_check")
int BPF_PROG(guard_trace, struct task_struct *child, unsigned int mode)
{
	__u32 kind;

	if (!(mode & TRACE_ATTACH))
		return 0;
	kind = kind_of(child);
	if (!is_ours(kind) && kind != GATE_TASK_ENGINE)
		return 0;
	if (refuse(GATE_DENIED_TRACE, GATE_HOOK_TRACE, child->tgid))
		return -EPERM;
	return 0;
}

/* A marked process that asks to be traced was talked into it. */
SEC("lsm/ptrace_traceme")
int BPF_PROG(guard_traceme, struct task_struct *parent)
{
	__u32 kind = task_kind();

	if (!is_ours(kind) && kind != GATE_TASK_ENGINE)
		return 0;
	if (refuse(GATE_DENIED_TRACE, GATE_HOOK_TRACE, bpf_get_current_pid_tgid() >> 32))
		return -EPERM;
	return 0;
}

SEC("lsm/file_receive")
int BPF_PROG(guard_receive, struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk;
	__u32 kind, task;

	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	kind = socket_mark(sk);
	if (kind == GATE_SOCKET_NONE)
		return 0;
	task = task_kind();
	if (kind == GATE_SOCKET_CONNECTION && task == GATE_TASK_WORKER)
		return 0;
	if (kind == GATE_SOCKET_CONNECTION_ALSO && task == GATE_TASK_ENGINE)
		return 0;
	if (refuse_socket(GATE_DENIED_RECEIVE, GATE_HOOK_RECEIVE, sk, kind))
		return -EPERM;
	return 0;
}

/*
 * Signals of processes only; what the kernel sends itself (a terminal's, the OOM killer's) does not come
 * here. The service manager stops and reloads sockgated; SIGHUP lets anybody who might anyway rotate its
 * files.
 */
SEC("lsm/task_kill")
int BPF_PROG(guard_kill, struct task_struct *target, void *info, int signal)
{
	__u32 kind = kind_of(target);

	if (!is_ours(kind) || is_ours(task_kind()) || is_first_process())
		return 0;
	if (signal == 0 || signal == SIGCONT || (signal == SIGHUP && kind == GATE_TASK_LOADER))
		return 0;
	if (refuse(GATE_DENIED_KILL, GATE_HOOK_KILL, target->tgid))
		return -EPERM;
	return 0;
}
