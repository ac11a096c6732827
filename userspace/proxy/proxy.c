/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockgate-proxy - connects to the engine on behalf of a worker, and to nothing else.
 *
 * Its life: options; everything that needs privilege (image, sockets, trail, the worker's process); give the
 * privilege up; then one poll loop over the worker's channel, connects under way, signals, and the
 * supervisor's channel if there is one. Under sockgated everything comes through that channel and a dead
 * worker ends the proxy, for sockgated to start both again; alone and without privilege it starts a dead
 * worker again itself.
 */
#include "proxy/proxy.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel/channel.h"
#include "notify/notify.h"
#include "proxy/engine.h"
#include "proxy/options.h"
#include "proxy/resolve.h"
#include "proxy/setup.h"
#include "proxy/spawn.h"
#include "proxy/watchdog.h"
#include "sandbox/sandbox.h"

#define PERMIT_SETUP \
	((1u << MSG_IMAGE) | (1u << MSG_LISTENER) | (1u << MSG_AUDIT) | (1u << MSG_GATE) | (1u << MSG_START))
#define PERMIT_SERVE  ((1u << MSG_AUDIT) | (1u << MSG_GATE))
#define PERMIT_WORKER ((1u << MSG_READY) | (1u << MSG_WANT) | (1u << MSG_RESOLVE) | (1u << MSG_PONG))

/* A descriptor limit that suits any table of connections; nothing is ever sized by it. */
#define NOFILE_MAX 1048576

#define LAST_RECORDS_MS 500 /* a worker that is told to end gets for its last records */

struct proxy {
	struct setup setup;
	struct engines engines;
	struct child worker;
	bool supervised;
	bool may_respawn;
	int signals;
	struct watchdog watchdog;
	int notify;
	char worker_path[PATH_MAX];
};

static _Noreturn void die(int status, const char *what, int error)
{
	fprintf(stderr, "sockgate-proxy: %s%s%s\n", what, error ? ": " : "", error ? strerror(error) : "");
	exit(status);
}

/* --- From the supervisor ---------------------------------------------------------------------------------
 */

static void take_image(struct setup *setup, int fd)
{
	const char *why = "cannot be mapped";
	int r = policy_image_map(fd, &setup->image, &why);

	if (r < 0)
		die(EXIT_FAILURE, why, r == -EBADMSG ? 0 : -r);
	setup->image_fd = fd;
}

static void take_listener(struct setup *setup, const struct msg *msg, int fd)
{
	if (msg->arg != setup->n_listeners || msg->arg >= PROXY_LISTENERS_MAX)
		die(EXIT_FAILURE, "sockgated sent a listener out of order", 0);
	setup->listeners[setup->n_listeners].fd = fd;
	snprintf(setup->listeners[setup->n_listeners].name, LISTEN_NAME_MAX, "%.*s", LISTEN_NAME_MAX - 1,
		 msg->text);
	setup->n_listeners++;
}

/* Passes a message on to the worker, which owns its own copy of a descriptor then. */
static void pass_on(struct proxy *proxy, const struct msg *msg, int fd)
{
	int r = proxy->worker.channel < 0 ? 0 : channel_send(proxy->worker.channel, msg, fd);

	if (r < 0)
		fprintf(stderr, "sockgate-proxy: the worker takes no messages: %s\n", strerror(-r));
}

/* Returns false at MSG_START. */
static bool take_message(struct proxy *proxy, const struct msg *msg, int fd)
{
	struct setup *setup = &proxy->setup;

	switch (msg->type) {
	case MSG_IMAGE:
		take_image(setup, fd);
		break;
	case MSG_LISTENER:
		take_listener(setup, msg, fd);
		break;
	case MSG_AUDIT:
		if (setup->audit_fd >= 0)
			close(setup->audit_fd);
		setup->audit_fd = fd;
		pass_on(proxy, msg, fd);
		break;
	case MSG_GATE:
		setup->gate = (enum msg_gate)msg->arg;
		memcpy(setup->gate_reason, msg->text, sizeof(setup->gate_reason));
		pass_on(proxy, msg, -1);
		break;
	default:
		return false;
	}
	return true;
}

static void setup_supervised(struct proxy *proxy)
{
	bool more = true;

	proxy->setup = (struct setup){ .image_fd = -1, .audit_fd = -1, .trail.directory = -1 };
	while (more) {
		struct pollfd wait = { .fd = CHANNEL_FD, .events = POLLIN };
		struct msg msg;
		int fd, r;

		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			die(EXIT_FAILURE, "poll", errno);
		r = channel_recv(CHANNEL_FD, PERMIT_SETUP, &msg, &fd);
		if (r == -EAGAIN)
			continue;
		if (r <= 0)
			die(EXIT_FAILURE, "sockgated is gone, or sent a message out of place", -r);
		more = take_message(proxy, &msg, fd);
	}
	if (!proxy->setup.image || proxy->setup.n_listeners != proxy->setup.image->listeners.count)
		die(EXIT_FAILURE, "sockgated did not send everything that the image names", 0);
}

static void run_supervisor(struct proxy *proxy)
{
	for (;;) {
		struct msg msg;
		int fd, r = channel_recv(CHANNEL_FD, PERMIT_SERVE, &msg, &fd);

		if (r == -EAGAIN)
			return;
		/* The gate stays shut without sockgated, and so does the way through it. */
		if (r <= 0)
			die(EXIT_FAILURE, "sockgated is gone", r == 0 ? 0 : -r);
		take_message(proxy, &msg, fd);
	}
}

/* --- The worker ------------------------------------------------------------------------------------------
 */

static void start_worker(struct proxy *proxy)
{
	int r = spawn_worker(proxy->worker_path, &proxy->setup, &proxy->worker);

	if (r < 0)
		die(EXIT_FAILURE, "cannot start sockgate-worker", -r);
}

static void say_ready(struct proxy *proxy)
{
	struct msg msg = { .type = MSG_READY };

	proxy->worker.ready = proxy->worker.served = true;
	fprintf(stderr, "sockgate-proxy: ready\n");
	notify_send(proxy->notify, "READY=1");
	if (proxy->supervised && channel_send(CHANNEL_FD, &msg, -1) < 0)
		die(EXIT_FAILURE, "sockgated is gone", 0);
}

/* Looks where a host path leads, for a worker that may not. */
static void resolve(struct proxy *proxy, const struct msg *question)
{
	struct msg answer = { .type = MSG_RESOLVED, .arg = question->arg };
	int r = -EOPNOTSUPP;

	if (engines_share_files(&proxy->engines))
		r = resolve_path(question->text, answer.text, sizeof(answer.text));
	answer.error = -r;
	r = channel_send(proxy->worker.channel, &answer, -1);
	/* A worker that does not hear refuses the request when its time is up. */
	if (r < 0)
		fprintf(stderr, "sockgate-proxy: the worker takes no messages: %s\n", strerror(-r));
}

static void run_worker(struct proxy *proxy)
{
	for (;;) {
		struct msg msg;
		int fd, r = channel_recv(proxy->worker.channel, PERMIT_WORKER, &msg, &fd);

		if (r == -EAGAIN)
			return;
		if (r < 0)
			die(EXIT_FAILURE, "the worker sent a message out of place", -r);
		if (r == 0) {
			/* What became of it is told by SIGCHLD. */
			close(proxy->worker.channel);
			proxy->worker.channel = -1;
			proxy->worker.ready = false;
			return;
		}
		if (msg.type == MSG_READY)
			say_ready(proxy);
		else if (msg.type == MSG_RESOLVE)
			resolve(proxy, &msg);
		else if (msg.type == MSG_PONG)
			notify_send(proxy->notify, "WATCHDOG=1");
		else if (msg.arg < proxy->engines.n && msg.count <= 1024)
			proxy->worker.owed[msg.arg] += msg.count;
		else
			die(EXIT_FAILURE, "the worker asked for what there is not", 0);
	}
}

static void say_how_it_died(int status)
{
	if (WIFSIGNALED(status))
		fprintf(stderr, "sockgate-proxy: the worker was killed by signal %d (%s)%s\n",
			WTERMSIG(status), strsignal(WTERMSIG(status)),
			WTERMSIG(status) == SIGSYS ? ": it made a system call that it must not" : "");
	else
		fprintf(stderr, "sockgate-proxy: the worker ended with status %d\n", WEXITSTATUS(status));
}

static void reap(struct proxy *proxy)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != proxy->worker.pid)
			continue;
		say_how_it_died(status);
		if (!proxy->may_respawn)
			die(EXIT_FAILURE, "ending with the worker: it needs another user, which is given up",
			    0);
		/* One that never served would die again: that is for a person to look at. */
		if (!proxy->worker.served || (WIFEXITED(status) && WEXITSTATUS(status) >= 126))
			die(EXIT_FAILURE, "the worker cannot be started", 0);
		if (proxy->worker.channel >= 0)
			close(proxy->worker.channel);
		start_worker(proxy);
	}
}

