/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_inspect_walk.h - the walk over a body that the tables of policy_inspect_*.c drive.
 *
 * A row names one field as Docker spells it. A name that Go's decoder would take for a known field and that
 * is spelt otherwise is refused: two spellings of one field merge in the engine, and no real client needs
 * them. Maps whose keys are the client's own (labels, options) are exempt, since there Go compares exactly.
 */
#ifndef SOCKGATE_POLICY_INSPECT_WALK_H
#define SOCKGATE_POLICY_INSPECT_WALK_H

#include "policy/policy_inspect.h"

#define INSPECT_FIELD_MAX 256  /* bytes of a field's path in a finding; longer ones are cut */
#define INSPECT_PATH_MAX  4096 /* bytes of a host path: PATH_MAX */

/* One inspection: who asks, and where it stands. */
struct inspect {
	const struct policy_image *image;
	const struct image_policy *policy;
	const struct api_target *target;
	policy_found found;
	policy_referenced referenced; /* NULL: nobody asks for references */
	void *context;
	unsigned findings;
	bool stored;  /* what is walked comes from the engine: fields we do not know are its own */
	bool stopped; /* `found` has heard enough */
	size_t field_len;
	char field[INSPECT_FIELD_MAX + 1]; /* where the walk is, ends in NUL */
};

enum inspect_type {
	INSPECT_ANY, /* not looked into: nothing in it is a limit's business */
	INSPECT_BOOL,
	INSPECT_INTEGER,
	INSPECT_NUMBER, /* an integer or a real */
	INSPECT_INTEGERS,
	INSPECT_STRING,
	INSPECT_STRINGS,
	INSPECT_STRING_OR_STRINGS,  /* moby's strslice: engines up to 28 take one string as well */
	INSPECT_STRING_LISTS,       /* arrays of arrays of strings */
	INSPECT_PAIRS,              /* an object with free names and strings in it */
	INSPECT_OBJECT,             /* walked by the row's fields */
	INSPECT_OBJECTS,            /* an array of those */
	INSPECT_NAMED_OBJECTS,      /* an object with free names and those in it */
	INSPECT_NAMED_OBJECT_LISTS, /* an object with free names and arrays of those in it */
};

struct inspect_row;
/* Judges a value of the row's type that is not null; for the three kinds of objects, each object. */
typedef void (*inspect_check)(struct inspect *in, const struct inspect_row *row, const struct json_value *v);

struct inspect_row {
	const char *name; /* NULL: the rows at `fields` stand here, or the end if there are none */
	enum inspect_type type;
	const struct inspect_row *fields; /* of the objects; NULL: not looked into */
	inspect_check check;              /* NULL: every value of the type is fine */
	enum policy_key key;              /* the limit, where `check` takes it from here */
};

/* For rows without a limit. */
#define INSPECT_FREE(name, type) \
	{ \
		name, type, NULL, NULL, POLICY_KEYS \
	}
#define INSPECT_FIELDS(name, type, rows) \
	{ \
		name, type, rows, NULL, POLICY_KEYS \
	}
#define INSPECT_CHECK(name, type, check, id) \
	{ \
		name, type, NULL, check, POLICY_KEY_##id \
	}
#define INSPECT_END \
	{ \
		NULL, INSPECT_ANY, NULL, NULL, POLICY_KEYS \
	}
#define INSPECT_ALSO(rows) \
	{ \
		NULL, INSPECT_ANY, rows, NULL, POLICY_KEYS \
	}

/* Judges one value by its row. */
void inspect_value(struct inspect *in, const struct inspect_row *row, const struct json_value *v);

/* The member called `name` exactly, or NULL; a null counts as absent, as it does in Go. */
const struct json_value *inspect_get(const struct json_value *object, const char *name);

/* Whether a value asks for nothing, whatever its field is: null, false, 0, "" and {}. */
bool inspect_asks_nothing(const struct json_value *v);

/* Judges names and query: policy_inspect_query.c. */
void inspect_query(struct inspect *in);

/* Appends to the field's path: ".Name", "[3]", "?name"; returns what inspect_leave() needs. */
size_t inspect_enter(struct inspect *in, struct str name);
size_t inspect_enter_index(struct inspect *in, size_t index);
size_t inspect_enter_parameter(struct inspect *in, struct str name);
void inspect_leave(struct inspect *in, size_t mark);

/* Reports at the present field. */
void inspect_refuse(struct inspect *in, enum policy_key key, struct str value, const char *problem);
void inspect_malformed(struct inspect *in, struct str value, const char *problem);
/* With a value that is no string. */
void inspect_refuse_value(struct inspect *in, enum policy_key key, const struct json_value *v,
			  const char *problem);

void inspect_reference(struct inspect *in, enum policy_reference_kind kind, struct str name, bool read_only);

/* Calls `each` for a string, or for every string of an array or of the arrays in one. */
typedef void (*inspect_string)(struct inspect *in, enum policy_key key, struct str s);
void inspect_each_string(struct inspect *in, enum policy_key key, const struct json_value *v,
			 inspect_string each);

#endif
