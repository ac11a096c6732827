/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_file.c - sockgate.yaml: one table for each kind of mapping in it.
 *
 * What a file leaves out is as without a file (config_defaults()).
 */
#include <errno.h>

#include "config/config_reader.h"
#include "yaml/yaml_doc.h"

static const char *read_path(struct config_reader *reader, const struct yaml_node *node, const char *what)
{
	const char *path = config_read_string(reader, node, what);
	const char *why = path ? config_path_problem(str_from(path)) : NULL;

	if (!why)
		return path;
	config_complain(reader, node, "%s: %s is not %s", what, path, why);
	return NULL;
}

/* --- gate --- */

CONFIG_READ(read_backend)
{
	static const char *const words[] = { "auto", "lsm", "fmod_ret", "pathless", "none", NULL };
	int word = config_read_word(reader, value, "backend", words);

	(void)key;
	if (word >= 0)
		((struct image_gate *)object)->backend = (uint32_t)word; /* the order of enum gate_backend */
}

CONFIG_READ(read_require)
{
	bool flag;

	if (config_read_flag(reader, key, value, &flag))
		((struct image_gate *)object)->require = flag;
}

CONFIG_READ(read_gate_mode)
{
	static const char *const words[] = { "enforce", "observe", NULL };

	(void)key;
	((struct image_gate *)object)->observe = config_read_word(reader, value, "mode", words) == 1;
}

CONFIG_READ(read_on_exit)
{
	static const char *const words[] = { "closed", "open", NULL };

	(void)key;
	((struct image_gate *)object)->open_on_exit = config_read_word(reader, value, "on_exit", words) == 1;
}

CONFIG_READ(read_gate)
{
	static const struct config_field fields[] = {
		{ "backend", read_backend, false },
		{ "require", read_require, false },
		{ "mode", read_gate_mode, false },
		{ "on_exit", read_on_exit, false },
	};

	(void)key;
	(void)object;
	config_read_fields(reader, value, "gate", fields, CONFIG_COUNT(fields), &reader->build->gate);
}

/* --- engines --- */

CONFIG_READ(read_engine_name)
{
	(void)key;
	((struct config_engine *)object)->name = config_read_string(reader, value, "name");
}

CONFIG_READ(read_engine_socket)
{
	struct config_engine *engine = object;
	const char *spec = config_read_string(reader, value, "socket"), *why;

	(void)key;
	if (spec && config_address(reader->build, str_from(spec), &engine->kind, &engine->address,
				   &engine->port, &why) < 0)
		config_complain(reader, value, "socket: %s is not %s", spec, why);
}

static void push_path(struct config_reader *reader, const struct yaml_node *node, const char *what,
		      struct config_array *array)
{
	const char *path = read_path(reader, node, what), **slot;

	if (path && (slot = config_push(reader->build, array, sizeof(const char *))))
		*slot = path;
}

static void read_also_item(struct config_reader *reader, const struct yaml_node *node, void *object)
{
	push_path(reader, node, "also", &((struct config_engine *)object)->also);
}

CONFIG_READ(read_also)
{
	config_read_list(reader, key, value, read_also_item, object);
}

CONFIG_READ(read_exe)
{
	(void)key;
	push_path(reader, value, "exe", &((struct config_engine *)object)->allow);
}

static void read_allow_item(struct config_reader *reader, const struct yaml_node *node, void *object)
{
	static const struct config_field fields[] = { { "exe", read_exe, true } };

	config_read_fields(reader, node, "allow", fields, CONFIG_COUNT(fields), object);
}

CONFIG_READ(read_engine_allow)
{
	config_read_list(reader, key, value, read_allow_item, object);
}

static void read_engine(struct config_reader *reader, const struct yaml_node *node, void *object)
{
	static const struct config_field fields[] = {
		{ "name", read_engine_name, true },
		{ "socket", read_engine_socket, true },
		{ "also", read_also, false },
		{ "allow", read_engine_allow, false },
	};
	struct config_engine engine = { 0 },
			     *slot = config_push(reader->build, &reader->build->engines, sizeof(*slot));

	(void)object;
	config_read_fields(reader, node, "an engine", fields, CONFIG_COUNT(fields), &engine);
	engine.source = config_read_source(reader, node, engine.address);
	if (slot)
		*slot = engine;
}

