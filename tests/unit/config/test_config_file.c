/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "scratch.h"

#include <errno.h>

static const char whole[] = "version: 1\n"
			    "gate:\n"
			    "  backend: lsm\n"
			    "  require: true\n"
			    "  mode: observe\n"
			    "  on_exit: open\n"
			    "engines:\n"
			    "  - name: docker\n"
			    "    socket: unix:///run/docker.sock\n"
			    "    also: [/run/containerd/containerd.sock]\n"
			    "    allow:\n"
			    "      - exe: /usr/bin/dockerd\n"
			    "listeners:\n"
			    "  - unix: /run/sockgate/docker.sock\n"
			    "    group: docker\n"
			    "    mode: \"0620\"\n"
			    "    policy: zz-one\n"
			    "  - tcp: 127.0.0.1:2375\n"
			    "    policy: zz-two\n"
			    "    allowed_origins: [https://app.example.com]\n"
			    "  - tcp: \"[::]:2376\"\n"
			    "    policy: zz-two\n"
			    "    insecure_plain_tcp: true\n"
			    "policies:\n"
			    "  - when: {uid: 1001, gid: 7}\n"
			    "    policy: zz-one\n"
			    "audit: \"-\"\n";

static void write_policies(struct scratch *s)
{
	scratch_write(s, "zz-one.yaml", "version: 1\n");
	scratch_write(s, "zz-two.yaml", "version: 1\n");
}

static void a_whole_file_reaches_the_image(void)
{
	const struct policy_image *image = NULL;
	const struct image_listener *l;
	const struct image_engine *e;
	const struct image_when *w;
	const char *why = NULL;
	struct scratch s;
	int fd;

	scratch_open(&s);
	write_policies(&s);
	CU_ASSERT_EQUAL_FATAL(scratch_load(&s, scratch_write(&s, "sockgate.yaml", whole), true), 0);
	CU_ASSERT_STRING_EQUAL(s.errors, "");
	fd = config_seal(s.build);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(policy_image_map(fd, &image, &why), 0);
	CU_ASSERT_EQUAL(image->gate.backend, GATE_LSM);
	CU_ASSERT_EQUAL(image->gate.require, 1);
	CU_ASSERT_EQUAL(image->gate.observe, 1);
	CU_ASSERT_EQUAL(image->gate.open_on_exit, 1);
	CU_ASSERT_TRUE(str_eqz(image_string(image, image->audit_path), "-"));

	CU_ASSERT_EQUAL_FATAL(image->engines.count, 1);
	e = IMAGE_LIST(image, struct image_engine, image->engines);
	CU_ASSERT_TRUE(str_eqz(image_string(image, e->address), "/run/docker.sock"));
	CU_ASSERT_TRUE(str_eqz(image_string(image, *IMAGE_LIST(image, struct image_str, e->also)),
			       "/run/containerd/containerd.sock"));
	CU_ASSERT_TRUE(str_eqz(image_string(image, *IMAGE_LIST(image, struct image_str, e->allow_exe)),
			       "/usr/bin/dockerd"));

	CU_ASSERT_EQUAL_FATAL(image->listeners.count, 3);
	l = IMAGE_LIST(image, struct image_listener, image->listeners);
	CU_ASSERT_EQUAL(l[0].kind, IMAGE_UNIX);
	CU_ASSERT_EQUAL(l[0].mode, 0620);
	CU_ASSERT_TRUE(str_eqz(image_string(image, l[0].group), "docker"));
	CU_ASSERT_EQUAL(l[0].source.line, 14);
	CU_ASSERT_EQUAL(l[1].kind, IMAGE_TCP);
	CU_ASSERT_EQUAL(l[1].port, 2375);
	CU_ASSERT_TRUE(str_eqz(image_string(image, l[1].address), "127.0.0.1"));
	CU_ASSERT_EQUAL(l[1].allowed_origins.count, 1);
	CU_ASSERT_TRUE(str_eqz(image_string(image, l[2].address), "::"));
	CU_ASSERT_TRUE(str_eqz(image_string(image, policy_image_at(image, l[2].policy)->name), "zz-two"));

	CU_ASSERT_EQUAL_FATAL(image->whens.count, 1);
	w = IMAGE_LIST(image, struct image_when, image->whens);
	CU_ASSERT_EQUAL(w->uid, 1001);
	CU_ASSERT_EQUAL(w->gid, 7);
	policy_image_unmap(image);
	close(fd);
	scratch_close(&s);
}

