/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/process_facts.h"

#include <fcntl.h>
#include <unistd.h>

#include "check.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_container_is_found_in_every_usual_cgroup(void)
{
	static const struct {
		struct str cgroup;
		const char *id;
	} cases[] = {
		{ STR("/system.slice/docker-" ID ".scope"), ID },
		{ STR("/docker/" ID), ID },
		{ STR("/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope"), ID },
		{ STR("/docker/" ID "/init.scope"), ID },
		{ STR("/system.slice/ssh.service"), "" },
		{ STR("/docker/" ID "0"), "" },
		{ STR("/docker/x" ID), "" },
		{ STR("/docker/" ID "x"), "" },
		{ STR(""), "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_TRUE(str_eqz(process_facts_container(cases[i].cgroup), cases[i].id));
}

static void cgroup2_comes_before_cgroup1(void)
{
	CU_ASSERT_TRUE(str_eqz(process_facts_cgroup(STR("12:pids:/a\n1:name=systemd:/b\n0::/c\n")), "/c"));
	CU_ASSERT_TRUE(str_eqz(process_facts_cgroup(STR("12:pids:/a\n1:name=systemd:/b\n")), "/a"));
	CU_ASSERT_TRUE(str_eqz(process_facts_cgroup(STR("0::/with:colon")), "/with:colon"));
	CU_ASSERT_TRUE(str_eqz(process_facts_cgroup(STR("nonsense\n")), ""));
	CU_ASSERT_TRUE(str_eqz(process_facts_cgroup(STR("")), ""));
}

static void the_start_time_is_found_behind_any_name(void)
{
	CU_ASSERT_EQUAL(
		process_facts_start(STR("1 (a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 4711 23")),
		4711);
	CU_ASSERT_EQUAL(process_facts_start(
				STR("1 (a) 9 (b) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23")),
			22);
	CU_ASSERT_EQUAL(process_facts_start(STR("1 (a")), 0);
	CU_ASSERT_EQUAL(process_facts_start(STR("")), 0);
}

static void a_process_that_is_another_by_now_tells_nothing(void)
{
	struct process_facts facts;
	char text[2048];
	ssize_t n;
	int dir = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	uint64_t start, tick = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);

	CU_ASSERT_TRUE_FATAL(dir >= 0);
	n = read(dir, text, sizeof(text));
	CU_ASSERT_TRUE_FATAL(n > 0);
	start = process_facts_start((struct str){ text, (size_t)n });
	close(dir);
	process_facts_read(getpid(), start * tick + 1, &facts);
	CU_ASSERT_TRUE(strstr(facts.exe, "test_process_facts") != NULL);
	process_facts_read(getpid(), (start + 1) * tick, &facts);
	CU_ASSERT_STRING_EQUAL(facts.exe, "");
	CU_ASSERT_STRING_EQUAL(facts.cgroup, "");
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a container is found in every usual cgroup", a_container_is_found_in_every_usual_cgroup },
		{ "cgroup2 comes before cgroup1", cgroup2_comes_before_cgroup1 },
		{ "the start time is found behind any name", the_start_time_is_found_behind_any_name },
		{ "a process that is another by now tells nothing",
		  a_process_that_is_another_by_now_tells_nothing },
		CU_TEST_INFO_NULL,
	};

	return check_main("sockgated/process_facts", tests);
}
