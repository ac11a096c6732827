/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_guard.h - which sockets are guarded, and whether what a name led to is one of them.
 *
 * A pathname is never compared as text. What was found is compared with every inode that has been seen at a
 * guarded path since the start, and the name that its listener was bound to with the guarded names: so
 * neither a link, a mount, a new name for the socket nor a new socket at the old name gets by.
 */
#ifndef SOCKGATE_RUN_GUARD_H
#define SOCKGATE_RUN_GUARD_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#define RUN_GUARDS_MAX     48
#define RUN_GUARD_SEEN_MAX 128
#define RUN_GUARD_NAME_MAX 256

enum run_guard_kind {
	RUN_GUARD_PATH,     /* "/run/docker.sock" */
	RUN_GUARD_FOLDER,   /* "/run/containerd/": every socket that was bound to a name below it */
	RUN_GUARD_ABSTRACT, /* "@docker" */
	RUN_GUARD_TCP,      /* "tcp:2375": at any address of this machine */
};

struct run_guard {
	enum run_guard_kind kind;
	char name[RUN_GUARD_NAME_MAX]; /* as it was given */
	unsigned port;
	bool redirect; /* speaks Docker's API: may be led to the proxy; else refused */
};

struct run_guards {
	struct run_guard guards[RUN_GUARDS_MAX];
	size_t n;
	pthread_mutex_t lock; /* for what is below */
	struct {
		int fd; /* O_PATH: while it is held, the inode's number means no other */
		dev_t dev;
		ino_t ino;
		const struct run_guard *guard;
	} seen[RUN_GUARD_SEEN_MAX];
	size_t n_seen;
};

void run_guards_init(struct run_guards *guards);
void run_guards_free(struct run_guards *guards);

/* Adds one by its name. One that is there already is left as it is. -EINVAL for what is no name, -ENOSPC. */
int run_guards_add(struct run_guards *guards, const char *name, bool redirect);
/* Takes one out by its name; -ENOENT. Before the first judgement. */
int run_guards_remove(struct run_guards *guards, const char *name);
/* The engines' sockets, and those that start programs outside for their user; `home`, `runtime` may be NULL.
 */
int run_guards_add_defaults(struct run_guards *guards, const char *home, const char *runtime);

/*
 * Judges what a walk has found. Returns 0 with *ret NULL when it is not guarded, else the guard; -errno when
 * that cannot be said, which means no. Guarded names are looked up with the calling thread's permissions.
 */
int run_guards_judge(struct run_guards *guards, int pin, const struct run_guard **ret);

/* Looks at every guarded path now, so that what is there is known by whatever name it has later. */
int run_guards_look(struct run_guards *guards);

/* `name` without the leading NUL. */
const struct run_guard *run_guards_judge_abstract(const struct run_guards *guards, const char *name,
						  size_t n);

/* AF_INET and AF_INET6. Ports alone are guarded, and only at addresses that are this machine's. */
const struct run_guard *run_guards_judge_tcp(const struct run_guards *guards, const struct sockaddr *address,
					     socklen_t size);

#endif
