/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "inspect_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct fixture f;

static struct fixture_verdict post(const char *target, const char *body)
{
	return fixture_inspect(&f, HTTP_POST, str_from(target), str_from(body));
}

static struct fixture_verdict create(const char *body)
{
	return post("/containers/create", body);
}

static void default_bodies_of_real_clients_pass(void)
{
	static const struct {
		const char *target, *body;
	} cases[] = {
		/* docker run, CLI 28 */
		{ "/v1.48/containers/create?name=x",
		  "{\"Hostname\":\"\",\"User\":\"\",\"AttachStdin\":false,\"AttachStdout\":true,\"Tty\":"
		  "false,\"Env\":null,"
		  "\"Cmd\":[\"id\"],\"Image\":\"bb\",\"Volumes\":{},\"Entrypoint\":null,\"OnBuild\":null,"
		  "\"Labels\":{},"
		  "\"HostConfig\":{\"Binds\":null,\"LogConfig\":{\"Type\":\"\",\"Config\":{}},"
		  "\"NetworkMode\":\"default\","
		  "\"PortBindings\":{},\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0},"
		  "\"VolumeDriver\":\"\","
		  "\"ConsoleSize\":[24,80],\"CapAdd\":null,\"Dns\":[],\"PidMode\":\"\",\"Privileged\":false,"
		  "\"MemorySwappiness\":-1,\"Devices\":[],\"DeviceRequests\":null,\"MaskedPaths\":null},"
		  "\"NetworkingConfig\":{\"EndpointsConfig\":{\"default\":{\"IPAMConfig\":null,\"Links\":"
		  "null,\"Aliases\":null,"
		  "\"DriverOpts\":null,\"GwPriority\":0,\"NetworkID\":\"\",\"DNSNames\":null}}}}" },
		/* docker compose up */
		{ "/v1.41/containers/create?name=app-web-1",
		  "{\"Image\":\"nginx\",\"Labels\":{\"com.docker.compose.project\":\"app\"},\"HostConfig\":{"
		  "\"Binds\":"
		  "[\"app_data:/"
		  "data:rw\"],\"NetworkMode\":\"app_default\",\"RestartPolicy\":{\"Name\":\"unless-stopped\"}"
		  ","
		  "\"PortBindings\":{\"80/"
		  "tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]}},\"NetworkingConfig\":"
		  "{\"EndpointsConfig\":{\"app_default\":{\"Aliases\":[\"web\"]}}}}" },
		{ "/v1.41/networks/create", "{\"CheckDuplicate\":true,\"Driver\":\"bridge\",\"Scope\":\"\","
					    "\"EnableIPv6\":false,\"IPAM\":{\"Driver\":\"\","
					    "\"Options\":null,\"Config\":null},\"Internal\":false,"
					    "\"Attachable\":false,\"Ingress\":false,"
					    "\"ConfigOnly\":false,\"ConfigFrom\":null,\"Options\":null,"
					    "\"Labels\":{\"a\":\"b\"},\"Name\":\"app_default\"}" },
		{ "/v1.41/volumes/create",
		  "{\"Driver\":\"\",\"DriverOpts\":null,\"Labels\":{},\"Name\":\"app_data\"}" },
		/* docker-py */
		{ "/v1.44/containers/create", "{\"Image\":\"alpine\",\"Tty\":false,\"OpenStdin\":false,"
					      "\"StdinOnce\":false,\"AttachStdin\":false,"
					      "\"NetworkDisabled\":false,\"HostConfig\":{\"NetworkMode\":"
					      "\"default\",\"CgroupnsMode\":null},"
					      "\"NetworkingConfig\":null}" },
		{ "/v1.44/containers/x/exec",
		  "{\"Container\":\"x\",\"User\":\"\",\"Privileged\":false,\"Tty\":false,\"AttachStdin\":"
		  "false,"
		  "\"AttachStdout\":true,\"AttachStderr\":true,\"Cmd\":[\"ls\"],\"Env\":null}" },
		/* dockerode */
		{ "/containers/create?Image=bb&name=dj1",
		  "{\"Image\":\"bb\",\"name\":\"dj1\",\"Cmd\":[\"a\"]}" },
		{ "/exec/aa/start", "{\"hijack\":true,\"stdin\":true,\"Detach\":false}" },
		/* docker update */
		{ "/v1.41/containers/web/update",
		  "{\"Memory\":67108864,\"PidsLimit\":0,\"RestartPolicy\":{\"Name\":\"\"}}" },
		/* docker service create, network by its id in the swarm */
		{ "/v1.41/services/create", "{\"Name\":\"web\",\"Labels\":{},\"TaskTemplate\":{"
					    "\"ContainerSpec\":{\"Image\":\"nginx:1@sha256:aa\","
					    "\"Init\":false,\"DNSConfig\":{},\"Isolation\":\"default\"},"
					    "\"Resources\":{\"Limits\":{},\"Reservations\":{}},"
					    "\"Placement\":{\"Platforms\":[{\"Architecture\":\"amd64\","
					    "\"OS\":\"linux\"}]},\"Networks\":"
					    "[{\"Target\":\"x0zvq7dohxv5nj8w3aekd1p2s\"}],\"ForceUpdate\":0},"
					    "\"Mode\":{\"Replicated\":{\"Replicas\":1}},"
					    "\"EndpointSpec\":{\"Mode\":\"vip\"}}" },
	};

	fixture_init(&f);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture_verdict v = post(cases[i].target, cases[i].body);

		CU_ASSERT_EQUAL(v.findings, 0);
		if (v.findings)
			fprintf(stderr, "%s: %s %s %s\n", cases[i].target, v.field, v.value, v.problem);
	}
}

