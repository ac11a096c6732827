/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon.c - the loop. Every descriptor that it waits for is in enum source and has its line in dispatch().
 */
#include "sockgated/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "notify/notify.h"

enum source {
	SOURCE_SIGNAL,
	SOURCE_TICK,
	SOURCE_RESTART, /* the proxy's back-off is over */
	SOURCE_CHANNEL, /* the proxy speaks */
	SOURCE_PROXY,   /* the proxy's pidfd: it died */
	SOURCE_EVENTS,
	SOURCE_CONTROL,
	SOURCE_CLIENT,
};

static int watch(struct daemon *d, int fd, enum source source, unsigned index)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)source << 32 | index };

	return epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int set_timer(int fd, unsigned first_ms, unsigned every_ms)
{
	struct itimerspec when = {
		.it_value = { .tv_sec = first_ms / 1000, .tv_nsec = (long)(first_ms % 1000) * 1000000 },
		.it_interval = { .tv_sec = every_ms / 1000, .tv_nsec = (long)(every_ms % 1000) * 1000000 },
	};

	return timerfd_settime(fd, 0, &when, NULL) < 0 ? -errno : 0;
}

int daemon_init(struct daemon *d, const char **why)
{
	sigset_t signals;
	int r;

	*why = "cannot set up the event loop";
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	d->notify = notify_open();
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	d->tick = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	d->restart = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (d->epoll < 0 || d->signals < 0 || d->tick < 0 || d->restart < 0)
		return -errno;
	r = watch(d, d->signals, SOURCE_SIGNAL, 0);
	if (r == 0)
		r = watch(d, d->tick, SOURCE_TICK, 0);
	if (r == 0)
		r = watch(d, d->restart, SOURCE_RESTART, 0);
	if (r == 0)
		r = watch(d, d->control.listener, SOURCE_CONTROL, 0);
	if (r == 0 && d->guard.gate)
		r = watch(d, gate_events_fd(d->guard.gate), SOURCE_EVENTS, 0);
	if (r == 0)
		r = set_timer(d->tick, DAEMON_TICK_SECONDS * 1000, DAEMON_TICK_SECONDS * 1000);
	/* Once at the next moment: the first start is a restart like the others. */
	return r == 0 ? set_timer(d->restart, 1, 0) : r;
}

/* Tells everybody how the gate is now. */
static void tell_state(struct daemon *d)
{
	const struct guard *guard = &d->guard;
	bool bad = guard->state == MSG_GATE_DEGRADED || guard->state == MSG_GATE_OFF;
	char action[64], status[MSG_TEXT_MAX + 64];

	(void)snprintf(action, sizeof(action), "gate-%s", guard_state_name(guard->state));
	trail_note(&d->trail, action, bad, 0, guard->reason);
	(void)snprintf(status, sizeof(status), "STATUS=gate %s%s%s", guard_state_name(guard->state),
		       *guard->reason ? ": " : "", guard->reason);
	notify_send(d->notify, status);
	/* A proxy that does not take the message is full of others or gone: either ends it. */
	if (supervise_tell(&d->proxy, guard->state, guard->reason) < 0)
		(void)kill(d->proxy.pid, SIGKILL);
}

static void proxy_ended(struct daemon *d)
{
	char how[64];

	supervise_reap(&d->proxy, how, sizeof(how));
	trail_note(&d->trail, "proxy-died", true, 0, how);
	d->proxy.restarts++;
	if (set_timer(d->restart, d->proxy.delay_ms, 0) < 0)
		d->stopping = true; /* nothing would ever start it again */
}

static void start_proxy(struct daemon *d)
{
	struct supervise_gifts gifts = {
		.image = d->image_fd,
		.audit = d->trail.writer.fd,
		.listeners = &d->listeners,
		.state = d->guard.state,
		.reason = d->guard.reason,
	};
	const char *why;
	char text[256];
	int r;

	if (d->proxy.pid)
		return;
	r = supervise_start(&d->proxy, d->guard.gate, &gifts, &why);
	if (r == 0)
		r = watch(d, d->proxy.channel, SOURCE_CHANNEL, 0);
	if (r == 0)
		r = watch(d, d->proxy.pidfd, SOURCE_PROXY, 0);
	if (r < 0) {
		(void)snprintf(text, sizeof(text), "%s: %s", why, strerror(-r));
		trail_note(&d->trail, "proxy-not-started", true, 0, text);
		proxy_ended(d);
	}
}

static void hear_proxy(struct daemon *d)
{
	int r = supervise_receive(&d->proxy);

	if (r > 0) {
		trail_note(&d->trail, "proxy-serving", false, 0, "");
		if (!d->served)
			notify_send(d->notify, "READY=1");
		d->served = true;
	}
	if (r < 0)
		proxy_ended(d);
}

static void do_tick(struct daemon *d)
{
	uint64_t counters[GATE_COUNTERS];

	if (guard_check(&d->guard))
		tell_state(d);
	if (d->guard.gate && gate_counters(d->guard.gate, counters) == 0) {
		events_tell_lost(&d->events, counters[GATE_EVENTS_LOST]);
		if (counters[GATE_EARLIER] > d->earlier)
			trail_note(&d->trail, "earlier-connections", true,
				   counters[GATE_EARLIER] - d->earlier,
				   "connections to guarded sockets that are older than the gate: restart the "
				   "engine "
				   "to end them");
		d->earlier = counters[GATE_EARLIER];
	}
	trail_sign(&d->trail);
	control_tick(&d->control);
	notify_send(d->notify, "WATCHDOG=1");
}

