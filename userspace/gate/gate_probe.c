/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate_probe.c - says in one line what the kernel or the process lacks.
 *
 * Attached is not enforcing: with `bpf` missing from lsm= LSM programs load and attach and never run. So the
 * list of active LSMs is read first, as exact names.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "gate/gate_internal.h"
#include "gate/gate_parse.h"

/* Reads a small file of /proc or /sys whole. Returns its length or -errno. */
static ssize_t read_small(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

static int probe_kernel(const char **why)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int r = 0;

	if (!btf) {
		*why = "the kernel has no BTF (CONFIG_DEBUG_INFO_BTF, /sys/kernel/btf/vmlinux)";
		return -ENOSYS;
	}
	if (btf__find_by_name_kind(btf, "bpf_skc_to_unix_sock", BTF_KIND_FUNC) < 0 ||
	    btf__find_by_name_kind(btf, "bpf_iter__unix", BTF_KIND_STRUCT) < 0) {
		*why = "the kernel is too old: the gate needs Linux 5.16 or later (bpf_skc_to_unix_sock, "
		       "iter/unix)";
		r = -ENOSYS;
	} else if (btf__find_by_name_kind(btf, "bpf_lsm_unix_stream_connect", BTF_KIND_FUNC) < 0) {
		*why = "the kernel was built without the BPF LSM (CONFIG_BPF_LSM, CONFIG_SECURITY_NETWORK)";
		r = -ENOSYS;
	}
	btf__free(btf);
	return r;
}

static int probe_lsm(const char **why)
{
	char text[1024];
	ssize_t n = read_small("/sys/kernel/security/lsm", text, sizeof(text));

	if (n < 0) {
		*why = "cannot read /sys/kernel/security/lsm: is securityfs mounted?";
		return -ENODEV;
	}
	if (!gate_parse_lsm_active((struct str){ text, (size_t)n }, "bpf")) {
		*why = "bpf is not an active LSM: append it to the list in /sys/kernel/security/lsm and boot "
		       "with "
		       "that as lsm=";
		return -ENODEV;
	}
	return 0;
}

static int probe_privilege(const char **why)
{
	const uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN;
	const uint64_t needed = UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_PERFMON;
	char text[4096];
	ssize_t n = read_small("/proc/self/status", text, sizeof(text));
	uint64_t have = n > 0 ? gate_parse_capabilities((struct str){ text, (size_t)n }) : 0;

	if (have & admin || (have & needed) == needed)
		return 0;
	*why = "CAP_BPF and CAP_PERFMON are missing";
	return -EPERM;
}

static int probe_bpffs(const char **why)
{
	struct statfs fs;

	if (statfs(GATE_BPFFS, &fs) == 0 && fs.f_type == BPF_FS_MAGIC)
		return 0;
	*why = "bpffs is not mounted on " GATE_BPFFS;
	return -ENODEV;
}

int gate_probe(enum gate_method method, const char **why)
{
	int r = probe_kernel(why);

	if (r == 0 && method == GATE_METHOD_LSM)
		r = probe_lsm(why);
	if (r == 0)
		r = probe_privilege(why);
	if (r == 0)
		r = probe_bpffs(why);
	if (r == 0)
		r = gate_pins_check(why);
	return r;
}
