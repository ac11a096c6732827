/* SPDX-License-Identifier: BSD-2-Clause */
/* config_value.c - a limit's value, checked against the type that its row in policy_keys.inc says. */
#include "config/config_build.h"

#include <errno.h>
#include <stdlib.h>

#include "yaml/yaml_doc.h"

static int complain(const struct policy_key_row *row, const struct yaml_doc *doc,
		    const struct yaml_node *node, FILE *errors, const char *expected)
{
	yaml_doc_error(doc, node, errors, "%s.%s must be %s", row->section, row->name, expected);
	return -EINVAL;
}

static int read_choice(const struct policy_key_row *row, const struct yaml_doc *doc,
		       const struct yaml_node *node, FILE *errors, struct config_value *ret)
{
	struct str text = yaml_node_text(node), rest = str_from(row->choices);

	for (uint32_t index = 0; yaml_node_kind(node) == YAML_SCALAR; index++) {
		const char *bar = memchr(rest.p, '|', rest.n);
		size_t n = bar ? (size_t)(bar - rest.p) : rest.n;

		if (str_eq(text, (struct str){ rest.p, n })) {
			ret->flag = index;
			return 0;
		}
		if (!bar)
			break;
		rest = (struct str){ bar + 1, rest.n - n - 1 };
	}
	yaml_doc_error(doc, node, errors, "%s.%s must be one of %s", row->section, row->name, row->choices);
	return -EINVAL;
}

/* "512", "64k", "10m", "2g"; quoted or not. */
static bool read_size(const struct yaml_node *node, uint64_t *ret)
{
	struct str s = yaml_node_text(node);
	unsigned shift = 0;
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	switch (s.p[s.n - 1]) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	default:
		break;
	}
	if (shift && --s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	if (v > UINT64_MAX >> shift)
		return false;
	*ret = v << shift;
	return true;
}

static int read_strings(struct config_build *build, const struct policy_key_row *row,
			const struct yaml_doc *doc, const struct yaml_node *node, FILE *errors,
			struct config_value *ret)
{
	if (yaml_node_kind(node) != YAML_SEQUENCE)
		return complain(row, doc, node, errors, "a list of strings: [a, b]");
	for (size_t i = 0; i < yaml_node_count(node); i++) {
		const struct yaml_node *item = yaml_node_item(node, i);
		const char **slot;

		if (yaml_node_kind(item) != YAML_SCALAR || yaml_node_is_null(item))
			return complain(row, doc, item, errors, "a list of strings");
		slot = config_push(build, &ret->list, sizeof(const char *));
		if (!slot)
			return -ENOMEM;
		*slot = config_copy(build, yaml_node_text(item));
	}
	return 0;
}

static int read_bind_fields(const struct policy_key_row *row, const struct yaml_doc *doc,
			    const struct yaml_node *node, FILE *errors, const struct yaml_node **ret_source,
			    struct config_bind *ret)
{
	for (size_t i = 0; i < yaml_node_count(node); i++) {
		struct str key = yaml_node_text(yaml_node_key(node, i));
		const struct yaml_node *value = yaml_node_item(node, i);
		struct str text = yaml_node_text(value);

		if (str_eqz(key, "source"))
			*ret_source = value;
		else if (str_eqz(key, "mode") &&
			 (str_eqz(text, "ro") || str_eqz(text, "rw") || str_eqz(text, "force-ro")))
			*ret = (struct config_bind){ .read_only = !str_eqz(text, "rw"),
						     .force = str_eqz(text, "force-ro") };
		else if (str_eqz(key, "mode"))
			return complain(row, doc, value, errors, "given with mode ro, rw or force-ro");
		else
			return complain(row, doc, yaml_node_key(node, i), errors,
					"given as {source: /PATH, mode: ro|rw|force-ro}");
	}
	return 0;
}

static int read_binds(struct config_build *build, const struct policy_key_row *row,
		      const struct yaml_doc *doc, const struct yaml_node *node, FILE *errors,
		      struct config_value *ret)
{
	if (yaml_node_kind(node) != YAML_SEQUENCE)
		return complain(row, doc, node, errors,
				"a list of paths, or of {source: /PATH, mode: ro|rw|force-ro}");
	for (size_t i = 0; i < yaml_node_count(node); i++) {
		const struct yaml_node *item = yaml_node_item(node, i), *source = item;
		struct config_bind modes = { .read_only = true }, *bind;
		const char *why;

		if (yaml_node_kind(item) == YAML_MAPPING) {
			source = NULL;
			if (read_bind_fields(row, doc, item, errors, &source, &modes) < 0)
				return -EINVAL;
		}
		if (!source || yaml_node_kind(source) != YAML_SCALAR)
			return complain(row, doc, item, errors,
					"given as {source: /PATH, mode: ro|rw|force-ro}");
		why = config_path_problem(yaml_node_text(source));
		if (why) {
			yaml_doc_error(doc, source, errors, "%s.%s: %.*s is not %s", row->section, row->name,
				       STR_ARG(yaml_node_text(source)), why);
			return -EINVAL;
		}
		bind = config_push(build, &ret->list, sizeof(*bind));
		if (!bind)
			return -ENOMEM;
		*bind = modes;
		bind->source = config_copy(build, yaml_node_text(source));
	}
	return 0;
}

static int read_value(struct config_build *build, const struct policy_key_row *row,
		      const struct yaml_doc *doc, const struct yaml_node *node, FILE *errors,
		      struct config_value *ret)
{
	bool flag;

	switch (row->type) {
	case POLICY_BOOL:
		if (!yaml_node_bool(node, &flag))
			return complain(row, doc, node, errors, "true or false");
		ret->flag = flag;
		return 0;
	case POLICY_CHOICE:
		return read_choice(row, doc, node, errors, ret);
	case POLICY_NUMBER:
		if (!yaml_node_number(node, &ret->number))
			return complain(row, doc, node, errors, "a whole number, 0 for no limit");
		return 0;
	case POLICY_SIZE:
		if (!read_size(node, &ret->number))
			return complain(row, doc, node, errors,
					"a size such as 512k, 64m or 2g, 0 for no limit");
		return 0;
	case POLICY_STRINGS:
		return read_strings(build, row, doc, node, errors, ret);
	case POLICY_BINDS:
		return read_binds(build, row, doc, node, errors, ret);
	}
	return -EINVAL;
}

int config_value_read(struct config_build *build, const struct policy_key_row *row,
		      const struct yaml_doc *doc, const struct yaml_node *node, FILE *errors,
		      struct config_value *ret)
{
	struct config_value value = { 0 };
	int r;

	r = read_value(build, row, doc, node, errors, &value);
	if (r < 0) {
		free(value.list.p);
		return r;
	}
	*ret = value;
	return 0;
}
