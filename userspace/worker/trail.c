/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/trail.h"

#include <errno.h>
#include <stdlib.h>

int trail_init(struct audit_writer *trail)
{
	char *memory = malloc(TRAIL_SIZE);

	return memory ? audit_writer_init(trail, memory, TRAIL_SIZE, "sockgate-worker") : -ENOMEM;
}

void trail_add(struct audit_writer *trail, const struct audit_request *record)
{
	if (trail->fd < 0)
		return;
	audit_format_request(audit_writer_begin(trail), record);
	audit_writer_end(trail);
}

int trail_flush(struct audit_writer *trail)
{
	return audit_writer_flush(trail);
}
