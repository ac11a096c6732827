/* SPDX-License-Identifier: BSD-2-Clause */
/* The policies that are shipped: what each allows and denies. */
#include "check.h"
#include "policy/policy_decide.h"
#include "policy/policy_rewrite.h"
#include "scratch.h"

#include <errno.h>

#define FOLDER TEST_VECTORS "/../../policies/"

/* Where the policies are served. */
#define LISTENER "/run/sockgate/docker.sock"

static char target_scratch[API_TARGET_SCRATCH];
static char sent[4096]; /* the last body, as it would be sent */
static struct api_target target;

struct row {
	enum http_method method;
	const char *target;
	const char *body; /* NULL: none */
	bool allow;
};

static bool decide(const struct policy_image *image, const struct image_policy *policy, const struct row *row)
{
	char changes_memory[POLICY_CHANGES_MAX];
	struct buf changes = buf_over(changes_memory, sizeof(changes_memory)),
		   out = buf_over(sent, sizeof(sent) - 1);
	struct policy_decision d = { 0 };
	struct json_body *body = NULL;
	const char *why;

	if (api_target_parse(row->method, str_from(row->target), target_scratch, &target, &why) < 0)
		return false;
	policy_decide(image, policy, NULL, &target, &d);
	if (d.allow && row->body) {
		if (json_body_load(row->body, strlen(row->body), &body, &why) < 0)
			return false;
		if (policy_rewrite(image, policy, IMAGE_LIST(image, struct image_listener, image->listeners),
				   &target, body, &changes, &why) >= 0)
			policy_decide_body(image, policy, &target, body, &d);
		json_body_write(body, &out);
		json_body_free(body);
		out.p[out.n] = '\0';
	}
	CU_ASSERT_EQUAL(d.allow, d.reason_len == 0);
	return d.allow;
}

/* Compiles FOLDER/NAME.yaml and what it extends, from that folder. */
static const struct policy_image *compile(const char *name, const struct image_policy **ret_policy)
{
	struct config_build *build = config_build_new();
	const struct policy_image *image = NULL;
	char path[512];
	const char *why = "";
	unsigned index = 0;
	int fd, r;

	snprintf(path, sizeof(path), FOLDER "%s.yaml", name);
	r = config_load_policy(build, path, stderr, &index);
	CU_ASSERT_EQUAL_FATAL(r, 0);
	CU_ASSERT_EQUAL_FATAL(config_add_listener(build, "unix:" LISTENER, index, stderr), 0);
	fd = config_seal(build);
	CU_ASSERT_EQUAL_FATAL(policy_image_map(fd, &image, &why), 0);
	*ret_policy = policy_image_at(image, index);
	CU_ASSERT_TRUE(str_eqz(image_string(image, (*ret_policy)->name), name));
	close(fd);
	config_build_free(build);
	return image;
}

static void check_rows(const char *name, const struct row *rows, size_t n)
{
	const struct image_policy *policy = NULL;
	const struct policy_image *image = compile(name, &policy);

	for (size_t i = 0; i < n; i++) {
		bool allow = decide(image, policy, &rows[i]);

		if (allow != rows[i].allow)
			fprintf(stderr, "%s: %s %s %s\n", name, http_method_name(rows[i].method),
				rows[i].target, rows[i].body ? rows[i].body : "");
		CU_ASSERT_EQUAL(allow, rows[i].allow);
	}
	policy_image_unmap(image);
}
#define CHECK_ROWS(name, rows) check_rows(name, rows, sizeof(rows) / sizeof((rows)[0]))

static const char plain[] = "{\"Image\":\"bb\",\"HostConfig\":{\"NetworkMode\":\"default\"}}";
static const char privileged[] = "{\"Image\":\"bb\",\"HostConfig\":{\"Privileged\":true}}";
static const char root_bind[] = "{\"Image\":\"bb\",\"HostConfig\":{\"Binds\":[\"/:/host\"]}}";
static const char host_pid[] = "{\"Image\":\"bb\",\"HostConfig\":{\"PidMode\":\"host\"}}";

