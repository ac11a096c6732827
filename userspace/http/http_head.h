/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_head.h - recognises the subset of HTTP/1.1 heads (RFC 9112) that sockgate speaks, and refuses the
 * rest.
 *
 * A head is read whole, from a buffer that holds all of it; nothing is repaired, and there is no lenient
 * mode. Slices point into the caller's buffer and live as long as it does. Pure: no I/O, no allocation, no
 * state.
 */
#ifndef SOCKGATE_HTTP_HEAD_H
#define SOCKGATE_HTTP_HEAD_H

#include <stdint.h>
#include <sys/types.h>

#include "text/buf.h"
#include "text/str.h"

#define HTTP_HEAD_MAX   16384 /* bytes in a head, its last CRLF included */
#define HTTP_FIELDS_MAX 64    /* field lines in a head */

/* The methods with a meaning in HTTP; any other token is not in the subset. The engine serves the first six.
 */
enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_PATCH,
	HTTP_TRACE,
	HTTP_METHODS
};

/* How the length of a body is known (RFC 9112 section 6.3). */
enum http_framing {
	HTTP_BODY_NONE,    /* there is none */
	HTTP_BODY_LENGTH,  /* content_length bytes, which may be 0 */
	HTTP_BODY_CHUNKED, /* chunked transfer coding */
	HTTP_BODY_CLOSE,   /* responses only: until the connection ends */
};

/* The fields that the recogniser itself gives a meaning to; every other one is HTTP_FIELD_OTHER. */
enum http_field_id {
	HTTP_FIELD_OTHER,
	HTTP_FIELD_HOST,
	HTTP_FIELD_CONNECTION,
	HTTP_FIELD_KEEP_ALIVE,
	HTTP_FIELD_CONTENT_LENGTH,
	HTTP_FIELD_CONTENT_TYPE,
	HTTP_FIELD_CONTENT_ENCODING,
	HTTP_FIELD_TRANSFER_ENCODING,
	HTTP_FIELD_TE,
	HTTP_FIELD_TRAILER,
	HTTP_FIELD_UPGRADE,
	HTTP_FIELD_EXPECT,
	HTTP_FIELD_ORIGIN,
	HTTP_FIELD_PROXY_CONNECTION,
};

struct http_field {
	struct str name;  /* as received */
	struct str value; /* without the white space around it */
	enum http_field_id id;
};

struct http_request {
	enum http_method method;
	uint8_t minor;     /* HTTP/1.minor: 0 or 1 */
	struct str target; /* origin-form, bytes 0x21 to 0x7e, starts with '/', no '#' */
	enum http_framing framing;
	uint64_t content_length; /* for HTTP_BODY_LENGTH */
	bool keep_alive;         /* the client would go on: 1.1 without Connection: close; never for 1.0 */
	bool expect_continue;    /* Expect: 100-continue; any other expectation is refused with -ENOTSUP */
	/* p is NULL if there is no such field (an empty one has n == 0); each may stand once only. */
	struct str upgrade; /* whether Connection names it or not: Docker looks at it alone, even if empty */
	struct str content_type;
	struct str content_encoding;
	struct str host; /* may be empty: buildx sends it so; HTTP/1.0 need not have one */
	struct str origin;
	unsigned n_fields; /* of `fields`, the rest of which is left as it was */
	struct http_field fields[HTTP_FIELDS_MAX];
};

struct http_response {
	unsigned status; /* 100 to 599 */
	uint8_t minor;
	struct str reason;
	enum http_framing framing; /* HEAD, 1xx, 204 and 304 have HTTP_BODY_NONE */
	uint64_t content_length;
	bool keep_alive; /* the engine will take another request on this connection: never after 101 */
	struct str upgrade;
	struct str content_type;
	unsigned n_fields;
	struct http_field fields[HTTP_FIELDS_MAX];
};

/*
 * Reads one request head from [in, in+len). Returns the bytes it takes, 0 when more are needed, or
 *   -EMSGSIZE         longer than HTTP_HEAD_MAX or more than HTTP_FIELDS_MAX fields  (431)
 *   -EPROTONOSUPPORT  a version of HTTP that is not spoken here                       (505)
 *   -ENOTSUP          an expectation other than 100-continue                          (417)
 *   -EBADMSG          anything else outside the subset                                (400)
 * On an error *why names the rule; it is a constant string. *ret is written only on success.
 * A head that can no longer become valid is refused as soon as the line at fault has come (mostly at the byte
 * at fault), not when the head ends; only the lack of a Host shows at the end. A longer input never changes
 * an answer other than 0.
 */
ssize_t http_request_parse(const char *in, size_t len, struct http_request *ret, const char **why);

/*
 * Likewise for a response head; `method` is that of the request it answers (a response to HEAD has no body).
 * Errors: -EMSGSIZE, -EBADMSG.
 */
ssize_t http_response_parse(const char *in, size_t len, enum http_method method, struct http_response *ret,
			    const char **why);

const char *http_method_name(enum http_method method);

/* The value of the first field of that name (case-insensitive), or {NULL, 0}. */
struct str http_request_field(const struct http_request *request, const char *name);

/*
 * Whether a field belongs to one hop only (RFC 9110 section 7.6.1) or to framing: such a field is never
 * forwarded as received; whoever writes the next head writes its own.
 */
bool http_field_is_hop_by_hop(const struct http_field *field);

#endif
