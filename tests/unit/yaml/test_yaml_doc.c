/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "yaml/yaml_doc.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Loads text; *ret_errors (free it) gets what was written about it. */
static struct yaml_doc *load(const char *text, size_t n, char **ret_errors)
{
	struct yaml_doc *doc = NULL;
	size_t size;
	FILE *errors = open_memstream(ret_errors, &size);
	int r = yaml_doc_load_memory("f.yaml", text, n, errors, &doc);

	CU_ASSERT_EQUAL(fclose(errors), 0);
	CU_ASSERT_EQUAL(r, doc ? 0 : -EINVAL);
	return doc;
}

static void tree_has_the_order_text_and_place_of_the_file(void)
{
	static const char text[] = "version: 1\nallow:\n  - containers.*\n  - \"GET /x\"\nb: {mode: 'no'}\n";
	const struct yaml_node *root, *allow;
	char *errors;
	struct yaml_doc *doc = load(text, strlen(text), &errors);

	CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
	root = yaml_doc_root(doc);
	CU_ASSERT_EQUAL(yaml_node_kind(root), YAML_MAPPING);
	CU_ASSERT_EQUAL(yaml_node_count(root), 3);
	CU_ASSERT_TRUE(str_eqz(yaml_node_text(yaml_node_key(root, 1)), "allow"));
	allow = yaml_node_find(root, "allow");
	CU_ASSERT_EQUAL(yaml_node_kind(allow), YAML_SEQUENCE);
	CU_ASSERT_EQUAL(yaml_node_count(allow), 2);
	CU_ASSERT_TRUE(str_eqz(yaml_node_text(yaml_node_item(allow, 1)), "GET /x"));
	CU_ASSERT_EQUAL(yaml_node_line(yaml_node_item(allow, 1)), 4);
	CU_ASSERT_EQUAL(yaml_node_column(yaml_node_item(allow, 1)), 5);
	CU_ASSERT_FALSE(yaml_node_is_plain(yaml_node_item(allow, 1)));
	CU_ASSERT_TRUE(yaml_node_is_plain(yaml_node_item(allow, 0)));
	CU_ASSERT_PTR_NULL(yaml_node_find(root, "deny"));
	CU_ASSERT_PTR_NULL(yaml_node_find(allow, "allow"));
	yaml_doc_free(doc);
	free(errors);
}

static void scalars_are_those_of_yaml_1_2(void)
{
	static const char text[] = "[no, off, true, False, 'true', 0, 0660, 18446744073709551615, "
				   "18446744073709551616, -1, ~, null, '', 1_0]";
	static const struct {
		int boolean; /* -1: not one */
		bool is_number;
		uint64_t number;
		bool is_null;
	} want[] = {
		{ -1, false, 0, false }, { -1, false, 0, false },         { 1, false, 0, false },
		{ 0, false, 0, false },  { -1, false, 0, false },         { -1, true, 0, false },
		{ -1, false, 0, false }, { -1, true, UINT64_MAX, false }, { -1, false, 0, false },
		{ -1, false, 0, false }, { -1, false, 0, true },          { -1, false, 0, true },
		{ -1, false, 0, false }, { -1, false, 0, false },
	};
	char *errors;
	struct yaml_doc *doc = load(text, strlen(text), &errors);

	CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
	CU_ASSERT_EQUAL_FATAL(yaml_node_count(yaml_doc_root(doc)), sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct yaml_node *node = yaml_node_item(yaml_doc_root(doc), i);
		uint64_t number = 0;
		bool boolean = false;

		CU_ASSERT_EQUAL(yaml_node_bool(node, &boolean) ? boolean : -1, want[i].boolean);
		CU_ASSERT_EQUAL(yaml_node_number(node, &number), want[i].is_number);
		CU_ASSERT_EQUAL(number, want[i].number);
		CU_ASSERT_EQUAL(yaml_node_is_null(node), want[i].is_null);
	}
	yaml_doc_free(doc);
	free(errors);
}

