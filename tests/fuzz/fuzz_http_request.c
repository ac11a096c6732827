/* SPDX-License-Identifier: BSD-2-Clause */
/* What is understood of a request head lies in it and hangs together, and more bytes do not change it. */
#include <assert.h>
#include <errno.h>

#include "http/http_head.h"

static void check_inside(struct str s, const char *in, ssize_t n)
{
	assert(s.p == NULL ? s.n == 0 : s.p >= in && s.p + s.n <= in + n);
}

static unsigned count_fields(const struct http_request *r, const char *name, enum http_field_id id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n_fields; i++) {
		assert(str_ieqz(r->fields[i].name, name) == (r->fields[i].id == id));
		n += r->fields[i].id == id;
	}
	return n;
}

static void check_slices(const struct http_request *r, const char *in, ssize_t n)
{
	const struct str slices[] = { r->target,           r->upgrade, r->content_type,
				      r->content_encoding, r->host,    r->origin };

	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
		check_inside(slices[i], in, n);
	for (unsigned i = 0; i < r->n_fields; i++) {
		check_inside(r->fields[i].name, in, n);
		check_inside(r->fields[i].value, in, n);
		assert(!memchr(r->fields[i].value.p, '\n', r->fields[i].value.n));
	}
}

static void check_request(const struct http_request *r)
{
	unsigned lengths = count_fields(r, "content-length", HTTP_FIELD_CONTENT_LENGTH);
	unsigned codings = count_fields(r, "transfer-encoding", HTTP_FIELD_TRANSFER_ENCODING);
	unsigned hosts = count_fields(r, "host", HTTP_FIELD_HOST);

	assert(r->target.n > 0 && r->target.p[0] == '/' && !memchr(r->target.p, '#', r->target.n));
	assert(lengths + codings <= 1 && hosts <= 1 && hosts >= r->minor);
	assert((r->framing == HTTP_BODY_LENGTH) == lengths && (r->framing == HTTP_BODY_CHUNKED) == codings);
	assert(r->minor == 1 || !(r->keep_alive || r->expect_continue || codings));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request request, again;
	const char *in = (const char *)data, *why = NULL;
	ssize_t got = http_request_parse(in, size, &request, &why);

	assert(got <= (ssize_t)size && (got < 0) == (why != NULL));
	assert(got >= 0 || got == -EBADMSG || got == -EMSGSIZE || got == -ENOTSUP || got == -EPROTONOSUPPORT);
	if (got > 0) {
		assert(got <= HTTP_HEAD_MAX && memcmp(in + got - 4, "\r\n\r\n", 4) == 0);
		check_slices(&request, in, got);
		check_request(&request);
	}
	/* The last byte picks a prefix: it has no other answer than the whole, unless it is too short to
	 * tell. */
	size_t part = size ? data[size - 1] * size / 256 : 0;
	ssize_t early = http_request_parse(in, part, &again, &why);
	assert(early == 0 || early == got);
	return 0;
}
