/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "policy/policy_glob.h"

#include <stdio.h>

static bool match(const char *glob, struct str path)
{
	const char *star = strrchr(glob, '*');

	return policy_glob_match(str_from(glob), strcspn(glob, "*"), star ? strlen(star + 1) : 0, path);
}

static void one_star_stays_in_a_segment_and_two_do_not(void)
{
	static const struct {
		const char *glob, *path;
		bool want;
	} cases[] = {
		{ "/info", "/info", true },
		{ "/info", "/infox", false },
		{ "/info", "/inf", false },
		{ "/containers/*/logs", "/containers/web/logs", true },
		{ "/containers/*/logs", "/containers//logs", true },
		{ "/containers/*/logs", "/containers/a/b/logs", false },
		{ "/containers/*/logs", "/containers/logs", false },
		{ "/containers/**/logs", "/containers/a/b/logs", true },
		{ "/containers/**", "/containers/", true },
		{ "/containers/**", "/containers", false },
		{ "/**", "/", true },
		{ "/**", "/a/b/c", true },
		{ "/*", "/a/b", false },
		{ "/images/*/*/json", "/images/a/b/json", true },
		{ "/images/*/*/json", "/images/a/json", false },
		{ "/images/*/*/json", "/images/a/b/c/json", false },
		{ "/images/**/x*/json", "/images/a/b/xyz/json", true },
		{ "/images/**/x*/json", "/images/a/xb/y/json", false },
		{ "/images/**/x*/json", "/images/xa/b/xc/json", true },
		{ "/a/*b*c", "/a/bbc", true },
		{ "/a/*b*c", "/a/xbxcxc", true },
		{ "/a/*b*c", "/a/xbx/c", false },
		{ "/a/**b*c", "/a/b/b/bc", true },
		{ "/a/**b*c", "/a/b/c", false },
		/* A prefix and a suffix may not share bytes. */
		{ "/ab*ba", "/aba", false },
		{ "/ab*ba", "/abba", true },
		{ "/web-*/", "/web-1/", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool got = match(cases[i].glob, str_from(cases[i].path));

		if (got != cases[i].want)
			fprintf(stderr, "%s %s\n", cases[i].glob, cases[i].path);
		CU_ASSERT_EQUAL(got, cases[i].want);
	}
}

/* The definition itself, exponential and obvious. */
static bool plain_match(const char *g, const char *p)
{
	bool any = g[0] == '*' && g[1] == '*';

	if (!*g)
		return !*p;
	if (*g != '*')
		return *g == *p && plain_match(g + 1, p + 1);
	if (plain_match(g + (any ? 2 : 1), p))
		return true;
	return *p && (any || *p != '/') && plain_match(g, p + 1);
}

static void agrees_with_the_definition_on_every_short_glob_and_path(void)
{
	static const char letters[] = "*/ab", path_letters[] = "/ab";
	unsigned disagreements = 0;

	for (unsigned g = 0; g < 4096; g++) {
		char glob[7] = "", path[6] = "";

		for (unsigned i = 0, v = g; i < 6; i++, v /= 4)
			glob[i] = letters[v % 4];
		if (strstr(glob, "***"))
			continue;
		for (unsigned p = 0; p < 243; p++) {
			for (unsigned i = 0, v = p; i < 5; i++, v /= 3)
				path[i] = path_letters[v % 3];
			disagreements += match(glob, str_from(path)) != plain_match(glob, path);
		}
	}
	CU_ASSERT_EQUAL(disagreements, 0);
}

static void a_long_path_costs_no_more_than_its_length_times_the_globs(void)
{
	static char path[16384];
	struct str s = { path, sizeof(path) };

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	/* Backtracking would not come back from these. */
	CU_ASSERT_FALSE(match("/**a*a**a*a**a*a**a*a**a*b*c", s));
	CU_ASSERT_TRUE(match("/**a*a**a*a**a*a**a*a**a*a*", s));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "one star stays in a segment, two do not", one_star_stays_in_a_segment_and_two_do_not },
		{ "agrees with the definition on every short glob and path",
		  agrees_with_the_definition_on_every_short_glob_and_path },
		{ "a long path costs no more than its length times the glob's",
		  a_long_path_costs_no_more_than_its_length_times_the_globs },
		CU_TEST_INFO_NULL,
	};

	return check_main("policy/policy_glob", tests);
}
