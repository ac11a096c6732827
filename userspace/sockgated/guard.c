/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockgated/canary.h"

#define PROVE_TRIES 20
#define PROVE_WAIT  100000 /* microseconds */

const char *guard_state_name(enum msg_gate state)
{
	static const char *const names[] = {
		[MSG_GATE_NONE] = "none",
		[MSG_GATE_ENFORCING] = "enforcing",
		[MSG_GATE_DEGRADED] = "degraded",
		[MSG_GATE_OFF] = "off",
	};

	return names[state];
}

/* The image's strings do not end in NUL. */
static const char *keep(struct guard *guard, struct str s)
{
	char *copy;

	if (guard->n_strings == sizeof(guard->strings) / sizeof(guard->strings[0]))
		return NULL;
	copy = strndup(s.p, s.n);
	guard->strings[guard->n_strings] = copy;
	guard->n_strings += copy != NULL;
	return copy;
}

static int want_socket(struct guard *guard, struct str path, enum gate_socket_kind kind)
{
	struct gate_wanted *wanted = &guard->wanted;
	const char *copy = NULL;

	/* One place is the canary's. */
	if (wanted->n_sockets < GATE_SOCKETS_MAX - 1)
		copy = keep(guard, path);
	if (!copy)
		return -E2BIG;
	wanted->sockets[wanted->n_sockets++] = (struct gate_guarded){ copy, kind };
	return 0;
}

static int want_engine(struct guard *guard, const struct policy_image *image,
		       const struct image_engine *engine)
{
	const struct image_str *also = IMAGE_LIST(image, struct image_str, engine->also);
	const struct image_str *exe = IMAGE_LIST(image, struct image_str, engine->allow_exe);
	struct gate_wanted *wanted = &guard->wanted;
	int r = 0;

	if (engine->kind == IMAGE_UNIX)
		r = want_socket(guard, image_string(image, engine->address), GATE_SOCKET_ENGINE);
	for (unsigned i = 0; r == 0 && i < engine->also.count; i++)
		r = want_socket(guard, image_string(image, also[i]), GATE_SOCKET_ALSO);
	for (unsigned i = 0; r == 0 && i < engine->allow_exe.count; i++) {
		const char *copy = NULL;

		if (wanted->n_executables < GATE_EXECUTABLES_MAX)
			copy = keep(guard, image_string(image, exe[i]));
		if (!copy)
			return -E2BIG;
		wanted->executables[wanted->n_executables++] = copy;
	}
	return r;
}

int guard_init(struct guard *guard, const struct policy_image *image, const char **why)
{
	const struct image_engine *engines = IMAGE_LIST(image, struct image_engine, image->engines);
	struct gate_wanted *wanted = &guard->wanted;
	int r = 0;

	memset(guard, 0, sizeof(*guard));
	guard->canary = -1;
	guard->state = MSG_GATE_NONE;
	wanted->observe = image->gate.observe;
	wanted->pin = !image->gate.open_on_exit;
	for (unsigned i = 0; r == 0 && i < image->engines.count; i++)
		r = want_engine(guard, image, &engines[i]);
	wanted->sockets[wanted->n_sockets++] = (struct gate_guarded){ CANARY_SOCKET, GATE_SOCKET_CANARY };
	if (r < 0)
		*why = "there are too many sockets or executables to guard";
	return r;
}

static void set_state(struct guard *guard, enum msg_gate state, const char *reason)
{
	guard->state = state;
	(void)snprintf(guard->reason, sizeof(guard->reason), "%s", reason);
}

int guard_arm(struct guard *guard, enum gate_backend backend, const char **why)
{
	int r;

	switch (backend) {
	case GATE_NONE:
		set_state(guard, MSG_GATE_NONE, "backend: none was configured");
		return 0;
	case GATE_FMOD_RET:
	case GATE_PATHLESS:
		*why = "this version has no such backend: use lsm, auto or none";
		return -EOPNOTSUPP;
	case GATE_AUTO:
	case GATE_LSM:
		break;
	}
	r = gate_probe(why);
	if (r == 0)
		r = gate_arm(&guard->wanted, &guard->gate, why);
	if (r < 0)
		return r;
	guard->canary = canary_open(why);
	if (guard->canary < 0)
		return guard->canary;
	set_state(guard, MSG_GATE_DEGRADED, "not proven yet");
	return 0;
}

int guard_disarm(struct guard *guard, const char *reason)
{
	int r = gate_disarm(guard->gate);

	guard->gate = NULL;
	if (guard->canary >= 0)
		close(guard->canary);
	guard->canary = -1;
	set_state(guard, MSG_GATE_OFF, reason);
	return r;
}

bool guard_check(struct guard *guard)
{
	char reason[MSG_TEXT_MAX] = "";
	enum msg_gate state;
	int r;

	if (!guard->gate)
		return false;
	r = gate_refresh(guard->gate, &guard->missing);
	if (r < 0)
		(void)snprintf(reason, sizeof(reason), "cannot mark what is to be guarded: %s", strerror(-r));
	if (r >= 0) {
		r = canary_try(guard->gate, guard->canary, &guard->wanted, reason, sizeof(reason));
		if (r < 0)
			(void)snprintf(reason, sizeof(reason), "the canary could not be sent: %s",
				       strerror(-r));
	}
	if (r > 0 && guard->wanted.observe) {
		(void)snprintf(reason, sizeof(reason), "mode: observe refuses nobody");
		r = 0;
	}
	state = r > 0 ? MSG_GATE_ENFORCING : MSG_GATE_DEGRADED;
	if (state == guard->state && strcmp(reason, guard->reason) == 0)
		return false;
	set_state(guard, state, reason);
	return true;
}

bool guard_prove(struct guard *guard)
{
	bool changed = guard_check(guard);

	for (unsigned i = 0; guard->gate && guard->state != MSG_GATE_ENFORCING && i < PROVE_TRIES; i++) {
		(void)usleep(PROVE_WAIT);
		changed |= guard_check(guard);
	}
	return changed;
}

bool guard_off_at_boot(void)
{
	static const char word[] = "sockgate.gate=off";
	char text[4097];
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (const char *p = text; (p = strstr(p, word)) != NULL; p += sizeof(word) - 1)
		if ((p == text || p[-1] == ' ') && strchr(" \n", p[sizeof(word) - 1]))
			return true;
	return false;
}
