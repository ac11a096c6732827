/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "attack.h"

int attack_connect(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error, fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	strcpy(address.sun_path, path);
	error = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	return error;
}

int attack_plain(void)
{
	return attack_connect(ATTACK_SOCKET, SOCK_STREAM);
}

int attack_nonblocking(void)
{
	return attack_connect(ATTACK_SOCKET, SOCK_STREAM | SOCK_NONBLOCK);
}

int attack_symlink(void)
{
	int error;

	if (symlink(ATTACK_SOCKET, "/tmp/link") < 0)
		return -errno;
	error = attack_connect("/tmp/link", SOCK_STREAM);
	unlink("/tmp/link");
	return error;
}

int attack_relative(void)
{
	return chdir("/run") < 0 ? -errno : attack_connect("docker.sock", SOCK_STREAM);
}

int attack_dots(void)
{
	return attack_connect("/run/.././/run/./docker.sock", SOCK_STREAM);
}

int attack_descriptor_path(void)
{
	char path[64];
	int fd = open(ATTACK_SOCKET, O_PATH);

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return attack_connect(path, SOCK_STREAM);
}

int attack_root_of_init(void)
{
	return attack_connect("/proc/1/root" ATTACK_SOCKET, SOCK_STREAM);
}

int attack_hard_link(void)
{
	int error;

	if (link(ATTACK_SOCKET, "/run/other-name") < 0)
		return -errno;
	error = attack_connect("/run/other-name", SOCK_STREAM);
	unlink("/run/other-name");
	return error;
}

static int private_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	return 0;
}

static int touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int attack_bind_mount(void)
{
	int r = private_mounts();

	if (r == 0)
		r = touch("/tmp/bound");
	if (r == 0 && mount(ATTACK_SOCKET, "/tmp/bound", NULL, MS_BIND, NULL) < 0)
		r = -errno;
	return r < 0 ? r : attack_connect("/tmp/bound", SOCK_STREAM);
}

int attack_cloned_mount(void)
{
	int tree, r = private_mounts();

	if (r == 0)
		r = touch("/tmp/cloned");
	if (r < 0)
		return r;
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, ATTACK_SOCKET, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp/cloned", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return attack_connect("/tmp/cloned", SOCK_STREAM);
}

/* What a container with the socket mounted sees: another root, in which it is root. */
int attack_chroot(void)
{
	int r = private_mounts();

	if (r < 0)
		return r;
	if (mkdir("/tmp/container", 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mount("none", "/tmp/container", "tmpfs", 0, NULL) < 0 || mkdir("/tmp/container/run", 0755) < 0)
		return -errno;
	r = touch("/tmp/container" ATTACK_SOCKET);
	if (r < 0)
		return r;
	if (mount(ATTACK_SOCKET, "/tmp/container" ATTACK_SOCKET, NULL, MS_BIND, NULL) < 0 ||
	    chroot("/tmp/container") < 0 || chdir("/") < 0)
		return -errno;
	return attack_plain();
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

int attack_user_namespace(void)
{
	char map[64];
	int r;

	snprintf(map, sizeof(map), "0 %d 1\n", (int)getuid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	r = write_text("/proc/self/uid_map", map);
	return r < 0 ? r : attack_plain();
}

int attack_network_namespace(void)
{
	return unshare(CLONE_NEWNET) < 0 ? -errno : attack_plain();
}
