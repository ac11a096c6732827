/* SPDX-License-Identifier: BSD-2-Clause */
#include "json/json_body.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

struct json_body {
	json_t *root;
};

/*
 * jansson's allocator hooks get no context, hence these three; nothing else touches them. `budget_limit` is
 * raised for a document when its loading starts and is never reached by documents that were loaded before.
 */
static size_t budget_used;
static size_t budget_limit;
/* jansson does not tell every failed allocation from a syntax error. */
static bool budget_exceeded;

/* In front of every block, so that freeing gives back what was taken. */
union budget_header {
	size_t size;
	max_align_t align;
};

static void *budget_malloc(size_t size)
{
	union budget_header *h;

	if (size > SIZE_MAX - sizeof(*h))
		return NULL;
	size += sizeof(*h);
	if (budget_used > budget_limit || size > budget_limit - budget_used)
		h = NULL;
	else
		h = malloc(size);
	if (!h) {
		budget_exceeded = true;
		return NULL;
	}
	h->size = size;
	budget_used += size;
	return h + 1;
}

static void budget_free(void *p)
{
	union budget_header *h = p;

	if (!h)
		return;
	h--;
	budget_used -= h->size;
	free(h);
}

void json_body_init(void)
{
	json_set_alloc_funcs(budget_malloc, budget_free);
	json_object_seed(0);
}

/* jansson itself stops at 2048 levels, so this recursion is bounded before it starts. */
static bool depth_within(const struct json_value *v, unsigned left)
{
	enum json_type type = json_value_type(v);
	const struct json_member *it;

	if (type != JSON_T_ARRAY && type != JSON_T_OBJECT)
		return true;
	if (left == 0)
		return false;
	if (type == JSON_T_OBJECT) {
		for (it = json_first(v); it; it = json_next(v, it))
			if (!depth_within(json_member_value(it), left - 1))
				return false;
		return true;
	}
	for (size_t i = 0; i < json_size(v); i++)
		if (!depth_within(json_element(v, i), left - 1))
			return false;
	return true;
}

/* Constant texts: jansson's own quote the body, which may hold secrets, and reasons go into logs. */
static int load_failed(const json_error_t *error, const char **why)
{
	if (budget_exceeded) {
		*why = "the JSON body would take too much memory";
		return -ENOMEM;
	}
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		*why = "the JSON body has the same name twice in an object";
		break;
	case json_error_invalid_utf8:
		*why = "the JSON body is not UTF-8";
		break;
	case json_error_null_character:
	case json_error_null_byte_in_key:
		*why = "the JSON body has a NUL character in a string";
		break;
	case json_error_numeric_overflow:
		*why = "the JSON body has a number out of range";
		break;
	case json_error_end_of_input_expected:
		*why = "the JSON body has bytes after its end";
		break;
	case json_error_premature_end_of_input:
		*why = "the JSON body is cut short";
		break;
	case json_error_stack_overflow:
		*why = "the JSON body is nested too deeply";
		break;
	default:
		*why = "the body is not JSON, or neither an object nor an array";
		break;
	}
	return -EBADMSG;
}

