/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/local_socket.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

/* Removes a socket that nobody listens on. Returns 0 when the path is free now, or -errno. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, r;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	close(fd);
	/* Answered, or refused by somebody's gate: it is in use. A full queue is an answer, too. */
	if (r != -ECONNREFUSED)
		return r == -ENOENT ? 0 : -EADDRINUSE;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int find_group(const char *group, gid_t *ret, const char **why)
{
	const struct group *entry;

	errno = 0;
	entry = getgrnam(group);
	if (!entry) {
		*why = "there is no such group";
		return errno ? -errno : -ENOENT;
	}
	*ret = entry->gr_gid;
	return 0;
}

int local_socket_open(const char *path, const char *group, mode_t mode, const char **why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gid_t gid = (gid_t)-1;
	mode_t before;
	int fd, r = 0;

	*why = "cannot listen";
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	if (group)
		r = find_group(group, &gid, why);
	if (r < 0)
		return r;
	r = remove_stale(&address);
	if (r < 0) {
		*why = "something else is there, or listens there";
		return r;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Nobody but root until the group is right: whoever can write may connect. */
	before = umask(0177);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	(void)umask(before);
	if (r == 0 && gid != (gid_t)-1 && lchown(path, (uid_t)-1, gid) < 0)
		r = -errno;
	if (r == 0 && chmod(path, mode) < 0)
		r = -errno;
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}
