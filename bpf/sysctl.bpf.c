// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sysctl.bpf.c - on the root cgroup: three settings of the kernel that must not be weakened.
 *
 * kernel.ftrace_enabled=0 silently switches off every LSM, fmod_ret and fentry program before 7.x. This
 * program is none of them. unprivileged_bpf_disabled and yama.ptrace_scope may be raised, never lowered.
 */
#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "gate_maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NAME_MAX_BYTES  48
#define VALUE_MAX_BYTES 16

/* There is no memcmp() here: unrolled, a literal becomes immediate values. */
static __always_inline bool same(const char *name, const char *literal, unsigned size)
{
	bool differ = false;

#pragma unroll
	for (unsigned i = 0; i < size; i++)
		differ |= name[i] != literal[i];
	return !differ;
}

#define SAME(name, literal) same(name, literal, sizeof(literal))

/* What cannot be read as a number is lower than everything. */
static __always_inline bool lowers(struct bpf_sysctl *ctx)
{
	char text[VALUE_MAX_BYTES] = {};
	long before = 0, after = 0;

	if (bpf_sysctl_get_current_value(ctx, text, sizeof(text)) < 0 ||
	    bpf_strtol(text, sizeof(text), 0, &before) < 0)
		return true;
	__builtin_memset(text, 0, sizeof(text));
	if (bpf_sysctl_get_new_value(ctx, text, sizeof(text)) < 0 ||
	    bpf_strtol(text, sizeof(text), 0, &after) < 0)
		return true;
	return after < before;
}

/* 1 lets the access happen, 0 is EPERM. */
SEC("cgroup/sysctl")
int gate_sysctl(struct bpf_sysctl *ctx)
{
	char name[NAME_MAX_BYTES] = {};

	if (!ctx->write || bpf_sysctl_get_name(ctx, name, sizeof(name), 0) < 0)
		return 1;
	if (SAME(name, "kernel/ftrace_enabled") ||
	    ((SAME(name, "kernel/unprivileged_bpf_disabled") || SAME(name, "kernel/yama/ptrace_scope")) &&
	     lowers(ctx))) {
		count(GATE_DENIED_SYSCTL);
		return 0;
	}
	return 1;
}
