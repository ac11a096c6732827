/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_reader.h - reads a file's mappings by tables, so that no key is accepted without a row.
 *
 * Every function that complains writes one line, counts it in n_errors, and leaves the builder without an
 * image.
 */
#ifndef SOCKGATE_CONFIG_READER_H
#define SOCKGATE_CONFIG_READER_H

#include "config/config_build.h"

struct config_reader {
	struct config_build *build;
	const struct yaml_doc *doc;
	FILE *errors;
	unsigned n_errors;
};
struct config_field {
	const char *name;
	void (*read)(struct config_reader *reader, const struct yaml_node *key, const struct yaml_node *value,
		     void *object);
	bool required;
};
/* Reads a mapping by its table; an unknown or missing key is an error. `what` is what messages call the
 * mapping. */
void config_read_fields(struct config_reader *reader, const struct yaml_node *node, const char *what,
			const struct config_field *fields, size_t n, void *object);
/* Counts an error and writes its line. */
__attribute__((format(printf, 3, 4))) void
config_complain(struct config_reader *reader, const struct yaml_node *node, const char *format, ...);
/* A scalar's text, or NULL after complaining that `what` must be a string. */
const char *config_read_string(struct config_reader *reader, const struct yaml_node *node, const char *what);
/* The number of the word in a NULL-terminated list, or -1 after complaining. */
int config_read_word(struct config_reader *reader, const struct yaml_node *node, const char *what,
		     const char *const *words);
/* `version: 1`, the same for every kind of file. */
void config_read_version(struct config_reader *reader, const struct yaml_node *key,
			 const struct yaml_node *value, void *object);

/* The signature that struct config_field asks for. */
#define CONFIG_READ(name) \
	static void name(struct config_reader *reader, const struct yaml_node *key, \
			 const struct yaml_node *value, void *object)
#define CONFIG_COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct config_source config_read_source(struct config_reader *reader, const struct yaml_node *node,
					const char *text);
bool config_read_flag(struct config_reader *reader, const struct yaml_node *key,
		      const struct yaml_node *value, bool *ret);
/* A list whose elements are each read by `read`. */
void config_read_list(struct config_reader *reader, const struct yaml_node *key,
		      const struct yaml_node *value,
		      void (*read)(struct config_reader *, const struct yaml_node *, void *), void *object);
/* A policy by name; 0 after a complaint, when there will be no image anyway. */
unsigned config_read_policy(struct config_reader *reader, const struct yaml_node *node);

/* config_listener.c: one entry of `listeners`. */
void config_listener_read(struct config_reader *reader, const struct yaml_node *node, void *object);

#endif