static void readonly_reads_and_gives_nothing_away(void)
{
	static const struct row rows[] = {
		{ HTTP_GET, "/_ping", NULL, true },
		{ HTTP_HEAD, "/_ping", NULL, true },
		{ HTTP_GET, "/v1.41/version", NULL, true },
		{ HTTP_GET, "/info", NULL, true },
		{ HTTP_GET, "/events?since=1", NULL, true },
		{ HTTP_GET, "/containers/json?all=1", NULL, true },
		{ HTTP_GET, "/containers/web/logs?follow=1", NULL, true },
		{ HTTP_GET, "/containers/web/top", NULL, true },
		{ HTTP_GET, "/images/ghcr.io/a/b:1/json", NULL, true },
		{ HTTP_GET, "/volumes", NULL, true },
		{ HTTP_GET, "/networks/", NULL, true },
		{ HTTP_GET, "/containers/web/attach/ws?stdin=1", NULL, false },
		{ HTTP_GET, "/containers/web/archive?path=/etc", NULL, false },
		{ HTTP_GET, "/containers/web/export", NULL, false },
		{ HTTP_GET, "/images/bb/get", NULL, false },
		{ HTTP_GET, "/images/search?term=x", NULL, false },
		{ HTTP_GET, "/distribution/bb/json", NULL, false },
		{ HTTP_GET, "/configs/x", NULL, false },
		{ HTTP_GET, "/secrets", NULL, false },
		{ HTTP_GET, "/swarm/unlockkey", NULL, false },
		{ HTTP_GET, "/debug/vars", NULL, false },
		{ HTTP_OPTIONS, "/info", NULL, false },
		{ HTTP_POST, "/containers/create", plain, false },
		{ HTTP_DELETE, "/containers/web", NULL, false },
	};

	CHECK_ROWS("readonly", rows);
}

/* By the table itself, so that an operation that is added later cannot slip in. */
static void readonly_allows_no_write_and_no_sensitive_read(void)
{
	const struct image_policy *policy = NULL;
	const struct policy_image *image = compile("readonly", &policy);

	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		if (api_operations[i].flags & (API_WRITE | API_SENSITIVE | API_HIJACK))
			CU_ASSERT_EQUAL(policy->verdicts[i].allow, 0);
	}
	CU_ASSERT_EQUAL(policy->globs.count, 0);
	policy_image_unmap(image);
}

static void worker_builds_and_runs_within_the_safe_defaults(void)
{
	static const struct row rows[] = {
		{ HTTP_POST, "/v1.43/containers/create?name=web", plain, true },
		{ HTTP_POST, "/containers/create", privileged, false },
		{ HTTP_POST, "/containers/create", root_bind, false },
		{ HTTP_POST, "/containers/create", host_pid, false },
		{ HTTP_POST, "/containers/web/start", NULL, true },
		{ HTTP_POST, "/containers/web/attach?stream=1", NULL, true },
		{ HTTP_POST, "/containers/web/exec", "{\"Cmd\":[\"id\"]}", true },
		{ HTTP_POST, "/containers/web/exec", "{\"Cmd\":[\"id\"],\"Privileged\":true}", false },
		{ HTTP_POST, "/exec/abc/start", "{\"Detach\":false}", true },
		{ HTTP_POST, "/build?t=app", NULL, true },
		{ HTTP_POST, "/build?networkmode=host", NULL, false },
		{ HTTP_POST, "/images/create?fromImage=alpine&tag=3", NULL, true },
		{ HTTP_POST, "/images/create?fromSrc=http://x/y", NULL, false },
		{ HTTP_POST, "/images/app/push", NULL, false },
		{ HTTP_POST, "/images/load", NULL, false },
		{ HTTP_POST, "/networks/create", "{\"Name\":\"n\"}", true },
		{ HTTP_POST, "/networks/create", "{\"Name\":\"n\",\"Driver\":\"macvlan\"}", false },
		{ HTTP_POST, "/volumes/create", "{\"Name\":\"v\"}", true },
		{ HTTP_POST, "/volumes/create",
		  "{\"DriverOpts\":{\"type\":\"none\",\"o\":\"bind\",\"device\":\"/\"}}", false },
		{ HTTP_GET, "/containers/json", NULL, true },
		{ HTTP_GET, "/containers/web/archive?path=/", NULL, false },
		{ HTTP_POST, "/swarm/init", "{}", false },
		{ HTTP_GET, "/services", NULL, false },
		{ HTTP_POST, "/v1.43/services/create", "{}", false },
		{ HTTP_GET, "/tasks", NULL, false },
		{ HTTP_GET, "/secrets", NULL, false },
		{ HTTP_GET, "/configs", NULL, false },
		{ HTTP_GET, "/plugins", NULL, false },
		{ HTTP_POST, "/session", NULL, false },
		{ HTTP_POST, "/grpc", NULL, false },
	};

	CHECK_ROWS("worker", rows);
}

