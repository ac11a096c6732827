/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "run/run_identity.h"

static void one_reads_oneself(void)
{
	struct run_identity own, again;

	CU_ASSERT_EQUAL(run_identity_read((pid_t)syscall(SYS_gettid), &own), 0);
	CU_ASSERT_EQUAL(own.euid, geteuid());
	CU_ASSERT_EQUAL(own.egid, getegid());
	CU_ASSERT_EQUAL((int)own.n_groups, getgroups(0, NULL));
	CU_ASSERT_EQUAL(run_identity_read(getpid(), &again), 0);
	CU_ASSERT_TRUE(run_identity_equal(&own, &again));
	again.fsuid++;
	CU_ASSERT_FALSE(run_identity_equal(&own, &again));
	CU_ASSERT_EQUAL(run_identity_read(-1, &again), -ENOENT);
}

static void whoever_may_become_another_comes_back_as_himself(void)
{
	struct run_identity own, now;
	struct run_identity other = {
		.euid = 65534, .fsuid = 65534, .egid = 65533, .fsgid = 65533, .n_groups = 1
	};

	other.groups[0] = 65532;
	CU_ASSERT_EQUAL(run_identity_read(getpid(), &own), 0);
	if (!run_identity_matters(&own)) {
		/* Then it must not be possible at all. */
		CU_ASSERT_EQUAL(run_identity_enter(&other), -EPERM);
		return;
	}
	CU_ASSERT_EQUAL(run_identity_enter(&other), 0);
	CU_ASSERT_EQUAL(run_identity_read(getpid(), &now), 0);
	CU_ASSERT_TRUE(run_identity_equal(&now, &other));
	run_identity_leave(&own);
	CU_ASSERT_EQUAL(run_identity_read(getpid(), &now), 0);
	CU_ASSERT_TRUE(run_identity_equal(&now, &own));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "one reads oneself", one_reads_oneself },
		{ "whoever may become another comes back as himself",
		  whoever_may_become_another_comes_back_as_himself },
		CU_TEST_INFO_NULL,
	};

	return check_main("run/run_identity", tests);
}
