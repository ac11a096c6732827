/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_units.h"

#include "check.h"

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void containers_of_every_runtime_are_found(void)
{
	static const struct {
		struct str text;
		const char *container, *runtime, *unit;
	} cases[] = {
		/* cgroup2 with systemd, and without */
		{ STR("0::/system.slice/docker-" ID ".scope\n"), ID, "docker", "docker-" ID ".scope" },
		{ STR("0::/docker/" ID "\n"), ID, "docker", "" },
		{ STR("0::/machine.slice/libpod-" ID ".scope/container\n"), ID, "libpod",
		  "libpod-" ID ".scope" },
		{ STR("0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n"),
		  ID, "libpod", "libpod-" ID ".scope" },
		{ STR("0::/libpod_parent/libpod-" ID "\n"), ID, "libpod", "" },
		{ STR("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope\n"), ID,
		  "cri-containerd", "cri-containerd-" ID ".scope" },
		{ STR("0::/kubepods/besteffort/pod1/" ID "\n"), ID, "", "" },
		{ STR("0::/kubepods.slice/crio-" ID ".scope\n"), ID, "crio", "crio-" ID ".scope" },
		{ STR("0::/docker/" ID "/init.scope\n"), ID, "docker", "init.scope" },
		/* one inside another: the inner one */
		{ STR("0::/docker/" ID "/docker/" ID2 "\n"), ID2, "docker", "" },
		/* cgroup1: in some controllers only, cgroup2 beside it empty */
		{ STR("12:pids:/docker/" ID "\n1:name=systemd:/docker/" ID "\n0::/\n"), ID, "docker", "" },
		{ STR("4:memory:/docker/" ID "\n1:name=systemd:/\n0::/system.slice/containerd.service\n"), ID,
		  "docker", "containerd.service" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct who_unit unit;

		who_units_find(cases[i].text, &unit);
		CU_ASSERT_TRUE(str_eqz(unit.container, cases[i].container));
		CU_ASSERT_TRUE(str_eqz(unit.runtime, cases[i].runtime));
		CU_ASSERT_TRUE(str_eqz(unit.unit, cases[i].unit));
	}
}

static void what_only_looks_like_one_is_no_container(void)
{
	static const struct str cases[] = {
		STR("0::/machine.slice/libpod-conmon-" ID ".scope\n"), /* the supervisor is on the host */
		STR("0::/system.slice/crio-conmon-" ID ".scope\n"),
		STR("0::/docker/" ID "0\n"),
		STR("0::/docker/x" ID "\n"),
		STR("0::/docker/" ID "x\n"),
		STR("0::/docker/-" ID "\n"),
		STR("0::/docker/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF\n"),
		STR("0::/docker/0123\n"),
		STR("nonsense\n"),
		STR(ID),
		STR(""),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct who_unit unit;

		who_units_find(cases[i], &unit);
		CU_ASSERT_EQUAL(unit.container.n, 0);
	}
}

static void units_are_systemds(void)
{
	static const struct {
		struct str text;
		const char *unit;
	} cases[] = {
		{ STR("0::/system.slice/docker.service\n"), "docker.service" },
		{ STR("0::/system.slice/docker.socket\n"), "docker.socket" },
		{ STR("0::/user.slice/user-1000.slice/session-3.scope\n"), "session-3.scope" },
		{ STR("0::/user.slice/user-1000.slice/user@1000.service/app.slice/podman.service\n"),
		  "podman.service" },
		{ STR("5:memory:/odd.service\n1:name=systemd:/system.slice/ssh.service\n"), "ssh.service" },
		{ STR("5:memory:/odd.service\n"), "" },
		{ STR("0::/user.slice\n"), "" },
		{ STR("0::/\n"), "" },
		{ STR("0::/.service\n"), "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct who_unit unit;

		who_units_find(cases[i].text, &unit);
		CU_ASSERT_TRUE(str_eqz(unit.unit, cases[i].unit));
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "containers of every runtime are found", containers_of_every_runtime_are_found },
		{ "what only looks like one is no container", what_only_looks_like_one_is_no_container },
		{ "units are systemd's", units_are_systemds },
		CU_TEST_INFO_NULL,
	};

	return check_main("who/who_units", tests);
}
