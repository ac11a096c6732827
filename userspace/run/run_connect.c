/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_connect.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "run/run_target.h"

/* One request on its way: who asks, and whether for somebody else than ourselves. */
struct asked {
	struct run_gate *gate;
	const struct seccomp_notif *request;
	struct run_target target;
	struct run_identity identity;
	bool other; /* identity is not our own */
};

static bool is_valid(const struct asked *a)
{
	return ioctl(a->gate->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &a->request->id) == 0;
}

static int enter(const struct asked *a)
{
	int r = a->other ? run_identity_enter(&a->identity) : 0;

	if (r < 0)
		run_identity_leave(&a->gate->own);
	return r;
}

static void leave(const struct asked *a)
{
	if (a->other)
		run_identity_leave(&a->gate->own);
}

/* The workload's socket, connected by us. The thread that asked must still be there: its number is how we
 * know it. */
static int connect_to(const struct asked *a, const struct sockaddr *address, socklen_t size)
{
	if (!is_valid(a))
		return -ESRCH;
	return connect(a->target.socket, address, size) < 0 ? -errno : 0;
}

/* To a Unix socket that is held, by the only name that cannot be exchanged. */
static int connect_pin(const struct asked *a, int pin)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", pin);
	return connect_to(a, (const struct sockaddr *)&address, sizeof(address));
}

static int refuse(const struct asked *a, const char *guard)
{
	run_log_connect(&a->gate->log, &a->target, guard, NULL);
	return -EACCES;
}

/* To the proxy, whose name leads where it leads now: never to something guarded, should somebody put that
 * there. */
static int redirect(const struct asked *a, const struct run_guard *guard)
{
	struct run_gate *gate = a->gate;
	const struct run_guard *again;
	int pin, r;

	if (!guard->redirect || !gate->redirect || a->target.type != SOCK_STREAM)
		return refuse(a, guard->name);
	pin = open(gate->redirect, O_PATH | O_CLOEXEC);
	if (pin < 0)
		return refuse(a, guard->name);
	if (run_guards_judge(gate->guards, pin, &again) < 0 || again) {
		close(pin);
		return refuse(a, guard->name);
	}
	run_log_connect(&gate->log, &a->target, guard->name, gate->redirect);
	r = gate->private_redirect ? 0 : enter(a);
	if (r == 0) {
		r = connect_pin(a, pin);
		if (!gate->private_redirect)
			leave(a);
	}
	close(pin);
	return r;
}

static int find(const struct asked *a, int *ret_pin)
{
	const struct run_address *address = &a->target.address;
	size_t n = address->size - offsetof(struct sockaddr_un, sun_path);
	/* A name may fill sun_path to its end. */
	char path[sizeof(address->un.sun_path) + 1] = { 0 };
	struct run_place place;
	int r = run_target_place(&a->target, &place);

	if (r < 0)
		return r;
	memcpy(path, address->un.sun_path, n);
	r = enter(a);
	if (r == 0) {
		r = run_walk(&place, path, ret_pin);
		leave(a);
	}
	run_target_leave(&place);
	return r;
}

static int connect_path(const struct asked *a)
{
	const struct run_guard *guard = NULL;
	int pin = -1, r = find(a, &pin);

	if (r < 0)
		return r;
	if (run_guards_judge(a->gate->guards, pin, &guard) < 0) {
		r = refuse(a, "it cannot be judged");
	} else if (guard) {
		r = redirect(a, guard);
	} else {
		r = enter(a);
		if (r == 0) {
			r = connect_pin(a, pin);
			leave(a);
		}
	}
	close(pin);
	return r;
}

/* Names are found in the network namespace of the socket, which stays the workload's. */
static int connect_abstract(const struct asked *a)
{
	const struct run_address *address = &a->target.address;
	const struct run_guard *guard =
		run_guards_judge_abstract(a->gate->guards, address->un.sun_path + 1,
					  address->size - offsetof(struct sockaddr_un, sun_path) - 1);

	return guard ? redirect(a, guard) : connect_to(a, &address->any, address->size);
}

static int connect_unix(struct asked *a)
{
	struct run_address *address = &a->target.address;

	/* unix_validate_addr(); AF_UNSPEC dissolves an association of datagram sockets. */
	if (address->size < sizeof(sa_family_t) || address->any.sa_family != AF_UNIX)
		return connect_to(a, &address->any, address->size);
	if (address->size <= offsetof(struct sockaddr_un, sun_path) || address->size > sizeof(address->un))
		return -EINVAL;
	if (address->un.sun_path[0] == '\0')
		return connect_abstract(a);
	return connect_path(a);
}

static int connect_inet(const struct asked *a)
{
	const struct run_address *address = &a->target.address;
	const struct run_guard *guard = NULL;

	if (a->target.type != SOCK_DGRAM && address->size >= sizeof(sa_family_t))
		guard = run_guards_judge_tcp(a->gate->guards, &address->any, address->size);
	return guard ? refuse(a, guard->name) : connect_to(a, &address->any, address->size);
}

static int connect_any(struct asked *a)
{
	switch (a->target.domain) {
	case AF_UNIX:
		return connect_unix(a);
	case AF_INET:
	case AF_INET6:
		return connect_inet(a);
	case AF_NETLINK:
	case AF_VSOCK:
	case AF_BLUETOOTH:
	case AF_CAN:
	case AF_PACKET:
		return connect_to(a, &a->target.address.any, a->target.address.size);
	default:
		/* AF_SMC is TCP by another name; an AF_PPPOX address holds the caller's descriptor numbers.
		 */
		return -EAFNOSUPPORT;
	}
}

int run_connect_answer(struct run_gate *gate, const struct seccomp_notif *request)
{
	struct asked a = { .gate = gate, .request = request };
	int r = run_target_take(request, &a.target);

	if (r < 0)
		return r;
	if (gate->may_change) {
		r = run_identity_read(a.target.tid, &a.identity);
		a.other = r == 0 && !run_identity_equal(&a.identity, &gate->own);
	}
	/* All that is known of the thread by its number was of the thread that asked. */
	if (r == 0 && !is_valid(&a))
		r = -ESRCH;
	if (r == 0)
		r = connect_any(&a);
	close(a.target.socket);
	return r;
}
