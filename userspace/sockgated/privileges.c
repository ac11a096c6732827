/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges.c - Should: keep what the table says, with the reason beside it. Mustn't: keep anything that
 * opens other files, loads modules, mounts or configures the network; nor let an executed program get it
 * back.
 */
#include "sockgated/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned kept[] = {
	CAP_BPF,        /* gate_mark_task(), gate_refresh(): map updates; `sockgate gate on` loads again */
	CAP_PERFMON,    /* `sockgate gate on`: loading an LSM program */
	CAP_KILL,       /* supervise_stop(): the proxy runs as another user */
	CAP_SYS_PTRACE, /* process_facts_read(), refresh_executables(): /proc/PID/exe of other users */
	CAP_SETUID,     /* the proxy and the compiler start as root and become others */
	CAP_SETGID,     CAP_SETPCAP, /* they empty their bounding sets */
};
/* Not CAP_SYS_ADMIN: only gate_pins_check() wants it, and that is done when this is called. */

static uint64_t kept_mask(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		mask |= UINT64_C(1) << kept[i];
	return mask;
}

int privileges_keep_needed(const char **why)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2], wanted[2] = { { 0 } };
	uint64_t mask = kept_mask();

	*why = "cannot give up capabilities";
	if (syscall(SYS_capget, &header, now) < 0)
		return -errno;
	/* What is not there cannot be kept. */
	mask &= (uint64_t)now[1].permitted << 32 | now[0].permitted;
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(mask >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (unsigned i = 0; i < 2; i++)
		wanted[i].effective = wanted[i].permitted = (uint32_t)(mask >> (32 * i));
	if (syscall(SYS_capset, &header, wanted) < 0 || syscall(SYS_capget, &header, now) < 0)
		return -errno;
	if (memcmp(now, wanted, sizeof(now)) != 0) {
		*why = "capabilities are still there after they were given up";
		return -EPERM;
	}
	return 0;
}
