/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel/channel.h"
#include "check.h"

#define ALL ((1u << MSG_TYPES) - 1)

static void a_message_arrives_with_its_descriptor(void)
{
	struct msg in = { .type = MSG_ENGINE, .arg = 3, .text = "hello" }, out;
	int fds[2], fd;

	CU_ASSERT_EQUAL_FATAL(channel_pair(fds), 0);
	CU_ASSERT_EQUAL(channel_send(fds[0], &in, fds[0]), 0);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL, &out, &fd), 1);
	CU_ASSERT_EQUAL(out.arg, 3);
	CU_ASSERT_STRING_EQUAL(out.text, "hello");
	CU_ASSERT_TRUE(fd >= 0);
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

static void an_empty_channel_says_again_and_a_closed_one_ends(void)
{
	struct msg out;
	int fds[2], fd;

	CU_ASSERT_EQUAL_FATAL(channel_pair(fds), 0);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL, &out, &fd), -EAGAIN);
	close(fds[0]);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL, &out, &fd), 0);
	close(fds[1]);
}

static void what_is_not_permitted_is_refused(void)
{
	struct msg in = { .type = MSG_START }, out;
	int fds[2], fd;

	CU_ASSERT_EQUAL_FATAL(channel_pair(fds), 0);
	CU_ASSERT_EQUAL(channel_send(fds[0], &in, -1), 0);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL & ~(1u << MSG_START), &out, &fd), -EPROTO);
	in.type = 4000;
	CU_ASSERT_EQUAL(channel_send(fds[0], &in, -1), 0);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL, &out, &fd), -EPROTO);
	close(fds[0]);
	close(fds[1]);
}

static void a_descriptor_must_be_there_exactly_when_it_belongs(void)
{
	struct msg with = { .type = MSG_IMAGE }, without = { .type = MSG_START }, out;
	int fds[2], fd;

	CU_ASSERT_EQUAL_FATAL(channel_pair(fds), 0);
	CU_ASSERT_EQUAL(channel_send(fds[0], &with, -1), 0);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL, &out, &fd), -EPROTO);
	CU_ASSERT_EQUAL(channel_send(fds[0], &without, fds[0]), 0);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL, &out, &fd), -EPROTO);
	close(fds[0]);
	close(fds[1]);
}

static void another_size_or_an_endless_text_is_refused(void)
{
	struct msg in = { .type = MSG_START }, out;
	int fds[2], fd;

	CU_ASSERT_EQUAL_FATAL(channel_pair(fds), 0);
	CU_ASSERT_EQUAL(send(fds[0], &in, sizeof(in) - 1, 0), (ssize_t)sizeof(in) - 1);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL, &out, &fd), -EPROTO);
	memset(in.text, 'x', sizeof(in.text));
	CU_ASSERT_EQUAL(channel_send(fds[0], &in, -1), 0);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL, &out, &fd), -EPROTO);
	close(fds[0]);
	close(fds[1]);
}

static void refused_descriptors_are_closed(void)
{
	struct msg in = { .type = MSG_START }, out;
	int fds[2], fd, before = dup(0), after;

	close(before);
	CU_ASSERT_EQUAL_FATAL(channel_pair(fds), 0);
	CU_ASSERT_EQUAL(channel_send(fds[0], &in, fds[1]), 0);
	CU_ASSERT_EQUAL(channel_recv(fds[1], ALL, &out, &fd), -EPROTO);
	close(fds[0]);
	close(fds[1]);
	after = dup(0);
	CU_ASSERT_EQUAL(after, before);
	close(after);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a message arrives with its descriptor", a_message_arrives_with_its_descriptor },
		{ "an empty channel says again and a closed one ends",
		  an_empty_channel_says_again_and_a_closed_one_ends },
		{ "what is not permitted is refused", what_is_not_permitted_is_refused },
		{ "a descriptor must be there exactly when it belongs",
		  a_descriptor_must_be_there_exactly_when_it_belongs },
		{ "another size or an endless text is refused", another_size_or_an_endless_text_is_refused },
		{ "refused descriptors are closed", refused_descriptors_are_closed },
		CU_TEST_INFO_NULL,
	};

	return check_main("channel/channel", tests);
}
