/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_inspect_service.c - services. A service makes containers on every node, so that its fields
 * are under the limits of containers.
 */
#include "policy/policy_inspect_checks.h"

/* containers.security_opt lists "name=value", as a container would ask for it. */
static void security_pair(struct inspect *in, const char *name, struct str value)
{
	char memory[256];
	struct buf b = buf_over(memory, sizeof(memory));

	if (value.n == 0)
		return;
	buf_puts(&b, name);
	buf_putc(&b, '=');
	buf_str(&b, value);
	if (b.overflow)
		inspect_refuse(in, POLICY_KEY_CONTAINERS_SECURITY_OPT, value, "is too long");
	else
		inspect_string_security(in, POLICY_KEY_CONTAINERS_SECURITY_OPT, buf_view(&b));
}

static struct str text(const struct json_value *object, const char *name)
{
	const struct json_value *v = inspect_get(object, name);

	return v ? json_value_string(v) : STR("");
}

static void check_credentials(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	(void)row;
	security_pair(in, "credentialspec", text(v, "Config"));
	security_pair(in, "credentialspec", text(v, "File"));
	security_pair(in, "credentialspec", text(v, "Registry"));
}

static const struct inspect_row credential_rows[] = {
	INSPECT_FREE("Config", INSPECT_STRING), /* judged with the whole, as the others */
	INSPECT_FREE("File", INSPECT_STRING),
	INSPECT_FREE("Registry", INSPECT_STRING),
	INSPECT_END,
};

static void check_selinux(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	const struct json_value *disable = inspect_get(v, "Disable");

	(void)row;
	if (disable && json_value_bool(disable))
		security_pair(in, "label", STR("disable"));
	security_pair(in, "label", text(v, "User"));
	security_pair(in, "label", text(v, "Role"));
	security_pair(in, "label", text(v, "Type"));
	security_pair(in, "label", text(v, "Level"));
}

static const struct inspect_row selinux_rows[] = {
	INSPECT_FREE("Disable", INSPECT_BOOL), /* judged with the whole, as the others */
	INSPECT_FREE("User", INSPECT_STRING),
	INSPECT_FREE("Role", INSPECT_STRING),
	INSPECT_FREE("Type", INSPECT_STRING),
	INSPECT_FREE("Level", INSPECT_STRING),
	INSPECT_END,
};

static void check_seccomp(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	(void)row;
	if (!str_eqz(text(v, "Mode"), "default"))
		security_pair(in, "seccomp", text(v, "Mode"));
}

static const struct inspect_row seccomp_rows[] = {
	INSPECT_FREE("Mode", INSPECT_STRING), /* judged with the whole */
	INSPECT_FREE("Profile", INSPECT_STRING),
	INSPECT_END,
};

static void check_apparmor(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	(void)row;
	if (!str_eqz(text(v, "Mode"), "default"))
		security_pair(in, "apparmor", text(v, "Mode"));
}

static const struct inspect_row apparmor_rows[] = {
	INSPECT_FREE("Mode", INSPECT_STRING), /* judged with the whole */
	INSPECT_END,
};

static const struct inspect_row privileges_rows[] = {
	{ "CredentialSpec", INSPECT_OBJECT, credential_rows, check_credentials, POLICY_KEYS },
	{ "SELinuxContext", INSPECT_OBJECT, selinux_rows, check_selinux, POLICY_KEYS },
	{ "Seccomp", INSPECT_OBJECT, seccomp_rows, check_seccomp, POLICY_KEYS },
	{ "AppArmor", INSPECT_OBJECT, apparmor_rows, check_apparmor, POLICY_KEYS },
	INSPECT_FREE("NoNewPrivileges", INSPECT_BOOL), /* judged with the whole: require_no_new_privileges */
	INSPECT_END,
};

