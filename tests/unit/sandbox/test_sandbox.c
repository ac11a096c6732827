/* SPDX-License-Identifier: BSD-2-Clause */
/* Each act runs in a child that has confined itself; the parent looks at how the child ended. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "sandbox/sandbox.h"

enum { DID = 10, COULD_NOT = 11, NOT_CONFINED = 12 };

/* Acts return 0 when they did what they tried. */
static int act_open(void)
{
	return open("/etc/hostname", O_RDONLY) < 0;
}

static int act_socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static int act_socket_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0) < 0;
}

static int act_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	return connect(0, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno == EPERM;
}

static int act_exec(void)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };

	return execv("/bin/true", argv) < 0;
}

static int act_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0;
}

static int act_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, 0, 0) < 0;
}

static int act_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM;
}

static int act_mount(void)
{
	return syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL) < 0 && errno == EPERM;
}

static int act_kill(void)
{
	return kill(getppid(), 0) < 0;
}

static int act_unlink(void)
{
	return unlink("/nonexistent/file") < 0 && errno == EPERM;
}

static int act_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == EPERM;
}

static int act_map_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int act_pipe_and_write(void)
{
	int fds[2];

	return pipe2(fds, O_CLOEXEC) < 0 || write(fds[1], "x", 1) != 1;
}

static int act_allocate(void)
{
	volatile char *p = malloc(1 << 20);

	if (!p)
		return 1;
	p[0] = 1;
	free((void *)(uintptr_t)p);
	return 0;
}

/* How a child ends that confines itself by `table` and then acts: DID, COULD_NOT, NOT_CONFINED, or -signal.
 */
static int try(enum sandbox_table table, int (*act)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		const char *why;

		alarm(10);
		if (sandbox_process(&why) < 0 || sandbox_syscalls(table, &why) < 0)
			_exit(NOT_CONFINED);
		_exit(act() ? COULD_NOT : DID);
	}
	CU_ASSERT_TRUE_FATAL(pid > 0);
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

struct act {
	const char *name;
	int (*act)(void);
	int worker, proxy; /* how it ends */
};

static const struct act acts[] = {
	{ "open", act_open, -SIGSYS, -SIGSYS },
	{ "socket(AF_UNIX)", act_socket_unix, -SIGSYS, DID },
	{ "socket(AF_NETLINK)", act_socket_netlink, -SIGSYS, -SIGSYS },
	{ "connect", act_connect, -SIGSYS, DID },
	{ "execve", act_exec, -SIGSYS, -SIGSYS },
	{ "clone", act_fork, -SIGSYS, -SIGSYS },
	{ "ptrace", act_ptrace, -SIGSYS, -SIGSYS },
	{ "bpf", act_bpf, -SIGSYS, -SIGSYS },
	{ "mount", act_mount, -SIGSYS, -SIGSYS },
	{ "kill", act_kill, -SIGSYS, -SIGSYS },
	{ "unlink", act_unlink, -SIGSYS, -SIGSYS },
	{ "io_uring_setup", act_io_uring, -SIGSYS, -SIGSYS },
	{ "mmap(PROT_EXEC)", act_map_executable, -SIGSYS, -SIGSYS },
	{ "pipe2", act_pipe_and_write, DID, -SIGSYS },
	{ "malloc", act_allocate, DID, DID },
};

#ifdef SOCKGATE_SANITIZED
static void a_sanitized_build_says_that_it_has_no_filter(void)
{
	CU_ASSERT_EQUAL(try(SANDBOX_WORKER, act_allocate), NOT_CONFINED);
	CU_ASSERT_EQUAL(sizeof(acts) / sizeof(acts[0]) > 0, 1);
}
#else
static void forbidden_acts_kill_and_needed_ones_do_not(void)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		int worker = try(SANDBOX_WORKER, acts[i].act), proxy = try(SANDBOX_PROXY, acts[i].act);

		CU_ASSERT_EQUAL(worker, acts[i].worker);
		CU_ASSERT_EQUAL(proxy, acts[i].proxy);
		if (worker != acts[i].worker || proxy != acts[i].proxy)
			printf("\n    %s: worker %d, proxy %d\n", acts[i].name, worker, proxy);
	}
}
#endif

static int status_line(const char *name, char *value, size_t size)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	int found = 0;

	while (f && !found && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			found = snprintf(value, size, "%s", line + strlen(name)) > 0;
	if (f)
		fclose(f);
	return found;
}

/* In a child: becomes nobody with one group and looks at itself. */
static int identity_holds(void)
{
	struct sandbox_identity identity = { .uid = 65534, .gid = 65534, .groups = { 12345 }, .n_groups = 1 };
	const char *why;
	char value[256];

	if (sandbox_identity(&identity, true, &why) < 0)
		return 0;
	if (getuid() != 65534 || geteuid() != 65534 || getgid() != 65534)
		return 0;
	if (setuid(0) == 0 || prctl(PR_GET_DUMPABLE) != 0)
		return 0;
	if (!status_line("CapBnd:", value, sizeof(value)) || strspn(value, "\t 0\n") != strlen(value))
		return 0;
	return getgroups(0, NULL) == 1;
}

static void an_identity_is_taken_on_whole(void)
{
	int status;
	pid_t pid;

	if (!sandbox_may_change_user()) {
		printf("(not root: nothing to change) ");
		return;
	}
	pid = fork();
	if (pid == 0)
		_exit(identity_holds() ? DID : COULD_NOT);
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == DID);
}

static void inherited_descriptors_are_closed_and_standard_ones_are_open(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		const char *why;
		int fd = open("/dev/null", O_RDONLY);

		close(1);
		if (fd < 3 || sandbox_descriptors(3, &why) < 0)
			_exit(COULD_NOT);
		_exit(fcntl(fd, F_GETFD) < 0 && fcntl(1, F_GETFD) >= 0 ? DID : COULD_NOT);
	}
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == DID);
}

static void an_unknown_user_is_nobody_and_said(void)
{
	struct sandbox_identity identity;
	bool found;

	sandbox_user("no-such-user-here", &identity, &found);
	CU_ASSERT_FALSE(found);
	CU_ASSERT_EQUAL(identity.uid, 65534);
	sandbox_user("root", &identity, &found);
	CU_ASSERT_TRUE(found);
	CU_ASSERT_EQUAL(identity.uid, 0);
}

int main(void)
{
	CU_TestInfo tests[] = {
#ifdef SOCKGATE_SANITIZED
		{ "a sanitized build says that it has no filter",
		  a_sanitized_build_says_that_it_has_no_filter },
#else
		{ "forbidden acts kill and needed ones do not", forbidden_acts_kill_and_needed_ones_do_not },
#endif
		{ "an identity is taken on whole", an_identity_is_taken_on_whole },
		{ "inherited descriptors are closed and standard ones are open",
		  inherited_descriptors_are_closed_and_standard_ones_are_open },
		{ "an unknown user is nobody, and said", an_unknown_user_is_nobody_and_said },
		CU_TEST_INFO_NULL,
	};

	return check_main("sandbox/sandbox", tests);
}
