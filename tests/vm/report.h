/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - one JSON line for each thing that was tried in a guest, and the gate's counters to check it by.
 *
 * A refusal counts only if the gate's own counter moved: one by another layer is a failed test.
 */
#ifndef SOCKGATE_TESTS_VM_REPORT_H
#define SOCKGATE_TESTS_VM_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gate_shared.h"

struct report_counters {
	bool present; /* false: there is no gate */
	uint64_t sum[GATE_COUNTERS];
};

/* Reads the pinned counters, with bpf(2) itself: nothing of ours but the layout is trusted here. */
void report_counters(struct report_counters *ret);

/*
 * By how many `counter` moved between the two, and the hook that it stands for ("" when it did not). Counter
 * 0 is for connects, which are refused in either of two places.
 */
uint64_t report_moved(const struct report_counters *before, const struct report_counters *after,
		      unsigned counter, const char **hook);

/* Prints the line. Returns whether it was fine. */
bool report_line(FILE *to, const char *attack, const char *position, const char *expected, const char *got,
		 const char *hook, bool ok);

/* "EPERM", "0", … for an errno; negative: the attack itself could not be made. */
const char *report_errno(int error);

#endif
