/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define BUSY_TRIES 20
#define BUSY_WAIT  250000 /* microseconds */

int listeners_open(struct listeners *listeners, const struct policy_image *image, char *why, size_t why_size)
{
	const struct image_listener *all = IMAGE_LIST(image, struct image_listener, image->listeners);

	listeners->n = 0;
	if (image->listeners.count > LISTENERS_MAX) {
		(void)snprintf(why, why_size, "there are more than %d listeners", LISTENERS_MAX);
		return -E2BIG;
	}
	for (unsigned i = 0; i < image->listeners.count; i++) {
		int r = listen_open(image, &all[i], &listeners->sockets[i], why, why_size);

		for (unsigned tries = 0; r == -EADDRINUSE && tries < BUSY_TRIES; tries++) {
			(void)usleep(BUSY_WAIT);
			r = listen_open(image, &all[i], &listeners->sockets[i], why, why_size);
		}
		if (r < 0) {
			while (listeners->n)
				close(listeners->sockets[--listeners->n].fd);
			return r;
		}
		listeners->n++;
	}
	return 0;
}
