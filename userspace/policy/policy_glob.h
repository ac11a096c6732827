/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_glob.h - matches a canonical path against a glob: '*' is any run without '/', '**' any run; both may
 * be empty. Nothing else is special. Time is at most |glob| * |path|, whatever the two are.
 */
#ifndef SOCKGATE_POLICY_GLOB_H
#define SOCKGATE_POLICY_GLOB_H

#include "text/str.h"

#define POLICY_GLOB_MAX 256 /* bytes in a glob */

/*
 * prefix: bytes before the first '*'; suffix: bytes after the last. A glob without '*' has prefix == glob.n.
 * They are kept with the glob (struct image_glob) because they rule out most paths at once.
 */
bool policy_glob_match(struct str glob, size_t prefix, size_t suffix, struct str path);

/* Where a policy is made of Tecnativa's variables, '*' takes A-Z a-z 0-9 _ . - alone, as their rules do. */
bool policy_glob_match_names(struct str glob, size_t prefix, size_t suffix, struct str path);

/*
 * The order of globs in an image, as memcmp() gives one: by literal prefix, bytewise, one before all that it
 * begins; those of one prefix by literal suffix read from its end, likewise. 0: neither tells them apart.
 */
int policy_glob_order(struct str a, size_t a_prefix, size_t a_suffix, struct str b, size_t b_prefix,
		      size_t b_suffix);

#endif