static void unrestricted_allows_every_operation_and_limits_nothing(void)
{
	static const char everything[] =
		"{\"Image\":\"bb\",\"User\":\"0\",\"HostConfig\":{\"Privileged\":true,"
		"\"Binds\":[\"/:/host\",\"/run/docker.sock:/s\"],\"PidMode\":\"host\","
		"\"NetworkMode\":\"host\",\"IpcMode\":\"host\",\"UsernsMode\":\"host\","
		"\"CapAdd\":[\"ALL\"],\"SecurityOpt\":[\"seccomp=unconfined\"],"
		"\"Devices\":[{\"PathOnHost\":\"/dev/sda\",\"PathInContainer\":\"/dev/sda\"}],"
		"\"VolumesFrom\":[\"web\"],\"Sysctls\":{\"kernel.x\":\"1\"},"
		"\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"80\"}]}}}";
	static const struct row rows[] = {
		{ HTTP_POST, "/containers/create", everything, true },
		{ HTTP_GET, "/debug/vars", NULL, true },
		{ HTTP_POST, "/grpc", NULL, true },
		{ HTTP_POST, "/build?networkmode=host&remote=http://x/y", NULL, true },
		{ HTTP_POST, "/images/create?fromSrc=http://127.0.0.1/x", NULL, true },
		/* What is no operation stays out. */
		{ HTTP_GET, "/nope", NULL, false },
	};
	const struct image_policy *policy = NULL;
	const struct policy_image *image = compile("unrestricted", &policy);

	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		CU_ASSERT_NOT_EQUAL(policy->verdicts[i].allow, 0);
		CU_ASSERT_EQUAL(policy->verdicts[i].deny, 0);
	}
	/* A limit that is added later must be taken off here as well. */
	for (unsigned i = 0; i < POLICY_KEYS; i++) {
		if (!policy->values[i].set)
			fprintf(stderr, "unrestricted: %s.%s\n", policy_keys[i].section, policy_keys[i].name);
		CU_ASSERT_TRUE(policy->values[i].set);
	}
	policy_image_unmap(image);
	CHECK_ROWS("unrestricted", rows);
}

static void traefik_sees_containers_and_nothing_else(void)
{
	static const struct row rows[] = {
		{ HTTP_GET, "/v1.24/version", NULL, true },
		{ HTTP_GET, "/v1.24/containers/json?limit=0", NULL, true },
		{ HTTP_GET, "/v1.24/containers/abc/json", NULL, true },
		{ HTTP_GET, "/v1.24/events?filters=%7B%22type%22%3A%7B%22container%22%3Atrue%7D%7D", NULL,
		  true },
		{ HTTP_HEAD, "/_ping", NULL, true },
		{ HTTP_GET, "/containers/abc/logs?stdout=1", NULL, false },
		{ HTTP_GET, "/info", NULL, false },
		{ HTTP_GET, "/images/json", NULL, false },
		{ HTTP_GET, "/services", NULL, false },
		{ HTTP_POST, "/containers/abc/stop", NULL, false },
	};

	CHECK_ROWS("traefik", rows);
}

