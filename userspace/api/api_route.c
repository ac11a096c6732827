/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_route.c - which operation the daemon would route a request to.
 *
 * gorilla/mux tries every route in order; only rows whose first path segment is the request's can fit
 * (OPTIONS apart), and those stand together in the table, so a few candidates are tried instead of all. A
 * unit test compares every verdict with that of a scan of the whole table.
 */
#include "api/api_operations.h"

/* The rows of one first segment. "containers", "exec" and "commit" are interleaved in moby's order. */
struct route_range {
	struct str segment;
	enum api_operation_id first;
	enum api_operation_id last;
};

#define RANGE(segment_, first_, last_) \
	{ \
		{ segment_, sizeof(segment_) - 1 }, API_OP_##first_, API_OP_##last_ \
	}

/* The busiest first; ranges have no order among them. */
static const struct route_range ranges[] = {
	RANGE("containers", CONTAINERS_CHECKPOINT_LIST, CONTAINERS_DELETE),
	RANGE("_ping", SYSTEM_PING, SYSTEM_PING_HEAD),
	RANGE("images", IMAGES_LIST, IMAGES_DELETE),
	RANGE("exec", EXEC_INSPECT, EXEC_RESIZE),
	RANGE("networks", NETWORKS_LIST, NETWORKS_DELETE),
	RANGE("volumes", VOLUMES_LIST, VOLUMES_DELETE),
	RANGE("version", SYSTEM_VERSION, SYSTEM_VERSION),
	RANGE("info", SYSTEM_INFO, SYSTEM_INFO),
	RANGE("events", SYSTEM_EVENTS, SYSTEM_EVENTS),
	RANGE("build", IMAGES_BUILD, IMAGES_BUILD_CANCEL),
	RANGE("commit", CONTAINERS_COMMIT, CONTAINERS_COMMIT),
	RANGE("system", SYSTEM_DF, SYSTEM_DF),
	RANGE("auth", SYSTEM_AUTH, SYSTEM_AUTH),
	RANGE("session", BUILDKIT_SESSION, BUILDKIT_SESSION),
	RANGE("grpc", BUILDKIT_GRPC, BUILDKIT_GRPC),
	RANGE("services", SERVICES_LIST, SERVICES_LOGS),
	RANGE("tasks", TASKS_LIST, TASKS_LOGS),
	RANGE("nodes", NODES_LIST, NODES_UPDATE),
	RANGE("swarm", SWARM_INIT, SWARM_UNLOCK),
	RANGE("secrets", SECRETS_LIST, SECRETS_UPDATE),
	RANGE("configs", CONFIGS_LIST, CONFIGS_UPDATE),
	RANGE("plugins", PLUGINS_LIST, PLUGINS_CREATE),
	RANGE("distribution", DISTRIBUTION_INSPECT, DISTRIBUTION_INSPECT),
	RANGE("debug", DEBUG_VARS, DEBUG_PPROF_NAMED),
};

#define SEGMENT_PREFIX "{segment:"

/* Lengths of the patterns: their last bytes rule most candidates out without a walk. */
static const unsigned char pattern_lengths[API_OPERATIONS] = {
#define OPERATION(id, name, method, pattern, ...) [API_OP_##id] = sizeof(pattern) - 1,
#include "api/api_operations.inc"
#undef OPERATION
};

static bool last_byte_fits(const struct api_operation *operation, char last)
{
	char wanted = operation->pattern[pattern_lengths[operation->id] - 1];

	return wanted == last || wanted == '}';
}

/*
 * Matches the whole of [p, end) against a pattern. A "{name}" is greedy and at most one stands in a pattern,
 * so what follows it is compared with the end of the path. No parameter is empty: moby would take "/volumes/"
 * for a volume without a name, but api_target_parse() has refused empty segments.
 */
static bool pattern_fits(const char *pattern, const char *p, const char *end,
			 struct str names[static API_NAMES_MAX])
{
	unsigned n = 0;

	for (;;) {
		const char *rest;
		struct str found;

		for (; *pattern && *pattern != '{'; pattern++, p++) {
			if (p == end || *p != *pattern)
				return false;
		}
		if (!*pattern)
			return p == end;
		rest = strchr(pattern, '}') + 1;
		found.p = p;
		if (strncmp(pattern, SEGMENT_PREFIX, strlen(SEGMENT_PREFIX)) == 0) {
			while (p < end && *p != '/')
				p++;
			if (p == found.p)
				return false;
		} else {
			size_t tail = strlen(rest);

			if ((size_t)(end - p) <= tail || memcmp(end - tail, rest, tail) != 0)
				return false;
			p = end - tail;
		}
		found.n = (size_t)(p - found.p);
		if (n < API_NAMES_MAX)
			names[n++] = found;
		pattern = rest;
	}
}

static const struct route_range *range_of(struct str segment)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (str_eq(segment, ranges[i].segment))
			return &ranges[i];
	}
	return NULL;
}

const struct api_operation *api_route(enum http_method method, struct str path,
				      struct str ret_names[static API_NAMES_MAX])
{
	const struct route_range *range;
	const char *end = path.p + path.n;
	const char *slash;
	size_t head;

	if (path.n == 0 || path.p[0] != '/')
		return NULL;
	if (method == HTTP_OPTIONS) {
		ret_names[0] = (struct str){ path.p + 1, path.n - 1 };
		ret_names[1] = (struct str){ NULL, 0 };
		return &api_operations[API_OP_SYSTEM_OPTIONS];
	}
	slash = memchr(path.p + 1, '/', path.n - 1);
	head = (size_t)((slash ? slash : end) - path.p);
	range = range_of((struct str){ path.p + 1, head - 1 });
	if (!range)
		return NULL;
	for (unsigned id = range->first; id <= range->last; id++) {
		const struct api_operation *operation = &api_operations[id];
		struct str names[API_NAMES_MAX] = { { NULL, 0 } };

		if (operation->method != method || !last_byte_fits(operation, end[-1]))
			continue;
		/* A range may hold rows of another first segment: containers and exec. */
		if (pattern_lengths[id] < head || memcmp(operation->pattern, path.p, head) != 0)
			continue;
		if (pattern_fits(operation->pattern + head, path.p + head, end, names)) {
			memcpy(ret_names, names, sizeof(names));
			return operation;
		}
	}
	return NULL;
}
