/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "../../vectors/json_documents.h"
#include "check.h"
#include "json/json_body.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Loads and writes; "" where it is refused. */
static struct str rewritten(const char *in, size_t n, char *memory, size_t cap)
{
	struct buf out = buf_over(memory, cap);
	struct json_body *body;
	const char *why;

	if (json_body_load(in, n, &body, &why))
		return STR("");
	json_body_write(body, &out);
	CU_ASSERT_FALSE(out.overflow);
	json_body_free(body);
	return buf_view(&out);
}

static void documents_that_readers_disagree_about_are_refused(void)
{
	unsigned good = 0;

	for (size_t i = 0; i < COUNT(json_documents); i++) {
		const struct json_document *d = &json_documents[i];
		struct json_body *body = NULL;
		const char *why = NULL;
		int r = json_body_load(d->bytes, d->n, &body, &why);

		CU_ASSERT_EQUAL(r == 0, d->load);
		if ((r == 0) != d->load)
			fprintf(stderr, "%s: %d\n", d->name, r);
		if (r) {
			CU_ASSERT_EQUAL(r, -EBADMSG);
			CU_ASSERT_PTR_NOT_NULL(why);
			CU_ASSERT_PTR_NULL(body); /* outputs are untouched on failure */
		}
		good += r == 0;
		json_body_free(body);
	}
	CU_ASSERT_EQUAL(good, 3);
	CU_ASSERT_EQUAL(COUNT(json_documents), 33);
}

static void what_was_understood_is_written(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ " { \"a\" : [ 1 , true , null ] }\n", "{\"a\":[1,true,null]}" },
		{ "{\"\\u0050rivileged\":false}", "{\"Privileged\":false}" },
		{ "{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}" },
		{ "{\"a\":0.1}", "{\"a\":0.10000000000000001}" },
		{ "{\"a\":1e3}", "{\"a\":1000.0}" },
		{ "{\"a\":9223372036854775807}", "{\"a\":9223372036854775807}" },
		{ "{\"a\":9223372036854775808}", "" },
		{ "{\"a\":-9223372036854775809}", "" },
		{ "{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\xf0\x9f\x98\x80\"}" },
		{ "{\"a\":\"\\n\\\\\"}", "{\"a\":\"\\n\\\\\"}" },
		{ "[]", "[]" },
		{ "\"a\"", "" },
		{ "1", "" },
		{ "null", "" },
		{ "{\"a\":1}}xyz", "" },
		{ "{\"a\":1}\v", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char memory[128];
		struct str out = rewritten(cases[i].in, strlen(cases[i].in), memory, sizeof(memory));

		CU_ASSERT_TRUE(str_eqz(out, cases[i].out));
		if (!str_eqz(out, cases[i].out))
			fprintf(stderr, "%s: %.*s\n", cases[i].in, STR_ARG(out));
	}
}

static void writing_into_too_little_memory_overflows(void)
{
	char memory[8];
	struct buf out = buf_over(memory, sizeof(memory));
	struct json_body *body;
	const char *why;

	CU_ASSERT_EQUAL_FATAL(json_body_load("{\"a\":\"bcdef\"}", 13, &body, &why), 0);
	json_body_write(body, &out);
	CU_ASSERT_TRUE(out.overflow);
	json_body_free(body);
}

static int load_nested(unsigned depth)
{
	struct json_body *body = NULL;
	char *in = malloc(2 * (size_t)depth);
	const char *why;
	int r;

	memset(in, '[', depth);
	memset(in + depth, ']', depth);
	r = json_body_load(in, 2 * (size_t)depth, &body, &why);
	json_body_free(body);
	free(in);
	return r;
}

static void depth_is_bounded(void)
{
	CU_ASSERT_EQUAL(load_nested(JSON_DEPTH_MAX), 0);
	CU_ASSERT_EQUAL(load_nested(JSON_DEPTH_MAX + 1), -EBADMSG);
	CU_ASSERT_EQUAL(load_nested(20000), -EBADMSG);
}

static void memory_is_bounded_and_given_back(void)
{
	size_t n = 3 * JSON_BODY_DEFAULT + 1;
	struct json_body *body = NULL;
	char *in = malloc(n);
	const char *why;

	for (size_t i = 0; i < n; i++)
		in[i] = "{},"[i % 3];
	in[0] = '[';
	in[1] = '0';
	in[2] = ',';
	in[n - 2] = ']';
	in[n - 1] = ' ';
	for (unsigned round = 0; round < 4; round++)
		CU_ASSERT_EQUAL(json_body_load(in, n, &body, &why), -ENOMEM);
	CU_ASSERT_PTR_NULL(body);

	/* A long string is no hostile body. */
	memset(in, 'A', n);
	memcpy(in, "[\"", 2);
	memcpy(in + n - 2, "\"]", 2);
	for (unsigned round = 0; round < 4; round++) {
		CU_ASSERT_EQUAL_FATAL(json_body_load(in, n, &body, &why), 0);
		body = json_body_free(body);
	}
	free(in);
	CU_ASSERT_EQUAL(json_body_load(" ", JSON_BODY_MAX + (size_t)1, &body, &why), -EMSGSIZE);
}

