/* SPDX-License-Identifier: BSD-2-Clause */
/* yaml_node.h - the tree behind yaml_doc.h; for the files of yaml/ alone.
 */
#ifndef SOCKGATE_YAML_NODE_H
#define SOCKGATE_YAML_NODE_H

#include "yaml/yaml_doc.h"

struct yaml_node {
	enum yaml_kind kind;
	bool plain;
	unsigned line;
	unsigned column;
	char *text; /* NUL after text_n bytes; NULL for collections */
	size_t text_n;
	struct yaml_node **children; /* a mapping's: key, value, key, value */
	size_t n;
	size_t cap;
};

struct yaml_doc {
	char *name;
	struct yaml_node *root;
	size_t n_nodes;
};

/* Frees a subtree. NULL is fine. Returns NULL. */
struct yaml_node *yaml_node_free(struct yaml_node *node);
/* Takes ownership of `child` on success only. Returns 0 or -ENOMEM. */
int yaml_node_append(struct yaml_node *parent, struct yaml_node *child);

/* yaml_bytes.c: NULL when the text may be parsed; else why not, and where. */
const char *yaml_bytes_check(const char *text, size_t n, unsigned *ret_line, unsigned *ret_column);

#endif