/* --- Confinement -----------------------------------------------------------------------------------------
 */

static void warn(int r, const char *why)
{
	if (r < 0)
		fprintf(stderr, "sockgate-proxy: warning: %s: %s\n", why, strerror(-r));
}

/*
 * After everything that needs privilege.
 * Should: run as user sockgate with the engine socket's group, no capabilities, no_new_privs, under seccomp.
 * Mustn't: serve as root when it was started as root.
 */
static void confine(struct proxy *proxy)
{
	bool change = sandbox_may_change_user(), found;
	struct sandbox_identity identity;
	const char *why = "";
	int r;

	sandbox_user("sockgate", &identity, &found);
	if (change && !found)
		fprintf(stderr, "sockgate-proxy: warning: there is no user sockgate: running as uid %u\n",
			identity.uid);
	identity.n_groups = setup_engine_groups(proxy->setup.image, identity.groups, SANDBOX_GROUPS_MAX);
	proxy->may_respawn = !change && !proxy->supervised;
	warn(sandbox_process(&why), why);
	r = sandbox_identity(&identity, change, &why);
	if (r < 0 && change)
		die(EXIT_FAILURE, why, -r);
	warn(r, why);
	r = sandbox_syscalls(proxy->may_respawn ? SANDBOX_PROXY_RESPAWN : SANDBOX_PROXY, &why);
	warn(r, why);
}

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max < NOFILE_MAX ? limit.rlim_max : NOFILE_MAX;
	warn(setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0, "cannot raise the number of descriptors");
}

