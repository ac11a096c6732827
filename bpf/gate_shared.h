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
#define GATE_ADDRESSES    16384 /* sockets that are marked by address: listeners and connections */
#define GATE_OBJECTS_MAX  256
#define GATE_SOCKETS_MAX  32  /* guarded sockets, the canary's included: bits of a mask */
#define GATE_PORTS_MAX    8   /* TCP ports of engines */
#define GATE_NAME_MAX     64  /* of a guarded socket's last component: at most 62 bytes, then zeros */
#define GATE_PATH_MAX     108 /* sun_path */
#define GATE_COMM_MAX     16  /* TASK_COMM_LEN */
#define GATE_EVENTS_BYTES (256 * 1024)

/* Why a socket is guarded: the value of its mark, and what decides who may have it. */
enum gate_socket_kind {
	GATE_SOCKET_NONE,
	GATE_SOCKET_ENGINE,          /* the engine's API: for the marked proxy only */
	GATE_SOCKET_ALSO,            /* as good as the engine's API: for the engine's own processes only */
	GATE_SOCKET_CANARY,          /* nobody may connect: there only to be refused */
	GATE_SOCKET_FALSE,           /* has the engine's name, but is somebody else's: nobody may connect */
	GATE_SOCKET_CONNECTION,      /* either end of a connection to ENGINE: workers may receive it */
	GATE_SOCKET_CONNECTION_ALSO, /* either end of a connection to ALSO */
};

/* What a process was marked as. */
enum gate_task_kind {
	GATE_TASK_NONE,
	GATE_TASK_PROXY,
	GATE_TASK_PROXY_NEXT, /* may not connect, but what it executes next is the proxy */
	GATE_TASK_ENGINE,
	GATE_TASK_CANARY, /* refused like everybody, but counted apart and not reported */
	GATE_TASK_WORKER, /* the proxy's child that executed the worker's file */
	GATE_TASK_LOADER, /* sockgated: the only one that may touch the gate's own objects */
};

/* A file or directory by number. */
struct gate_place {
	__u64 ino;
	__u64 dev; /* the kernel's dev_t: major << 20 | minor */
};

/* What is the gate's own and for its loader only. */
enum gate_object_kind {
	GATE_OBJECT_LINK = 1,
	GATE_OBJECT_MAP,
	GATE_OBJECT_PROGRAM,
	GATE_OBJECT_DIRECTORY, /* of pins */
	GATE_OBJECT_MOUNT,     /* the file system of pins, and what it is mounted on */
};

struct gate_object {
	__u32 kind; /* enum gate_object_kind */
	__u32 dev;  /* of a directory */
	__u64 id;   /* of a link, map or program; a directory's inode; a mount's id */
};

/* A guarded socket's name. Its directory is marked with a mask that has the entry's bit. */
struct gate_socket {
	__u32 kind; /* enum gate_socket_kind; 0: the entry is not used */
	__u32 reserved;
	__u64 name[GATE_NAME_MAX / 8];
};

/* What was configured: all that is in .rodata, of every object alike. */
struct gate_settings {
	__u32 by_number; /* 1: no storage in sockets and inodes (they need the BPF LSM): by address and number
			  */
	__u32 observe;   /* 1: report what would be refused, refuse nothing */
	__u32 pid_namespace; /* the loader's: an engine started elsewhere (in a container) is none */
	__u32 known_engines; /* 1: the engine's executables are known, so nobody else listens under its name
			      */
	__u32 ports[GATE_PORTS_MAX]; /* TCP ports on which an engine may listen; 0: not used */
	struct gate_socket sockets[GATE_SOCKETS_MAX];
};

/* Indexes of the counters. */
enum gate_counter {
	GATE_ALLOWED,        /* connects of marked processes */
	GATE_DENIED,         /* refused in unix_stream_connect */
	GATE_DENIED_FIND,    /* refused in unix_find, before the listener's queue is even looked at */
	GATE_DENIED_CANARY,  /* the canary's, counted apart so that an attacker's refusals cannot stand in for
				them */
	GATE_DENIED_RECEIVE, /* descriptors that were not handed over */
	GATE_DENIED_TRACE,
	GATE_DENIED_KILL,
	GATE_DENIED_OBJECT, /* links, maps, programs and pins of the gate */
	GATE_DENIED_NAME,   /* renames and removals of a guarded socket */
	GATE_DENIED_TCP,
	GATE_DENIED_SYSCTL,
	GATE_MARKED,      /* listeners marked */
	GATE_EVENTS_LOST, /* refusals that did not fit into the ring; they were refusals nevertheless */
	GATE_EARLIER,     /* connections to guarded sockets that were older than the gate */
	GATE_FAILED,      /* marks that could not be stored */
	GATE_COUNTERS
};

enum gate_hook {
	GATE_HOOK_CONNECT = 1,
	GATE_HOOK_FIND,
	GATE_HOOK_RECEIVE,
	GATE_HOOK_TRACE,
	GATE_HOOK_KILL,
	GATE_HOOK_BPF,
	GATE_HOOK_PIN,
	GATE_HOOK_NAME,
	GATE_HOOK_LISTEN,
	GATE_HOOK_CONNECT_TCP,
	GATE_HOOKS
};

/* A refusal. Ids are the initial namespaces'. */
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
	char socket[GATE_PATH_MAX]; /* the address the listener was bound to; or what else it was about */
	__u32 kind;                 /* enum gate_socket_kind, or 0 */
	__u32 target; /* TRACE, KILL: the process; LISTEN, CONNECT_TCP: the port; BPF: the command */
	__u32 reserved;
};

_Static_assert(sizeof(struct gate_object) == 16, "shared with the BPF object");
_Static_assert(sizeof(struct gate_socket) == 72, "shared with the BPF object");
_Static_assert(sizeof(struct gate_settings) == 16 + 32 + 72 * 32, "shared with the BPF object");
_Static_assert(sizeof(struct gate_event) == 176, "shared with the BPF object");

#endif
