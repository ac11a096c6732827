/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is understood of a response head lies in it and hangs together, and more bytes do not change it.
 * The last byte picks the method that was asked and how long a prefix is tried.
 */
#include <assert.h>
#include <errno.h>

#include "http/http_head.h"

static void check_inside(struct str s, const char *in, ssize_t n)
{
	assert(s.p == NULL ? s.n == 0 : s.p >= in && s.p + s.n <= in + n);
}

static unsigned count_fields(const struct http_response *r, enum http_field_id id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n_fields; i++)
		n += r->fields[i].id == id;
	return n;
}

/* RFC 9112 section 6.3 */
static enum http_framing framing_of(const struct http_response *r, enum http_method method)
{
	if (method == HTTP_HEAD || r->status < 200 || r->status == 204 || r->status == 304)
		return HTTP_BODY_NONE;
	if (count_fields(r, HTTP_FIELD_TRANSFER_ENCODING) == 1)
		return HTTP_BODY_CHUNKED;
	return count_fields(r, HTTP_FIELD_CONTENT_LENGTH) == 1 ? HTTP_BODY_LENGTH : HTTP_BODY_CLOSE;
}

static void check_response(const struct http_response *r, enum http_method method, const char *in, ssize_t n)
{
	check_inside(r->reason, in, n);
	check_inside(r->upgrade, in, n);
	check_inside(r->content_type, in, n);
	for (unsigned i = 0; i < r->n_fields; i++) {
		check_inside(r->fields[i].name, in, n);
		check_inside(r->fields[i].value, in, n);
	}
	assert(r->status >= 100 && r->status <= 599 && r->minor <= 1 && r->n_fields <= HTTP_FIELDS_MAX);
	assert(r->framing == framing_of(r, method));
	assert(!r->keep_alive || (r->minor == 1 && r->framing != HTTP_BODY_CLOSE && r->status != 101));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_response response, again;
	const char *in = (const char *)data, *why = NULL;
	uint8_t last = size ? data[size - 1] : 0;
	enum http_method method = last % HTTP_METHODS;
	ssize_t got = http_response_parse(in, size, method, &response, &why);

	assert(got <= (ssize_t)size && (got < 0) == (why != NULL));
	assert(got >= 0 || got == -EBADMSG || got == -EMSGSIZE);
	if (got > 0) {
		assert(got <= HTTP_HEAD_MAX && memcmp(in + got - 4, "\r\n\r\n", 4) == 0);
		check_response(&response, method, in, got);
	}
	ssize_t early = http_response_parse(in, last * size / 256, method, &again, &why);
	assert(early == 0 || early == got);
	return 0;
}
