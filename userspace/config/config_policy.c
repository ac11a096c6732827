/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_policy.c - policy files: what they inherit, and the limits that they set. Statements (allow, deny)
 * are read in config_statement.c.
 *
 * A child starts with everything its parent says. Statements add up, so that a deny anywhere in the chain
 * wins; a limit is replaced as a whole, lists included.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config_reader.h"
#include "config/config_statement.h"
#include "yaml/yaml_doc.h"

#define EXTENDS_MAX 8 /* files in a chain */

/* The files that are being loaded, the innermost first: for cycles, and for siblings of a file. */
struct chain {
	const struct chain *up;
	const char *path;
	const char *resolved;
	unsigned depth;
};

/* --- Finding --- */

static bool ends_in_yaml(struct str name)
{
	return name.n > 5 && memcmp(name.p + name.n - 5, ".yaml", 5) == 0;
}

static bool is_plain_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '-' || (c == '.' && i > 0)))
			return false;
	}
	return name.n > 0;
}

/* The order that config.h promises; then beside the file that extends it. NULL when there is no such file. */
static const char *find(struct config_build *build, const char *name, const struct chain *chain)
{
	const char *slash = chain ? strrchr(chain->path, '/') : NULL;
	const char *beside =
		slash ? config_copy(build, (struct str){ chain->path, (size_t)(slash - chain->path) }) : ".";
	const char *const folders[] = { SOCKGATE_SYSCONFDIR "/policies", SOCKGATE_DATADIR "/policies",
					build->directory, chain ? beside : NULL };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const char *path = folders[i] ? config_format(build, "%s/%s.yaml", folders[i], name) : "";

		if (folders[i] && access(path, F_OK) == 0)
			return path;
	}
	return NULL;
}

static const char *policy_name(struct config_build *build, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct str base = str_from(slash ? slash + 1 : path);

	if (ends_in_yaml(base))
		base.n -= 5;
	/* Two files of one name: the second is called by its path. */
	for (size_t i = 0; i < build->policies.n; i++)
		if (str_eqz(base, config_policy_at(build, (unsigned)i)->name))
			return path;
	return config_copy(build, base);
}

/* --- Reading; `object` is the index of the policy that is being filled --- */

static void read_allow(struct config_reader *reader, const struct yaml_node *key,
		       const struct yaml_node *value, void *object)
{
	(void)key;
	config_statement_read(reader, *(unsigned *)object, value, true);
}

static void read_deny(struct config_reader *reader, const struct yaml_node *key,
		      const struct yaml_node *value, void *object)
{
	(void)key;
	config_statement_read(reader, *(unsigned *)object, value, false);
}

/* Not inherited: who extends a policy that is only tried out still wants their own to hold. */
static void read_mode(struct config_reader *reader, const struct yaml_node *key,
		      const struct yaml_node *value, void *object)
{
	static const char *const words[] = {
		[POLICY_ENFORCE] = "enforce", [POLICY_WARN] = "warn", [POLICY_LEARN] = "learn", NULL
	};
	int mode = config_read_word(reader, value, "mode", words);

	(void)key;
	if (mode >= 0)
		config_policy_at(reader->build, *(unsigned *)object)->mode = (enum policy_mode)mode;
}

/* Read already, before the policy was made. */
static void read_extends(struct config_reader *reader, const struct yaml_node *key,
			 const struct yaml_node *value, void *object)
{
	(void)reader;
	(void)key;
	(void)value;
	(void)object;
}

struct section {
	struct str name;
	unsigned policy;
};

static void read_limit(struct config_reader *reader, const struct yaml_node *key,
		       const struct yaml_node *value, void *object)
{
	const struct section *section = object;
	struct config_policy *policy = config_policy_at(reader->build, section->policy);
	struct config_value read;
	const char *text;
	unsigned i = 0;

	/* read_section() made a field of every row, so there is one. */
	while (!str_eqz(section->name, policy_keys[i].section) ||
	       !str_eqz(yaml_node_text(key), policy_keys[i].name))
		i++;
	if (config_value_read(reader->build, &policy_keys[i], reader->doc, value, reader->errors, &read) <
	    0) {
		reader->n_errors++;
		reader->build->invalid = true;
		return;
	}
	text = config_format(reader->build, "%s.%s", policy_keys[i].section, policy_keys[i].name);
	read.set = true;
	read.source = config_policy_source(reader->build, section->policy, yaml_doc_name(reader->doc), text,
					   yaml_node_line(key), yaml_node_column(key));
	free(policy->values[i].list.p);
	policy->values[i] = read;
}