static void other_spellings_of_fields_are_refused(void)
{
	static const struct {
		const char *body, *field;
	} cases[] = {
		{ "{\"hostconfig\":{}}", "hostconfig" },
		{ "{\"HostConfig\":{\"privileged\":false}}", "HostConfig.privileged" },
		{ "{\"HostConfig\":{\"Privileged\":false,\"privileged\":true}}", "HostConfig.privileged" },
		{ "{\"Ho\\u017ftConfig\":{}}", "Ho\xc5\xbftConfig" },
		{ "{\"HostConfig\":{\"Networ\\u212aMode\":\"\"}}", "HostConfig.Networ\xe2\x84\xaaMode" },
		{ "{\"HostConfig\":{\"Mounts\":[{\"type\":\"bind\"}]}}", "HostConfig.Mounts[0].type" },
		{ "{\"privileged\":false}", "privileged" },
		{ "{\"HostConfig\":{\"LogConfig\":{\"type\":\"\"}}}", "HostConfig.LogConfig.type" },
	};

	fixture_init(&f);
	fixture_set(&f, POLICY_KEY_CONTAINERS_UNKNOWN_FIELDS, "allow");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture_verdict v = create(cases[i].body);

		CU_ASSERT_TRUE(v.findings > 0);
		CU_ASSERT_EQUAL(v.status, 400);
		CU_ASSERT_STRING_EQUAL(v.field, cases[i].field);
	}
	/* The names in these maps are the client's, and Go compares them exactly. */
	CU_ASSERT_EQUAL(create("{\"Labels\":{\"a\":\"1\",\"A\":\"2\",\"privileged\":\"x\"},\"Volumes\":{\"/"
			       "a\":{},\"/A\":{}}}")
				.findings,
			0);
}

