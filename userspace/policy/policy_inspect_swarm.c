/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_inspect_swarm.c - the cluster, its nodes, secrets and configs; plugins, volumes and registries. */
#include "policy/policy_inspect_checks.h"

static const struct inspect_row log_driver_rows[] = {
	INSPECT_CHECK("Name", INSPECT_STRING, inspect_check_listed, CONTAINERS_LOG_DRIVERS),
	INSPECT_CHECK("Options", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_LOG_OPTIONS),
	INSPECT_END,
};

static const struct inspect_row task_default_rows[] = {
	INSPECT_FIELDS("LogDriver", INSPECT_OBJECT, log_driver_rows),
	INSPECT_END,
};

static const struct inspect_row external_ca_rows[] = {
	INSPECT_FREE("Protocol", INSPECT_STRING),
	INSPECT_CHECK("URL", INSPECT_STRING, inspect_check_listed, SWARM_EXTERNAL_CAS),
	INSPECT_FREE("Options", INSPECT_PAIRS),
	INSPECT_FREE("CACert", INSPECT_STRING),
	INSPECT_END,
};

static const struct inspect_row ca_rows[] = {
	INSPECT_FREE("NodeCertExpiry", INSPECT_INTEGER),
	INSPECT_FIELDS("ExternalCAs", INSPECT_OBJECTS, external_ca_rows),
	INSPECT_FREE("SigningCACert", INSPECT_STRING),
	INSPECT_FREE("SigningCAKey", INSPECT_STRING),
	INSPECT_FREE("ForceRotate", INSPECT_INTEGER),
	INSPECT_END,
};

