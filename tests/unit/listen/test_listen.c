/* SPDX-License-Identifier: BSD-2-Clause */
#include "listen/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

/* A stand-in for an image: the strings of one listener behind a header. */
struct fake_image {
	struct policy_image image;
	char strings[256];
};

static struct fake_image fake;
static char directory[] = "/tmp/sockgate-listen-XXXXXX";

static struct image_str put(const char *z, size_t at)
{
	memcpy(fake.strings + at, z, strlen(z) + 1);
	return (struct image_str){ (uint32_t)(offsetof(struct fake_image, strings) + at),
				   (uint32_t)strlen(z) };
}

static struct image_listener unix_listener(const char *name, unsigned mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return (struct image_listener){ .kind = IMAGE_UNIX, .address = put(path, 0), .mode = mode };
}

static int try(const struct image_listener *listener, struct listen_socket *ret, char *why, size_t size)
{
	ret->fd = -1;
	return listen_open(&fake.image, listener, ret, why, size);
}

static int connect_to(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", directory, name);
	r = connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static void a_unix_socket_has_its_mode_and_takes_clients(void)
{
	struct image_listener listener = unix_listener("a.sock", 0640);
	struct listen_socket socket;
	char why[256], path[128];
	struct stat st;

	CU_ASSERT_EQUAL_FATAL(try(&listener, &socket, why, sizeof(why)), 0);
	snprintf(path, sizeof(path), "%s/a.sock", directory);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0640);
	CU_ASSERT_EQUAL(strncmp(socket.name, "unix:/tmp/", 10), 0);
	CU_ASSERT_EQUAL(connect_to("a.sock"), 0);
	CU_ASSERT_TRUE(fcntl(socket.fd, F_GETFL) & O_NONBLOCK);
	close(socket.fd);
}

static void a_stale_socket_is_replaced_and_a_live_one_is_not(void)
{
	struct image_listener listener = unix_listener("b.sock", 0600);
	struct listen_socket first, second;
	char why[256];

	CU_ASSERT_EQUAL_FATAL(try(&listener, &first, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(try(&listener, &second, why, sizeof(why)), -EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "another process listens there"));
	close(first.fd);
	CU_ASSERT_EQUAL_FATAL(try(&listener, &second, why, sizeof(why)), 0);
	close(second.fd);
}

static void what_is_no_socket_is_left_alone(void)
{
	struct image_listener listener = unix_listener("file", 0600);
	struct listen_socket socket;
	char why[256], path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/file", directory);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	close(fd);
	CU_ASSERT_EQUAL(try(&listener, &socket, why, sizeof(why)), -EEXIST);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
}

static void a_group_that_does_not_exist_is_an_error_and_leaves_nothing(void)
{
	struct image_listener listener = unix_listener("c.sock", 0660);
	struct listen_socket socket;
	char why[256], path[128];

	listener.group = put("no-such-group", 128);
	CU_ASSERT_EQUAL(try(&listener, &socket, why, sizeof(why)), -ENOENT);
	CU_ASSERT_STRING_EQUAL(why, "there is no group no-such-group");
	snprintf(path, sizeof(path), "%s/c.sock", directory);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

static void too_long_a_path_is_an_error(void)
{
	char name[120];
	struct image_listener listener;
	struct listen_socket socket;
	char why[256];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	listener = (struct image_listener){ .kind = IMAGE_UNIX, .address = put(name, 0) };
	CU_ASSERT_EQUAL(try(&listener, &socket, why, sizeof(why)), -ENAMETOOLONG);
}

static void a_tcp_socket_listens_on_loopback(void)
{
	struct image_listener listener = { .kind = IMAGE_TCP, .address = put("127.0.0.1", 0), .port = 0 };
	struct listen_socket socket;
	struct sockaddr_in bound;
	socklen_t size = sizeof(bound);
	char why[256];

	CU_ASSERT_EQUAL_FATAL(try(&listener, &socket, why, sizeof(why)), 0);
	CU_ASSERT_STRING_EQUAL(socket.name, "tcp:127.0.0.1:0");
	CU_ASSERT_EQUAL(getsockname(socket.fd, (struct sockaddr *)&bound, &size), 0);
	CU_ASSERT_EQUAL(bound.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	close(socket.fd);
}

static void a_tcp_port_in_use_is_an_error(void)
{
	struct image_listener listener = { .kind = IMAGE_TCP, .address = put("127.0.0.1", 0), .port = 0 };
	struct listen_socket first, second;
	struct sockaddr_in bound;
	socklen_t size = sizeof(bound);
	char why[256];

	CU_ASSERT_EQUAL_FATAL(try(&listener, &first, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(getsockname(first.fd, (struct sockaddr *)&bound, &size), 0);
	listener.port = ntohs(bound.sin_port);
	CU_ASSERT_EQUAL(try(&listener, &second, why, sizeof(why)), -EADDRINUSE);
	close(first.fd);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a Unix socket has its mode and takes clients",
		  a_unix_socket_has_its_mode_and_takes_clients },
		{ "a stale socket is replaced and a live one is not",
		  a_stale_socket_is_replaced_and_a_live_one_is_not },
		{ "what is no socket is left alone", what_is_no_socket_is_left_alone },
		{ "a group that does not exist is an error and leaves nothing",
		  a_group_that_does_not_exist_is_an_error_and_leaves_nothing },
		{ "too long a path is an error", too_long_a_path_is_an_error },
		{ "a TCP socket listens on loopback", a_tcp_socket_listens_on_loopback },
		{ "a TCP port in use is an error", a_tcp_port_in_use_is_an_error },
		CU_TEST_INFO_NULL,
	};
	char command[64];
	int status;

	if (!mkdtemp(directory))
		return EXIT_FAILURE;
	status = check_main("listen/listen", tests);
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command) == 0 ? status : EXIT_FAILURE;
}
