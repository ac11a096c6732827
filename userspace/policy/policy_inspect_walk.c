/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_inspect_walk.h"

#include <inttypes.h>

/* Index of "refuse" among the choices of containers.unknown_fields. */
#define UNKNOWN_REFUSE 0

static void report(struct inspect *in, unsigned status, enum policy_key key, struct str value,
		   const char *problem)
{
	struct policy_finding f = { status, key, in->field, value, problem };

	in->findings++;
	if (!in->stopped && in->found && !in->found(in->context, &f))
		in->stopped = true;
}

void inspect_refuse(struct inspect *in, enum policy_key key, struct str value, const char *problem)
{
	report(in, 403, key, value, problem);
}

void inspect_malformed(struct inspect *in, struct str value, const char *problem)
{
	report(in, 400, POLICY_KEYS, value, problem);
}

static struct str value_text(const struct json_value *v, struct buf *b)
{
	switch (json_value_type(v)) {
	case JSON_T_STRING:
		return json_value_string(v);
	case JSON_T_BOOL:
		return json_value_bool(v) ? STR("true") : STR("false");
	case JSON_T_INTEGER:
		buf_printf(b, "%" PRId64, json_value_integer(v));
		return buf_view(b);
	case JSON_T_REAL:
		buf_printf(b, "%.17g", json_value_real(v));
		return buf_view(b);
	case JSON_T_ARRAY:
		return STR("[...]");
	case JSON_T_OBJECT:
		return STR("{...}");
	case JSON_T_NULL:
		break;
	}
	return STR("null");
}

void inspect_refuse_value(struct inspect *in, enum policy_key key, const struct json_value *v,
			  const char *problem)
{
	char memory[40];
	struct buf b = buf_over(memory, sizeof(memory));
	struct str text = value_text(v, &b);

	report(in, key == POLICY_KEYS ? 400 : 403, key, text, problem);
}

void inspect_reference(struct inspect *in, enum policy_reference_kind kind, struct str name, bool read_only)
{
	struct policy_reference r = { kind, name, read_only };

	if (in->referenced)
		in->referenced(in->context, &r);
}

static void field_append(struct inspect *in, struct str s)
{
	size_t room = INSPECT_FIELD_MAX - in->field_len;
	size_t n = s.n < room ? s.n : room;

	if (n)
		memcpy(in->field + in->field_len, s.p, n);
	in->field_len += n;
	in->field[in->field_len] = '\0';
}

size_t inspect_enter(struct inspect *in, struct str name)
{
	size_t mark = in->field_len;

	if (mark)
		field_append(in, STR("."));
	field_append(in, name);
	return mark;
}

size_t inspect_enter_index(struct inspect *in, size_t index)
{
	size_t mark = in->field_len;
	char memory[24];
	struct buf b = buf_over(memory, sizeof(memory));

	buf_printf(&b, "[%zu]", index);
	field_append(in, buf_view(&b));
	return mark;
}

size_t inspect_enter_parameter(struct inspect *in, struct str name)
{
	size_t mark = in->field_len;

	field_append(in, STR("?"));
	field_append(in, name);
	return mark;
}

void inspect_leave(struct inspect *in, size_t mark)
{
	in->field_len = mark;
	in->field[mark] = '\0';
}

const struct json_value *inspect_get(const struct json_value *object, const char *name)
{
	const struct json_member *it;

	if (!object || json_value_type(object) != JSON_T_OBJECT)
		return NULL;
	for (it = json_first(object); it; it = json_next(object, it))
		if (str_eqz(json_member_name(it), name))
			return json_value_type(json_member_value(it)) == JSON_T_NULL ? NULL
										     : json_member_value(it);
	return NULL;
}

