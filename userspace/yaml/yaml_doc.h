/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml_doc.h - a configuration file as a read-only tree, loaded strictly. The one includer of libfyaml.
 *
 * YAML 1.2 with what makes a configuration surprising taken out: anchors, aliases, merge keys, tags,
 * directives, several documents, repeated keys and keys that are not plain words are errors. Every message is
 * one line "file:line:column: message" (line and column from 1). Nodes and their text live as long as the
 * document.
 */
#ifndef SOCKGATE_YAML_DOC_H
#define SOCKGATE_YAML_DOC_H

#include <stdint.h>
#include <stdio.h>

#include "text/str.h"

#define YAML_SIZE_MAX  (1024 * 1024) /* bytes in a file */
#define YAML_DEPTH_MAX 16            /* mappings and sequences within one another */
#define YAML_NODES_MAX 65536

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_doc;
struct yaml_node;

/*
 * Loads a file, or text under the name that messages shall give it. Returns 0 and a document, or
 * -EINVAL after having written why to `errors`, or -errno (with a message too) when the file cannot be read.
 * An empty file is an error: a policy that was truncated must not be read as one that says nothing.
 */
int yaml_doc_load_file(const char *path, FILE *errors, struct yaml_doc **ret);
int yaml_doc_load_memory(const char *name, const char *text, size_t n, FILE *errors, struct yaml_doc **ret);
/* NULL is fine. Returns NULL. */
struct yaml_doc *yaml_doc_free(struct yaml_doc *doc);

const char *yaml_doc_name(const struct yaml_doc *doc);
const struct yaml_node *yaml_doc_root(const struct yaml_doc *doc);

enum yaml_kind yaml_node_kind(const struct yaml_node *node);
unsigned yaml_node_line(const struct yaml_node *node);
unsigned yaml_node_column(const struct yaml_node *node);

/* A scalar's text; empty for the others. */
struct str yaml_node_text(const struct yaml_node *node);
/* A scalar without quotes, which alone may be a number, true, false or null. */
bool yaml_node_is_plain(const struct yaml_node *node);
/* `key:` with nothing after it, or null. */
bool yaml_node_is_null(const struct yaml_node *node);
/* Scalars of the YAML 1.2 core schema; false when the node is not one. */
bool yaml_node_bool(const struct yaml_node *node, bool *ret);
bool yaml_node_number(const struct yaml_node *node, uint64_t *ret);

/* Elements of a sequence, or pairs of a mapping, in the order of the file. 0 for a scalar. */
size_t yaml_node_count(const struct yaml_node *node);
const struct yaml_node *yaml_node_item(const struct yaml_node *node,
				       size_t index); /* a mapping's: the value */
const struct yaml_node *yaml_node_key(const struct yaml_node *mapping, size_t index);
/* The value of a key, or NULL. */
const struct yaml_node *yaml_node_find(const struct yaml_node *mapping, const char *key);

/* Writes "file:line:column: message" for a node. */
__attribute__((format(printf, 4, 5))) void yaml_doc_error(const struct yaml_doc *doc,
							  const struct yaml_node *node, FILE *errors,
							  const char *format, ...);

#endif
