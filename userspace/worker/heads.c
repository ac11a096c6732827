/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/heads.h"

#include "worker/origin.h"

/* Request fields that the engine reads, or that are harmless and useful in its logs. */
static const char *const forwarded[] = {
	"Accept",
	"User-Agent",
	"Content-Type",
	"Content-Encoding",             /* images.build: a compressed context */
	"X-Registry-Auth",              /* images.create, images.push, plugins.*, services.* */
	"X-Registry-Config",            /* images.build */
	"X-Docker-Expose-Session-Uuid", /* buildkit.session, all four */
	"X-Docker-Expose-Session-Name",
	"X-Docker-Expose-Session-Sharedkey",
	"X-Docker-Expose-Session-Grpc-Method",
	"Sec-WebSocket-Key", /* containers.attach_ws, all four */
	"Sec-WebSocket-Version",
	"Sec-WebSocket-Protocol",
	"Origin",
	"Traceparent", /* W3C trace context: moby's OpenTelemetry */
	"Tracestate",
	"Baggage",
};

static bool is_forwarded(const struct http_field *field)
{
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		if (str_ieqz(field->name, forwarded[i]))
			return true;
	return false;
}

static void write_field(struct buf *out, struct str name, struct str value)
{
	buf_str(out, name);
	buf_append(out, ": ", 2);
	buf_str(out, value);
	buf_append(out, "\r\n", 2);
}

static void write_framing(struct buf *out, enum http_framing framing, uint64_t length)
{
	if (framing == HTTP_BODY_CHUNKED) {
		buf_puts(out, "Transfer-Encoding: chunked\r\n");
	} else if (framing == HTTP_BODY_LENGTH) {
		buf_puts(out, "Content-Length: ");
		buf_u64(out, length);
		buf_append(out, "\r\n", 2);
	}
}

void heads_write_request(struct buf *out, const struct http_request *request, const struct api_target *target,
			 enum http_framing framing, uint64_t length, bool upgrade)
{
	buf_puts(out, http_method_name(request->method));
	buf_putc(out, ' ');
	api_target_write(target, out);
	buf_puts(out, " HTTP/1.1\r\nHost: docker\r\n");
	for (unsigned i = 0; i < request->n_fields; i++) {
		const struct http_field *field = &request->fields[i];

		if (!is_forwarded(field))
			continue;
		/* The type and coding of a body that does not go on would speak of nothing. */
		if (framing == HTTP_BODY_NONE &&
		    (field->id == HTTP_FIELD_CONTENT_TYPE || field->id == HTTP_FIELD_CONTENT_ENCODING))
			continue;
		write_field(out, field->name, field->value);
	}
	if (upgrade) {
		buf_puts(out, "Connection: Upgrade\r\n");
		write_field(out, STR("Upgrade"), request->upgrade);
	}
	/* Said even when there is none: Go's server then knows at once that a POST has no body. */
	if (framing == HTTP_BODY_NONE && (request->method == HTTP_POST || request->method == HTTP_PUT))
		write_framing(out, HTTP_BODY_LENGTH, 0);
	else
		write_framing(out, framing, length);
	buf_append(out, "\r\n", 2);
}

/* What an engine of API 1.46 or older may say with --api-cors-header: here it is the listener that says it.
 */
static bool is_cors(struct str name)
{
	static const char prefix[] = "Access-Control-";

	return name.n > sizeof(prefix) - 1 && strncasecmp(name.p, prefix, sizeof(prefix) - 1) == 0;
}

/* Whether a Connection field names this one, which makes it one for a single hop (RFC 9110 section 7.6.1). */
static bool is_named_by_connection(const struct http_response *response, struct str name)
{
	for (unsigned i = 0; i < response->n_fields; i++) {
		struct str list = response->fields[i].value;

		if (response->fields[i].id != HTTP_FIELD_CONNECTION)
			continue;
		for (size_t at = 0, end; at < list.n; at = end + 1) {
			for (end = at; end < list.n && list.p[end] != ','; end++)
				;
			while (at < end && (list.p[at] == ' ' || list.p[at] == '\t'))
				at++;
			struct str token = { list.p + at, end - at };

			while (token.n && (token.p[token.n - 1] == ' ' || token.p[token.n - 1] == '\t'))
				token.n--;
			if (token.n == name.n && strncasecmp(token.p, name.p, name.n) == 0)
				return true;
		}
	}
	return false;
}

void heads_write_response(struct buf *out, const struct http_response *response, enum http_framing framing,
			  uint64_t length, enum heads_connection connection, struct str origin)
{
	buf_puts(out, "HTTP/1.1 ");
	buf_u64(out, response->status);
	buf_putc(out, ' ');
	buf_str(out, response->reason);
	buf_append(out, "\r\n", 2);
	for (unsigned i = 0; i < response->n_fields; i++) {
		const struct http_field *field = &response->fields[i];

		/* A response to HEAD says how long the body would be; it frames nothing. 204 must not (RFC
		 * 9110). */
		if (field->id == HTTP_FIELD_CONTENT_LENGTH && framing == HTTP_BODY_NONE &&
		    response->framing == HTTP_BODY_NONE && response->status != 204) {
			write_field(out, field->name, field->value);
			continue;
		}
		if (!http_field_is_hop_by_hop(field) && !is_named_by_connection(response, field->name) &&
		    !(origin.n && is_cors(field->name)))
			write_field(out, field->name, field->value);
	}
	if (origin.n)
		origin_write_fields(out, origin);
	write_framing(out, framing, length);
	if (connection == HEADS_CLOSE) {
		buf_puts(out, "Connection: close\r\n");
	} else if (connection == HEADS_UPGRADE && response->status == 101) {
		buf_puts(out, "Connection: Upgrade\r\n");
		if (response->upgrade.n)
			write_field(out, STR("Upgrade"), response->upgrade);
	}
	buf_append(out, "\r\n", 2);
}

const char *heads_reason(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 408:
		return "Request Timeout";
	case 411:
		return "Length Required";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 417:
		return "Expectation Failed";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Error";
	}
}

void heads_write_refusal(struct buf *out, unsigned status, struct str message, bool close, bool head_only,
			 struct str origin)
{
	char memory[6144];
	struct buf body = buf_over(memory, sizeof(memory));

	buf_puts(&body, "{\"message\":");
	buf_json(&body, message);
	buf_puts(&body, "}\n");
	if (body.overflow) {
		/* Too long when escaped: the status still says what happened. */
		body = buf_over(memory, sizeof(memory));
		buf_puts(&body, "{\"message\":\"sockgate: refused\"}\n");
	}
	buf_puts(out, "HTTP/1.1 ");
	buf_u64(out, status);
	buf_putc(out, ' ');
	buf_puts(out, heads_reason(status));
	buf_puts(out, "\r\nContent-Type: application/json\r\nContent-Length: ");
	buf_u64(out, body.n);
	buf_puts(out, close ? "\r\nConnection: close\r\n" : "\r\n");
	if (origin.n)
		origin_write_fields(out, origin);
	buf_puts(out, "\r\n");
	if (!head_only)
		buf_append(out, body.p, body.n);
}
