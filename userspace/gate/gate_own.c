/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate_own.c - tells bpf/guard_self.bpf.c what is the gate's own. Everything is known by number: ids of BPF
 * objects are not reused while they exist, and what is listed here exists as long as the guard does.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "gate/gate_internal.h"

static int own(struct gate_handle *gate, enum gate_object_kind kind, __u32 dev, __u64 id)
{
	struct gate_object object = { .kind = kind, .dev = dev, .id = id };
	__u32 one = 1;

	return bpf_map_update_elem(gate_map(gate, "objects"), &object, &one, BPF_ANY);
}

static int own_map(struct gate_handle *gate, int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	int r = bpf_obj_get_info_by_fd(fd, &info, &size);

	return r < 0 ? r : own(gate, GATE_OBJECT_MAP, 0, info.id);
}

static int own_link(struct gate_handle *gate, const struct gate_link *entry)
{
	struct bpf_link_info link = { 0 };
	__u32 size = sizeof(link);
	int r = bpf_obj_get_info_by_fd(bpf_link__fd(entry->link), &link, &size);

	if (r == 0)
		r = own(gate, GATE_OBJECT_LINK, 0, link.id);
	if (r == 0)
		r = own(gate, GATE_OBJECT_PROGRAM, 0, link.prog_id);
	return r;
}

int gate_own_objects(struct gate_handle *gate)
{
	int r = 0;

	for (size_t i = 0; i < GATE_PARTS; i++) {
		struct bpf_map *map;

		bpf_object__for_each_map(map, gate->objects[i]) if (r == 0 && bpf_map__fd(map) >= 0) r =
			own_map(gate, bpf_map__fd(map));
	}
	for (size_t i = 0; r == 0 && i < gate->n_links; i++)
		r = own_link(gate, &gate->links[i]);
	return r;
}

/* The pins' file system is gone when a mount below which it is mounted is. */
int gate_own_pins(struct gate_handle *gate)
{
	static const char *const mounts[] = { GATE_BPFFS, "/sys/fs", "/" };
	struct stat st;
	int r;

	if (stat(GATE_PIN_DIRECTORY, &st) < 0)
		return -errno;
	r = own(gate, GATE_OBJECT_DIRECTORY, (__u32)major(st.st_dev) << 20 | minor(st.st_dev), st.st_ino);
	for (size_t i = 0; r == 0 && i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		struct statx stx;

		if (statx(AT_FDCWD, mounts[i], AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0)
			return -errno;
		r = own(gate, GATE_OBJECT_MOUNT, 0, stx.stx_mnt_id);
	}
	return r;
}
