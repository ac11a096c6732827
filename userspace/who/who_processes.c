/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "who/who_proc.h"
#include "who/who_scan.h"
#include "who/who_units.h"

#define STATUS_FILE_MAX (1u << 20) /* 65536 groups of up to 10 digits */
#define CGROUP_TEXT_MAX 16384

struct unreadable {
	size_t namespaces;
	size_t descriptors;
};

/* "a b c" in base 10; the fourth of "Uid:" and "Gid:" is the one for files. */
static bool parse_fourth(struct str line, uint32_t *ret)
{
	struct str word;
	uint64_t value = 0;

	for (int i = 0; i < 4; i++)
		if (!who_scan_word(&line, &word) || !who_scan_number(word, 10, UINT32_MAX, &value))
			return false;
	*ret = (uint32_t)value;
	return true;
}

static int parse_groups(struct str line, struct who_status *status)
{
	size_t cap = 0;
	struct str word;
	uint64_t value;
	void *groups;
	int r;

	if (status->groups)
		return -EBADMSG;
	while (who_scan_word(&line, &word)) {
		if (!who_scan_number(word, 10, UINT32_MAX, &value))
			return -EBADMSG;
		groups = status->groups;
		r = who_scan_grow(&groups, &cap, status->n_groups, sizeof(*status->groups), WHO_GROUPS_MAX);
		if (r < 0)
			return r;
		status->groups = groups;
		status->groups[status->n_groups++] = (uint32_t)value;
	}
	return 0;
}

static void copy_text(char *to, size_t size, struct str s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	if (n)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

/* One line. *seen gets a bit for each that must be there. */
static int parse_status_line(struct str name, struct str value, struct who_status *status, unsigned *seen)
{
	uint64_t number;
	struct str word;

	if (str_eqz(name, "Name")) {
		/* Newlines and backslashes in it are escaped by the kernel. */
		copy_text(status->comm, sizeof(status->comm),
			  value.n ? (struct str){ value.p + 1, value.n - 1 } : value);
		return 0;
	}
	if (str_eqz(name, "State")) {
		status->zombie = who_scan_word(&value, &word) && word.p[0] == 'Z';
		return 0;
	}
	if (str_eqz(name, "Groups"))
		return parse_groups(value, status);
	if (str_eqz(name, "Uid")) {
		*seen |= 1;
		return parse_fourth(value, &status->uid) ? 0 : -EBADMSG;
	}
	if (str_eqz(name, "Gid")) {
		*seen |= 2;
		return parse_fourth(value, &status->gid) ? 0 : -EBADMSG;
	}
	if (str_eqz(name, "CapEff")) {
		*seen |= 4;
		return who_scan_word(&value, &word) &&
				       who_scan_number(word, 16, UINT64_MAX, &status->capabilities)
			       ? 0
			       : -EBADMSG;
	}
	if (str_eqz(name, "PPid")) {
		*seen |= 8;
		if (!who_scan_word(&value, &word) || !who_scan_number(word, 10, INT_MAX, &number))
			return -EBADMSG;
		status->parent = (pid_t)number;
	}
	return 0;
}

int who_status_parse(struct str text, struct who_status *ret)
{
	struct who_status status = { 0 };
	unsigned seen = 0;
	struct str line, name;
	int r = 0;

	while (r == 0 && who_scan_line(&text, &line)) {
		if (!who_scan_until(&line, ':', &name))
			r = -EBADMSG;
		else
			r = parse_status_line(name, line, &status, &seen);
	}
	if (r == 0 && seen != 15)
		r = -EBADMSG;
	if (r < 0) {
		free(status.groups);
		return r;
	}
	*ret = status;
	return 0;
}

/* Kthreadd and its children, as seen from the initial pid namespace; elsewhere none are seen. */
static bool is_kernel_thread(const struct who_process *process, bool initial)
{
	return initial && (process->pid == 2 || process->status.parent == 2);
}

static int read_identity(int dir, struct who_process *process)
{
	char text[CGROUP_TEXT_MAX], link[PATH_MAX];
	struct who_unit unit;
	ssize_t n = who_proc_link(dir, "exe", link, sizeof(link));

	if (n > 0) {
		process->exe = strdup(link);
		if (!process->exe)
			return -ENOMEM;
	}
	who_units_find(who_proc_text(dir, "cgroup", text, sizeof(text)), &unit);
	copy_text(process->container, sizeof(process->container), unit.container);
	if (unit.unit.n) {
		process->unit = strndup(unit.unit.p, unit.unit.n);
		if (!process->unit)
			return -ENOMEM;
	}
	return 0;
}

/* A namespace that may not be read stays 0. */
static void read_namespaces(int dir, struct who_process *process, struct unreadable *unreadable)
{
	int r = who_proc_namespace(dir, "mnt", &process->mount);

	unreadable->namespaces += r == -EACCES || r == -EPERM;
	(void)who_proc_namespace(dir, "net", &process->net);
	(void)who_proc_namespace(dir, "user", &process->user);
	(void)who_proc_namespace(dir, "pid", &process->pid_space);
}

static int add_held(struct who_processes *all, uint64_t inode, size_t process)
{
	void *held = all->held;
	int r = who_scan_grow(&held, &all->cap_held, all->n_held, sizeof(*all->held), WHO_HELD_MAX);

	if (r < 0)
		return r;
	all->held = held;
	all->held[all->n_held++] = (struct who_held){ inode, (uint32_t)process };
	return 0;
}

/* The sockets among a process's descriptors. */
static int read_held(int dir, struct who_processes *all, size_t process, struct unreadable *unreadable)
{
	const struct dirent *entry;
	int r = 0, fd = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;

	if (fd < 0) {
		unreadable->descriptors += errno == EACCES || errno == EPERM;
		return 0;
	}
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (entry = readdir(stream)) != NULL) {
		char link[64];
		uint64_t inode;
		ssize_t n = who_proc_link(fd, entry->d_name, link, sizeof(link));

		if (n > 0 && who_scan_link((struct str){ link, (size_t)n }, "socket", &inode))
			r = add_held(all, inode, process);
	}
	closedir(stream);
	return r;
}

