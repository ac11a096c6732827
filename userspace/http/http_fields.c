/* SPDX-License-Identifier: BSD-2-Clause */
#include "http/http_fields.h"

#include <errno.h>

#define CONTENT_LENGTH_DIGITS 18 /* any such number fits 63 bits */

static enum http_field_id match(struct str name, struct str lower, enum http_field_id id)
{
	return http_token_is(name, lower) ? id : HTTP_FIELD_OTHER;
}

/* Every field passes here, so the length decides first: most fields are compared with nothing. */
static enum http_field_id field_identify(struct str name)
{
	int first = name.p[0] | 0x20;

	switch (name.n) {
	case 2:
		return match(name, STR("te"), HTTP_FIELD_TE);
	case 4:
		return match(name, STR("host"), HTTP_FIELD_HOST);
	case 6:
		if (first == 'e')
			return match(name, STR("expect"), HTTP_FIELD_EXPECT);
		return match(name, STR("origin"), HTTP_FIELD_ORIGIN);
	case 7:
		if (first == 'u')
			return match(name, STR("upgrade"), HTTP_FIELD_UPGRADE);
		return match(name, STR("trailer"), HTTP_FIELD_TRAILER);
	case 10:
		if (first == 'c')
			return match(name, STR("connection"), HTTP_FIELD_CONNECTION);
		return match(name, STR("keep-alive"), HTTP_FIELD_KEEP_ALIVE);
	case 12:
		return match(name, STR("content-type"), HTTP_FIELD_CONTENT_TYPE);
	case 14:
		return match(name, STR("content-length"), HTTP_FIELD_CONTENT_LENGTH);
	case 16:
		if (first == 'c')
			return match(name, STR("content-encoding"), HTTP_FIELD_CONTENT_ENCODING);
		return match(name, STR("proxy-connection"), HTTP_FIELD_PROXY_CONNECTION);
	case 17:
		return match(name, STR("transfer-encoding"), HTTP_FIELD_TRANSFER_ENCODING);
	default:
		return HTTP_FIELD_OTHER;
	}
}

/* Why the bytes [name, p), of which p is no token byte, cannot begin a field line. */
static const char *name_fault(const char *name, const char *p)
{
	bool space = *p == ' ' || *p == '\t';

	if (p > name)
		return space ? "white space before the colon of a field" : "a field name that is not a token";
	if (space)
		return "a folded field line";
	return *p == ':' ? "a field without a name" : "a line that is not a field";
}

static int field_line(struct http_scan *s, struct http_field *ret)
{
	const char *name = s->p;
	const char *colon = http_bytes_skip(name, s->end, HTTP_BYTE_TOKEN);
	const char *value, *value_end;
	int got;

	if (colon == s->end)
		return 0;
	if (*colon != ':' || colon == name)
		return http_scan_refuse(s, EBADMSG, name_fault(name, colon));
	value = colon + 1;
	value_end = s->p = http_bytes_skip(value, s->end, HTTP_BYTE_VALUE);
	if (s->p < s->end && *s->p != '\r' && *s->p != '\n')
		return http_scan_refuse(s, EBADMSG, "a control byte in a field value");
	got = http_scan_crlf(s);
	if (got <= 0)
		return got;

	while (value < value_end && (*value == ' ' || *value == '\t'))
		value++;
	while (value_end > value && (value_end[-1] == ' ' || value_end[-1] == '\t'))
		value_end--;
	ret->name = (struct str){ name, (size_t)(colon - name) };
	ret->value = (struct str){ value, (size_t)(value_end - value) };
	ret->id = field_identify(ret->name);
	return 1;
}

static int content_length(struct http_scan *s, struct http_fields *f, struct str value)
{
	uint64_t length = 0;

	if (http_fields_have(f, HTTP_FIELD_TRANSFER_ENCODING))
		return http_scan_refuse(s, EBADMSG, "both Content-Length and Transfer-Encoding");
	if (value.n == 0 || value.n > CONTENT_LENGTH_DIGITS || (value.n > 1 && value.p[0] == '0'))
		return http_scan_refuse(s, EBADMSG, "Content-Length is not a plain number");
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return http_scan_refuse(s, EBADMSG, "Content-Length is not a plain number");
		length = length * 10 + (uint64_t)(value.p[i] - '0');
	}
	f->content_length = length;
	return 1;
}

static int transfer_encoding(struct http_scan *s, const struct http_fields *f, struct str value)
{
	if (http_fields_have(f, HTTP_FIELD_CONTENT_LENGTH))
		return http_scan_refuse(s, EBADMSG, "both Content-Length and Transfer-Encoding");
	/* Go ignores the field on HTTP/1.0: to the engine the chunks would be the next request. */
	if (f->minor == 0)
		return http_scan_refuse(s, EBADMSG, "Transfer-Encoding on HTTP/1.0");
	if (!http_token_is(value, STR("chunked")))
		return http_scan_refuse(s, EBADMSG, "a Transfer-Encoding other than chunked");
	return 1;
}

