/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_inspect_host.c - container.HostConfig: what a container asks of its host, field by field. */
#include "policy/policy_inspect_checks.h"
#include "policy/policy_inspect_match.h"
#include "policy/policy_inspect_path.h"

const struct inspect_row inspect_ulimit_rows[] = {
	INSPECT_CHECK("Name", INSPECT_STRING, inspect_check_listed, CONTAINERS_ULIMITS),
	INSPECT_FREE("Soft", INSPECT_INTEGER),
	INSPECT_FREE("Hard", INSPECT_INTEGER),
	INSPECT_END,
};

/* The engine follows ".." and links as the kernel does; "/dev/snd/../sda" is no device below /dev/snd. */
static void check_device(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	char memory[INSPECT_PATH_MAX];
	struct str path = json_value_string(v), clean;

	if (inspect_string_settled(in, path) || inspect_unlimited(in->image, in->policy, row->key))
		return;
	if (!inspect_path_clean(path, memory, sizeof(memory), &clean) || !str_eq(clean, path))
		inspect_refuse(in, row->key, path, "is no clean absolute path");
	else
		inspect_string_listed(in, row->key, path);
}

static const struct inspect_row device_rows[] = {
	INSPECT_CHECK("PathOnHost", INSPECT_STRING, check_device, CONTAINERS_DEVICES),
	INSPECT_FREE("PathInContainer", INSPECT_STRING),
	INSPECT_FREE("CgroupPermissions", INSPECT_STRING),
	INSPECT_END,
};

static const struct inspect_row device_request_rows[] = {
	INSPECT_CHECK("Driver", INSPECT_STRING, inspect_check_listed, CONTAINERS_DEVICE_REQUESTS),
	INSPECT_FREE("Count", INSPECT_INTEGER),
	INSPECT_CHECK("DeviceIDs", INSPECT_STRINGS, inspect_check_listed, CONTAINERS_DEVICE_REQUESTS),
	INSPECT_CHECK("Capabilities", INSPECT_STRING_LISTS, inspect_check_listed, CONTAINERS_DEVICE_REQUESTS),
	INSPECT_CHECK("Options", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_DEVICE_REQUESTS),
	INSPECT_END,
};

/* A request without any of them still asks for something, from whatever driver feels concerned. */
static void check_device_request(struct inspect *in, const struct inspect_row *row,
				 const struct json_value *v)
{
	struct inspect_list list = inspect_list_of(in->image, in->policy, row->key);
	struct str entry;

	if (!inspect_list_next(&list, &entry))
		inspect_refuse(in, row->key, v ? STR("{...}") : STR("null"), "is not allowed");
}

static const struct inspect_row throttle_rows[] = {
	INSPECT_FREE("Path", INSPECT_STRING),
	INSPECT_FREE("Weight", INSPECT_INTEGER),
	INSPECT_FREE("Rate", INSPECT_INTEGER),
	INSPECT_END,
};

static const struct inspect_row log_rows[] = {
	INSPECT_CHECK("Type", INSPECT_STRING, inspect_check_listed, CONTAINERS_LOG_DRIVERS),
	INSPECT_CHECK("Config", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_LOG_OPTIONS),
	INSPECT_END,
};

static const struct inspect_row restart_rows[] = {
	INSPECT_CHECK("Name", INSPECT_STRING, inspect_check_listed, CONTAINERS_RESTART_POLICIES),
	INSPECT_FREE("MaximumRetryCount", INSPECT_INTEGER),
	INSPECT_END,
};

static const struct inspect_row port_binding_rows[] = {
	INSPECT_FREE("HostIp", INSPECT_STRING),   /* judged with the binding */
	INSPECT_FREE("HostPort", INSPECT_STRING), /* judged with the binding */
	INSPECT_END,
};

static void check_publish_all(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	struct inspect_list list = inspect_list_of(in->image, in->policy, row->key);
	struct str entry;

	if (json_value_bool(v) && !inspect_list_next(&list, &entry))
		inspect_refuse_value(in, row->key, v, "is not allowed");
}

/*
 * Docker masks at least these since 1.38; a list that has all of them (a copy of what an inspection says)
 * uncovers nothing. null is Docker's own list, and [] is none at all.
 */
static const char *const masked[] = {
	"/proc/acpi",          "/proc/asound",      "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",  "/proc/timer_list",
	"/proc/timer_stats",   "/sys/firmware",     NULL
};
static const char *const read_only[] = { "/proc/bus",           "/proc/fs", "/proc/irq", "/proc/sys",
					 "/proc/sysrq-trigger", NULL };

static void check_covers(struct inspect *in, const struct inspect_row *row, const struct json_value *v,
			 const char *const *paths)
{
	if (policy_bool(in->policy, row->key))
		return;
	for (; *paths; paths++) {
		bool there = false;

		for (size_t i = 0; i < json_size(v) && !there; i++)
			there = str_eqz(json_value_string(json_element(v, i)), *paths);
		if (!there) {
			inspect_refuse(in, row->key, str_from(*paths), "would be uncovered");
			return;
		}
	}
}

