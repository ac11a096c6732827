/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_inspect_checks.h"

#include "policy/policy_inspect_match.h"
#include "policy/policy_inspect_path.h"

bool inspect_string_settled(struct inspect *in, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f)
			continue;
		inspect_malformed(in, s, "has control characters");
		return true;
	}
	return s.n == 0;
}

void inspect_check_flag(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	bool asks = false;

	switch (json_value_type(v)) {
	case JSON_T_BOOL:
		asks = json_value_bool(v);
		break;
	case JSON_T_INTEGER:
		asks = json_value_integer(v) != 0;
		break;
	case JSON_T_STRING:
		asks = json_value_string(v).n != 0;
		break;
	case JSON_T_ARRAY:
	case JSON_T_OBJECT:
		asks = json_size(v) != 0;
		break;
	case JSON_T_REAL:
		asks = true;
		break;
	case JSON_T_NULL:
		break;
	}
	if (asks && !policy_bool(in->policy, row->key))
		inspect_refuse_value(in, row->key, v, "is not allowed");
}

void inspect_string_listed(struct inspect *in, enum policy_key key, struct str s)
{
	if (!inspect_string_settled(in, s) && !inspect_listed(in->image, in->policy, key, s))
		inspect_refuse(in, key, s, "is not among the values that are listed");
}

void inspect_check_listed(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_each_string(in, row->key, v, inspect_string_listed);
}

void inspect_string_pair(struct inspect *in, enum policy_key key, struct str s)
{
	struct str name, value;

	if (inspect_string_settled(in, s))
		return;
	inspect_split(s, '=', &name, &value);
	if (!inspect_pair_listed(in->image, in->policy, key, name, value))
		inspect_refuse(in, key, s, "is not among the pairs that are listed");
}

/* The names of a map of strings against the list of the row's key: there when `wanted`, else refused. */
static void check_pairs(struct inspect *in, enum policy_key key, const struct json_value *v, bool wanted)
{
	const struct json_member *it;

	for (it = json_first(v); it && !in->stopped; it = json_next(v, it)) {
		struct str name = json_member_name(it), value = json_value_string(json_member_value(it));
		size_t mark = inspect_enter(in, name);

		if (inspect_pair_listed(in->image, in->policy, key, name, value) != wanted)
			inspect_refuse(in, key, value,
				       wanted ? "is not among the pairs that are listed"
					      : "is a pair that is refused");
		inspect_leave(in, mark);
	}
}

void inspect_check_pairs(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	check_pairs(in, row->key, v, true);
}

void inspect_check_refused_pairs(struct inspect *in, const struct inspect_row *row,
				 const struct json_value *v)
{
	check_pairs(in, row->key, v, false);
}

/* The values for which sockgate has no notion of a safe one: an array or map that must have nothing in it. */
void inspect_check_empty(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	if (v && json_size(v) && !inspect_unlimited(in->image, in->policy, row->key))
		inspect_refuse_value(in, row->key, v, "is not allowed");
}

void inspect_check_size(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	uint64_t max = policy_number(in->policy, row->key);
	int64_t n = json_value_integer(v);

	if (max && (n < 0 || (uint64_t)n > max))
		inspect_refuse_value(in, row->key, v, "is more than the limit");
}

/* As inspect_check_size(), where the engine takes 0 and -1 for "no limit" when a container is updated. */
void inspect_check_limit(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	if (policy_number(in->policy, row->key) && json_value_integer(v) == 0 &&
	    in->target->operation->id == API_OP_CONTAINERS_UPDATE)
		inspect_refuse_value(in, row->key, v, "would take the limit away");
	else
		inspect_check_size(in, row, v);
}

void inspect_check_negative(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	if (json_value_integer(v) < 0 && !policy_bool(in->policy, row->key))
		inspect_refuse_value(in, row->key, v, "is below 0");
}

bool inspect_capability(struct str s, char *memory, size_t cap, struct str *ret)
{
	if (s.n > cap)
		return false;
	for (size_t i = 0; i < s.n; i++)
		memory[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i];
	*ret = (struct str){ memory, s.n };
	if (str_starts(*ret, STR("CAP_")))
		*ret = (struct str){ memory + 4, s.n - 4 };
	return true;
}

/* Longer than any capability's name. */
#define CAPABILITY_MAX 64

