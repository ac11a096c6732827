/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gate_shared.h - what the gate's BPF programs and their loader agree on.
 *
 * Everything here is fixed-size and laid out alike on both sides; the assertions say so.
 */
#ifndef SOCKGATE_GATE_SHARED_H
#define SOCKGATE_GATE_SHARED_H

#include <linux/types.h>

#define GATE_PLACES_MAX   256
#define GATE_SOCKETS_MAX  32  /* guarded sockets, the canary's included: bits of a mask */
#define GATE_NAME_MAX     64  /* of a guarded socket's last component: at most 62 bytes, then zeros */
#define GATE_PATH_MAX     108 /* sun_path */
#define GATE_COMM_MAX     16  /* TASK_COMM_LEN */
#define GATE_EVENTS_BYTES (256 * 1024)

/* Why a socket is guarded: the value of its mark, and what decides who may connect. */
enum gate_socket_kind {
	GATE_SOCKET_NONE,
	GATE_SOCKET_ENGINE, /* the engine's API: for the marked proxy only */
	GATE_SOCKET_ALSO,   /* as good as the engine's API: for the engine's own processes only */
	GATE_SOCKET_CANARY, /* nobody may connect: there only to be refused */
};

/* What a process was marked as. */
enum gate_task_kind {
	GATE_TASK_NONE,
	GATE_TASK_PROXY,
	GATE_TASK_PROXY_NEXT, /* may not connect, but what it executes next is the proxy */
	GATE_TASK_ENGINE,
	GATE_TASK_CANARY, /* refused like everybody, but counted apart and not reported */
};

/* A directory by number, as the iterator over old listeners knows it. */
struct gate_place {
	__u64 ino;
	__u64 dev; /* the kernel's dev_t: major << 20 | minor */
};

/* A guarded socket's name. Its directory is marked with a mask that has the entry's bit. */
struct gate_socket {
	__u32 kind; /* enum gate_socket_kind; 0: the entry is not used */
	__u32 reserved;
	__u64 name[GATE_NAME_MAX / 8];
};

/* Indexes of the counters. */
enum gate_counter {
	GATE_ALLOWED,       /* connects of marked processes */
	GATE_DENIED,        /* refused in unix_stream_connect */
	GATE_DENIED_FIND,   /* refused in unix_find, before the listener's queue is even looked at */
	GATE_DENIED_CANARY, /* the canary's, counted apart so that an attacker's refusals cannot stand in for
			       them */
	GATE_MARKED,        /* listeners marked */
	GATE_EVENTS_LOST,   /* refusals that did not fit into the ring; they were refusals nevertheless */
	GATE_EARLIER,       /* connections to guarded sockets that were older than the gate */
	GATE_FAILED,        /* marks that could not be stored */
	GATE_COUNTERS
};

enum gate_hook { GATE_HOOK_CONNECT = 1, GATE_HOOK_FIND };

/* A refused connect. Ids are the initial namespaces'. */
struct gate_event {
	__u64 cgroup;     /* id: inode number in cgroup2 */
	__u64 start_time; /* of the thread group's leader, ns since boot: tells a recycled pid */
	__u32 pid;        /* thread group */
	__u32 tid;
	__u32 uid;
	__u32 gid;
	__u32 hook;     /* enum gate_hook */
	__u32 observed; /* 1: it was let through (mode: observe) */
	char comm[GATE_COMM_MAX];
	char socket[GATE_PATH_MAX]; /* the address the listener was bound to */
	__u32 kind;                 /* enum gate_socket_kind */
};

_Static_assert(sizeof(struct gate_socket) == 72, "shared with the BPF object");
_Static_assert(sizeof(struct gate_event) == 168, "shared with the BPF object");

#endif
