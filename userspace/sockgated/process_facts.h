/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_facts.h - what /proc tells about a process that was refused. For the audit trail only: the process
 * may be gone, or be another by now, so nothing is ever decided by this.
 */
#ifndef SOCKGATE_SOCKGATED_PROCESS_FACTS_H
#define SOCKGATE_SOCKGATED_PROCESS_FACTS_H

#include <stdint.h>
#include <sys/types.h>

#include "text/str.h"

struct process_facts {
	char exe[1024];    /* empty: not known */
	char cgroup[1024]; /* path in cgroup2, or the first one of cgroup1 */
	char container[65];
};

/* Every fact stays empty when the process is not the one that started at `start_time` (ns since boot). */
void process_facts_read(pid_t pid, uint64_t start_time, struct process_facts *ret);

/* The container id in a cgroup's path: the last run of 64 hex digits that is a whole word. Empty if there is
 * none. */
struct str process_facts_container(struct str cgroup);
/* The path in the text of /proc/PID/cgroup. Empty if there is none. */
struct str process_facts_cgroup(struct str text);
/* Field 22 of /proc/PID/stat, in clock ticks since boot, or 0. The name in field 2 may hold anything. */
uint64_t process_facts_start(struct str stat);

#endif
