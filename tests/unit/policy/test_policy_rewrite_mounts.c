/* SPDX-License-Identifier: BSD-2-Clause */
/* Where rewritten mounts come from, and whether they can be written to. */
#include "rewrite_fixture.h"

static void a_mount_of_an_engines_socket_becomes_one_of_ours(void)
{
	static const struct expected rows[] = {
		{ HC("\"Binds\":[\"/var/run/docker.sock:/var/run/docker.sock\"]"),
		  HC("\"Binds\":[\"" OWN ":/var/run/docker.sock\"]"), true },
		{ HC("\"Binds\":[\"/run/docker.sock:/s:ro\"]"), HC("\"Binds\":[\"" OWN ":/s:ro\"]"), true },
		{ HC("\"Binds\":[\"//run/./x/../docker.sock/:/s:rw\"]"), HC("\"Binds\":[\"" OWN ":/s:rw\"]"),
		  true },
		{ HC("\"Binds\":[\"/srv/engine/private.sock:/s:rslave,z\"]"),
		  HC("\"Binds\":[\"" OWN ":/s:rslave\"]"), true },
		{ HC("\"Binds\":[\"/run/docker.sock:/s:Z\"]"), HC("\"Binds\":[\"" OWN ":/s\"]"), true },
		{ HC("\"Binds\":[\"/var/run/containerd/containerd.sock:/s\"]"),
		  HC("\"Binds\":[\"" OWN ":/s\"]"), true },
		{ HC("\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/var/run/docker.sock\",\"Target\":\"/"
		     "s\"}]"),
		  HC("\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"" OWN "\",\"Target\":\"/s\"}]"), true },
		/* Where old engines look: without a HostConfig. */
		{ "{\"Binds\":[\"/run/docker.sock:/s\"],\"HostConfig\":null}",
		  "{\"Binds\":[\"" OWN ":/s\"],\"HostConfig\":null}", true },
		/* Ours stays, but is not relabelled. */
		{ HC("\"Binds\":[\"" OWN ":/s\",\"/var" OWN ":/t\"]"), NULL, true },
		{ HC("\"Binds\":[\"" OWN ":/s:ro,z\"]"), HC("\"Binds\":[\"" OWN ":/s:ro\"]"), true },
		{ HC("\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"" OWN "\"}]"), NULL, true },
		/* What is no such socket, or is not understood, is left to the inspection. */
		{ HC("\"Binds\":[\"/run:/s\"]"), NULL, false },
		{ HC("\"Binds\":[\"/run/sockgate:/s\"]"), NULL, false },
		{ HC("\"Binds\":[\"" OWN "x:/s\"]"), NULL, false },
		{ HC("\"Binds\":[\"/srv/x/docker.sock:/s\"]"), NULL, false },
		{ HC("\"Binds\":[\"/run/docker.sock:/s:ro:x\"]"), NULL, false },
		{ HC("\"Binds\":[\"/run/docker.sock\"]"), NULL, true }, /* a place in the container */
		{ HC("\"Binds\":[\"run/docker.sock:/s\"]"), NULL, false },
		{ HC("\"Binds\":[7]"), NULL, false },
		{ HC("\"Binds\":{\"a\":\"/run/docker.sock:/s\"}"), NULL, false },
		{ HC("\"binds\":[\"/run/docker.sock:/s\"]"), NULL, false },
		{ "{\"hostconfig\":{\"Binds\":[\"/run/docker.sock:/s\"]}}", NULL, false },
		{ "{\"HostConfig\":[{\"Binds\":[\"/run/docker.sock:/s\"]}]}", NULL, false },
		{ HC("\"Mounts\":[null,{},7,{\"Type\":\"bind\",\"Source\":7}]"), NULL, false },
		{ HC("\"Mounts\":[{\"Type\":\"BIND\",\"Source\":\"/run/docker.sock\"}]"), NULL, false },
		{ "[]", NULL, false },
	};
	static const struct expected services[] = {
		{ "{\"TaskTemplate\":{\"ContainerSpec\":{\"Mounts\":[{\"Type\":\"bind\",\"Source\":"
		  "\"/var/run/docker.sock\"}]}}}",
		  "{\"TaskTemplate\":{\"ContainerSpec\":{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"" OWN
		  "\"}]}}}",
		  true },
		{ "{\"TaskTemplate\":7}", NULL, false },
		{ "{\"TaskTemplate\":{\"ContainerSpec\":[]}}", NULL, false },
	};
	struct image_engine *engine;
	uint32_t at;

	prepare();
	engine = (struct image_engine *)(void *)(f.memory + fixture_image(&f)->engines.off);
	at = fixture_take(&f, sizeof(struct image_str));
	*(struct image_str *)(void *)(f.memory + at) =
		fixture_string(&f, STR("/run/containerd/containerd.sock"));
	engine->also = (struct image_list){ at, 1 };
	fixture_set(&f, POLICY_KEY_CONTAINERS_SOCKET_BIND, "rewrite");
	expect(CREATE, rows, COUNT(rows));
	expect("/services/create", services, COUNT(services));
	expect("/services/x/update?version=1", services, COUNT(services));
	CU_ASSERT_EQUAL(rewrite(CREATE, rows[0].body), 1);
	CU_ASSERT_STRING_EQUAL(changes.p, "HostConfig.Binds[0]: /var/run/docker.sock -> " OWN);
	/* An update of a container has no mounts to change. */
	CU_ASSERT_EQUAL(rewrite("/containers/x/update", rows[0].body), 0);
}

