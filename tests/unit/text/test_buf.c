/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "text/buf.h"

static void appends_until_full_then_stays_full(void)
{
	char memory[4];
	struct buf b = buf_over(memory, sizeof(memory));

	buf_puts(&b, "abc");
	CU_ASSERT_FALSE(b.overflow);
	buf_puts(&b, "de");
	CU_ASSERT_TRUE(b.overflow);
	buf_putc(&b, 'f');
	CU_ASSERT_TRUE(str_eqz(buf_view(&b), "abc"));
}

static void numbers_are_decimal(void)
{
	char memory[64];
	struct buf b = buf_over(memory, sizeof(memory));

	buf_u64(&b, 0);
	buf_putc(&b, ' ');
	buf_u64(&b, UINT64_MAX);
	CU_ASSERT_TRUE(str_eqz(buf_view(&b), "0 18446744073709551615"));
}

static void printf_that_does_not_fit_overflows(void)
{
	char memory[8];
	struct buf b = buf_over(memory, sizeof(memory));

	buf_printf(&b, "%d", 1234567);
	CU_ASSERT_FALSE(b.overflow);
	buf_printf(&b, "%d", 1);
	CU_ASSERT_TRUE(b.overflow);
}

static void json_escapes_what_it_must(void)
{
	static const struct {
		struct str in;
		const char *out;
	} cases[] = {
		{ STR("plain"), "\"plain\"" },
		{ STR("a\"b\\c"), "\"a\\\"b\\\\c\"" },
		{ STR("\n\x01\x7f"), "\"\\u000a\\u0001\\u007f\"" },
		{ STR("caf\xc3\xa9"), "\"caf\xc3\xa9\"" },
		{ STR("\xff"
		      "x"),
		  "\"\\ufffdx\"" },
		{ STR("\xc0\xaf"), "\"\\ufffd\\ufffd\"" },
		{ STR("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"" },
		{ STR("\xe2\x82"), "\"\\ufffd\\ufffd\"" },
		{ STR(""), "\"\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char memory[64];
		struct buf b = buf_over(memory, sizeof(memory));

		buf_json(&b, cases[i].in);
		CU_ASSERT_TRUE(str_eqz(buf_view(&b), cases[i].out));
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "appends until full, then stays full", appends_until_full_then_stays_full },
		{ "numbers are decimal", numbers_are_decimal },
		{ "printf that does not fit overflows", printf_that_does_not_fit_overflows },
		{ "JSON strings escape what they must", json_escapes_what_it_must },
		CU_TEST_INFO_NULL,
	};

	return check_main("text/buf", tests);
}