/* It serves nobody's requests, so it takes nothing's place, and the first listener is one with a policy. */
static void a_listener_for_metrics_comes_last_and_beside_the_others(void)
{
	static const char *const texts[] = {
		"version: 1\nlisteners:\n  - {tcp: 127.0.0.1:9100, metrics: true}\n"
		"  - {unix: /a, policy: readonly}\n",
		"version: 1\nlisteners:\n  - {tcp: 127.0.0.1:9100, metrics: true}\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct policy_image *image;
		const struct image_listener *l;
		const char *why = "";
		struct scratch s;
		int fd;

		scratch_open(&s);
		scratch_write(&s, "readonly.yaml", "version: 1\n");
		CU_ASSERT_EQUAL_FATAL(scratch_load(&s, scratch_write(&s, "c.yaml", texts[i]), true), 0);
		fd = config_seal(s.build);
		CU_ASSERT_TRUE_FATAL(fd >= 0);
		CU_ASSERT_EQUAL_FATAL(policy_image_map(fd, &image, &why), 0);
		l = IMAGE_LIST(image, struct image_listener, image->listeners);
		CU_ASSERT_EQUAL_FATAL(image->listeners.count, 2);
		CU_ASSERT_EQUAL(l[0].metrics, 0);
		CU_ASSERT_EQUAL(l[0].kind, IMAGE_UNIX);
		CU_ASSERT_EQUAL(l[1].metrics, 1);
		CU_ASSERT_EQUAL(l[1].port, 9100);
		policy_image_unmap(image);
		close(fd);
		scratch_close(&s);
	}
}

static void what_is_left_out_is_as_without_a_file(void)
{
	struct scratch s;

	scratch_open(&s);
	scratch_write(&s, "readonly.yaml", "version: 1\n");
	CU_ASSERT_EQUAL_FATAL(scratch_load(&s, scratch_write(&s, "sockgate.yaml", "version: 1\n"), true), 0);
	CU_ASSERT_EQUAL_FATAL(s.build->listeners.n, 1);
	CU_ASSERT_STRING_EQUAL(CONFIG_AT(s.build->listeners, struct config_listener, 0)->address,
			       "/run/sockgate/docker.sock");
	CU_ASSERT_STRING_EQUAL(CONFIG_AT(s.build->engines, struct config_engine, 0)->address,
			       "/run/docker.sock");
	CU_ASSERT_STRING_EQUAL(s.build->audit_path, "/var/log/sockgate/audit.jsonl");
	CU_ASSERT_EQUAL(s.build->gate.backend, GATE_AUTO);
	scratch_close(&s);
}