static void open_gate(struct daemon *d, const char *who)
{
	char reason[MSG_TEXT_MAX];

	if (d->guard.gate)
		(void)epoll_ctl(d->epoll, EPOLL_CTL_DEL, gate_events_fd(d->guard.gate), NULL);
	(void)snprintf(reason, sizeof(reason), "turned off by %s", who);
	if (guard_disarm(&d->guard, reason) < 0)
		trail_note(&d->trail, "gate-off-failed", true, 0, "something is still pinned");
	tell_state(d);
}

/* Returns NULL or what went wrong. */
static const char *shut_gate(struct daemon *d)
{
	const char *why = "the gate is on already";
	int r;

	if (d->guard.gate)
		return why;
	r = guard_arm(&d->guard, d->image->gate.backend, &why);
	if (r == 0 && d->guard.gate)
		r = watch(d, gate_events_fd(d->guard.gate), SOURCE_EVENTS, 0);
	tell_state(d);
	/* What may connect and receive is marked as it starts: the proxy and its workers start anew. */
	if (r == 0 && d->guard.gate && d->proxy.pid)
		(void)kill(d->proxy.pid, SIGKILL);
	return r < 0 ? why : NULL;
}

static void answer(struct daemon *d, unsigned index, enum control_command command)
{
	char memory[CONTROL_REPLY_MAX], who[64];
	struct buf reply = buf_over(memory, sizeof(memory));
	const char *error = NULL;

	if (command != CONTROL_STATUS && !control_is_host_root(&d->control, index, who, sizeof(who))) {
		trail_note(&d->trail, "gate-command-refused", true, 0, who);
		error = "only root on the host may do this";
	} else if (command == CONTROL_GATE_OFF) {
		open_gate(d, who);
	} else if (command == CONTROL_GATE_ON) {
		trail_note(&d->trail, "gate-on", false, 0, who);
		error = shut_gate(d);
	}
	if (error) {
		control_error(&d->control, index, error);
		return;
	}
	status_format(d, &reply);
	control_reply(&d->control, index, buf_view(&reply));
}

static void serve_client(struct daemon *d, unsigned index)
{
	enum control_command command;
	int r = control_read(&d->control, index, &command);

	if (r == 0)
		return;
	if (r > 0)
		answer(d, index, command);
	control_close(&d->control, index);
}

static void take_client(struct daemon *d)
{
	int index = control_accept(&d->control);

	if (index >= 0 && watch(d, d->control.clients[index].fd, SOURCE_CLIENT, (unsigned)index) < 0)
		control_close(&d->control, (unsigned)index);
}

/* A timer's or a signal's descriptor stays readable until it is read. */
static bool expired(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n);
}

/* After a rotation. What is still on its way goes into the old file, and is followed there. */
static void reopen_trail(struct daemon *d)
{
	int fd = trail_reopen(&d->trail);

	if (fd >= 0 && supervise_pass_trail(&d->proxy, fd) < 0)
		(void)kill(d->proxy.pid, SIGKILL);
}

static void dispatch(struct daemon *d, enum source source, unsigned index)
{
	struct signalfd_siginfo signal;

	switch (source) {
	case SOURCE_SIGNAL:
		if (read(d->signals, &signal, sizeof(signal)) != (ssize_t)sizeof(signal))
			break;
		if (signal.ssi_signo == SIGHUP)
			reopen_trail(d);
		else
			d->stopping = true;
		break;
	case SOURCE_TICK:
		if (expired(d->tick))
			do_tick(d);
		break;
	case SOURCE_RESTART:
		if (expired(d->restart))
			start_proxy(d);
		break;
	case SOURCE_CHANNEL:
		if (d->proxy.channel >= 0)
			hear_proxy(d);
		break;
	case SOURCE_PROXY:
		if (d->proxy.pid)
			proxy_ended(d);
		break;
	case SOURCE_EVENTS:
		if (d->guard.gate && events_drain(&d->events, d->guard.gate) < 0)
			trail_note(&d->trail, "events-failed", true, 0, "cannot read the kernel's ring");
		break;
	case SOURCE_CONTROL:
		take_client(d);
		break;
	case SOURCE_CLIENT:
		if (d->control.clients[index].fd >= 0)
			serve_client(d, index);
		break;
	}
}

int daemon_run(struct daemon *d)
{
	tell_state(d);
	while (!d->stopping) {
		struct epoll_event event;
		/* One at a time: what one does may close what the next is about. */
		int n = epoll_wait(d->epoll, &event, 1, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 1)
			dispatch(d, (enum source)(event.data.u64 >> 32), (unsigned)event.data.u64);
	}
	notify_send(d->notify, "STOPPING=1");
	supervise_stop(&d->proxy);
	guard_leave(&d->guard);
	trail_note(&d->trail, "stopped", false, 0,
		   d->guard.wanted.pin && d->guard.gate ? "the gate stays shut" : "");
	trail_close(&d->trail);
	return 0;
}
