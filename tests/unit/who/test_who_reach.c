/* SPDX-License-Identifier: BSD-2-Clause */
/* Judging, on a host that is made up: an engine's socket, its processes, and a container. */
#include <stdio.h>

#include "check.h"
#include "who/who_scene.h"

#define PROXY 50

enum { DOCKERD, PROXY_PROCESS, WORKER, MEMBER_PROCESS, IMPOSTOR, ROOT_SHELL, CONTAINED, PROCESSES };

static char exe_dockerd[] = "/usr/bin/dockerd", exe_proxy[] = "/usr/sbin/sockgate-proxy",
	    exe_shell[] = "/bin/sh", exe_impostor[] = "/home/x/dockerd", socket_name[] = "/run/docker.sock";

struct host {
	struct who_scene scene;
	struct who_request request;
	struct who_report report;
	struct who_process processes[PROCESSES];
	struct who_held held[2];
	struct who_view views[2];
	struct who_mount mounts[2];
	struct who_socket socket;
	struct who_target target;
	struct who_place place;
	struct who_node node;
	struct who_unix connection;
	uint32_t docker;
};

static struct who_process process(pid_t pid, uint32_t uid, char *exe)
{
	return (struct who_process){ .pid = pid, .status = { .uid = uid, .gid = uid }, .exe = exe };
}

static void make_host(struct host *h, enum who_gate gate, bool guarded)
{
	memset(h, 0, sizeof(*h));
	h->docker = 107;
	h->processes[DOCKERD] = process(10, 0, exe_dockerd);
	h->processes[PROXY_PROCESS] = process(PROXY, 900, exe_proxy);
	h->processes[WORKER] = process(51, 901, exe_proxy);
	h->processes[WORKER].status.parent = PROXY;
	h->processes[MEMBER_PROCESS] = process(60, 1000, exe_shell);
	h->processes[IMPOSTOR] = process(61, 1001, exe_impostor);
	h->processes[ROOT_SHELL] = process(62, 0, exe_shell);
	h->processes[CONTAINED] = process(63, 0, exe_dockerd);
	h->processes[CONTAINED].view = 1;
	memset(h->processes[CONTAINED].container, 'c', 64);
	for (int i = 0; i < PROCESSES; i++)
		if (i == PROXY_PROCESS || i == MEMBER_PROCESS || i == IMPOSTOR) {
			h->processes[i].status.groups = &h->docker;
			h->processes[i].status.n_groups = 1;
		}
	/* "/" of the host and of the container are different file systems. */
	h->mounts[0] = (struct who_mount){ .dev = 1, .root = STR("/"), .point = STR("/") };
	h->mounts[1] = (struct who_mount){ .dev = 2, .root = STR("/"), .point = STR("/") };
	h->views[0] = (struct who_view){ .mounts = &h->mounts[0], .n_mounts = 1 };
	h->views[1] = (struct who_view){ .mounts = &h->mounts[1], .n_mounts = 1 };
	h->node = (struct who_node){ .mode = 0660, .gid = 107 };
	h->socket = (struct who_socket){ .name = socket_name,
					 .inode = 500,
					 .guarded = guarded,
					 .has_file = true,
					 .mode = 0660,
					 .gid = 107 };
	h->target = (struct who_target){
		.place = &h->place, .access = { &h->node, 1 }, .dev = 1, .file = 7, .has_file = true
	};
	h->held[0] = (struct who_held){ 500, DOCKERD };
	h->request = (struct who_request){ .gate = gate, .proxy = PROXY };
	h->report.sockets = &h->socket;
	h->report.n_sockets = 1;
	h->scene = (struct who_scene){ .request = &h->request,
				       .report = &h->report,
				       .processes = { .items = h->processes,
						      .n = PROCESSES,
						      .held = h->held,
						      .n_held = 1,
						      .own_pid_space = 1,
						      .own_user = 1 },
				       .views = { .items = h->views, .n = 2, .proc = -1 },
				       .targets = &h->target };
}

/* The holder is connected. */
static void connect_process(struct host *h, uint32_t holder)
{
	h->connection = (struct who_unix){ .inode = 600, .peer = 601, .dev = 1, .file = 7, .has_file = true };
	h->scene.diag.unix_sockets = &h->connection;
	h->scene.diag.n_unix = 1;
	h->held[1] = (struct who_held){ 601, holder };
	h->scene.processes.n_held = 2;
}

static void drop(struct host *h)
{
	for (size_t i = 0; i < h->report.n_findings; i++)
		who_finding_release(&h->report.findings[i]);
	free(h->report.findings);
}

/* The verdict on a process by this reach, or -1 where there is no such finding. */
static int verdict_on(const struct host *h, enum who_reach reach, pid_t pid)
{
	for (size_t i = 0; i < h->report.n_findings; i++)
		if (h->report.findings[i].reach == reach && h->report.findings[i].pid == pid)
			return (int)h->report.findings[i].verdict;
	return -1;
}

static void without_a_gate_everybody_but_the_engine_is_open(void)
{
	struct host h;

	make_host(&h, WHO_GATE_NONE, false);
	h.request.proxy = 0;
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_LISTENER, 10), WHO_ENGINE);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_GROUP, 60), WHO_OPEN);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_GROUP, PROXY), WHO_OPEN); /* nobody says that it is marked */
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_ROOT, 0), WHO_OPEN);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_GROUP, 51), -1); /* a worker has no groups */
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_MODE, 0), -1);
	drop(&h);
}