static void read_section(struct config_reader *reader, const struct yaml_node *key,
			 const struct yaml_node *value, void *object)
{
	struct section section = { .name = yaml_node_text(key), .policy = *(unsigned *)object };
	struct config_field fields[POLICY_KEYS + 1];
	size_t n = 0;

	for (unsigned i = 0; i < POLICY_KEYS; i++)
		if (str_eqz(section.name, policy_keys[i].section))
			fields[n++] = (struct config_field){ policy_keys[i].name, read_limit, false };
	config_read_fields(reader, value, config_copy(reader->build, section.name), fields, n, &section);
}

/* A policy's keys are fixed ones and the sections of policy_keys.inc. */
static void read_root(struct config_reader *reader, unsigned policy)
{
	struct config_field fields[5 + POLICY_KEYS] = {
		{ "version", config_read_version, true },
		{ "extends", read_extends, false },
		{ "mode", read_mode, false },
		{ "allow", read_allow, false },
		{ "deny", read_deny, false },
	};
	size_t n = 5;

	/* Rows of one section stand together or not: a second field of the same name is never reached. */
	for (unsigned i = 0; i < POLICY_KEYS; i++)
		fields[n++] = (struct config_field){ policy_keys[i].section, read_section, false };
	config_read_fields(reader, yaml_doc_root(reader->doc), "a policy", fields, n, &policy);
}

/* --- Inheriting --- */

static int copy_array(struct config_build *build, const struct config_array *from, size_t element,
		      struct config_array *to)
{
	for (size_t i = 0; i < from->n; i++) {
		void *slot = config_push(build, to, element);

		if (!slot)
			return -ENOMEM;
		memcpy(slot, (const char *)from->p + i * element, element);
	}
	return 0;
}

/* The child is new: sources keep their numbers, so verdicts, globs and values can be taken as they are. */
static int inherit(struct config_build *build, unsigned parent_index, unsigned child_index)
{
	const struct config_policy *parent = config_policy_at(build, parent_index);
	struct config_policy *child = config_policy_at(build, child_index);
	int r;

	r = copy_array(build, &parent->sources, sizeof(struct config_source), &child->sources);
	if (r == 0)
		r = copy_array(build, &parent->globs, sizeof(struct config_glob), &child->globs);
	memcpy(child->verdicts, parent->verdicts, sizeof(child->verdicts));
	for (unsigned i = 0; r == 0 && i < POLICY_KEYS; i++) {
		const struct config_value *value = &parent->values[i];
		size_t element =
			policy_keys[i].type == POLICY_BINDS ? sizeof(struct config_bind) : sizeof(char *);

		free(child->values[i].list.p);
		child->values[i] = *value;
		child->values[i].list = (struct config_array){ 0 };
		r = copy_array(build, &value->list, element, &child->values[i].list);
	}
	return r;
}

static int load(struct config_build *build, const char *path, const struct chain *up, FILE *errors,
		unsigned *ret);

