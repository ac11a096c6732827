/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/origin.h"

#include "check.h"

/* A stand-in for an image: a header, two lists of two strings each, and the strings. */
struct fake_image {
	struct policy_image image;
	struct image_str origins[2], hosts[1];
	char strings[256];
};

static struct fake_image fake;
static struct image_listener listener;

static struct image_str put(const char *z, size_t at)
{
	memcpy(fake.strings + at, z, strlen(z) + 1);
	return (struct image_str){ (uint32_t)(offsetof(struct fake_image, strings) + at),
				   (uint32_t)strlen(z) };
}

static void listen_at(enum image_address kind, const char *address, unsigned n_origins, unsigned n_hosts)
{
	fake.origins[0] = put("https://app.example.com", 0);
	fake.origins[1] = put("http://localhost:3000", 32);
	fake.hosts[0] = put("gate.example.com", 64);
	listener = (struct image_listener){
		.kind = kind,
		.address = put(address, 96),
		.port = 2375,
		.allowed_origins = { offsetof(struct fake_image, origins), n_origins },
		.allowed_hosts = { offsetof(struct fake_image, hosts), n_hosts },
	};
}

/* Judges a head; *origin is what the answer would name. */
static enum origin_verdict judge(const char *line, const char *fields, struct str *origin)
{
	struct http_request request;
	char head[1024];
	const char *why = NULL;
	int n = snprintf(head, sizeof(head), "%s HTTP/1.1\r\n%s\r\n", line, fields);
	enum origin_verdict verdict;

	*origin = (struct str){ NULL, 0 };
	CU_ASSERT_EQUAL_FATAL(http_request_parse(head, (size_t)n, &request, &why), n);
	verdict = origin_judge(&fake.image, &listener, &request, origin, &why);
	if (verdict == ORIGIN_REFUSED)
		CU_ASSERT_PTR_NOT_NULL(why);
	return verdict;
}

#define LOCAL "Host: localhost:2375\r\n"
#define APP   "Origin: https://app.example.com\r\n"

static void listed_origins_are_allowed_to_the_letter(void)
{
	struct str origin;

	listen_at(IMAGE_TCP, "127.0.0.1", 2, 0);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL APP, &origin), ORIGIN_ALLOWED);
	CU_ASSERT_TRUE(str_eqz(origin, "https://app.example.com"));
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Origin: http://localhost:3000\r\n", &origin),
			ORIGIN_ALLOWED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Origin: https://evil.example\r\n", &origin),
			ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Origin: https://app.example.com.evil.example\r\n", &origin),
			ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Origin: http://app.example.com\r\n", &origin),
			ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Origin: https://app.example.com:8443\r\n", &origin),
			ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Origin: null\r\n", &origin), ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Origin: *\r\n", &origin), ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Origin: \r\n", &origin), ORIGIN_REFUSED);
}

static void without_a_list_no_page_may_come(void)
{
	struct str origin;

	listen_at(IMAGE_TCP, "127.0.0.1", 0, 0);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL APP, &origin), ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL, &origin), ORIGIN_NONE);
}

