/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trail.h - the audit trail of a proxy that runs alone: opened while it may, opened again after a rotation,
 * and signed when there is a key. Under sockgated none of this is the proxy's.
 *
 * Opening again is by name in the folder that was found at the start. It needs what every opening needs: a
 * proxy that was started as root and became user sockgate can open only a file that logrotate made for that
 * user (`create 0640 sockgate sockgate`). Where it cannot, it says so and goes on with the old file.
 */
#ifndef SOCKGATE_PROXY_TRAIL_H
#define SOCKGATE_PROXY_TRAIL_H

#include <limits.h>

#include "audit/audit_signer.h"
#include "policy/policy_image.h"

#define TRAIL_SIGN_MS 2000

struct trail {
	int directory; /* O_PATH; -1: the trail is no file, and never rotated */
	char name[NAME_MAX + 1];
	bool signs;
	int64_t looked_at; /* seconds, CLOCK_MONOTONIC */
	struct audit_signer signer;
	struct audit_writer writer; /* of checkpoints */
};

/*
 * Opens what the image names; `key_file` may be NULL. Sets *ret_fd to the descriptor for the worker, -1 when
 * no trail is kept. Returns 0, or -errno after saying on standard error what is wrong.
 */
int trail_open(struct trail *trail, const struct policy_image *image, const char *key_file, int *ret_fd);
/* After a rotation. Returns 0 with a new descriptor, or -errno after saying why the old one stays. */
int trail_reopen(struct trail *trail, int *ret_fd);
/* Reads and signs what has come, at most once in TRAIL_SIGN_MS; and at the end (`last`) in any case. */
void trail_sign(struct trail *trail, bool last);

#endif
