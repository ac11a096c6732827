/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/local_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char directory[] = "/tmp/sockgate-test.XXXXXX";
static char path[64];

static int make_directory(void)
{
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/x.sock", directory);
	return 0;
}

static void a_socket_listens_with_its_mode(void)
{
	const char *why = NULL;
	struct stat st;
	int listening = 0;
	socklen_t n = sizeof(listening);
	int fd = local_socket_open(path, NULL, 0640, &why);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0640);
	CU_ASSERT_EQUAL(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n), 0);
	CU_ASSERT_TRUE(listening);
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* The name stays: that is what a process leaves that was killed. */
	close(fd);
}

static void a_dead_socket_is_replaced_one_in_use_is_not(void)
{
	const char *why = NULL;
	int fd = local_socket_open(path, NULL, 0600, &why);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(local_socket_open(path, NULL, 0600, &why), -EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(why);
	close(fd);
	CU_ASSERT_EQUAL(unlink(path), 0);
}

static void a_file_is_not_replaced(void)
{
	const char *why = NULL;
	int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	CU_ASSERT_TRUE_FATAL(file >= 0);
	CU_ASSERT_EQUAL(local_socket_open(path, NULL, 0600, &why), -EEXIST);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	close(file);
	CU_ASSERT_EQUAL(unlink(path), 0);
}

static void a_group_that_does_not_exist_is_an_error(void)
{
	const char *why = NULL;

	CU_ASSERT_EQUAL(local_socket_open(path, "no-such-group", 0600, &why), -ENOENT);
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
	CU_ASSERT_EQUAL(rmdir(directory), 0);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a socket listens with its mode", a_socket_listens_with_its_mode },
		{ "a dead socket is replaced, one in use is not",
		  a_dead_socket_is_replaced_one_in_use_is_not },
		{ "a file is not replaced", a_file_is_not_replaced },
		{ "a group that does not exist is an error", a_group_that_does_not_exist_is_an_error },
		CU_TEST_INFO_NULL,
	};

	if (make_directory() != 0)
		return EXIT_FAILURE;
	return check_main("sockgated/local_socket", tests);
}
