/* SPDX-License-Identifier: BSD-2-Clause */
/* who_proc.h - reads files and links of /proc, whole and bounded. Everything is relative to a directory. */
#ifndef SOCKGATE_WHO_PROC_H
#define SOCKGATE_WHO_PROC_H

#include <stdint.h>
#include <sys/types.h>

#include "text/str.h"

#define WHO_PROC_FILE_MAX (8u * 1024 * 1024) /* a mountinfo of a host with thousands of containers */

/* /proc/PID as an O_PATH directory, or -errno. */
int who_proc_open(int proc, pid_t pid);

/*
 * Reads a file whole into memory that is the caller's to free, with a NUL behind it. Returns 0, -errno, or
 * -EFBIG where it is larger than `limit`.
 */
int who_proc_read(int dir, const char *name, size_t limit, char **ret, size_t *ret_n);
/* Reads a small file into `text`: what fits. Returns an empty slice where it cannot be read. */
struct str who_proc_text(int dir, const char *name, char *text, size_t size);

/* Reads a symbolic link, NUL-terminated. Returns its length, -errno, or -ENAMETOOLONG. */
ssize_t who_proc_link(int dir, const char *name, char *text, size_t size);
/* The number of a namespace: who_proc_namespace(dir, "net", &n) reads ns/net. Returns 0 or -errno. */
int who_proc_namespace(int dir, const char *kind, uint64_t *ret);

/* The next process in a directory stream over /proc, or 0 at its end. `stream` is a DIR *. */
pid_t who_proc_next(void *stream);

#endif
