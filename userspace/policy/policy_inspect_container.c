/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_inspect_container.c - container.Config, what every container must have, and the bodies about
 * containers. */
#include "policy/policy_inspect_checks.h"

const struct inspect_row inspect_health_rows[] = {
	INSPECT_FREE("Test", INSPECT_STRING_OR_STRINGS),
	INSPECT_FREE("Interval", INSPECT_INTEGER),
	INSPECT_FREE("Timeout", INSPECT_INTEGER),
	INSPECT_FREE("StartPeriod", INSPECT_INTEGER),
	INSPECT_FREE("StartInterval", INSPECT_INTEGER),
	INSPECT_FREE("Retries", INSPECT_INTEGER),
	INSPECT_END,
};

const struct inspect_row inspect_config_rows[] = {
	INSPECT_CHECK("Image", INSPECT_STRING, inspect_check_image, CONTAINERS_IMAGES),
	INSPECT_CHECK("User", INSPECT_STRING, inspect_check_listed, CONTAINERS_USERS),
	INSPECT_CHECK("Labels", INSPECT_PAIRS, inspect_check_refused_pairs, CONTAINERS_LABELS_REFUSED),
	INSPECT_FREE("Hostname", INSPECT_STRING),
	INSPECT_FREE("Domainname", INSPECT_STRING),
	INSPECT_FREE("AttachStdin", INSPECT_BOOL),
	INSPECT_FREE("AttachStdout", INSPECT_BOOL),
	INSPECT_FREE("AttachStderr", INSPECT_BOOL),
	INSPECT_FREE("ExposedPorts", INSPECT_NAMED_OBJECTS), /* publishes nothing by itself */
	INSPECT_FREE("Tty", INSPECT_BOOL),
	INSPECT_FREE("OpenStdin", INSPECT_BOOL),
	INSPECT_FREE("StdinOnce", INSPECT_BOOL),
	INSPECT_FREE("Env", INSPECT_STRINGS),
	INSPECT_FREE("Cmd", INSPECT_STRING_OR_STRINGS),
	INSPECT_FREE("ArgsEscaped", INSPECT_BOOL),
	INSPECT_FREE("Volumes", INSPECT_NAMED_OBJECTS), /* paths in the container: anonymous volumes */
	INSPECT_FREE("WorkingDir", INSPECT_STRING),
	INSPECT_FREE("Entrypoint", INSPECT_STRING_OR_STRINGS),
	INSPECT_FREE("NetworkDisabled", INSPECT_BOOL),
	INSPECT_FREE("MacAddress", INSPECT_STRING),
	INSPECT_FREE("OnBuild", INSPECT_STRINGS),
	INSPECT_FREE("StopSignal", INSPECT_STRING),
	INSPECT_FREE("StopTimeout", INSPECT_INTEGER),
	INSPECT_FREE("Shell", INSPECT_STRING_OR_STRINGS),
	INSPECT_FIELDS("Healthcheck", INSPECT_OBJECT, inspect_health_rows),
	INSPECT_END,
};

/* Thousandths of a CPU that a quota is in a period of microseconds, 0 for none; Docker's default period is
 * 100 ms. */
static int64_t quota_cpus(const struct json_value *host)
{
	const struct json_value *quota = inspect_get(host, "CpuQuota"),
				*period = inspect_get(host, "CpuPeriod");
	int64_t q = quota ? json_value_integer(quota) : 0, p = period ? json_value_integer(period) : 0;

	if (p <= 0)
		p = 100000;
	if (q <= 0)
		return 0;
	return q > INT64_MAX / 1000 ? INT64_MAX : (q * 1000 + p - 1) / p;
}

/* In one object with its period; a negative quota is none. */
static void check_quota(struct inspect *in, const struct json_value *host)
{
	uint64_t max = policy_number(in->policy, POLICY_KEY_CONTAINERS_CPU_MAX);
	const struct json_value *quota = inspect_get(host, "CpuQuota");
	size_t mark = inspect_enter(in, STR("CpuQuota"));

	if (max && quota && (json_value_integer(quota) < 0 || (uint64_t)quota_cpus(host) > max))
		inspect_refuse_value(in, POLICY_KEY_CONTAINERS_CPU_MAX, quota, "is more than the limit");
	inspect_leave(in, mark);
}

