/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build.c - the builder: memory, policies and what is said in them. */
#include "config/config_build.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "yaml/yaml_doc.h"

struct config_build *config_build_new(void)
{
	return calloc(1, sizeof(struct config_build));
}

static void values_free(struct config_policy *policy)
{
	for (unsigned i = 0; i < POLICY_KEYS; i++)
		free(policy->values[i].list.p);
	free(policy->sources.p);
	free(policy->globs.p);
}

struct config_build *config_build_free(struct config_build *build)
{
	if (!build)
		return NULL;
	for (size_t i = 0; i < build->policies.n; i++)
		values_free(config_policy_at(build, (unsigned)i));
	for (size_t i = 0; i < build->listeners.n; i++)
		free(CONFIG_AT(build->listeners, struct config_listener, i)->origins.p);
	for (size_t i = 0; i < build->engines.n; i++) {
		free(CONFIG_AT(build->engines, struct config_engine, i)->also.p);
		free(CONFIG_AT(build->engines, struct config_engine, i)->allow.p);
	}
	for (size_t i = 0; i < build->blocks.n; i++)
		free(*CONFIG_AT(build->blocks, void *, i));
	free(build->policies.p);
	free(build->listeners.p);
	free(build->engines.p);
	free(build->whens.p);
	free(build->blocks.p);
	free(build);
	return NULL;
}

/* --- Memory --- */

void *config_push(struct config_build *build, struct config_array *array, size_t element)
{
	char *p = array->p;

	if (array->n == array->cap) {
		size_t cap = array->cap ? array->cap * 2 : 16;

		p = reallocarray(array->p, cap, element);
		if (!p) {
			build->failed = true;
			return NULL;
		}
		array->p = p;
		array->cap = cap;
	}
	p += array->n++ * element;
	memset(p, 0, element);
	return p;
}

void *config_alloc(struct config_build *build, size_t size)
{
	void **slot = config_push(build, &build->blocks, sizeof(*slot));

	if (!slot)
		return NULL;
	*slot = calloc(1, size);
	if (!*slot)
		build->failed = true;
	return *slot;
}

const char *config_copy(struct config_build *build, struct str s)
{
	char *copy = config_alloc(build, s.n + 1);

	if (!copy)
		return "";
	if (s.n)
		memcpy(copy, s.p, s.n);
	return copy;
}

const char *config_format(struct config_build *build, const char *format, ...)
{
	const char *copy;
	char *text;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		build->failed = true;
		return "";
	}
	copy = config_copy(build, (struct str){ text, (size_t)n });
	free(text);
	return copy;
}

/* --- Policies --- */

struct config_policy *config_policy_at(struct config_build *build, unsigned index)
{
	assert(index < build->policies.n);
	return *CONFIG_AT(build->policies, struct config_policy *, index);
}

/* Reads a value from YAML text; `name` is what messages call it. */
static int value_from_text(struct config_build *build, enum policy_key key, const char *name,
			   const char *text, FILE *errors, struct config_value *ret)
{
	struct yaml_doc *doc;
	char *line;
	int r;

	/* A flow sequence, so that an empty text is an empty value and not an empty file. */
	if (asprintf(&line, "[%s]", text) < 0)
		return -ENOMEM;
	r = yaml_doc_load_memory(name, line, strlen(line), errors, &doc);
	free(line);
	if (r < 0)
		return r;
	r = -EINVAL;
	if (yaml_node_count(yaml_doc_root(doc)) == 1)
		r = config_value_read(build, &policy_keys[key], doc, yaml_node_item(yaml_doc_root(doc), 0),
				      errors, ret);
	else if (errors)
		fprintf(errors, "%s: one value is expected: %s\n", name, text);
	yaml_doc_free(doc);
	return r;
}

int config_policy_new(struct config_build *build, const char *name, unsigned *ret_index)
{
	struct config_policy *policy, **slot;

	for (size_t i = 0; i < build->policies.n; i++)
		if (strcmp(config_policy_at(build, (unsigned)i)->name, name) == 0)
			return -EEXIST;
	policy = config_alloc(build, sizeof(*policy));
	if (!policy)
		return -ENOMEM;
	policy->name = config_copy(build, str_from(name));
	for (unsigned i = 0; i < POLICY_KEYS; i++) {
		int r = value_from_text(build, i, policy_keys[i].name, policy_keys[i].fallback, NULL,
					&policy->values[i]);

		/* A row of policy_keys.inc whose default is not of its type is our mistake. */
		assert(r == 0 || r == -ENOMEM);
		if (r < 0) {
			build->failed = true;
			values_free(policy);
			return r;
		}
	}
	slot = config_push(build, &build->policies, sizeof(struct config_policy *));
	if (!slot) {
		values_free(policy);
		return -ENOMEM;
	}
	*slot = policy;
	*ret_index = (unsigned)build->policies.n - 1;
	return 0;
}

unsigned config_policy_source(struct config_build *build, unsigned policy, const char *file, const char *text,
			      unsigned line, unsigned column)
{
	struct config_policy *p = config_policy_at(build, policy);
	struct config_source *source = config_push(build, &p->sources, sizeof(*source));

	if (!source)
		return CONFIG_NO_SOURCE;
	source->file = config_copy(build, str_from(file));
	source->text = config_copy(build, str_from(text));
	source->line = line;
	source->column = column;
	return (unsigned)p->sources.n;
}

void config_policy_say(struct config_build *build, unsigned policy, enum api_operation_id operation,
		       bool allow, unsigned source)
{
	struct image_verdict *verdict = &config_policy_at(build, policy)->verdicts[operation];
	uint32_t *said = allow ? &verdict->allow : &verdict->deny;

	if (*said == CONFIG_NO_SOURCE)
		*said = source;
}

void config_policy_glob(struct config_build *build, unsigned policy, uint32_t methods, const char *glob,
			bool allow, unsigned source)
{
	struct config_glob *g = config_push(build, &config_policy_at(build, policy)->globs, sizeof(*g));

	if (!g)
		return;
	g->methods = methods;
	g->allow = allow;
	g->glob = config_copy(build, str_from(glob));
	g->source = source;
}

int config_policy_set(struct config_build *build, unsigned policy, enum policy_key key, const char *yaml,
		      unsigned source, FILE *errors)
{
	struct config_value value = { 0 };
	struct config_policy *p = config_policy_at(build, policy);
	int r;

	r = value_from_text(build, key, policy_keys[key].name, yaml, errors, &value);
	if (r < 0)
		return r;
	value.set = true;
	value.source = source;
	free(p->values[key].list.p);
	p->values[key] = value;
	return 0;
}
