/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/run_listener.h"

void run_guards_init(struct run_guards *guards)
{
	*guards = (struct run_guards){ .n = 0 };
	pthread_mutex_init(&guards->lock, NULL);
}

void run_guards_free(struct run_guards *guards)
{
	for (size_t i = 0; i < guards->n_seen; i++)
		close(guards->seen[i].fd);
	pthread_mutex_destroy(&guards->lock);
}

/* One spelling for the one folder that has two. */
static const char *canonical(const char *path)
{
	return strncmp(path, "/var/run/", 9) == 0 ? path + 4 : path;
}

static int parse(const char *name, struct run_guard *ret)
{
	size_t n = strlen(name);
	char *end;
	unsigned long port;

	if (n >= sizeof(ret->name))
		return -EINVAL;
	memcpy(ret->name, name, n + 1);
	if (name[0] == '@' && n > 1) {
		ret->kind = RUN_GUARD_ABSTRACT;
	} else if (name[0] == '/' && n > 1) {
		ret->kind = name[n - 1] == '/' ? RUN_GUARD_FOLDER : RUN_GUARD_PATH;
	} else if (strncmp(name, "tcp:", 4) == 0 && name[4] >= '1' && name[4] <= '9') {
		port = strtoul(name + 4, &end, 10);
		if (*end || port > 65535)
			return -EINVAL;
		ret->kind = RUN_GUARD_TCP;
		ret->port = (unsigned)port;
	} else {
		return -EINVAL;
	}
	return 0;
}

int run_guards_add(struct run_guards *guards, const char *name, bool redirect)
{
	struct run_guard guard = { .redirect = redirect };
	int r = parse(name, &guard);

	if (r < 0)
		return r;
	for (size_t i = 0; i < guards->n; i++)
		if (strcmp(canonical(guards->guards[i].name), canonical(name)) == 0)
			return 0;
	if (guards->n == RUN_GUARDS_MAX)
		return -ENOSPC;
	guards->guards[guards->n++] = guard;
	return 0;
}

int run_guards_remove(struct run_guards *guards, const char *name)
{
	for (size_t i = 0; i < guards->n; i++) {
		if (strcmp(canonical(guards->guards[i].name), canonical(name)) != 0)
			continue;
		guards->guards[i] = guards->guards[--guards->n];
		return 0;
	}
	return -ENOENT;
}

/* A name that does not fit is no socket's: sun_path is shorter. */
static int add_below(struct run_guards *guards, const char *folder, const char *name, bool redirect)
{
	char path[RUN_GUARD_NAME_MAX];

	if (!folder || folder[0] != '/' ||
	    snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return 0;
	return run_guards_add(guards, path, redirect);
}

int run_guards_add_defaults(struct run_guards *guards, const char *home, const char *runtime)
{
	static const struct {
		const char *name;
		enum { SYSTEM, HOME, RUNTIME } below;
		bool redirect;
	} names[] = {
		{ "/run/docker.sock", SYSTEM, true },
		{ "docker.sock", RUNTIME, true },
		{ ".docker/run/docker.sock", HOME, true },
		{ ".docker/desktop/docker.sock", HOME, true },
		/* As good as the engine's own, in other languages. */
		{ "dockerd-rootless/api.sock", RUNTIME, false },
		{ "/run/containerd/containerd.sock", SYSTEM, false },
		{ "/run/containerd/", SYSTEM, false },
		{ "/run/docker/", SYSTEM, false },
		{ "/run/k3s/containerd/containerd.sock", SYSTEM, false },
		{ "/run/crio/crio.sock", SYSTEM, false },
		{ "/run/buildkit/buildkitd.sock", SYSTEM, false },
		{ "buildkit/buildkitd.sock", RUNTIME, false },
		{ "/run/podman/podman.sock", SYSTEM, false },
		{ "podman/podman.sock", RUNTIME, false },
		/* Whoever may ask the user's service manager has programs run outside of here. */
		{ "systemd/private", RUNTIME, false },
		{ "bus", RUNTIME, false },
		{ "tcp:2375", SYSTEM, false },
		{ "tcp:2376", SYSTEM, false },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		const char *folder = names[i].below == HOME ? home : runtime;

		if (names[i].below == SYSTEM)
			r = run_guards_add(guards, names[i].name, names[i].redirect);
		else
			r = add_below(guards, folder, names[i].name, names[i].redirect);
	}
	return r;
}

/* Holds what is at a guarded path now, if it is not held yet. Locked. */
static int look_at(struct run_guards *guards, const struct run_guard *guard)
{
	struct stat st;
	int fd;

	/* Most do not exist, and the rest are known: one call each. */
	if (stat(guard->name, &st) < 0 || !S_ISSOCK(st.st_mode))
		return 0;
	for (size_t i = 0; i < guards->n_seen; i++)
		if (guards->seen[i].dev == st.st_dev && guards->seen[i].ino == st.st_ino)
			return 0;
	if (guards->n_seen == RUN_GUARD_SEEN_MAX)
		return -ENOSPC;
	fd = open(guard->name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0) {
		close(fd);
		return -EIO;
	}
	guards->seen[guards->n_seen].fd = fd;
	guards->seen[guards->n_seen].dev = st.st_dev;
	guards->seen[guards->n_seen].ino = st.st_ino;
	guards->seen[guards->n_seen++].guard = guard;
	return 0;
}

static int look(struct run_guards *guards)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < guards->n; i++)
		if (guards->guards[i].kind == RUN_GUARD_PATH)
			r = look_at(guards, &guards->guards[i]);
	return r;
}

