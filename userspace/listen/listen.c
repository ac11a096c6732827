/* SPDX-License-Identifier: BSD-2-Clause */
#include "listen/listen.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096

/* Whether somebody may be listening at that address: only a refusal says that nobody is. */
static bool in_use(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool used = fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		    errno != ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return used;
}

/* Makes way for a socket of ours: nothing but a dead socket may be removed. */
static int clear_path(const struct sockaddr_un *address, char *why, size_t why_size)
{
	struct stat st;

	if (lstat(address->sun_path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		snprintf(why, why_size, "%s: %s", address->sun_path, strerror(errno));
		return -errno;
	}
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, why_size, "%s exists and is no socket", address->sun_path);
		return -EEXIST;
	}
	if (in_use(address)) {
		snprintf(why, why_size, "%s: another process listens there", address->sun_path);
		return -EADDRINUSE;
	}
	if (unlink(address->sun_path) < 0) {
		snprintf(why, why_size, "cannot remove the stale socket %s: %s", address->sun_path,
			 strerror(errno));
		return -errno;
	}
	return 0;
}

static int make_parent(const char *path, char *why, size_t why_size)
{
	const char *slash = strrchr(path, '/');
	char parent[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	if (!slash || slash == path)
		return 0;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	if (mkdir(parent, 0755) < 0 && errno != EEXIST) {
		snprintf(why, why_size, "cannot make %s: %s", parent, strerror(errno));
		return -errno;
	}
	return 0;
}

static int set_owner(const char *path, struct str group, unsigned mode, char *why, size_t why_size)
{
	char name[64];
	const struct group *entry;

	if (group.n) {
		if (group.n >= sizeof(name)) {
			snprintf(why, why_size, "the group's name is too long");
			return -EINVAL;
		}
		memcpy(name, group.p, group.n);
		name[group.n] = '\0';
		entry = getgrnam(name);
		if (!entry) {
			snprintf(why, why_size, "there is no group %s", name);
			return -ENOENT;
		}
		if (chown(path, (uid_t)-1, entry->gr_gid) < 0) {
			snprintf(why, why_size, "cannot give %s to group %s: %s", path, name,
				 strerror(errno));
			return -errno;
		}
	}
	if (chmod(path, mode) < 0) {
		snprintf(why, why_size, "cannot set the mode of %s: %s", path, strerror(errno));
		return -errno;
	}
	return 0;
}

static int open_unix(const struct policy_image *image, const struct image_listener *listener, int *ret_fd,
		     char *why, size_t why_size)
{
	struct str path = image_string(image, listener->address);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t old;
	int fd, r;

	if (path.n == 0 || path.n >= sizeof(address.sun_path)) {
		snprintf(why, why_size, "a socket's path has at most %zu bytes",
			 sizeof(address.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, path.p, path.n);
	r = make_parent(address.sun_path, why, why_size);
	if (r == 0)
		r = clear_path(&address, why, why_size);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		snprintf(why, why_size, "socket: %s", strerror(errno));
		return -errno;
	}
	/* Nobody may connect between bind and chmod. */
	old = umask(0177);
	r = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(old);
	if (r < 0) {
		snprintf(why, why_size, "cannot bind %s: %s", address.sun_path, strerror(-r));
	} else {
		r = set_owner(address.sun_path, image_string(image, listener->group), listener->mode, why,
			      why_size);
		if (r < 0)
			unlink(address.sun_path);
	}
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int bind_one(const struct addrinfo *at, int *ret_fd)
{
	int on = 1, off = 0, r;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* "Every address" means both families, as HAProxy's `[::]:2375 v4v6`. */
	if (r == 0 && at->ai_family == AF_INET6)
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (r == 0)
		r = bind(fd, at->ai_addr, at->ai_addrlen);
	if (r < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int open_tcp(const struct policy_image *image, const struct image_listener *listener, int *ret_fd,
		    char *why, size_t why_size)
{
	struct str host = image_string(image, listener->address);
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list;
	char name[256], port[8];
	int r, error;

	if (host.n >= sizeof(name)) {
		snprintf(why, why_size, "the host's name is too long");
		return -EINVAL;
	}
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	snprintf(port, sizeof(port), "%u", listener->port);
	error = getaddrinfo(host.n ? name : NULL, port, &hints, &list);
	if (error) {
		snprintf(why, why_size, "%s: %s", name, gai_strerror(error));
		return -EADDRNOTAVAIL;
	}
	/* IPv6 first, for it takes IPv4 along; a host without it serves IPv4 alone rather than not at all. */
	r = -EADDRNOTAVAIL;
	for (const struct addrinfo *at = list; at && r < 0; at = at->ai_next)
		if (at->ai_family == AF_INET6)
			r = bind_one(at, ret_fd);
	for (const struct addrinfo *at = list; at && r < 0; at = at->ai_next)
		if (at->ai_family != AF_INET6)
			r = bind_one(at, ret_fd);
	freeaddrinfo(list);
	if (r < 0)
		snprintf(why, why_size, "cannot bind tcp:%s:%s: %s", name, port, strerror(-r));
	return r;
}

int listen_open(const struct policy_image *image, const struct image_listener *listener,
		struct listen_socket *ret, char *why, size_t why_size)
{
	struct str address = image_string(image, listener->address);
	struct listen_socket opened = { .fd = -1 };
	int r;

	if (listener->kind == IMAGE_UNIX) {
		r = open_unix(image, listener, &opened.fd, why, why_size);
		snprintf(opened.name, sizeof(opened.name), "unix:%.*s", STR_ARG(address));
	} else {
		struct str host = address.n ? address : STR("*");
		bool v6 = memchr(host.p, ':', host.n) != NULL;

		r = open_tcp(image, listener, &opened.fd, why, why_size);
		snprintf(opened.name, sizeof(opened.name), "tcp:%s%.*s%s:%u", v6 ? "[" : "", STR_ARG(host),
			 v6 ? "]" : "", listener->port);
	}
	if (r < 0)
		return r;
	if (listen(opened.fd, BACKLOG) < 0) {
		r = -errno;
		snprintf(why, why_size, "cannot listen on %s: %s", opened.name, strerror(-r));
		close(opened.fd);
		return r;
	}
	*ret = opened;
	return 0;
}