static void a_socket_is_given_out_only_where_it_leads_to_the_same_policy(void)
{
	static const char body[] = HC("\"Binds\":[\"/run/docker.sock:/s\"]");
	static const char *const addresses[] = { "/run/other.sock", "127.0.0.1", "/run/a.sock",
						 "/run/b.sock" };
	struct image_listener *l;
	struct image_when *when;
	uint32_t at;

	fixture_init(&f);
	at = fixture_take(&f, 2 * sizeof(struct image_policy));
	memcpy(f.memory + at, fixture_policy(&f), sizeof(struct image_policy));
	memcpy(f.memory + at + sizeof(struct image_policy), fixture_policy(&f), sizeof(struct image_policy));
	fixture_image(&f)->policies = (struct image_list){ at, 2 };
	fixture_set(&f, POLICY_KEY_CONTAINERS_SOCKET_BIND, "rewrite");
	fixture_listeners(addresses, COUNT(addresses));
	l = (struct image_listener *)(void *)(f.memory + fixture_image(&f)->listeners.off);
	l[0].policy = 1;

	/* The client's own; over TCP, or where nothing is known, the first. */
	CU_ASSERT_EQUAL(rewrite_through(listener(3), CREATE, body), 1);
	CU_ASSERT_STRING_EQUAL(out.p, HC("\"Binds\":[\"/run/b.sock:/s\"]"));
	CU_ASSERT_EQUAL(rewrite_through(listener(1), CREATE, body), 1);
	CU_ASSERT_STRING_EQUAL(out.p, HC("\"Binds\":[\"/run/a.sock:/s\"]"));
	CU_ASSERT_EQUAL(rewrite_through(NULL, CREATE, body), 1);
	CU_ASSERT_STRING_EQUAL(out.p, HC("\"Binds\":[\"/run/a.sock:/s\"]"));
	/* This client is under another policy than its listener's. */
	CU_ASSERT_EQUAL(rewrite_through(listener(0), CREATE, body), 1);
	CU_ASSERT_STRING_EQUAL(out.p, HC("\"Binds\":[\"/run/a.sock:/s\"]"));
	CU_ASSERT_EQUAL(rewrite_through(listener(0), CREATE, HC("\"Binds\":[\"/run/other.sock:/s\"]")), 0);
	CU_ASSERT_TRUE(verdict.findings > 0);

	/* A container's processes may have any uid. */
	at = fixture_take(&f, sizeof(*when));
	fixture_image(&f)->whens = (struct image_list){ at, 1 };
	when = (struct image_when *)(void *)(f.memory + at);
	*when = (struct image_when){ .uid = 0, .gid = -1, .policy = 0 };
	CU_ASSERT_EQUAL(rewrite_through(listener(2), CREATE, body), 1);
	when->policy = 1;
	CU_ASSERT_EQUAL(rewrite_through(listener(2), CREATE, body), 0);
	CU_ASSERT_EQUAL(verdict.findings, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(verdict.problem, "everybody is under this policy"));
	CU_ASSERT_EQUAL(rewrite_through(listener(2), CREATE, HC("\"Binds\":[\"/run/a.sock:/s\"]")), 0);
	CU_ASSERT_EQUAL(verdict.findings, 1);

	/* None at all. */
	fixture_image(&f)->whens.count = 0;
	fixture_image(&f)->listeners.count = 2;
	CU_ASSERT_EQUAL(rewrite_through(listener(1), CREATE, body), 0);
	CU_ASSERT_EQUAL(verdict.findings, 1);
}

