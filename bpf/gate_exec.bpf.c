// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * gate_exec.bpf.c - what a process is by what it executes.
 *
 * Whatever it was, it is that no longer. It becomes the proxy if the loader said so of this exec, a worker if
 * its parent is the proxy, an engine or the loader by the file alone. Nobody becomes anything while he is
 * traced, or in a container. The file is told by inode, and runs as if set-uid: ld.so must not load what the
 * caller's environment names.
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

#define SYS_ADMIN (1ull << 21) /* linux/capability.h: CAP_SYS_ADMIN */

/* Only an LSM program may; see may_become() for the other backend. */
SEC("?lsm/bprm_creds_for_exec")
int BPF_PROG(gate_exec_secure, struct linux_binprm *bprm)
{
	if (task_kind() == GATE_TASK_PROXY_NEXT || (bprm->file && executable_kind(bprm->file->f_inode)))
		bpf_bprm_opts_set(bprm, BPF_F_BPRM_SECUREEXEC);
	return 0;
}

static __always_inline bool is_root(void)
{
	return (__u32)bpf_get_current_uid_gid() == 0;
}

/* Root that could have armed the gate itself. */
static __always_inline bool is_administrator(struct task_struct *task)
{
	__u64 capabilities = 0;

	bpf_probe_read_kernel(&capabilities, sizeof(capabilities), &task->cred->cap_effective);
	return is_root() && capabilities & SYS_ADMIN;
}

static __always_inline bool may_become(struct task_struct *task, __u32 kind)
{
	struct task_struct *parent = task->real_parent;

	if (task->ptrace ||
	    BPF_CORE_READ(task, nsproxy, pid_ns_for_children, ns.inum) != settings.pid_namespace)
		return false;
	if (kind == GATE_TASK_WORKER)
		return parent && kind_of(parent) == GATE_TASK_PROXY;
	if (kind == GATE_TASK_LOADER)
		return is_administrator(task);
	/* Without gate_exec_secure an ordinary user could bring his own code into the engine's program. */
	return !settings.by_number || is_root();
}

/*
 * The point of no return of execve(): the caller is the leader now, the other threads are gone, and nothing
 * of the new program has run yet.
 */
SEC("lsm/bprm_committed_creds")
int BPF_PROG(gate_exec, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 kind, *mark = bpf_task_storage_get(&tasks, task, 0, 0);

	if (mark && *mark == GATE_TASK_PROXY_NEXT && !task->ptrace) {
		*mark = GATE_TASK_PROXY;
		return 0;
	}
	if (mark)
		bpf_task_storage_delete(&tasks, task);
	if (!bprm->file)
		return 0;
	kind = executable_kind(bprm->file->f_inode);
	if (kind != GATE_TASK_NONE && may_become(task, kind) &&
	    !bpf_task_storage_get(&tasks, task, &kind, BPF_LOCAL_STORAGE_GET_F_CREATE))
		count(GATE_FAILED);
	return 0;
}
