/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_operations.h - the table of every operation of the Docker Engine API.
 *
 * The rows are in api_operations.inc, in the order in which moby's router tries its routes
 * (daemon/server/router/, gorilla/mux: the first route whose path and method match wins).
 */
#ifndef SOCKGATE_API_OPERATIONS_H
#define SOCKGATE_API_OPERATIONS_H

#include "http/http_head.h"
#include "text/str.h"

/* The API's sections, named as Tecnativa's variables are; DEBUG and SYSTEM_OPTIONS have no variable there. */
enum api_section {
	API_AUTH,
	API_BUILD,
	API_COMMIT,
	API_CONFIGS,
	API_CONTAINERS,
	API_DEBUG,
	API_DISTRIBUTION,
	API_EVENTS,
	API_EXEC,
	API_GRPC,
	API_IMAGES,
	API_INFO,
	API_NETWORKS,
	API_NODES,
	API_OPTIONS, /* OPTIONS on any route */
	API_PING,
	API_PLUGINS,
	API_SECRETS,
	API_SERVICES,
	API_SESSION,
	API_SWARM,
	API_SYSTEM,
	API_TASKS,
	API_VERSION,
	API_VOLUMES,
	API_SECTIONS
};

/* What the request's body is. */
enum api_body {
	API_BODY_NONE, /* the daemon reads none: a JSON body (dockerode sends one) is dropped, a form refused
			*/
	API_BODY_JSON, /* read whole, inspected, re-encoded */
	API_BODY_STREAM, /* a tar or the like: streamed, never inspected */
};

enum api_flag {
	API_WRITE =
		1 << 0, /* changes something, attaches to stdin included: never part of a read-only policy */
	API_HIJACK = 1 << 1,    /* may become a raw stream: attach, exec start, attach/ws, session, grpc */
	API_SENSITIVE = 1 << 2, /* a read that gives away files, secrets or reaches other hosts: archive,
				   export, search, distribution, plugins.privileges, swarm tokens and keys,
				   configs, debug, checkpoint_list (host directories) */
	API_BODY_OPTIONAL = 1 << 3, /* an empty body is fine where API_BODY_JSON is expected:
				       containers.commit, volumes.create, plugins.pull, plugins.upgrade */
};

enum api_operation_id {
#define OPERATION(id, ...) API_OP_##id,
#include "api/api_operations.inc"
#undef OPERATION
	API_OPERATIONS
};

struct api_operation {
	enum api_operation_id id;
	const char *name; /* "containers.create": what policies, logs and people call it */
	enum http_method method;
	const char *pattern; /* "/containers/{name}/start"; {name} spans slashes, {segment:x} does not */
	enum api_section section;
	enum api_body body;
	unsigned flags;         /* enum api_flag */
	unsigned since;         /* first minor version of the API, 1.since; 0: always */
	unsigned until;         /* last minor version; 0: still there */
	const char *summary;    /* one line for `sockgate operations` */
	const char *repeatable; /* query keys that may stand more than once, space-separated ("t changes"), or
				   "" */
	const char *query;      /* the other query keys that the daemon reads, space-separated, or "" */
};

/* All rows, in routing order; api_operations[id].id == id. */
extern const struct api_operation api_operations[API_OPERATIONS];

const char *api_section_name(enum api_section section); /* "containers" */

/* "CONTAINERS", or NULL where Tecnativa has none. */
const char *api_section_variable(enum api_section section);

/* By name ("containers.create"); NULL if there is none. */
const struct api_operation *api_operation_by_name(struct str name);

/*
 * The operation that the daemon would route (method, decoded path without version prefix) to, or NULL. The
 * path has been cleaned by api_target_parse(): no empty, "." or ".." segments. *ret_names gets the pattern's
 * parameters as slices of `path` (at most API_NAMES_MAX; unused ones are {NULL, 0}).
 */
#define API_NAMES_MAX 2
const struct api_operation *api_route(enum http_method method, struct str path,
				      struct str ret_names[static API_NAMES_MAX]);

#endif
