/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gate_maps.h - the gate's maps and what was configured. BPF side only.
 *
 * Marks live in the storage of what they mark and end with it. `listeners` alone outlives its programs: the
 * next sockgated takes it over, so that a socket which was renamed since is not forgotten.
 */
#ifndef SOCKGATE_GATE_MAPS_H
#define SOCKGATE_GATE_MAPS_H

#include "gate_shared.h"

const volatile struct gate_socket sockets[GATE_SOCKETS_MAX] = {};
const volatile __u32 observe = 0;
const volatile __u32 pid_namespace =
	0; /* the loader's: an engine started elsewhere (in a container) is none */

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32); /* enum gate_socket_kind */
} listeners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32); /* bit i: sockets[i] is in this directory */
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

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32); /* enum gate_task_kind */
} tasks SEC(".maps");

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
