/* SPDX-License-Identifier: BSD-2-Clause */
#include "http/http_fields.h"

#include <errno.h>

/* With the space that must follow, so that one comparison reads both. */
static const struct str methods[HTTP_METHODS] = {
	[HTTP_GET] = { "GET ", 4 },     [HTTP_HEAD] = { "HEAD ", 5 },     [HTTP_POST] = { "POST ", 5 },
	[HTTP_PUT] = { "PUT ", 4 },     [HTTP_DELETE] = { "DELETE ", 7 }, [HTTP_OPTIONS] = { "OPTIONS ", 8 },
	[HTTP_PATCH] = { "PATCH ", 6 }, [HTTP_TRACE] = { "TRACE ", 6 },
};

struct request_line {
	enum http_method method;
	struct str target;
	uint8_t minor;
};

static int request_method(struct http_scan *s, enum http_method *ret)
{
	size_t len = (size_t)(s->end - s->p);

	for (enum http_method m = 0; m < HTTP_METHODS; m++) {
		size_t n = len < methods[m].n ? len : methods[m].n;

		if (s->p[0] != methods[m].p[0] || memcmp(s->p, methods[m].p, n) != 0)
			continue;
		if (n < methods[m].n)
			return 0;
		s->p += n;
		*ret = m;
		return 1;
	}
	return http_scan_refuse(s, EBADMSG, "an unknown method");
}

static int request_target(struct http_scan *s, struct str *ret)
{
	const char *start = s->p;
	const char *p = http_bytes_skip(start, s->end, HTTP_BYTE_TARGET);

	if (start == s->end)
		return 0;
	if (*start != '/')
		return http_scan_refuse(s, EBADMSG, "a target that does not start with /");
	if (p == s->end)
		return 0;
	if (*p == '\r' || *p == '\n')
		return http_scan_refuse(s, EBADMSG, "a request line without a version");
	if (*p != ' ')
		return http_scan_refuse(s, EBADMSG, "a byte that may not stand in a target");
	*ret = (struct str){ start, (size_t)(p - start) };
	s->p = p + 1;
	return 1;
}

static int request_line(struct http_scan *s, struct request_line *ret)
{
	int got = request_method(s, &ret->method);

	if (got > 0)
		got = request_target(s, &ret->target);
	if (got > 0)
		got = http_scan_version(s, EPROTONOSUPPORT, &ret->minor);
	if (got > 0)
		got = http_scan_crlf(s);
	return got;
}

static void request_fill(const struct request_line *line, const struct http_fields *f,
			 struct http_request *ret)
{
	ret->method = line->method;
	ret->minor = line->minor;
	ret->target = line->target;
	if (http_fields_have(f, HTTP_FIELD_TRANSFER_ENCODING))
		ret->framing = HTTP_BODY_CHUNKED;
	else if (http_fields_have(f, HTTP_FIELD_CONTENT_LENGTH))
		ret->framing = HTTP_BODY_LENGTH;
	else
		ret->framing = HTTP_BODY_NONE;
	ret->content_length = f->content_length;
	ret->keep_alive = line->minor == 1 && !f->close;
	/* RFC 9110 section 10.1.1: on 1.0 it is ignored, for such a client would take the 100 for the answer.
	 */
	ret->expect_continue = line->minor == 1 && http_fields_have(f, HTTP_FIELD_EXPECT);
	ret->upgrade = http_fields_value(f, HTTP_FIELD_UPGRADE);
	ret->content_type = http_fields_value(f, HTTP_FIELD_CONTENT_TYPE);
	ret->content_encoding = http_fields_value(f, HTTP_FIELD_CONTENT_ENCODING);
	ret->host = http_fields_value(f, HTTP_FIELD_HOST);
	ret->origin = http_fields_value(f, HTTP_FIELD_ORIGIN);
	ret->n_fields = f->n;
	memcpy(ret->fields, f->list, f->n * sizeof(f->list[0]));
}

ssize_t http_request_parse(const char *in, size_t len, struct http_request *ret, const char **why)
{
	struct http_scan s = { .p = in };
	struct request_line line;
	struct http_fields fields;
	int got;

	if (len == 0)
		return 0;
	s.end = in + (len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX);
	got = request_line(&s, &line);
	if (got > 0) {
		fields.of_request = true;
		fields.minor = line.minor;
		got = http_fields_read(&s, &fields);
	}
	if (got > 0 && line.minor == 1 && !http_fields_have(&fields, HTTP_FIELD_HOST))
		got = http_scan_refuse(&s, EBADMSG, "no Host");
	if (got == 0 && len >= HTTP_HEAD_MAX)
		got = http_scan_refuse(&s, EMSGSIZE, "a head that is too long");
	if (got < 0)
		*why = s.why;
	if (got <= 0)
		return got;
	request_fill(&line, &fields, ret);
	return s.p - in;
}

const char *http_method_name(enum http_method method)
{
	static const char *const names[HTTP_METHODS] = {
		[HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT",     [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
		[HTTP_PATCH] = "PATCH", [HTTP_TRACE] = "TRACE",
	};

	return method < HTTP_METHODS ? names[method] : "?";
}

struct str http_request_field(const struct http_request *request, const char *name)
{
	for (unsigned i = 0; i < request->n_fields; i++)
		if (str_ieqz(request->fields[i].name, name))
			return request->fields[i].value;
	return (struct str){ NULL, 0 };
}