static void values_are_what_they_are(void)
{
	static const char in[] =
		"{\"o\":{},\"a\":[1,2],\"s\":\"x\",\"i\":-7,\"r\":1.5,\"t\":true,\"n\":null}";
	static const enum json_type types[] = { JSON_T_OBJECT, JSON_T_ARRAY, JSON_T_STRING, JSON_T_INTEGER,
						JSON_T_REAL,   JSON_T_BOOL,  JSON_T_NULL };
	const struct json_value *root, *v[COUNT(types)];
	const struct json_member *it;
	struct json_body *body;
	const char *why;
	size_t n = 0;

	CU_ASSERT_EQUAL_FATAL(json_body_load(in, sizeof(in) - 1, &body, &why), 0);
	root = json_body_root(body);
	for (it = json_first(root); it; it = json_next(root, it), n++) {
		CU_ASSERT_FATAL(n < COUNT(types));
		v[n] = json_member_value(it);
		CU_ASSERT_EQUAL(json_value_type(v[n]), types[n]);
		CU_ASSERT_EQUAL(json_member_name(it).p[0], "oasirtn"[n]);
	}
	CU_ASSERT_EQUAL_FATAL(n, COUNT(types));
	CU_ASSERT_EQUAL(json_size(root), COUNT(types));
	CU_ASSERT_EQUAL(json_size(v[1]), 2);
	CU_ASSERT_EQUAL(json_value_integer(json_element(v[1], 1)), 2);
	CU_ASSERT_PTR_NULL(json_element(v[1], 2));
	CU_ASSERT_TRUE(str_eqz(json_value_string(v[2]), "x"));
	CU_ASSERT_EQUAL(json_value_integer(v[3]), -7);
	CU_ASSERT_EQUAL(json_value_real(v[4]), 1.5);
	CU_ASSERT_TRUE(json_value_bool(v[5]));
	CU_ASSERT_FALSE(json_value_bool(v[6]));
	CU_ASSERT_EQUAL(json_value_string(v[3]).n, 0);
	CU_ASSERT_EQUAL(json_value_type(json_element(v[0], 0)), JSON_T_NULL);
	CU_ASSERT_EQUAL(json_value_integer(v[2]), 0);
	json_body_free(body);
}

static struct json_value *edit(const char *in, struct json_body **ret_body)
{
	const char *why;

	CU_ASSERT_EQUAL_FATAL(json_body_load(in, strlen(in), ret_body, &why), 0);
	return json_edit_root(*ret_body);
}

static void what_was_changed_is_written(void)
{
	char memory[256];
	struct buf out = buf_over(memory, sizeof(memory));
	struct json_value *root, *o, *a;
	struct json_body *body;

	root = edit("{\"a\":[\"x\",1,{}],\"n\":null,\"s\":\"old\",\"o\":{\"k\":1}}", &body);
	CU_ASSERT_EQUAL(json_edit_string(root, STR("s"), STR("n\"ew")), 0);
	CU_ASSERT_EQUAL(json_edit_string(root, (struct str){ "emptyX", 5 }, (struct str){ NULL, 0 }), 0);
	CU_ASSERT_EQUAL(json_edit_object(root, "n", &o), 0);
	CU_ASSERT_EQUAL(json_edit_integer(o, STR("max"), INT64_MAX), 0);
	CU_ASSERT_EQUAL(json_edit_object(root, "o", &o), 0);
	CU_ASSERT_EQUAL(json_edit_bool(o, STR("k"), true), 0);
	a = json_edit_member(root, "a");
	CU_ASSERT_EQUAL(json_edit_string_at(a, 0, STR("y")), 0);
	CU_ASSERT_EQUAL(json_edit_object(json_edit_element(a, 2), "m", &o), 0);
	json_body_write(body, &out);
	CU_ASSERT_TRUE(str_eqz(buf_view(&out),
			       "{\"a\":[\"y\",1,{\"m\":{}}],\"n\":{\"max\":9223372036854775807},"
			       "\"s\":\"n\\\"ew\",\"o\":{\"k\":true},\"empty\":\"\"}"));
	json_body_free(body);
}

