/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "check.h"
#include "run/run_filter.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define OTHER  AUDIT_ARCH_I386
#else
#define NATIVE AUDIT_ARCH_AARCH64
#define OTHER  AUDIT_ARCH_ARM
#endif
#define REFUSED(error) (SECCOMP_RET_ERRNO | (unsigned)(error))

/* What the kernel would answer: the few instructions that the filter is made of. */
static unsigned judge(const struct run_filter *f, const struct seccomp_data *data)
{
	unsigned a = 0;

	for (size_t pc = 0; pc < f->n; pc++) {
		const struct sock_filter *i = &f->code[pc];
		bool jump = false;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			CU_ASSERT_TRUE_FATAL(i->k + 4 <= sizeof(*data));
			memcpy(&a, (const char *)data + i->k, 4);
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = a == i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			jump = a >= i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			jump = a & i->k;
			break;
		default:
			CU_FAIL_FATAL("an instruction that was not expected");
		}
		pc += jump ? i->jt : i->jf;
	}
	CU_FAIL_FATAL("the filter does not end");
	return 0;
}

static unsigned call(bool own_tracing_only, long nr, unsigned argument, uint64_t value)
{
	struct seccomp_data data = { .nr = (int)nr, .arch = NATIVE };
	struct run_filter f;

	data.args[argument] = value;
	run_filter_build(&f, own_tracing_only);
	return judge(&f, &data);
}

static void every_connect_goes_to_the_supervisor(void)
{
	CU_ASSERT_EQUAL(call(false, SYS_connect, 0, 3), SECCOMP_RET_USER_NOTIF);
	CU_ASSERT_EQUAL(call(true, SYS_connect, 2, ~UINT64_C(0)), SECCOMP_RET_USER_NOTIF);
}

static void other_calls_are_not_delayed(void)
{
	static const long calls[] = { SYS_read,   SYS_socket, SYS_bind,  SYS_accept4,
				      SYS_openat, SYS_clone,  SYS_execve };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		CU_ASSERT_EQUAL(call(true, calls[i], 0, ~UINT64_C(0)), SECCOMP_RET_ALLOW);
	CU_ASSERT_EQUAL(call(true, -1, 0, 0), SECCOMP_RET_ALLOW);
}

static void io_uring_does_not_exist(void)
{
	CU_ASSERT_EQUAL(call(false, SYS_io_uring_setup, 0, 8), REFUSED(ENOSYS));
	CU_ASSERT_EQUAL(call(false, SYS_io_uring_enter, 0, 8), REFUSED(ENOSYS));
	CU_ASSERT_EQUAL(call(false, SYS_io_uring_register, 0, 8), REFUSED(ENOSYS));
}

static void no_second_listener_among_whatever_flags(void)
{
	CU_ASSERT_EQUAL(call(false, SYS_seccomp, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(false, SYS_seccomp, 1, ~UINT64_C(0)), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(false, SYS_seccomp, 1, UINT64_C(0xffffffff00000008)), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(false, SYS_seccomp, 1, SECCOMP_FILTER_FLAG_TSYNC), SECCOMP_RET_ALLOW);
}

static void sends_do_not_connect(void)
{
	CU_ASSERT_EQUAL(call(false, SYS_sendto, 3, MSG_FASTOPEN | MSG_NOSIGNAL), REFUSED(EOPNOTSUPP));
	CU_ASSERT_EQUAL(call(false, SYS_sendmsg, 2, MSG_FASTOPEN), REFUSED(EOPNOTSUPP));
	CU_ASSERT_EQUAL(call(false, SYS_sendmmsg, 3, MSG_FASTOPEN), REFUSED(EOPNOTSUPP));
	CU_ASSERT_EQUAL(call(false, SYS_sendto, 3, MSG_NOSIGNAL), SECCOMP_RET_ALLOW);
	CU_ASSERT_EQUAL(call(false, SYS_sendmsg, 1, MSG_FASTOPEN), SECCOMP_RET_ALLOW);
}

static void nothing_is_typed_into_the_terminal(void)
{
	CU_ASSERT_EQUAL(call(false, SYS_ioctl, 1, TIOCSTI), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(false, SYS_ioctl, 1, UINT64_C(0x100000000) + TIOCSTI), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(false, SYS_ioctl, 1, TIOCLINUX), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(false, SYS_ioctl, 1, TIOCGWINSZ), SECCOMP_RET_ALLOW);
}

static void tracing_is_refused_only_where_nothing_else_does(void)
{
	CU_ASSERT_EQUAL(call(true, SYS_ptrace, 0, PTRACE_SEIZE), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(true, SYS_ptrace, 0, PTRACE_ATTACH), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(true, SYS_ptrace, 0, PTRACE_TRACEME), SECCOMP_RET_ALLOW);
	CU_ASSERT_EQUAL(call(true, SYS_process_vm_writev, 0, 1), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(true, SYS_pidfd_getfd, 0, 1), REFUSED(EPERM));
	CU_ASSERT_EQUAL(call(false, SYS_ptrace, 0, PTRACE_SEIZE), SECCOMP_RET_ALLOW);
	CU_ASSERT_EQUAL(call(false, SYS_pidfd_getfd, 0, 1), SECCOMP_RET_ALLOW);
}

static void foreign_calls_do_not_exist(void)
{
	struct seccomp_data data = { .nr = SYS_read, .arch = OTHER };
	struct run_filter f;

	run_filter_build(&f, false);
	CU_ASSERT_EQUAL(judge(&f, &data), REFUSED(ENOSYS));
#if defined(__x86_64__)
	CU_ASSERT_EQUAL(call(false, 0x40000000 + SYS_connect, 0, 0), REFUSED(ENOSYS));
	CU_ASSERT_EQUAL(call(false, 0x40000000 + SYS_read, 0, 0), REFUSED(ENOSYS));
#endif
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "every connect goes to the supervisor", every_connect_goes_to_the_supervisor },
		{ "other calls are not delayed", other_calls_are_not_delayed },
		{ "io_uring does not exist", io_uring_does_not_exist },
		{ "no second listener, among whatever flags", no_second_listener_among_whatever_flags },
		{ "sends do not connect", sends_do_not_connect },
		{ "nothing is typed into the terminal", nothing_is_typed_into_the_terminal },
		{ "tracing is refused only where nothing else does",
		  tracing_is_refused_only_where_nothing_else_does },
		{ "foreign calls do not exist", foreign_calls_do_not_exist },
		CU_TEST_INFO_NULL,
	};

	return check_main("run/run_filter", tests);
}
