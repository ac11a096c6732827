/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_rewrite.h"

#include <errno.h>

#include "policy/policy_decide.h"
#include "policy/policy_inspect_checks.h"
#include "policy/policy_inspect_match.h"
#include "policy/policy_rewrite_parts.h"
#include "policy/policy_socket.h"

#define VALUE_MAX 256 /* bytes of a value in the list of changes */

struct buf *rewrite_note(struct rewrite *rw)
{
	if (rw->count++)
		buf_puts(rw->changes, "; ");
	return rw->changes;
}

void rewrite_put(struct buf *b, struct str value)
{
	buf_str(b, (struct str){ value.p, value.n < VALUE_MAX ? value.n : VALUE_MAX });
	if (value.n > VALUE_MAX)
		buf_puts(b, "...");
}

static void fail(struct rewrite *rw, int error, const char *why)
{
	if (rw->error)
		return;
	rw->error = error;
	rw->why = why;
}

bool rewrite_made(struct rewrite *rw, int r)
{
	if (r == -ENOMEM)
		fail(rw, r, "the JSON body would take too much memory with what the policy adds to it");
	else if (r < 0)
		fail(rw, -EBADMSG, "what the policy adds to the JSON body is not UTF-8");
	return r == 0;
}

struct json_value *rewrite_object(struct rewrite *rw, struct json_value *object, const char *name)
{
	struct json_value *member;
	int r = json_edit_object(object, name, &member);

	if (r == -EINVAL)
		return NULL;
	return rewrite_made(rw, r) ? member : NULL;
}

/* --- Labels --- */

static bool has_label(const struct json_value *labels, struct str name, struct str value)
{
	const struct json_member *it;

	for (it = json_first(labels); it; it = json_next(labels, it))
		if (str_eq(json_member_name(it), name))
			return json_value_type(json_member_value(it)) == JSON_T_STRING &&
			       str_eq(json_value_string(json_member_value(it)), value);
	return false;
}

void rewrite_labels(struct rewrite *rw, struct json_value *object, struct str where)
{
	struct inspect_list list = inspect_list_of(rw->image, rw->policy, POLICY_KEY_CONTAINERS_LABELS_ADD);
	struct str entry, name, value;

	while (!rw->error && inspect_list_next(&list, &entry)) {
		struct json_value *labels = rewrite_object(rw, object, "Labels");
		struct buf *note;

		inspect_split(entry, '=', &name, &value);
		if (!labels || has_label(labels, name, value))
			continue;
		if (!rewrite_made(rw, json_edit_string(labels, name, value)))
			return;
		note = rewrite_note(rw);
		buf_str(note, where);
		buf_puts(note, "Labels.");
		rewrite_put(note, name);
		buf_puts(note, ": ");
		rewrite_put(note, value);
	}
}

/* --- Limits --- */

#define LIMITS 3

static const struct {
	enum policy_key key;
	uint64_t unit; /* of the key, in Docker's */
	const char *container, *service;
} limits[LIMITS] = {
	{ POLICY_KEY_CONTAINERS_MEMORY_DEFAULT, 1, "Memory", "MemoryBytes" },
	{ POLICY_KEY_CONTAINERS_CPU_DEFAULT, 1000000, "NanoCpus", "NanoCPUs" },
	{ POLICY_KEY_CONTAINERS_PIDS_DEFAULT, 1, "PidsLimit", "Pids" },
};

/* Whether a limit is to be filled in. `object` may be NULL. */
static bool lacks(const struct rewrite *rw, const struct json_value *object, enum policy_key key,
		  const char *name)
{
	const struct json_value *v = inspect_get(object, name);

	return policy_number(rw->policy, key) &&
	       (!v || (json_value_type(v) == JSON_T_INTEGER && json_value_integer(v) == 0));
}

static void fill_in(struct rewrite *rw, struct json_value *object, struct str where, const char *name,
		    unsigned limit)
{
	int64_t n;
	struct buf *note;

	if (__builtin_mul_overflow(policy_number(rw->policy, limits[limit].key), limits[limit].unit, &n))
		n = INT64_MAX;
	if (!rewrite_made(rw, json_edit_integer(object, str_from(name), n)))
		return;
	note = rewrite_note(rw);
	buf_str(note, where);
	buf_puts(note, name);
	buf_puts(note, ": ");
	buf_u64(note, (uint64_t)n);
	buf_puts(note, " filled in");
}