static void look(void *context, const struct policy_reference *reference)
{
	(void)reference;
	++*(unsigned *)context;
}

static void our_socket_is_not_looked_up(void)
{
	static const char body[] = HC("\"Binds\":[\"" OWN ":/s\",\"/srv/a:/m\"]");
	static char scratch[API_TARGET_SCRATCH];
	struct json_body *json;
	struct api_target t;
	unsigned references = 0;

	prepare();
	fixture_set(&f, POLICY_KEY_CONTAINERS_SOCKET_BIND, "rewrite");
	fixture_set(&f, POLICY_KEY_CONTAINERS_BINDS, "[/srv/a:rw]");
	CU_ASSERT_EQUAL_FATAL(api_target_parse(HTTP_POST, STR(CREATE), scratch, &t, &problem), 0);
	CU_ASSERT_EQUAL_FATAL(json_body_load(body, sizeof(body) - 1, &json, &problem), 0);
	policy_inspect_references(fixture_image(&f), fixture_policy(&f), &t, json, look, &references);
	CU_ASSERT_EQUAL(references, 1);
	json_body_free(json);
	/* Where a link of an allowed directory leads there, it is allowed as well. */
	CU_ASSERT_TRUE(policy_inspect_bind(fixture_image(&f), fixture_policy(&f), STR(OWN), false, &problem));
	fixture_set(&f, POLICY_KEY_CONTAINERS_SOCKET_BIND, "refuse");
	CU_ASSERT_FALSE(
		policy_inspect_bind(fixture_image(&f), fixture_policy(&f), STR(OWN), false, &problem));
}

/* It has no policy, whatever number stands in its place, and speaks no Docker. */
static void a_listener_for_metrics_is_not_our_socket(void)
{
	uint32_t at;

	prepare();
	at = fixture_image(&f)->listeners.off + sizeof(struct image_listener);
	fixture_set(&f, POLICY_KEY_CONTAINERS_SOCKET_BIND, "rewrite");
	CU_ASSERT_TRUE(policy_inspect_bind(fixture_image(&f), fixture_policy(&f), STR(OWN), false, &problem));
	((struct image_listener *)(void *)(f.memory + at))->metrics = 1;
	CU_ASSERT_FALSE(
		policy_inspect_bind(fixture_image(&f), fixture_policy(&f), STR(OWN), false, &problem));
}

