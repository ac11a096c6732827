/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel_types.h - the few kernel fields that the BPF programs read.
 *
 * Offsets are relocated at load time against the running kernel's BTF (CO-RE), so that only names and types
 * matter here, never positions, and one object runs on every kernel. Names are those of the Linux sources:
 * include/linux/{sched,cred,fs,fdtable,mount,dcache,path,binfmts,nsproxy,bpf}.h, fs/mount.h,
 * include/net/{sock,af_unix}.h.
 */
#ifndef SOCKGATE_KERNEL_TYPES_H
#define SOCKGATE_KERNEL_TYPES_H

#include <linux/types.h>
#include <stdbool.h>

#define AF_UNIX         1
#define AF_INET         2
#define AF_INET6        10
#define TCP_ESTABLISHED 1  /* sk_state of a connected Unix stream socket as well */
#define TCP_LISTEN      10 /* and of a listening one */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
	unsigned int s_dev;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
	struct dentry *d_parent;
	struct inode *d_inode;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct fdtable {
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct vfsmount {
	int mnt_flags;
};

struct mount {
	struct vfsmount mnt;
	int mnt_id;
};

struct bpf_map {
	__u32 id;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct bpf_link {
	__u32 id;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct sock_common {
	unsigned short skc_family;
	__u16 skc_num; /* the bound port, in the host's order */
	volatile unsigned char skc_state;
};

struct sock {
	struct sock_common __sk_common;
};

struct socket {
	struct sock *sk;
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct path path;
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct pid_namespace *pid_ns_for_children;
};

typedef struct {
	__u64 val;
} kernel_cap_t;

struct cred {
	kernel_cap_t cap_effective; /* two words before 6.3, and as many bits */
};

struct task_struct {
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	const struct cred *cred;
	struct files_struct *files;
	int tgid;
	struct nsproxy *nsproxy;
	unsigned int ptrace;
	__u64 start_boottime;
};

struct linux_binprm {
	struct file *file;
};

/* The context of iter/unix: net/unix/af_unix.c. */
struct bpf_iter__unix {
	struct bpf_iter_meta *meta;
	struct unix_sock *unix_sk;
	unsigned int uid;
};

#pragma clang attribute pop

/* struct sockaddr_in and sockaddr_in6 in one, as the kernel has them for its users: nothing to relocate. */
struct sockaddr_inet {
	__u16 family;
	__u16 port;
	__u32 v4; /* v6: the flow label */
	__u32 v6[4];
	__u32 scope;
};

#endif
