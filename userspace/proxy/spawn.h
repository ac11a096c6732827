/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn.h - starts the worker's process and gives it what it needs.
 */
#ifndef SOCKGATE_PROXY_SPAWN_H
#define SOCKGATE_PROXY_SPAWN_H

#include "proxy/proxy.h"

/* The path of sockgate-worker: beside this program, else where it is installed. Into `path`; 0 or -ENOENT. */
int spawn_worker_path(char *path, size_t size);

/*
 * Starts a worker and sends it the image, the listeners, the trail, the state of the gate and MSG_START.
 * Returns 0 with *ret filled in, or -errno.
 */
int spawn_worker(const char *path, const struct setup *setup, struct child *ret);

#endif
