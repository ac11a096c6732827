/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define REST "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t000001ffffffffff\n"

static void a_status_tells_who_accesses_files(void)
{
	struct who_status status;
	struct str text =
		STR("Name:\tev:il\\nUid: 0\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t7\nPPid:\t12\n"
		    "Uid:\t1000\t1001\t1002\t1003\nGid:\t1\t2\t3\t4\nGroups:\t27 107 4294967294 \n"
		    "NSpid:\t7\n" REST);

	CU_ASSERT_EQUAL_FATAL(who_status_parse(text, &status), 0);
	CU_ASSERT_EQUAL(status.uid, 1003);
	CU_ASSERT_EQUAL(status.gid, 4);
	CU_ASSERT_EQUAL(status.parent, 12);
	CU_ASSERT_EQUAL(status.capabilities, 0x1ffffffffff);
	CU_ASSERT_FALSE(status.zombie);
	CU_ASSERT_EQUAL_FATAL(status.n_groups, 3);
	CU_ASSERT_EQUAL(status.groups[0], 27);
	CU_ASSERT_EQUAL(status.groups[1], 107);
	CU_ASSERT_EQUAL(status.groups[2], 4294967294);
	CU_ASSERT_STRING_EQUAL(status.comm, "ev:il\\nUid: 0");
	free(status.groups);
}

static void a_process_may_have_no_groups(void)
{
	struct who_status status;

	CU_ASSERT_EQUAL_FATAL(
		who_status_parse(STR("Name:\tx\nState:\tZ (zombie)\nPPid:\t0\nUid:\t0\t0\t0\t0\n"
				     "Gid:\t0\t0\t0\t0\nGroups:\t \n" REST),
				 &status),
		0);
	CU_ASSERT_EQUAL(status.n_groups, 0);
	CU_ASSERT_PTR_NULL(status.groups);
	CU_ASSERT_TRUE(status.zombie);
}

static void a_status_that_is_not_understood_is_refused(void)
{
	static const struct str cases[] = {
		STR(""),
		STR("no colon\n"),
		STR("PPid:\t1\nUid:\t0\t0\t0\nGid:\t0\t0\t0\t0\n" REST),
		STR("PPid:\t1\nUid:\t0\t0\t0\t-1\nGid:\t0\t0\t0\t0\n" REST),
		STR("PPid:\t1\nUid:\t0\t0\t0\t4294967296\nGid:\t0\t0\t0\t0\n" REST),
		STR("PPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t1 x\n" REST),
		STR("PPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t1\nGroups:\t2\n" REST),
		STR("PPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"),
		STR("Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n" REST),
		STR("PPid:\t1\nUid:\t0\t0\t0\t0\n" REST),
	};
	struct who_status status;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(who_status_parse(cases[i], &status), -EBADMSG);
}

static void a_program_is_named_by_its_file(void)
{
	char dockerd[] = "/usr/bin/dockerd", replaced[] = "/usr/bin/dockerd (deleted)";
	struct who_process process = { .exe = dockerd, .status = { .comm = "evil" } };

	CU_ASSERT_TRUE(str_eqz(who_process_program(&process), "dockerd"));
	process.exe = replaced;
	CU_ASSERT_TRUE(str_eqz(who_process_program(&process), "dockerd"));
	process.exe = NULL;
	CU_ASSERT_TRUE(str_eqz(who_process_program(&process), "evil"));
}

/* A child that holds one end of a socket pair, and a pipe to end it by. */
static void a_child_and_its_socket_are_seen(void)
{
	struct who_report report = { 0 };
	struct who_processes all;
	int ends[2], pipes[2], proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t first, n;
	struct stat st;
	pid_t child;
	char byte;

	CU_ASSERT_TRUE_FATAL(proc >= 0);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
	CU_ASSERT_EQUAL_FATAL(fstat(ends[0], &st), 0);
	child = fork();
	if (child == 0) {
		close(pipes[1]);
		_exit(read(pipes[0], &byte, 1) == 0 ? 0 : 1);
	}
	CU_ASSERT_TRUE_FATAL(child > 0);
	CU_ASSERT_EQUAL_FATAL(who_processes_scan(proc, &report, &all), 0);
	n = who_processes_holders(&all, st.st_ino, &first);
	/* This process holds it too, and is left out. */
	CU_ASSERT_EQUAL_FATAL(n, 1);
	CU_ASSERT_EQUAL(all.items[all.held[first].process].pid, child);
	CU_ASSERT_EQUAL(all.items[all.held[first].process].status.parent, getpid());
	CU_ASSERT_EQUAL(all.items[all.held[first].process].status.uid, geteuid());
	CU_ASSERT_TRUE(
		str_eqz(who_process_program(&all.items[all.held[first].process]), "test_who_processes"));
	CU_ASSERT_EQUAL(who_processes_holders(&all, UINT64_MAX, &first), 0);
	who_processes_free(&all);
	close(pipes[1]);
	CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
	close(pipes[0]);
	close(ends[0]);
	close(ends[1]);
	close(proc);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a status tells who accesses files", a_status_tells_who_accesses_files },
		{ "a process may have no groups", a_process_may_have_no_groups },
		{ "a status that is not understood is refused", a_status_that_is_not_understood_is_refused },
		{ "a program is named by its file", a_program_is_named_by_its_file },
		{ "a child and its socket are seen", a_child_and_its_socket_are_seen },
		CU_TEST_INFO_NULL,
	};

	return check_main("who/who_processes", tests);
}
