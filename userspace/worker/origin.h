/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * origin.h - which web pages may speak to a TCP listener: CORS (WHATWG Fetch), DNS rebinding, Sec-Fetch-Site.
 * Pure.
 *
 * A browser can reach a TCP listener on this host for any page that its user opens. What it says of the page
 * is believed, for a page cannot change it; whoever is no browser says nothing of the kind and is judged by
 * the policy alone. A Unix listener is out of a browser's reach, and its clients' Origin (WebSocket libraries
 * send one) means nothing, unless the listener names origins.
 */
#ifndef SOCKGATE_WORKER_ORIGIN_H
#define SOCKGATE_WORKER_ORIGIN_H

#include "http/http_head.h"
#include "policy/policy_image.h"
#include "text/buf.h"

enum origin_verdict {
	ORIGIN_NONE,      /* no browser: nothing to add */
	ORIGIN_ALLOWED,   /* *ret_origin goes into the answer */
	ORIGIN_PREFLIGHT, /* allowed, and answered here: origin_write_preflight() */
	ORIGIN_REFUSED,   /* 403, with *why */
};

/*
 * Judges one request. *ret_origin is the listener's own spelling of the origin (a string of the image), never
 * what the client sent; *why is a constant string.
 */
enum origin_verdict origin_judge(const struct policy_image *image, const struct image_listener *listener,
				 const struct http_request *request, struct str *ret_origin,
				 const char **why);

/* The field lines that let a page of that origin read an answer. */
void origin_write_fields(struct buf *out, struct str origin);

/* A whole answer to a preflight: what the page may ask, for ten minutes. */
void origin_write_preflight(struct buf *out, struct str origin);

#endif
