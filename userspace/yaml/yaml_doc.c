/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml_doc.c - builds our own tree from libfyaml's events.
 *
 * The events are used, not libfyaml's documents: what we refuse (anchors, tags, repeated keys, depth) is
 * refused when it is met, with its position, and the parser is gone before anybody reads the tree.
 */
#include "yaml/yaml_node.h"

#include <errno.h>
#include <fcntl.h>
#include <libfyaml.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One load in progress. */
struct yaml_load {
	struct yaml_doc *doc;
	FILE *errors;
	struct yaml_node *open[YAML_DEPTH_MAX]; /* the collections around the current event */
	unsigned depth;
	unsigned documents;
	unsigned line; /* of the current event, or of the one before where libfyaml gives it none (an empty
			  value) */
	unsigned column;
};

struct yaml_doc *yaml_doc_free(struct yaml_doc *doc)
{
	if (!doc)
		return NULL;
	yaml_node_free(doc->root);
	free(doc->name);
	free(doc);
	return NULL;
}

static __attribute__((format(printf, 5, 6))) int
complain(const struct yaml_doc *doc, FILE *errors, unsigned line, unsigned column, const char *format, ...)
{
	va_list ap;

	if (errors) {
		fprintf(errors, "%s:%u:%u: ", doc->name, line, column);
		va_start(ap, format);
		vfprintf(errors, format, ap);
		va_end(ap);
		fputc('\n', errors);
	}
	return -EINVAL;
}

/* --- Building --- */

/* A key that stands alone, is spelt once, and is not YAML 1.1's merge key. */
static int check_key(const struct yaml_load *load, const struct yaml_node *mapping,
		     const struct yaml_node *key)
{
	if (key->kind != YAML_SCALAR || key->text_n == 0)
		return complain(load->doc, load->errors, key->line, key->column, "a key must be a word");
	if (strcmp(key->text, "<<") == 0)
		return complain(load->doc, load->errors, key->line, key->column,
				"merge keys (<<) are not accepted");
	for (size_t i = 0; i < mapping->n; i += 2) {
		const struct yaml_node *other = mapping->children[i];

		if (strcmp(other->text, key->text) == 0)
			return complain(load->doc, load->errors, key->line, key->column,
					"the key %s is repeated; it stands in line %u already", key->text,
					other->line);
	}
	return 0;
}

/* Puts a new node where the open collections say, and takes ownership of it, on failure too. */
static int place(struct yaml_load *load, struct yaml_node *node)
{
	struct yaml_node *parent = load->depth ? load->open[load->depth - 1] : NULL;
	int r = 0;

	if (!parent) {
		load->doc->root = node;
		return 0;
	}
	if (parent->kind == YAML_MAPPING && parent->n % 2 == 0)
		r = check_key(load, parent, node);
	if (r == 0)
		r = yaml_node_append(parent, node);
	if (r < 0)
		yaml_node_free(node);
	return r;
}

static int new_node(struct yaml_load *load, enum yaml_kind kind, struct yaml_node **ret)
{
	struct yaml_node *node;

	if (load->doc->n_nodes == YAML_NODES_MAX)
		return complain(load->doc, load->errors, load->line, load->column, "more than %d values",
				YAML_NODES_MAX);
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	load->doc->n_nodes++;
	node->kind = kind;
	node->line = load->line;
	node->column = load->column;
	*ret = node;
	return 0;
}

static int take_scalar(struct yaml_load *load, struct fy_event *event)
{
	enum fy_scalar_style style;
	struct yaml_node *node;
	const char *text = "";
	size_t n = 0;
	int r;

	r = new_node(load, YAML_SCALAR, &node);
	if (r < 0)
		return r;
	node->plain = true;
	if (event->scalar.value) {
		text = fy_token_get_text(event->scalar.value, &n);
		style = fy_token_scalar_style(event->scalar.value);
		node->plain = style == FYSS_PLAIN;
		/* libfyaml's mark is behind the quote; people look for the quote. */
		if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && node->column > 1)
			node->column--;
	}
	node->text = text ? malloc(n + 1) : NULL;
	if (!node->text) {
		yaml_node_free(node);
		return -ENOMEM;
	}
	memcpy(node->text, text, n);
	node->text[n] = '\0';
	node->text_n = n;
	/* "\0" is an escape of YAML: no name or path may end early for one reader and go on for another. */
	if (memchr(node->text, '\0', n)) {
		r = complain(load->doc, load->errors, node->line, node->column, "a NUL in a string");
		yaml_node_free(node);
		return r;
	}
	return place(load, node);
}

static int take_collection(struct yaml_load *load, enum yaml_kind kind)
{
	struct yaml_node *node;
	int r;

	r = new_node(load, kind, &node);
	if (r < 0)
		return r;
	if (load->depth == YAML_DEPTH_MAX) {
		r = complain(load->doc, load->errors, node->line, node->column, "nested more than %d deep",
			     YAML_DEPTH_MAX);
		yaml_node_free(node);
		return r;
	}
	r = place(load, node);
	if (r == 0)
		load->open[load->depth++] = node;
	return r;
}