int run_guards_look(struct run_guards *guards)
{
	int r;

	pthread_mutex_lock(&guards->lock);
	r = look(guards);
	pthread_mutex_unlock(&guards->lock);
	return r;
}

static const struct run_guard *by_bound_name(const struct run_guards *guards, const char *bound)
{
	const char *name = canonical(bound);

	for (size_t i = 0; i < guards->n; i++) {
		const struct run_guard *guard = &guards->guards[i];
		const char *guarded = canonical(guard->name);

		if (guard->kind == RUN_GUARD_PATH && strcmp(name, guarded) == 0)
			return guard;
		if (guard->kind == RUN_GUARD_FOLDER && strncmp(name, guarded, strlen(guarded)) == 0)
			return guard;
	}
	return NULL;
}

int run_guards_judge(struct run_guards *guards, int pin, const struct run_guard **ret)
{
	const struct run_guard *found = NULL;
	struct run_listener_names names;
	struct stat st;
	int r;

	if (fstat(pin, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode)) {
		*ret = NULL;
		return 0;
	}
	/* After the pin was made: a socket that has taken a guarded path since is looked at, one before is
	 * known. */
	pthread_mutex_lock(&guards->lock);
	r = look(guards);
	for (size_t i = 0; i < guards->n_seen && !found; i++)
		if (guards->seen[i].dev == st.st_dev && guards->seen[i].ino == st.st_ino)
			found = guards->seen[i].guard;
	pthread_mutex_unlock(&guards->lock);
	if (r < 0 && !found)
		return r;
	if (!found) {
		r = run_listener_find(st.st_ino, &names);
		/* Not every kernel tells (CONFIG_UNIX_DIAG); what was seen at a guarded path is refused even
		 * so. */
		if (r == -ENOENT || r == -EPROTONOSUPPORT)
			names.n = 0;
		else if (r < 0)
			return r;
		for (size_t i = 0; i < names.n && !found; i++)
			found = by_bound_name(guards, names.name[i]);
	}
	*ret = found;
	return 0;
}

const struct run_guard *run_guards_judge_abstract(const struct run_guards *guards, const char *name, size_t n)
{
	for (size_t i = 0; i < guards->n; i++) {
		const struct run_guard *guard = &guards->guards[i];

		if (guard->kind == RUN_GUARD_ABSTRACT && strlen(guard->name + 1) == n &&
		    memcmp(guard->name + 1, name, n) == 0)
			return guard;
	}
	return NULL;
}

/* Whether an address is one of this machine's: then, and only then, it can be bound to. */
static bool is_local(const struct sockaddr *address, socklen_t size)
{
	struct sockaddr_storage any;
	int fd, r;

	memcpy(&any, address, size);
	if (address->sa_family == AF_INET)
		((struct sockaddr_in *)&any)->sin_port = 0;
	else
		((struct sockaddr_in6 *)&any)->sin6_port = 0;
	fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true;
	r = bind(fd, (const struct sockaddr *)&any, size);
	if (r < 0 && errno != EADDRNOTAVAIL)
		r = 0; /* not known: as if it were */
	close(fd);
	return r == 0;
}

const struct run_guard *run_guards_judge_tcp(const struct run_guards *guards, const struct sockaddr *address,
					     socklen_t size)
{
	unsigned port;

	if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in))
		port = ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
	else if (address->sa_family == AF_INET6 && size >= offsetof(struct sockaddr_in6, sin6_scope_id))
		port = ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
	else
		return NULL;
	for (size_t i = 0; i < guards->n; i++)
		if (guards->guards[i].kind == RUN_GUARD_TCP && guards->guards[i].port == port)
			return is_local(address, size) ? &guards->guards[i] : NULL;
	return NULL;
}