/*
 * A process whose first thread has ended shows nothing under its own number while others go on, and could
 * hide so. Returns a descriptor of a thread that lives, instead of `dir`, which is closed; -ESRCH: there is
 * none.
 */
static int find_living_thread(int dir)
{
	int r = -ESRCH, tasks = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = tasks < 0 ? NULL : fdopendir(tasks);
	uint64_t space;
	pid_t thread;

	if (!stream && tasks >= 0)
		close(tasks);
	while (stream && r < 0 && (thread = who_proc_next(stream)) != 0) {
		int fd = who_proc_open(dirfd(stream), thread);

		/* Only the dead have no namespaces at all. */
		if (fd >= 0 && who_proc_namespace(fd, "mnt", &space) != -ENOENT)
			r = fd;
		else if (fd >= 0)
			close(fd);
	}
	if (stream)
		closedir(stream);
	close(dir);
	return r;
}

static void release(struct who_process *process)
{
	free(process->status.groups);
	free(process->exe);
	free(process->unit);
}

/* One that has gone meanwhile is no error, and not added. */
static int add_process(int proc, pid_t pid, bool initial, struct who_processes *all,
		       struct unreadable *unreadable)
{
	struct who_process process = { .pid = pid, .view = WHO_NO_VIEW };
	void *items = all->items;
	char *text = NULL;
	size_t n;
	int r, dir = who_proc_open(proc, pid);

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	r = who_proc_read(dir, "status", STATUS_FILE_MAX, &text, &n);
	if (r == 0)
		r = who_status_parse((struct str){ text, n }, &process.status);
	else if (r == -ESRCH || r == -ENOENT)
		r = 1;
	if (r == 0 && is_kernel_thread(&process, initial))
		r = 1;
	if (r == 0 && process.status.zombie) {
		dir = find_living_thread(dir);
		if (dir < 0)
			r = 1;
	}
	if (r == 0)
		r = read_identity(dir, &process);
	if (r == 0) {
		read_namespaces(dir, &process, unreadable);
		r = who_scan_grow(&items, &all->cap, all->n, sizeof(*all->items), WHO_PROCESSES_MAX);
	}
	if (r == 0) {
		all->items = items;
		all->items[all->n++] = process;
		r = read_held(dir, all, all->n - 1, unreadable);
	} else {
		release(&process);
	}
	free(text);
	if (dir >= 0)
		close(dir);
	return r < 0 ? r : 0;
}