static bool asks_beside_host_config(const struct json_value *body)
{
	for (const struct inspect_row *row = inspect_host_config_rows; row->name; row++) {
		const struct json_value *v = inspect_get(body, row->name);

		if (v && !inspect_asks_nothing(v))
			return true;
	}
	return false;
}

static void fill_container(struct rewrite *rw, struct json_value *body)
{
	const struct json_value *host = inspect_get(body, "HostConfig"),
				*quota = inspect_get(host, "CpuQuota");
	bool lacking[LIMITS], any = false;
	struct json_value *object;

	for (unsigned i = 0; i < LIMITS; i++)
		any |= lacking[i] = lacks(rw, host, limits[i].key, limits[i].container);
	/* A quota is a limit already, and the engine takes no other beside it. */
	if (quota && json_value_integer(quota) > 0)
		lacking[1] = false;
	if (!any || rw->error)
		return;
	if (!host && asks_beside_host_config(body)) {
		fail(rw, -EBADMSG,
		     "the body has fields of HostConfig beside it, which only old engines read, and lacks "
		     "limits that the policy fills in: put them into HostConfig");
		return;
	}
	object = rewrite_object(rw, body, "HostConfig");
	for (unsigned i = 0; object && i < LIMITS; i++)
		if (lacking[i])
			fill_in(rw, object, STR("HostConfig."), limits[i].container, i);
}

static void fill_service(struct rewrite *rw, struct json_value *body)
{
	static const char *const path[] = { "TaskTemplate", "Resources", "Limits" };
	const struct json_value *there = body;

	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
		there = inspect_get(there, path[i]);
	for (unsigned i = 0; i < LIMITS; i++) {
		struct json_value *object = body;

		if (!lacks(rw, there, limits[i].key, limits[i].service))
			continue;
		for (size_t p = 0; object && p < sizeof(path) / sizeof(path[0]); p++)
			object = rewrite_object(rw, object, path[p]);
		if (!object || rw->error)
			return;
		fill_in(rw, object, STR("TaskTemplate.Resources.Limits."), limits[i].service, i);
		there = object;
	}
}

/* --- Bodies --- */

static bool is_object(const struct json_value *v)
{
	return json_value_type(v) == JSON_T_OBJECT;
}

static void rewrite_container(struct rewrite *rw, struct json_value *body)
{
	struct json_value *host = json_edit_member(body, "HostConfig");

	rewrite_mounts(rw, body, STR(""));
	if (is_object(host))
		rewrite_mounts(rw, host, STR("HostConfig."));
	fill_container(rw, body);
	rewrite_labels(rw, body, STR(""));
}

/* An update replaces the whole service, labels and limits included. */
static void rewrite_service(struct rewrite *rw, struct json_value *body)
{
	struct json_value *task = json_edit_member(body, "TaskTemplate");
	struct json_value *spec = is_object(task) ? json_edit_member(task, "ContainerSpec") : NULL;

	if (is_object(spec)) {
		rewrite_mounts(rw, spec, STR("TaskTemplate.ContainerSpec."));
		rewrite_labels(rw, spec, STR("TaskTemplate.ContainerSpec."));
	}
	fill_service(rw, body);
	rewrite_labels(rw, body, STR(""));
}

int policy_rewrite(const struct policy_image *image, const struct image_policy *policy,
		   const struct image_listener *listener, const struct api_target *target,
		   struct json_body *body, struct buf *changes, const char **why)
{
	struct rewrite rw = { .image = image, .policy = policy, .changes = changes };
	struct json_value *root = body ? json_edit_root(body) : NULL;
	enum api_operation_id operation = target->operation->id;

	if (is_object(root)) {
		rw.socket = policy_socket_own(image, policy, listener);
		if (operation == API_OP_CONTAINERS_CREATE)
			rewrite_container(&rw, root);
		else if (operation == API_OP_SERVICES_CREATE || operation == API_OP_SERVICES_UPDATE)
			rewrite_service(&rw, root);
		else if (operation == API_OP_NETWORKS_CREATE || operation == API_OP_VOLUMES_CREATE)
			rewrite_labels(&rw, root, STR(""));
	} else if (!body && operation == API_OP_VOLUMES_CREATE &&
		   policy->values[POLICY_KEY_CONTAINERS_LABELS_ADD].list.count) {
		/* The one that engines (from 26 on) take without a body. */
		fail(&rw, -EBADMSG, "a volume must be asked for with a body, which gets the policy's labels");
	}
	if (rw.error)
		*why = rw.why;
	return rw.error ? rw.error : rw.count;
}