static void types_are_checked(void)
{
	static const char *const cases[] = {
		"[]",
		"{\"HostConfig\":[]}",
		"{\"HostConfig\":{\"Privileged\":\"true\"}}",
		"{\"HostConfig\":{\"Privileged\":1}}",
		"{\"HostConfig\":{\"Binds\":\"/:/h\"}}",
		"{\"HostConfig\":{\"Binds\":[1]}}",
		"{\"HostConfig\":{\"Memory\":1.0}}",
		"{\"HostConfig\":{\"Memory\":1e7}}",
		"{\"HostConfig\":{\"Mounts\":{}}}",
		"{\"HostConfig\":{\"Sysctls\":{\"a\":1}}}",
		"{\"HostConfig\":{\"PortBindings\":{\"1/tcp\":{}}}}",
		"{\"HostConfig\":{\"PortBindings\":{\"1/tcp\":{\"a\":1}}}}",
		"{\"HostConfig\":{\"DeviceRequests\":[{\"Capabilities\":[{\"gpu\":1}]}]}}",
		"{\"HostConfig\":{\"DeviceRequests\":[{\"Capabilities\":[\"gpu\"]}]}}",
		"{\"Cmd\":{}}",
		"{\"Labels\":[\"a\"]}",
		"{\"NetworkingConfig\":{\"EndpointsConfig\":[]}}",
	};

	fixture_init(&f);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture_verdict v = create(cases[i]);

		CU_ASSERT_TRUE(v.findings > 0);
		CU_ASSERT_EQUAL(v.status, 400);
		CU_ASSERT_EQUAL(v.key, POLICY_KEYS);
		if (v.status != 400)
			fprintf(stderr, "%s\n", cases[i]);
	}
}

static void unknown_fields_pass_only_when_they_ask_for_nothing(void)
{
	fixture_init(&f);
	CU_ASSERT_EQUAL(create("{\"N1\":null,\"N2\":false,\"N3\":0,\"N4\":\"\",\"N5\":{}}").findings, 0);
	CU_ASSERT_EQUAL(create("{\"New\":[]}").key, POLICY_KEY_CONTAINERS_UNKNOWN_FIELDS);
	CU_ASSERT_EQUAL(create("{\"New\":true}").key, POLICY_KEY_CONTAINERS_UNKNOWN_FIELDS);
	CU_ASSERT_EQUAL(create("{\"New\":{\"a\":null}}").key, POLICY_KEY_CONTAINERS_UNKNOWN_FIELDS);
}

static void every_json_operation_has_a_table(void)
{
	struct json_body *object, *array;
	const char *why;

	fixture_init(&f);
	CU_ASSERT_EQUAL_FATAL(json_body_load("{}", 2, &object, &why), 0);
	CU_ASSERT_EQUAL_FATAL(json_body_load("[]", 2, &array, &why), 0);
	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		struct api_target t = { .operation = &api_operations[i] };
		unsigned findings =
			policy_inspect(fixture_image(&f), fixture_policy(&f), &t, object, NULL, NULL);

		if (findings)
			findings =
				policy_inspect(fixture_image(&f), fixture_policy(&f), &t, array, NULL, NULL);
		CU_ASSERT_EQUAL(findings == 0, api_operations[i].body == API_BODY_JSON);
	}
	json_body_free(object);
	json_body_free(array);
}

static void what_an_inspection_says_can_be_sent_again(void)
{
	static const char masked[] = "{\"HostConfig\":{\"MaskedPaths\":[\"/proc/asound\",\"/proc/acpi\",\"/"
				     "proc/kcore\",\"/proc/keys\","
				     "\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\",\"/"
				     "proc/sched_debug\",\"/proc/scsi\","
				     "\"/sys/firmware\",\"/sys/devices/virtual/"
				     "powercap\"],\"ReadonlyPaths\":[\"/proc/bus\",\"/proc/fs\","
				     "\"/proc/irq\",\"/proc/sys\",\"/proc/"
				     "sysrq-trigger\"],\"IpcMode\":\"private\",\"CgroupnsMode\":\"private\","
				     "\"Runtime\":\"runc\",\"PidsLimit\":null}}";

	fixture_init(&f);
	CU_ASSERT_EQUAL(create(masked).findings, 0);
}

static void required_things_must_be_in_host_config(void)
{
	fixture_init(&f);
	fixture_set(&f, POLICY_KEY_CONTAINERS_REQUIRE_READ_ONLY_ROOTFS, "true");
	fixture_set(&f, POLICY_KEY_CONTAINERS_MEMORY_MAX, "64m");
	fixture_set(&f, POLICY_KEY_CONTAINERS_CPU_MAX, "1500");
	CU_ASSERT_EQUAL(create("{}").findings, 3);
	CU_ASSERT_EQUAL(create("{\"ReadonlyRootfs\":true,\"Memory\":1048576,\"NanoCpus\":1}").findings, 3);
	CU_ASSERT_EQUAL(
		create("{\"HostConfig\":{\"ReadonlyRootfs\":true,\"Memory\":1048576,\"CpuPeriod\":10000,"
		       "\"CpuQuota\":15000}}")
			.findings,
		0);
	/* Engines up to 26.1 take a limit at the top level over the inner one. */
	CU_ASSERT_EQUAL(
		create("{\"Memory\":999999999,\"HostConfig\":{\"ReadonlyRootfs\":true,\"Memory\":1048576,"
		       "\"NanoCpus\":1000}}")
			.findings,
		1);
}

