/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

/* move_addr_to_kernel(): net/socket.c. */
static int copy_address(const struct seccomp_notif *request, struct run_address *ret)
{
	uint64_t pointer = request->data.args[1];
	int size = (int)request->data.args[2];
	struct iovec local, remote;
	ssize_t n;

	if (size < 0 || (size_t)size > sizeof(ret->storage))
		return -EINVAL;
	ret->storage = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
	ret->size = (socklen_t)size;
	if (size == 0)
		return 0;
	local = (struct iovec){ .iov_base = &ret->storage, .iov_len = (size_t)size };
	remote = (struct iovec){ .iov_base = (void *)(uintptr_t)pointer, .iov_len = (size_t)size };
	n = process_vm_readv((pid_t)request->pid, &local, 1, &remote, 1, 0);
	if (n < 0)
		return errno == EPERM ? -EACCES : -errno;
	return n == size ? 0 : -EFAULT;
}

/* A thread's pidfd; before 6.9 its process's, whose descriptors are a thread's own too unless it unshared
 * them. */
static int open_pidfd(pid_t tid)
{
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);
	pid_t tgid;

	if (fd >= 0 || errno != EINVAL)
		return fd < 0 ? -errno : fd;
	tgid = run_walk_process(tid);
	if (tgid < 0)
		return tgid;
	fd = (int)syscall(SYS_pidfd_open, tgid, 0);
	return fd < 0 ? -errno : fd;
}

static int take_socket(const struct seccomp_notif *request, struct run_target *target)
{
	int pidfd = open_pidfd((pid_t)request->pid);
	socklen_t size = sizeof(int);
	int fd, r = 0;

	if (pidfd < 0)
		return pidfd;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)request->data.args[0], 0);
	if (fd < 0)
		r = errno == EPERM ? -EACCES : -errno;
	close(pidfd);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &target->domain, &size) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &target->type, &size) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	target->socket = fd;
	return 0;
}

int run_target_take(const struct seccomp_notif *request, struct run_target *ret)
{
	struct run_target target = { .tid = (pid_t)request->pid };
	int r = take_socket(request, &target);

	if (r < 0)
		return r;
	r = copy_address(request, &target.address);
	if (r < 0) {
		close(target.socket);
		return r;
	}
	*ret = target;
	return 0;
}

/* /proc/TID/root and /proc/TID/cwd lead where they lead for that thread. */
static int open_link(pid_t tid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int run_target_place(const struct run_target *target, struct run_place *ret)
{
	bool relative = target->address.un.sun_path[0] != '/';
	int root = open_link(target->tid, "root"), cwd;

	if (root < 0)
		return root;
	cwd = relative ? open_link(target->tid, "cwd") : -1;
	if (relative && cwd < 0) {
		close(root);
		return cwd;
	}
	*ret = (struct run_place){ .root = root, .cwd = cwd, .tid = target->tid };
	return 0;
}

void run_target_leave(struct run_place *place)
{
	close(place->root);
	if (place->cwd >= 0)
		close(place->cwd);
}
