/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate_load.c - from the embedded objects to attached programs.
 *
 * The objects were compiled from files by concern, with one set of maps and one layout of .rodata: the first
 * that is loaded makes the maps, the others take them. Where `bpf` is no active LSM every LSM program is made
 * an fmod_ret program of the function that calls the hook, security_HOOK, or an fentry program where that
 * returns nothing.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/gate_internal.h"
#include "gate/gate_parse.h"

/* After gate_shared.h, whose types they hold. */
#include "gate.skel.h"
#include "gate_exec.skel.h"
#include "guard_engine.skel.h"
#include "guard_self.skel.h"
#include "guard_theft.skel.h"
#include "sysctl.skel.h"

static const struct {
	const char *name;
	const void *(*bytes)(size_t *size);
} parts[GATE_PARTS] = {
	{ "gate", gate__elf_bytes },
	{ "gate_exec", gate_exec__elf_bytes },
	{ "guard_theft", guard_theft__elf_bytes },
	{ "guard_engine", guard_engine__elf_bytes },
	{ "guard_self", guard_self__elf_bytes },
};

/* Hooks without a verdict. */
static const char *const void_hooks[] = { "bprm_committed_creds" };

static bool is_rodata(const struct bpf_map *map)
{
	return bpf_map__is_internal(map) && strstr(bpf_map__name(map), ".rodata");
}

static bool is_storage(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_SK_STORAGE ||
	       bpf_map__type(map) == BPF_MAP_TYPE_INODE_STORAGE;
}

static bool kernel_has(const char *function)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) >= 0;

	btf__free(btf);
	return has;
}

int gate_map(const struct gate_handle *gate, const char *name)
{
	return bpf_object__find_map_fd_by_name(gate->objects[0], name);
}

const char *gate_sockets_map(enum gate_method method)
{
	return method == GATE_METHOD_LSM ? "listeners" : "addresses";
}

struct bpf_link *gate_link(const struct gate_handle *gate, const char *program)
{
	for (size_t i = 0; i < gate->n_links; i++)
		if (strcmp(gate->links[i].name, program) == 0)
			return gate->links[i].link;
	return NULL;
}

static int settings_from(const struct gate_wanted *wanted, struct gate_settings *settings, const char **why)
{
	struct stat st;

	for (size_t i = 0; i < wanted->n_sockets; i++) {
		struct str directory;
		int r = gate_parse_socket(str_from(wanted->sockets[i].path), &directory,
					  (uint64_t *)settings->sockets[i].name);

		if (r < 0) {
			*why = "a socket to guard needs an absolute path with a name of at most 62 bytes";
			return r;
		}
		settings->sockets[i].kind = wanted->sockets[i].kind;
	}
	if (stat("/proc/self/ns/pid", &st) < 0) {
		*why = "cannot read /proc/self/ns/pid: is /proc mounted?";
		return -errno;
	}
	settings->pid_namespace = (__u32)st.st_ino;
	settings->observe = wanted->observe;
	settings->by_number = wanted->method == GATE_METHOD_FMOD_RET;
	for (size_t i = 0; i < wanted->n_executables; i++)
		settings->known_engines |= wanted->executables[i].kind == GATE_TASK_ENGINE;
	for (size_t i = 0; i < GATE_PORTS_MAX; i++)
		settings->ports[i] = wanted->ports[i];
	return 0;
}

/* Makes an fmod_ret or fentry program of an LSM one. */
static int hook_elsewhere(struct bpf_program *program)
{
	const char *hook = strchr(bpf_program__section_name(program), '/');
	enum bpf_attach_type type = BPF_MODIFY_RETURN;
	char function[64];
	int r;

	if (!hook || strstr(bpf_program__section_name(program), "lsm/") == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(void_hooks) / sizeof(void_hooks[0]); i++)
		if (strcmp(hook + 1, void_hooks[i]) == 0)
			type = BPF_TRACE_FENTRY;
	(void)snprintf(function, sizeof(function), "security_%s", hook + 1);
	r = bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
	if (r == 0)
		r = bpf_program__set_expected_attach_type(program, type);
	if (r == 0 && bpf_program__autoload(program))
		r = bpf_program__set_attach_target(program, 0, function);
	return r;
}