static const struct inspect_row container_spec_rows[] = {
	INSPECT_CHECK("Image", INSPECT_STRING, inspect_check_image, CONTAINERS_IMAGES),
	INSPECT_CHECK("Labels", INSPECT_PAIRS, inspect_check_refused_pairs, CONTAINERS_LABELS_REFUSED),
	INSPECT_CHECK("User", INSPECT_STRING, inspect_check_listed, CONTAINERS_USERS),
	INSPECT_CHECK("Groups", INSPECT_STRINGS, inspect_check_listed, CONTAINERS_GROUP_ADD),
	INSPECT_FIELDS("Privileges", INSPECT_OBJECT, privileges_rows),
	{ "Mounts", INSPECT_OBJECTS, inspect_mount_rows, inspect_check_mount,
	  POLICY_KEY_CONTAINERS_MOUNT_TYPES },
	INSPECT_CHECK("Hosts", INSPECT_STRINGS, inspect_check_gateway, CONTAINERS_HOST_GATEWAY),
	INSPECT_CHECK("Isolation", INSPECT_STRING, inspect_check_listed, CONTAINERS_ISOLATION),
	INSPECT_CHECK("Sysctls", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_SYSCTLS),
	INSPECT_CHECK("CapabilityAdd", INSPECT_STRINGS, inspect_check_capabilities, CONTAINERS_CAP_ADD),
	INSPECT_FREE("CapabilityDrop", INSPECT_STRINGS), /* judged with the whole: require_cap_drop */
	INSPECT_FIELDS("Ulimits", INSPECT_OBJECTS, inspect_ulimit_rows),
	INSPECT_CHECK("OomScoreAdj", INSPECT_INTEGER, inspect_check_negative, CONTAINERS_OOM_PROTECTION),
	INSPECT_FREE("Command", INSPECT_STRINGS),
	INSPECT_FREE("Args", INSPECT_STRINGS),
	INSPECT_FREE("Hostname", INSPECT_STRING),
	INSPECT_FREE("Env", INSPECT_STRINGS),
	INSPECT_FREE("Dir", INSPECT_STRING),
	INSPECT_FREE("Init", INSPECT_BOOL),
	INSPECT_FREE("StopSignal", INSPECT_STRING),
	INSPECT_FREE("TTY", INSPECT_BOOL),
	INSPECT_FREE("OpenStdin", INSPECT_BOOL),
	INSPECT_FREE("ReadOnly", INSPECT_BOOL), /* judged with the whole: require_read_only_rootfs */
	INSPECT_FREE("StopGracePeriod", INSPECT_INTEGER),
	INSPECT_FIELDS("Healthcheck", INSPECT_OBJECT, inspect_health_rows),
	INSPECT_FIELDS("DNSConfig", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("Secrets", INSPECT_OBJECTS, NULL),
	INSPECT_FIELDS("Configs", INSPECT_OBJECTS, NULL),
	INSPECT_END,
};

static const struct inspect_row log_driver_rows[] = {
	INSPECT_CHECK("Name", INSPECT_STRING, inspect_check_listed, CONTAINERS_LOG_DRIVERS),
	INSPECT_CHECK("Options", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_LOG_OPTIONS),
	INSPECT_END,
};

/*
 * The CLI names networks by id here. Those of a swarm have 25 letters and digits; an id of hexadecimal
 * digits, or the beginning of one, is a network of the node: perhaps the host's.
 */
static void check_target(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	struct str name = json_value_string(v);
	size_t n = 0;

	while (n < name.n && memchr("0123456789abcdef", name.p[n], 16))
		n++;
	if (name.n && n == name.n && !policy_bool(in->policy, POLICY_KEY_CONTAINERS_HOST_NETWORK))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_HOST_NETWORK, name,
			       "may be the id of the host's network");
	else
		inspect_string_network(in, row->key, name);
}

static const struct inspect_row attachment_rows[] = {
	INSPECT_CHECK("Target", INSPECT_STRING, check_target, CONTAINERS_NETWORKS),
	INSPECT_FREE("Aliases", INSPECT_STRINGS),
	INSPECT_CHECK("DriverOpts", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_ENDPOINT_OPTIONS),
	INSPECT_END,
};

