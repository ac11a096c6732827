/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/api_operations.h"

const struct api_operation api_operations[API_OPERATIONS] = {
#define OPERATION(id_, name_, method_, pattern_, section_, body_, flags_, since_, until_, summary_, \
		  repeatable_, query_) \
	[API_OP_##id_] = { \
		.id = API_OP_##id_, \
		.name = name_, \
		.method = HTTP_##method_, \
		.pattern = pattern_, \
		.section = API_##section_, \
		.body = API_BODY_##body_, \
		.flags = flags_, \
		.since = since_, \
		.until = until_, \
		.summary = summary_, \
		.repeatable = repeatable_, \
		.query = query_, \
	},
#include "api/api_operations.inc"
#undef OPERATION
};

/* `variable` is Tecnativa's spelling; no variable of theirs opens the two sections without one. */
static const struct {
	const char *name;
	const char *variable;
} sections[API_SECTIONS] = {
	[API_AUTH] = { "auth", "AUTH" },
	[API_BUILD] = { "build", "BUILD" },
	[API_COMMIT] = { "commit", "COMMIT" },
	[API_CONFIGS] = { "configs", "CONFIGS" },
	[API_CONTAINERS] = { "containers", "CONTAINERS" },
	[API_DEBUG] = { "debug", NULL },
	[API_DISTRIBUTION] = { "distribution", "DISTRIBUTION" },
	[API_EVENTS] = { "events", "EVENTS" },
	[API_EXEC] = { "exec", "EXEC" },
	[API_GRPC] = { "grpc", "GRPC" },
	[API_IMAGES] = { "images", "IMAGES" },
	[API_INFO] = { "info", "INFO" },
	[API_NETWORKS] = { "networks", "NETWORKS" },
	[API_NODES] = { "nodes", "NODES" },
	[API_OPTIONS] = { "options", NULL },
	[API_PING] = { "ping", "PING" },
	[API_PLUGINS] = { "plugins", "PLUGINS" },
	[API_SECRETS] = { "secrets", "SECRETS" },
	[API_SERVICES] = { "services", "SERVICES" },
	[API_SESSION] = { "session", "SESSION" },
	[API_SWARM] = { "swarm", "SWARM" },
	[API_SYSTEM] = { "system", "SYSTEM" },
	[API_TASKS] = { "tasks", "TASKS" },
	[API_VERSION] = { "version", "VERSION" },
	[API_VOLUMES] = { "volumes", "VOLUMES" },
};

const char *api_section_name(enum api_section section)
{
	return sections[section].name;
}

const char *api_section_variable(enum api_section section)
{
	return sections[section].variable;
}

const struct api_operation *api_operation_by_name(struct str name)
{
	for (size_t i = 0; i < API_OPERATIONS; i++) {
		if (str_eqz(name, api_operations[i].name))
			return &api_operations[i];
	}
	return NULL;
}