struct seen {
	unsigned binds, volumes, containers;
	bool read_only;
};

static void see(void *context, const struct policy_reference *r)
{
	struct seen *seen = context;

	if (r->kind == POLICY_REFERENCE_BIND) {
		seen->binds++;
		seen->read_only = r->read_only;
		CU_ASSERT_TRUE(str_eqz(r->name, "/srv/app/x"));
	} else if (r->kind == POLICY_REFERENCE_VOLUME) {
		seen->volumes++;
		CU_ASSERT_TRUE(str_eqz(r->name, "data"));
	} else {
		seen->containers++;
		CU_ASSERT_TRUE(str_eqz(r->name, "3f2a"));
	}
}

static void references_are_listed_for_whoever_can_resolve_them(void)
{
	static const char body[] =
		"{\"HostConfig\":{\"Binds\":[\"/srv/app/./x:/m:ro\",\"/etc:/e\",\"data:/d\"],"
		"\"NetworkMode\":\"container:3f2a\"}}";
	static char scratch[API_TARGET_SCRATCH];
	struct seen seen = { 0 };
	struct json_body *json;
	struct api_target t;
	const char *why;

	fixture_init(&f);
	fixture_set(&f, POLICY_KEY_CONTAINERS_BINDS, "[/srv/app:rw]");
	CU_ASSERT_EQUAL_FATAL(api_target_parse(HTTP_POST, STR("/containers/create"), scratch, &t, &why), 0);
	CU_ASSERT_EQUAL_FATAL(json_body_load(body, sizeof(body) - 1, &json, &why), 0);
	policy_inspect_references(fixture_image(&f), fixture_policy(&f), &t, json, see, &seen);
	json_body_free(json);
	CU_ASSERT_EQUAL(seen.binds, 1);
	CU_ASSERT_TRUE(seen.read_only);
	CU_ASSERT_EQUAL(seen.volumes, 1);
	CU_ASSERT_EQUAL(seen.containers, 1);
	CU_ASSERT_EQUAL_FATAL(api_target_parse(HTTP_POST, STR("/containers/3f2a/exec"), scratch, &t, &why),
			      0);
	policy_inspect_references(fixture_image(&f), fixture_policy(&f), &t, NULL, see, &seen);
	CU_ASSERT_EQUAL(seen.containers, 2);
}

static bool stop(void *context, const struct policy_finding *finding)
{
	unsigned *calls = context;

	CU_ASSERT_PTR_NOT_NULL(finding->problem);
	++*calls;
	return false;
}

static void the_walk_stops_when_told(void)
{
	static const char body[] =
		"{\"Privileged\":true,\"PidMode\":\"host\",\"HostConfig\":{\"Privileged\":true}}";
	static char scratch[API_TARGET_SCRATCH];
	struct json_body *json;
	struct api_target t;
	unsigned calls = 0;
	const char *why;

	fixture_init(&f);
	CU_ASSERT_EQUAL(create(body).findings, 3);
	CU_ASSERT_EQUAL_FATAL(api_target_parse(HTTP_POST, STR("/containers/create"), scratch, &t, &why), 0);
	CU_ASSERT_EQUAL_FATAL(json_body_load(body, sizeof(body) - 1, &json, &why), 0);
	CU_ASSERT_EQUAL(policy_inspect(fixture_image(&f), fixture_policy(&f), &t, json, stop, &calls), 1);
	CU_ASSERT_EQUAL(calls, 1);
	json_body_free(json);
}

