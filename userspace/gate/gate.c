/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.c - arms and disarms the gate. The order in arm() is what makes it gap-free:
 *
 *   1 load     with what was configured in .rodata, which is frozen from then on
 *   2 mark     this process as the loader, for the guards
 *   3 attach   socket_listen first
 *   4 mark     directories and executables: from here on nobody listens unmarked; then, by the iterator, the
 *              listeners that were there before
 *   5 own      links, maps and programs, by number
 *   6 pin      over an earlier process's pins; only now its programs go
 *
 * Two generations that are attached at once both refuse, so there is no moment in which anybody gets through.
 */
#include "gate/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/gate_internal.h"

/* The verifier's words are long and for developers: SOCKGATE_BPF_DEBUG=1 in the environment shows them. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	const char *wanted = secure_getenv("SOCKGATE_BPF_DEBUG");

	if (!wanted || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static int take_event(void *context, void *data, size_t size)
{
	struct gate_handle *gate = context;
	struct gate_event event;

	if (size < sizeof(event) || !gate->take)
		return 0;
	memcpy(&event, data, sizeof(event));
	event.comm[GATE_COMM_MAX - 1] = '\0';
	event.socket[GATE_PATH_MAX - 1] = '\0';
	gate->take(gate->take_context, &event);
	/* A negative answer ends the drain; the event counts as taken. The rest waits in the ring. */
	return --gate->take_budget ? 0 : -EAGAIN;
}

static int arm(struct gate_handle *gate, const char **why)
{
	uint32_t missing;
	int r = gate_load(gate, why);

	if (r < 0)
		return r;
	*why = "sockgated cannot mark itself";
	r = gate_mark_self(gate);
	if (r == 0)
		r = gate_attach(gate, why);
	if (r < 0)
		return r;
	gate->ring = ring_buffer__new(gate_map(gate, "events"), take_event, gate, NULL);
	if (!gate->ring) {
		*why = "the ring of events cannot be mapped";
		return -errno;
	}
	*why = "directories and listeners cannot be marked";
	r = gate_refresh(gate, &missing);
	if (r < 0)
		return r;
	*why = "the gate cannot guard its own programs";
	r = gate_own_objects(gate);
	if (r < 0)
		return r;
	*why = "the gate cannot be pinned under " GATE_PIN_DIRECTORY;
	return gate->wanted.pin ? gate_pins_replace(gate) : gate_pins_remove();
}

int gate_arm(const struct gate_wanted *wanted, struct gate_handle **ret, const char **why)
{
	struct gate_handle *gate = calloc(1, sizeof(*gate));
	int r;

	if (!gate) {
		*why = "out of memory";
		return -ENOMEM;
	}
	libbpf_set_print(print_libbpf);
	gate->wanted = *wanted;
	r = arm(gate, why);
	if (r < 0) {
		gate_close(gate);
		return r;
	}
	*ret = gate;
	return 0;
}

struct gate_handle *gate_close(struct gate_handle *gate)
{
	if (gate) {
		ring_buffer__free(gate->ring);
		gate_unload(gate);
		free(gate);
	}
	return NULL;
}

int gate_disarm(struct gate_handle *gate)
{
	/* Our descriptors first: what is pinned stays in force until its pin goes, and is waited for then. */
	gate_close(gate);
	return gate_pins_remove();
}

int gate_counters(const struct gate_handle *gate, uint64_t ret[static GATE_COUNTERS])
{
	int processors = libbpf_num_possible_cpus();
	uint64_t sums[GATE_COUNTERS] = { 0 };
	uint64_t *values;
	int r = 0;

	if (processors < 0)
		return processors;
	values = calloc((size_t)processors, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (__u32 i = 0; i < GATE_COUNTERS && r == 0; i++) {
		r = bpf_map_lookup_elem(gate_map(gate, "counters"), &i, values);
		for (int cpu = 0; cpu < processors && r == 0; cpu++)
			sums[i] += values[cpu];
	}
	free(values);
	if (r == 0)
		memcpy(ret, sums, sizeof(sums));
	return r;
}

int gate_programs(const struct gate_handle *gate, struct gate_program *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < gate->n_links && n < max; i++) {
		int r, fd = bpf_program__fd(gate->links[i].program);
		struct bpf_prog_info program = { 0 };
		__u32 size = sizeof(program);

		r = bpf_obj_get_info_by_fd(fd, &program, &size);
		if (r < 0)
			return r;
		ret[n].runs = program.run_cnt;
		ret[n].nanoseconds = program.run_time_ns;
		(void)snprintf(ret[n].name, sizeof(ret[n].name), "%s", gate->links[i].name);
		n++;
	}
	return (int)n;
}

int gate_events_fd(const struct gate_handle *gate)
{
	return ring_buffer__epoll_fd(gate->ring);
}

int gate_events_drain(struct gate_handle *gate, gate_event_fn *take, void *context, unsigned limit)
{
	int r;

	gate->take = take;
	gate->take_context = context;
	gate->take_budget = limit;
	r = ring_buffer__consume(gate->ring);
	gate->take = NULL;
	return r == -EAGAIN ? (int)limit : r;
}
