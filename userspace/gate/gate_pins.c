/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate_pins.c - the gate's names in bpffs, which keep it in force without a process.
 *
 * A pin is replaced by pinning beside it and renaming over it, so that there is never a moment without one.
 * What must not happen: removing an old link before the new one is attached and pinned, or touching anything
 * that somebody else pinned there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gate/gate_internal.h"

#define NEW_SUFFIX "_new" /* while it is being put in place; bpffs allows no dots */

#define GONE_TRIES 500
#define GONE_WAIT  10000 /* microseconds */

/* A pinned link bears the name of its program, a pinned map its own. */
static const char *const pin_links[] = {
	"gate_free",    "gate_listen",   "gate_connect",     "gate_find",         "gate_exec_secure",
	"gate_exec",    "guard_trace",   "guard_traceme",    "guard_receive",     "guard_kill",
	"guard_name",   "guard_removal", "guard_listen_tcp", "guard_connect_tcp", "guard_bpf",
	"guard_map",    "guard_prog",    "guard_umount",     "guard_rmdir",       "guard_unlink",
	"guard_rename", "gate_sysctl",
};
static const char *const pin_maps[] = { "listeners", "addresses", "counters" };

#define LINKS (sizeof(pin_links) / sizeof(pin_links[0]))
#define MAPS  (sizeof(pin_maps) / sizeof(pin_maps[0]))

static void pin_path(char path[static 128], const char *name, const char *suffix)
{
	(void)snprintf(path, 128, GATE_PIN_DIRECTORY "/%s%s", name, suffix);
}

static bool name_is(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return strncmp(entry, name, n) == 0 && (entry[n] == '\0' || strcmp(entry + n, NEW_SUFFIX) == 0);
}

/* The id of the program behind a link's descriptor; 0 when it is no link of a program like ours. */
static __u32 link_program(int fd)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) ||
	    (info.type != BPF_LINK_TYPE_TRACING && info.type != BPF_LINK_TYPE_CGROUP))
		return 0;
	return info.prog_id;
}

/* Whether the pinned object `fd` is a link of a program with that name. Needs CAP_SYS_ADMIN. */
static bool link_is(int fd, const char *program)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info), id = link_program(fd);
	int prog = id ? bpf_prog_get_fd_by_id(id) : -1;
	bool same;

	if (prog < 0)
		return false;
	same = bpf_obj_get_info_by_fd(prog, &info, &size) == 0 &&
	       strncmp(info.name, program, sizeof(info.name) - 1) == 0;
	close(prog);
	return same;
}

static bool map_is(int fd, const char *name)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	/* The descriptor may be one of a link or a program: then there is no name in this place. */
	return bpf_obj_get_info_by_fd(fd, &info, &size) == 0 &&
	       strncmp(info.name, name, sizeof(info.name) - 1) == 0;
}

/* Returns 0, -EEXIST, or -EPERM when an armed gate does not let us look. */
static int check_entry(const char *entry)
{
	char path[128];
	bool ours = false;
	int fd;

	if (strlen(entry) > 64)
		return -EEXIST;
	pin_path(path, entry, "");
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd == -EPERM ? fd : -EEXIST;
	for (size_t i = 0; i < LINKS; i++)
		ours |= name_is(entry, pin_links[i]) && link_is(fd, pin_links[i]);
	for (size_t i = 0; i < MAPS; i++)
		ours |= name_is(entry, pin_maps[i]) && map_is(fd, pin_maps[i]);
	close(fd);
	return ours ? 0 : -EEXIST;
}

int gate_pins_check(const char **why)
{
	DIR *dir = opendir(GATE_PIN_DIRECTORY);
	struct stat st;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(dirfd(dir), &st) < 0 || st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH)) {
		*why = GATE_PIN_DIRECTORY " is writable for others than root";
		r = -EEXIST;
	}
	for (struct dirent *entry; r == 0 && (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		r = check_entry(entry->d_name);
		*why = r == -EPERM ? "the gate is armed already, and this program is not its loader"
				   : "something that is not ours is pinned under " GATE_PIN_DIRECTORY;
	}
	closedir(dir);
	return r;
}

