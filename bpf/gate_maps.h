/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gate_maps.h - the gate's maps and what was configured. BPF side only.
 *
 * Every object that includes this has the same .rodata and, by the loader, the same maps. Marks live in the
 * storage of what they mark and end with it. Where the BPF LSM is not active there is no such storage, but
 * for tasks: then a socket is known by its address (until it is freed, which is watched), and a file by its
 * number. `listeners` and `addresses` outlive their programs: the next sockgated takes them over, so that a
 * socket which was renamed since is not forgotten.
 */
#ifndef SOCKGATE_GATE_MAPS_H
#define SOCKGATE_GATE_MAPS_H

#include "gate_shared.h"

const volatile struct gate_settings settings = {};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32); /* enum gate_socket_kind */
} listeners SEC(".maps");

/* The same by address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_ADDRESSES);
	__type(key, __u64);
	__type(value, __u32);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32); /* bit i: settings.sockets[i] is in this directory */
} directories SEC(".maps");

/* The same by number. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_PLACES_MAX);
	__type(key, struct gate_place);
	__type(value, __u32);
} places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32); /* enum gate_task_kind: what executing this file makes of a process */
} executables SEC(".maps");

/* The same by number. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_PLACES_MAX);
	__type(key, struct gate_place);
	__type(value, __u32);
} programs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32); /* enum gate_task_kind */
} tasks SEC(".maps");

/* What is ours, for the loader alone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_OBJECTS_MAX);
	__type(key, struct gate_object);
	__type(value, __u32);
} objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GATE_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GATE_EVENTS_BYTES);
} events SEC(".maps");

static __always_inline void count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		*value += 1;
}

#endif
