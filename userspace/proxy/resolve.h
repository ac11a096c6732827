/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve.h - where a host path leads: the proxy looks, so that the worker need not be able to.
 *
 * The engine follows every symbolic link in a bind's source (runc, at start), so "/srv/app/link" is wherever
 * it leads. A path, or the end of one, that does not exist yet is what the engine would make: the part that
 * exists is resolved and the rest is kept. Only O_PATH descriptors are opened: nothing is read.
 *
 * It holds for one instant. What changes between the look and the start of the container is caught by nobody
 * here; a root of containers.binds that clients cannot write to closes that race.
 */
#ifndef SOCKGATE_PROXY_RESOLVE_H
#define SOCKGATE_PROXY_RESOLVE_H

#include <stddef.h>

/*
 * Writes the path that an absolute, clean `path` stands for to `ret`. Returns 0 or -errno: -EACCES where the
 * proxy may not look, -ENAMETOOLONG, -ELOOP, -EINVAL for what leads out of the file system (a socket, a
 * pipe).
 */
int resolve_path(const char *path, char *ret, size_t size);

#endif
