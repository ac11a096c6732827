/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "worker/deadline.h"

static void the_first_to_expire_is_waited_for(void)
{
	struct deadlines all;
	struct deadline slow, fast;
	enum deadline_class class;

	deadlines_init(&all);
	deadline_init(&slow);
	deadline_init(&fast);
	CU_ASSERT_EQUAL(deadline_timeout(&all, 0), -1);
	deadline_set(&all, &slow, DEADLINE_IDLE, 0);
	CU_ASSERT_EQUAL(deadline_timeout(&all, 0), deadline_milliseconds[DEADLINE_IDLE]);
	deadline_set(&all, &fast, DEADLINE_LINGER, 100);
	CU_ASSERT_EQUAL(deadline_timeout(&all, 200), deadline_milliseconds[DEADLINE_LINGER] - 100);
	CU_ASSERT_PTR_NULL(deadline_expired(&all, 99 + deadline_milliseconds[DEADLINE_LINGER], &class));
	CU_ASSERT_PTR_EQUAL(deadline_expired(&all, 100 + deadline_milliseconds[DEADLINE_LINGER], &class),
			    &fast);
	CU_ASSERT_EQUAL(class, DEADLINE_LINGER);
	CU_ASSERT_EQUAL(fast.class, DEADLINE_NONE);
}

static void setting_again_postpones(void)
{
	struct deadlines all;
	struct deadline a, b;
	enum deadline_class class;
	int64_t head = deadline_milliseconds[DEADLINE_HEAD];

	deadlines_init(&all);
	deadline_init(&a);
	deadline_init(&b);
	deadline_set(&all, &a, DEADLINE_HEAD, 0);
	deadline_set(&all, &b, DEADLINE_HEAD, 1);
	deadline_set(&all, &a, DEADLINE_HEAD, 2);
	CU_ASSERT_PTR_EQUAL(deadline_expired(&all, head + 1, &class), &b);
	CU_ASSERT_PTR_NULL(deadline_expired(&all, head + 1, &class));
	CU_ASSERT_PTR_EQUAL(deadline_expired(&all, head + 2, &class), &a);
}

static void clearing_twice_is_harmless(void)
{
	struct deadlines all;
	struct deadline a;

	deadlines_init(&all);
	deadline_init(&a);
	deadline_clear(&a);
	deadline_set(&all, &a, DEADLINE_BODY, 0);
	deadline_clear(&a);
	deadline_clear(&a);
	CU_ASSERT_EQUAL(deadline_timeout(&all, 0), -1);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the first to expire is waited for", the_first_to_expire_is_waited_for },
		{ "setting again postpones", setting_again_postpones },
		{ "clearing twice is harmless", clearing_twice_is_harmless },
		CU_TEST_INFO_NULL,
	};

	return check_main("worker/deadline", tests);
}
