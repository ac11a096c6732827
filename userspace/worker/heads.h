/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heads.h - writes the heads that sockgate sends: from what was understood, never from what was received.
 *
 * Our order, our framing. Of a client's fields only those go on that the engine is known to read
 * (facts: moby daemon/server/router); of the engine's, all but those that belong to one hop. Pure.
 */
#ifndef SOCKGATE_WORKER_HEADS_H
#define SOCKGATE_WORKER_HEADS_H

#include "api/api_target.h"
#include "http/http_head.h"
#include "text/buf.h"

/* Appends a request head. `upgrade`: ask for the protocol that the client asked for. */
void heads_write_request(struct buf *out, const struct http_request *request, const struct api_target *target,
			 enum http_framing framing, uint64_t length, bool upgrade);

enum heads_connection { HEADS_KEEP, HEADS_CLOSE, HEADS_UPGRADE };

/*
 * Appends a response head. `length` counts for HTTP_BODY_LENGTH. `origin`, unless empty, is the web page that
 * may read it (origin.h); what the engine says about that is not passed on.
 */
void heads_write_response(struct buf *out, const struct http_response *response, enum http_framing framing,
			  uint64_t length, enum heads_connection connection, struct str origin);

/* Appends a whole answer of our own, in Docker's shape: {"message": "..."}. Without the body when
 * `head_only`. */
void heads_write_refusal(struct buf *out, unsigned status, struct str message, bool close, bool head_only,
			 struct str origin);

/* RFC 9110's reason phrase for the statuses that we answer with. */
const char *heads_reason(unsigned status);

#endif
