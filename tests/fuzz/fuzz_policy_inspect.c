/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first line names an operation, the rest is its body. Nothing crashes; and a create that the defaults
 * let through has, however its names are spelt, nothing in it that gives the host away: looked for the way Go
 * would find it.
 */
#include "../unit/policy/inspect_fixture.h"
#include "policy/policy_inspect_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fixture fixture;

__attribute__((constructor)) static void start(void)
{
	json_body_init();
	fixture_init(&fixture);
}

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* strings.EqualFold for ASCII fields, written anew: replace the two odd letters, then compare without case.
 */
static bool folds(struct str name, const char *field)
{
	char text[64];
	size_t n = 0;

	for (size_t i = 0; i < name.n && n < sizeof(text); i++) {
		if (i + 1 < name.n && memcmp(name.p + i, "\xc5\xbf", 2) == 0)
			text[n++] = 's', i += 1;
		else if (i + 2 < name.n && memcmp(name.p + i, "\xe2\x84\xaa", 3) == 0)
			text[n++] = 'k', i += 2;
		else
			text[n++] = name.p[i];
	}
	return n == strlen(field) && strncasecmp(text, field, n) == 0;
}

static bool is_host(const struct json_value *v)
{
	return json_value_type(v) == JSON_T_STRING && str_eqz(json_value_string(v), "host");
}

static bool binds(const struct json_value *v)
{
	for (size_t i = 0; json_value_type(v) == JSON_T_ARRAY && i < json_size(v); i++) {
		struct str s = json_value_string(json_element(v, i));

		if (s.n && s.p[0] == '/' && memchr(s.p, ':', s.n))
			return true;
	}
	return false;
}

static bool mounts_bind(const struct json_value *v)
{
	for (size_t i = 0; json_value_type(v) == JSON_T_ARRAY && i < json_size(v); i++) {
		const struct json_value *mount = json_element(v, i);
		const struct json_member *it;

		for (it = json_first(mount); it; it = json_next(mount, it))
			if (folds(json_member_name(it), "Type") &&
			    str_eqz(json_value_string(json_member_value(it)), "bind"))
				return true;
	}
	return false;
}

static void must_be_harmless(const struct json_value *object, bool outer)
{
	static const char *const modes[] = { "PidMode", "IpcMode",    "NetworkMode",
					     "UTSMode", "UsernsMode", "CgroupnsMode" };
	const struct json_member *it;

	if (json_value_type(object) != JSON_T_OBJECT)
		return;
	for (it = json_first(object); it; it = json_next(object, it)) {
		struct str name = json_member_name(it);
		const struct json_value *v = json_member_value(it);

		must(!folds(name, "Privileged") || !json_value_bool(v));
		must(!folds(name, "Binds") || !binds(v));
		must(!folds(name, "Mounts") || !mounts_bind(v));
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			must(!folds(name, modes[i]) || !is_host(v));
		if (outer && folds(name, "HostConfig"))
			must_be_harmless(v, false);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size }, name, text;
	struct api_target target = { 0 };
	struct json_body *body;
	const char *why;
	unsigned findings;

	if (!inspect_split(in, '\n', &name, &text))
		return 0;
	target.operation = api_operation_by_name(name);
	if (!target.operation || json_body_load(text.p, text.n, &body, &why))
		return 0;
	findings =
		policy_inspect(fixture_image(&fixture), fixture_policy(&fixture), &target, body, NULL, NULL);
	if (findings == 0 && target.operation->id == API_OP_CONTAINERS_CREATE)
		must_be_harmless(json_body_root(body), true);
	json_body_free(body);
	return 0;
}
