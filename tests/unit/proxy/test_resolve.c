/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/resolve.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char root[64];

/* Resolves "ROOT/name" and compares with "ROOT/expected", or with `expected` when it is absolute. */
static void leads_to(const char *name, const char *expected)
{
	char path[PATH_MAX], want[PATH_MAX], got[PATH_MAX] = "";

	snprintf(path, sizeof(path), "%s/%s", root, name);
	if (expected[0] == '/')
		snprintf(want, sizeof(want), "%s", expected);
	else
		snprintf(want, sizeof(want), "%s/%s", root, expected);
	CU_ASSERT_EQUAL(resolve_path(path, got, sizeof(got)), 0);
	CU_ASSERT_STRING_EQUAL(got, want);
}

static int fails(const char *name)
{
	char path[PATH_MAX], got[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return resolve_path(path, got, sizeof(got));
}

static void a_plain_path_is_itself(void)
{
	leads_to("dir", "dir");
	leads_to("dir/file", "dir/file");
}

static void links_are_followed_wherever_they_stand(void)
{
	leads_to("link", "/etc");
	leads_to("link/hostname", "/etc/hostname");
	leads_to("inner", "dir");
	leads_to("inner/file", "dir/file");
	leads_to("magic/etc", "/etc");
}

static void what_is_missing_is_kept_behind_what_is_there(void)
{
	char got[PATH_MAX];

	leads_to("dir/new/deep", "dir/new/deep");
	leads_to("inner/new", "dir/new");
	leads_to("link/sockgate-missing", "/etc/sockgate-missing");
	CU_ASSERT_EQUAL(resolve_path("/sockgate-missing/x", got, sizeof(got)), 0);
	CU_ASSERT_STRING_EQUAL(got, "/sockgate-missing/x");
	CU_ASSERT_EQUAL(resolve_path("/", got, sizeof(got)), 0);
	CU_ASSERT_STRING_EQUAL(got, "/");
}

static void a_link_to_nowhere_and_a_loop_are_errors(void)
{
	CU_ASSERT_EQUAL(fails("dangling"), -ENOENT);
	CU_ASSERT_EQUAL(fails("loop"), -ELOOP);
	CU_ASSERT_EQUAL(fails("dir/file/below"), -ENOTDIR);
}

static void a_name_that_does_not_fit_is_an_error(void)
{
	char path[PATH_MAX], got[4];

	snprintf(path, sizeof(path), "%s/dir", root);
	CU_ASSERT_EQUAL(resolve_path(path, got, sizeof(got)), -ENAMETOOLONG);
	CU_ASSERT_EQUAL(resolve_path("relative", path, sizeof(path)), -EINVAL);
}

static int make_tree(void)
{
	char here[] = "/tmp/sockgate-resolve-XXXXXX", path[PATH_MAX];
	FILE *file;

	if (!mkdtemp(here) || !realpath(here, path) || strlen(path) >= sizeof(root) || chdir(path) < 0)
		return -1;
	memcpy(root, path, strlen(path) + 1);
	file = mkdir("dir", 0755) < 0 ? NULL : fopen("dir/file", "w");
	if (!file || fclose(file) != 0)
		return -1;
	return symlink("/etc", "link") || symlink("dir", "inner") || symlink("/proc/self/root", "magic") ||
	       symlink("nowhere", "dangling") || symlink("loop", "loop");
}

static int remove_tree(void)
{
	static const char *const links[] = { "link", "inner", "magic", "dangling", "loop", "dir/file" };
	int bad = 0;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		bad |= unlink(links[i]);
	return bad || rmdir("dir") || chdir("/") || rmdir(root);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a plain path is itself", a_plain_path_is_itself },
		{ "links are followed wherever they stand", links_are_followed_wherever_they_stand },
		{ "what is missing is kept behind what is there",
		  what_is_missing_is_kept_behind_what_is_there },
		{ "a link to nowhere and a loop are errors", a_link_to_nowhere_and_a_loop_are_errors },
		{ "a name that does not fit is an error", a_name_that_does_not_fit_is_an_error },
		CU_TEST_INFO_NULL,
	};
	int status;

	if (make_tree() != 0)
		return EXIT_FAILURE;
	status = check_main("proxy/resolve", tests);
	return remove_tree() == 0 ? status : EXIT_FAILURE;
}