static void errors_name_file_line_and_column(void)
{
	static const struct {
		const char *text, *errors;
	} cases[] = {
		{ "gate: {}\n", "c.yaml:1:1: sockgate.yaml needs the key version\n" },
		{ "version: 1\nlistener: []\n",
		  "c.yaml:2:1: unknown key listener in sockgate.yaml; did you mean listeners?\n" },
		{ "version: 1\ngate:\n  backend: bpf\n",
		  "c.yaml:3:12: backend must be one of: auto, lsm, fmod_ret, pathless, none\n" },
		{ "version: 1\ngate:\n  require: maybe\n", "c.yaml:3:12: require must be true or false\n" },
		{ "version: 1\nengines:\n  - name: x\n", "c.yaml:3:5: an engine needs the key socket\n" },
		{ "version: 1\nengines:\n  - {name: x, socket: run/x}\n",
		  "c.yaml:3:23: socket: run/x is not unix:PATH, tcp:HOST:PORT or tcp:[IPV6]:PORT\n" },
		{ "version: 1\nengines:\n  - {name: x, socket: /x, allow: [{exec: /y}]}\n",
		  "c.yaml:3:36: unknown key exec in allow; did you mean exe?\n"
		  "c.yaml:3:35: allow needs the key exe\n" },
		{ "version: 1\nlisteners: {}\n", "c.yaml:2:12: listeners must be a list\n" },
		{ "version: 1\nlisteners:\n  - policy: zz-one\n",
		  "c.yaml:3:5: a listener needs the key unix or tcp\n" },
		{ "version: 1\nlisteners:\n  - unix: /a\n", "c.yaml:3:5: a listener needs the key policy\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, tcp: 127.0.0.1:1, policy: zz-one}\n",
		  "c.yaml:3:16: a listener has one address, unix or tcp\n" },
		{ "version: 1\nlisteners:\n  - {tcp: 0.0.0.0:2375, policy: zz-one}\n",
		  "c.yaml:3:11: tcp beyond loopback is neither encrypted nor authenticated; say "
		  "insecure_plain_tcp: true "
		  "if something else protects it\n" },
		{ "version: 1\nlisteners:\n  - {tcp: \":2375\", policy: zz-one}\n",
		  "c.yaml:3:11: tcp beyond loopback is neither encrypted nor authenticated; say "
		  "insecure_plain_tcp: true "
		  "if something else protects it\n" },
		{ "version: 1\nlisteners:\n  - {tcp: 127.0.0.1:0, policy: zz-one}\n",
		  "c.yaml:3:11: 127.0.0.1:0 is not unix:PATH, tcp:HOST:PORT or tcp:[IPV6]:PORT\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, policy: zz-one}\n  - {unix: /a, policy: zz-one}\n",
		  "c.yaml:4:12: line 3 listens there already\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, policy: zz-one, mode: rw}\n",
		  "c.yaml:3:38: mode must be three octal digits, such as \"0660\"\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, policy: zz-one, mode: 0888}\n",
		  "c.yaml:3:38: mode must be three octal digits, such as \"0660\"\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, policy: zz-one, allowed_origins: ['*']}\n",
		  "c.yaml:3:50: allowed_origins: * would let every web page use this listener; name "
		  "origins\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, policy: zz-one, allowed_origins: [\"null\"]}\n",
		  "c.yaml:3:50: allowed_origins: null is not an origin such as https://app.example.com\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, policy: zz-one, allowed_origins: "
		  "[\"https://a/\"]}\n",
		  "c.yaml:3:50: allowed_origins: https://a/ is not an origin such as "
		  "https://app.example.com\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, policy: zz-one, metrics: true}\n",
		  "c.yaml:3:16: policy goes not with metrics: true\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, metrics: true, allowed_origins: [http://a]}\n",
		  "c.yaml:3:31: allowed_origins goes not with metrics: true\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, metrics: false}\n",
		  "c.yaml:3:5: a listener needs the key policy\n" },
		{ "version: 1\nlisteners:\n  - {unix: /a, metrics: 1}\n",
		  "c.yaml:3:25: metrics must be true or false\n"
		  "c.yaml:3:5: a listener needs the key policy\n" },
		{ "version: 1\nlisteners:\n  - {tcp: \"0.0.0.0:9\", metrics: true}\n",
		  "c.yaml:3:11: tcp beyond loopback is neither encrypted nor authenticated; say "
		  "insecure_plain_tcp: true if something else protects it\n" },
		{ "version: 1\npolicies:\n  - when: {}\n    policy: zz-one\n",
		  "c.yaml:3:11: when needs uid or gid\n" },
		{ "version: 1\npolicies:\n  - when: {uid: root}\n    policy: zz-one\n",
		  "c.yaml:3:17: uid must be a number\n" },
		{ "version: 1\naudit: log\n", "c.yaml:2:8: audit: log is not an absolute path\n" },
		/* An error in a policy stands with its own place, and then who asked for it. */
		{ "version: 1\nlisteners:\n  - {unix: /a, policy: zz-bad}\n",
		  "zz-bad.yaml:1:10: version must be 1\nc.yaml:3:24: the policy zz-bad cannot be used\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scratch s;

		scratch_open(&s);
		write_policies(&s);
		scratch_write(&s, "zz-bad.yaml", "version: 9\n");
		CU_ASSERT_EQUAL(scratch_load(&s, scratch_write(&s, "c.yaml", cases[i].text), true), -EINVAL);
		CU_ASSERT_STRING_EQUAL(s.errors, cases[i].errors);
		if (strcmp(s.errors, cases[i].errors) != 0)
			fprintf(stderr, "wanted %sgot    %s", cases[i].errors, s.errors);
		CU_ASSERT_EQUAL(config_seal(s.build), -EINVAL);
		scratch_close(&s);
	}
}

static void options_take_dockers_spelling(void)
{
	static const struct {
		const char *spec;
		int r;
		enum image_address kind;
		const char *address;
		unsigned port;
	} cases[] = {
		{ "unix:///run/docker.sock", 0, IMAGE_UNIX, "/run/docker.sock", 0 },
		{ "unix:/run/docker.sock", 0, IMAGE_UNIX, "/run/docker.sock", 0 },
		{ "/run/docker.sock", 0, IMAGE_UNIX, "/run/docker.sock", 0 },
		{ "tcp://127.0.0.1:2375", 0, IMAGE_TCP, "127.0.0.1", 2375 },
		{ "tcp://127.0.0.1:2375/", 0, IMAGE_TCP, "127.0.0.1", 2375 },
		{ "tcp:[::1]:65535", 0, IMAGE_TCP, "::1", 65535 },
		{ ":2375", 0, IMAGE_TCP, "", 2375 },
		{ "docker:2375", 0, IMAGE_TCP, "docker", 2375 },
		{ "unix:relative", -EINVAL, 0, NULL, 0 },
		{ "unix:///a//b", -EINVAL, 0, NULL, 0 },
		{ "tcp:host", -EINVAL, 0, NULL, 0 },
		{ "tcp:host:65536", -EINVAL, 0, NULL, 0 },
		{ "tcp:::1:2375", -EINVAL, 0, NULL, 0 },
		{ "tcp:a b:1", -EINVAL, 0, NULL, 0 },
		{ "http://x:1", -EINVAL, 0, NULL, 0 },
		{ "", -EINVAL, 0, NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_build *build = config_build_new();

		CU_ASSERT_EQUAL(config_add_engine(build, cases[i].spec, NULL), cases[i].r);
		if (cases[i].r == 0) {
			const struct config_engine *e = CONFIG_AT(build->engines, struct config_engine, 0);

			CU_ASSERT_EQUAL(e->kind, cases[i].kind);
			CU_ASSERT_STRING_EQUAL(e->address, cases[i].address);
			CU_ASSERT_EQUAL(e->port, cases[i].port);
		} else {
			CU_ASSERT_EQUAL(config_seal(build), -EINVAL);
		}
		config_build_free(build);
	}
}

static void loopback_is_what_only_this_host_reaches(void)
{
	CU_ASSERT_TRUE(config_is_loopback("127.0.0.1"));
	CU_ASSERT_TRUE(config_is_loopback("127.9.9.9"));
	CU_ASSERT_TRUE(config_is_loopback("::1"));
	CU_ASSERT_TRUE(config_is_loopback("localhost"));
	CU_ASSERT_FALSE(config_is_loopback(""));
	CU_ASSERT_FALSE(config_is_loopback("0.0.0.0"));
	CU_ASSERT_FALSE(config_is_loopback("127.0.0.1.example.com"));
	CU_ASSERT_FALSE(config_is_loopback("::"));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a whole file reaches the image", a_whole_file_reaches_the_image },
		{ "a listener for metrics comes last and beside the others",
		  a_listener_for_metrics_comes_last_and_beside_the_others },
		{ "what is left out is as without a file", what_is_left_out_is_as_without_a_file },
		{ "errors name file, line and column", errors_name_file_line_and_column },
		{ "options take Docker's spelling", options_take_dockers_spelling },
		{ "loopback is what only this host reaches", loopback_is_what_only_this_host_reaches },
		CU_TEST_INFO_NULL,
	};

	return check_main("config/config_file", tests);
}
