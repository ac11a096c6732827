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
 *
 * Where `bpf` is no active LSM the loader makes fmod_ret programs of the same code, on security_HOOK instead
 * of HOOK. So nothing here takes the verdict of earlier programs, which is not in the same place everywhere:
 * if one had refused, the rest would not run at all.
 */
#include "kernel_types.h"

#include <asm-generic/errno-base.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <linux/bpf.h>

#include "gate_event.h"

/* A program takes what its hook gives it, needed or not. */
#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A socket that is known by its address is forgotten when the address is free. */
SEC("?fentry/security_sk_free")
int BPF_PROG(gate_free, struct sock *sk)
{
	__u64 address = (__u64)sk;

	(void)bpf_map_delete_elem(&addresses, &address);
	return 0;
}

SEC("lsm/socket_listen")
int BPF_PROG(gate_listen, struct socket *socket, int backlog)
{
	struct sock *sk = socket->sk;
	struct unix_sock *unix_sk;
	__u32 mask, kind;

	if (!sk)
		return 0;
	unix_sk = bpf_skc_to_unix_sock(sk);
	if (!unix_sk || !has_directory(unix_sk->path.dentry))
		return 0;
	mask = directory_mask(unix_sk->path.dentry->d_parent->d_inode);
	if (!mask)
		return 0;
	kind = socket_kind(unix_sk->path.dentry, mask);
	if (kind == GATE_SOCKET_NONE)
		return 0;
	/* The service manager may listen for the engine. */
	if (kind == GATE_SOCKET_ENGINE && settings.known_engines && task_kind() != GATE_TASK_ENGINE &&
	    !is_first_process())
		kind = GATE_SOCKET_FALSE;
	if (!socket_set_mark(sk, kind)) {
		count(GATE_FAILED);
		return -ENOMEM;
	}
	count(GATE_MARKED);
	return 0;
}

/* Whether the current process may connect to a listener of that kind. The proxy may to nothing else. */
static __always_inline bool may_connect(__u32 kind, __u32 task)
{
	if (task == GATE_TASK_PROXY)
		return kind == GATE_SOCKET_ENGINE;
	if (kind == GATE_SOCKET_ALSO)
		return task == GATE_TASK_ENGINE;
	return kind == GATE_SOCKET_NONE;
}

static __always_inline bool judge(struct sock *listener, __u32 kind, __u32 task, __u32 hook)
{
	if (task == GATE_TASK_CANARY) {
		/* Under `observe` too: nobody is harmed, and it shows that the programs can refuse. */
		count(GATE_DENIED_CANARY);
		return true;
	}
	return refuse_socket(hook == GATE_HOOK_FIND ? GATE_DENIED_FIND : GATE_DENIED, hook, listener, kind);
}

/*
 * Two spinlocks are held here, so nothing may sleep. The listener is the one that was reached, and its mark
 * was there before it listened. Both ends of what is let through are marked, for guard_receive.
 */
SEC("lsm/unix_stream_connect")
int BPF_PROG(gate_connect, struct sock *sock, struct sock *other, struct sock *newsk)
{
	__u32 kind = socket_mark(other), task = task_kind(), connection;

	if (!may_connect(kind, task)) {
		if (judge(other, kind, task, GATE_HOOK_CONNECT))
			return verdict(-EPERM);
		return verdict(0);
	}
	if (kind == GATE_SOCKET_NONE)
		return verdict(0);
	connection = kind == GATE_SOCKET_ALSO ? GATE_SOCKET_CONNECTION_ALSO : GATE_SOCKET_CONNECTION;
	if (!socket_set_mark(sock, connection) || !socket_set_mark(newsk, connection)) {
		count(GATE_FAILED);
		return -ENOMEM;
	}
	count(GATE_ALLOWED);
	return verdict(0);
}

/*
 * Linux 7.1 and later; the loader leaves it out elsewhere. Refuses before the listener's queue is looked at,
 * so a full queue cannot make a refused client wait, and covers datagrams. The canary passes here: it is to
 * prove gate_connect, which is the boundary on every kernel.
 */
SEC("?lsm/unix_find")
int BPF_PROG(gate_find, const struct path *path, struct sock *other, int flags)
{
	__u32 kind = socket_mark(other), task;

	if (kind == GATE_SOCKET_NONE)
		return verdict(0);
	task = task_kind();
	if (task == GATE_TASK_CANARY || may_connect(kind, task))
		return verdict(0);
	if (judge(other, kind, task, GATE_HOOK_FIND))
		return verdict(-EPERM);
	return verdict(0);
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
	struct gate_place place;
	__u32 kind, before, *mask;

	if (!unix_sk || !has_directory(unix_sk->path.dentry))
		return 0;
	place = place_of(unix_sk->path.dentry->d_parent->d_inode);
	mask = bpf_map_lookup_elem(&places, &place);
	if (!mask)
		return 0;
	kind = socket_kind(unix_sk->path.dentry, *mask);
	if (kind == GATE_SOCKET_NONE)
		return 0;
	before = socket_mark((struct sock *)unix_sk);
	if (unix_sk->sk.__sk_common.skc_state == TCP_ESTABLISHED && before == GATE_SOCKET_NONE)
		count(GATE_EARLIER);
	/* One that was seen to listen by somebody else than the engine stays that. */
	if (unix_sk->sk.__sk_common.skc_state != TCP_LISTEN ||
	    (kind == GATE_SOCKET_ENGINE && settings.known_engines && before == GATE_SOCKET_FALSE))
		return 0;
	count(socket_set_mark((struct sock *)unix_sk, kind) ? GATE_MARKED : GATE_FAILED);
	return 0;
}
