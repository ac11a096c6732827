/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config_reader.h"

#include <stdarg.h>

#include "yaml/yaml_doc.h"

void config_complain(struct config_reader *reader, const struct yaml_node *node, const char *format, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	yaml_doc_error(reader->doc, node, reader->errors, "%s", message);
	reader->n_errors++;
	reader->build->invalid = true;
}

const char *config_read_string(struct config_reader *reader, const struct yaml_node *node, const char *what)
{
	if (yaml_node_kind(node) == YAML_SCALAR && !yaml_node_is_null(node) && yaml_node_text(node).n)
		return config_copy(reader->build, yaml_node_text(node));
	config_complain(reader, node, "%s must be a string", what);
	return NULL;
}

int config_read_word(struct config_reader *reader, const struct yaml_node *node, const char *what,
		     const char *const *words)
{
	char list[128];
	size_t n = 0;

	list[0] = '\0';
	for (int i = 0; words[i]; i++) {
		if (yaml_node_kind(node) == YAML_SCALAR && str_eqz(yaml_node_text(node), words[i]))
			return i;
		if (n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", words[i]);
	}
	config_complain(reader, node, "%s must be one of: %s", what, list);
	return -1;
}

void config_read_version(struct config_reader *reader, const struct yaml_node *key,
			 const struct yaml_node *value, void *object)
{
	uint64_t version;

	(void)key;
	(void)object;
	if (!yaml_node_number(value, &version) || version != 1)
		config_complain(reader, value, "version must be 1");
}

static void complain_unknown(struct config_reader *reader, const struct yaml_node *key, const char *what,
			     const struct config_field *fields, size_t n)
{
	struct config_guess guess = { .word = yaml_node_text(key) };

	for (size_t i = 0; i < n; i++)
		config_guess_try(&guess, fields[i].name);
	if (guess.best)
		config_complain(reader, key, "unknown key %.*s in %s; did you mean %s?", STR_ARG(guess.word),
				what, guess.best);
	else
		config_complain(reader, key, "unknown key %.*s in %s", STR_ARG(guess.word), what);
}

void config_read_fields(struct config_reader *reader, const struct yaml_node *node, const char *what,
			const struct config_field *fields, size_t n, void *object)
{
	if (yaml_node_kind(node) != YAML_MAPPING) {
		config_complain(reader, node, "%s must be a mapping (key: value)", what);
		return;
	}
	for (size_t i = 0; i < yaml_node_count(node); i++) {
		const struct yaml_node *key = yaml_node_key(node, i);
		size_t f = 0;

		while (f < n && !str_eqz(yaml_node_text(key), fields[f].name))
			f++;
		if (f < n)
			fields[f].read(reader, key, yaml_node_item(node, i), object);
		else
			complain_unknown(reader, key, what, fields, n);
	}
	for (size_t f = 0; f < n; f++)
		if (fields[f].required && !yaml_node_find(node, fields[f].name))
			config_complain(reader, node, "%s needs the key %s", what, fields[f].name);
}

struct config_source config_read_source(struct config_reader *reader, const struct yaml_node *node,
					const char *text)
{
	return (struct config_source){ .file = config_copy(reader->build,
							   str_from(yaml_doc_name(reader->doc))),
				       .text = text,
				       .line = yaml_node_line(node),
				       .column = yaml_node_column(node) };
}

bool config_read_flag(struct config_reader *reader, const struct yaml_node *key,
		      const struct yaml_node *value, bool *ret)
{
	if (yaml_node_bool(value, ret))
		return true;
	config_complain(reader, value, "%.*s must be true or false", STR_ARG(yaml_node_text(key)));
	return false;
}

void config_read_list(struct config_reader *reader, const struct yaml_node *key,
		      const struct yaml_node *value,
		      void (*read)(struct config_reader *, const struct yaml_node *, void *), void *object)
{
	if (yaml_node_kind(value) != YAML_SEQUENCE) {
		config_complain(reader, value, "%.*s must be a list", STR_ARG(yaml_node_text(key)));
		return;
	}
	for (size_t i = 0; i < yaml_node_count(value); i++)
		read(reader, yaml_node_item(value, i), object);
}

unsigned config_read_policy(struct config_reader *reader, const struct yaml_node *node)
{
	const char *name = config_read_string(reader, node, "policy");
	unsigned index = 0;

	/* Its own errors have been written; this line says who asked for it. */
	if (name && config_load_policy(reader->build, name, reader->errors, &index) < 0)
		config_complain(reader, node, "the policy %s cannot be used", name);
	return index;
}
