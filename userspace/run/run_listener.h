/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_listener.h - the names under which Unix sockets were bound, from the kernel (sock_diag(7)).
 *
 * A socket's file can be renamed and linked; the name that its listener gave to bind(2) stays. Only listeners
 * in our own network namespace are seen.
 */
#ifndef SOCKGATE_RUN_LISTENER_H
#define SOCKGATE_RUN_LISTENER_H

#include <sys/types.h>
#include <sys/un.h>

#define RUN_LISTENER_NAMES_MAX 8

struct run_listener_names {
	size_t n;
	char name[RUN_LISTENER_NAMES_MAX][sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
};

/*
 * The names of every listener whose socket file has the inode number `ino`, of whatever file system: the
 * kernel tells 32 bits of it. Returns 0, none found included; -E2BIG when there are more than fit; other
 * -errno where the kernel does not tell.
 */
int run_listener_find(ino_t ino, struct run_listener_names *ret);

#endif
