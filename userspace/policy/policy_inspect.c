/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_inspect.c - which table judges the body of which operation. */
#include "policy/policy_inspect.h"

#include "policy/policy_inspect_checks.h"

/* NULL: nobody has described that body, and it is refused. */
static const struct inspect_row *body_of(enum api_operation_id operation)
{
	switch (operation) {
	case API_OP_CONTAINERS_CREATE:
		return &inspect_body_create;
	case API_OP_CONTAINERS_UPDATE:
		return &inspect_body_update;
	case API_OP_CONTAINERS_COMMIT:
		return &inspect_body_commit;
	case API_OP_CONTAINERS_CHECKPOINT_CREATE:
		return &inspect_body_checkpoint;
	case API_OP_CONTAINERS_COPY:
		return &inspect_body_copy;
	case API_OP_EXEC_CREATE:
		return &inspect_body_exec;
	case API_OP_EXEC_START:
		return &inspect_body_exec_start;
	case API_OP_VOLUMES_CREATE:
		return &inspect_body_volume;
	case API_OP_VOLUMES_UPDATE:
		return &inspect_body_volume_update;
	case API_OP_NETWORKS_CREATE:
		return &inspect_body_network;
	case API_OP_NETWORKS_CONNECT:
		return &inspect_body_connect;
	case API_OP_NETWORKS_DISCONNECT:
		return &inspect_body_disconnect;
	case API_OP_SERVICES_CREATE:
	case API_OP_SERVICES_UPDATE:
		return &inspect_body_service;
	case API_OP_SWARM_INIT:
		return &inspect_body_swarm_init;
	case API_OP_SWARM_JOIN:
		return &inspect_body_swarm_join;
	case API_OP_SWARM_UPDATE:
		return &inspect_body_swarm_update;
	case API_OP_SWARM_UNLOCK:
		return &inspect_body_swarm_unlock;
	case API_OP_NODES_UPDATE:
		return &inspect_body_node;
	case API_OP_SECRETS_CREATE:
	case API_OP_SECRETS_UPDATE:
	case API_OP_CONFIGS_CREATE:
	case API_OP_CONFIGS_UPDATE:
		return &inspect_body_secret;
	case API_OP_PLUGINS_PULL:
	case API_OP_PLUGINS_UPGRADE:
		return &inspect_body_plugin_pull;
	case API_OP_PLUGINS_SET:
		return &inspect_body_plugin_set;
	case API_OP_SYSTEM_AUTH:
		return &inspect_body_auth;
	default:
		return NULL;
	}
}

static void inspect_body(struct inspect *in, const struct json_body *body)
{
	const struct inspect_row *row = body_of(in->target->operation->id);

	if (row)
		inspect_value(in, row, json_body_root(body));
	else
		inspect_malformed(in, STR(""), "is a body, and none is known for this operation");
}

unsigned policy_inspect(const struct policy_image *image, const struct image_policy *policy,
			const struct api_target *target, const struct json_body *body, policy_found found,
			void *context)
{
	struct inspect in = {
		.image = image, .policy = policy, .target = target, .found = found, .context = context
	};

	inspect_body(&in, body);
	return in.findings;
}

unsigned policy_inspect_query(const struct policy_image *image, const struct image_policy *policy,
			      const struct api_target *target, policy_found found, void *context)
{
	struct inspect in = {
		.image = image, .policy = policy, .target = target, .found = found, .context = context
	};

	inspect_query(&in);
	return in.findings;
}

void policy_inspect_references(const struct policy_image *image, const struct image_policy *policy,
			       const struct api_target *target, const struct json_body *body,
			       policy_referenced referenced, void *context)
{
	struct inspect in = { .image = image,
			      .policy = policy,
			      .target = target,
			      .referenced = referenced,
			      .context = context };

	inspect_query(&in);
	if (body)
		inspect_body(&in, body);
}
