// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * guard_engine.bpf.c - the engine's name in the file system, and its TCP ports.
 *
 * A listener is known by its name at the moment it listens. So nobody renames a socket away from a guarded
 * name (between its bind and its listen it would escape the mark), or to one (it may listen already).
 */
#include "kernel_types.h"

#include <asm-generic/errno-base.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <linux/bpf.h>

#include "gate_event.h"

#pragma clang diagnostic ignored "-Wunused-parameter"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define TYPE_MASK   0170000 /* linux/stat.h: S_IFMT */
#define TYPE_SOCKET 0140000

#define DOCKER_PORT     2375
#define DOCKER_TLS_PORT 2376

/* One load of the inode: newer verifiers want the very pointer compared with NULL that is read from. */
static __always_inline bool is_socket(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	return inode && (inode->i_mode & TYPE_MASK) == TYPE_SOCKET;
}

static __always_inline bool has_guarded_name(struct inode *directory, struct dentry *dentry)
{
	__u32 mask = directory_mask(directory);

	return mask && socket_kind(dentry, mask) != GATE_SOCKET_NONE;
}

static __always_inline bool refuse_name(void)
{
	__u32 task = task_kind();

	if (task == GATE_TASK_ENGINE || task == GATE_TASK_LOADER || is_first_process())
		return false;
	return refuse(GATE_DENIED_NAME, GATE_HOOK_NAME, 0);
}

SEC("lsm/inode_rename")
int BPF_PROG(guard_name, struct inode *from, struct dentry *old, struct inode *to, struct dentry *new)
{
	if (!is_socket(old) && !is_socket(new))
		return 0;
	if ((has_guarded_name(from, old) || has_guarded_name(to, new)) && refuse_name())
		return -EPERM;
	return 0;
}

/* An engine removes its own socket when it starts; who else may is known only where its executables are. */
SEC("lsm/inode_unlink")
int BPF_PROG(guard_removal, struct inode *directory, struct dentry *dentry)
{
	if (settings.known_engines && is_socket(dentry) && has_guarded_name(directory, dentry) &&
	    refuse_name())
		return -EPERM;
	return 0;
}

static __always_inline bool is_allowed_port(__u32 port)
{
	for (int i = 0; i < GATE_PORTS_MAX; i++)
		if (port && settings.ports[i] == port)
			return true;
	return false;
}

/* An engine that listens for everybody on TCP has no gate. */
SEC("lsm/socket_listen")
int BPF_PROG(guard_listen_tcp, struct socket *socket, int backlog)
{
	struct sock *sk = socket->sk;
	__u32 port;

	if (!sk || (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6))
		return 0;
	port = sk->__sk_common.skc_num;
	if ((port != DOCKER_PORT && port != DOCKER_TLS_PORT) || is_allowed_port(port) ||
	    task_kind() != GATE_TASK_ENGINE)
		return 0;
	if (refuse(GATE_DENIED_TCP, GATE_HOOK_LISTEN, port))
		return -EPERM;
	return 0;
}

/* This host itself: 127/8, 0.0.0.0, ::1, ::, and the former mapped into IPv6. */
static __always_inline bool is_this_host(const struct sockaddr_inet *address)
{
	__u32 v4 = address->family == AF_INET ? address->v4 : address->v6[3];

	if (address->family == AF_INET6) {
		if (address->v6[0] || address->v6[1])
			return false;
		if (!address->v6[2])
			return !v4 || v4 == bpf_htonl(1);
		if (address->v6[2] != bpf_htonl(0xffff))
			return false;
	}
	return !v4 || bpf_ntohl(v4) >> 24 == 127;
}

/* A port on which an engine is allowed to listen is for the proxy. */
SEC("lsm/socket_connect")
int BPF_PROG(guard_connect_tcp, struct socket *socket, struct sockaddr *address, int length)
{
	struct sockaddr_inet to = {};
	__u32 port;

	/* The kernel's copy has room for every kind of address. */
	if (length < 16 || bpf_probe_read_kernel(&to, sizeof(to), address) < 0)
		return 0;
	if (to.family != AF_INET && to.family != AF_INET6)
		return 0;
	port = bpf_ntohs(to.port);
	if (!is_allowed_port(port) || !is_this_host(&to) || task_kind() == GATE_TASK_PROXY)
		return 0;
	if (refuse(GATE_DENIED_TCP, GATE_HOOK_CONNECT_TCP, port))
		return -EPERM;
	return 0;
}
