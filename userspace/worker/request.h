/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request.h - from bytes to a pending action: recognise the head, judge it, read and judge what body there
 * is.
 */
#ifndef SOCKGATE_WORKER_REQUEST_H
#define SOCKGATE_WORKER_REQUEST_H

#include "worker/client.h"

/*
 * Takes one request from [in, in+n), which is client->held or the worker's scratch and may be written to. In
 * state HEAD `in` starts with a head, in state BODY with the head and body read so far. Returns the bytes
 * consumed when an action is pending, or 0 when more bytes are needed; then everything in `in` up to
 * *ret_keep is to be kept (decoding a chunked body in place makes it shorter).
 */
size_t request_take(struct worker *worker, struct client *client, char *in, size_t n, size_t *ret_keep);

/* Makes a refusal the pending action, with a record that says why. */
void request_refuse(struct worker *worker, struct client *client, unsigned status, const char *why);

#endif
