/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/origin.h"

/* A host's name without its port: "localhost:2375", "[::1]:2375". */
static struct str host_name(struct str host)
{
	if (host.n && host.p[0] == '[') {
		const char *end = memchr(host.p, ']', host.n);

		return end ? (struct str){ host.p, (size_t)(end - host.p) + 1 } : host;
	}
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] == ':')
			return (struct str){ host.p, i };
	return host;
}

static bool ends_with(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n > n && strncasecmp(s.p + s.n - n, suffix, n) == 0;
}

/*
 * Names that cannot have been looked up in somebody else's DNS: loopback's own (RFC 6761 section 6.3), and
 * what Docker's clients write for a socket, which has no host ("docker", "api.moby.localhost", an escaped
 * path, nothing).
 */
static bool is_local_name(struct str name)
{
	static const char *const names[] = { "", "localhost", "127.0.0.1", "[::1]", "docker" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_ieqz(name, names[i]))
			return true;
	return ends_with(name, ".localhost") || (name.n && name.p[0] == '%');
}

static bool is_loopback_listener(const struct policy_image *image, const struct image_listener *listener)
{
	struct str address = image_string(image, listener->address);

	return str_starts(address, STR("127.")) || str_eqz(address, "::1") || str_eqz(address, "localhost");
}

static bool listed(const struct policy_image *image, struct image_list list, struct str s, bool fold,
		   struct str *ret)
{
	const struct image_str *at = IMAGE_LIST(image, struct image_str, list);

	for (uint32_t i = 0; i < list.count; i++) {
		struct str entry = image_string(image, at[i]);

		if (entry.n == s.n &&
		    (fold ? strncasecmp(entry.p, s.p, s.n) == 0 : memcmp(entry.p, s.p, s.n) == 0)) {
			*ret = entry;
			return true;
		}
	}
	return false;
}

/* A page whose own name was rebound to this address is "same origin" to its browser; only Host tells. */
static bool host_is_fine(const struct policy_image *image, const struct image_listener *listener,
			 struct str host)
{
	struct str name = host_name(host), entry;

	if (listener->allowed_hosts.count)
		return is_local_name(name) || listed(image, listener->allowed_hosts, name, true, &entry);
	return !is_loopback_listener(image, listener) || is_local_name(name);
}

/* What a browser says of a request without an Origin: a picture, a link, a form's target. */
static bool came_from_elsewhere(const struct http_request *request)
{
	struct str site = http_request_field(request, "Sec-Fetch-Site");

	return site.n && !str_ieqz(site, "same-origin") && !str_ieqz(site, "none");
}

enum origin_verdict origin_judge(const struct policy_image *image, const struct image_listener *listener,
				 const struct http_request *request, struct str *ret_origin, const char **why)
{
	bool tcp = listener->kind == IMAGE_TCP;

	if (!tcp && listener->allowed_origins.count == 0)
		return ORIGIN_NONE;
	if (tcp && !host_is_fine(image, listener, request->host)) {
		*why = "a Host that is not this listener's: add it to the listener's allowed_hosts if it "
		       "should be";
		return ORIGIN_REFUSED;
	}
	if (!request->origin.p) {
		if (!tcp || !came_from_elsewhere(request))
			return ORIGIN_NONE;
		*why = "a web page of another site: browsers may come only from the listener's "
		       "allowed_origins";
		return ORIGIN_REFUSED;
	}
	if (!listed(image, listener->allowed_origins, request->origin, false, ret_origin)) {
		*why = "an Origin that is not among the listener's allowed_origins (variables: "
		       "ALLOWED_ORIGINS)";
		return ORIGIN_REFUSED;
	}
	if (request->method == HTTP_OPTIONS && http_request_field(request, "Access-Control-Request-Method").n)
		return ORIGIN_PREFLIGHT;
	return ORIGIN_ALLOWED;
}

void origin_write_fields(struct buf *out, struct str origin)
{
	buf_puts(out, "Access-Control-Allow-Origin: ");
	buf_str(out, origin);
	buf_puts(out, "\r\nAccess-Control-Allow-Credentials: true\r\n"
		      "Access-Control-Expose-Headers: Api-Version, Docker-Experimental, "
		      "X-Docker-Container-Path-Stat\r\n"
		      "Vary: Origin\r\n");
}

void origin_write_preflight(struct buf *out, struct str origin)
{
	buf_puts(out, "HTTP/1.1 204 No Content\r\n");
	origin_write_fields(out, origin);
	buf_puts(out, "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, DELETE\r\n"
		      "Access-Control-Allow-Headers: Content-Type, X-Registry-Auth, X-Registry-Config\r\n"
		      "Access-Control-Max-Age: 600\r\n\r\n");
}