/* Of the elements of an array; true for anything else, whose type is checked by whoever asks. */
static bool all_are(const struct json_value *v, enum json_type a, enum json_type b)
{
	if (json_value_type(v) != JSON_T_ARRAY)
		return true;
	for (size_t i = 0; i < json_size(v); i++) {
		enum json_type t = json_value_type(json_element(v, i));

		if (t != a && t != b)
			return false;
	}
	return true;
}

static bool members_are(const struct json_value *v, enum json_type a, enum json_type b)
{
	const struct json_member *it;

	for (it = json_first(v); it; it = json_next(v, it)) {
		enum json_type t = json_value_type(json_member_value(it));

		if (t != a && t != b)
			return false;
	}
	return true;
}

static bool string_lists(const struct json_value *v)
{
	for (size_t i = 0; i < json_size(v); i++)
		if (!all_are(json_element(v, i), JSON_T_STRING, JSON_T_STRING))
			return false;
	return all_are(v, JSON_T_ARRAY, JSON_T_NULL);
}

static bool object_lists(const struct json_value *v)
{
	const struct json_member *it;

	for (it = json_first(v); it; it = json_next(v, it))
		if (!all_are(json_member_value(it), JSON_T_OBJECT, JSON_T_NULL))
			return false;
	return members_are(v, JSON_T_ARRAY, JSON_T_NULL);
}

/* Whether Go would decode it; a mismatch would be an error there, or worse, be taken otherwise by an older
 * engine. */
static bool has_type(const struct json_value *v, enum inspect_type type)
{
	enum json_type t = json_value_type(v);

	switch (type) {
	case INSPECT_ANY:
		return true;
	case INSPECT_BOOL:
		return t == JSON_T_BOOL;
	case INSPECT_INTEGER:
		return t == JSON_T_INTEGER;
	case INSPECT_NUMBER:
		return t == JSON_T_INTEGER || t == JSON_T_REAL;
	case INSPECT_INTEGERS:
		return t == JSON_T_ARRAY && all_are(v, JSON_T_INTEGER, JSON_T_INTEGER);
	case INSPECT_STRING:
		return t == JSON_T_STRING;
	case INSPECT_STRINGS:
		return t == JSON_T_ARRAY && all_are(v, JSON_T_STRING, JSON_T_STRING);
	case INSPECT_STRING_OR_STRINGS:
		return t == JSON_T_STRING || (t == JSON_T_ARRAY && all_are(v, JSON_T_STRING, JSON_T_STRING));
	case INSPECT_STRING_LISTS:
		return t == JSON_T_ARRAY && string_lists(v);
	case INSPECT_PAIRS:
		return t == JSON_T_OBJECT && members_are(v, JSON_T_STRING, JSON_T_NULL);
	case INSPECT_OBJECT:
		return t == JSON_T_OBJECT;
	case INSPECT_OBJECTS:
		return t == JSON_T_ARRAY && all_are(v, JSON_T_OBJECT, JSON_T_NULL);
	case INSPECT_NAMED_OBJECTS:
		return t == JSON_T_OBJECT && members_are(v, JSON_T_OBJECT, JSON_T_NULL);
	case INSPECT_NAMED_OBJECT_LISTS:
		return t == JSON_T_OBJECT && object_lists(v);
	}
	return false;
}

static bool is_exactly(struct str name, const char *field)
{
	return name.n && name.p[0] == field[0] && str_eqz(name, field);
}

/* The first row whose name fits: exactly, or else as Go folds it, which costs more and is seldom asked. */
static const struct inspect_row *row_find(const struct inspect_row *row, struct str name,
					  bool (*fits)(struct str name, const char *field))
{
	const struct inspect_row *found;

	for (; row->name || row->fields; row++) {
		if (row->name && fits(name, row->name))
			return row;
		found = row->name ? NULL : row_find(row->fields, name, fits);
		if (found)
			return found;
	}
	return NULL;
}

/*
 * Newer clients send fields that we do not know with their zero values, by the dozen. An empty array is not
 * among the harmless ones: MaskedPaths was once a new field, and [] uncovers all that null keeps covered.
 */
