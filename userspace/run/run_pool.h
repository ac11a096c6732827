/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_pool.h - the threads that answer the workload.
 *
 * A connect(2) may block for as long as the other side likes, so each is answered in a thread of its own: one
 * always waits for the next as long as there are fewer than RUN_POOL_MAX; beyond, requests wait in the
 * kernel.
 */
#ifndef SOCKGATE_RUN_POOL_H
#define SOCKGATE_RUN_POOL_H

#include "run/run_connect.h"

#define RUN_POOL_MAX 256

struct run_pool;

/* Starts the first thread. `gate` outlives the process. Returns 0 or -errno. */
int run_pool_start(struct run_gate *gate, struct run_pool **ret);

/* Now and then: ends connections whose process has been killed meanwhile. */
void run_pool_tend(struct run_pool *pool);

#endif
