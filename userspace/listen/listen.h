/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen.h - opens the listening sockets that an image names. For the one process that may: sockgated, or a
 * proxy that runs alone, before it gives up its privileges.
 */
#ifndef SOCKGATE_LISTEN_H
#define SOCKGATE_LISTEN_H

#include "policy/policy_image.h"

#define LISTEN_NAME_MAX 128

struct listen_socket {
	int fd;                     /* listening, close-on-exec, non-blocking */
	char name[LISTEN_NAME_MAX]; /* "unix:/run/sockgate/docker.sock", "tcp:127.0.0.1:2375" */
};

/*
 * Opens one listener. A socket file that nobody listens on any more is replaced; one that is in use, or that
 * is no socket, is an error. The parent directory of a Unix socket is made when it is missing (mode 0755).
 * Returns 0, or -errno with a message for people in `why`.
 */
int listen_open(const struct policy_image *image, const struct image_listener *listener,
		struct listen_socket *ret, char *why, size_t why_size);

#endif
