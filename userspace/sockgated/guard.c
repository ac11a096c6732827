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

static int want_executable(struct guard *guard, struct str path, enum gate_task_kind kind)
{
	struct gate_wanted *wanted = &guard->wanted;
	const char *copy = NULL;

	if (wanted->n_executables < GATE_EXECUTABLES_MAX)
		copy = keep(guard, path);
	if (!copy)
		return -E2BIG;
	wanted->executables[wanted->n_executables++] = (struct gate_executable){ copy, kind };
	return 0;
}

static int want_port(struct guard *guard, uint16_t port)
{
	for (size_t i = 0; i < GATE_PORTS_MAX; i++)
		if (guard->wanted.ports[i] == 0 || guard->wanted.ports[i] == port) {
			guard->wanted.ports[i] = port;
			return 0;
		}
	return -E2BIG;
}

static int want_engine(struct guard *guard, const struct policy_image *image,
		       const struct image_engine *engine)
{
	const struct image_str *also = IMAGE_LIST(image, struct image_str, engine->also);
	const struct image_str *exe = IMAGE_LIST(image, struct image_str, engine->allow_exe);
	int r;

	if (engine->kind == IMAGE_UNIX)
		r = want_socket(guard, image_string(image, engine->address), GATE_SOCKET_ENGINE);
	else
		r = want_port(guard, (uint16_t)engine->port);
	for (unsigned i = 0; r == 0 && i < engine->also.count; i++)
		r = want_socket(guard, image_string(image, also[i]), GATE_SOCKET_ALSO);
	for (unsigned i = 0; r == 0 && i < engine->allow_exe.count; i++)
		r = want_executable(guard, image_string(image, exe[i]), GATE_TASK_ENGINE);
	return r;
}

/* Our own: sockgated itself, and the worker where the proxy looks for it (proxy/spawn.c). */
static int want_programs(struct guard *guard)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("sockgate-worker"));
	char *slash;
	int r;

	if (n < 0)
		return -errno;
	path[n] = '\0';
	r = want_executable(guard, str_from(path), GATE_TASK_LOADER);
	slash = strrchr(path, '/');
	if (r < 0 || !slash)
		return r;
	memcpy(slash + 1, "sockgate-worker", sizeof("sockgate-worker"));
	r = want_executable(guard, str_from(path), GATE_TASK_WORKER);
	return r == 0 ? want_executable(guard, STR(SOCKGATE_LIBEXECDIR "/sockgate-worker"), GATE_TASK_WORKER)
		      : r;
}

int guard_init(struct guard *guard, const struct policy_image *image, const char **why)
{
	const struct image_engine *engines = IMAGE_LIST(image, struct image_engine, image->engines);
	struct gate_wanted *wanted = &guard->wanted;
	int r;

	memset(guard, 0, sizeof(*guard));
	guard->canary = -1;
	guard->state = MSG_GATE_NONE;
	wanted->observe = image->gate.observe;
	wanted->pin = !image->gate.open_on_exit;
	r = want_programs(guard);
	for (unsigned i = 0; r == 0 && i < image->engines.count; i++)
		r = want_engine(guard, image, &engines[i]);
	wanted->sockets[wanted->n_sockets++] = (struct gate_guarded){ CANARY_SOCKET, GATE_SOCKET_CANARY };
	if (r < 0)
		*why = "there are too many sockets, executables or ports to guard";
	return r;
}

static void set_state(struct guard *guard, enum msg_gate state, const char *reason)
{
	guard->state = state;
	(void)snprintf(guard->reason, sizeof(guard->reason), "%s", reason);
}

static void choose(struct guard *guard, const char *reason)
{
	(void)snprintf(guard->choice, sizeof(guard->choice), "%s", reason);
}

/* The same check a few times in a second. */
static void prove(struct guard *guard)
{
	(void)guard_check(guard);
	for (unsigned i = 0; guard->state != MSG_GATE_ENFORCING && !guard->wanted.observe && i < PROVE_TRIES;
	     i++) {
		(void)usleep(PROVE_WAIT);
		(void)guard_check(guard);
	}
}

static int arm_with(struct guard *guard, enum gate_method method, const char **why)
{
	const char *unguarded = NULL;
	int r = gate_probe(method, why);

	/* Once: it needs what is given up later. Without it there is a gate still, and status tells. */
	if (r == 0 && !guard->wanted.observe && !guard->wanted.sysctl)
		(void)gate_sysctl_load(&guard->wanted.sysctl, &unguarded);
	guard->wanted.method = method;
	if (r == 0)
		r = gate_arm(&guard->wanted, &guard->gate, why);
	if (r < 0)
		return r;
	guard->canary = canary_open(why);
	if (guard->canary < 0)
		return guard->canary;
	prove(guard);
	return 0;
}

/* The strongest that works: what does not refuse does not work. */
static int arm_strongest(struct guard *guard, const char **why)
{
	const char *why_not = "";
	int r = arm_with(guard, GATE_METHOD_LSM, &why_not);

	if (r == 0 && (guard->state == MSG_GATE_ENFORCING || guard->wanted.observe)) {
		choose(guard, "auto: bpf is an active LSM");
		return 0;
	}
	(void)snprintf(guard->choice, sizeof(guard->choice), "auto: not lsm: %.200s",
		       r < 0 ? why_not : guard->reason);
	if (r == 0)
		r = guard_disarm(guard, "lsm does not refuse");
	/* What is missing for both is missing: fmod_ret is no way around it. */
	if (r == 0 || r == -ENODEV)
		r = arm_with(guard, GATE_METHOD_FMOD_RET, why);
	else
		*why = why_not;
	return r;
}

int guard_arm(struct guard *guard, enum gate_backend backend, const char **why)
{
	choose(guard, "configured");
	switch (backend) {
	case GATE_NONE:
		set_state(guard, MSG_GATE_NONE, "backend: none was configured");
		return 0;
	case GATE_PATHLESS:
		*why = "this version has no such backend: use lsm, fmod_ret, auto or none";
		return -EOPNOTSUPP;
	case GATE_AUTO:
		return arm_strongest(guard, why);
	case GATE_FMOD_RET:
		return arm_with(guard, GATE_METHOD_FMOD_RET, why);
	case GATE_LSM:
		break;
	}
	return arm_with(guard, GATE_METHOD_LSM, why);
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

void guard_leave(struct guard *guard)
{
	if (guard->gate)
		(void)gate_refresh(guard->gate, &guard->missing);
}

const char *guard_backend_name(const struct guard *guard)
{
	if (!guard->gate)
		return "none";
	return guard->wanted.method == GATE_METHOD_LSM ? "lsm" : "fmod_ret";
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
