/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_inspect_query.c - the limits on paths and queries: a row for each parameter that can do harm. */
#include "policy/policy_inspect_checks.h"
#include "policy/policy_inspect_match.h"
#include "policy/policy_inspect_name.h"
#include "policy/policy_inspect_path.h"

typedef void (*query_check)(struct inspect *in, enum policy_key key, struct str value);

struct query_row {
	enum api_operation_id operation;
	const char *parameter; /* of the query, or NULL: the first name in the path */
	query_check check;
	enum policy_key key;
};

static void check_flag(struct inspect *in, enum policy_key key, struct str value)
{
	if (value.n && !policy_bool(in->policy, key))
		inspect_refuse(in, key, value, "is not allowed");
}

static void check_new_name(struct inspect *in, enum policy_key key, struct str value)
{
	(void)key;
	inspect_string_new_name(in, value);
}

static void check_container(struct inspect *in, enum policy_key key, struct str value)
{
	(void)key;
	inspect_string_container(in, value);
}

static void check_directory(struct inspect *in, enum policy_key key, struct str value)
{
	if (value.n)
		inspect_directory(in, key, value);
}

static void check_image(struct inspect *in, enum policy_key key, struct str value)
{
	inspect_string_pull(in, key, value, api_query_get(in->target, "tag"));
}

/* A name for an image, and no place to go. */
static void check_tag(struct inspect *in, enum policy_key key, struct str value)
{
	struct str tag = api_query_get(in->target, "tag");
	char memory[INSPECT_IMAGE_MAX];
	struct buf b = buf_over(memory, sizeof(memory));

	if (tag.n && in->target->operation->id != API_OP_IMAGES_BUILD) {
		buf_str(&b, value);
		buf_putc(&b, ':');
		buf_str(&b, tag);
		if (b.overflow) {
			inspect_malformed(in, tag, "is too long");
			return;
		}
		value = buf_view(&b);
	}
	inspect_string_image(in, key, value, "latest");
}

/* The part before the first slash is the registry that is searched. */
static void check_term(struct inspect *in, enum policy_key key, struct str value)
{
	struct str registry, rest;

	(void)key;
	if (!inspect_string_settled(in, value) && inspect_split(value, '/', &registry, &rest))
		inspect_string_registry(in, registry);
}

static void check_build_network(struct inspect *in, enum policy_key key, struct str value)
{
	if (str_ieqz(value, "host"))
		check_flag(in, POLICY_KEY_BUILD_HOST_NETWORK, value);
	else if (str_starts(value, STR("container:")))
		inspect_namespace_of(in, (struct str){ value.p + 10, value.n - 10 });
	else
		inspect_string_listed(in, key, value);
}

static void check_build_version(struct inspect *in, enum policy_key key, struct str value)
{
	if (!str_eqz(value, "1"))
		check_flag(in, key, value);
}

/* An id by itself only lets the build be cancelled. */
static void check_build_id(struct inspect *in, enum policy_key key, struct str value)
{
	if (str_starts(value, STR("upload-request:")))
		check_flag(in, key, value);
}

#define ROW(operation, parameter, check, key) \
	{ \
		API_OP_##operation, parameter, check, POLICY_KEY_##key \
	}
