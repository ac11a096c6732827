/* SPDX-License-Identifier: BSD-2-Clause */
/* local_socket.h - sockgated's own listening sockets: the control socket and the canary's. Clients have other
 * ones. */
#ifndef SOCKGATE_SOCKGATED_LOCAL_SOCKET_H
#define SOCKGATE_SOCKGATED_LOCAL_SOCKET_H

#include <sys/types.h>

/*
 * Listens at `path`, with `mode` and, unless it is NULL, `group`. Nobody but root may connect before those
 * are in force. A socket that nobody listens on is replaced; one that is in use is -EADDRINUSE, anything else
 * -EEXIST. Returns a descriptor (close-on-exec, non-blocking) or -errno with *why.
 */
int local_socket_open(const char *path, const char *group, mode_t mode, const char **why);

#endif