static bool capability_listed(struct inspect *in, enum policy_key key, struct str name)
{
	struct inspect_list list = inspect_list_of(in->image, in->policy, key);
	char memory[CAPABILITY_MAX];
	struct str entry;

	while (inspect_list_next(&list, &entry))
		if (str_eqz(entry, "*") ||
		    (inspect_capability(entry, memory, sizeof(memory), &entry) && str_eq(entry, name)))
			return true;
	return false;
}

static void capability_check(struct inspect *in, enum policy_key key, struct str s)
{
	char memory[CAPABILITY_MAX];
	struct str name;

	if (inspect_string_settled(in, s))
		return;
	if (!inspect_capability(s, memory, sizeof(memory), &name) || !capability_listed(in, key, name))
		inspect_refuse(in, key, s, "is not among the capabilities that are listed");
}

void inspect_check_capabilities(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_each_string(in, row->key, v, capability_check);
}

static bool drops(const struct json_value *v, struct str wanted)
{
	bool one = json_value_type(v) == JSON_T_STRING;
	char memory[CAPABILITY_MAX];
	struct str name;

	for (size_t i = 0; i < (one ? 1 : json_size(v)); i++)
		if (inspect_capability(json_value_string(one ? v : json_element(v, i)), memory,
				       sizeof(memory), &name) &&
		    (str_eqz(name, "ALL") || str_eq(name, wanted)))
			return true;
	return false;
}

void inspect_require_drop(struct inspect *in, const struct json_value *v)
{
	struct inspect_list list =
		inspect_list_of(in->image, in->policy, POLICY_KEY_CONTAINERS_REQUIRE_CAP_DROP);
	char memory[CAPABILITY_MAX];
	struct str entry, wanted;

	while (inspect_list_next(&list, &entry))
		if (!inspect_capability(entry, memory, sizeof(memory), &wanted) || !v || !drops(v, wanted))
			inspect_refuse(in, POLICY_KEY_CONTAINERS_REQUIRE_CAP_DROP, entry,
				       "must be dropped, and is not");
}

/* The user's part of "user:group" as runc reads it: a number in any spelling, else a name. */
static bool is_root(struct str user)
{
	struct str name, group;
	size_t i = 0;

	inspect_split(user, ':', &name, &group);
	if (name.n == 0 || str_eqz(name, "root"))
		return true;
	if (name.p[0] == '+' || name.p[0] == '-')
		i = 1;
	for (; i < name.n; i++)
		if (name.p[i] != '0')
			return false;
	return true;
}

void inspect_require_user(struct inspect *in, const struct json_value *user)
{
	struct str name = user ? json_value_string(user) : STR("");

	if (policy_bool(in->policy, POLICY_KEY_CONTAINERS_REQUIRE_NON_ROOT) && is_root(name))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_REQUIRE_NON_ROOT, name,
			       "must name a user other than root");
}

/* moby splits at the first "=", or at the first ":" where there is none; "disable" is short for
 * label=disable. */
void inspect_string_security(struct inspect *in, enum policy_key key, struct str s)
{
	struct inspect_list list = inspect_list_of(in->image, in->policy, key);
	struct str name, value, entry, entry_name, entry_value;
	bool pair;

	if (inspect_string_settled(in, s))
		return;
	pair = inspect_split(s, '=', &name, &value) || inspect_split(s, ':', &name, &value);
	while (inspect_list_next(&list, &entry)) {
		if (str_eqz(entry, "*"))
			return;
		/* A bare entry is not for every value: no-new-privileges is not no-new-privileges=false. */
		if (inspect_split(entry, '=', &entry_name, &entry_value) == pair &&
		    str_eq(entry_name, name) && inspect_matches(entry_value, value))
			return;
	}
	inspect_refuse(in, key, s, "is not among the options that are listed");
}

void inspect_check_security(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_each_string(in, row->key, v, inspect_string_security);
}

/* "name:host-gateway" of a container, "host-gateway name" of a service. */
static void gateway_check(struct inspect *in, enum policy_key key, struct str s)
{
	if (!inspect_string_settled(in, s) && memmem(s.p, s.n, "host-gateway", strlen("host-gateway")) &&
	    !policy_bool(in->policy, key))
		inspect_refuse(in, key, s, "stands for the host");
}

void inspect_check_gateway(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_each_string(in, row->key, v, gateway_check);
}

void inspect_check_directory(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	if (json_value_string(v).n)
		inspect_directory(in, row->key, json_value_string(v));
}