static void a_change_that_cannot_be_made_changes_nothing(void)
{
	static const char in[] = "{\"a\":[1],\"s\":\"x\"}";
	char memory[64];
	struct buf out = buf_over(memory, sizeof(memory));
	struct json_value *root, *o = NULL;
	struct json_body *body;

	root = edit(in, &body);
	CU_ASSERT_EQUAL(json_edit_object(root, "a", &o), -EINVAL);
	CU_ASSERT_EQUAL(json_edit_object(root, "s", &o), -EINVAL);
	CU_ASSERT_PTR_NULL(o);
	CU_ASSERT_EQUAL(json_edit_string(root, STR("\xff"), STR("x")), -EINVAL);
	CU_ASSERT_EQUAL(json_edit_string(root, STR("s"), STR("\xff")), -EINVAL);
	CU_ASSERT_EQUAL(json_edit_string_at(json_edit_member(root, "a"), 1, STR("x")), -EINVAL);
	CU_ASSERT_EQUAL(json_edit_bool(json_edit_member(root, "a"), STR("x"), true), -EINVAL);
	CU_ASSERT_PTR_NULL(json_edit_member(root, "b"));
	CU_ASSERT_PTR_NULL(json_edit_element(json_edit_member(root, "a"), 1));
	json_body_write(body, &out);
	CU_ASSERT_TRUE(str_eqz(buf_view(&out), in));
	json_body_free(body);
}

static void changes_are_under_the_budget_of_their_document(void)
{
	static char text[JSON_BODY_MAX];
	struct json_value *root;
	struct json_body *body;
	int r = 0;

	memset(text, 'A', sizeof(text));
	for (unsigned round = 0; round < 2; round++) {
		unsigned i;

		root = edit("{}", &body);
		for (i = 0; i < 8 && r == 0; i++) {
			char name = (char)('a' + i);

			r = json_edit_string(root, (struct str){ &name, 1 },
					     (struct str){ text, JSON_BODY_DEFAULT * 4 });
		}
		/* JSON_BUDGET(2) is 4 MiB and a little. */
		CU_ASSERT_EQUAL(r, -ENOMEM);
		CU_ASSERT_EQUAL(i, 4);
		CU_ASSERT_EQUAL(json_size(root), 3);
		body = json_body_free(body);
		r = 0;
	}
}

static void names_fold_as_in_go(void)
{
	static const struct {
		const char *name, *field;
		bool equal;
	} cases[] = {
		{ "HostConfig", "HostConfig", true },
		{ "hostconfig", "HostConfig", true },
		{ "HOSTCONFIG", "HostConfig", true },
		{ "Ho\xc5\xbf"
		  "tConfig",
		  "HostConfig", true },                            /* U+017F */
		{ "Networ\xe2\x84\xaaMode", "NetworkMode", true }, /* U+212A */
		{ "bind\xc5\xbf", "Binds", true },
		{ "Bind\xc5\xbe", "Binds", false }, /* U+017E */
		{ "HostConfi", "HostConfig", false },
		{ "HostConfigs", "HostConfig", false },
		{ "Host Config", "HostConfig", false },
		{ "HostC\xef\xbd\x8fnfig", "HostConfig", false }, /* a full-width o does not fold */
		{ "@", "`", false },
		{ "[", "{", false },
		{ "", "a", false },
		{ "", "", true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CU_ASSERT_EQUAL(json_fold_equal(str_from(cases[i].name), cases[i].field), cases[i].equal);
		if (json_fold_equal(str_from(cases[i].name), cases[i].field) != cases[i].equal)
			fprintf(stderr, "%s\n", cases[i].name);
	}
	/* A truncated sequence at the end of a slice must not be read past. */
	CU_ASSERT_FALSE(json_fold_equal((struct str){ "\xe2\x84\xaa", 2 }, "k"));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "documents that readers disagree about are refused",
		  documents_that_readers_disagree_about_are_refused },
		{ "what was understood is written", what_was_understood_is_written },
		{ "writing into too little memory overflows", writing_into_too_little_memory_overflows },
		{ "depth is bounded", depth_is_bounded },
		{ "memory is bounded and given back", memory_is_bounded_and_given_back },
		{ "values are what they are", values_are_what_they_are },
		{ "what was changed is written", what_was_changed_is_written },
		{ "a change that cannot be made changes nothing",
		  a_change_that_cannot_be_made_changes_nothing },
		{ "changes are under the budget of their document",
		  changes_are_under_the_budget_of_their_document },
		{ "names fold as in Go", names_fold_as_in_go },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("json/json_body", tests);
}