static void portainer_manages_one_engine_within_limits(void)
{
	static const struct row rows[] = {
		{ HTTP_GET, "/info", NULL, true },
		{ HTTP_GET, "/nodes", NULL, true },
		{ HTTP_GET, "/services", NULL, true },
		{ HTTP_POST, "/containers/create?name=x", plain, true },
		{ HTTP_POST, "/containers/create?name=x", privileged, false },
		{ HTTP_POST, "/containers/create?name=x", root_bind, false },
		{ HTTP_GET, "/containers/web/attach/ws?stdin=1", NULL, true },
		{ HTTP_POST, "/exec/abc/start", "{}", true },
		{ HTTP_POST, "/images/load", NULL, true },
		{ HTTP_POST, "/build?t=x", NULL, true },
		{ HTTP_POST, "/auth", "{\"username\":\"a\",\"password\":\"b\",\"serveraddress\":\"ghcr.io\"}",
		  true },
		{ HTTP_POST, "/swarm/init", "{}", false },
		{ HTTP_POST, "/services/create", "{}", false },
		{ HTTP_DELETE, "/services/x", NULL, false },
		{ HTTP_POST, "/nodes/x/update", "{}", false },
		{ HTTP_POST, "/plugins/pull?remote=x", "[]", false },
		{ HTTP_GET, "/secrets", NULL, false },
		{ HTTP_POST, "/session", NULL, false },
	};

	CHECK_ROWS("portainer", rows);
}

static void watchtower_replaces_containers(void)
{
	static const struct row rows[] = {
		{ HTTP_GET, "/containers/json?filters=x", NULL, true },
		{ HTTP_GET, "/images/sha256:abc/json", NULL, true },
		{ HTTP_POST, "/images/create?fromImage=ghcr.io/a/b&tag=1", NULL, true },
		{ HTTP_POST, "/containers/abc/kill?signal=SIGTERM", NULL, true },
		{ HTTP_DELETE, "/containers/abc?force=1&v=1", NULL, true },
		{ HTTP_POST, "/containers/create?name=web", plain, true },
		{ HTTP_POST, "/containers/create?name=web", privileged, false },
		{ HTTP_POST, "/networks/abc/connect", "{\"Container\":\"web\"}", true },
		{ HTTP_POST, "/containers/abc/rename?name=old", NULL, true },
		{ HTTP_DELETE, "/images/sha256:abc", NULL, true },
		{ HTTP_POST, "/containers/abc/exec", "{\"Cmd\":[\"sh\"]}", false },
		{ HTTP_POST, "/build", NULL, false },
		{ HTTP_POST, "/images/a/push", NULL, false },
		{ HTTP_POST, "/volumes/create", "{}", false },
		{ HTTP_GET, "/containers/abc/logs", NULL, false },
	};

	CHECK_ROWS("watchtower", rows);
}

