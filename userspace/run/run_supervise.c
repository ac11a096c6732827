/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor's main thread: starts the command, passes signals on, stops and goes on with it, and takes
 * its status. The other threads answer its connections (run_pool.h).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/run.h"
#include "run/run_child.h"
#include "run/run_landlock.h"
#include "run/run_pool.h"

#define TEND_SECONDS 1

static const int passed_on[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

static void signals_of_interest(sigset_t *ret)
{
	sigemptyset(ret);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(ret, passed_on[i]);
	/* The command stops first, then we: see follow_stop(). */
	sigaddset(ret, SIGTSTP);
	sigaddset(ret, SIGCHLD);
}

/* Whether anything but seccomp keeps a process from tracing others of its user (Yama:
 * kernel.yama.ptrace_scope). */
static bool is_tracing_restricted(void)
{
	FILE *scope = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int value = scope ? fgetc(scope) : EOF;

	if (scope)
		fclose(scope);
	return value >= '1' && value <= '3';
}

static const char *describe_landlock(int abi)
{
	if (abi >= RUN_LANDLOCK_ABI_UNIX)
		return "no tracing outside, no Unix socket but by way of the supervisor, no mount";
	if (abi >= RUN_LANDLOCK_ABI_SCOPE)
		return "no tracing outside; pathname sockets are left to seccomp (ABI 9 restricts them too)";
	return "no tracing outside, no mount; sockets are left to seccomp (ABI 6 and 9 restrict them too)";
}

/* How the command is held, said where it is asked for or is less than it should be. Returns the ABI to use.
 */
static int choose_landlock(const struct run_command *command)
{
	int abi = command->landlock ? run_landlock_abi() : 0;

	if (abi >= RUN_LANDLOCK_ABI_MIN) {
		if (command->verbose)
			fprintf(stderr, "sockgate run: Landlock ABI %d: %s\n", abi, describe_landlock(abi));
		return abi;
	}
	if (!is_tracing_restricted())
		fprintf(stderr,
			"sockgate run: warning: %s, so the command can write into the memory of other "
			"processes "
			"of its user, and have them connect\n",
			command->landlock ? "neither Landlock (ABI 2) nor Yama here"
					  : "no Landlock and no Yama");
	return 0;
}

/* The command has stopped, by the terminal or by itself: so do we, for the shell to see. */
static void follow_stop(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG) < 0 || info.si_pid == 0)
		return;
	kill(getpid(), SIGSTOP);
	kill(pid, SIGCONT);
}

/* Takes everything that has ended: we are the reaper of what the command leaves behind. */
static bool reap(const struct run_command *command, pid_t pid, int *ret_status)
{
	bool ended = false;
	int status;
	pid_t one;

	while ((one = waitpid(-1, &status, WNOHANG)) > 0) {
		if (one == command->proxy)
			fprintf(stderr, "sockgate run: the proxy has ended\n");
		if (one != pid)
			continue;
		*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		ended = true;
	}
	return ended;
}

static int wait_for(const struct run_command *command, pid_t pid, const sigset_t *signals,
		    struct run_pool *pool)
{
	static const struct timespec tend = { .tv_sec = TEND_SECONDS };
	int status = 0;

	while (!reap(command, pid, &status)) {
		siginfo_t info;
		int signal = sigtimedwait(signals, &info, &tend);

		if (signal < 0)
			run_pool_tend(pool);
		else if (signal == SIGCHLD)
			follow_stop(pid);
		else if (signal != SIGTSTP && info.si_code <= 0)
			/* What the terminal sends, the command has had: it is in the same process group. */
			kill(pid, signal);
	}
	return status;
}

static int become_supervisor(const char **why)
{
	/* The command must not trace us; a core of us would hold nothing of its owner's. */
	*why = "cannot become non-dumpable";
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	/* Orphans of the command stay our descendants, into which Yama lets us look. */
	*why = "cannot become the reaper of orphans";
	return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : 0;
}

/* Each connection takes a few descriptors for as long as it is being made. What is not had is refused then.
 */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int supervise(const struct run_command *command, struct run_gate *gate, const struct run_child *child,
		     const sigset_t *signals, int *ret_status, char *why, size_t why_size)
{
	int channel = -1, r;
	struct run_pool *pool = NULL;
	pid_t pid = run_child_start(child, &gate->listener, &channel, why, why_size);

	if (pid < 0)
		return (int)pid;
	/* A reader of our log that goes away ends nothing. */
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	r = run_pool_start(gate, &pool);
	if (r < 0) {
		snprintf(why, why_size, "cannot start a thread: %s", strerror(-r));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(channel);
		return r;
	}
	run_child_go(channel);
	*ret_status = wait_for(command, pid, signals, pool);
	return 0;
}

int run_command(const struct run_command *command, int *ret_status, char *why, size_t why_size)
{
	struct run_gate *gate = calloc(1, sizeof(*gate));
	struct run_filter filter;
	struct run_child child = { .argv = command->argv, .filter = &filter };
	sigset_t signals, before;
	const char *reason = "";
	int r = gate ? become_supervisor(&reason) : -ENOMEM;

	if (r == 0) {
		*gate = (struct run_gate){ .listener = -1,
					   .guards = command->guards,
					   .redirect = command->redirect,
					   .private_redirect = command->private_redirect,
					   .log = command->log };
		reason = "cannot read who we are from /proc";
		r = run_identity_read(getpid(), &gate->own);
	}
	if (r == 0) {
		reason = "cannot look at the guarded sockets";
		r = run_guards_look(command->guards);
	}
	if (r < 0) {
		snprintf(why, why_size, "%s: %s", reason, strerror(-r));
		free(gate);
		return r;
	}
	gate->may_change = run_identity_matters(&gate->own);
	child.landlock_abi = choose_landlock(command);
	run_filter_build(&filter, child.landlock_abi == 0);
	signals_of_interest(&signals);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &signals, &before);
	child.signals = &before;
	/* From here on the gate is the threads', which go on until the process ends. */
	r = supervise(command, gate, &child, &signals, ret_status, why, why_size);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