/* Loads what `extends` names. Returns 1 when there is a parent, 0 when there is none, or -EINVAL. */
static int load_parent(struct config_reader *reader, const struct chain *chain, unsigned *ret)
{
	const struct yaml_node *node = yaml_node_find(yaml_doc_root(reader->doc), "extends");
	const char *name = node ? config_read_string(reader, node, "extends") : NULL;
	const char *path;

	if (!node)
		return 0;
	if (!name)
		return -EINVAL;
	if (!is_plain_name(str_from(name)) || ends_in_yaml(str_from(name))) {
		config_complain(reader, node,
				"extends must be the name of a policy, without folder and .yaml");
		return -EINVAL;
	}
	path = find(reader->build, name, chain);
	if (!path) {
		config_complain(reader, node, "there is no policy %s", name);
		return -EINVAL;
	}
	if (chain->depth == EXTENDS_MAX) {
		config_complain(reader, node, "more than %d policies extend one another", EXTENDS_MAX);
		return -EINVAL;
	}
	for (const struct chain *c = chain; c; c = c->up) {
		char *resolved = realpath(path, NULL);
		bool same = resolved && strcmp(resolved, c->resolved) == 0;

		free(resolved);
		if (same) {
			config_complain(reader, node, "%s extends itself, through %s", c->path, chain->path);
			return -EINVAL;
		}
	}
	return load(reader->build, path, chain, reader->errors, ret) < 0 ? -EINVAL : 1;
}

static int fill(struct config_reader *reader, const struct chain *chain, unsigned *ret)
{
	struct config_build *build = reader->build;
	unsigned parent = 0, index;
	int has_parent, r;

	has_parent = load_parent(reader, chain, &parent);
	r = config_policy_new(build, policy_name(build, chain->path), &index);
	if (r < 0)
		return r;
	config_policy_at(build, index)->file = chain->path;
	config_policy_at(build, index)->resolved = chain->resolved;
	r = has_parent > 0 ? inherit(build, parent, index) : 0;
	if (r == 0)
		read_root(reader, index);
	*ret = index;
	if (r == 0 && (has_parent < 0 || reader->n_errors))
		r = -EINVAL;
	return r;
}

static int load(struct config_build *build, const char *path, const struct chain *up, FILE *errors,
		unsigned *ret)
{
	struct config_reader reader = { .build = build, .errors = errors };
	struct chain chain = { .up = up, .path = path, .depth = up ? up->depth + 1 : 1 };
	struct yaml_doc *doc = NULL;
	char *resolved = realpath(path, NULL);
	int r;

	chain.resolved = config_copy(build, str_from(resolved ? resolved : path));
	free(resolved);
	for (size_t i = 0; i < build->policies.n; i++) {
		const struct config_policy *known = config_policy_at(build, (unsigned)i);

		if (known->resolved && strcmp(known->resolved, chain.resolved) == 0) {
			*ret = (unsigned)i;
			return 0;
		}
	}
	r = yaml_doc_load_file(path, errors, &doc);
	if (r == 0) {
		reader.doc = doc;
		r = fill(&reader, &chain, ret);
	}
	if (r < 0)
		build->invalid = true;
	yaml_doc_free(doc);
	return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

/* Whoever starts a gate with such a policy has to read that it is none. */
static int load_used(struct config_build *build, const char *path, FILE *errors, unsigned *ret_index)
{
	int r = load(build, path, NULL, errors, ret_index);
	struct config_policy *policy = r < 0 ? NULL : config_policy_at(build, *ret_index);

	if (policy && policy->mode != POLICY_ENFORCE && errors && !policy->mode_told) {
		fprintf(errors,
			"warning: %s: mode: %s: THIS POLICY PROTECTS NOTHING: what it would deny is "
			"forwarded, and only recorded\n",
			path, policy->mode == POLICY_WARN ? "warn" : "learn");
		policy->mode_told = true;
	}
	return r;
}

int config_load_policy(struct config_build *build, const char *name, FILE *errors, unsigned *ret_index)
{
	struct str s = str_from(name);
	const char *path;

	if (strchr(name, '/') || ends_in_yaml(s))
		return load_used(build, config_copy(build, s), errors, ret_index);
	path = is_plain_name(s) ? find(build, name, NULL) : NULL;
	if (path)
		return load_used(build, path, errors, ret_index);
	if (errors)
		fprintf(errors, "%s:0:0: there is no such policy in %s/policies, %s/policies%s%s\n", name,
			SOCKGATE_SYSCONFDIR, SOCKGATE_DATADIR, build->directory ? ", " : "",
			build->directory ? build->directory : "");
	build->invalid = true;
	return -EINVAL;
}

void config_policy_directory(struct config_build *build, const char *directory)
{
	build->directory = directory ? config_copy(build, str_from(directory)) : NULL;
}