/* --- The loop --------------------------------------------------------------------------------------------
 */

/* After a rotation; the worker's chain and ours go on in the new file. */
static void reopen_trail(struct proxy *proxy)
{
	struct msg msg = { .type = MSG_AUDIT };
	int fd;

	if (proxy->supervised || trail_reopen(&proxy->setup.trail, &fd) < 0)
		return;
	close(proxy->setup.audit_fd);
	proxy->setup.audit_fd = fd;
	pass_on(proxy, &msg, fd);
}

/* The worker writes its last records when the channel ends; the last checkpoint shall hold them. */
static void end_trail(struct proxy *proxy)
{
	if (!proxy->setup.trail.signs)
		return;
	if (proxy->worker.channel >= 0)
		close(proxy->worker.channel);
	for (int i = 0; i < LAST_RECORDS_MS / 10 && waitpid(proxy->worker.pid, NULL, WNOHANG) == 0; i++)
		(void)poll(NULL, 0, 10);
	trail_sign(&proxy->setup.trail, true);
}

static void run_signals(struct proxy *proxy)
{
	struct signalfd_siginfo info;

	while (read(proxy->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap(proxy);
			continue;
		}
		if (info.ssi_signo == SIGHUP) {
			reopen_trail(proxy);
			continue;
		}
		notify_send(proxy->notify, "STOPPING=1");
		end_trail(proxy);
		/* Another user may not remove the sockets; they are cleared when the next proxy starts. */
		if (proxy->may_respawn)
			setup_undo(&proxy->setup);
		exit(EXIT_SUCCESS);
	}
}

static _Noreturn void serve(struct proxy *proxy)
{
	enum { AT_SIGNALS, AT_WORKER, AT_SUPERVISOR, AT_ENGINES };

	for (;;) {
		struct pollfd fds[AT_ENGINES + ENGINE_ATTEMPTS_MAX] = {
			[AT_SIGNALS] = { .fd = proxy->signals, .events = POLLIN },
			[AT_WORKER] = { .fd = proxy->worker.channel, .events = POLLIN },
			[AT_SUPERVISOR] = { .fd = proxy->supervised ? CHANNEL_FD : -1, .events = POLLIN },
		};
		unsigned n = engines_watch(&proxy->engines, fds + AT_ENGINES);
		int timeout = proxy->setup.trail.signs ? TRAIL_SIGN_MS : -1;

		timeout = watchdog_timeout(&proxy->watchdog, proxy->engines.again ? ENGINE_RETRY : timeout);
		if (poll(fds, AT_ENGINES + n, timeout) < 0 && errno != EINTR)
			die(EXIT_FAILURE, "poll", errno);
		engines_ready(&proxy->engines, &proxy->worker, fds + AT_ENGINES, n);
		if (fds[AT_SUPERVISOR].revents)
			run_supervisor(proxy);
		if (fds[AT_WORKER].revents)
			run_worker(proxy);
		if (fds[AT_SIGNALS].revents)
			run_signals(proxy);
		engines_serve(&proxy->engines, &proxy->worker);
		trail_sign(&proxy->setup.trail, false);
		watchdog_ask(&proxy->watchdog, proxy->worker.ready ? proxy->worker.channel : -1);
	}
}

static int watch_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv)
{
	static struct proxy proxy = { .worker = { .pid = -1, .channel = -1 }, .signals = -1, .notify = -1 };
	struct options options;
	const char *why = "";
	int status = options_parse(argc, argv, &options);

	if (status >= 0)
		return status;
	proxy.supervised = options.supervised;
	warn(sandbox_descriptors(options.supervised ? CHANNEL_FD + 1 : CHANNEL_FD, &why), why);
	if (proxy.supervised) {
		setup_supervised(&proxy);
	} else {
		status = setup_alone(&options, &proxy.setup);
		if (status >= 0)
			return status;
	}
	if (engines_init(&proxy.engines, proxy.setup.image) < 0)
		return 2;
	if (spawn_worker_path(proxy.worker_path, sizeof(proxy.worker_path)) < 0)
		die(EXIT_FAILURE,
		    "sockgate-worker is neither beside this program nor in " SOCKGATE_LIBEXECDIR, 0);
	proxy.notify = notify_open();
	watchdog_init(&proxy.watchdog);
	proxy.signals = watch_signals();
	if (proxy.signals < 0)
		die(EXIT_FAILURE, "signalfd", errno);
	raise_descriptors();
	/* Links through /proc/self/cwd must lead nowhere that a policy could allow: see resolve.c. */
	if (chdir("/") < 0)
		die(EXIT_FAILURE, "cannot change to /", errno);
	start_worker(&proxy);
	confine(&proxy);
	serve(&proxy);
}
