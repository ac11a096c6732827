/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that each program may make after start-up, with the function that needs each. All others
 * kill the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#ifndef SOCKGATE_SANITIZED

/* Both programs: memory, time, epoll, descriptors they were given, ending. */
static const int common[] = {
	SCMP_SYS(brk),             /* malloc */
	SCMP_SYS(munmap),          /* malloc, policy_image_unmap() */
	SCMP_SYS(mremap),          /* realloc */
	SCMP_SYS(madvise),         /* free */
	SCMP_SYS(futex),           /* malloc's locks */
	SCMP_SYS(getrandom),       /* malloc's tcache key */
	SCMP_SYS(clock_gettime),   /* where there is no vDSO */
	SCMP_SYS(restart_syscall), /* after SIGSTOP and SIGCONT */
	SCMP_SYS(rt_sigreturn),    /* signal handlers */
	SCMP_SYS(rt_sigprocmask),  /* abort() */
	SCMP_SYS(getpid),          /* abort() */
	SCMP_SYS(gettid),          /* abort() */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll), /* the proxy's loop, trail_flush() */
	SCMP_SYS(ppoll),
	SCMP_SYS(recvmsg), /* channel_recv() */
	SCMP_SYS(sendmsg), /* channel_send(), send with iovec */
	SCMP_SYS(read),
	SCMP_SYS(write), /* audit trail, log */
	SCMP_SYS(close),
	SCMP_SYS(fstat),      /* policy_image_map() */
	SCMP_SYS(newfstatat), /* the same, by newer C libraries */
};

static const int worker_calls[] = {
	SCMP_SYS(accept4),  /* listener_ready(): on listening sockets it was given */
	SCMP_SYS(recvfrom), /* connections */
	SCMP_SYS(sendto),   /* connections */
	SCMP_SYS(writev),   /* log */
	SCMP_SYS(shutdown), /* half-close */
	SCMP_SYS(splice),   /* tunnels */
	SCMP_SYS(pipe2),    /* tunnels */
};

static const int proxy_calls[] = {
	SCMP_SYS(connect),                    /* engine_connect() */
	SCMP_SYS(sendto),                     /* sd_notify */
	SCMP_SYS(writev),                     /* log */
	SCMP_SYS(readlink),                   /* resolve_path() */
	SCMP_SYS(pread64),                    /* audit_signer_read() */
	SCMP_SYS(readlinkat), SCMP_SYS(stat), /* look_at_peer() */
	SCMP_SYS(wait4),                      /* a worker that died */
	SCMP_SYS(waitid),     SCMP_SYS(rt_sigaction),
};

/* Starting a worker again: fork, exec, and what the C library and the dynamic loader do in between. */
static const int respawn_calls[] = {
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(vfork),
	SCMP_SYS(execve),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(close_range),
	SCMP_SYS(openat),
	SCMP_SYS(pread64),
	SCMP_SYS(access),
	SCMP_SYS(faccessat2),
	SCMP_SYS(mprotect),
	SCMP_SYS(mmap),
	SCMP_SYS(arch_prctl),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(prlimit64),
	SCMP_SYS(setrlimit),
	SCMP_SYS(prctl),
	SCMP_SYS(seccomp),
	SCMP_SYS(capget),
	SCMP_SYS(capset),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getresuid),
	SCMP_SYS(getresgid),
	SCMP_SYS(fcntl),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(accept4),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(shutdown),
	SCMP_SYS(splice),
	SCMP_SYS(pipe2),
	SCMP_SYS(getsockopt),
	SCMP_SYS(lseek),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(readlink),
	SCMP_SYS(uname),
	SCMP_SYS(unlink),     /* setup_undo() */
	SCMP_SYS(socketpair), /* channel_pair() */
	SCMP_SYS(getsockname),
	SCMP_SYS(fstatfs),
	SCMP_SYS(landlock_restrict_self),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(statfs),
	SCMP_SYS(fadvise64),
	SCMP_SYS(ioctl),
};

static int allow_all(scmp_filter_ctx filter, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);

		if (r < 0)
			return r;
	}
	return 0;
}
#define ALLOW_ALL(filter, calls) allow_all(filter, calls, sizeof(calls) / sizeof((calls)[0]))

/* Calls whose arguments matter. */
static int allow_arguments(scmp_filter_ctx filter, bool proxy)
{
	static const int domains[] = { AF_UNIX, AF_INET, AF_INET6 };
	static const int file_commands[] = { F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_GET_SEALS, F_SETPIPE_SZ };
	int r;

	/* Memory that can be executed is never mapped: a worker has all its code from the start. */
	r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
			     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0) /* abort() */
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	for (size_t i = 0; r == 0 && i < sizeof(file_commands) / sizeof(file_commands[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				     SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)file_commands[i]));
	if (r == 0 && proxy) /* resolve_path(): to look, never to read */
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, O_PATH, O_PATH));
	/*
	 * trail_reopen(): to append, and never through a link. The filter does not see which path; a file's
	 * own permissions have to keep others from user sockgate, who owns none.
	 */
	if (r == 0 && proxy)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, O_PATH | O_APPEND | O_NOFOLLOW | O_TRUNC,
					     O_APPEND | O_NOFOLLOW));
	if (r == 0) /* who a peer is (SO_PEERCRED), what became of a connect (SO_ERROR) */
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(getsockopt), 1,
				     SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET));
	for (size_t i = 0; r == 0 && proxy && i < sizeof(domains) / sizeof(domains[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)domains[i]),
				     SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM));
	return r;
}

#endif

int sandbox_syscalls(enum sandbox_table table, const char **why)
{
#ifdef SOCKGATE_SANITIZED
	(void)table;
	*why = "this build carries sanitizers, whose run-time needs calls that no table should have";
	return -ENOTSUP;
#else
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool proxy = table != SANDBOX_WORKER;
	int r;

	*why = "cannot build the seccomp filter";
	if (!filter)
		return -ENOMEM;
	r = ALLOW_ALL(filter, common);
	if (r == 0)
		r = proxy ? ALLOW_ALL(filter, proxy_calls) : ALLOW_ALL(filter, worker_calls);
	if (r == 0 && table == SANDBOX_PROXY_RESPAWN)
		r = ALLOW_ALL(filter, respawn_calls);
	if (r == 0)
		r = allow_arguments(filter, proxy);
	if (r == 0) {
		*why = "the kernel refuses the seccomp filter";
		r = seccomp_load(filter);
	}
	seccomp_release(filter);
	return r;
#endif
}
