/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_fields.h - the field lines of a head and what they say together; internal to http/.
 *
 * The rules are those that requests and responses share (RFC 9112 sections 5 and 6); a line is judged as soon
 * as it is complete.
 */
#ifndef SOCKGATE_HTTP_FIELDS_H
#define SOCKGATE_HTTP_FIELDS_H

#include "http/http_head.h"
#include "http/http_scan.h"

#define HTTP_FIELD_IDS (HTTP_FIELD_PROXY_CONNECTION + 1)

struct http_fields {
	bool of_request;                  /* set by the caller, as is minor */
	uint8_t minor;                    /* HTTP/1.minor */
	bool close;                       /* Connection says close */
	uint64_t content_length;          /* when there is such a field */
	uint32_t seen;                    /* bit i: the field with id i, of those that may stand once */
	struct str value[HTTP_FIELD_IDS]; /* set where `seen` says so: clearing it cost a sixth of a head */
	unsigned n;
	struct http_field list[HTTP_FIELDS_MAX]; /* n are set */
};

static inline bool http_fields_have(const struct http_fields *f, enum http_field_id id)
{
	return f->seen >> id & 1;
}

static inline struct str http_fields_value(const struct http_fields *f, enum http_field_id id)
{
	return http_fields_have(f, id) ? f->value[id] : (struct str){ NULL, 0 };
}

/* Reads up to and with the empty line. Errors: -EBADMSG, -EMSGSIZE, for requests -ENOTSUP. */
int http_fields_read(struct http_scan *s, struct http_fields *f);

#endif
