/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * head_scan.h - the little of an HTTP head that the bench must see: where it ends, and a field's value.
 *
 * Trusting and lenient; for the bench's own two ends only.
 */
#ifndef SOCKGATE_BENCH_HEAD_SCAN_H
#define SOCKGATE_BENCH_HEAD_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the head with its empty line, 0 when it is not complete. */
size_t head_scan_end(const char *p, size_t n);

/* The first value of a field, into *ret_len; it points into the head. NULL when the field is absent. */
const char *head_scan_field(const char *head, size_t n, const char *name, size_t *ret_len);

/* Whether that field is there and its value contains `word`, in any case. */
bool head_scan_has(const char *head, size_t n, const char *name, const char *word);

#endif
