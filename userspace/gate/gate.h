/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.h - arms the kernel gate: loads, attaches and pins the LSM programs of bpf/gate.bpf.c and sets the
 * marks.
 *
 * The folder gate/ is the one includer of libbpf and of the skeleton. Nothing here logs; functions return 0
 * or a negative errno, and where a person has to be told, *why is a constant string (what is missing, what
 * failed). The programs are pinned under GATE_PIN_DIRECTORY and enforce without this process until they are
 * unpinned.
 */
#ifndef SOCKGATE_GATE_H
#define SOCKGATE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate_shared.h"

#define GATE_BPFFS           "/sys/fs/bpf"
#define GATE_PIN_DIRECTORY   GATE_BPFFS "/sockgate"
#define GATE_EXECUTABLES_MAX 16

struct gate_guarded {
	const char *path; /* of the socket, absolute */
	enum gate_socket_kind kind;
};

/* What to guard. Strings must live as long as the gate. */
struct gate_wanted {
	struct gate_guarded sockets[GATE_SOCKETS_MAX];
	size_t n_sockets;
	const char *executables[GATE_EXECUTABLES_MAX]; /* of the engine's own processes */
	size_t n_executables;
	bool observe; /* report what would be refused, refuse nothing */
	bool pin;     /* false: the gate opens when this process ends */
};

struct gate_handle;

/*
 * Whether this kernel and this process can arm the gate: 0, or
 *   -ENOSYS   the kernel is too old or built without what is needed
 *   -ENODEV   `bpf` is not an active LSM, or bpffs is not mounted
 *   -EPERM    capabilities are missing
 *   -EEXIST   something that is not ours is pinned under GATE_PIN_DIRECTORY
 * with *why in one line.
 */
int gate_probe(const char **why);

/*
 * Arms the gate; takes over from an earlier process's pins without a moment in between: the new programs are
 * attached, and every listener is marked, before the old ones go. On failure the old ones stay.
 */
int gate_arm(const struct gate_wanted *wanted, struct gate_handle **ret, const char **why);

/* Opens the gate: unpins and detaches. Also without a handle (NULL), for pins of an earlier process. */
int gate_disarm(struct gate_handle *gate);

/* Lets go of the gate; what is pinned stays in force. NULL is fine. Returns NULL. */
struct gate_handle *gate_close(struct gate_handle *gate);

/*
 * Marks the process behind a pidfd. The mark ends with the process or at its next exec, and is not inherited.
 * GATE_TASK_PROXY_NEXT becomes GATE_TASK_PROXY at that exec, before anything of the new program runs: what is
 * seen of an exec from outside (a pipe that closes) comes too early for marking after it.
 */
int gate_mark_task(struct gate_handle *gate, int pidfd, enum gate_task_kind kind);

/*
 * Looks for directories and executables that are there now and were not marked, or are others than before;
 * marks them, the listeners in such directories and the processes of such executables. To be called every few
 * seconds. Returns how many were new, or -errno. *ret_missing: bit i when the directory of sockets[i] does
 * not exist, so that the socket is not guarded yet.
 */
int gate_refresh(struct gate_handle *gate, uint32_t *ret_missing);

/* Sums over all processors, indexed by enum gate_counter. */
int gate_counters(const struct gate_handle *gate, uint64_t ret[static GATE_COUNTERS]);

/* Whether refusals come from unix_find as well (Linux 7.1 and later). */
bool gate_has_find(const struct gate_handle *gate);

/* Readable when there are events. Owned by the gate. */
int gate_events_fd(const struct gate_handle *gate);
/* Hands at most `limit` waiting events to `take`. Returns how many, or -errno. */
typedef void gate_event_fn(void *context, const struct gate_event *event);
int gate_events_drain(struct gate_handle *gate, gate_event_fn *take, void *context, unsigned limit);

#endif
