/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack_guards.c - attacks on the gate itself and on what its processes have. The table is at the end; each
 * function returns the errno of its one decisive call, 0 when that succeeded.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/capability.h>

#include "attack.h"

#define PINS         "/sys/fs/bpf/sockgate"
#define IDS_MAX      (1U << 20)
#define SYSCTL(name) "/proc/sys/kernel/" name

static pid_t pid_of(const char *file)
{
	char text[32] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0) {
		fprintf(stderr, "attack: no pid in %s\n", file);
		exit(99);
	}
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

static pid_t proxy(void)
{
	return pid_of("/run/test/proxy.pid");
}

static pid_t loader(void)
{
	return pid_of("/run/test/loader.pid");
}

static int root_without_bpf(void)
{
	static const int caps[] = { CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SYS_MODULE };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		data[caps[i] / 32].effective &= ~(1U << caps[i] % 32);
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* --- what the processes have --- */

static int result(long r)
{
	return r < 0 ? errno : 0;
}

static int steal_descriptor(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, proxy(), 0);

	return pidfd < 0 ? -errno : result(syscall(SYS_pidfd_getfd, pidfd, 3, 0));
}

static int seize_proxy(void)
{
	return result(ptrace(PTRACE_SEIZE, proxy(), NULL, NULL));
}

static int attach_to_loader(void)
{
	return result(ptrace(PTRACE_ATTACH, loader(), NULL, NULL));
}

static int open_memory(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)proxy());
	return result(open(path, O_RDWR | O_CLOEXEC));
}

static int read_memory(void)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)0x400000, 1 };

	return result(process_vm_readv(proxy(), &local, 1, &remote, 1, 0));
}

/* The stand-in leaks its connection to whoever asks: SCM_RIGHTS. */
static int receive_connection(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = ATTACK_LEAK };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	/* There is no errno for it: the descriptor is missing, and the message says that it was cut. */
	if (CMSG_FIRSTHDR(&message) && CMSG_FIRSTHDR(&message)->cmsg_type == SCM_RIGHTS)
		return 0;
	return (message.msg_flags & MSG_CTRUNC) ? EPERM : -ENOMSG;
}

static int kill_proxy(void)
{
	return result(kill(proxy(), SIGKILL));
}

static int stop_loader(void)
{
	return result(kill(loader(), SIGSTOP));
}

static int kill_by_pidfd(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, loader(), 0);

	return pidfd < 0 ? -errno : result(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0));
}

/* --- links, maps, programs, pins --- */

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* Asks for every object there is. EPERM when any was refused, 0 when all of them were handed out. */
static int ask_for_all(int next, int get)
{
	union bpf_attr attr;
	int refused = 0, seen = 0;

	for (__u32 id = 0; id < IDS_MAX;) {
		long fd;

		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
		if (bpf(next, &attr) < 0)
			break;
		id = attr.next_id;
		seen++;
		memset(&attr, 0, sizeof(attr));
		attr.map_id = id; /* all ids share the place */
		fd = bpf(get, &attr);
		if (fd < 0 && errno == EPERM)
			refused++;
		if (fd >= 0)
			close((int)fd);
	}
	return seen == 0 ? -ENOENT : refused ? EPERM : 0;
}

static int ask_for_links(void)
{
	return ask_for_all(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID);
}

static int ask_for_maps(void)
{
	return ask_for_all(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID);
}

static int ask_for_programs(void)
{
	return ask_for_all(BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID);
}

static long get_pin(const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uint64_t)(uintptr_t)path;
	return bpf(BPF_OBJ_GET, &attr);
}

static int open_pinned_map(void)
{
	return result(get_pin(PINS "/counters"));
}

/* The one link that the kernel would detach. */
static int detach_sysctl(void)
{
	union bpf_attr attr;
	long fd = get_pin(PINS "/gate_sysctl");

	if (fd < 0)
		return -errno;
	memset(&attr, 0, sizeof(attr));
	attr.link_detach.link_fd = (uint32_t)fd;
	return result(bpf(BPF_LINK_DETACH, &attr));
}

static int unlink_pin(void)
{
	return result(unlink(PINS "/gate_connect"));
}

static int rename_pin(void)
{
	return result(rename(PINS "/gate_connect", "/sys/fs/bpf/other"));
}

static int move_pins(void)
{
	return result(rename(PINS, "/sys/fs/bpf/other"));
}

static int remove_pins(void)
{
	return result(rmdir(PINS));
}

static int unmount_pins(void)
{
	return result(umount2("/sys/fs/bpf", MNT_DETACH));
}

/* What is mounted below goes along, without a question. */
static int unmount_above_pins(void)
{
	return result(umount2("/sys", MNT_DETACH));
}

/* --- the engine's name --- */

static int rename_socket(void)
{
	return result(rename(ATTACK_SOCKET, "/run/elsewhere"));
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		return -errno;
	return fd;
}

/* A socket that listens already, under no guarded name, takes the engine's. */
static int rename_over_socket(void)
{
	int fd = listen_at("/run/false.sock");

	return fd < 0 ? fd : result(rename("/run/false.sock", ATTACK_SOCKET));
}

