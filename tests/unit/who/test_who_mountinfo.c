/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "check.h"
#include "who/who_mounts.h"

static int parse(const char *z, char **text, struct who_mount **mounts, size_t *n)
{
	*text = strdup(z);
	return who_mountinfo_parse(*text, strlen(*text), mounts, n);
}

static void lines_of_every_form_are_read(void)
{
	struct who_mount *mounts;
	size_t n;
	char *text;

	CU_ASSERT_EQUAL_FATAL(parse("27 1 254:0 / / rw,discard - ext4 /dev/vda rw\n"
				    "36 27 0:25 /docker.sock /var/run/docker.sock ro,nosuid master:7 "
				    "propagate_from:2 - tmpfs x rw\n"
				    "37 27 0:40 / /m rw shared:3 - overlay overlay rw,lowerdir=a - b\n"
				    "38 27 0:41 /@home /home rorange - btrfs /dev/x rw\n",
				    &text, &mounts, &n),
			      0);
	CU_ASSERT_EQUAL_FATAL(n, 4);
	CU_ASSERT_EQUAL(mounts[0].dev, 254u << 20);
	CU_ASSERT_TRUE(str_eqz(mounts[0].root, "/") && str_eqz(mounts[0].point, "/"));
	CU_ASSERT_FALSE(mounts[0].read_only || mounts[0].odd);
	CU_ASSERT_EQUAL(mounts[1].dev, 25);
	CU_ASSERT_TRUE(str_eqz(mounts[1].root, "/docker.sock"));
	CU_ASSERT_TRUE(str_eqz(mounts[1].point, "/var/run/docker.sock"));
	CU_ASSERT_TRUE(mounts[1].read_only);
	CU_ASSERT_TRUE(mounts[2].odd);
	CU_ASSERT_TRUE(mounts[3].odd);
	CU_ASSERT_FALSE(mounts[3].read_only);
	free(mounts);
	free(text);
}

static void escapes_are_undone(void)
{
	struct who_mount *mounts;
	size_t n;
	char *text;

	CU_ASSERT_EQUAL_FATAL(
		parse("1 2 0:3 /a\\040b /x\\011\\012\\134\\043y rw - tmpfs a\\040b rw\n", &text, &mounts, &n),
		0);
	CU_ASSERT_EQUAL_FATAL(n, 1);
	CU_ASSERT_TRUE(str_eqz(mounts[0].root, "/a b"));
	CU_ASSERT_TRUE(str_eqz(mounts[0].point, "/x\t\n\\#y"));
	free(mounts);
	free(text);
}

static void a_line_that_is_not_understood_is_refused(void)
{
	static const char *const cases[] = {
		"1 2 0:3 / /x rw shared:1 tmpfs a rw\n", /* no separator */
		"1 2 0:3 / /x rw - \n",                  /* no type */
		"1 2 03 / /x rw - tmpfs a rw\n",         /* no device */
		"1 2 0:3x / /x rw - tmpfs a rw\n",
		"1 2 5000:3 / /x rw - tmpfs a rw\n",
		"1 2 0:3 / x rw - tmpfs a rw\n",      /* not absolute */
		"1 2 0:3  /x rw - tmpfs a rw\n",      /* no root */
		"1 2 0:3 / /x\\04 rw - tmpfs a rw\n", /* cut escape */
		"1 2 0:3 / /x\\ rw - tmpfs a rw\n",
		"1 2 0:3 / /x\\000 rw - tmpfs a rw\n",
		"1 2 0:3 / /x\\777 rw - tmpfs a rw\n",
		"1 2 0:3 / /x\\048 rw - tmpfs a rw\n",
		"one 2 0:3 / /x rw - tmpfs a rw\n",
		"\n",
	};
	struct who_mount *mounts;
	size_t n;
	char *text;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(parse(cases[i], &text, &mounts, &n), -EBADMSG);
		free(text);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "lines of every form are read", lines_of_every_form_are_read },
		{ "escapes are undone", escapes_are_undone },
		{ "a line that is not understood is refused", a_line_that_is_not_understood_is_refused },
		CU_TEST_INFO_NULL,
	};

	return check_main("who/who_mountinfo", tests);
}