static void require_number(struct inspect *in, enum policy_key key, const char *name, bool there)
{
	size_t mark = inspect_enter(in, str_from(name));

	if (policy_number(in->policy, key) && !there)
		inspect_refuse(in, key, STR(""), "must be given, and is not");
	inspect_leave(in, mark);
}

static bool above_zero(const struct json_value *host, const char *name)
{
	const struct json_value *v = inspect_get(host, name);

	return v && json_value_integer(v) > 0;
}

static bool asks_no_new_privileges(const struct json_value *options)
{
	for (size_t i = 0; options && i < json_size(options); i++) {
		struct str s = json_value_string(json_element(options, i));

		if (str_eqz(s, "no-new-privileges") || str_eqz(s, "no-new-privileges=true") ||
		    str_eqz(s, "no-new-privileges:true"))
			return true;
	}
	return false;
}

static bool turns_privileges_back_on(const struct json_value *options)
{
	for (size_t i = 0; options && i < json_size(options); i++) {
		struct str s = json_value_string(json_element(options, i));

		if (str_starts(s, STR("no-new-privileges")) && !str_eqz(s, "no-new-privileges") &&
		    !str_eqz(s, "no-new-privileges=true") && !str_eqz(s, "no-new-privileges:true"))
			return true;
	}
	return false;
}

/* What must be there, in HostConfig: engines from 27 on look nowhere else. NULL: there is no HostConfig. */
static void check_required(struct inspect *in, const struct json_value *host)
{
	const struct json_value *options = inspect_get(host, "SecurityOpt"),
				*root = inspect_get(host, "ReadonlyRootfs");
	enum policy_key key = POLICY_KEY_CONTAINERS_REQUIRE_NO_NEW_PRIVILEGES;
	size_t mark = inspect_enter(in, STR("HostConfig")), inner;

	inner = inspect_enter(in, STR("SecurityOpt"));
	if (policy_bool(in->policy, key) &&
	    (!asks_no_new_privileges(options) || turns_privileges_back_on(options)))
		inspect_refuse(in, key, STR(""), "must have no-new-privileges");
	inspect_leave(in, inner);
	inner = inspect_enter(in, STR("ReadonlyRootfs"));
	key = POLICY_KEY_CONTAINERS_REQUIRE_READ_ONLY_ROOTFS;
	if (policy_bool(in->policy, key) && !(root && json_value_bool(root)))
		inspect_refuse(in, key, STR("false"), "must be true");
	inspect_leave(in, inner);
	inner = inspect_enter(in, STR("CapDrop"));
	inspect_require_drop(in, inspect_get(host, "CapDrop"));
	inspect_leave(in, inner);
	require_number(in, POLICY_KEY_CONTAINERS_MEMORY_MAX, "Memory", above_zero(host, "Memory"));
	require_number(in, POLICY_KEY_CONTAINERS_CPU_MAX, "NanoCpus",
		       above_zero(host, "NanoCpus") || quota_cpus(host) > 0);
	require_number(in, POLICY_KEY_CONTAINERS_PIDS_MAX, "PidsLimit", above_zero(host, "PidsLimit"));
	inspect_leave(in, mark);
}

static void check_create(struct inspect *in, const struct inspect_row *row, const struct json_value *body)
{
	const struct json_value *host = inspect_get(body, "HostConfig");
	size_t mark;

	(void)row;
	check_required(in, host);
	mark = inspect_enter(in, STR("User"));
	inspect_require_user(in, inspect_get(body, "User"));
	inspect_leave(in, mark);
	check_quota(in, body);
	mark = inspect_enter(in, STR("HostConfig"));
	check_quota(in, host);
	inspect_leave(in, mark);
}

static void check_update(struct inspect *in, const struct inspect_row *row, const struct json_value *body)
{
	(void)row;
	check_quota(in, body);
}