/* Anchors, aliases and tags: what could make a value mean something else than what stands there. */
static int refuse_properties(struct yaml_load *load, const struct fy_event *event)
{
	struct fy_token *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case FYET_ALIAS:
		return complain(load->doc, load->errors, load->line, load->column,
				"aliases (*name) are not accepted");
	case FYET_SCALAR:
		anchor = event->scalar.anchor;
		tag = event->scalar.tag;
		break;
	case FYET_SEQUENCE_START:
		anchor = event->sequence_start.anchor;
		tag = event->sequence_start.tag;
		break;
	case FYET_MAPPING_START:
		anchor = event->mapping_start.anchor;
		tag = event->mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor)
		return complain(load->doc, load->errors, load->line, load->column,
				"anchors (&name) are not accepted");
	if (tag)
		return complain(load->doc, load->errors, load->line, load->column,
				"tags (!name) are not accepted");
	return 0;
}

static int take_event(struct yaml_load *load, struct fy_event *event)
{
	const struct fy_mark *mark = fy_event_start_mark(event);
	int r;

	if (mark) {
		load->line = (unsigned)mark->line + 1;
		load->column = (unsigned)mark->column + 1;
	}
	r = refuse_properties(load, event);
	if (r < 0)
		return r;
	switch (event->type) {
	case FYET_DOCUMENT_START:
		if (load->documents++)
			return complain(load->doc, load->errors, load->line, load->column,
					"a second document (---) in one file");
		return 0;
	case FYET_SCALAR:
		return take_scalar(load, event);
	case FYET_SEQUENCE_START:
		return take_collection(load, YAML_SEQUENCE);
	case FYET_MAPPING_START:
		return take_collection(load, YAML_MAPPING);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END:
		load->depth--;
		return 0;
	default:
		return 0;
	}
}

/* --- Loading --- */

/* libfyaml's own findings in our form. Its first one is the cause, the others follow from it. */
static int report_parser(struct yaml_load *load, struct fy_diag *diag)
{
	void *iterator = NULL;
	const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &iterator);

	if (!error)
		return complain(load->doc, load->errors, 1, 1, "not YAML");
	return complain(load->doc, load->errors, error->line > 0 ? (unsigned)error->line : 1,
			error->column > 0 ? (unsigned)error->column : 1, "%s", error->msg);
}

static int parse(struct yaml_load *load, const char *text, size_t n)
{
	struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
					     FYPCF_DISABLE_RECYCLING | FYPCF_JSON_NONE };
	struct fy_diag *diag = NULL;
	struct fy_parser *parser = NULL;
	struct fy_event *event;
	bool ended = false;
	int r = -ENOMEM;

	diag = fy_diag_create(NULL);
	if (!diag)
		goto out;
	fy_diag_set_collect_errors(diag, true);
	cfg.diag = diag;
	parser = fy_parser_create(&cfg);
	if (!parser || fy_parser_set_string(parser, text, n) < 0)
		goto out;
	r = 0;
	while (r == 0 && !ended && (event = fy_parser_parse(parser))) {
		ended = event->type == FYET_STREAM_END;
		r = take_event(load, event);
		fy_parser_event_free(parser, event);
	}
	if (r == 0 && (!ended || fy_diag_got_error(diag)))
		r = report_parser(load, diag);
out:
	fy_parser_destroy(parser);
	fy_diag_destroy(diag);
	return r;
}

int yaml_doc_load_memory(const char *name, const char *text, size_t n, FILE *errors, struct yaml_doc **ret)
{
	struct yaml_doc *doc = calloc(1, sizeof(*doc));
	struct yaml_load load = { .doc = doc, .errors = errors, .line = 1, .column = 1 };
	unsigned line, column;
	const char *why;
	int r;

	if (!doc)
		return -ENOMEM;
	doc->name = strdup(name);
	if (!doc->name)
		r = -ENOMEM;
	else if (n > YAML_SIZE_MAX)
		r = complain(doc, errors, 1, 1, "larger than %d bytes", YAML_SIZE_MAX);
	else
		r = (why = yaml_bytes_check(text, n, &line, &column))
			    ? complain(doc, errors, line, column, "%s", why)
			    : 0;
	if (r == 0)
		r = parse(&load, text, n);
	if (r == 0 && (!doc->root || yaml_node_is_null(doc->root)))
		r = complain(doc, errors, 1, 1, "the file is empty");
	if (r < 0) {
		yaml_doc_free(doc);
		return r;
	}
	*ret = doc;
	return 0;
}

static int read_whole(int fd, char *text, size_t cap, size_t *ret_n)
{
	size_t n = 0;

	while (n < cap) {
		ssize_t got = read(fd, text + n, cap - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_n = n;
	return 0;
}

int yaml_doc_load_file(const char *path, FILE *errors, struct yaml_doc **ret)
{
	char *text = NULL;
	struct stat st;
	size_t n = 0;
	int fd, r = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		r = -EISDIR;
	/* One byte more than is accepted, so that too large a file is seen as such. */
	if (r == 0 && !(text = malloc(YAML_SIZE_MAX + 1)))
		r = -ENOMEM;
	if (r == 0)
		r = read_whole(fd, text, YAML_SIZE_MAX + 1, &n);
	if (r < 0) {
		if (errors)
			fprintf(errors, "%s:1:1: cannot be read: %s\n", path,
				r == -EISDIR ? "not a file" : strerror(-r));
	} else {
		r = yaml_doc_load_memory(path, text, n, errors, ret);
	}
	free(text);
	if (fd >= 0)
		close(fd);
	return r;
}
