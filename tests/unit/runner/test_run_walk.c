/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "place.h"
#include "run/run_walk.h"

/*
 * The folder is the root:  dir/file  sock  abs -> /dir/file  rel -> dir/../sock  out -> ../../../sock  loop
 * -> loop folder -> dir  gone -> nothing
 */
struct tree {
	struct place place;
	struct run_place at;
};

static struct tree plant(const char *cwd)
{
	static const char *const links[][2] = { { "/dir/file", "abs" },     { "dir/../sock", "rel" },
						{ "../../../sock", "out" }, { "loop", "loop" },
						{ "dir", "folder" },        { "nothing", "gone" } };
	struct tree tree = { .place = place_make(), .at = { .tid = getpid(), .cwd = -1 } };

	tree.at.root = open(tree.place.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(tree.at.root >= 0);
	CU_ASSERT_EQUAL_FATAL(mkdirat(tree.at.root, "dir", 0755), 0);
	CU_ASSERT_EQUAL_FATAL(mknodat(tree.at.root, "dir/file", S_IFREG | 0644, 0), 0);
	CU_ASSERT_EQUAL_FATAL(mknodat(tree.at.root, "sock", S_IFSOCK | 0644, 0), 0);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		CU_ASSERT_EQUAL_FATAL(symlinkat(links[i][0], tree.at.root, links[i][1]), 0);
	tree.at.cwd = openat(tree.at.root, cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(tree.at.cwd >= 0);
	return tree;
}

static void fell(const struct tree *tree)
{
	close(tree->at.root);
	close(tree->at.cwd);
	place_remove(&tree->place);
}

/* Whether the walk ends at what is called `name` below the root, or in that error. */
static bool leads(const struct tree *tree, const char *path, const char *name, int error)
{
	struct stat found, wanted;
	int pin = -1, r = run_walk(&tree->at, path, &pin);

	if (error)
		return r == error && pin == -1;
	if (r < 0)
		return false;
	r = fstat(pin, &found);
	close(pin);
	return r == 0 && fstatat(tree->at.root, name, &wanted, AT_SYMLINK_NOFOLLOW) == 0 &&
	       found.st_ino == wanted.st_ino && found.st_dev == wanted.st_dev;
}

static void names_begin_at_the_root_or_where_the_thread_is(void)
{
	struct tree tree = plant("dir");

	CU_ASSERT_TRUE(leads(&tree, "/sock", "sock", 0));
	CU_ASSERT_TRUE(leads(&tree, "//.//dir/../sock", "sock", 0));
	CU_ASSERT_TRUE(leads(&tree, "file", "dir/file", 0));
	CU_ASSERT_TRUE(leads(&tree, "../sock", "sock", 0));
	CU_ASSERT_TRUE(leads(&tree, ".", "dir", 0));
	CU_ASSERT_TRUE(leads(&tree, "/", ".", 0));
	CU_ASSERT_TRUE(leads(&tree, "/dir/", "dir", 0));
	fell(&tree);
}

static void nobody_climbs_out(void)
{
	struct tree tree = plant("dir");

	CU_ASSERT_TRUE(leads(&tree, "/../../../sock", "sock", 0));
	CU_ASSERT_TRUE(leads(&tree, "../../../../../sock", "sock", 0));
	CU_ASSERT_TRUE(leads(&tree, "/out", "sock", 0));
	CU_ASSERT_TRUE(leads(&tree, "/../etc/passwd", "", -ENOENT));
	fell(&tree);
}

static void links_are_followed_within_the_root(void)
{
	struct tree tree = plant(".");

	CU_ASSERT_TRUE(leads(&tree, "abs", "dir/file", 0));
	CU_ASSERT_TRUE(leads(&tree, "rel", "sock", 0));
	CU_ASSERT_TRUE(leads(&tree, "folder/file", "dir/file", 0));
	CU_ASSERT_TRUE(leads(&tree, "folder/../folder/../abs", "dir/file", 0));
	CU_ASSERT_TRUE(leads(&tree, "loop", "", -ELOOP));
	CU_ASSERT_TRUE(leads(&tree, "gone", "", -ENOENT));
	fell(&tree);
}

static void errors_are_the_kernels(void)
{
	struct tree tree = plant(".");
	char name[300];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CU_ASSERT_TRUE(leads(&tree, "", "", -ENOENT));
	CU_ASSERT_TRUE(leads(&tree, "sock/", "", -ENOTDIR));
	CU_ASSERT_TRUE(leads(&tree, "sock/x", "", -ENOTDIR));
	CU_ASSERT_TRUE(leads(&tree, "sock/..", "", -ENOTDIR));
	CU_ASSERT_TRUE(leads(&tree, "sock/.", "", -ENOTDIR));
	CU_ASSERT_TRUE(leads(&tree, "nothing/..", "", -ENOENT));
	CU_ASSERT_TRUE(leads(&tree, name, "", -ENAMETOOLONG));
	fell(&tree);
}

static void links_that_grow_without_end_are_refused(void)
{
	struct tree tree = plant(".");
	char text[3000];

	/* a -> b/././..., b likewise: each adds to what is left. */
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "./", 3);
	text[sizeof(text) - 2] = 'b';
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_EQUAL(symlinkat(text, tree.at.root, "a"), 0);
	CU_ASSERT_EQUAL(symlinkat("dir", tree.at.root, "b"), 0);
	CU_ASSERT_TRUE(leads(&tree, "a/file", "dir/file", 0));
	text[sizeof(text) - 2] = '/';
	unlinkat(tree.at.root, "a", 0);
	unlinkat(tree.at.root, "b", 0);
	CU_ASSERT_EQUAL(symlinkat(text, tree.at.root, "b"), 0);
	memcpy(text, "b/", 2);
	CU_ASSERT_EQUAL(symlinkat(text, tree.at.root, "a"), 0);
	CU_ASSERT_TRUE(leads(&tree, "a/file", "", -ENAMETOOLONG));
	fell(&tree);
}

/* With the root and folder that the process really has. */
static int walk_here(const char *path)
{
	struct run_place place = { .root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
				   .cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC),
				   .tid = getpid() };
	int pin = -1, r = run_walk(&place, path, &pin);

