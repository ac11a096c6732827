/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.h - arms the kernel gate: loads, attaches and pins the programs of bpf/ and sets the marks.
 *
 * The folder gate/ is the one includer of libbpf and of the skeletons. Nothing here logs; functions return 0
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
#define GATE_CGROUP          "/sys/fs/cgroup"
#define GATE_EXECUTABLES_MAX 20

struct gate_guarded {
	const char *path; /* of the socket, absolute */
	enum gate_socket_kind kind;
};

/* What executing the file makes of a process: ENGINE, WORKER (of the proxy's children), LOADER (of root). */
struct gate_executable {
	const char *path;
	enum gate_task_kind kind;
};

/* How the programs are hooked in. FMOD_RET is for kernels on which `bpf` is no active LSM. */
enum gate_method { GATE_METHOD_LSM, GATE_METHOD_FMOD_RET };

struct gate_sysctl;

/* What to guard. Strings must live as long as the gate. */
struct gate_wanted {
	enum gate_method method;
	struct gate_guarded sockets[GATE_SOCKETS_MAX];
	size_t n_sockets;
	struct gate_executable executables[GATE_EXECUTABLES_MAX];
	size_t n_executables;
	uint16_t ports[GATE_PORTS_MAX]; /* TCP ports of engines, for the proxy only; 0: not used */
	struct gate_sysctl *sysctl;     /* NULL: the kernel's settings are not guarded */
	bool observe;                   /* report what would be refused, refuse nothing */
	bool pin;                       /* false: the gate opens when this process ends */
};

struct gate_handle;

/*
 * Whether this kernel and this process can arm the gate: 0, or
 *   -ENOSYS   the kernel is too old or built without what is needed
 *   -ENODEV   bpffs is not mounted, or (METHOD_LSM) `bpf` is not an active LSM
 *   -EPERM    capabilities are missing, or an armed gate does not take this process for its loader
 *   -EEXIST   something that is not ours is pinned under GATE_PIN_DIRECTORY
 * with *why in one line.
 */
int gate_probe(enum gate_method method, const char **why);

/*
 * Loads the guard of the kernel's settings, to be attached by gate_arm(). Needs CAP_NET_ADMIN (and gate_arm()
 * does not), so it is done once, before privileges are given up. Returns 0 or -errno with *why.
 */
int gate_sysctl_load(struct gate_sysctl **ret, const char **why);

/*
 * Arms the gate; takes over from an earlier process's pins without a moment in between: the new programs are
 * attached, and every listener is marked, before the old ones go. On failure the old ones stay. The calling
 * process is marked as the loader.
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

/* One attached program. Times are 0 unless the kernel.bpf_stats_enabled sysctl is on. */
struct gate_program {
	char name[24];
	uint64_t runs;
	uint64_t nanoseconds; /* of all runs together */
};
/* Fills at most `max` entries. Returns how many programs are attached, or -errno. */
int gate_programs(const struct gate_handle *gate, struct gate_program *ret, size_t max);

/* Readable when there are events. Owned by the gate. */
int gate_events_fd(const struct gate_handle *gate);
/* Hands at most `limit` waiting events to `take`. Returns how many, or -errno. */
typedef void gate_event_fn(void *context, const struct gate_event *event);
int gate_events_drain(struct gate_handle *gate, gate_event_fn *take, void *context, unsigned limit);

#endif
