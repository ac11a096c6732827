/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.c - arms and disarms the gate. The order in arm() is what makes it gap-free:
 *
 *   1 load     with what was configured in .rodata, which is frozen from then on
 *   2 mark     directories and executables
 *   3 attach   socket_listen first: from here on nobody listens unmarked
 *   4 iterate  over the listeners that were there before
 *   5 pin      over an earlier process's pins; only now its programs go
 *
 * Two generations that are attached at once both refuse, so there is no moment in which anybody gets through.
 */
#include "gate/gate.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/gate_internal.h"
#include "gate/gate_parse.h"

/* The verifier's words are long and for developers: SOCKGATE_BPF_DEBUG=1 in the environment shows them. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	const char *wanted = secure_getenv("SOCKGATE_BPF_DEBUG");

	if (!wanted || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static bool kernel_has(const char *function)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) >= 0;

	btf__free(btf);
	return has;
}

static int configure(struct gate_handle *gate, const char **why)
{
	const struct gate_wanted *wanted = &gate->wanted;
	struct gate *s = gate->skeleton;
	struct stat st;

	if (wanted->n_sockets > GATE_SOCKETS_MAX || wanted->n_executables > GATE_EXECUTABLES_MAX) {
		*why = "there are too many sockets or executables to guard";
		return -E2BIG;
	}
	for (size_t i = 0; i < wanted->n_sockets; i++) {
		struct str directory;
		int r = gate_parse_socket(str_from(wanted->sockets[i].path), &directory,
					  (uint64_t *)s->rodata->sockets[i].name);

		if (r < 0) {
			*why = "a socket to guard needs an absolute path with a name of at most 62 bytes";
			return r;
		}
		s->rodata->sockets[i].kind = wanted->sockets[i].kind;
	}
	if (stat("/proc/self/ns/pid", &st) < 0) {
		*why = "cannot read /proc/self/ns/pid: is /proc mounted?";
		return -errno;
	}
	s->rodata->pid_namespace = (__u32)st.st_ino;
	s->rodata->observe = wanted->observe;
	(void)bpf_program__set_autoload(s->progs.gate_find, kernel_has("bpf_lsm_unix_find"));
	return 0;
}

static int load(struct gate_handle *gate, const char **why)
{
	struct gate *s = gate->skeleton;
	int r, listeners = gate_pins_listeners();

	if (listeners >= 0) {
		gate->taken_over = bpf_map__reuse_fd(s->maps.listeners, listeners) == 0;
		close(listeners);
	}
	r = gate__load(s);
	if (r < 0)
		*why = "the kernel refused the gate's programs";
	return r;
}

static int attach(struct bpf_program *program, struct bpf_link **ret, const char **why)
{
	struct bpf_link *link = bpf_program__attach(program);

	if (!link) {
		/* A trampoline has a fixed number of places, and they may have been filled before us. */
		*why = errno == E2BIG ? "a hook has no place left for another program"
				      : "a program of the gate cannot be attached";
		return -errno;
	}
	*ret = link;
	return 0;
}

static int attach_all(struct gate_handle *gate, const char **why)
{
	struct gate *s = gate->skeleton;
	int r = attach(s->progs.gate_listen, &s->links.gate_listen, why);

	if (r == 0)
		r = attach(s->progs.gate_exec, &s->links.gate_exec, why);
	if (r == 0)
		r = attach(s->progs.gate_exec_secure, &s->links.gate_exec_secure, why);
	if (r == 0)
		r = attach(s->progs.gate_connect, &s->links.gate_connect, why);
	if (r == 0 && bpf_program__autoload(s->progs.gate_find))
		r = attach(s->progs.gate_find, &s->links.gate_find, why);
	if (r == 0)
		r = attach(s->progs.gate_existing, &s->links.gate_existing, why);
	return r;
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
	int r;

	gate->skeleton = gate__open();
	if (!gate->skeleton) {
		*why = "the gate's object cannot be opened";
		return -errno;
	}
	r = configure(gate, why);
	if (r == 0)
		r = load(gate, why);
	if (r < 0)
		return r;
	r = attach_all(gate, why);
	if (r < 0)
		return r;
	gate->ring = ring_buffer__new(bpf_map__fd(gate->skeleton->maps.events), take_event, gate, NULL);
	if (!gate->ring) {
		*why = "the ring of events cannot be mapped";
		return -errno;
	}
	r = gate_refresh(gate, &missing);
	if (r < 0) {
		*why = "directories and listeners cannot be marked";
		return r;
	}
	if (gate->wanted.pin)
		r = gate_pins_replace(gate);
	else
		r = gate_pins_remove();
	if (r < 0)
		*why = "the gate cannot be pinned under " GATE_PIN_DIRECTORY;
	return r;
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
		gate__destroy(gate->skeleton);
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

bool gate_has_find(const struct gate_handle *gate)
{
	return gate->skeleton->links.gate_find != NULL;
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
		r = bpf_map_lookup_elem(bpf_map__fd(gate->skeleton->maps.counters), &i, values);
		for (int cpu = 0; cpu < processors && r == 0; cpu++)
			sums[i] += values[cpu];
	}
	free(values);
	if (r == 0)
		memcpy(ret, sums, sizeof(sums));
	return r;
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