static int configure_programs(struct bpf_object *object, enum gate_method method)
{
	bool lsm = method == GATE_METHOD_LSM;
	struct bpf_program *program;
	int r = 0;

	bpf_object__for_each_program(program, object)
	{
		const char *name = bpf_program__name(program);

		if (strcmp(name, "gate_find") == 0)
			(void)bpf_program__set_autoload(
				program, kernel_has(lsm ? "bpf_lsm_unix_find" : "security_unix_find"));
		if (strcmp(name, "gate_exec_secure") == 0)
			(void)bpf_program__set_autoload(program, lsm);
		if (strcmp(name, "gate_free") == 0)
			(void)bpf_program__set_autoload(program, !lsm);
		if (!lsm && r == 0)
			r = hook_elsewhere(program);
	}
	return r;
}

/* The maps of `from`, and `sockets` for the map of marked sockets if that is a descriptor. */
static int share_maps(struct bpf_object *object, const struct bpf_object *from, const char *sockets_map,
		      int sockets)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		const char *name = bpf_map__name(map);
		int fd = from ? bpf_object__find_map_fd_by_name(from, name) : -1;
		int r = 0;

		if (bpf_map__is_internal(map))
			continue;
		if (sockets >= 0 && strcmp(name, sockets_map) == 0)
			fd = sockets;
		/* A map that is not there is not used by what is loaded. */
		if (fd >= 0)
			r = bpf_map__reuse_fd(map, fd);
		if (r < 0)
			return r;
	}
	return 0;
}

static int configure_maps(struct bpf_object *object, enum gate_method method,
			  const struct gate_settings *settings)
{
	struct bpf_map *map;
	bool configured = false;
	int r = 0;

	bpf_object__for_each_map(map, object)
	{
		size_t size;

		/* Made for active LSMs only. */
		if (method == GATE_METHOD_FMOD_RET && is_storage(map))
			r = bpf_map__set_autocreate(map, false);
		if (r < 0)
			return r;
		if (!is_rodata(map) || !bpf_map__initial_value(map, &size))
			continue;
		if (size != sizeof(*settings))
			return -EINVAL;
		r = bpf_map__set_initial_value(map, settings, size);
		configured = r == 0;
	}
	return configured ? r : -EINVAL;
}

static int load_part(struct gate_handle *gate, size_t i, const struct gate_settings *settings)
{
	const struct gate_wanted *wanted = &gate->wanted;
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = parts[i].name);
	int r, sockets = -1;
	size_t size;
	const void *bytes = parts[i].bytes(&size);
	struct bpf_object *object = bpf_object__open_mem(bytes, size, &options);

	if (!object)
		return -errno;
	gate->objects[i] = object;
	r = configure_programs(object, wanted->method);
	if (r == 0)
		r = configure_maps(object, wanted->method, settings);
	if (r < 0)
		return r;
	if (i > 0) {
		r = share_maps(object, gate->objects[0], NULL, -1);
	} else {
		sockets = gate_pins_sockets(wanted->method);
		r = share_maps(object, NULL, gate_sockets_map(wanted->method), sockets);
		if (r == 0 && wanted->sysctl) {
			struct bpf_map *counters = bpf_object__find_map_by_name(object, "counters");

			r = bpf_map__reuse_fd(counters, bpf_object__find_map_fd_by_name(
								wanted->sysctl->object, "counters"));
		}
	}
	if (r == 0)
		r = bpf_object__load(object);
	if (sockets >= 0)
		close(sockets);
	return r;
}

