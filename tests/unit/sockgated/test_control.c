/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/control.h"

#include <errno.h>
#include <unistd.h>

#include "check.h"
#include "json/json_body.h"

/* A control with one client; the other end is in *ret_peer. */
static struct control one_client(int *ret_peer)
{
	struct control control = { .listener = -1 };
	int pair[2];

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		control.clients[i].fd = -1;
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	control.clients[0].fd = pair[0];
	*ret_peer = pair[1];
	return control;
}

static void say(int peer, const char *text)
{
	CU_ASSERT_EQUAL(send(peer, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void known_commands_are_read(void)
{
	static const struct {
		const char *line;
		enum control_command command;
	} cases[] = {
		{ "{\"command\":\"status\"}\n", CONTROL_STATUS },
		{ " { \"command\" : \"gate-on\" } \n", CONTROL_GATE_ON },
		{ "{\"command\":\"gate-off\"}\n", CONTROL_GATE_OFF },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum control_command command = (enum control_command)99;
		int peer;
		struct control control = one_client(&peer);

		say(peer, cases[i].line);
		CU_ASSERT_EQUAL(control_read(&control, 0, &command), 1);
		CU_ASSERT_EQUAL(command, cases[i].command);
		control_close(&control, 0);
		close(peer);
	}
}

static void anything_else_is_answered_with_an_error(void)
{
	static const char *const lines[] = {
		"\n",
		"status\n",
		"{}\n",
		"[\"status\"]\n",
		"\"status\"\n",
		"{\"command\":\"reboot\"}\n",
		"{\"command\":1}\n",
		"{\"Command\":\"status\"}\n",
		"{\"command\":\"status\",\"more\":1}\n",
		"{\"command\":\"status\",\"command\":\"gate-off\"}\n",
		"{\"command\":\"status\"\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		enum control_command command = (enum control_command)99;
		char answer[256] = "";
		int peer;
		struct control control = one_client(&peer);

		say(peer, lines[i]);
		CU_ASSERT_TRUE(control_read(&control, 0, &command) < 0);
		CU_ASSERT_EQUAL(command, (enum control_command)99);
		CU_ASSERT_TRUE(recv(peer, answer, sizeof(answer) - 1, 0) > 0);
		CU_ASSERT_TRUE(strncmp(answer, "{\"error\":", 9) == 0);
		control_close(&control, 0);
		close(peer);
	}
}

static void a_request_may_come_in_pieces_but_not_without_end(void)
{
	enum control_command command;
	char filler[CONTROL_REQUEST_MAX + 1];
	int peer;
	struct control control = one_client(&peer);

	CU_ASSERT_EQUAL(control_read(&control, 0, &command), 0);
	say(peer, "{\"command\":");
	CU_ASSERT_EQUAL(control_read(&control, 0, &command), 0);
	say(peer, "\"status\"}\n");
	CU_ASSERT_EQUAL(control_read(&control, 0, &command), 1);
	control_close(&control, 0);
	close(peer);

	control = one_client(&peer);
	memset(filler, 'x', CONTROL_REQUEST_MAX);
	filler[CONTROL_REQUEST_MAX] = '\0';
	say(peer, filler);
	CU_ASSERT_EQUAL(control_read(&control, 0, &command), -EMSGSIZE);
	control_close(&control, 0);
	close(peer);
}

static void a_client_that_left_or_says_nothing_is_closed(void)
{
	enum control_command command;
	int peer;
	struct control control = one_client(&peer);

	close(peer);
	CU_ASSERT_EQUAL(control_read(&control, 0, &command), -EPIPE);
	control_close(&control, 0);

	control = one_client(&peer);
	for (unsigned i = 0; i < 10; i++)
		control_tick(&control);
	CU_ASSERT_EQUAL(control.clients[0].fd, -1);
	close(peer);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "known commands are read", known_commands_are_read },
		{ "anything else is answered with an error", anything_else_is_answered_with_an_error },
		{ "a request may come in pieces, but not without end",
		  a_request_may_come_in_pieces_but_not_without_end },
		{ "a client that left or says nothing is closed",
		  a_client_that_left_or_says_nothing_is_closed },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("sockgated/control", tests);
}
