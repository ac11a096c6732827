/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_usage.h - what other processes have used: CPU time, memory, descriptors.
 */
#ifndef SOCKGATE_BENCH_PROCESS_USAGE_H
#define SOCKGATE_BENCH_PROCESS_USAGE_H

#include <stdint.h>
#include <sys/types.h>

/* CPU time of all threads of a process, in ns (clock_getcpuclockid(3)); -errno when it is gone. */
int64_t process_cpu_ns(pid_t pid);
/* A "Name:  123 kB" line of /proc/PID/FILE, in KiB; -errno, or -ENOENT when there is no such line. */
int64_t process_kib(pid_t pid, const char *file, const char *name);
/* Open descriptors; -errno. */
int process_fds(pid_t pid);

#endif