	close(place.root);
	close(place.cwd);
	return r < 0 ? r : pin;
}

static void magic_links_are_followed_if_they_are_the_threads_own(void)
{
	struct place place = place_make();
	char *path = place_path(&place, "file"), *by_number;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), pin;
	struct stat a, b;

	CU_ASSERT_TRUE_FATAL(fd >= 0 && asprintf(&by_number, "/proc/self/fd/%d", fd) > 0);
	pin = walk_here(by_number);
	CU_ASSERT_TRUE_FATAL(pin >= 0);
	CU_ASSERT_TRUE(fstat(fd, &a) == 0 && fstat(pin, &b) == 0 && a.st_ino == b.st_ino &&
		       a.st_dev == b.st_dev);
	close(pin);
	free(by_number);
	CU_ASSERT_TRUE_FATAL(asprintf(&by_number, "/proc/%d/root/proc/mounts", (int)getppid()) > 0);
	CU_ASSERT_EQUAL(walk_here(by_number), -EACCES);
	CU_ASSERT_EQUAL(walk_here("/proc/self/fd/987654"), -ENOENT);
	close(fd);
	free(by_number);
	free(path);
	place_remove(&place);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "names begin at the root or where the thread is",
		  names_begin_at_the_root_or_where_the_thread_is },
		{ "nobody climbs out", nobody_climbs_out },
		{ "links are followed within the root", links_are_followed_within_the_root },
		{ "errors are the kernel's", errors_are_the_kernels },
		{ "links that grow without end are refused", links_that_grow_without_end_are_refused },
		{ "magic links are followed if they are the thread's own",
		  magic_links_are_followed_if_they_are_the_threads_own },
		CU_TEST_INFO_NULL,
	};

	return check_main("run/run_walk", tests);
}
