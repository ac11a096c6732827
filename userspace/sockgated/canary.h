/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * canary.h - proves that the gate is shut: a child that may not connect tries to, and must fail, by our own
 * hand.
 *
 * Attached is not enforcing (`bpf` missing from lsm=, kernel.ftrace_enabled=0, links gone), so nothing but a
 * refusal that happened counts. The child tries a listener that exists for this only, every guarded socket
 * besides, and to write to a guarded setting of the kernel.
 */
#ifndef SOCKGATE_SOCKGATED_CANARY_H
#define SOCKGATE_SOCKGATED_CANARY_H

#include "gate/gate.h"

#define CANARY_DIRECTORY "/run/sockgate/canary"
#define CANARY_SOCKET    CANARY_DIRECTORY "/canary.sock"

/*
 * The canary's listener, in a directory of its own that is made if need be. To be called when the gate is
 * armed, so that it is marked like an engine's. Returns a descriptor or -errno with *why.
 */
int canary_open(const char **why);

/*
 * One try. Returns 1 when every connect that reached a listener got EPERM and the gate's own counter moved by
 * as many; 0 when not, with the reason in `reason`; or -errno when there was no try.
 */
int canary_try(struct gate_handle *gate, int listener, const struct gate_wanted *wanted, char *reason,
	       size_t size);

#endif