static void check_nano_cpus(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	uint64_t max = policy_number(in->policy, row->key);
	int64_t n = json_value_integer(v);

	if (max && (n < 0 || (uint64_t)n > max * 1000000))
		inspect_refuse_value(in, row->key, v, "is more than the limit");
}

static const struct inspect_row limit_rows[] = {
	INSPECT_CHECK("NanoCPUs", INSPECT_INTEGER, check_nano_cpus, CONTAINERS_CPU_MAX),
	INSPECT_CHECK("MemoryBytes", INSPECT_INTEGER, inspect_check_size, CONTAINERS_MEMORY_MAX),
	INSPECT_CHECK("Pids", INSPECT_INTEGER, inspect_check_size, CONTAINERS_PIDS_MAX),
	INSPECT_END,
};

static const struct inspect_row reservation_rows[] = {
	INSPECT_FREE("NanoCPUs", INSPECT_INTEGER),
	INSPECT_FREE("MemoryBytes", INSPECT_INTEGER),
	INSPECT_FREE("Pids", INSPECT_INTEGER),
	INSPECT_FREE("GenericResources", INSPECT_ANY),
	INSPECT_END,
};

static const struct inspect_row resource_rows[] = {
	INSPECT_FIELDS("Limits", INSPECT_OBJECT, limit_rows),
	INSPECT_FIELDS("Reservations", INSPECT_OBJECT, reservation_rows),
	INSPECT_CHECK("SwapBytes", INSPECT_INTEGER, inspect_check_size, CONTAINERS_MEMORY_MAX),
	INSPECT_FREE("MemorySwappiness", INSPECT_INTEGER),
	INSPECT_END,
};

static void check_runtime(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	if (!str_eqz(json_value_string(v), "container") && !str_eqz(json_value_string(v), "attachment"))
		inspect_check_flag(in, row, v);
}

