/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address.h - "unix:PATH" and "tcp:IPV4:PORT" as socket addresses, for the bench programs.
 *
 * The bench shares no code with what it measures: a mistake in the product must not cancel out here.
 */
#ifndef SOCKGATE_BENCH_ADDRESS_H
#define SOCKGATE_BENCH_ADDRESS_H

#include <sys/socket.h>

struct address {
	struct sockaddr_storage storage;
	socklen_t len;
};

/* Returns 0, or -EINVAL with *why set; *ret is written only on success. */
int address_parse(const char *spec, struct address *ret, const char **why);

/* A stream socket of the address's family, `flags` as for socket(2); TCP_NODELAY on TCP. Returns it or
 * -errno. */
int address_socket(const struct address *address, int flags);

#endif