static void what_surprises_is_refused_with_its_place(void)
{
	static const struct {
		struct str text;
		const char *error;
	} cases[] = {
		{ STR("a: 1\nb: 2\na: 3"),
		  "f.yaml:3:1: the key a is repeated; it stands in line 1 already\n" },
		{ STR("\"a\": 1\na: 2"), "f.yaml:2:1: the key a is repeated; it stands in line 1 already\n" },
		{ STR("a: {b: c, b: d}"),
		  "f.yaml:1:11: the key b is repeated; it stands in line 1 already\n" },
		{ STR("a: &x 1"), "f.yaml:1:7: anchors (&name) are not accepted\n" },
		{ STR("a: *x"), "f.yaml:1:5: aliases (*name) are not accepted\n" },
		{ STR("a: !!str 1"), "f.yaml:1:10: tags (!name) are not accepted\n" },
		{ STR("<<: {a: b}"), "f.yaml:1:1: merge keys (<<) are not accepted\n" },
		{ STR("%YAML 1.1\n---\na: 1"), "f.yaml:1:1: directives (%) are not accepted\n" },
		{ STR("---\na: 1\n---\nb: 2"), "f.yaml:3:1: a second document (---) in one file\n" },
		{ STR(""), "f.yaml:1:1: the file is empty\n" },
		{ STR("# nothing\n"), "f.yaml:1:1: the file is empty\n" },
		{ STR("{[a]: b}"), "f.yaml:1:2: a key must be a word\n" },
		{ STR(": b"), "f.yaml:1:1: a key must be a word\n" },
		{ STR("a: \"\\0\""), "f.yaml:1:4: a NUL in a string\n" },
		{ STR("a: b\nc: \xff"), "f.yaml:2:4: not UTF-8\n" },
		{ STR("c: \xc0\xaf"), "f.yaml:1:4: not UTF-8\n" },
		{ STR("c: \xed\xa0\x80"), "f.yaml:1:4: not UTF-8\n" },
		{ STR("c: \xe2\x82"), "f.yaml:1:4: not UTF-8\n" },
		{ STR("\xc3\xa9: \x01"), "f.yaml:1:4: a control character\n" },
		{ STR("a: b\rc: d"), "f.yaml:1:5: a control character\n" },
		{ STR("a: \xe2\x80\xae"), "f.yaml:1:4: an invisible or direction-changing character\n" },
		{ STR("a: \xe2\x80\xa8"), "f.yaml:1:4: a Unicode line or paragraph separator\n" },
		{ STR("[[[[[[[[[[[[[[[[[1"), "f.yaml:1:17: nested more than 16 deep\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *errors;
		struct yaml_doc *doc = load(cases[i].text.p, cases[i].text.n, &errors);

		CU_ASSERT_PTR_NULL(doc);
		CU_ASSERT_STRING_EQUAL(errors, cases[i].error);
		if (strcmp(errors, cases[i].error) != 0)
			printf("\n    case %zu: %s", i, errors);
		yaml_doc_free(doc);
		free(errors);
	}
}

/* The words are libfyaml's and change with it; the place and the shape of the line are ours. */
static void what_libfyaml_refuses_has_its_place_too(void)
{
	static const struct {
		struct str text;
		const char *place;
	} cases[] = {
		{ STR("a:\n\tb: 1"), "f.yaml:2:1: " },
		{ STR("a: b: c"), "f.yaml:1:5: " },
		{ STR("a: [1"), "f.yaml:2:1: " },
		/* A second document without its "---": 0.7 sees it begin a line before 0.9 does. */
		{ STR("a: 1\n...\nb: 2"), "f.yaml:" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = strlen(cases[i].place);
		char *errors;
		struct yaml_doc *doc = load(cases[i].text.p, cases[i].text.n, &errors);

		CU_ASSERT_PTR_NULL(doc);
		CU_ASSERT_EQUAL(strncmp(errors, cases[i].place, n), 0);
		CU_ASSERT_TRUE(strlen(errors) > n + 1 && strchr(errors, '\n') == errors + strlen(errors) - 1);
		if (strncmp(errors, cases[i].place, n) != 0)
			printf("\n    case %zu: %s", i, errors);
		yaml_doc_free(doc);
		free(errors);
	}
}

static void carriage_returns_before_newlines_are_fine(void)
{
	static const char text[] = "a: b\r\nc: caf\xc3\xa9\r\n";
	char *errors;
	struct yaml_doc *doc = load(text, strlen(text), &errors);

	CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
	CU_ASSERT_TRUE(str_eqz(yaml_node_text(yaml_node_find(yaml_doc_root(doc), "a")), "b"));
	CU_ASSERT_TRUE(str_eqz(yaml_node_text(yaml_node_find(yaml_doc_root(doc), "c")), "caf\xc3\xa9"));
	yaml_doc_free(doc);
	free(errors);
}

static void size_has_a_limit(void)
{
	size_t n = YAML_SIZE_MAX + 1;
	char *text = malloc(n), *errors;
	struct yaml_doc *doc;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, ' ', n);
	memcpy(text, "a: b", 4);
	text[n - 1] = '\n';
	doc = load(text, n, &errors);
	CU_ASSERT_PTR_NULL(doc);
	CU_ASSERT_STRING_EQUAL(errors, "f.yaml:1:1: larger than 1048576 bytes\n");
	free(errors);
	doc = load(text, n - 1, &errors);
	CU_ASSERT_PTR_NOT_NULL(doc);
	yaml_doc_free(doc);
	free(errors);
	free(text);
}

static void number_of_values_has_a_limit(void)
{
	size_t n = 3 + 2 * YAML_NODES_MAX;
	char *text = calloc(1, n), *errors;
	struct yaml_doc *doc;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	text[0] = '[';
	for (size_t i = 1; i + 2 < n; i += 2)
		memcpy(text + i, "x,", 2);
	text[n - 2] = ']';
	doc = load(text, n - 1, &errors);
	CU_ASSERT_PTR_NULL(doc);
	CU_ASSERT_PTR_NOT_NULL(strstr(errors, ": more than 65536 values\n"));
	yaml_doc_free(doc);
	free(errors);
	free(text);
}

static void a_file_that_cannot_be_read_says_so(void)
{
	struct yaml_doc *doc = NULL;
	char *text = NULL;
	size_t size;
	FILE *errors = open_memstream(&text, &size);

	CU_ASSERT_EQUAL(yaml_doc_load_file("/nonexistent/x.yaml", errors, &doc), -ENOENT);
	CU_ASSERT_EQUAL(yaml_doc_load_file("/", errors, &doc), -EISDIR);
	CU_ASSERT_EQUAL(fclose(errors), 0);
	CU_ASSERT_STRING_EQUAL(text, "/nonexistent/x.yaml:1:1: cannot be read: No such file or directory\n"
				     "/:1:1: cannot be read: not a file\n");
	CU_ASSERT_PTR_NULL(doc);
	free(text);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the tree has the order, text and place of the file",
		  tree_has_the_order_text_and_place_of_the_file },
		{ "scalars are those of YAML 1.2", scalars_are_those_of_yaml_1_2 },
		{ "what surprises is refused with its place", what_surprises_is_refused_with_its_place },
		{ "what libfyaml refuses has its place too", what_libfyaml_refuses_has_its_place_too },
		{ "carriage returns before newlines are fine", carriage_returns_before_newlines_are_fine },
		{ "the size has a limit", size_has_a_limit },
		{ "the number of values has a limit", number_of_values_has_a_limit },
		{ "a file that cannot be read says so", a_file_that_cannot_be_read_says_so },
		CU_TEST_INFO_NULL,
	};

	return check_main("yaml/yaml_doc", tests);
}
