/* SPDX-License-Identifier: BSD-2-Clause */
/* gate_internal.h - what the files of gate/ share. Not for others. */
#ifndef SOCKGATE_GATE_INTERNAL_H
#define SOCKGATE_GATE_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include "gate/gate.h"

#include "gate.skel.h" /* after gate_shared.h, whose types it holds */

/* Which file was marked last for a path, to see that there is another one now. */
struct gate_file {
	dev_t dev;
	ino_t ino;
};

struct gate_handle {
	struct gate *skeleton; /* the name is bpftool's */
	struct ring_buffer *ring;
	struct gate_wanted wanted;
	struct gate_file executables[GATE_EXECUTABLES_MAX];
	gate_event_fn *take; /* during gate_events_drain() */
	void *take_context;
	unsigned take_budget;
	bool taken_over; /* the map of marked listeners is an earlier process's */
};

/* gate_pins.c. Looks at what is pinned: 0, or -EEXIST with *why when anything there is not ours. */
int gate_pins_check(const char **why);
/* The pinned map of marked listeners: a descriptor, -ENOENT, or -EEXIST when it does not fit. */
int gate_pins_listeners(void);
/* Pins everything in place of what is pinned now, one by one, each replacement atomic; then removes the rest.
 */
int gate_pins_replace(const struct gate_handle *gate);
int gate_pins_remove(void);

/* gate_marks.c */
int gate_marks_listeners(struct gate_handle *gate);

#endif
