/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor.h - what a listener with `metrics: true` serves: /metrics, /healthz and /readyz, by GET and HEAD.
 *
 * Everything else on it is 404. Nothing that comes to it is ever forwarded: the one question that it has for
 * the engine, for /readyz, is our own (facts.h). It leaves no record in the audit trail, for it decides
 * nothing.
 */
#ifndef SOCKGATE_WORKER_MONITOR_H
#define SOCKGATE_WORKER_MONITOR_H

#include "worker/client.h"

#define MONITOR_ROOM (METRICS_TEXT_MAX + 1024) /* of an answer */

/*
 * Writes a whole answer to `out`, which has MONITOR_ROOM. False: the engine has to be asked first; the client
 * is to wait in state FACTS, and then to come here again.
 */
bool monitor_answer(struct worker *worker, struct client *client, const struct http_request *request,
		    struct buf *out);

#endif