static void check_masked(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	check_covers(in, row, v, masked);
}

static void check_read_only(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	check_covers(in, row, v, read_only);
}

static void check_nano_cpus(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	uint64_t max = policy_number(in->policy, row->key);
	int64_t n = json_value_integer(v);

	if (max && (n < 0 || (uint64_t)n / 1000000 + ((uint64_t)n % 1000000 != 0) > max))
		inspect_refuse_value(in, row->key, v, "is more than the limit");
}

/* Memory and swap together: what Docker sets by default is twice the memory. */
static void check_swap(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	uint64_t max = policy_number(in->policy, row->key);
	int64_t n = json_value_integer(v);

	if (max && (n < 0 || (uint64_t)n / 2 + (uint64_t)n % 2 > max))
		inspect_refuse_value(in, row->key, v, "is more than the limit");
}

const struct inspect_row inspect_host_config_rows[] = {
	INSPECT_CHECK("Privileged", INSPECT_BOOL, inspect_check_flag, CONTAINERS_PRIVILEGED),
	INSPECT_CHECK("Binds", INSPECT_STRINGS, inspect_check_binds, CONTAINERS_BINDS),
	{ "Mounts", INSPECT_OBJECTS, inspect_mount_rows, inspect_check_mount,
	  POLICY_KEY_CONTAINERS_MOUNT_TYPES },
	INSPECT_CHECK("VolumesFrom", INSPECT_STRINGS, inspect_check_volumes_from, CONTAINERS_VOLUMES_FROM),
	INSPECT_CHECK("VolumeDriver", INSPECT_STRING, inspect_check_listed, VOLUMES_DRIVERS),
	INSPECT_CHECK("Tmpfs", INSPECT_PAIRS, inspect_check_tmpfs, CONTAINERS_TMPFS),
	INSPECT_FIELDS("Devices", INSPECT_OBJECTS, device_rows),
	INSPECT_CHECK("DeviceCgroupRules", INSPECT_STRINGS, inspect_check_listed,
		      CONTAINERS_DEVICE_CGROUP_RULES),
	{ "DeviceRequests", INSPECT_OBJECTS, device_request_rows, check_device_request,
	  POLICY_KEY_CONTAINERS_DEVICE_REQUESTS },
	INSPECT_CHECK("CapAdd", INSPECT_STRING_OR_STRINGS, inspect_check_capabilities, CONTAINERS_CAP_ADD),
	INSPECT_FREE("CapDrop", INSPECT_STRING_OR_STRINGS), /* judged with the whole: require_cap_drop */
	INSPECT_CHECK("Capabilities", INSPECT_STRINGS, inspect_check_capabilities, CONTAINERS_CAP_ADD),
	INSPECT_CHECK("SecurityOpt", INSPECT_STRINGS, inspect_check_security, CONTAINERS_SECURITY_OPT),
	INSPECT_CHECK("MaskedPaths", INSPECT_STRINGS, check_masked, CONTAINERS_UNMASKED_PATHS),
	INSPECT_CHECK("ReadonlyPaths", INSPECT_STRINGS, check_read_only, CONTAINERS_UNMASKED_PATHS),
	INSPECT_CHECK("PidMode", INSPECT_STRING, inspect_check_namespace, CONTAINERS_HOST_PID),
	INSPECT_CHECK("IpcMode", INSPECT_STRING, inspect_check_namespace, CONTAINERS_HOST_IPC),
	INSPECT_CHECK("UTSMode", INSPECT_STRING, inspect_check_namespace, CONTAINERS_HOST_UTS),
	INSPECT_CHECK("UsernsMode", INSPECT_STRING, inspect_check_namespace, CONTAINERS_HOST_USERNS),
	INSPECT_CHECK("CgroupnsMode", INSPECT_STRING, inspect_check_namespace, CONTAINERS_HOST_CGROUPNS),
	INSPECT_CHECK("Cgroup", INSPECT_STRING, inspect_check_namespace, CONTAINERS_HOST_CGROUPNS),
	INSPECT_CHECK("CgroupParent", INSPECT_STRING, inspect_check_listed, CONTAINERS_CGROUP_PARENTS),
	INSPECT_CHECK("NetworkMode", INSPECT_STRING, inspect_check_network_mode, CONTAINERS_NETWORKS),
	{ "PortBindings", INSPECT_NAMED_OBJECT_LISTS, port_binding_rows, inspect_check_port_bindings,
	  POLICY_KEY_CONTAINERS_PORTS },
	INSPECT_CHECK("PublishAllPorts", INSPECT_BOOL, check_publish_all, CONTAINERS_PORTS),
	INSPECT_CHECK("Links", INSPECT_STRINGS, inspect_check_links, CONTAINERS_LINKS),
	INSPECT_CHECK("ExtraHosts", INSPECT_STRINGS, inspect_check_gateway, CONTAINERS_HOST_GATEWAY),
	INSPECT_CHECK("Runtime", INSPECT_STRING, inspect_check_listed, CONTAINERS_RUNTIMES),
	INSPECT_CHECK("Isolation", INSPECT_STRING, inspect_check_listed, CONTAINERS_ISOLATION),
	INSPECT_CHECK("Sysctls", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_SYSCTLS),
	INSPECT_FIELDS("LogConfig", INSPECT_OBJECT, log_rows),
	INSPECT_FIELDS("Ulimits", INSPECT_OBJECTS, inspect_ulimit_rows),
	INSPECT_CHECK("GroupAdd", INSPECT_STRINGS, inspect_check_listed, CONTAINERS_GROUP_ADD),
	INSPECT_CHECK("Annotations", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_ANNOTATIONS),
	INSPECT_CHECK("StorageOpt", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_STORAGE_OPTIONS),
	INSPECT_FIELDS("RestartPolicy", INSPECT_OBJECT, restart_rows),
	INSPECT_CHECK("Memory", INSPECT_INTEGER, inspect_check_size, CONTAINERS_MEMORY_MAX),
	INSPECT_CHECK("MemorySwap", INSPECT_INTEGER, check_swap, CONTAINERS_MEMORY_MAX),
	INSPECT_CHECK("NanoCpus", INSPECT_INTEGER, check_nano_cpus, CONTAINERS_CPU_MAX),
	INSPECT_CHECK("PidsLimit", INSPECT_INTEGER, inspect_check_limit, CONTAINERS_PIDS_MAX),
	INSPECT_CHECK("ShmSize", INSPECT_INTEGER, inspect_check_size, CONTAINERS_SHM_MAX),
	INSPECT_CHECK("OomScoreAdj", INSPECT_INTEGER, inspect_check_negative, CONTAINERS_OOM_PROTECTION),
	INSPECT_CHECK("OomKillDisable", INSPECT_BOOL, inspect_check_flag, CONTAINERS_OOM_PROTECTION),
	INSPECT_CHECK("CpuRealtimePeriod", INSPECT_INTEGER, inspect_check_flag, CONTAINERS_REALTIME),
	INSPECT_CHECK("CpuRealtimeRuntime", INSPECT_INTEGER, inspect_check_flag, CONTAINERS_REALTIME),
	INSPECT_FREE("CpuPeriod", INSPECT_INTEGER), /* judged with the whole: cpu_max */
	INSPECT_FREE("CpuQuota", INSPECT_INTEGER),
	INSPECT_FREE("CpuShares", INSPECT_INTEGER),
	INSPECT_FREE("CpuCount", INSPECT_INTEGER),
	INSPECT_FREE("CpuPercent", INSPECT_INTEGER),
	INSPECT_FREE("CpusetCpus", INSPECT_STRING),
	INSPECT_FREE("Cpuset", INSPECT_STRING),
	INSPECT_FREE("CpusetMems", INSPECT_STRING),
	INSPECT_FREE("MemoryReservation", INSPECT_INTEGER),
	INSPECT_FREE("MemorySwappiness", INSPECT_INTEGER),
	INSPECT_FREE("KernelMemory", INSPECT_INTEGER),
	INSPECT_FREE("KernelMemoryTCP", INSPECT_INTEGER),
	INSPECT_FREE("BlkioWeight", INSPECT_INTEGER),
	INSPECT_FIELDS("BlkioWeightDevice", INSPECT_OBJECTS, throttle_rows),
	INSPECT_FIELDS("BlkioDeviceReadBps", INSPECT_OBJECTS, throttle_rows),
	INSPECT_FIELDS("BlkioDeviceWriteBps", INSPECT_OBJECTS, throttle_rows),
	INSPECT_FIELDS("BlkioDeviceReadIOps", INSPECT_OBJECTS, throttle_rows),
	INSPECT_FIELDS("BlkioDeviceWriteIOps", INSPECT_OBJECTS, throttle_rows),
	INSPECT_FREE("IOMaximumIOps", INSPECT_INTEGER),
	INSPECT_FREE("IOMaximumBandwidth", INSPECT_INTEGER),
	INSPECT_FREE("AutoRemove", INSPECT_BOOL),
	INSPECT_FREE("ConsoleSize", INSPECT_INTEGERS),
	INSPECT_FREE("ContainerIDFile", INSPECT_STRING), /* the engine writes no such file */
	INSPECT_FREE("Dns", INSPECT_STRINGS),
	INSPECT_FREE("DnsOptions", INSPECT_STRINGS),
	INSPECT_FREE("DnsSearch", INSPECT_STRINGS),
	INSPECT_FREE("Init", INSPECT_BOOL),
	INSPECT_FREE("ReadonlyRootfs", INSPECT_BOOL), /* judged with the whole: require_read_only_rootfs */
	INSPECT_END,
};
