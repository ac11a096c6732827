// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * guard_self.bpf.c - the gate's own links, maps, programs and pins are for its loader alone.
 *
 * bpf_map and bpf_prog run wherever a descriptor is made, so nobody gets one by id, by pin or otherwise; a
 * map may still be read. A link has no such hook: asking for it by id is refused, and so is detaching it. An
 * LSM program's link cannot be detached anyway; the one on the cgroup can, and whoever wins the race between
 * our look at his descriptor and the kernel's is noticed by the canary.
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

#define OPEN_WRITE 2 /* linux/fs.h: FMODE_WRITE */
#define FILES_MAX  (1 << 20)

static __always_inline bool is_object(__u32 kind, __u32 dev, __u64 id)
{
	struct gate_object object = {};

	object.kind = kind;
	object.dev = dev;
	object.id = id;
	return bpf_map_lookup_elem(&objects, &object) != 0;
}

static __always_inline bool refuse_object(__u32 hook, __u32 target)
{
	if (task_kind() == GATE_TASK_LOADER)
		return false;
	return refuse(GATE_DENIED_OBJECT, hook, target);
}

/* The link behind the caller's descriptor, or 0. Whatever else it is has some number in this place. */
static __always_inline __u32 link_of(__u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file **files = BPF_CORE_READ(task, files, fdt, fd);
	struct file *file = 0;
	struct bpf_link *link;

	/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is a pointer that is read */
	if (fd >= FILES_MAX || bpf_probe_read_kernel(&file, sizeof(file), files + fd) < 0 || !file)
		return 0;
	link = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(link, id);
}

/* For these commands the id or the descriptor is what the attribute starts with: include/uapi/linux/bpf.h. */
SEC("lsm/bpf")
int BPF_PROG(guard_bpf, int command, union bpf_attr *attr)
{
	__u32 first = 0;

	if (command != BPF_LINK_GET_FD_BY_ID && command != BPF_LINK_DETACH && command != BPF_LINK_UPDATE)
		return 0;
	if (bpf_probe_read_kernel(&first, sizeof(first), attr) < 0)
		return 0;
	if (command != BPF_LINK_GET_FD_BY_ID)
		first = link_of(first);
	if (is_object(GATE_OBJECT_LINK, 0, first) && refuse_object(GATE_HOOK_BPF, command))
		return -EPERM;
	return 0;
}

SEC("lsm/bpf_map")
int BPF_PROG(guard_map, struct bpf_map *map, unsigned int mode)
{
	if (mode & OPEN_WRITE && is_object(GATE_OBJECT_MAP, 0, map->id) &&
	    refuse_object(GATE_HOOK_BPF, BPF_MAP_GET_FD_BY_ID))
		return -EPERM;
	return 0;
}

SEC("lsm/bpf_prog")
int BPF_PROG(guard_prog, struct bpf_prog *prog)
{
	if (is_object(GATE_OBJECT_PROGRAM, 0, prog->aux->id) &&
	    refuse_object(GATE_HOOK_BPF, BPF_PROG_GET_FD_BY_ID))
		return -EPERM;
	return 0;
}

/* A mount goes with what it is mounted on, without being asked for: so that is guarded as well. */
SEC("lsm/sb_umount")
int BPF_PROG(guard_umount, struct vfsmount *vfsmount, int flags)
{
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);

	if (is_object(GATE_OBJECT_MOUNT, 0, BPF_CORE_READ(mount, mnt_id)) && refuse_object(GATE_HOOK_PIN, 0))
		return -EPERM;
	return 0;
}

static __always_inline bool is_pins(struct inode *directory)
{
	return directory && is_object(GATE_OBJECT_DIRECTORY, directory->i_sb->s_dev, directory->i_ino);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(guard_rmdir, struct inode *directory, struct dentry *dentry)
{
	if (is_pins(dentry->d_inode) && refuse_object(GATE_HOOK_PIN, 0))
		return -EPERM;
	return 0;
}

SEC("lsm/inode_unlink")
int BPF_PROG(guard_unlink, struct inode *directory, struct dentry *dentry)
{
	if (is_pins(directory) && refuse_object(GATE_HOOK_PIN, 0))
		return -EPERM;
	return 0;
}

SEC("lsm/inode_rename")
int BPF_PROG(guard_rename, struct inode *from, struct dentry *old, struct inode *to, struct dentry *new)
{
	if ((is_pins(from) || is_pins(to) || is_pins(old->d_inode)) && refuse_object(GATE_HOOK_PIN, 0))
		return -EPERM;
	return 0;
}
