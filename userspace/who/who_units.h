/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * who_units.h - the container and the systemd unit that a process belongs to, from the text of
 * /proc/PID/cgroup (cgroups(7)). Pure; what is found points into that text.
 */
#ifndef SOCKGATE_WHO_UNITS_H
#define SOCKGATE_WHO_UNITS_H

#include "text/str.h"

struct who_unit {
	struct str container; /* 64 hex digits, the innermost; empty for none */
	struct str
		runtime; /* "docker", "libpod", "cri-containerd", "crio", ...; empty where it is not said */
	struct str unit; /* "docker.service", "session-3.scope"; empty for none */
};

/*
 * Reads every line: on a host with cgroup1, or with both, a container is in the lines of some controllers
 * only. Lines of another form are passed over: a cgroup is a convenience for the reader, nothing depends on
 * it alone.
 */
void who_units_find(struct str text, struct who_unit *ret);

#endif
