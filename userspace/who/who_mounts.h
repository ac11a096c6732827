/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * who_mounts.h - what processes see of the file system, and where in it a socket is.
 *
 * A view is what the processes of one mount namespace with one root directory see. A path says nothing about
 * a socket without the view that it is meant in. Views are compared by what they have mounted on "/": the
 * private namespaces that systemd gives to services have the host's root, those of containers have not.
 */
#ifndef SOCKGATE_WHO_MOUNTS_H
#define SOCKGATE_WHO_MOUNTS_H

#include <limits.h>
#include <sys/stat.h>

#include "who/who_processes.h"

#define WHO_VIEWS_MAX  16384
#define WHO_MOUNTS_MAX 65536 /* of one view; the kernel's own limit is 100000 */

/* A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
struct who_mount {
	uint32_t dev;     /* major << 20 | minor */
	struct str root;  /* directory, or file, of that file system which is mounted */
	struct str point; /* where */
	bool read_only;
	bool odd; /* stat(2) tells other devices and inodes than sockets are bound to: overlay, btrfs */
};

struct who_view {
	uint64_t space; /* the mount namespace's number */
	char *root;     /* /proc/PID/root, as it reads from here */
	pid_t pid;      /* the first process that was found in it, 0: this one */
	uint32_t first; /* that process's index, WHO_NO_VIEW for this process */
	uint32_t count; /* processes in it, this one left out */
	char *text;     /* what the mounts point into */
	struct who_mount *mounts;
	size_t n_mounts;
};

struct who_views {
	struct who_view *items; /* the first is this process's own */
	size_t n, cap;
	int proc; /* descriptor of /proc; not ours to close */
};

/* A file of a socket, by name and by what it is. */
struct who_place {
	uint32_t view;
	char path[PATH_MAX];   /* in that view, without symbolic links */
	uint32_t dev;          /* of the file system, as in struct who_mount */
	char inside[PATH_MAX]; /* path inside that file system */
	const struct who_mount *mount;
	struct stat file;
};

/* Takes the text apart; it is changed, and the mounts point into it. Returns 0, -EBADMSG, -ENOMEM or -E2BIG.
 */
int who_mountinfo_parse(char *text, size_t n, struct who_mount **ret, size_t *ret_n);

/* Groups the processes, and sets view in each. Returns 0 or -errno; notes what it may not read. */
int who_views_build(int proc, struct who_processes *processes, struct who_report *report,
		    struct who_views *ret);
void who_views_free(struct who_views *views);

/* Whether the two have the same directory as "/". */
bool who_views_alike(const struct who_views *views, uint32_t a, uint32_t b);

/* An O_PATH descriptor of a path as the view has it, or -errno. Never leaves the view, not by links either.
 */
int who_views_open(const struct who_views *views, uint32_t view, const char *path);
/* Looks a path up in a view, following links inside it. Returns 0, -ENOENT, -EACCES, ... */
int who_views_find(const struct who_views *views, uint32_t view, const char *path, struct who_place *ret);

/*
 * The next path by which a view leads to a place, by a mount from *at on (start with 0); *at is set behind
 * it. A path over which something else is mounted is passed over. *ret_certain is false where it could not
 * be looked at. False at the end.
 */
bool who_views_next(const struct who_views *views, uint32_t view, const struct who_place *place, size_t *at,
		    char *ret, size_t size, bool *ret_certain);

#endif
