/* SPDX-License-Identifier: BSD-2-Clause */
/* who_processes.h - every process that /proc shows, and the sockets that it holds. Kernel threads are none.
 */
#ifndef SOCKGATE_WHO_PROCESSES_H
#define SOCKGATE_WHO_PROCESSES_H

#include <stdint.h>
#include <sys/types.h>

#include "text/str.h"
#include "who/who.h"

#define WHO_PROCESSES_MAX    131072
#define WHO_GROUPS_MAX       65536 /* NGROUPS_MAX */
#define WHO_HELD_MAX         (1u << 20)
#define WHO_DAC_OVERRIDE     (UINT64_C(1) << 1)  /* CAP_DAC_OVERRIDE */
#define WHO_SYS_PTRACE       (UINT64_C(1) << 19) /* CAP_SYS_PTRACE */
#define WHO_NO_VIEW          UINT32_MAX
#define WHO_CONTAINER_ID_MAX 65

/* Of /proc/PID/status (proc(5)). */
struct who_status {
	uint32_t uid; /* the one that files are accessed with */
	uint32_t gid;
	uint64_t capabilities; /* effective */
	uint32_t *groups;      /* supplementary; the owner's to free */
	size_t n_groups;
	pid_t parent;
	bool zombie; /* its first thread has ended; others may go on */
	char comm[16];
};

struct who_process {
	pid_t pid;
	struct who_status status;
	char *exe; /* NULL: may not be read */
	char container[WHO_CONTAINER_ID_MAX];
	char *unit;
	/* Namespaces; 0 where they may not be read. */
	uint64_t mount, net, user, pid_space;
	uint32_t view; /* index among the views, WHO_NO_VIEW: not known. Set by who_mounts.c. */
};

/* A process holds a socket. */
struct who_held {
	uint64_t inode;
	uint32_t process; /* index */
};

struct who_processes {
	struct who_process *items; /* in the order of /proc; this process is left out */
	size_t n, cap;
	struct who_held *held; /* by inode */
	size_t n_held, cap_held;
	uint64_t own_mount, own_net, own_user, own_pid_space;
};

/* The text of /proc/PID/status. Returns 0, -EBADMSG or -ENOMEM. */
int who_status_parse(struct str text, struct who_status *ret);

/* `proc` is a descriptor of /proc. Returns 0 or -errno; what may not be read is noted in `report`. */
int who_processes_scan(int proc, struct who_report *report, struct who_processes *ret);
void who_processes_free(struct who_processes *processes);

/* The holders of a socket are held[*ret_first] and those behind it. Returns how many. */
size_t who_processes_holders(const struct who_processes *processes, uint64_t inode, size_t *ret_first);
/* The last part of the executable's path, or what the process calls itself. */
struct str who_process_program(const struct who_process *process);

#endif
