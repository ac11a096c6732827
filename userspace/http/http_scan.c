/* SPDX-License-Identifier: BSD-2-Clause */
#include "http/http_scan.h"

#include <errno.h>

#define T HTTP_BYTE_TOKEN
#define V HTTP_BYTE_VALUE
#define P HTTP_BYTE_TARGET
#define H HTTP_BYTE_HOST

/* A byte that is not listed (control bytes, DEL) belongs nowhere in a head. */
const uint8_t http_byte_classes[256] = {
	['\t'] = V,
	[' '] = V,
	['0' ... '9'] = T | V | P | H,
	['A' ... 'Z'] = T | V | P | H,
	['a' ... 'z'] = T | V | P | H,
	['!'] = T | V | P | H,
	['$'] = T | V | P | H,
	['%'] = T | V | P | H,
	['&'] = T | V | P | H,
	['\''] = T | V | P | H,
	['*'] = T | V | P | H,
	['+'] = T | V | P | H,
	['-'] = T | V | P | H,
	['.'] = T | V | P | H,
	['_'] = T | V | P | H,
	['~'] = T | V | P | H,
	['^'] = T | V | P,
	['`'] = T | V | P,
	['|'] = T | V | P,
	['#'] = T | V,
	['('] = V | P | H,
	[')'] = V | P | H,
	[','] = V | P | H,
	[':'] = V | P | H,
	[';'] = V | P | H,
	['='] = V | P | H,
	['['] = V | P | H,
	[']'] = V | P | H,
	['"'] = V | P,
	['/'] = V | P,
	['<'] = V | P,
	['>'] = V | P,
	['?'] = V | P,
	['@'] = V | P,
	['\\'] = V | P,
	['{'] = V | P,
	['}'] = V | P,
	[0x80 ... 0xff] = V,
};

int http_scan_crlf(struct http_scan *s)
{
	if (s->p == s->end)
		return 0;
	if (s->p[0] != '\r')
		return http_scan_refuse(s, EBADMSG, "a line does not end in CRLF");
	if (s->p + 1 == s->end)
		return 0;
	if (s->p[1] != '\n')
		return http_scan_refuse(s, EBADMSG, "a carriage return without a line feed");
	s->p += 2;
	return 1;
}

int http_scan_version(struct http_scan *s, int unsupported, uint8_t *ret_minor)
{
	static const char known[] = "HTTP/1.";
	const size_t major = 5, minor = 7;

	for (size_t i = 0; i <= minor; i++) {
		char c;

		if (s->p + i == s->end)
			return 0;
		c = s->p[i];
		if (i < minor ? c == known[i] : c == '0' || c == '1')
			continue;
		if ((i == major || i == minor) && c >= '0' && c <= '9')
			return http_scan_refuse(s, unsupported, "a version of HTTP other than 1.0 and 1.1");
		return http_scan_refuse(s, EBADMSG, "a malformed HTTP version");
	}
	*ret_minor = (uint8_t)(s->p[minor] - '0');
	s->p += minor + 1;
	return 1;
}
