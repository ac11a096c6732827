/* SPDX-License-Identifier: BSD-2-Clause */
/* gate_internal.h - what the files of gate/ share. Not for others. */
#ifndef SOCKGATE_GATE_INTERNAL_H
#define SOCKGATE_GATE_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include "gate/gate.h"

#define GATE_PARTS     5  /* objects */
#define GATE_LINKS_MAX 24 /* attached programs */

/* Which file was marked last for a path, to see that there is another one now. */
struct gate_file {
	dev_t dev;
	ino_t ino;
};

struct gate_link {
	struct bpf_link *link;
	const struct bpf_program *program;
	const char *name; /* its program's */
};

/* The guard of the kernel's settings: loaded once, attached whenever the gate is armed. */
struct gate_sysctl {
	struct bpf_object *object;
};

struct gate_handle {
	struct bpf_object *objects[GATE_PARTS]; /* they share all their maps but .rodata */
	struct gate_link links[GATE_LINKS_MAX];
	size_t n_links;
	struct ring_buffer *ring;
	struct gate_wanted wanted;
	struct gate_file executables[GATE_EXECUTABLES_MAX];
	gate_event_fn *take; /* during gate_events_drain() */
	void *take_context;
	unsigned take_budget;
};

/* gate_load.c. Opens, configures and loads every object; nothing is attached yet. */
int gate_load(struct gate_handle *gate, const char **why);
/* Attaches everything, the marking of listeners first. */
int gate_attach(struct gate_handle *gate, const char **why);
void gate_unload(struct gate_handle *gate);
/* A shared map's descriptor. */
int gate_map(const struct gate_handle *gate, const char *name);
/* The map of marked sockets, as this method has it. */
const char *gate_sockets_map(enum gate_method method);
/* NULL when it is not attached. */
struct bpf_link *gate_link(const struct gate_handle *gate, const char *program);

/* gate_own.c. Makes links, maps, programs, the pins' directory and its mounts the loader's alone. */
int gate_own_objects(struct gate_handle *gate);
int gate_own_pins(struct gate_handle *gate);

/* gate_pins.c. Looks at what is pinned: 0, or -EEXIST or -EPERM with *why. */
int gate_pins_check(const char **why);
/* The pinned map of marked sockets: a descriptor, -ENOENT, or -EEXIST when it does not fit. */
int gate_pins_sockets(enum gate_method method);
/* Pins everything in place of what is pinned now, one by one, each replacement atomic; then removes the rest.
 */
int gate_pins_replace(struct gate_handle *gate);
int gate_pins_remove(void);

/* gate_marks.c */
int gate_marks_listeners(struct gate_handle *gate);
int gate_mark_self(struct gate_handle *gate);

#endif