static const struct query_row rows[] = {
	ROW(CONTAINERS_CREATE, "name", check_new_name, CONTAINERS_PROTECTED),
	ROW(CONTAINERS_RENAME, "name", check_new_name, CONTAINERS_PROTECTED),
	ROW(CONTAINERS_COMMIT, "container", check_container, CONTAINERS_PROTECTED),
	ROW(CONTAINERS_COMMIT, "repo", check_tag, IMAGES_TAGS),
	ROW(CONTAINERS_START, "checkpoint-dir", check_directory, CONTAINERS_CHECKPOINT_DIRS),
	ROW(CONTAINERS_CHECKPOINT_LIST, "dir", check_directory, CONTAINERS_CHECKPOINT_DIRS),
	ROW(CONTAINERS_CHECKPOINT_DELETE, "dir", check_directory, CONTAINERS_CHECKPOINT_DIRS),
	ROW(CONTAINERS_TOP, "ps_args", inspect_string_listed, CONTAINERS_TOP_ARGS),
	ROW(IMAGES_CREATE, "fromImage", check_image, IMAGES_PULL),
	ROW(IMAGES_CREATE, "fromSrc", inspect_string_listed, IMAGES_IMPORT),
	ROW(IMAGES_CREATE, "repo", check_tag, IMAGES_TAGS),
	ROW(IMAGES_PUSH, NULL, check_image, IMAGES_PUSH),
	ROW(IMAGES_TAG, "repo", check_tag, IMAGES_TAGS),
	ROW(IMAGES_SEARCH, "term", check_term, IMAGES_ADDRESS_REGISTRIES),
	ROW(DISTRIBUTION_INSPECT, NULL, check_image, IMAGES_PULL),
	ROW(IMAGES_BUILD, "networkmode", check_build_network, BUILD_NETWORKS),
	ROW(IMAGES_BUILD, "remote", inspect_string_listed, BUILD_REMOTES),
	ROW(IMAGES_BUILD, "outputs", check_flag, BUILD_OUTPUTS),
	ROW(IMAGES_BUILD, "cgroupparent", inspect_string_listed, CONTAINERS_CGROUP_PARENTS),
	ROW(IMAGES_BUILD, "extrahosts", check_flag, BUILD_EXTRA_HOSTS),
	ROW(IMAGES_BUILD, "securityopt", inspect_string_security, CONTAINERS_SECURITY_OPT),
	ROW(IMAGES_BUILD, "session", check_flag, BUILD_SESSION),
	ROW(IMAGES_BUILD, "buildid", check_build_id, BUILD_SESSION),
	ROW(IMAGES_BUILD, "version", check_build_version, BUILD_BUILDKIT),
	ROW(IMAGES_BUILD, "isolation", inspect_string_listed, CONTAINERS_ISOLATION),
	ROW(IMAGES_BUILD, "t", check_tag, IMAGES_TAGS),
	ROW(PLUGINS_PRIVILEGES, "remote", check_image, PLUGINS_SOURCES),
	ROW(PLUGINS_PULL, "remote", check_image, PLUGINS_SOURCES),
	ROW(PLUGINS_UPGRADE, "remote", check_image, PLUGINS_SOURCES),
	ROW(PLUGINS_PUSH, NULL, check_image, IMAGES_PUSH),
	ROW(NETWORKS_CONNECT, NULL, inspect_string_network, CONTAINERS_NETWORKS),
};
#undef ROW

static void run_row(struct inspect *in, const struct query_row *row)
{
	if (!row->parameter) {
		size_t mark = inspect_enter(in, STR("name"));

		row->check(in, row->key, in->target->names[0]);
		inspect_leave(in, mark);
		return;
	}
	for (unsigned i = 0; i < in->target->n_query && !in->stopped; i++) {
		const struct api_parameter *p = &in->target->query[i];
		size_t mark;

		if (!str_eqz(p->key, row->parameter))
			continue;
		mark = inspect_enter_parameter(in, p->key);
		row->check(in, row->key, p->value);
		inspect_leave(in, mark);
	}
}

/* Whether the first name in the path is a container's, and more than a look is taken at it. */
static bool touches_container(const struct api_operation *operation)
{
	return str_starts(str_from(operation->pattern), STR("/containers/{")) &&
	       (operation->flags & (API_WRITE | API_SENSITIVE));
}

void inspect_query(struct inspect *in)
{
	const struct api_operation *operation = in->target->operation;

	if (touches_container(operation)) {
		size_t mark = inspect_enter(in, STR("name"));

		inspect_string_container(in, in->target->names[0]);
		inspect_leave(in, mark);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !in->stopped; i++)
		if (rows[i].operation == operation->id)
			run_row(in, &rows[i]);
}
