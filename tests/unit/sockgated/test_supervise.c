/* SPDX-License-Identifier: BSD-2-Clause */
/* The program that is supervised is this test itself, which answers as a proxy would. */
#include "sockgated/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

/* In the supervised process: what came, as its exit status. */
static int play_proxy(void)
{
	static const unsigned expected[] = { MSG_IMAGE, MSG_LISTENER, MSG_LISTENER, MSG_GATE, MSG_START };
	struct msg msg, ready = { .type = MSG_READY };

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct pollfd wait = { .fd = CHANNEL_FD, .events = POLLIN };
		int fd;

		if (poll(&wait, 1, 5000) != 1 || channel_recv(CHANNEL_FD, 1u << expected[i], &msg, &fd) != 1)
			return 10 + (int)i;
		if (expected[i] == MSG_GATE &&
		    (msg.arg != MSG_GATE_DEGRADED || strcmp(msg.text, "a reason") != 0))
			return 20;
	}
	/* Nothing else was handed down. */
	for (int fd = CHANNEL_FD + 1; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
			return 21;
	if (channel_send(CHANNEL_FD, &ready, -1) < 0)
		return 22;
	for (;;)
		pause();
}

static struct listeners two_listeners(void)
{
	struct listeners listeners = { .n = 2 };

	for (unsigned i = 0; i < 2; i++) {
		listeners.sockets[i].fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		snprintf(listeners.sockets[i].name, sizeof(listeners.sockets[i].name), "unix:/listener/%u",
			 i);
	}
	return listeners;
}

static void the_proxy_gets_everything_and_says_that_it_serves(void)
{
	struct listeners listeners = two_listeners();
	struct supervise_gifts gifts = {
		.image = memfd_create("image", MFD_CLOEXEC),
		.audit = -1,
		.listeners = &listeners,
		.state = MSG_GATE_DEGRADED,
		.reason = "a reason",
	};
	struct supervise s = { .program = "/proc/self/exe", .pidfd = -1, .channel = -1, .delay_ms = 100 };
	const char *why = "";
	char how[64];

	CU_ASSERT_EQUAL_FATAL(supervise_start(&s, NULL, &gifts, &why), 0);
	CU_ASSERT_TRUE(s.pid > 0);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){ .fd = s.channel, .events = POLLIN }, 1, 5000), 1);
	CU_ASSERT_EQUAL(supervise_receive(&s), 1);
	CU_ASSERT_TRUE(s.serving);
	CU_ASSERT_EQUAL(supervise_receive(&s), 0);
	CU_ASSERT_EQUAL(kill(s.pid, SIGUSR1), 0);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){ .fd = s.pidfd, .events = POLLIN }, 1, 5000), 1);
	CU_ASSERT_TRUE(supervise_receive(&s) < 0);
	supervise_reap(&s, how, sizeof(how));
	CU_ASSERT_STRING_EQUAL(how, "signal 10");
	CU_ASSERT_EQUAL(s.pid, 0);
	CU_ASSERT_EQUAL(s.channel, -1);
	CU_ASSERT_EQUAL(s.delay_ms, 200);
	for (unsigned i = 0; i < 2; i++)
		close(listeners.sockets[i].fd);
	close(gifts.image);
}

static void a_program_that_cannot_be_executed_is_told_at_once(void)
{
	struct listeners none = { .n = 0 };
	struct supervise_gifts gifts = { .image = -1, .audit = -1, .listeners = &none, .reason = "" };
	struct supervise s = { .program = "/nonexistent", .pidfd = -1, .channel = -1, .delay_ms = 100 };
	const char *why = "";
	char how[64];

	CU_ASSERT_EQUAL(supervise_start(&s, NULL, &gifts, &why), -ENOENT);
	supervise_reap(&s, how, sizeof(how));
	CU_ASSERT_EQUAL(s.pid, 0);
	CU_ASSERT_EQUAL(s.pidfd, -1);
}

static void the_delay_grows_to_its_limit(void)
{
	struct supervise s = { .pidfd = -1, .channel = -1, .delay_ms = SUPERVISE_DELAY_MIN_MS };
	char how[64];

	for (unsigned i = 0; i < 20; i++)
		supervise_reap(&s, how, sizeof(how));
	CU_ASSERT_EQUAL(s.delay_ms, SUPERVISE_DELAY_MAX_MS);
	/* One that served for long is started again at once. */
	s.serving = true;
	s.started = -1000;
	supervise_reap(&s, how, sizeof(how));
	CU_ASSERT_EQUAL(s.delay_ms, SUPERVISE_DELAY_MIN_MS);
}

int main(int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{ "the proxy gets everything and says that it serves",
		  the_proxy_gets_everything_and_says_that_it_serves },
		{ "a program that cannot be executed is told at once",
		  a_program_that_cannot_be_executed_is_told_at_once },
		{ "the delay grows to its limit", the_delay_grows_to_its_limit },
		CU_TEST_INFO_NULL,
	};

	if (argc == 2 && strcmp(argv[1], "--supervised") == 0)
		return play_proxy();
	return check_main("sockgated/supervise", tests);
}
