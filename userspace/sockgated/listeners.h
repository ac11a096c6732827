/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listeners.h - the sockets that clients connect to. Opened once by sockgated and kept open over restarts of
 * the proxy, so that clients wait in the queue and are not refused.
 */
#ifndef SOCKGATE_SOCKGATED_LISTENERS_H
#define SOCKGATE_SOCKGATED_LISTENERS_H

#include "listen/listen.h"

#define LISTENERS_MAX 32

struct listeners {
	struct listen_socket sockets[LISTENERS_MAX]; /* in the image's order */
	unsigned n;
};

/*
 * Opens every listener of the image, with some patience for those that the proxy of a sockgated which was
 * killed is just letting go of. Returns 0, or -errno with a message for people in `why`; then none is open.
 */
int listeners_open(struct listeners *listeners, const struct policy_image *image, char *why, size_t why_size);

#endif
