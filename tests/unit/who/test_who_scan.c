/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_scan.h"

#include <errno.h>

#include "check.h"

static void numbers_are_strict(void)
{
	uint64_t n = 7;

	CU_ASSERT_TRUE(who_scan_number(STR("18446744073709551615"), 10, UINT64_MAX, &n));
	CU_ASSERT_EQUAL(n, UINT64_MAX);
	CU_ASSERT_TRUE(who_scan_number(STR("1fF"), 16, 511, &n));
	CU_ASSERT_EQUAL(n, 511);
	CU_ASSERT_TRUE(who_scan_number(STR("377"), 8, 255, &n));
	n = 7;
	CU_ASSERT_FALSE(who_scan_number(STR("18446744073709551616"), 10, UINT64_MAX, &n));
	CU_ASSERT_FALSE(who_scan_number(STR("256"), 10, 255, &n));
	CU_ASSERT_FALSE(who_scan_number(STR("9"), 10, 8, &n));
	CU_ASSERT_FALSE(who_scan_number(STR(""), 10, 255, &n));
	CU_ASSERT_FALSE(who_scan_number(STR("-1"), 10, 255, &n));
	CU_ASSERT_FALSE(who_scan_number(STR("+1"), 10, 255, &n));
	CU_ASSERT_FALSE(who_scan_number(STR(" 1"), 10, 255, &n));
	CU_ASSERT_FALSE(who_scan_number(STR("8"), 8, 255, &n));
	CU_ASSERT_FALSE(who_scan_number(STR("0x1"), 16, 255, &n));
	CU_ASSERT_EQUAL(n, 7);
}

static void links_are_of_the_kind_that_is_asked_for(void)
{
	uint64_t n = 0;

	CU_ASSERT_TRUE(who_scan_link(STR("net:[4026531840]"), "net", &n));
	CU_ASSERT_EQUAL(n, 4026531840);
	CU_ASSERT_TRUE(who_scan_link(STR("socket:[12]"), "socket", &n));
	CU_ASSERT_FALSE(who_scan_link(STR("mnt:[4026531840]"), "net", &n));
	CU_ASSERT_FALSE(who_scan_link(STR("net:[]"), "net", &n));
	CU_ASSERT_FALSE(who_scan_link(STR("net:[1"), "net", &n));
	CU_ASSERT_FALSE(who_scan_link(STR("net:"), "net", &n));
	CU_ASSERT_FALSE(who_scan_link(STR("/tmp/socket:[12]"), "socket", &n));
	CU_ASSERT_FALSE(who_scan_link(STR("socket:[12] (deleted)"), "socket", &n));
}

static void lines_and_words_are_taken_in_order(void)
{
	struct str rest = STR("a\tb  c\n\nlast"), line, word;

	CU_ASSERT_TRUE(who_scan_line(&rest, &line));
	CU_ASSERT_TRUE(who_scan_word(&line, &word) && str_eqz(word, "a"));
	CU_ASSERT_TRUE(who_scan_word(&line, &word) && str_eqz(word, "b"));
	CU_ASSERT_TRUE(who_scan_word(&line, &word) && str_eqz(word, "c"));
	CU_ASSERT_FALSE(who_scan_word(&line, &word));
	CU_ASSERT_TRUE(who_scan_line(&rest, &line) && line.n == 0);
	CU_ASSERT_TRUE(who_scan_line(&rest, &line) && str_eqz(line, "last"));
	CU_ASSERT_FALSE(who_scan_line(&rest, &line));
}

static void arrays_grow_up_to_their_limit(void)
{
	void *items = NULL;
	size_t cap = 0, n = 0;
	int r = 0;

	while ((r = who_scan_grow(&items, &cap, n, sizeof(uint64_t), 128)) == 0)
		memset((char *)items + n++ * sizeof(uint64_t), 1, sizeof(uint64_t));
	CU_ASSERT_EQUAL(r, -E2BIG);
	CU_ASSERT_EQUAL(n, 128);
	free(items);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "numbers are strict", numbers_are_strict },
		{ "links are of the kind that is asked for", links_are_of_the_kind_that_is_asked_for },
		{ "lines and words are taken in order", lines_and_words_are_taken_in_order },
		{ "arrays grow up to their limit", arrays_grow_up_to_their_limit },
		CU_TEST_INFO_NULL,
	};

	return check_main("who/who_scan", tests);
}
