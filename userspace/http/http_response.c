/* SPDX-License-Identifier: BSD-2-Clause */
#include "http/http_fields.h"

#include <errno.h>

struct status_line {
	uint8_t minor;
	unsigned status;
	struct str reason;
};

/* SP, three digits, SP. */
static int status_code(struct http_scan *s, unsigned *ret)
{
	unsigned status = 0;

	for (size_t i = 0; i < 5; i++) {
		char c;

		if (s->p + i == s->end)
			return 0;
		c = s->p[i];
		if (i == 0 || i == 4) {
			if (c != ' ')
				return http_scan_refuse(s, EBADMSG, "a malformed status line");
			continue;
		}
		/* RFC 9110 section 15: 100 to 599, so the first digit is enough to tell. */
		if (c < (i == 1 ? '1' : '0') || c > (i == 1 ? '5' : '9'))
			return http_scan_refuse(s, EBADMSG, "a status that is not one of 100 to 599");
		status = status * 10 + (unsigned)(c - '0');
	}
	*ret = status;
	s->p += 5;
	return 1;
}

static int status_line(struct http_scan *s, struct status_line *ret)
{
	const char *reason;
	int got = http_scan_version(s, EBADMSG, &ret->minor);

	if (got > 0)
		got = status_code(s, &ret->status);
	if (got <= 0)
		return got;
	reason = s->p;
	s->p = http_bytes_skip(reason, s->end, HTTP_BYTE_VALUE);
	ret->reason = (struct str){ reason, (size_t)(s->p - reason) };
	return http_scan_crlf(s);
}

/* RFC 9112 section 6.3; rule 2 (CONNECT) has no place here. */
static enum http_framing response_framing(unsigned status, enum http_method method,
					  const struct http_fields *f)
{
	if (method == HTTP_HEAD || status < 200 || status == 204 || status == 304)
		return HTTP_BODY_NONE;
	if (http_fields_have(f, HTTP_FIELD_TRANSFER_ENCODING))
		return HTTP_BODY_CHUNKED;
	if (http_fields_have(f, HTTP_FIELD_CONTENT_LENGTH))
		return HTTP_BODY_LENGTH;
	return HTTP_BODY_CLOSE;
}

static void response_fill(const struct status_line *line, enum http_method method,
			  const struct http_fields *f, struct http_response *ret)
{
	ret->status = line->status;
	ret->minor = line->minor;
	ret->reason = line->reason;
	ret->framing = response_framing(line->status, method, f);
	ret->content_length = ret->framing == HTTP_BODY_LENGTH ? f->content_length : 0;
	/* After 101 the connection speaks something else. */
	ret->keep_alive =
		line->minor == 1 && !f->close && ret->framing != HTTP_BODY_CLOSE && line->status != 101;
	ret->upgrade = http_fields_value(f, HTTP_FIELD_UPGRADE);
	ret->content_type = http_fields_value(f, HTTP_FIELD_CONTENT_TYPE);
	ret->n_fields = f->n;
	memcpy(ret->fields, f->list, f->n * sizeof(f->list[0]));
}

ssize_t http_response_parse(const char *in, size_t len, enum http_method method, struct http_response *ret,
			    const char **why)
{
	struct http_scan s = { .p = in };
	struct status_line line;
	struct http_fields fields;
	int got;

	if (len == 0)
		return 0;
	s.end = in + (len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX);
	got = status_line(&s, &line);
	if (got > 0) {
		fields.of_request = false;
		fields.minor = line.minor;
		got = http_fields_read(&s, &fields);
	}
	if (got == 0 && len >= HTTP_HEAD_MAX)
		got = http_scan_refuse(&s, EMSGSIZE, "a head that is too long");
	if (got < 0)
		*why = s.why;
	if (got <= 0)
		return got;
	response_fill(&line, method, &fields, ret);
	return s.p - in;
}
