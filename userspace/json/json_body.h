/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_body.h - a JSON request body, loaded strictly. The one includer of jansson.
 *
 * One document, UTF-8, no duplicate names, no NUL in names or values, depth and memory bounded. The tree is
 * owned by the struct json_body that json_body_load() returns; values and strings live as long as it does.
 *
 * One thread only: jansson's allocator hook has no argument, so the memory budget is per process.
 *
 * Go's encoding/json matches field names without regard to case (and U+017F as s, U+212A as k), so names are
 * compared with json_fold_equal() by whoever knows the fields.
 */
#ifndef SOCKGATE_JSON_BODY_H
#define SOCKGATE_JSON_BODY_H

#include <stdint.h>

#include "text/buf.h"
#include "text/str.h"

#define JSON_DEPTH_MAX    64
#define JSON_BODY_DEFAULT (256 * 1024)      /* bytes accepted unless the policy says otherwise */
#define JSON_BODY_MAX     (4 * 1024 * 1024) /* bytes accepted at most */

struct json_body;  /* a document */
struct json_value; /* a value in it */

enum json_type {
	JSON_T_NULL,
	JSON_T_BOOL,
	JSON_T_INTEGER,
	JSON_T_REAL,
	JSON_T_STRING,
	JSON_T_ARRAY,
	JSON_T_OBJECT
};

/* Call once before seccomp is installed: jansson seeds its hash tables, and allocation is put under a budget.
 */
void json_body_init(void);

/*
 * What a document of n bytes may take while it lives. Measured with jansson 2.14, "[{},{},...]" takes 79
 * times its length and real bodies 2 to 20 times; so JSON_BODY_DEFAULT gets 8 MiB, and JSON_BODY_MAX 68 MiB.
 */
#define JSON_BUDGET(n) ((size_t)4 * 1024 * 1024 + 16 * (size_t)(n))

/*
 * Loads [in, in+n). Returns 0 and a document, or -EBADMSG (malformed, ambiguous), -EMSGSIZE (more than
 * JSON_BODY_MAX) or -ENOMEM (over the memory budget); the last two are answered with 413. *why names the rule
 * (a constant string).
 */
int json_body_load(const char *in, size_t n, struct json_body **ret, const char **why);
/* NULL is fine. Returns NULL. */
struct json_body *json_body_free(struct json_body *body);

const struct json_value *json_body_root(const struct json_body *body);
/* Appends the document, compact, reals with 17 digits; out->overflow where it did not fit. */
void json_body_write(const struct json_body *body, struct buf *out);

/*
 * A value of another type than the one asked for is false, 0 or an empty string; NULL is taken for null. (The
 * names json_integer() and the like belong to jansson; defining them here would replace them inside that
 * library as well.)
 */
enum json_type json_value_type(const struct json_value *v);
bool json_value_bool(const struct json_value *v);
int64_t json_value_integer(const struct json_value *v);
double json_value_real(const struct json_value *v);
struct str json_value_string(const struct json_value *v);
size_t json_size(const struct json_value *v); /* elements of an array, members of an object, else 0 */
const struct json_value *json_element(const struct json_value *array, size_t index);

/* Walks an object's members: for (it = json_first(o); it; it = json_next(o, it)). */
struct json_member;
const struct json_member *json_first(const struct json_value *object);
const struct json_member *json_next(const struct json_value *object, const struct json_member *it);
struct str json_member_name(const struct json_member *it);
const struct json_value *json_member_value(const struct json_member *it);

/*
 * Changing a document. What is added is under the budget of the document that was loaded last, so a document
 * is changed before another one is loaded. Each returns 0, -ENOMEM (over the budget: answered with 413), or
 * -EINVAL (not UTF-8, or not of the type that is asked for); after an error nothing has changed. Values that
 * were replaced, and the strings in them, are gone.
 */
struct json_value *json_edit_root(struct json_body *body);
/* NULL where there is none. */
struct json_value *json_edit_member(struct json_value *object, const char *name);
struct json_value *json_edit_element(struct json_value *array, size_t index);
/* The object called `name`, made where that is absent or null. */
int json_edit_object(struct json_value *object, const char *name, struct json_value **ret);
/* Adds a member, or replaces its value. */
int json_edit_bool(struct json_value *object, struct str name, bool value);
int json_edit_integer(struct json_value *object, struct str name, int64_t value);
int json_edit_string(struct json_value *object, struct str name, struct str value);
/* Replaces an element that is there. */
int json_edit_string_at(struct json_value *array, size_t index, struct str value);

/* Whether Go's decoder would take `name` for the field `field` (which is ASCII). */
bool json_fold_equal(struct str name, const char *field);

#endif