static const struct inspect_row swarm_rows[] = {
	INSPECT_FREE("Name", INSPECT_STRING),
	INSPECT_FREE("Labels", INSPECT_PAIRS),
	INSPECT_FIELDS("Orchestration", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("Raft", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("Dispatcher", INSPECT_OBJECT, NULL),
	INSPECT_FIELDS("CAConfig", INSPECT_OBJECT, ca_rows),
	INSPECT_FIELDS("TaskDefaults", INSPECT_OBJECT, task_default_rows),
	INSPECT_FIELDS("EncryptionConfig", INSPECT_OBJECT, NULL),
	INSPECT_END,
};
const struct inspect_row inspect_body_swarm_update = INSPECT_FIELDS("", INSPECT_OBJECT, swarm_rows);

static const struct inspect_row init_rows[] = {
	INSPECT_FREE("ListenAddr", INSPECT_STRING),
	INSPECT_FREE("AdvertiseAddr", INSPECT_STRING),
	INSPECT_FREE("DataPathAddr", INSPECT_STRING),
	INSPECT_FREE("DataPathPort", INSPECT_INTEGER),
	INSPECT_FREE("DefaultAddrPool", INSPECT_STRINGS),
	INSPECT_FREE("SubnetSize", INSPECT_INTEGER),
	INSPECT_FREE("ForceNewCluster", INSPECT_BOOL),
	INSPECT_FREE("AutoLockManagers", INSPECT_BOOL),
	INSPECT_FREE("Availability", INSPECT_STRING),
	INSPECT_FIELDS("Spec", INSPECT_OBJECT, swarm_rows),
	INSPECT_END,
};
const struct inspect_row inspect_body_swarm_init = INSPECT_FIELDS("", INSPECT_OBJECT, init_rows);

static const struct inspect_row join_rows[] = {
	INSPECT_FREE("ListenAddr", INSPECT_STRING),
	INSPECT_FREE("AdvertiseAddr", INSPECT_STRING),
	INSPECT_FREE("DataPathAddr", INSPECT_STRING),
	INSPECT_CHECK("RemoteAddrs", INSPECT_STRINGS, inspect_check_listed, SWARM_JOIN),
	INSPECT_FREE("JoinToken", INSPECT_STRING),
	INSPECT_FREE("Availability", INSPECT_STRING),
	INSPECT_END,
};
const struct inspect_row inspect_body_swarm_join = INSPECT_FIELDS("", INSPECT_OBJECT, join_rows);

static const struct inspect_row unlock_rows[] = {
	INSPECT_FREE("UnlockKey", INSPECT_STRING),
	INSPECT_END,
};
const struct inspect_row inspect_body_swarm_unlock = INSPECT_FIELDS("", INSPECT_OBJECT, unlock_rows);

static const struct inspect_row node_rows[] = {
	INSPECT_FREE("Name", INSPECT_STRING),
	INSPECT_FREE("Labels", INSPECT_PAIRS),
	INSPECT_FREE("Role", INSPECT_STRING),
	INSPECT_FREE("Availability", INSPECT_STRING),
	INSPECT_END,
};
const struct inspect_row inspect_body_node = INSPECT_FIELDS("", INSPECT_OBJECT, node_rows);

static const struct inspect_row driver_rows[] = {
	INSPECT_CHECK("Name", INSPECT_STRING, inspect_check_listed, SECRETS_DRIVERS),
	INSPECT_FREE("Options", INSPECT_PAIRS),
	INSPECT_END,
};

static const struct inspect_row secret_rows[] = {
	INSPECT_FREE("Name", INSPECT_STRING),
	INSPECT_FREE("Labels", INSPECT_PAIRS),
	INSPECT_FREE("Data", INSPECT_STRING),
	INSPECT_FIELDS("Driver", INSPECT_OBJECT, driver_rows),
	INSPECT_FIELDS("Templating", INSPECT_OBJECT, driver_rows),
	INSPECT_END,
};
const struct inspect_row inspect_body_secret = INSPECT_FIELDS("", INSPECT_OBJECT, secret_rows);

static const struct inspect_row privilege_rows[] = {
	INSPECT_CHECK("Name", INSPECT_STRING, inspect_check_listed, PLUGINS_PRIVILEGES),
	INSPECT_FREE("Description", INSPECT_STRING),
	INSPECT_FREE("Value", INSPECT_STRINGS),
	INSPECT_END,
};
const struct inspect_row inspect_body_plugin_pull = INSPECT_FIELDS("", INSPECT_OBJECTS, privilege_rows);

static void check_settings(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_each_string(in, row->key, v, inspect_string_pair);
}
const struct inspect_row inspect_body_plugin_set =
	INSPECT_CHECK("", INSPECT_STRINGS, check_settings, PLUGINS_SETTINGS);

static const struct inspect_row volume_rows[] = {
	INSPECT_FREE("Name", INSPECT_STRING),
	INSPECT_CHECK("Driver", INSPECT_STRING, inspect_check_listed, VOLUMES_DRIVERS),
	INSPECT_CHECK("DriverOpts", INSPECT_PAIRS, inspect_check_pairs, VOLUMES_OPTIONS),
	INSPECT_CHECK("Labels", INSPECT_PAIRS, inspect_check_refused_pairs, CONTAINERS_LABELS_REFUSED),
	INSPECT_CHECK("ClusterVolumeSpec", INSPECT_ANY, inspect_check_flag, VOLUMES_CLUSTER),
	INSPECT_END,
};
const struct inspect_row inspect_body_volume = INSPECT_FIELDS("", INSPECT_OBJECT, volume_rows);

static const struct inspect_row volume_update_rows[] = {
	INSPECT_CHECK("Spec", INSPECT_ANY, inspect_check_flag, VOLUMES_CLUSTER),
	INSPECT_END,
};
const struct inspect_row inspect_body_volume_update = INSPECT_FIELDS("", INSPECT_OBJECT, volume_update_rows);

static const struct inspect_row auth_rows[] = {
	INSPECT_FREE("username", INSPECT_STRING),
	INSPECT_FREE("password", INSPECT_STRING),
	INSPECT_FREE("auth", INSPECT_STRING),
	INSPECT_FREE("email", INSPECT_STRING),
	INSPECT_CHECK("serveraddress", INSPECT_STRING, inspect_check_server, AUTH_SERVERS),
	INSPECT_FREE("identitytoken", INSPECT_STRING),
	INSPECT_FREE("registrytoken", INSPECT_STRING),
	INSPECT_END,
};
const struct inspect_row inspect_body_auth = INSPECT_FIELDS("", INSPECT_OBJECT, auth_rows);