static void mounts_of_a_forced_directory_are_made_read_only(void)
{
	static const struct expected rows[] = {
		{ HC("\"Binds\":[\"/ws/a:/m\"]"), HC("\"Binds\":[\"/ws/a:/m:ro\"]"), true },
		{ HC("\"Binds\":[\"/ws/./a/:/m:rw\"]"), HC("\"Binds\":[\"/ws/./a/:/m:ro\"]"), true },
		{ HC("\"Binds\":[\"/ws:/m:rslave,rw,z\"]"), HC("\"Binds\":[\"/ws:/m:rslave,ro\"]"), true },
		{ HC("\"Binds\":[\"/ws:/m:ro,Z\"]"), HC("\"Binds\":[\"/ws:/m:ro\"]"), true },
		{ HC("\"Binds\":[\"/ws:/m:\"]"), HC("\"Binds\":[\"/ws:/m:ro\"]"), true },
		{ HC("\"Binds\":[\"/ws:/m:ro\"]"), NULL, true },
		{ HC("\"Binds\":[\"/ws:/m:ro,rslave\"]"), NULL, true },
		{ HC("\"Binds\":[\"/ws:/m:bogus\"]"), HC("\"Binds\":[\"/ws:/m:bogus,ro\"]"), false },
		{ HC("\"Binds\":[\"/ws:/m:rshared\"]"), HC("\"Binds\":[\"/ws:/m:rshared,ro\"]"), false },
		{ HC("\"Binds\":[\"/ws/../etc:/m\"]"), NULL, false },
		{ HC("\"Binds\":[\"/workspace:/m\"]"), NULL, false },
		{ HC("\"Binds\":[\"/ws/out:/m:rw\"]"), NULL, true }, /* a longer rule */
		{ HC("\"Binds\":[\"data:/m:rw\"]"), NULL, true },
		{ HC("\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/ws\"}]"),
		  HC("\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/ws\",\"ReadOnly\":true}]"), true },
		{ HC("\"Mounts\":[{\"ReadOnly\":false,\"Type\":\"bind\",\"Source\":\"/ws\"}]"),
		  HC("\"Mounts\":[{\"ReadOnly\":true,\"Type\":\"bind\",\"Source\":\"/ws\"}]"), true },
		{ HC("\"Mounts\":[{\"ReadOnly\":true,\"Type\":\"bind\",\"Source\":\"/ws\","
		     "\"BindOptions\":{\"ReadOnlyNonRecursive\":true}}]"),
		  HC("\"Mounts\":[{\"ReadOnly\":true,\"Type\":\"bind\",\"Source\":\"/ws\","
		     "\"BindOptions\":{\"ReadOnlyNonRecursive\":false}}]"),
		  true },
		{ HC("\"Mounts\":[{\"ReadOnly\":true,\"Type\":\"bind\",\"Source\":\"/ws\"}]"), NULL, true },
		{ "{\"Binds\":[\"/ws:/m\"]}", "{\"Binds\":[\"/ws:/m:ro\"]}", true },
	};

	prepare();
	fixture_set(&f, POLICY_KEY_CONTAINERS_BINDS, "[/ws:force-ro, /ws/out:rw]");
	expect(CREATE, rows, COUNT(rows));
	CU_ASSERT_EQUAL(rewrite(CREATE, rows[0].body), 1);
	CU_ASSERT_STRING_EQUAL(changes.p, "HostConfig.Binds[0]: /ws/a made read-only");
	/* `ro` keeps refusing. */
	fixture_set(&f, POLICY_KEY_CONTAINERS_BINDS, "[/ws:ro]");
	CU_ASSERT_EQUAL(rewrite(CREATE, rows[0].body), 0);
	CU_ASSERT_EQUAL(verdict.findings, 1);
}

static void a_bind_that_is_too_long_to_be_changed_is_refused(void)
{
	static char body[64 * 1024];
	struct buf b = buf_over(body, sizeof(body) - 1);

	prepare();
	fixture_set(&f, POLICY_KEY_CONTAINERS_BINDS, "[/ws:force-ro]");
	buf_puts(&b, "{\"HostConfig\":{\"Binds\":[\"/ws:/");
	for (unsigned i = 0; i < 12 * 1024; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, "\"]}}");
	b.p[b.n] = '\0';
	CU_ASSERT_EQUAL(rewrite(CREATE, body), -EBADMSG);
	CU_ASSERT_STRING_EQUAL(problem, "an entry of Binds is too long to be rewritten");
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a mount of an engine's socket becomes one of ours",
		  a_mount_of_an_engines_socket_becomes_one_of_ours },
		{ "a socket is given out only where it leads to the same policy",
		  a_socket_is_given_out_only_where_it_leads_to_the_same_policy },
		{ "our socket is not looked up", our_socket_is_not_looked_up },
		{ "a listener for metrics is not our socket", a_listener_for_metrics_is_not_our_socket },
		{ "mounts of a forced directory are made read-only",
		  mounts_of_a_forced_directory_are_made_read_only },
		{ "a bind that is too long to be changed is refused",
		  a_bind_that_is_too_long_to_be_changed_is_refused },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("policy/policy_rewrite_mounts", tests);
}