bool inspect_asks_nothing(const struct json_value *v)
{
	switch (json_value_type(v)) {
	case JSON_T_NULL:
		return true;
	case JSON_T_BOOL:
		return !json_value_bool(v);
	case JSON_T_INTEGER:
		return json_value_integer(v) == 0;
	case JSON_T_STRING:
		return json_value_string(v).n == 0;
	case JSON_T_OBJECT:
		return json_size(v) == 0;
	case JSON_T_REAL:
	case JSON_T_ARRAY:
		break;
	}
	return false;
}

static void walk_member(struct inspect *in, const struct inspect_row *rows, struct str name,
			const struct json_value *v)
{
	size_t mark = inspect_enter(in, name);
	const struct inspect_row *row = row_find(rows, name, is_exactly);
	const struct inspect_row *folded = row ? NULL : row_find(rows, name, json_fold_equal);

	if (row)
		inspect_value(in, row, v);
	else if (folded)
		inspect_malformed(in, str_from(folded->name),
				  "is another spelling of this field, which Docker would merge");
	else if (!in->stored &&
		 policy_choice(in->policy, POLICY_KEY_CONTAINERS_UNKNOWN_FIELDS) == UNKNOWN_REFUSE &&
		 !inspect_asks_nothing(v))
		inspect_refuse_value(in, POLICY_KEY_CONTAINERS_UNKNOWN_FIELDS, v,
				     "is a field that sockgate does not know");
	inspect_leave(in, mark);
}

static void walk_object(struct inspect *in, const struct inspect_row *row, const struct json_value *object)
{
	const struct json_member *it;

	if (json_value_type(object) !=
	    JSON_T_OBJECT) /* a null among objects: Go's zero value, judged as {} by check */
		object = NULL;
	if (object && row->fields)
		for (it = json_first(object); it && !in->stopped; it = json_next(object, it))
			walk_member(in, row->fields, json_member_name(it), json_member_value(it));
	if (row->check && !in->stopped)
		row->check(in, row, object);
}

static void walk_objects(struct inspect *in, const struct inspect_row *row, const struct json_value *array)
{
	for (size_t i = 0; i < json_size(array) && !in->stopped; i++) {
		size_t mark = inspect_enter_index(in, i);

		walk_object(in, row, json_element(array, i));
		inspect_leave(in, mark);
	}
}

static void walk_named(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	const struct json_member *it;

	for (it = json_first(v); it && !in->stopped; it = json_next(v, it)) {
		size_t mark = inspect_enter(in, json_member_name(it));

		if (row->type == INSPECT_NAMED_OBJECTS)
			walk_object(in, row, json_member_value(it));
		else
			walk_objects(in, row, json_member_value(it));
		inspect_leave(in, mark);
	}
}

void inspect_value(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	if (json_value_type(v) == JSON_T_NULL)
		return;
	if (!has_type(v, row->type)) {
		inspect_refuse_value(in, POLICY_KEYS, v, "has another JSON type than Docker's");
		return;
	}
	switch (row->type) {
	case INSPECT_OBJECT:
		walk_object(in, row, v);
		break;
	case INSPECT_OBJECTS:
		walk_objects(in, row, v);
		break;
	case INSPECT_NAMED_OBJECTS:
	case INSPECT_NAMED_OBJECT_LISTS:
		walk_named(in, row, v);
		break;
	default:
		if (row->check)
			row->check(in, row, v);
	}
}

void inspect_each_string(struct inspect *in, enum policy_key key, const struct json_value *v,
			 inspect_string each)
{
	if (json_value_type(v) == JSON_T_STRING) {
		each(in, key, json_value_string(v));
		return;
	}
	for (size_t i = 0; i < json_size(v) && !in->stopped; i++) {
		size_t mark = inspect_enter_index(in, i);

		inspect_each_string(in, key, json_element(v, i), each);
		inspect_leave(in, mark);
	}
}