CONFIG_READ(read_engines)
{
	config_read_list(reader, key, value, read_engine, object);
}

CONFIG_READ(read_listeners)
{
	config_read_list(reader, key, value, config_listener_read, object);
}

/* --- policies, audit --- */

static void read_id(struct config_reader *reader, const struct yaml_node *key, const struct yaml_node *value,
		    int64_t *ret)
{
	uint64_t id;

	if (yaml_node_number(value, &id) && id < UINT32_MAX)
		*ret = (int64_t)id;
	else
		config_complain(reader, value, "%.*s must be a number", STR_ARG(yaml_node_text(key)));
}

CONFIG_READ(read_uid)
{
	read_id(reader, key, value, &((struct config_when *)object)->uid);
}

CONFIG_READ(read_gid)
{
	read_id(reader, key, value, &((struct config_when *)object)->gid);
}

CONFIG_READ(read_criteria)
{
	static const struct config_field fields[] = { { "uid", read_uid, false },
						      { "gid", read_gid, false } };
	const struct config_when *when = object;
	unsigned before = reader->n_errors;

	(void)key;
	config_read_fields(reader, value, "when", fields, CONFIG_COUNT(fields), object);
	/* Without a criterion it would silently take every listener's policy away. */
	if (when->uid < 0 && when->gid < 0 && reader->n_errors == before)
		config_complain(reader, value, "when needs uid or gid");
}

CONFIG_READ(read_when_policy)
{
	(void)key;
	((struct config_when *)object)->policy = config_read_policy(reader, value);
}

static void read_when(struct config_reader *reader, const struct yaml_node *node, void *object)
{
	static const struct config_field fields[] = {
		{ "when", read_criteria, true },
		{ "policy", read_when_policy, true },
	};
	struct config_when when = { .uid = -1, .gid = -1 }, *slot;

	(void)object;
	config_read_fields(reader, node, "an entry of policies", fields, CONFIG_COUNT(fields), &when);
	when.source = config_read_source(reader, node, "policies: when");
	slot = config_push(reader->build, &reader->build->whens, sizeof(*slot));
	if (slot)
		*slot = when;
}

CONFIG_READ(read_policies)
{
	config_read_list(reader, key, value, read_when, object);
}

/* A file, "-" for standard output, or none. */
CONFIG_READ(read_audit)
{
	struct str text = yaml_node_text(value);

	(void)key;
	(void)object;
	if (str_eqz(text, "-") || str_eqz(text, "none"))
		config_set_audit(reader->build, str_eqz(text, "-") ? "-" : "");
	else
		reader->build->audit_path = read_path(reader, value, "audit");
}

CONFIG_READ(read_require_audit)
{
	(void)object;
	(void)config_read_flag(reader, key, value, &reader->build->require_audit);
}

/* A trail that is required and not kept would refuse everything. */
static void check_audit(struct config_reader *reader)
{
	const struct config_build *build = reader->build;

	if (build->require_audit && build->audit_path && !*build->audit_path)
		config_complain(reader, yaml_doc_root(reader->doc),
				"require_audit goes not with audit: none");
}

int config_load_file(struct config_build *build, const char *path, FILE *errors)
{
	static const struct config_field fields[] = {
		{ "version", config_read_version, true },
		{ "gate", read_gate, false },
		{ "engines", read_engines, false },
		{ "listeners", read_listeners, false },
		{ "policies", read_policies, false },
		{ "audit", read_audit, false },
		{ "require_audit", read_require_audit, false },
	};
	struct config_reader reader = { .build = build, .errors = errors };
	struct yaml_doc *doc = NULL;
	int r;

	r = yaml_doc_load_file(path, errors, &doc);
	if (r == 0) {
		reader.doc = doc;
		config_read_fields(&reader, yaml_doc_root(doc), "sockgate.yaml", fields, CONFIG_COUNT(fields),
				   NULL);
		check_audit(&reader);
		r = reader.n_errors ? -EINVAL : config_defaults(build, errors);
	}
	if (r < 0)
		build->invalid = true;
	yaml_doc_free(doc);
	return r < 0 && r != -ENOMEM ? -EINVAL : r;
}