int gate_load(struct gate_handle *gate, const char **why)
{
	struct gate_settings settings = { 0 };
	int r;

	if (gate->wanted.n_sockets > GATE_SOCKETS_MAX || gate->wanted.n_executables > GATE_EXECUTABLES_MAX) {
		*why = "there are too many sockets or executables to guard";
		return -E2BIG;
	}
	r = settings_from(&gate->wanted, &settings, why);
	for (size_t i = 0; r == 0 && i < GATE_PARTS; i++) {
		*why = "the kernel refused the gate's programs";
		r = load_part(gate, i, &settings);
	}
	return r;
}

static int attach(struct gate_handle *gate, const struct bpf_program *program, int cgroup, const char **why)
{
	enum bpf_prog_type type = bpf_program__type(program);
	enum bpf_attach_type attach_type = bpf_program__expected_attach_type(program);
	struct bpf_link *link;

	if (gate->n_links == GATE_LINKS_MAX) {
		*why = "the gate has more programs than it has room for";
		return -E2BIG;
	}
	if (type == BPF_PROG_TYPE_CGROUP_SYSCTL)
		link = bpf_program__attach_cgroup(program, cgroup);
	else if (type == BPF_PROG_TYPE_TRACING && attach_type != BPF_TRACE_ITER)
		link = bpf_program__attach_trace(program);
	else
		link = bpf_program__attach(program);
	if (!link) {
		/* A trampoline has a fixed number of places, and they may have been filled before us. */
		*why = errno == E2BIG ? "a hook has no place left for another program"
				      : "a program of the gate cannot be attached";
		return -errno;
	}
	gate->links[gate->n_links++] = (struct gate_link){ link, program, bpf_program__name(program) };
	return 0;
}

static int attach_sysctl(struct gate_handle *gate, const char **why)
{
	const struct bpf_program *program =
		bpf_object__find_program_by_name(gate->wanted.sysctl->object, "gate_sysctl");
	int r, cgroup = open(GATE_CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cgroup < 0) {
		*why = "cannot open " GATE_CGROUP;
		return -errno;
	}
	r = attach(gate, program, cgroup, why);
	close(cgroup);
	return r;
}

int gate_attach(struct gate_handle *gate, const char **why)
{
	int r = 0;

	for (size_t i = 0; i < GATE_PARTS; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program(program,
					     gate->objects[i]) if (r == 0 && bpf_program__autoload(program))
			r = attach(gate, program, -1, why);
	}
	return r == 0 && gate->wanted.sysctl ? attach_sysctl(gate, why) : r;
}

void gate_unload(struct gate_handle *gate)
{
	for (size_t i = 0; i < gate->n_links; i++)
		(void)bpf_link__destroy(gate->links[i].link);
	gate->n_links = 0;
	for (size_t i = 0; i < GATE_PARTS; i++)
		bpf_object__close(gate->objects[i]);
}

static int sysctl_load(struct bpf_object *object)
{
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, object)
	{
		if (!bpf_map__is_internal(map) && strcmp(bpf_map__name(map), "counters") != 0)
			r = bpf_map__set_autocreate(map, false);
		if (r < 0)
			return r;
	}
	return bpf_object__load(object);
}

int gate_sysctl_load(struct gate_sysctl **ret, const char **why)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "sysctl");
	struct gate_sysctl *sysctl = calloc(1, sizeof(*sysctl));
	const void *bytes;
	size_t size;
	int r;

	*why = "out of memory";
	if (!sysctl)
		return -ENOMEM;
	bytes = sysctl__elf_bytes(&size);
	sysctl->object = bpf_object__open_mem(bytes, size, &options);
	*why = "the guard of the kernel's settings cannot be loaded";
	r = sysctl->object ? sysctl_load(sysctl->object) : -errno;
	if (r < 0) {
		bpf_object__close(sysctl->object);
		free(sysctl);
		return r;
	}
	*ret = sysctl;
	return 0;
}
