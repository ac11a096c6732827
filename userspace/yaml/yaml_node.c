/* SPDX-License-Identifier: BSD-2-Clause */
#include "yaml/yaml_node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

struct yaml_node *yaml_node_free(struct yaml_node *node)
{
	/* The depth is bounded by YAML_DEPTH_MAX. */
	if (!node)
		return NULL;
	for (size_t i = 0; i < node->n; i++)
		yaml_node_free(node->children[i]);
	free(node->children);
	free(node->text);
	free(node);
	return NULL;
}

int yaml_node_append(struct yaml_node *parent, struct yaml_node *child)
{
	if (parent->n == parent->cap) {
		size_t cap = parent->cap ? parent->cap * 2 : 8;
		struct yaml_node **grown = realloc(parent->children, cap * sizeof(struct yaml_node *));

		if (!grown)
			return -ENOMEM;
		parent->children = grown;
		parent->cap = cap;
	}
	parent->children[parent->n++] = child;
	return 0;
}

const char *yaml_doc_name(const struct yaml_doc *doc)
{
	return doc->name;
}

const struct yaml_node *yaml_doc_root(const struct yaml_doc *doc)
{
	return doc->root;
}

enum yaml_kind yaml_node_kind(const struct yaml_node *node)
{
	return node->kind;
}

unsigned yaml_node_line(const struct yaml_node *node)
{
	return node->line;
}

unsigned yaml_node_column(const struct yaml_node *node)
{
	return node->column;
}

struct str yaml_node_text(const struct yaml_node *node)
{
	return node->text ? (struct str){ node->text, node->text_n } : STR("");
}

bool yaml_node_is_plain(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->plain;
}

/* YAML 1.2.2 section 10.3.2, tag:yaml.org,2002:null. */
bool yaml_node_is_null(const struct yaml_node *node)
{
	struct str s = yaml_node_text(node);

	return yaml_node_is_plain(node) && (s.n == 0 || str_eqz(s, "~") || str_eqz(s, "null") ||
					    str_eqz(s, "Null") || str_eqz(s, "NULL"));
}

/* The same section, bool: yes, no, on and off are strings in YAML 1.2. */
bool yaml_node_bool(const struct yaml_node *node, bool *ret)
{
	struct str s = yaml_node_text(node);
	bool yes = str_eqz(s, "true") || str_eqz(s, "True") || str_eqz(s, "TRUE");
	bool no = str_eqz(s, "false") || str_eqz(s, "False") || str_eqz(s, "FALSE");

	if (!yaml_node_is_plain(node) || (!yes && !no))
		return false;
	*ret = yes;
	return true;
}

/* Decimal only: octal and hexadecimal have no use in a policy, and 0660 means different numbers to YAML's
 * versions. */
bool yaml_node_number(const struct yaml_node *node, uint64_t *ret)
{
	struct str s = yaml_node_text(node);
	uint64_t v = 0;

	if (!yaml_node_is_plain(node) || s.n == 0 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

size_t yaml_node_count(const struct yaml_node *node)
{
	return node->kind == YAML_MAPPING ? node->n / 2 : node->n;
}

const struct yaml_node *yaml_node_item(const struct yaml_node *node, size_t index)
{
	return node->kind == YAML_MAPPING ? node->children[2 * index + 1] : node->children[index];
}

const struct yaml_node *yaml_node_key(const struct yaml_node *mapping, size_t index)
{
	return mapping->children[2 * index];
}

const struct yaml_node *yaml_node_find(const struct yaml_node *mapping, const char *key)
{
	if (mapping->kind != YAML_MAPPING)
		return NULL;
	for (size_t i = 0; i + 1 < mapping->n; i += 2)
		if (strcmp(mapping->children[i]->text, key) == 0)
			return mapping->children[i + 1];
	return NULL;
}

void yaml_doc_error(const struct yaml_doc *doc, const struct yaml_node *node, FILE *errors,
		    const char *format, ...)
{
	va_list ap;

	if (!errors)
		return;
	fprintf(errors, "%s:%u:%u: ", doc->name, node->line, node->column);
	va_start(ap, format);
	vfprintf(errors, format, ap);
	va_end(ap);
	fputc('\n', errors);
}
