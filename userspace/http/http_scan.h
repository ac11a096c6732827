/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_scan.h - a cursor over a head that may not have arrived in full; internal to http/.
 *
 * Every step returns 1 when it has read its part, 0 when more bytes are needed to tell, or a negative errno
 * with `why` set. A step may only answer 0 while the bytes it saw could still become valid: that is what
 * makes a hopeless head fail at once, and a prefix of a refused head never fail differently from the whole.
 */
#ifndef SOCKGATE_HTTP_SCAN_H
#define SOCKGATE_HTTP_SCAN_H

#include <stdint.h>

#include "text/str.h"

/* Classes of bytes; RFC 9110 sections 5.5 and 5.6.2, RFC 3986 section 3.2.2. */
enum http_byte_class {
	HTTP_BYTE_TOKEN = 1,  /* tchar */
	HTTP_BYTE_VALUE = 2,  /* HTAB, SP, VCHAR, obs-text */
	HTTP_BYTE_TARGET = 4, /* VCHAR without '#' */
	HTTP_BYTE_HOST = 8,   /* uri-host and port: no '@', no '/' */
};

extern const uint8_t http_byte_classes[256];

struct http_scan {
	const char *p;
	const char *end;
	const char *why; /* set by whichever step refuses */
};

static inline bool http_byte_is(char c, enum http_byte_class class)
{
	return http_byte_classes[(unsigned char)c] & class;
}

static inline const char *http_bytes_skip(const char *p, const char *end, enum http_byte_class class)
{
	/* Four bytes a round while there are four: most of the time a head takes is spent here. */
	for (; end - p >= 4; p += 4) {
		if (!http_byte_is(p[0], class))
			return p;
		if (!http_byte_is(p[1], class))
			return p + 1;
		if (!http_byte_is(p[2], class))
			return p + 2;
		if (!http_byte_is(p[3], class))
			return p + 3;
	}
	while (p < end && http_byte_is(*p, class))
		p++;
	return p;
}

/* The value of a hexadecimal digit, or -1. */
static inline int http_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Returns -error, so that a refusal is one statement. */
static inline int http_scan_refuse(struct http_scan *s, int error, const char *why)
{
	s->why = why;
	return -error;
}

int http_scan_crlf(struct http_scan *s);

/* "HTTP/1.0" or "HTTP/1.1"; another version is refused with -unsupported. */
int http_scan_version(struct http_scan *s, int unsupported, uint8_t *ret_minor);

/*
 * Whether a token is `lower`, ASCII case aside and whatever the locale. `lower` has letters, digits and '-'
 * only, and `token` no control bytes: then folding by one bit cannot make two different bytes equal.
 */
static inline bool http_token_is(struct str token, struct str lower)
{
	if (token.n != lower.n)
		return false;
	for (size_t i = 0; i < lower.n; i++)
		if ((token.p[i] | 0x20) != lower.p[i])
			return false;
	return true;
}

#endif
