/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define X32    0x40000000u
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "name this architecture's AUDIT_ARCH_ constant"
#endif

#define DATA(field) ((unsigned)offsetof(struct seccomp_data, field))
/* The low half of an argument: every flag and command judged here is an int to the kernel. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARGUMENT(i) (DATA(args) + 8u * (i))
#else
#define ARGUMENT(i) (DATA(args) + 8u * (i) + 4u)
#endif
#define REFUSE(error) (SECCOMP_RET_ERRNO | (unsigned)(error))

static void emit(struct run_filter *f, unsigned code, unsigned k, size_t jt, size_t jf)
{
	assert(f->n < RUN_FILTER_MAX && jt < 256 && jf < 256);
	f->code[f->n++] = (struct sock_filter){
		.code = (unsigned short)code, .jt = (unsigned char)jt, .jf = (unsigned char)jf, .k = k
	};
}

static void load(struct run_filter *f, unsigned offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

/* If the accumulator compares so with `k`, answer `action`. */
static void when(struct run_filter *f, unsigned comparison, unsigned k, unsigned action)
{
	emit(f, BPF_JMP | comparison | BPF_K, k, 0, 1);
	emit(f, BPF_RET | BPF_K, action, 0, 0);
}

static void when_call(struct run_filter *f, long nr, unsigned action)
{
	when(f, BPF_JEQ, (unsigned)nr, action);
}

/* If call `nr` is made and its argument compares so with any of the values, answer `action`; else allow it.
 */
static void when_argument(struct run_filter *f, long nr, unsigned argument, unsigned comparison,
			  const unsigned *values, size_t n, unsigned action)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 2 + 2 * n);
	load(f, ARGUMENT(argument));
	for (size_t i = 0; i < n; i++)
		when(f, comparison, values[i], action);
	emit(f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

void run_filter_build(struct run_filter *ret, bool own_tracing_only)
{
	static const unsigned listener[] = { SECCOMP_FILTER_FLAG_NEW_LISTENER };
	static const unsigned typing[] = { TIOCSTI, TIOCLINUX };
	static const unsigned fast_open[] = { MSG_FASTOPEN };
	static const unsigned seizing[] = { PTRACE_ATTACH, PTRACE_SEIZE };
	struct run_filter f = { .n = 0 };

	load(&f, DATA(arch));
	emit(&f, BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0);
	emit(&f, BPF_RET | BPF_K, REFUSE(ENOSYS), 0, 0);
	load(&f, DATA(nr));
	/* A tracer within the workload skips a call so; nothing is called. */
	when(&f, BPF_JEQ, ~0u, SECCOMP_RET_ALLOW);
#ifdef X32
	when(&f, BPF_JGE, X32, REFUSE(ENOSYS));
#endif
	when_call(&f, SYS_connect, SECCOMP_RET_USER_NOTIF);
	/* Programs take ENOSYS for a kernel without it and fall back. */
	when_call(&f, SYS_io_uring_setup, REFUSE(ENOSYS));
	when_call(&f, SYS_io_uring_enter, REFUSE(ENOSYS));
	when_call(&f, SYS_io_uring_register, REFUSE(ENOSYS));
	/* The newest listener hears of a call, alone, and its "continue" would be final. */
	when_argument(&f, SYS_seccomp, 1, BPF_JSET, listener, 1, REFUSE(EPERM));
	/* What is typed into the terminal is read by the shell outside, afterwards. */
	when_argument(&f, SYS_ioctl, 1, BPF_JEQ, typing, 2, REFUSE(EPERM));
	/* A send that connects: tcp_sendmsg_fastopen(). */
	when_argument(&f, SYS_sendto, 3, BPF_JSET, fast_open, 1, REFUSE(EOPNOTSUPP));
	when_argument(&f, SYS_sendmsg, 2, BPF_JSET, fast_open, 1, REFUSE(EOPNOTSUPP));
	when_argument(&f, SYS_sendmmsg, 3, BPF_JSET, fast_open, 1, REFUSE(EOPNOTSUPP));
	if (own_tracing_only) {
		when_call(&f, SYS_process_vm_writev, REFUSE(EPERM));
		when_call(&f, SYS_pidfd_getfd, REFUSE(EPERM));
		when_argument(&f, SYS_ptrace, 0, BPF_JEQ, seizing, 2, REFUSE(EPERM));
	}
	emit(&f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	*ret = f;
}

int run_filter_install(const struct run_filter *filter, const char **why)
{
	struct run_filter copy = *filter;
	struct sock_fprog program = { .len = (unsigned short)copy.n, .filter = copy.code };
	long fd =
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);

	if (fd >= 0)
		return (int)fd;
	switch (errno) {
	case EINVAL:
	case ENOSYS:
		*why = "the kernel has no seccomp listener that outlasts signals (Linux 5.19 has)";
		return -ENOSYS;
	case EPERM:
	case EBUSY:
		*why = "a seccomp listener exists already: one run cannot be within another";
		return -EPERM;
	default:
		*why = "the kernel refuses the seccomp filter";
		return -errno;
	}
}
