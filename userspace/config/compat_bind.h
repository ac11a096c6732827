/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat_bind.h - addresses as HAProxy writes them: BIND_CONFIG is the whole argument of a "bind" line,
 * SOCKET_PATH that of a "server" line. What cannot be had here is an error, never ignored: a listener without
 * its "ssl" or with another mode would be a hole. Pure; slices point into what was given.
 */
#ifndef SOCKGATE_CONFIG_COMPAT_BIND_H
#define SOCKGATE_CONFIG_COMPAT_BIND_H

#include "text/str.h"

struct compat_address {
	bool is_unix;
	struct str address; /* a path, or a host without brackets; empty: every address */
	unsigned port;
};

struct compat_bind {
	struct compat_address address;
	struct str group; /* empty: none */
	unsigned mode;    /* of a Unix socket; 0660 where none is said */
};

/* "/path", "unix@/path", "host:port", ":port", "*:port", "[v6]:port", "v6:port". Returns 0, or -EINVAL with
 * *why. */
int compat_address_parse(struct str text, struct compat_address *ret, const char **why);

/*
 * "ADDRESS[,ADDRESS]... [v4v6|mode OCTAL|group NAME|name NAME]...". Returns how many addresses there are, or
 * -EINVAL with *why (-E2BIG: more than max).
 */
int compat_bind_parse(struct str text, struct compat_bind *ret, unsigned max, const char **why);

#endif