static void behind_a_gate_the_marked_proxy_alone_is_let_in(void)
{
	struct host h;

	make_host(&h, WHO_GATE_ENFORCING, true);
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_GROUP, PROXY), WHO_PROXY);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_GROUP, 60), WHO_SHUT);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_ROOT, 0), WHO_SHUT);
	CU_ASSERT_EQUAL(who_report_count(&h.report, WHO_OPEN), 0);
	drop(&h);
}

static void a_socket_that_the_gate_does_not_guard_is_open(void)
{
	struct host h;

	make_host(&h, WHO_GATE_ENFORCING, false);
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_GROUP, 60), WHO_OPEN);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_ROOT, 0), WHO_OPEN);
	drop(&h);
	make_host(&h, WHO_GATE_UNKNOWN, false);
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_GROUP, 60), WHO_UNKNOWN);
	drop(&h);
}

static void an_open_connection_is_open_behind_a_gate_too(void)
{
	static const struct {
		uint32_t holder;
		pid_t pid;
		enum who_verdict verdict;
	} cases[] = {
		{ MEMBER_PROCESS, 60, WHO_OPEN }, { PROXY_PROCESS, PROXY, WHO_PROXY },
		{ WORKER, 51, WHO_PROXY },        { ROOT_SHELL, 62, WHO_OPEN },
		{ DOCKERD, 10, WHO_ENGINE },
	};
	struct host h;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_host(&h, WHO_GATE_ENFORCING, true);
		connect_process(&h, cases[i].holder);
		CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
		CU_ASSERT_EQUAL(verdict_on(&h, WHO_CONNECTION, cases[i].pid), cases[i].verdict);
		drop(&h);
	}
}

static void a_program_that_is_called_dockerd_is_no_engine(void)
{
	struct host h;

	make_host(&h, WHO_GATE_NONE, false);
	connect_process(&h, IMPOSTOR);
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_CONNECTION, 61), WHO_OPEN);
	drop(&h);
	/* Root in a container is not root where the socket was bound. */
	make_host(&h, WHO_GATE_NONE, false);
	connect_process(&h, CONTAINED);
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_CONNECTION, 63), WHO_OPEN);
	drop(&h);
}

static void a_container_that_sees_the_hosts_processes_is_named(void)
{
	struct host h;

	make_host(&h, WHO_GATE_NONE, false);
	h.processes[CONTAINED].status.capabilities = WHO_SYS_PTRACE;
	h.processes[CONTAINED].user = 1;
	h.processes[CONTAINED].pid_space = 2;
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_HOST, 63), -1);
	drop(&h);
	make_host(&h, WHO_GATE_NONE, false);
	h.processes[CONTAINED].status.capabilities = WHO_SYS_PTRACE;
	h.processes[CONTAINED].user = 1;
	h.processes[CONTAINED].pid_space = 1;
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_HOST, 63), WHO_OPEN);
	drop(&h);
}

static void a_mode_for_everybody_is_one_finding(void)
{
	struct host h;

	make_host(&h, WHO_GATE_NONE, false);
	h.node.mode = 0666;
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	CU_ASSERT_EQUAL(verdict_on(&h, WHO_MODE, 0), WHO_OPEN);
	drop(&h);
}

static void like_processes_are_counted_unless_all_are_wanted(void)
{
	struct host h;

	for (int all = 0; all < 2; all++) {
		make_host(&h, WHO_GATE_NONE, false);
		h.processes[IMPOSTOR].status.uid = 1000;
		h.request.proxy = 0;
		h.request.all = all;
		CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
		CU_ASSERT_EQUAL(verdict_on(&h, WHO_GROUP, 60), WHO_OPEN);
		CU_ASSERT_EQUAL(verdict_on(&h, WHO_GROUP, 61), all ? WHO_OPEN : -1);
		CU_ASSERT_EQUAL(verdict_on(&h, WHO_ROOT, 62), all ? WHO_OPEN : -1);
		drop(&h);
	}
}

static void nothing_that_was_seen_reaches_the_terminal_as_a_command(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	struct host h;

	make_host(&h, WHO_GATE_NONE, false);
	memcpy(h.processes[MEMBER_PROCESS].status.comm, "\x1b[2J\"\n", 7);
	CU_ASSERT_EQUAL_FATAL(who_reach_find(&h.scene), 0);
	who_report_table(&h.report, false, to);
	who_report_json(&h.report, to);
	fclose(to);
	CU_ASSERT_PTR_NULL(strchr(text, '\x1b'));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "?[2J\"?[60]"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"comm\":\"\\u001b[2J\\\"\\u000a\""));
	free(text);
	drop(&h);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "without a gate everybody but the engine is open",
		  without_a_gate_everybody_but_the_engine_is_open },
		{ "behind a gate the marked proxy alone is let in",
		  behind_a_gate_the_marked_proxy_alone_is_let_in },
		{ "a socket that the gate does not guard is open",
		  a_socket_that_the_gate_does_not_guard_is_open },
		{ "an open connection is open behind a gate too",
		  an_open_connection_is_open_behind_a_gate_too },
		{ "a program that is called dockerd is no engine",
		  a_program_that_is_called_dockerd_is_no_engine },
		{ "a container that sees the host's processes is named",
		  a_container_that_sees_the_hosts_processes_is_named },
		{ "a mode for everybody is one finding", a_mode_for_everybody_is_one_finding },
		{ "like processes are counted unless all are wanted",
		  like_processes_are_counted_unless_all_are_wanted },
		{ "nothing that was seen reaches the terminal as a command",
		  nothing_that_was_seen_reaches_the_terminal_as_a_command },
		CU_TEST_INFO_NULL,
	};

	return check_main("who/who_reach", tests);
}
