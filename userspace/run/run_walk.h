/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_walk.h - finds what a pathname means to another process, and holds it.
 *
 * The walk goes one component at a time from the process's own root or working directory, by descriptors
 * alone: a component that is exchanged meanwhile changes what is found, never what is held afterwards. The
 * kernel's own resolution cannot be used: an absolute symbolic link would lead into our root, and /proc/self
 * to ourselves. Search permissions are those of the calling thread.
 */
#ifndef SOCKGATE_RUN_WALK_H
#define SOCKGATE_RUN_WALK_H

#include <sys/types.h>

/* Where a thread stands. The descriptors are O_PATH. */
struct run_place {
	int root;
	int cwd;   /* used for relative names only, else -1 */
	pid_t tid; /* in our own process namespace */
};

/*
 * Walks `path` as connect(2) in that thread would (unix_find_bsd(): the last symbolic link is followed as
 * well) and puts an O_PATH descriptor for the end of it into *ret_pin. Returns 0 or the negative errno that
 * the kernel gives; -EACCES as well for magic links in /proc that are not the process's own.
 */
int run_walk(const struct run_place *place, const char *path, int *ret_pin);

/* The process of a thread from /proc, or -errno. */
pid_t run_walk_process(pid_t tid);

#endif