static void every_limit_can_be_switched_off(void)
{
	static const char body[] =
		"{\"Image\":\"sha256:0123\",\"User\":\"root\",\"Zork\":[1],\"Labels\":{\"ofelia.x\":\"y\"},"
		"\"HostConfig\":{"
		"\"Privileged\":true,\"Binds\":[\"/:/h\",\"/run/docker.sock:/"
		"s:rshared\"],\"VolumesFrom\":[\"x\"],"
		"\"Mounts\":[{\"Type\":\"npipe\",\"Source\":\"x\"},{\"Type\":\"volume\",\"VolumeOptions\":{"
		"\"DriverConfig\":"
		"{\"Name\":\"x\",\"Options\":{\"o\":\"bind\"}}}}],\"Devices\":[{\"PathOnHost\":\"/dev/../dev/"
		"sda\"}],"
		"\"DeviceCgroupRules\":[\"a *:* "
		"rwm\"],\"DeviceRequests\":[{\"Driver\":\"cdi\",\"Options\":{\"a\":\"b\"}}],"
		"\"CapAdd\":\"ALL\",\"SecurityOpt\":[\"seccomp={}\",\"disable\"],\"MaskedPaths\":[],"
		"\"PidMode\":\"host\","
		"\"IpcMode\":\"container:x\",\"UTSMode\":\"host\",\"UsernsMode\":\"host\",\"CgroupnsMode\":"
		"\"host\","
		"\"CgroupParent\":\"/\",\"NetworkMode\":\"host\",\"PortBindings\":{\"1/"
		"tcp\":[{\"HostPort\":\"1\"}]},"
		"\"Runtime\":\"x\",\"Sysctls\":{\"a\":\"b\"},\"LogConfig\":{\"Type\":\"x\",\"Config\":{\"a\":"
		"\"b\"}},"
		"\"Ulimits\":[{\"Name\":\"nice\"}],\"OomScoreAdj\":-1000,\"Annotations\":{\"a\":\"b\"},"
		"\"GroupAdd\":[\"0\"],"
		"\"StorageOpt\":{\"a\":\"b\"},\"CpuRealtimePeriod\":1,\"Links\":[\"a:b\"],\"ExtraHosts\":["
		"\"a:host-gateway\"],"
		"\"Isolation\":\"x\"}}";
	fixture_init(&f);
	CU_ASSERT_TRUE(create(body).findings > 30);
	for (unsigned key = 0; key < POLICY_KEYS; key++) {
		if (strncmp(policy_keys[key].name, "require_", 8) == 0 ||
		    key == POLICY_KEY_CONTAINERS_PROTECTED || key == POLICY_KEY_CONTAINERS_LABELS_REFUSED)
			fixture_set(&f, key, policy_keys[key].type == POLICY_BOOL ? "false" : "[]");
		else if (policy_keys[key].type == POLICY_BOOL)
			fixture_set(&f, key, "true");
		else if (policy_keys[key].type == POLICY_CHOICE)
			fixture_set(&f, key, strrchr(policy_keys[key].choices, '|') + 1);
		else if (policy_keys[key].type == POLICY_STRINGS)
			fixture_set(&f, key, "[\"*\"]");
		else if (policy_keys[key].type == POLICY_BINDS)
			fixture_set(&f, key, "[/:rw]");
	}
	CU_ASSERT_EQUAL(create(body).findings, 0);
	CU_ASSERT_STRING_EQUAL(create(body).field, "");
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "default bodies of real clients pass", default_bodies_of_real_clients_pass },
		{ "other spellings of fields are refused", other_spellings_of_fields_are_refused },
		{ "types are checked", types_are_checked },
		{ "unknown fields pass only when they ask for nothing",
		  unknown_fields_pass_only_when_they_ask_for_nothing },
		{ "every JSON operation has a table", every_json_operation_has_a_table },
		{ "what an inspection says can be sent again", what_an_inspection_says_can_be_sent_again },
		{ "required things must be in HostConfig", required_things_must_be_in_host_config },
		{ "references are listed for whoever can resolve them",
		  references_are_listed_for_whoever_can_resolve_them },
		{ "the walk stops when told", the_walk_stops_when_told },
		{ "every limit can be switched off", every_limit_can_be_switched_off },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("policy/policy_inspect", tests);
}
