/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate_marks.c - sets the marks: on directories, on listeners that exist already, on executables and on
 * processes.
 *
 * A directory's mark is on its inode, which may be replaced (a tmpfs mounted over it, a directory that
 * appears later), so gate_refresh() compares again and again.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "gate/gate_internal.h"
#include "gate/gate_parse.h"

int gate_mark_task(struct gate_handle *gate, int pidfd, enum gate_task_kind kind)
{
	__u32 value = kind;

	return bpf_map_update_elem(gate_map(gate, "tasks"), &pidfd, &value, BPF_ANY);
}

int gate_mark_self(struct gate_handle *gate)
{
	int r, pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (pidfd < 0)
		return -errno;
	r = gate_mark_task(gate, pidfd, GATE_TASK_LOADER);
	close(pidfd);
	return r;
}

int gate_marks_listeners(struct gate_handle *gate)
{
	int iterator = bpf_iter_create(bpf_link__fd(gate_link(gate, "gate_existing")));
	char nothing[64];
	ssize_t n;

	if (iterator < 0)
		return iterator;
	/* The program prints nothing; reading to the end is what runs it on every socket. */
	do
		n = read(iterator, nothing, sizeof(nothing));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	if (n < 0)
		n = -errno;
	close(iterator);
	return (int)n;
}

static int open_directory_of(const char *socket)
{
	uint64_t name[GATE_NAME_MAX / 8];
	char text[4096];
	struct str directory;
	int fd, r = gate_parse_socket(str_from(socket), &directory, name);

	if (r < 0)
		return r;
	if (directory.n >= sizeof(text))
		return -ENAMETOOLONG;
	memcpy(text, directory.p, directory.n);
	text[directory.n] = '\0';
	fd = open(text, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* In the inode's storage. Returns 1 when the mark is new, 0, or -errno. */
static int mark_inode(int map, int fd, __u32 mark)
{
	__u32 present = 0;
	int r;

	if (bpf_map_lookup_elem(map, &fd, &present) == 0 && present == mark)
		return 0;
	r = bpf_map_update_elem(map, &fd, &mark, BPF_ANY);
	return r < 0 ? r : 1;
}

/* By number, as the iterator and METHOD_FMOD_RET know it. The same. */
static int mark_place(int map, const struct stat *st, __u32 mark)
{
	struct gate_place place = {
		.ino = st->st_ino,
		.dev = (__u64)major(st->st_dev) << 20 | minor(st->st_dev),
	};
	__u32 present = 0;
	int r;

	if (bpf_map_lookup_elem(map, &place, &present) == 0 && present == mark)
		return 0;
	r = bpf_map_update_elem(map, &place, &mark, BPF_ANY);
	return r < 0 ? r : 1;
}

/* The inode's own mark is what counts where there is one. */
static int mark_file(struct gate_handle *gate, const char *by_inode, const char *by_place, int fd,
		     const struct stat *st, __u32 mark)
{
	int inode = 0, place = mark_place(gate_map(gate, by_place), st, mark);

	if (place >= 0 && gate->wanted.method == GATE_METHOD_LSM)
		inode = mark_inode(gate_map(gate, by_inode), fd, mark);
	if (place < 0 || inode < 0)
		return place < 0 ? place : inode;
	return place || inode;
}

static int refresh_directories(struct gate_handle *gate, uint32_t *ret_missing)
{
	const struct gate_wanted *wanted = &gate->wanted;
	int fds[GATE_SOCKETS_MAX], marked = 0;
	struct stat st[GATE_SOCKETS_MAX];
	uint32_t missing = 0;

	for (size_t i = 0; i < wanted->n_sockets; i++) {
		fds[i] = open_directory_of(wanted->sockets[i].path);
		if (fds[i] < 0 || fstat(fds[i], &st[i]) < 0)
			missing |= UINT32_C(1) << i;
	}
	for (size_t i = 0; i < wanted->n_sockets; i++) {
		__u32 mask = 0;
		int r;

		if (missing & UINT32_C(1) << i)
			continue;
		/* Several sockets may be in one directory, under one name for it or several. */
		for (size_t j = 0; j < wanted->n_sockets; j++)
			if (!(missing & UINT32_C(1) << j) && st[j].st_dev == st[i].st_dev &&
			    st[j].st_ino == st[i].st_ino)
				mask |= UINT32_C(1) << j;
		r = mark_file(gate, "directories", "places", fds[i], &st[i], mask);
		if (r < 0)
			marked = r;
		else if (marked >= 0)
			marked += r;
	}
	for (size_t i = 0; i < wanted->n_sockets; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (marked >= 0)
		*ret_missing = missing;
	return marked;
}

/* Whether `process` (a directory of /proc) runs `file` in our own PID namespace. */
static bool process_runs(int process, const struct gate_file *file)
{
	struct stat exe, theirs, ours;

	return fstatat(process, "exe", &exe, 0) == 0 && exe.st_dev == file->dev && exe.st_ino == file->ino &&
	       fstatat(process, "ns/pid", &theirs, 0) == 0 && stat("/proc/self/ns/pid", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* Marks the processes that execute `file` since before it was marked. */
static int mark_processes(struct gate_handle *gate, const struct gate_file *file)
{
	DIR *proc = opendir("/proc");
	int marked = 0;

	if (!proc)
		return -errno;
	for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
		int process, pidfd;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		process = openat(dirfd(proc), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0)
			continue;
		if (process_runs(process, file)) {
			pidfd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(entry->d_name, NULL, 10), 0);
			/* Asked again through the same /proc directory: it is dead if the number was reused.
			 */
			if (pidfd >= 0 && process_runs(process, file) &&
			    gate_mark_task(gate, pidfd, GATE_TASK_ENGINE) == 0)
				marked++;
			if (pidfd >= 0)
				close(pidfd);
		}
		close(process);
	}
	closedir(proc);
	return marked;
}

/* A worker or a loader is made by its exec alone; an engine may be older than the gate. */
static int refresh_executables(struct gate_handle *gate)
{
	int marked = 0;

	for (size_t i = 0; i < gate->wanted.n_executables; i++) {
		const struct gate_executable *wanted = &gate->wanted.executables[i];
		struct gate_file *last = &gate->executables[i];
		int r, fd = open(wanted->path, O_PATH | O_CLOEXEC);
		struct stat st;

		if (fd < 0)
			continue; /* not installed (yet): nobody runs it */
		if (fstat(fd, &st) < 0 || (st.st_dev == last->dev && st.st_ino == last->ino)) {
			close(fd);
			continue;
		}
		r = mark_file(gate, "executables", "programs", fd, &st, wanted->kind);
		close(fd);
		if (r < 0)
			return r;
		*last = (struct gate_file){ st.st_dev, st.st_ino };
		r = wanted->kind == GATE_TASK_ENGINE ? mark_processes(gate, last) : 0;
		if (r < 0)
			return r;
		marked++;
	}
	return marked;
}

int gate_refresh(struct gate_handle *gate, uint32_t *ret_missing)
{
	uint32_t missing;
	int executables, directories = refresh_directories(gate, &missing);

	if (directories < 0)
		return directories;
	if (directories > 0) {
		int r = gate_marks_listeners(gate);

		if (r < 0)
			return r;
	}
	executables = refresh_executables(gate);
	if (executables < 0)
		return executables;
	*ret_missing = missing;
	return directories + executables;
}