int json_body_load(const char *in, size_t n, struct json_body **ret, const char **why)
{
	struct json_body *body;
	json_error_t error;
	json_t *root;
	int r;

	if (n > JSON_BODY_MAX) {
		*why = "the JSON body is too long";
		return -EMSGSIZE;
	}
	budget_limit = budget_used + JSON_BUDGET(n);
	budget_exceeded = false;
	/* Neither JSON_DECODE_ANY (bare scalars), JSON_ALLOW_NUL nor JSON_DISABLE_EOF_CHECK (trailing bytes).
	 */
	root = json_loadb(in ? in : "", n, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return load_failed(&error, why);
	if (!depth_within((const struct json_value *)root, JSON_DEPTH_MAX)) {
		*why = "the JSON body is nested too deeply";
		r = -EBADMSG;
		goto out;
	}
	body = malloc(sizeof(*body));
	if (!body) {
		*why = "out of memory";
		r = -ENOMEM;
		goto out;
	}
	body->root = root;
	*ret = body;
	return 0;
out:
	json_decref(root);
	return r;
}

struct json_body *json_body_free(struct json_body *body)
{
	if (body) {
		json_decref(body->root);
		free(body);
	}
	return NULL;
}

const struct json_value *json_body_root(const struct json_body *body)
{
	return (const struct json_value *)body->root;
}

static int append(const char *bytes, size_t n, void *out)
{
	struct buf *b = out;

	buf_append(b, bytes, n);
	return b->overflow ? -1 : 0;
}

void json_body_write(const struct json_body *body, struct buf *out)
{
	/* The dumper keeps a set of the containers that it is in: at most JSON_DEPTH_MAX small blocks. */
	budget_limit = budget_used + JSON_BUDGET(0);
	if (json_dump_callback(body->root, append, out, JSON_COMPACT | JSON_REAL_PRECISION(17)))
		out->overflow = true;
}

/* jansson's readers take a pointer to non-const; none of those used below writes. */
static json_t *readable(const struct json_value *v)
{
	return (json_t *)v;
}

enum json_type json_value_type(const struct json_value *v)
{
	if (!v)
		return JSON_T_NULL;
	switch (json_typeof(readable(v))) {
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_T_BOOL;
	case JSON_INTEGER:
		return JSON_T_INTEGER;
	case JSON_REAL:
		return JSON_T_REAL;
	case JSON_STRING:
		return JSON_T_STRING;
	case JSON_ARRAY:
		return JSON_T_ARRAY;
	case JSON_OBJECT:
		return JSON_T_OBJECT;
	case JSON_NULL:
		break;
	}
	return JSON_T_NULL;
}

bool json_value_bool(const struct json_value *v)
{
	return json_is_true(readable(v));
}

int64_t json_value_integer(const struct json_value *v)
{
	return json_integer_value(readable(v));
}

double json_value_real(const struct json_value *v)
{
	return json_real_value(readable(v));
}

struct str json_value_string(const struct json_value *v)
{
	return (struct str){ json_string_value(readable(v)), json_string_length(readable(v)) };
}

size_t json_size(const struct json_value *v)
{
	json_t *j = readable(v);

	return json_is_array(j) ? json_array_size(j) : json_object_size(j);
}

const struct json_value *json_element(const struct json_value *array, size_t index)
{
	return (const struct json_value *)json_array_get(readable(array), index);
}

const struct json_member *json_first(const struct json_value *object)
{
	return (const struct json_member *)json_object_iter(readable(object));
}

const struct json_member *json_next(const struct json_value *object, const struct json_member *it)
{
	return (const struct json_member *)json_object_iter_next(readable(object), (void *)it);
}

struct str json_member_name(const struct json_member *it)
{
	return (struct str){ json_object_iter_key((void *)it), json_object_iter_key_len((void *)it) };
}

const struct json_value *json_member_value(const struct json_member *it)
{
	return (const struct json_value *)json_object_iter_value((void *)it);
}

/* --- Changing --- */

static json_t *writable(struct json_value *v)
{
	return (json_t *)v;
}

struct json_value *json_edit_root(struct json_body *body)
{
	return (struct json_value *)body->root;
}

struct json_value *json_edit_member(struct json_value *object, const char *name)
{
	return (struct json_value *)json_object_get(writable(object), name);
}

struct json_value *json_edit_element(struct json_value *array, size_t index)
{
	return (struct json_value *)json_array_get(writable(array), index);
}

/* jansson only says that it failed: for want of memory, which the budget has noticed, or for what was asked.
 */
static int failed(void)
{
	return budget_exceeded ? -ENOMEM : -EINVAL;
}

/* Takes over `value`, which is NULL where making it failed; budget_exceeded was reset before that. */
static int set_member(struct json_value *object, struct str name, json_t *value)
{
	return json_object_setn_new(writable(object), name.p, name.n, value) ? failed() : 0;
}

int json_edit_object(struct json_value *object, const char *name, struct json_value **ret)
{
	struct json_value *member = json_edit_member(object, name);
	int r;

	if (json_value_type(member) == JSON_T_NULL) {
		budget_exceeded = false;
		r = set_member(object, str_from(name), json_object());
		if (r < 0)
			return r;
		member = json_edit_member(object, name);
	}
	if (json_value_type(member) != JSON_T_OBJECT)
		return -EINVAL;
	*ret = member;
	return 0;
}

int json_edit_bool(struct json_value *object, struct str name, bool value)
{
	budget_exceeded = false;
	return set_member(object, name, json_boolean(value));
}

int json_edit_integer(struct json_value *object, struct str name, int64_t value)
{
	budget_exceeded = false;
	return set_member(object, name, json_integer(value));
}

int json_edit_string(struct json_value *object, struct str name, struct str value)
{
	budget_exceeded = false;
	return set_member(object, name, json_stringn(value.p ? value.p : "", value.n));
}

int json_edit_string_at(struct json_value *array, size_t index, struct str value)
{
	budget_exceeded = false;
	return json_array_set_new(writable(array), index, json_stringn(value.p ? value.p : "", value.n))
		       ? failed()
		       : 0;
}