static void streams_and_websockets_are_judged_before_the_upgrade(void)
{
	struct str origin;

	listen_at(IMAGE_TCP, "127.0.0.1", 2, 0);
	CU_ASSERT_EQUAL(judge("GET /containers/web/attach/ws?stream=1",
			      LOCAL
			      "Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: https://evil.example\r\n",
			      &origin),
			ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /events", LOCAL "Origin: https://evil.example\r\n", &origin),
			ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /events", LOCAL APP, &origin), ORIGIN_ALLOWED);
}

static void a_preflight_is_answered_here(void)
{
	struct str origin;
	char memory[1024];
	struct buf out = buf_over(memory, sizeof(memory));

	listen_at(IMAGE_TCP, "127.0.0.1", 2, 0);
	CU_ASSERT_EQUAL(judge("OPTIONS /containers/create",
			      LOCAL APP "Access-Control-Request-Method: POST\r\n", &origin),
			ORIGIN_PREFLIGHT);
	CU_ASSERT_EQUAL(judge("OPTIONS /containers/create",
			      LOCAL "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n",
			      &origin),
			ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("OPTIONS /containers/create", LOCAL, &origin), ORIGIN_NONE);
	origin_write_preflight(&out, STR("https://app.example.com"));
	CU_ASSERT_FALSE(out.overflow);
	CU_ASSERT_PTR_NOT_NULL(
		memmem(out.p, out.n, "Access-Control-Allow-Origin: https://app.example.com\r\n", 54));
	CU_ASSERT_PTR_NOT_NULL(memmem(out.p, out.n, "Access-Control-Allow-Credentials: true\r\n", 40));
	CU_ASSERT_PTR_NOT_NULL(memmem(out.p, out.n, "Vary: Origin\r\n", 14));
	CU_ASSERT_PTR_NULL(memchr(out.p, '*', out.n));
}

static void a_rebound_name_is_refused(void)
{
	struct str origin;

	listen_at(IMAGE_TCP, "127.0.0.1", 0, 0);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: evil.example:2375\r\n", &origin), ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: localhost.evil.example\r\n", &origin), ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: [::1]:2375\r\n", &origin), ORIGIN_NONE);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: \r\n", &origin), ORIGIN_NONE);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: api.moby.localhost\r\n", &origin), ORIGIN_NONE);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: gate.example.com\r\n", &origin), ORIGIN_REFUSED);
	listen_at(IMAGE_TCP, "127.0.0.1", 0, 1);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: GATE.example.com:1\r\n", &origin), ORIGIN_NONE);
	/* Beyond loopback every name may be right, until somebody says which. */
	listen_at(IMAGE_TCP, "", 0, 0);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: dockerproxy:2375\r\n", &origin), ORIGIN_NONE);
	listen_at(IMAGE_TCP, "", 0, 1);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: dockerproxy:2375\r\n", &origin), ORIGIN_REFUSED);
}

static void a_page_that_sends_no_origin_is_known_by_its_site(void)
{
	struct str origin;

	listen_at(IMAGE_TCP, "127.0.0.1", 2, 0);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Sec-Fetch-Site: cross-site\r\n", &origin), ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Sec-Fetch-Site: same-site\r\n", &origin), ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Sec-Fetch-Site: none\r\n", &origin), ORIGIN_NONE);
	CU_ASSERT_EQUAL(judge("GET /info", LOCAL "Sec-Fetch-Site: same-origin\r\n", &origin), ORIGIN_NONE);
}

static void a_unix_listener_is_out_of_a_browsers_reach(void)
{
	struct str origin;

	listen_at(IMAGE_UNIX, "/run/sockgate/docker.sock", 0, 0);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: anything\r\nOrigin: http://localhost\r\n", &origin),
			ORIGIN_NONE);
	listen_at(IMAGE_UNIX, "/run/sockgate/docker.sock", 2, 0);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: anything\r\nOrigin: http://localhost\r\n", &origin),
			ORIGIN_REFUSED);
	CU_ASSERT_EQUAL(judge("GET /info", "Host: anything\r\n" APP, &origin), ORIGIN_ALLOWED);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "listed origins are allowed to the letter", listed_origins_are_allowed_to_the_letter },
		{ "without a list no page may come", without_a_list_no_page_may_come },
		{ "streams and WebSockets are judged before the upgrade",
		  streams_and_websockets_are_judged_before_the_upgrade },
		{ "a preflight is answered here", a_preflight_is_answered_here },
		{ "a rebound name is refused", a_rebound_name_is_refused },
		{ "a page that sends no Origin is known by its site",
		  a_page_that_sends_no_origin_is_known_by_its_site },
		{ "a Unix listener is out of a browser's reach", a_unix_listener_is_out_of_a_browsers_reach },
		CU_TEST_INFO_NULL,
	};

	return check_main("worker/origin", tests);
}
