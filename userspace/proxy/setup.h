/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setup.h - what a proxy that runs alone prepares for its worker: policy image, listening sockets, audit
 * trail.
 */
#ifndef SOCKGATE_PROXY_SETUP_H
#define SOCKGATE_PROXY_SETUP_H

#include "proxy/options.h"
#include "proxy/proxy.h"

/*
 * Compiles what was configured and opens everything. Messages go to standard error.
 * Returns -1 when all is there, or the status to exit with: 2 configuration, 3 not permitted, 4 the gate is
 * required and there is none; then nothing is left open.
 */
int setup_alone(const struct options *options, struct setup *ret);

/* Closes everything, and removes the Unix sockets that setup_alone() made. */
void setup_undo(struct setup *setup);

/* The groups that the proxy needs to reach the engines' sockets. Returns their number. */
size_t setup_engine_groups(const struct policy_image *image, gid_t *groups, size_t max);

#endif