int gate_pins_sockets(enum gate_method method)
{
	__u32 type = method == GATE_METHOD_LSM ? BPF_MAP_TYPE_SK_STORAGE : BPF_MAP_TYPE_HASH;
	__u32 key = method == GATE_METHOD_LSM ? sizeof(int) : sizeof(__u64);
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	char path[128];
	int fd;

	pin_path(path, gate_sockets_map(method), "");
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != type || info.key_size != key ||
	    info.value_size != sizeof(__u32)) {
		close(fd);
		return -EEXIST;
	}
	return fd;
}

static int pin_one(int fd, const char *name)
{
	char path[128], beside[128];

	pin_path(path, name, "");
	pin_path(beside, name, NEW_SUFFIX);
	if (unlink(beside) < 0 && errno != ENOENT)
		return -errno;
	if (bpf_obj_pin(fd, beside) < 0)
		return -errno;
	return rename(beside, path) < 0 ? -errno : 0;
}

static int remove_pin(const char *name, const char *suffix)
{
	char path[128];

	pin_path(path, name, suffix);
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Removes every pin of ours that `keep` has not made; all of them when it is NULL. */
static int pins_sweep(const struct gate_handle *keep)
{
	int r = 0;

	for (size_t i = 0; i < LINKS; i++) {
		if (remove_pin(pin_links[i], NEW_SUFFIX) < 0)
			r = -EBUSY;
		if ((!keep || !gate_link(keep, pin_links[i])) && remove_pin(pin_links[i], "") < 0)
			r = -EBUSY;
	}
	for (size_t i = 0; i < MAPS; i++) {
		if (remove_pin(pin_maps[i], NEW_SUFFIX) < 0)
			r = -EBUSY;
		if ((!keep || gate_map(keep, pin_maps[i]) < 0) && remove_pin(pin_maps[i], "") < 0)
			r = -EBUSY;
	}
	return r;
}

/* The programs that are pinned now; 0 where there is none. */
static void earlier_programs(__u32 ids[static LINKS])
{
	for (size_t i = 0; i < LINKS; i++) {
		char path[128];
		int fd;

		pin_path(path, pin_links[i], "");
		fd = bpf_obj_get(path);
		ids[i] = fd < 0 ? 0 : link_program(fd);
		if (fd >= 0)
			close(fd);
	}
}

/*
 * The kernel detaches some time after the last pin is gone, and until then the old programs refuse our proxy,
 * too. A link lets go of its program after it was detached, so a program that is gone is detached.
 */
static int wait_until_gone(const __u32 *ids, size_t n)
{
	unsigned left = GONE_TRIES;

	for (size_t i = 0; i < n; i++) {
		int fd;

		while (ids[i] && (fd = bpf_prog_get_fd_by_id(ids[i])) >= 0) {
			close(fd);
			if (left-- == 0)
				return -EBUSY;
			(void)usleep(GONE_WAIT);
		}
	}
	return 0;
}

int gate_pins_replace(struct gate_handle *gate)
{
	__u32 earlier[LINKS];
	int r = 0;

	if (mkdir(GATE_PIN_DIRECTORY, 0700) < 0 && errno != EEXIST)
		return -errno;
	earlier_programs(earlier);
	for (size_t i = 0; i < MAPS && r == 0; i++) {
		int fd = gate_map(gate, pin_maps[i]);

		r = fd < 0 ? 0 : pin_one(fd, pin_maps[i]);
	}
	for (size_t i = 0; i < gate->n_links && r == 0; i++)
		/* The iterator is no guard, and has nothing to do without us. */
		if (strcmp(gate->links[i].name, "gate_existing") != 0)
			r = pin_one(bpf_link__fd(gate->links[i].link), gate->links[i].name);
	if (r == 0)
		r = pins_sweep(gate);
	if (r == 0)
		r = gate_own_pins(gate);
	return r == 0 ? wait_until_gone(earlier, LINKS) : r;
}

int gate_pins_remove(void)
{
	__u32 earlier[LINKS];
	int r;

	earlier_programs(earlier);
	r = pins_sweep(NULL);
	if (rmdir(GATE_PIN_DIRECTORY) < 0 && errno != ENOENT && r == 0)
		r = -errno;
	return r == 0 ? wait_until_gone(earlier, LINKS) : r;
}
