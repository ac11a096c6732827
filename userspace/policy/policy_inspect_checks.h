/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_inspect_checks.h - what the rows of the tables can ask of a value, and the tables that several
 * bodies share.
 *
 * A value of Go's zero kind (false, 0, "", [], {}) asks for nothing and is fine, but where a row says
 * otherwise.
 */
#ifndef SOCKGATE_POLICY_INSPECT_CHECKS_H
#define SOCKGATE_POLICY_INSPECT_CHECKS_H

#include "policy/policy_inspect_walk.h"

/* By type, with the row's key. */
void inspect_check_flag(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_listed(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_pairs(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_refused_pairs(struct inspect *in, const struct inspect_row *row,
				 const struct json_value *v);
void inspect_check_empty(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_size(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_limit(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_negative(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_image(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_capabilities(struct inspect *in, const struct inspect_row *row,
				const struct json_value *v);
void inspect_check_security(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_gateway(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_container(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_directory(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_server(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
/* Of mounts: policy_inspect_mounts.c. */
void inspect_check_binds(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_mount(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_tmpfs(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_volumes_from(struct inspect *in, const struct inspect_row *row,
				const struct json_value *v);
/* Of networks: policy_inspect_network.c. */
void inspect_check_network_mode(struct inspect *in, const struct inspect_row *row,
				const struct json_value *v);
void inspect_check_namespace(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_endpoints(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_links(struct inspect *in, const struct inspect_row *row, const struct json_value *v);
void inspect_check_port_bindings(struct inspect *in, const struct inspect_row *row,
				 const struct json_value *v);

/* The same for strings that do not stand in a body. */
void inspect_string_listed(struct inspect *in, enum policy_key key, struct str s);
void inspect_string_pair(struct inspect *in, enum policy_key key, struct str s);
void inspect_string_image(struct inspect *in, enum policy_key key, struct str reference, const char *tag);
void inspect_string_security(struct inspect *in, enum policy_key key, struct str s);
/* An image under the key, with the tag or digest (may be empty) that replaces its own; see
 * inspect_image_listed(). */
void inspect_string_pull(struct inspect *in, enum policy_key key, struct str name, struct str tag);
/* Refuses a registry that is an address, unless images.address_registries. */
void inspect_string_registry(struct inspect *in, struct str registry);
void inspect_string_container(struct inspect *in, struct str name);
/* A name that a container is to get. */
void inspect_string_new_name(struct inspect *in, struct str name);
void inspect_string_network(struct inspect *in, enum policy_key key, struct str name);
void inspect_port_range(struct inspect *in, struct str port);
void inspect_namespace_of(struct inspect *in, struct str container);
/* "" or control characters: true where the string is settled. */
bool inspect_string_settled(struct inspect *in, struct str s);

/* "CAP_SYS_ADMIN", "sys_admin" are SYS_ADMIN; false where `memory` is too small. */
bool inspect_capability(struct str s, char *memory, size_t cap, struct str *ret);
/* Whether every name in containers.require_cap_drop is among the strings of v (NULL: none). */
void inspect_require_drop(struct inspect *in, const struct json_value *v);
void inspect_require_user(struct inspect *in, const struct json_value *user);

/* Tables. */
extern const struct inspect_row inspect_config_rows[];      /* container.Config */
extern const struct inspect_row inspect_host_config_rows[]; /* container.HostConfig */
extern const struct inspect_row inspect_mount_rows[];       /* mount.Mount */
extern const struct inspect_row inspect_endpoint_rows[];    /* network.EndpointSettings */
extern const struct inspect_row inspect_ulimit_rows[];      /* units.Ulimit */
extern const struct inspect_row inspect_health_rows[];      /* container.HealthConfig */
/* What a body is, by operation. */
extern const struct inspect_row inspect_body_create, inspect_body_update, inspect_body_exec,
	inspect_body_exec_start, inspect_body_commit, inspect_body_checkpoint, inspect_body_copy;
extern const struct inspect_row inspect_body_volume, inspect_body_volume_update, inspect_body_network,
	inspect_body_connect, inspect_body_disconnect;
extern const struct inspect_row inspect_body_service, inspect_body_swarm_init, inspect_body_swarm_join,
	inspect_body_swarm_update, inspect_body_swarm_unlock, inspect_body_node, inspect_body_secret;
extern const struct inspect_row inspect_body_plugin_pull, inspect_body_plugin_set, inspect_body_auth;

#endif
