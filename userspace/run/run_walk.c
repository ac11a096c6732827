/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX     40 /* MAXSYMLINKS of the kernel */
#define PROC_ROOT_INO 1  /* fs/proc/internal.h */

struct walk {
	const struct run_place *place;
	struct statx root;
	int at; /* owned */
	unsigned links;
	char *rest;             /* what is left to walk, within `text` */
	char text[2][PATH_MAX]; /* a symbolic link's text is put before the rest, in the other one */
	unsigned current;
};

pid_t run_walk_process(pid_t tid)
{
	char path[64], line[256];
	pid_t tgid = -ESRCH;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	status = fopen(path, "re");
	if (!status)
		return -errno;
	while (fgets(line, sizeof(line), status)) {
		if (strncmp(line, "Tgid:", 5) == 0) {
			tgid = (pid_t)strtol(line + 5, NULL, 10);
			break;
		}
	}
	fclose(status);
	return tgid > 0 ? tgid : -ESRCH;
}

static int identify(int fd, struct statx *ret)
{
	return statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO | STATX_MNT_ID, ret) < 0 ? -errno : 0;
}

static bool is_same(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
	       a->stx_dev_minor == b->stx_dev_minor && a->stx_mnt_id == b->stx_mnt_id;
}

static int move(struct walk *w, int fd)
{
	if (fd < 0)
		return -errno;
	close(w->at);
	w->at = fd;
	return 0;
}

static int move_up(struct walk *w)
{
	struct statx here;
	int r = identify(w->at, &here);

	/* Nobody climbs out of a root, the less so out of another's into ours. */
	if (r < 0 || is_same(&here, &w->root))
		return r;
	return move(w, openat(w->at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Whether `directory` is one of those in which a thread's own magic links are. */
static bool is_own(const struct walk *w, int directory, pid_t tgid)
{
	char folders[4][64];
	struct stat here, own;

	snprintf(folders[0], sizeof(folders[0]), "/proc/%d", (int)tgid);
	snprintf(folders[1], sizeof(folders[1]), "/proc/%d/fd", (int)tgid);
	snprintf(folders[2], sizeof(folders[2]), "/proc/%d/task/%d", (int)tgid, (int)w->place->tid);
	snprintf(folders[3], sizeof(folders[3]), "/proc/%d/task/%d/fd", (int)tgid, (int)w->place->tid);
	if (fstat(directory, &here) < 0)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (stat(folders[i], &own) == 0 && own.st_dev == here.st_dev && own.st_ino == here.st_ino)
			return true;
	return false;
}

/*
 * A symbolic link of /proc that the kernel makes up as it is followed. Returns 1 when it has been followed, 0
 * when it is one like others (/proc/mounts), or -errno.
 */
static int follow_proc(struct walk *w, const char *name)
{
	pid_t tgid = run_walk_process(w->place->tid);
	bool thread = strcmp(name, "thread-self") == 0;
	char path[64];
	struct stat here;
	int r;

	if (tgid < 0)
		return tgid;
	if (fstat(w->at, &here) < 0)
		return -errno;
	if (here.st_ino == PROC_ROOT_INO) {
		if (!thread && strcmp(name, "self") != 0)
			return 0;
		/* Read by us, it would name us. */
		snprintf(path, sizeof(path), thread ? "/proc/%d/task/%d" : "/proc/%d", (int)tgid,
			 (int)w->place->tid);
		r = move(w, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
		return r < 0 ? r : 1;
	}
	/* We may look into processes that this one may not. */
	if (!is_own(w, w->at, tgid))
		return -EACCES;
	r = move(w, openat(w->at, name, O_PATH | O_CLOEXEC));
	return r < 0 ? r : 1;
}

/* fs.protected_symlinks, which the kernel applies to whoever follows, and here we do (may_follow_link()). */
static bool may_follow(const struct walk *w, const struct stat *link)
{
	struct stat folder;

	if (fstat(w->at, &folder) < 0)
		return false;
	if ((folder.st_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH))
		return true;
	return link->st_uid == geteuid() || link->st_uid == folder.st_uid;
}

/* Puts the text of the symbolic link `fd`, called `name`, before the rest. */
static int follow(struct walk *w, int fd, const char *name)
{
	char *text = w->text[!w->current];
	struct statfs fs;
	struct stat st;
	size_t left;
	ssize_t n;
	int r;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (fs.f_type == PROC_SUPER_MAGIC) {
		r = follow_proc(w, name);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (!may_follow(w, &st))
		return -EACCES;
	n = readlinkat(fd, "", text, PATH_MAX);
	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	left = strlen(w->rest);
	if ((size_t)n + 1 + left + 1 > PATH_MAX)
		return -ENAMETOOLONG;
	/* The rest is empty or begins with a slash. */
	memcpy(text + n, w->rest, left + 1);
	w->current = !w->current;
	w->rest = text;
	return text[0] == '/' ? move(w, fcntl(w->place->root, F_DUPFD_CLOEXEC, 0)) : 0;
}

/* One component; `last` when nothing comes after it, not even a slash. */
static int step(struct walk *w, const char *name, bool last)
{
	struct stat st;
	int fd, r;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0)
		return move_up(w);
	if (!last) {
		fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 || errno != ENOTDIR)
			return move(w, fd);
	}
	fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0 && S_ISLNK(st.st_mode)) {
		r = follow(w, fd, name);
	} else if (r == 0 && last) {
		return move(w, fd);
	} else if (r == 0) {
		r = -ENOTDIR;
	}
	close(fd);
	return r;
}

static int walk_all(struct walk *w)
{
	char name[NAME_MAX + 1];
	int r = 0;

	while (r == 0) {
		char *start = w->rest + strspn(w->rest, "/");
		size_t n = strcspn(start, "/");

		if (n == 0)
			return 0;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, start, n);
		name[n] = '\0';
		w->rest = start + n;
		r = step(w, name, *w->rest == '\0');
	}
	return r;
}

int run_walk(const struct run_place *place, const char *path, int *ret_pin)
{
	struct walk w = { .place = place };
	size_t n = strlen(path);
	int r = identify(place->root, &w.root);

	if (r < 0)
		return r;
	if (n == 0)
		return -ENOENT;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(w.text[0], path, n + 1);
	w.rest = w.text[0];
	w.at = fcntl(path[0] == '/' ? place->root : place->cwd, F_DUPFD_CLOEXEC, 0);
	if (w.at < 0)
		return -errno;
	r = walk_all(&w);
	if (r < 0) {
		close(w.at);
		return r;
	}
	*ret_pin = w.at;
	return 0;
}