/* RFC 9110 section 7.2; the value itself means nothing to the engine, and buildx sends it empty. */
static int host(struct http_scan *s, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (!http_byte_is(value.p[i], HTTP_BYTE_HOST))
			return http_scan_refuse(s, EBADMSG, "Host is not a host name");
		if (value.p[i] != '%')
			continue;
		for (size_t digit = i + 1; digit <= i + 2; digit++)
			if (digit >= value.n || http_hex_value(value.p[digit]) < 0)
				return http_scan_refuse(s, EBADMSG, "a malformed escape in Host");
	}
	return 1;
}

/*
 * RFC 9110 section 7.6.1: a sender must not list a field that is meant for every recipient. A gateway that
 * obeyed would drop what frames or describes the message; we never do, and refuse whoever tries.
 */
static bool belongs_to_message(enum http_field_id id)
{
	switch (id) {
	case HTTP_FIELD_HOST:
	case HTTP_FIELD_CONTENT_LENGTH:
	case HTTP_FIELD_CONTENT_TYPE:
	case HTTP_FIELD_CONTENT_ENCODING:
	case HTTP_FIELD_TRANSFER_ENCODING:
	case HTTP_FIELD_EXPECT:
	case HTTP_FIELD_ORIGIN:
		return true;
	default:
		return false;
	}
}

static int connection(struct http_scan *s, struct http_fields *f, struct str value)
{
	const char *p = value.p;
	const char *end = value.p + value.n;

	while (p < end) {
		struct str option = { p, (size_t)(http_bytes_skip(p, end, HTTP_BYTE_TOKEN) - p) };

		if (option.n > 0) {
			if (http_token_is(option, STR("close")))
				f->close = true;
			if (belongs_to_message(field_identify(option)))
				return http_scan_refuse(s, EBADMSG,
							"Connection names a field of the whole message");
		}
		p += option.n;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (p < end && *p != ',')
			return http_scan_refuse(s, EBADMSG, "Connection is not a list of tokens");
		p += p < end;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
	}
	return 1;
}

static int expect(struct http_scan *s, struct str value)
{
	if (!http_token_is(value, STR("100-continue")))
		return http_scan_refuse(s, ENOTSUP, "an expectation other than 100-continue");
	return 1;
}

/* Takes note of one line's meaning. */
static int field_note(struct http_scan *s, struct http_fields *f, const struct http_field *field)
{
	switch (field->id) {
	case HTTP_FIELD_CONNECTION:
		return connection(s, f, field->value);
	case HTTP_FIELD_HOST:
	case HTTP_FIELD_EXPECT:
	case HTTP_FIELD_ORIGIN:
		if (!f->of_request)
			return 1;
		break;
	case HTTP_FIELD_CONTENT_LENGTH:
	case HTTP_FIELD_CONTENT_TYPE:
	case HTTP_FIELD_CONTENT_ENCODING:
	case HTTP_FIELD_TRANSFER_ENCODING:
	case HTTP_FIELD_UPGRADE:
		break;
	default:
		return 1;
	}

	/* Equal or not: two readers may take different ones. */
	if (http_fields_have(f, field->id))
		return http_scan_refuse(s, EBADMSG, "a field that may stand once stands twice");
	f->seen |= 1u << field->id;
	f->value[field->id] = field->value;

	switch (field->id) {
	case HTTP_FIELD_HOST:
		return host(s, field->value);
	case HTTP_FIELD_EXPECT:
		return expect(s, field->value);
	case HTTP_FIELD_CONTENT_LENGTH:
		return content_length(s, f, field->value);
	case HTTP_FIELD_TRANSFER_ENCODING:
		return transfer_encoding(s, f, field->value);
	default:
		return 1;
	}
}

int http_fields_read(struct http_scan *s, struct http_fields *f)
{
	f->close = false;
	f->content_length = 0;
	f->n = 0;
	f->seen = 0;
	for (;;) {
		int got;

		if (s->p == s->end)
			return 0;
		if (*s->p == '\r')
			return http_scan_crlf(s);
		if (f->n == HTTP_FIELDS_MAX)
			return http_scan_refuse(s, EMSGSIZE, "too many fields");
		got = field_line(s, &f->list[f->n]);
		if (got <= 0)
			return got;
		got = field_note(s, f, &f->list[f->n]);
		if (got <= 0)
			return got;
		f->n++;
	}
}

bool http_field_is_hop_by_hop(const struct http_field *field)
{
	switch (field->id) {
	case HTTP_FIELD_CONNECTION:
	case HTTP_FIELD_KEEP_ALIVE:
	case HTTP_FIELD_CONTENT_LENGTH:
	case HTTP_FIELD_TRANSFER_ENCODING:
	case HTTP_FIELD_TE:
	case HTTP_FIELD_TRAILER:
	case HTTP_FIELD_UPGRADE:
	case HTTP_FIELD_EXPECT:
	case HTTP_FIELD_PROXY_CONNECTION:
		return true;
	case HTTP_FIELD_OTHER:
		/* It belongs to Upgrade: h2c (RFC 7540 section 3.2.1). */
		return http_token_is(field->name, STR("http2-settings"));
	default:
		return false;
	}
}
