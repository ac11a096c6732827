// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * gate.bpf.c - who may connect to the engine's sockets.
 *
 * Theory of operation. A listener is marked when it starts to listen (socket_listen runs after bind() has set
 * its path and before it accepts anybody), if its directory is marked and its name is listed; the mark is the
 * socket's own storage and dies with it. A connect is judged by the mark on the listener it really reached,
 * so no alias of the path matters: links, mounts, namespaces and renames all lead to the same socket. Who may
 * connect is a mark as well, on one process, put there by the loader and gone on exec. Listeners that are
 * older than the gate are marked by an iterator.
 *
 * What must not happen: a verdict that depends on an event being stored, on a path or a name at connect time,
 * or on anything an unmarked process can choose. A listener whose mark cannot be stored must not listen.
 *
 * All functions but the programs are static, so that nothing can be replaced (BPF_PROG_TYPE_EXT), and what
 * was configured is in .rodata, which the loader freezes. `if (deny) return -EPERM; return 0;` and no
 * shorter: 6.12's verifier does not see the range of `deny ? -EPERM : 0`.
 */
#include "kernel_types.h"

#include <asm-generic/errno-base.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <linux/bpf.h>

#include "gate_judge.h"

/* A program takes what its hook gives it, needed or not. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("lsm/socket_listen")
int BPF_PROG(gate_listen, struct socket *socket, int backlog, int ret)
{
	struct sock *sk = socket->sk;
	struct unix_sock *unix_sk;
	__u32 *mask, kind;

	if (ret || !sk)
		return ret;
	unix_sk = bpf_skc_to_unix_sock(sk);
	if (!unix_sk || !has_directory(unix_sk->path.dentry))
		return 0;
	mask = bpf_inode_storage_get(&directories, unix_sk->path.dentry->d_parent->d_inode, 0, 0);
	if (!mask)
		return 0;
	kind = socket_kind(unix_sk->path.dentry, *mask);
	if (kind == GATE_SOCKET_NONE)
		return 0;
	if (!bpf_sk_storage_get(&listeners, sk, &kind, BPF_SK_STORAGE_GET_F_CREATE)) {
		count(GATE_FAILED);
		return -ENOMEM;
	}
	count(GATE_MARKED);
	return 0;
}

/*
 * Two spinlocks are held here, so nothing may sleep. The listener is the one that was reached, and its mark
 * was there before it listened.
 */
SEC("lsm/unix_stream_connect")
int BPF_PROG(gate_connect, struct sock *sock, struct sock *other, struct sock *newsk, int ret)
{
	__u32 *kind;

	if (ret)
		return ret;
	kind = bpf_sk_storage_get(&listeners, other, 0, 0);
	if (!kind)
		return 0;
	if (judge(other, *kind, GATE_HOOK_CONNECT))
		return -EPERM;
	return 0;
}

/*
 * Linux 7.1 and later; the loader leaves it out elsewhere. Refuses before the listener's queue is looked at,
 * so a full queue cannot make a refused client wait, and covers datagrams. The canary passes here: it is to
 * prove gate_connect, which is the boundary on every kernel.
 */
SEC("?lsm/unix_find")
int BPF_PROG(gate_find, const struct path *path, struct sock *other, int flags, int ret)
{
	__u32 *kind;

	if (ret)
		return ret;
	kind = bpf_sk_storage_get(&listeners, other, 0, 0);
	if (!kind || task_kind() == GATE_TASK_CANARY)
		return 0;
	if (judge(other, *kind, GATE_HOOK_FIND))
		return -EPERM;
	return 0;
}

/*
 * The proxy and an engine's executable run as if they were set-uid: ld.so must not load what the caller's
 * environment names.
 */
SEC("lsm/bprm_creds_for_exec")
int BPF_PROG(gate_exec_secure, struct linux_binprm *bprm, int ret)
{
	if (ret)
		return ret;
	if (task_kind() == GATE_TASK_PROXY_NEXT ||
	    (bprm->file && bpf_inode_storage_get(&executables, bprm->file->f_inode, 0, 0)))
		bpf_bprm_opts_set(bprm, BPF_F_BPRM_SECUREEXEC);
	return 0;
}

/*
 * The point of no return of execve(): whatever the process was, it is that no longer. It becomes the proxy if
 * the loader said so of this exec and nobody traces it, or an engine by what it executes. The caller is the
 * leader now, the other threads are gone, and nothing of the new program has run yet.
 */
SEC("lsm/bprm_committed_creds")
int BPF_PROG(gate_exec, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 *mark = bpf_task_storage_get(&tasks, task, 0, 0);

	if (mark && *mark == GATE_TASK_PROXY_NEXT && !task->ptrace) {
		*mark = GATE_TASK_PROXY;
		return 0;
	}
	if (mark)
		bpf_task_storage_delete(&tasks, task);
	if (!bprm->file || BPF_CORE_READ(task, nsproxy, pid_ns_for_children, ns.inum) != pid_namespace)
		return 0;
	mark = bpf_inode_storage_get(&executables, bprm->file->f_inode, 0, 0);
	if (mark && !bpf_task_storage_get(&tasks, task, mark, BPF_LOCAL_STORAGE_GET_F_CREATE))
		count(GATE_FAILED);
	return 0;
}

/*
 * Marks the listeners that are older than the gate, and counts the connections that are. An iterator may not
 * look into an inode's storage, so directories are known by number here; sockgated's canary tries every
 * guarded socket and so notices where a file system shows other numbers to programs than it has.
 */
SEC("iter/unix")
int gate_existing(struct bpf_iter__unix *ctx)
{
	struct unix_sock *unix_sk = ctx->unix_sk;
	struct gate_place place = {};
	__u32 kind, *mark, *mask;

	if (!unix_sk || !has_directory(unix_sk->path.dentry))
		return 0;
	place.ino = unix_sk->path.dentry->d_parent->d_inode->i_ino;
	place.dev = unix_sk->path.dentry->d_parent->d_inode->i_sb->s_dev;
	mask = bpf_map_lookup_elem(&places, &place);
	if (!mask)
		return 0;
	kind = socket_kind(unix_sk->path.dentry, *mask);
	if (kind == GATE_SOCKET_NONE)
		return 0;
	if (unix_sk->sk.__sk_common.skc_state == TCP_ESTABLISHED)
		count(GATE_EARLIER);
	if (unix_sk->sk.__sk_common.skc_state != TCP_LISTEN)
		return 0;
	mark = bpf_sk_storage_get(&listeners, (struct sock *)unix_sk, &kind, BPF_SK_STORAGE_GET_F_CREATE);
	if (!mark) {
		count(GATE_FAILED);
		return 0;
	}
	*mark = kind; /* there may be one of an earlier configuration */
	count(GATE_MARKED);
	return 0;
}
