/* SPDX-License-Identifier: BSD-2-Clause */
/* place.h - a folder of a test's own, with Unix sockets in it. */
#ifndef SOCKGATE_TESTS_RUN_PLACE_H
#define SOCKGATE_TESTS_RUN_PLACE_H

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

struct place {
	char folder[32];
};

static inline struct place place_make(void)
{
	struct place place = { "/tmp/sockgate-test-XXXXXX" };

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place.folder));
	return place;
}

static inline void place_remove(const struct place *place)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
	CU_ASSERT_EQUAL(system(command), 0);
}

/* A path in the folder; the caller's to free. */
static inline char *place_path(const struct place *place, const char *name)
{
	char *path;

	CU_ASSERT_TRUE_FATAL(asprintf(&path, "%s/%s", place->folder, name) > 0);
	return path;
}

/* A listener bound to the path. */
static inline int place_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_TRUE_FATAL(snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) > 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
	return fd;
}

#endif
