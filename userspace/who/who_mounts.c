/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text/buf.h"
#include "who/who_proc.h"
#include "who/who_scan.h"

/* The kernel's mark on what was unlinked, or bound from there. */
#define DELETED "//deleted"

static int open_process(const struct who_views *views, const struct who_view *view)
{
	int fd;

	if (view->pid)
		return who_proc_open(views->proc, view->pid);
	fd = openat(views->proc, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int who_views_open(const struct who_views *views, uint32_t view, const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				      .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int process = open_process(views, &views->items[view]), root, fd;

	if (process < 0)
		return process;
	root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = root < 0 ? -errno : (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (root >= 0) {
		if (fd < 0)
			fd = -errno;
		close(root);
	}
	close(process);
	return fd;
}

/* `part` of `path`, "" for all of it, where `above` is it or a directory above it. NULL where it is not. */
static const char *below(struct str above, const char *path)
{
	if (str_eqz(above, "/"))
		return path[1] ? path : "";
	if (strncmp(path, above.p, above.n) != 0 || (path[above.n] != '/' && path[above.n] != '\0'))
		return NULL;
	return path + above.n;
}

static bool join(struct str above, const char *rest, char *ret, size_t size)
{
	struct buf b = buf_over(ret, size);

	buf_str(&b, str_eqz(above, "/") && *rest ? STR("") : above);
	buf_puts(&b, rest);
	buf_putc(&b, '\0');
	return !b.overflow;
}

/* What is mounted over `path`: the last of the deepest. */
static const struct who_mount *covering(const struct who_view *view, const char *path)
{
	const struct who_mount *found = NULL;

	for (size_t i = 0; i < view->n_mounts; i++) {
		const struct who_mount *mount = &view->mounts[i];

		if (below(mount->point, path) && (!found || mount->point.n >= found->point.n))
			found = mount;
	}
	return found;
}

int who_views_find(const struct who_views *views, uint32_t view, const char *path, struct who_place *ret)
{
	char link[32];
	int r, fd = who_views_open(views, view, path);
	ssize_t n;

	if (fd < 0)
		return fd;
	(void)snprintf(link, sizeof(link), "self/fd/%d", fd);
	n = who_proc_link(views->proc, link, ret->path, sizeof(ret->path));
	r = fstat(fd, &ret->file) < 0 ? -errno : n < 0 ? (int)n : 0;
	close(fd);
	if (r < 0)
		return r;
	if (ret->path[0] != '/')
		return -ENOENT;
	ret->view = view;
	ret->mount = covering(&views->items[view], ret->path);
	if (!ret->mount)
		return -ENOENT;
	ret->dev = ret->mount->dev;
	return join(ret->mount->root, below(ret->mount->point, ret->path), ret->inside, sizeof(ret->inside))
		       ? 0
		       : -ENAMETOOLONG;
}

/* 1: it is that file, 0: it is not, -errno: it may not be looked at. */
static int is_file(const struct who_views *views, uint32_t view, const char *path, const struct stat *file)
{
	int fd = who_views_open(views, view, path);
	struct stat found;
	int r;

	if (fd == -EACCES || fd == -EPERM)
		return fd;
	if (fd < 0)
		return 0;
	r = fstat(fd, &found) == 0 && found.st_dev == file->st_dev && found.st_ino == file->st_ino;
	close(fd);
	return r;
}

bool who_views_next(const struct who_views *views, uint32_t view, const struct who_place *place, size_t *at,
		    char *ret, size_t size, bool *ret_certain)
{
	const struct who_view *in = &views->items[view];
	const size_t deleted = sizeof(DELETED) - 1;

	while (*at < in->n_mounts) {
		const struct who_mount *mount = &in->mounts[(*at)++];
		const char *rest;
		int r;

		if (mount->dev != place->dev)
			continue;
		rest = below(mount->root, place->inside);
		/* A socket that was unlinked since may be what is still mounted: the look will tell. */
		if (!rest && mount->root.n > deleted &&
		    memcmp(mount->root.p + mount->root.n - deleted, DELETED, deleted) == 0)
			rest = "";
		if (!rest || !join(mount->point, rest, ret, size))
			continue;
		r = is_file(views, view, ret, &place->file);
		if (r == 0)
			continue;
		*ret_certain = r > 0;
		return true;
	}
	return false;
}

static const struct who_mount *root_mount(const struct who_view *view)
{
	const struct who_mount *found = NULL;

	for (size_t i = 0; i < view->n_mounts; i++)
		if (str_eqz(view->mounts[i].point, "/"))
			found = &view->mounts[i];
	return found;
}

bool who_views_alike(const struct who_views *views, uint32_t a, uint32_t b)
{
	const struct who_mount *x, *y;

	if (a == b)
		return true;
	x = root_mount(&views->items[a]);
	y = root_mount(&views->items[b]);
	return x && y && x->dev == y->dev && str_eq(x->root, y->root);
}

/* Reads the mounts of the process that the view was found by. */
static int read_mounts(const struct who_views *views, struct who_view *view)
{
	int r, dir = open_process(views, view);
	size_t n;

	if (dir < 0)
		return dir;
	r = who_proc_read(dir, "mountinfo", WHO_PROC_FILE_MAX, &view->text, &n);
	close(dir);
	if (r == 0)
		r = who_mountinfo_parse(view->text, n, &view->mounts, &view->n_mounts);
	return r;
}

/* Adds a view; one whose mounts cannot be read has none. Takes `root` over. Returns its index or -errno. */
static int64_t add_view(struct who_views *views, struct who_report *report, uint64_t space, pid_t pid,
			uint32_t first, char *root)
{
	void *items = views->items;
	struct who_view *view;
	int r = root ? who_scan_grow(&items, &views->cap, views->n, sizeof(*view), WHO_VIEWS_MAX) : -ENOMEM;

	if (r < 0) {
		free(root);
		return r;
	}
	views->items = items;
	view = &views->items[views->n];
	*view = (struct who_view){ .space = space, .pid = pid, .first = first, .root = root };
	views->n++;
	r = read_mounts(views, view);
	if (r == -ENOMEM)
		return r;
	/* A process that has gone has no mounts; anything else is worth a word. */
	if (r < 0 && r != -ENOENT && r != -ESRCH && r != -EINVAL)
		who_unseen(report, "the mounts of process %d: %s", (int)pid, strerror(-r));
	return (int64_t)views->n - 1;
}

static int place_process(struct who_views *views, struct who_report *report, struct who_process *process,
			 uint32_t index)
{
	int dir = who_proc_open(views->proc, process->pid);
	char root[PATH_MAX];
	int64_t found = -1;
	ssize_t n;

	n = dir < 0 ? dir : who_proc_link(dir, "root", root, sizeof(root));
	if (dir >= 0)
		close(dir);
	if (n < 0 || !process->mount)
		return 0; /* counted as unseen by who_processes.c */
	for (size_t i = 0; found < 0 && i < views->n; i++)
		if (views->items[i].space == process->mount && strcmp(views->items[i].root, root) == 0)
			found = (int64_t)i;
	if (found < 0)
		found = add_view(views, report, process->mount, process->pid, index, strdup(root));
	if (found < 0)
		return (int)found;
	process->view = (uint32_t)found;
	if (!views->items[found].count++)
		views->items[found].first = index;
	return 0;
}

int who_views_build(int proc, struct who_processes *processes, struct who_report *report,
		    struct who_views *ret)
{
	struct who_views views = { .proc = proc };
	char root[PATH_MAX];
	ssize_t n = who_proc_link(proc, "self/root", root, sizeof(root));
	int64_t r = n < 0 ? n : add_view(&views, report, processes->own_mount, 0, WHO_NO_VIEW, strdup(root));

	for (size_t i = 0; r >= 0 && i < processes->n; i++)
		r = place_process(&views, report, &processes->items[i], (uint32_t)i);
	if (r == -E2BIG) {
		who_unseen(report, "mount namespaces beyond the first %zu", views.n);
		r = 0;
	}
	if (r < 0) {
		who_views_free(&views);
		return (int)r;
	}
	*ret = views;
	return 0;
}

void who_views_free(struct who_views *views)
{
	for (size_t i = 0; i < views->n; i++) {
		free(views->items[i].root);
		free(views->items[i].text);
		free(views->items[i].mounts);
	}
	free(views->items);
	memset(views, 0, sizeof(*views));
}