static int by_inode(const void *a, const void *b)
{
	const struct who_held *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return (x->process > y->process) - (x->process < y->process);
}

static void tell_unseen(struct who_report *report, const struct who_processes *all, bool initial,
			const struct unreadable *unreadable)
{
	if (!initial)
		who_unseen(report, "processes outside this pid namespace: this is a container, "
				   "and the host's processes are not shown in it");
	if (unreadable->descriptors)
		who_unseen(report,
			   "which sockets %zu of %zu processes hold: that takes root or CAP_SYS_PTRACE",
			   unreadable->descriptors, all->n);
	if (unreadable->namespaces)
		who_unseen(report,
			   "the namespaces of %zu of %zu processes: that takes root or CAP_SYS_PTRACE",
			   unreadable->namespaces, all->n);
}

int who_processes_scan(int proc, struct who_report *report, struct who_processes *ret)
{
	/* PROC_PID_INIT_INO of linux/nsfs.h: the number that the initial pid namespace has. */
	static const uint64_t initial_pid_space = 0xeffffffc;
	struct who_processes all = { 0 };
	struct unreadable unreadable = { 0 };
	int r = 0, fd, own = openat(proc, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = NULL;
	pid_t pid;

	if (own < 0)
		return -errno;
	(void)who_proc_namespace(own, "mnt", &all.own_mount);
	(void)who_proc_namespace(own, "net", &all.own_net);
	(void)who_proc_namespace(own, "user", &all.own_user);
	(void)who_proc_namespace(own, "pid", &all.own_pid_space);
	close(own);
	fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		stream = fdopendir(fd);
	if (!stream) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (pid = who_proc_next(stream)) != 0)
		if (pid != getpid())
			r = add_process(proc, pid, all.own_pid_space == initial_pid_space, &all, &unreadable);
	closedir(stream);
	if (r == -E2BIG) {
		who_unseen(report, "processes and descriptors beyond the first %zu and %zu", all.n,
			   all.n_held);
		r = 0;
	}
	if (r < 0) {
		who_processes_free(&all);
		return r;
	}
	tell_unseen(report, &all, all.own_pid_space == initial_pid_space, &unreadable);
	if (all.n_held)
		qsort(all.held, all.n_held, sizeof(*all.held), by_inode);
	*ret = all;
	return 0;
}

void who_processes_free(struct who_processes *processes)
{
	for (size_t i = 0; i < processes->n; i++)
		release(&processes->items[i]);
	free(processes->items);
	free(processes->held);
	memset(processes, 0, sizeof(*processes));
}

size_t who_processes_holders(const struct who_processes *processes, uint64_t inode, size_t *ret_first)
{
	size_t low = 0, high = processes->n_held, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (processes->held[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < processes->n_held && processes->held[low + n].inode == inode)
		n++;
	*ret_first = low;
	return n;
}

struct str who_process_program(const struct who_process *process)
{
	static const char deleted[] = " (deleted)"; /* what the kernel adds for a file that was replaced */
	const char *slash = process->exe ? strrchr(process->exe, '/') : NULL;
	struct str name = str_from(slash ? slash + 1 : process->status.comm);

	if (slash && name.n > sizeof(deleted) - 1 &&
	    memcmp(name.p + name.n - (sizeof(deleted) - 1), deleted, sizeof(deleted) - 1) == 0)
		name.n -= sizeof(deleted) - 1;
	return name;
}