static void ci_builds_runs_copies_and_pushes(void)
{
	static const struct row rows[] = {
		{ HTTP_POST, "/containers/create", plain, true },
		{ HTTP_POST, "/containers/create", privileged, false },
		{ HTTP_PUT, "/containers/abc/archive?path=/tmp", NULL, true },
		{ HTTP_GET, "/containers/abc/archive?path=/tmp", NULL, true },
		{ HTTP_POST, "/images/load?quiet=1", NULL, true },
		{ HTTP_POST, "/images/ghcr.io/a/b/push?tag=1", NULL, true },
		{ HTTP_POST, "/auth", "{\"serveraddress\":\"ghcr.io\"}", true },
		{ HTTP_POST, "/build?t=x", NULL, true },
		{ HTTP_POST, "/commit?container=abc", NULL, true },
		{ HTTP_POST, "/session", NULL, false },
		{ HTTP_POST, "/containers/prune", NULL, false },
		{ HTTP_POST, "/volumes/prune", NULL, false },
		{ HTTP_POST, "/images/prune", NULL, false },
		{ HTTP_GET, "/containers/abc/attach/ws", NULL, false },
		{ HTTP_POST, "/swarm/init", "{}", false },
		{ HTTP_GET, "/services", NULL, false },
	};

	CHECK_ROWS("ci", rows);
}

static void builder_gives_its_own_socket_for_the_engines(void)
{
	static const struct row rows[] = {
		{ HTTP_POST, "/containers/create", plain, true },
		{ HTTP_POST, "/containers/create", privileged, false },
		{ HTTP_POST, "/containers/create", root_bind, false },
		{ HTTP_POST, "/containers/create",
		  "{\"HostConfig\":{\"Binds\":[\"/run/containerd/containerd.sock:/s\"]}}", false },
		{ HTTP_POST, "/containers/create", "{\"HostConfig\":{\"Binds\":[\"/var/run:/s\"]}}", false },
		{ HTTP_POST, "/containers/create",
		  "{\"HostConfig\":{\"Binds\":[\"/run/sockgate/control.sock:/s\"]}}", false },
		{ HTTP_POST, "/build?t=app", NULL, true },
		{ HTTP_POST, "/containers/web/exec", "{\"Cmd\":[\"id\"]}", true },
		{ HTTP_POST, "/networks/create", "{\"Name\":\"n\"}", true },
		{ HTTP_POST, "/volumes/create", "{\"Name\":\"v\"}", true },
		{ HTTP_POST, "/v1.43/services/create", "{}", false },
		{ HTTP_POST, "/swarm/init", "{}", false },
		{ HTTP_POST, "/session", NULL, false },
	};
	static const struct row create = { HTTP_POST, "/v1.41/containers/create?name=builder",
					   "{\"Image\":\"bb\",\"Labels\":{\"sockgate.policy\":\"none\"},"
					   "\"HostConfig\":{\"AutoRemove\":true,"
					   "\"Binds\":[\"/var/run/docker.sock:/var/run/docker.sock\"]}}",
					   true };
	const struct image_policy *policy = NULL;
	const struct policy_image *image = compile("builder", &policy);

	CU_ASSERT_TRUE(decide(image, policy, &create));
	CU_ASSERT_STRING_EQUAL(sent, "{\"Image\":\"bb\",\"Labels\":{\"sockgate.policy\":\"builder\"},"
				     "\"HostConfig\":{\"AutoRemove\":true,\"Binds\":[\"" LISTENER
				     ":/var/run/docker.sock\"],\"PidsLimit\":1024}}");
	policy_image_unmap(image);
	CHECK_ROWS("builder", rows);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "readonly reads and gives nothing away", readonly_reads_and_gives_nothing_away },
		{ "readonly allows no write and no sensitive read",
		  readonly_allows_no_write_and_no_sensitive_read },
		{ "worker builds and runs within the safe defaults",
		  worker_builds_and_runs_within_the_safe_defaults },
		{ "unrestricted allows every operation and limits nothing",
		  unrestricted_allows_every_operation_and_limits_nothing },
		{ "traefik sees containers and nothing else", traefik_sees_containers_and_nothing_else },
		{ "portainer manages one engine within limits", portainer_manages_one_engine_within_limits },
		{ "watchtower replaces containers", watchtower_replaces_containers },
		{ "ci builds, runs, copies and pushes", ci_builds_runs_copies_and_pushes },
		{ "builder gives its own socket for the engine's",
		  builder_gives_its_own_socket_for_the_engines },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("policies", tests);
}
