/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "check.h"
#include "gate/gate_parse.h"

static void an_lsm_counts_only_as_a_whole_word(void)
{
	static const struct {
		struct str list;
		bool active;
	} cases[] = {
		{ STR("lockdown,capability,landlock,yama,apparmor,tomoyo,bpf"), true },
		{ STR("lockdown,capability,bpf,ipe,ima\n"), true },
		{ STR("bpf"), true },
		{ STR("bpf\n"), true },
		{ STR("lockdown,capability,yama,apparmor,tomoyo"), false },
		{ STR("lockdown,bpflock,capability"), false },
		{ STR("ebpf,capability"), false },
		{ STR(""), false },
		{ STR(","), false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(gate_parse_lsm_active(cases[i].list, "bpf"), cases[i].active);
}

static void effective_capabilities_are_read_from_their_own_line(void)
{
	CU_ASSERT_EQUAL(gate_parse_capabilities(
				STR("Name:\tx\nCapPrm:\t0000000000000001\nCapEff:\t000001ffffffffff\n")),
			UINT64_C(0x1ffffffffff));
	CU_ASSERT_EQUAL(gate_parse_capabilities(
				STR("Name:\tx\nCapEff:\t00000000000000aB\nCapBnd:\t00000000000000ff\n")),
			UINT64_C(0xab));
	CU_ASSERT_EQUAL(gate_parse_capabilities(STR("Name:\tCapEff:\t00000000000000ff\n")), UINT64_C(0));
	CU_ASSERT_EQUAL(gate_parse_capabilities(STR("")), UINT64_C(0));
	/* Cut off in the middle: what is there counts, nothing beyond the end is read. */
	CU_ASSERT_EQUAL(gate_parse_capabilities((struct str){ "x\nCapEff:\t1234", 12 }), UINT64_C(0x12));
}

static void a_socket_splits_into_directory_and_padded_name(void)
{
	uint64_t name[GATE_NAME_MAX / 8];
	struct str directory;
	char expected[GATE_NAME_MAX] = "docker.sock";

	memset(name, 0xff, sizeof(name));
	CU_ASSERT_EQUAL(gate_parse_socket(STR("/run/docker.sock"), &directory, name), 0);
	CU_ASSERT_TRUE(str_eqz(directory, "/run"));
	CU_ASSERT_EQUAL(memcmp(name, expected, sizeof(name)), 0);
	CU_ASSERT_EQUAL(gate_parse_socket(STR("/docker.sock"), &directory, name), 0);
	CU_ASSERT_TRUE(str_eqz(directory, "/"));
}

static void what_cannot_be_guarded_is_refused(void)
{
	char longest[80] = "/run/";
	uint64_t name[GATE_NAME_MAX / 8];
	struct str directory = STR("untouched");

	CU_ASSERT_EQUAL(gate_parse_socket(STR(""), &directory, name), -EINVAL);
	CU_ASSERT_EQUAL(gate_parse_socket(STR("docker.sock"), &directory, name), -EINVAL);
	CU_ASSERT_EQUAL(gate_parse_socket(STR("@docker"), &directory, name), -EINVAL);
	CU_ASSERT_EQUAL(gate_parse_socket(STR("/run/"), &directory, name), -EINVAL);
	CU_ASSERT_EQUAL(gate_parse_socket(STR("/run/.."), &directory, name), -EINVAL);
	memset(longest + 5, 'x', 63);
	CU_ASSERT_EQUAL(gate_parse_socket(str_from(longest), &directory, name), -ENAMETOOLONG);
	CU_ASSERT_TRUE(str_eqz(directory, "untouched"));
	longest[5 + 62] = '\0';
	CU_ASSERT_EQUAL(gate_parse_socket(str_from(longest), &directory, name), 0);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "an LSM counts only as a whole word", an_lsm_counts_only_as_a_whole_word },
		{ "effective capabilities are read from their own line",
		  effective_capabilities_are_read_from_their_own_line },
		{ "a socket splits into directory and padded name",
		  a_socket_splits_into_directory_and_padded_name },
		{ "what cannot be guarded is refused", what_cannot_be_guarded_is_refused },
		CU_TEST_INFO_NULL,
	};

	return check_main("gate/gate_parse", tests);
}
