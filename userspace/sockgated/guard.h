/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.h - the gate as it was configured: armed, proven again and again, or off, and the reason.
 */
#ifndef SOCKGATE_SOCKGATED_GUARD_H
#define SOCKGATE_SOCKGATED_GUARD_H

#include "channel/messages.h"
#include "gate/gate.h"
#include "policy/policy_image.h"

struct guard {
	struct gate_wanted wanted;
	struct gate_handle *gate; /* NULL: not armed */
	int canary;               /* the canary's listener, or -1 */
	enum msg_gate state;
	char reason[MSG_TEXT_MAX];
	char choice[256]; /* why this method */
	uint32_t missing; /* bit i: the directory of wanted.sockets[i] does not exist */
	char *strings[GATE_SOCKETS_MAX + GATE_EXECUTABLES_MAX]; /* that `wanted` refers to */
	unsigned n_strings;
};

/* Takes from the image what to guard. Returns 0 or -errno with *why. */
int guard_init(struct guard *guard, const struct policy_image *image, const char **why);

/*
 * Arms the gate with the backend that was configured, and proves it with the canary, a few times in a second,
 * for programs of an earlier process that are still on their way out. GATE_AUTO takes fmod_ret when lsm
 * cannot be had or does not refuse. Returns 0 or -errno with *why: what is missing. With backend `none` there
 * is nothing to do.
 */
int guard_arm(struct guard *guard, enum gate_backend backend, const char **why);

/* Opens the gate, for `reason`. Returns 0 or -errno: then something is still attached. */
int guard_disarm(struct guard *guard, const char *reason);

/* Looks for new directories and tries the canary. Returns whether state or reason is another now. */
bool guard_check(struct guard *guard);

/*
 * Before the end of this process: marks what the next sockgated may be, if its file was replaced meanwhile.
 * Without the mark an armed gate would not let it take over.
 */
void guard_leave(struct guard *guard);

/* Whether the administrator said sockgate.gate=off on the kernel's command line. */
bool guard_off_at_boot(void);

const char *guard_state_name(enum msg_gate state);
/* "lsm", "fmod_ret" or "none". */
const char *guard_backend_name(const struct guard *guard);

#endif
