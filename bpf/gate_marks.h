/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gate_marks.h - reads and sets marks, in storage or by number: settings.by_number is a constant for the
 * verifier, which never sees the other branch. BPF side only.
 */
#ifndef SOCKGATE_GATE_MARKS_H
#define SOCKGATE_GATE_MARKS_H

#include "gate_maps.h"

static __always_inline __u32 socket_mark(struct sock *sk)
{
	__u64 address = (__u64)sk;
	__u32 *kind;

	if (settings.by_number)
		kind = bpf_map_lookup_elem(&addresses, &address);
	else
		kind = bpf_sk_storage_get(&listeners, sk, 0, 0);
	return kind ? *kind : GATE_SOCKET_NONE;
}

/* Whether it is stored. */
static __always_inline bool socket_set_mark(struct sock *sk, __u32 kind)
{
	__u64 address = (__u64)sk;
	__u32 *mark;

	if (settings.by_number)
		return bpf_map_update_elem(&addresses, &address, &kind, BPF_ANY) == 0;
	mark = bpf_sk_storage_get(&listeners, sk, &kind, BPF_SK_STORAGE_GET_F_CREATE);
	if (!mark)
		return false;
	*mark = kind; /* there may be one of an earlier configuration */
	return true;
}

static __always_inline struct gate_place place_of(struct inode *inode)
{
	struct gate_place place = {};

	place.ino = inode->i_ino;
	place.dev = inode->i_sb->s_dev;
	return place;
}

/* The bits of the guarded sockets in that directory. */
static __always_inline __u32 directory_mask(struct inode *directory)
{
	__u32 *mask;

	if (settings.by_number) {
		struct gate_place place = place_of(directory);

		mask = bpf_map_lookup_elem(&places, &place);
	} else {
		mask = bpf_inode_storage_get(&directories, directory, 0, 0);
	}
	return mask ? *mask : 0;
}

/* What executing the file makes of a process. */
static __always_inline __u32 executable_kind(struct inode *inode)
{
	__u32 *kind;

	if (settings.by_number) {
		struct gate_place place = place_of(inode);

		kind = bpf_map_lookup_elem(&programs, &place);
	} else {
		kind = bpf_inode_storage_get(&executables, inode, 0, 0);
	}
	return kind ? *kind : GATE_TASK_NONE;
}

/* The mark is on the thread group's leader: threads and io_uring's workers count as their process. */
static __always_inline __u32 kind_of(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	__u32 *kind;

	if (!leader)
		return GATE_TASK_NONE;
	kind = bpf_task_storage_get(&tasks, leader, 0, 0);
	return kind ? *kind : GATE_TASK_NONE;
}

static __always_inline __u32 task_kind(void)
{
	return kind_of(bpf_get_current_task_btf());
}

/* PID 1 of the host: what it is told to do, it may do. */
static __always_inline bool is_first_process(void)
{
	return bpf_get_current_pid_tgid() >> 32 == 1;
}

static __always_inline bool has_directory(struct dentry *dentry)
{
	return dentry && dentry->d_parent && dentry->d_parent->d_inode;
}

/*
 * The kind of the guarded socket called `dentry`, or GATE_SOCKET_NONE. `mask` has the bits of those in its
 * directory. Only for the moment of listening and for who changes names: later the name may be another.
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
			differ |= settings.sockets[i].name[word] ^ name[word];
		if (!differ)
			return settings.sockets[i].kind;
	}
	return GATE_SOCKET_NONE;
}

#endif