static int exchange_sockets(void)
{
	int fd = listen_at("/run/false.sock");

	return fd < 0 ? fd
		      : result(renameat2(AT_FDCWD, ATTACK_SOCKET, AT_FDCWD, "/run/false.sock",
					 RENAME_EXCHANGE));
}

/* --- the kernel's settings --- */

static int write_setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error;

	if (fd < 0)
		return -errno;
	error = result(write(fd, value, strlen(value)));
	close(fd);
	return error;
}

static int disable_ftrace(void)
{
	return write_setting(SYSCTL("ftrace_enabled"), "0");
}

/* Debian's default is 2. */
static int allow_unprivileged_bpf(void)
{
	return write_setting(SYSCTL("unprivileged_bpf_disabled"), "0");
}

/* Raised first, which is allowed. */
static int lower_ptrace_scope(void)
{
	int error = write_setting(SYSCTL("yama/ptrace_scope"), "2");

	return error ? -error : write_setting(SYSCTL("yama/ptrace_scope"), " 0");
}

const struct attack attack_guards[] = {
	{ "pidfd_getfd from the proxy", "root shell", NULL, steal_descriptor, EPERM, 1, GATE_DENIED_TRACE },
	{ "PTRACE_SEIZE of the proxy", "root shell", NULL, seize_proxy, EPERM, 1, GATE_DENIED_TRACE },
	{ "PTRACE_ATTACH to sockgated", "root shell", NULL, attach_to_loader, EPERM, 1, GATE_DENIED_TRACE },
	{ "/proc/PID/mem of the proxy", "root shell", NULL, open_memory, EACCES, 1, GATE_DENIED_TRACE },
	{ "process_vm_readv from the proxy", "root shell", NULL, read_memory, EPERM, 1, GATE_DENIED_TRACE },
	{ "SCM_RIGHTS of a connection", "root shell", NULL, receive_connection, EPERM, 1,
	  GATE_DENIED_RECEIVE },
	{ "kill -9 of the proxy", "root shell", NULL, kill_proxy, EPERM, 1, GATE_DENIED_KILL },
	{ "kill -9 of the proxy", "root without CAP_BPF", root_without_bpf, kill_proxy, EPERM, 1,
	  GATE_DENIED_KILL },
	{ "kill -STOP of sockgated", "root shell", NULL, stop_loader, EPERM, 1, GATE_DENIED_KILL },
	{ "pidfd_send_signal to sockgated", "root shell", NULL, kill_by_pidfd, EPERM, 1, GATE_DENIED_KILL },
	{ "BPF_LINK_GET_FD_BY_ID", "root shell", NULL, ask_for_links, EPERM, ATTACK_SOME,
	  GATE_DENIED_OBJECT },
	{ "BPF_MAP_GET_FD_BY_ID", "root shell", NULL, ask_for_maps, EPERM, ATTACK_SOME, GATE_DENIED_OBJECT },
	{ "BPF_PROG_GET_FD_BY_ID", "root shell", NULL, ask_for_programs, EPERM, ATTACK_SOME,
	  GATE_DENIED_OBJECT },
	{ "BPF_OBJ_GET of a map, to write", "root shell", NULL, open_pinned_map, EPERM, 1,
	  GATE_DENIED_OBJECT },
	{ "BPF_LINK_DETACH of the cgroup's link", "root shell", NULL, detach_sysctl, EPERM, 1,
	  GATE_DENIED_OBJECT },
	{ "unlink of a pin", "root without CAP_BPF", root_without_bpf, unlink_pin, EPERM, 1,
	  GATE_DENIED_OBJECT },
	{ "rename of a pin", "root without CAP_BPF", root_without_bpf, rename_pin, EPERM, 1,
	  GATE_DENIED_OBJECT },
	{ "rename of the pins' directory", "root shell", NULL, move_pins, EPERM, 1, GATE_DENIED_OBJECT },
	{ "rmdir of the pins' directory", "root shell", NULL, remove_pins, EPERM, 1, GATE_DENIED_OBJECT },
	{ "umount -l /sys/fs/bpf", "root shell", NULL, unmount_pins, EPERM, 1, GATE_DENIED_OBJECT },
	{ "umount -l /sys", "root shell", NULL, unmount_above_pins, EPERM, 1, GATE_DENIED_OBJECT },
	{ "rename of the socket", "root shell", NULL, rename_socket, EPERM, 1, GATE_DENIED_NAME },
	{ "rename over the socket", "root shell", NULL, rename_over_socket, EPERM, 1, GATE_DENIED_NAME },
	{ "exchange of the socket's name", "root shell", NULL, exchange_sockets, EPERM, 1, GATE_DENIED_NAME },
	{ "kernel.ftrace_enabled=0", "root without CAP_BPF", root_without_bpf, disable_ftrace, EPERM,
	  ATTACK_SOME, GATE_DENIED_SYSCTL },
	{ "kernel.unprivileged_bpf_disabled=0", "root shell", NULL, allow_unprivileged_bpf, EPERM,
	  ATTACK_SOME, GATE_DENIED_SYSCTL },
	{ "kernel.yama.ptrace_scope lowered", "root shell", NULL, lower_ptrace_scope, EPERM, ATTACK_SOME,
	  GATE_DENIED_SYSCTL },
	{ "a connect after all that", "root shell", NULL, attack_plain, EPERM, 1, ATTACK_CONNECTS },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