static const struct inspect_row task_rows[] = {
	INSPECT_CHECK("PluginSpec", INSPECT_ANY, inspect_check_flag, SERVICES_PLUGINS),
	INSPECT_FIELDS("ContainerSpec", INSPECT_OBJECT, container_spec_rows),
	INSPECT_FIELDS("NetworkAttachmentSpec", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("Resources", INSPECT_OBJECT, resource_rows),
	INSPECT_FIELDS("RestartPolicy", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("Placement", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("Networks", INSPECT_OBJECTS, attachment_rows),
	INSPECT_FIELDS("LogDriver", INSPECT_OBJECT, log_driver_rows),
	INSPECT_FREE("ForceUpdate", INSPECT_INTEGER),
	INSPECT_CHECK("Runtime", INSPECT_STRING, check_runtime, SERVICES_PLUGINS),
	INSPECT_END,
};

static void check_port(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	const struct json_value *port = inspect_get(v, "PublishedPort");
	char memory[24];
	struct buf b = buf_over(memory, sizeof(memory));
	int64_t n = port ? json_value_integer(port) : 0;

	(void)row;
	if (n < 0 || n > 65535) {
		inspect_malformed(in, STR(""), "is no port");
		return;
	}
	buf_u64(&b, (uint64_t)n);
	inspect_port_range(in, buf_view(&b));
}

static const struct inspect_row port_rows[] = {
	INSPECT_FREE("Name", INSPECT_STRING),
	INSPECT_FREE("Protocol", INSPECT_STRING),
	INSPECT_FREE("TargetPort", INSPECT_INTEGER),
	INSPECT_FREE("PublishedPort", INSPECT_INTEGER), /* judged with the whole */
	INSPECT_FREE("PublishMode", INSPECT_STRING),
	INSPECT_END,
};

static const struct inspect_row endpoint_spec_rows[] = {
	INSPECT_FREE("Mode", INSPECT_STRING),
	{ "Ports", INSPECT_OBJECTS, port_rows, check_port, POLICY_KEY_CONTAINERS_PORTS },
	INSPECT_END,
};

static const struct inspect_row service_rows[] = {
	INSPECT_FREE("Name", INSPECT_STRING),
	INSPECT_CHECK("Labels", INSPECT_PAIRS, inspect_check_refused_pairs, CONTAINERS_LABELS_REFUSED),
	INSPECT_FIELDS("TaskTemplate", INSPECT_OBJECT, task_rows),
	INSPECT_FIELDS("Mode", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("UpdateConfig", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("RollbackConfig", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("Networks", INSPECT_OBJECTS, attachment_rows),
	INSPECT_FIELDS("EndpointSpec", INSPECT_OBJECT, endpoint_spec_rows),
	INSPECT_END,
};

static bool above_zero(const struct json_value *object, const char *name)
{
	const struct json_value *v = inspect_get(object, name);

	return v && json_value_integer(v) > 0;
}

static bool is_true(const struct json_value *object, const char *name)
{
	const struct json_value *v = inspect_get(object, name);

	return v && json_value_bool(v);
}

static void must(struct inspect *in, const char *field, bool required, bool there, enum policy_key key)
{
	size_t mark = inspect_enter(in, str_from(field));

	if (required && !there)
		inspect_refuse(in, key, STR(""), "must be given, and is not");
	inspect_leave(in, mark);
}

/* What every container must have, in the words of a service. */
static void check_service(struct inspect *in, const struct inspect_row *row, const struct json_value *body)
{
	const struct json_value *task = inspect_get(body, "TaskTemplate");
	const struct json_value *spec = inspect_get(task, "ContainerSpec");
	const struct json_value *limits = inspect_get(inspect_get(task, "Resources"), "Limits");
	size_t mark = inspect_enter(in, STR("TaskTemplate")), inner;

	(void)row;
	must(in, "Resources.Limits.MemoryBytes",
	     policy_number(in->policy, POLICY_KEY_CONTAINERS_MEMORY_MAX) > 0,
	     above_zero(limits, "MemoryBytes"), POLICY_KEY_CONTAINERS_MEMORY_MAX);
	must(in, "Resources.Limits.NanoCPUs", policy_number(in->policy, POLICY_KEY_CONTAINERS_CPU_MAX) > 0,
	     above_zero(limits, "NanoCPUs"), POLICY_KEY_CONTAINERS_CPU_MAX);
	must(in, "Resources.Limits.Pids", policy_number(in->policy, POLICY_KEY_CONTAINERS_PIDS_MAX) > 0,
	     above_zero(limits, "Pids"), POLICY_KEY_CONTAINERS_PIDS_MAX);
	must(in, "ContainerSpec.ReadOnly",
	     policy_bool(in->policy, POLICY_KEY_CONTAINERS_REQUIRE_READ_ONLY_ROOTFS),
	     is_true(spec, "ReadOnly"), POLICY_KEY_CONTAINERS_REQUIRE_READ_ONLY_ROOTFS);
	must(in, "ContainerSpec.Privileges.NoNewPrivileges",
	     policy_bool(in->policy, POLICY_KEY_CONTAINERS_REQUIRE_NO_NEW_PRIVILEGES),
	     is_true(inspect_get(spec, "Privileges"), "NoNewPrivileges"),
	     POLICY_KEY_CONTAINERS_REQUIRE_NO_NEW_PRIVILEGES);
	inner = inspect_enter(in, STR("ContainerSpec.CapabilityDrop"));
	inspect_require_drop(in, inspect_get(spec, "CapabilityDrop"));
	inspect_leave(in, inner);
	inner = inspect_enter(in, STR("ContainerSpec.User"));
	inspect_require_user(in, inspect_get(spec, "User"));
	inspect_leave(in, inner);
	inspect_leave(in, mark);
}
const struct inspect_row inspect_body_service = { "", INSPECT_OBJECT, service_rows, check_service,
						  POLICY_KEYS };
