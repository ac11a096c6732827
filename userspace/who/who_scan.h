/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * who_scan.h - takes the text of /proc apart: lines, fields, numbers. Pure; slices point into the caller's
 * text.
 *
 * Processes choose their own names and mounts theirs, so nothing in that text is trusted to be well-formed: a
 * reader of a format refuses what it does not know instead of skipping it.
 */
#ifndef SOCKGATE_WHO_SCAN_H
#define SOCKGATE_WHO_SCAN_H

#include <stdint.h>

#include "text/str.h"

/* Takes the next line off `rest`, without its newline. False when there is none. */
bool who_scan_line(struct str *rest, struct str *ret);
/* Takes what stands before the next `separator`, or all that is left. False when nothing is left. */
bool who_scan_until(struct str *rest, char separator, struct str *ret);
/* Takes the next word; blanks and tabs separate. False when there is none. */
bool who_scan_word(struct str *rest, struct str *ret);
/* All of `s` is a number in base 8, 10 or 16, without sign or prefix, and at most `max`. */
bool who_scan_number(struct str s, unsigned base, uint64_t max, uint64_t *ret);
/* "net:[4026531840]", as the links in /proc/PID/ns and of sockets in /proc/PID/fd read. */
bool who_scan_link(struct str link, const char *kind, uint64_t *ret);

/*
 * Makes room for one more element in a growing array of elements of `size` bytes. Returns 0, -ENOMEM, or
 * -E2BIG where there are `max` already.
 */
int who_scan_grow(void **items, size_t *cap, size_t n, size_t size, size_t max);

#endif
