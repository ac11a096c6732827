/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack.c - tries to reach the guarded socket and reports, one line a try.
 *
 *   attack all               every attack on the socket
 *   attack guards            every attack on the gate itself
 *   attack some LABEL        the plain ones; LABEL says what was done before
 *   attack open LABEL        plain ones that are to succeed: there is no gate (the tests can fail)
 *   attack hammer MS LABEL   for so long, without a pause; none may get through
 *   attack race N GID        the same while the engine is restarted N times
 *   attack flood N           N refused connects as fast as they can be made
 *   attack connect           one connect; its errno is the exit status
 *   attack as-user PROGRAM   executes it, with arguments, as the user in group docker
 *   attack no-bpf PROGRAM    executes it as root without CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN
 */
#include "attack.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "ring.h"

#define NOT_MADE 200 /* exit status of an attack that could not be made; above every errno */

static int become(uid_t uid, const gid_t *group)
{
	if (setgroups(group != NULL, group) < 0 || setresgid(uid, uid, uid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return -errno;
	/* As if it had been executed by that user: else its own /proc would be root's. */
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int become_docker_user(void)
{
	const gid_t group = ATTACK_GROUP;

	return become(ATTACK_USER, &group);
}

static int become_nobody(void)
{
	return become(ATTACK_NOBODY, NULL);
}

static void *connect_in_thread(void *result)
{
	*(int *)result = attack_plain();
	return NULL;
}

int attack_thread(void)
{
	pthread_t thread;
	int result = -EIO;

	if (pthread_create(&thread, NULL, connect_in_thread, &result) != 0)
		return -EAGAIN;
	pthread_join(thread, NULL);
	return result;
}

int attack_datagram(void)
{
	return attack_connect(ATTACK_SOCKET, SOCK_DGRAM);
}

int attack_seqpacket(void)
{
	return attack_connect(ATTACK_SOCKET, SOCK_SEQPACKET);
}

static int through_ring(enum ring_kind kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = ATTACK_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : ring_connect(kind, fd, (const struct sockaddr *)&address, sizeof(address));
}

int attack_ring_inline(void)
{
	return through_ring(RING_INLINE);
}

int attack_ring_worker(void)
{
	return through_ring(RING_WORKER);
}

int attack_ring_polled(void)
{
	return through_ring(RING_POLLED);
}

/* Whoever executes the proxy's own program is not the proxy. */
int attack_through_exec(void)
{
	execl("/opt/standin/sockgate-proxy", "sockgate-proxy", "--connect", NULL);
	return -errno;
}

/* Runs `run` in a process of its own, in its position. */
static int run_apart(int (*position)(void), int (*run)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		int error = position ? position() : 0;

		alarm(20);
		error = error < 0 ? error : run();
		if (error < 0)
			fprintf(stderr, "attack: it could not be made: %s\n", strerror(-error));
		_exit(error < 0 ? NOT_MADE : error);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == NOT_MADE)
		return -EIO;
	return WEXITSTATUS(status);
}

static bool try_one(const struct attack *attack, const char *label, int expected, uint64_t refused)
{
	struct report_counters before, after;
	char name[128];
	const char *hook;
	uint64_t moved;
	int error;
	bool fits;

	report_counters(&before);
	error = run_apart(attack->become, attack->run);
	report_counters(&after);
	moved = report_moved(&before, &after, attack->counter, &hook);
	fits = after.present ? refused == ATTACK_SOME ? moved > 0 : moved == refused : refused == 0;
	snprintf(name, sizeof(name), "%s%s%s", attack->name, *label ? ": " : "", label);
	return report_line(stdout, name, attack->position, report_errno(expected), report_errno(error), hook,
			   error == expected && fits);
}

const struct attack attack_table[] = {
	{ "connect", "root shell", NULL, attack_plain, EPERM, 1, ATTACK_CONNECTS },
	{ "connect", "user in group docker", become_docker_user, attack_plain, EPERM, 1, ATTACK_CONNECTS },
	{ "connect", "user in no group", become_nobody, attack_plain, EACCES, 0, ATTACK_CONNECTS },
	{ "non-blocking connect", "user in group docker", become_docker_user, attack_nonblocking, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "own symlink", "user in group docker", become_docker_user, attack_symlink, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "relative path", "user in group docker", become_docker_user, attack_relative, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "dots and slashes", "user in group docker", become_docker_user, attack_dots, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "/proc/self/fd/N", "user in group docker", become_docker_user, attack_descriptor_path, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "/proc/1/root", "root shell", NULL, attack_root_of_init, EPERM, 1, ATTACK_CONNECTS },
	{ "hard link", "root shell", NULL, attack_hard_link, EPERM, 1, ATTACK_CONNECTS },
	{ "bind mount", "root in another mount namespace", NULL, attack_bind_mount, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "open_tree and move_mount", "root in another mount namespace", NULL, attack_cloned_mount, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "chroot with the socket mounted", "root in a container", NULL, attack_chroot, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "user namespace", "user in group docker", become_docker_user, attack_user_namespace, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "network namespace", "root shell", NULL, attack_network_namespace, EPERM, 1, ATTACK_CONNECTS },
	{ "from a thread", "user in group docker", become_docker_user, attack_thread, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "io_uring", "user in group docker", become_docker_user, attack_ring_inline, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "io_uring worker", "user in group docker", become_docker_user, attack_ring_worker, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "io_uring polled", "user in group docker", become_docker_user, attack_ring_polled, EPERM, 1,
	  ATTACK_CONNECTS },
	{ "SOCK_DGRAM", "root shell", NULL, attack_datagram, EPROTOTYPE, 0, ATTACK_CONNECTS },
	{ "SOCK_SEQPACKET", "root shell", NULL, attack_seqpacket, EPROTOTYPE, 0, ATTACK_CONNECTS },
	{ "the proxy's executable", "root shell", NULL, attack_through_exec, EPERM, 1, ATTACK_CONNECTS },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};

static bool all(const struct attack *table)
{
	bool ok = true;

	for (const struct attack *attack = table; attack->name; attack++)
		ok &= try_one(attack, "", attack->expected, attack->refused);
	return ok;
}

static bool some(const char *label, bool open)
{
	bool ok = true;

	for (size_t i = 0; i < 2; i++)
		ok &= try_one(&attack_table[i], label, open ? 0 : EPERM, open ? 0 : 1);
	return ok;
}

/* What the clients of a race saw; in shared memory. */
struct tally {
	uint64_t through, refused, absent, other;
};

static void hammer(struct tally *tally)
{
	for (;;) {
		int error = attack_plain();
		uint64_t *which = &tally->other;

		if (error == 0)
			which = &tally->through;
		else if (error == EPERM)
			which = &tally->refused;
		else if (error == ENOENT || error == ECONNREFUSED || error == EACCES)
			which = &tally->absent;
		__atomic_add_fetch(which, 1, __ATOMIC_RELAXED);
	}
}

/* Two clients hammer while `meanwhile` does its work. The counter has to have seen every refusal, and no
 * more. */
static bool hammer_while(const char *name, const char *label, bool count, void (*meanwhile)(char **),
			 char **arguments)
{
	struct tally *tally =
		mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct report_counters before, after;
	pid_t clients[2];
	char got[160], text[128];
	const char *hook;
	uint64_t moved;

	report_counters(&before);
	for (size_t i = 0; i < 2; i++) {
		clients[i] = fork();
		if (clients[i] == 0) {
			if (i)
				become_docker_user();
			hammer(tally);
		}
	}
	meanwhile(arguments);
	for (size_t i = 0; i < 2; i++)
		kill(clients[i], SIGSTOP);
	report_counters(&after);
	for (size_t i = 0; i < 2; i++) {
		kill(clients[i], SIGKILL);
		waitpid(clients[i], NULL, 0);
	}
	moved = report_moved(&before, &after, ATTACK_CONNECTS, &hook);
	snprintf(text, sizeof(text), "%s%s%s", name, *label ? ": " : "", label);
	snprintf(got, sizeof(got), "%llu connected, %llu EPERM, %llu no listener, %llu other",
		 (unsigned long long)tally->through, (unsigned long long)tally->refused,
		 (unsigned long long)tally->absent, (unsigned long long)tally->other);
	/* A client may have been stopped between its refusal and its tally. */
	return report_line(stdout, text, "root shell and user in group docker", "0 connected", got, hook,
			   tally->through == 0 && tally->other == 0 && tally->refused > 0 &&
				   (!count || (moved >= tally->refused && moved <= tally->refused + 2)));
}

static void sleep_for(char **arguments)
{
	long ms = strtol(arguments[0], NULL, 10);
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0)
		;
}

static void restart_engine(char **arguments)
{
	pid_t engine = fork();

	if (engine == 0) {
		execl("/bin/engine", "engine", "--times", arguments[0], ATTACK_SOCKET, arguments[1], NULL);
		_exit(127);
	}
	waitpid(engine, NULL, 0);
}

static bool flood(const char *count)
{
	long refused = 0, n = strtol(count, NULL, 10);
	char got[64];

	for (long i = 0; i < n; i++)
		refused += attack_plain() == EPERM;
	snprintf(got, sizeof(got), "%ld of %ld refused", refused, n);
	return report_line(stdout, "flood while nobody reads events", "root shell", "all refused", got, "",
			   refused == n && n > 0);
}

/* Stays for a moment, so that /proc still tells about it when the event is read. */
static int linger(void)
{
	int error = attack_plain();

	(void)usleep(300000);
	return error;
}

static int execute_as_user(char **arguments)
{
	if (become_docker_user() == 0)
		execvp(arguments[0], arguments);
	return 127;
}

static int execute_without_bpf(char **arguments)
{
	if (prctl(PR_CAPBSET_DROP, CAP_BPF, 0, 0, 0) == 0 &&
	    prctl(PR_CAPBSET_DROP, CAP_PERFMON, 0, 0, 0) == 0 &&
	    prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) == 0)
		execvp(arguments[0], arguments);
	return 127;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	bool ok = false;

	if (strcmp(command, "all") == 0 && argc == 2)
		ok = all(attack_table);
	else if (strcmp(command, "guards") == 0 && argc == 2)
		ok = all(attack_guards);
	else if (strcmp(command, "some") == 0 && argc == 3)
		ok = some(argv[2], false);
	else if (strcmp(command, "open") == 0 && argc == 3)
		ok = some(argv[2], true);
	else if (strcmp(command, "hammer") == 0 && argc == 4)
		ok = hammer_while("hammer", argv[3], false, sleep_for, argv + 2);
	else if (strcmp(command, "race") == 0 && argc == 4)
		ok = hammer_while("race over restarts of the engine", argv[2], true, restart_engine,
				  argv + 2);
	else if (strcmp(command, "flood") == 0 && argc == 3)
		ok = flood(argv[2]);
	else if (strcmp(command, "connect") == 0 && argc == 2)
		return linger();
	else if (strcmp(command, "as-user") == 0 && argc > 2)
		return execute_as_user(argv + 2);
	else if (strcmp(command, "no-bpf") == 0 && argc > 2)
		return execute_without_bpf(argv + 2);
	else
		fputs("usage: see the head of attack.c\n", stderr);
	return ok ? 0 : 1;
}
