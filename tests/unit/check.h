/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - the main() of every unit test.
 *
 * CUnit's own run function returns 0 when assertions fail, so the exit status is taken from its counters,
 * and a run in which no test ran has failed.
 */
#ifndef SOCKGATE_TESTS_CHECK_H
#define SOCKGATE_TESTS_CHECK_H

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

static inline int check_main(const char *suite, CU_TestInfo *tests)
{
	CU_SuiteInfo suites[] = { { suite, NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned bad;

	if (CU_initialize_registry() || CU_register_suites(suites))
		return EXIT_FAILURE;
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	bad = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
	bad += CU_get_number_of_tests_run() == 0;
	CU_cleanup_registry();
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