static const struct inspect_row networking_rows[] = {
	INSPECT_CHECK("EndpointsConfig", INSPECT_ANY, inspect_check_endpoints, CONTAINERS_NETWORKS),
	INSPECT_END,
};

/* Engines up to 26.1 take HostConfig's fields at the top level as well; they are judged there for every
 * engine. */
static const struct inspect_row create_rows[] = {
	INSPECT_FIELDS("HostConfig", INSPECT_OBJECT, inspect_host_config_rows),
	INSPECT_FIELDS("NetworkingConfig", INSPECT_OBJECT, networking_rows),
	/* dockerode puts its own options into the body; the engine takes both from the query only. */
	INSPECT_FREE("name", INSPECT_STRING),
	INSPECT_FREE("platform", INSPECT_STRING),
	INSPECT_ALSO(inspect_config_rows),
	INSPECT_ALSO(inspect_host_config_rows),
	INSPECT_END,
};
const struct inspect_row inspect_body_create = { "", INSPECT_OBJECT, create_rows, check_create, POLICY_KEYS };

/* The engine takes container.Resources and RestartPolicy and no more of HostConfig. */
const struct inspect_row inspect_body_update = { "", INSPECT_OBJECT, inspect_host_config_rows, check_update,
						 POLICY_KEYS };

const struct inspect_row inspect_body_commit = INSPECT_FIELDS("", INSPECT_OBJECT, inspect_config_rows);

static const struct inspect_row exec_rows[] = {
	INSPECT_CHECK("Privileged", INSPECT_BOOL, inspect_check_flag, EXEC_PRIVILEGED),
	INSPECT_CHECK("User", INSPECT_STRING, inspect_check_listed, EXEC_USERS),
	INSPECT_FREE("Tty", INSPECT_BOOL),
	INSPECT_FREE("ConsoleSize", INSPECT_INTEGERS),
	INSPECT_FREE("AttachStdin", INSPECT_BOOL),
	INSPECT_FREE("AttachStdout", INSPECT_BOOL),
	INSPECT_FREE("AttachStderr", INSPECT_BOOL),
	INSPECT_FREE("Detach", INSPECT_BOOL),
	INSPECT_FREE("DetachKeys", INSPECT_STRING),
	INSPECT_FREE("Env", INSPECT_STRINGS),
	INSPECT_FREE("WorkingDir", INSPECT_STRING),
	INSPECT_FREE("Cmd", INSPECT_STRING_OR_STRINGS),
	/* docker-py repeats the container of the path; the engine does not read it. */
	INSPECT_CHECK("Container", INSPECT_STRING, inspect_check_container, CONTAINERS_PROTECTED),
	INSPECT_END,
};
const struct inspect_row inspect_body_exec = INSPECT_FIELDS("", INSPECT_OBJECT, exec_rows);

static const struct inspect_row exec_start_rows[] = {
	INSPECT_FREE("Detach", INSPECT_BOOL),
	INSPECT_FREE("Tty", INSPECT_BOOL),
	INSPECT_FREE("ConsoleSize", INSPECT_INTEGERS),
	/* dockerode's own options. */
	INSPECT_FREE("hijack", INSPECT_BOOL),
	INSPECT_FREE("stdin", INSPECT_BOOL),
	INSPECT_END,
};
const struct inspect_row inspect_body_exec_start = INSPECT_FIELDS("", INSPECT_OBJECT, exec_start_rows);

static const struct inspect_row checkpoint_rows[] = {
	INSPECT_FREE("CheckpointID", INSPECT_STRING),
	INSPECT_CHECK("CheckpointDir", INSPECT_STRING, inspect_check_directory, CONTAINERS_CHECKPOINT_DIRS),
	INSPECT_FREE("Exit", INSPECT_BOOL),
	INSPECT_END,
};
const struct inspect_row inspect_body_checkpoint = INSPECT_FIELDS("", INSPECT_OBJECT, checkpoint_rows);

static const struct inspect_row copy_rows[] = {
	INSPECT_FREE("Resource", INSPECT_STRING),
	INSPECT_END,
};
const struct inspect_row inspect_body_copy = INSPECT_FIELDS("", INSPECT_OBJECT, copy_rows);
