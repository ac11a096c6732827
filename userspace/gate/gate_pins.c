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
static const char *const pin_links[] = { "gate_listen", "gate_connect", "gate_find", "gate_exec_secure",
					 "gate_exec" };
static const char *const pin_maps[] = { "listeners", "counters" };

static void pin_path(char path[static 128], const char *name, const char *suffix)
{
	(void)snprintf(path, 128, GATE_PIN_DIRECTORY "/%s%s", name, suffix);
}

static bool name_is(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return strncmp(entry, name, n) == 0 && (entry[n] == '\0' || strcmp(entry + n, NEW_SUFFIX) == 0);
}

/* The id of the program behind a link's descriptor; 0 when it is no link of an LSM program. */
static __u32 link_program(int fd)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_LINK_TYPE_TRACING)
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

static bool entry_is_ours(const char *entry)
{
	char path[128];
	bool ours = false;
	int fd;

	if (strlen(entry) > 64)
		return false;
	pin_path(path, entry, "");
	fd = bpf_obj_get(path);
	if (fd < 0)
		return false;
	for (size_t i = 0; i < sizeof(pin_links) / sizeof(pin_links[0]); i++)
		ours |= name_is(entry, pin_links[i]) && link_is(fd, pin_links[i]);
	for (size_t i = 0; i < sizeof(pin_maps) / sizeof(pin_maps[0]); i++)
		ours |= name_is(entry, pin_maps[i]) && map_is(fd, pin_maps[i]);
	close(fd);
	return ours;
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
		if (entry->d_name[0] != '.' && !entry_is_ours(entry->d_name)) {
			*why = "something that is not ours is pinned under " GATE_PIN_DIRECTORY;
			r = -EEXIST;
		}
	}
	closedir(dir);
	return r;
}

int gate_pins_listeners(void)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	char path[128];
	int fd;

	pin_path(path, "listeners", "");
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_MAP_TYPE_SK_STORAGE ||
	    info.key_size != sizeof(int) || info.value_size != sizeof(__u32)) {
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

/* Removes every pin of ours that `keep` does not name; all of them when it is NULL. */
static int pins_sweep(const struct gate_handle *keep)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(pin_links) / sizeof(pin_links[0]); i++) {
		char path[128];

		pin_path(path, pin_links[i], NEW_SUFFIX);
		if (unlink(path) < 0 && errno != ENOENT)
			r = -errno;
		/* A kernel that has lost unix_find leaves nothing to replace its link. */
		if (keep && (strcmp(pin_links[i], "gate_find") != 0 || keep->skeleton->links.gate_find))
			continue;
		pin_path(path, pin_links[i], "");
		if (unlink(path) < 0 && errno != ENOENT)
			r = -errno;
	}
	for (size_t i = 0; i < sizeof(pin_maps) / sizeof(pin_maps[0]); i++) {
		char path[128];

		pin_path(path, pin_maps[i], NEW_SUFFIX);
		if (unlink(path) < 0 && errno != ENOENT)
			r = -errno;
		pin_path(path, pin_maps[i], "");
		if (!keep && unlink(path) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}

/* The programs that are pinned now; 0 where there is none. */
static void earlier_programs(__u32 ids[static sizeof(pin_links) / sizeof(pin_links[0])])
{
	for (size_t i = 0; i < sizeof(pin_links) / sizeof(pin_links[0]); i++) {
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

int gate_pins_replace(const struct gate_handle *gate)
{
	__u32 earlier[sizeof(pin_links) / sizeof(pin_links[0])];
	const struct gate *s = gate->skeleton;
	const struct {
		int fd;
		const char *name;
	} pins[] = {
		{ bpf_map__fd(s->maps.listeners), "listeners" },
		{ bpf_map__fd(s->maps.counters), "counters" },
		{ bpf_link__fd(s->links.gate_listen), "gate_listen" },
		{ bpf_link__fd(s->links.gate_connect), "gate_connect" },
		{ s->links.gate_find ? bpf_link__fd(s->links.gate_find) : -1, "gate_find" },
		{ bpf_link__fd(s->links.gate_exec_secure), "gate_exec_secure" },
		{ bpf_link__fd(s->links.gate_exec), "gate_exec" },
	};

	int r;

	if (mkdir(GATE_PIN_DIRECTORY, 0700) < 0 && errno != EEXIST)
		return -errno;
	earlier_programs(earlier);
	for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
		r = pins[i].fd < 0 ? 0 : pin_one(pins[i].fd, pins[i].name);
		if (r < 0)
			return r;
	}
	r = pins_sweep(gate);
	return r == 0 ? wait_until_gone(earlier, sizeof(earlier) / sizeof(earlier[0])) : r;
}

int gate_pins_remove(void)
{
	__u32 earlier[sizeof(pin_links) / sizeof(pin_links[0])];
	int r;

	earlier_programs(earlier);
	r = pins_sweep(NULL);
	if (rmdir(GATE_PIN_DIRECTORY) < 0 && errno != ENOENT && r == 0)
		r = -errno;
	return r == 0 ? wait_until_gone(earlier, sizeof(earlier) / sizeof(earlier[0])) : r;
}
