/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_inspect_match.h - whether a value is among those that a key lists.
 *
 * In a list "*" alone stands for anything; elsewhere "*" matches within a "/"-separated part and "**" across
 * parts.
 */
#ifndef SOCKGATE_POLICY_INSPECT_MATCH_H
#define SOCKGATE_POLICY_INSPECT_MATCH_H

#include "policy/policy_image.h"

/* Walks the strings of a key; the compiler has filled in the default where the policy says nothing. */
struct inspect_list {
	const struct policy_image *image;
	const struct image_str *next;
	uint32_t left;
};

struct inspect_list inspect_list_of(const struct policy_image *image, const struct image_policy *policy,
				    enum policy_key key);
bool inspect_list_next(struct inspect_list *list, struct str *ret);

bool inspect_glob(struct str pattern, struct str text);
/* inspect_glob(), with "*" alone for anything. */
bool inspect_matches(struct str pattern, struct str text);

bool inspect_listed(const struct policy_image *image, const struct image_policy *policy, enum policy_key key,
		    struct str text);
/* A pair against entries "name" (any value) and "name=value". */
bool inspect_pair_listed(const struct policy_image *image, const struct image_policy *policy,
			 enum policy_key key, struct str name, struct str value);
/* Whether "*" is in the list: no limit at all. */
bool inspect_unlimited(const struct policy_image *image, const struct image_policy *policy,
		       enum policy_key key);

/* Splits at the first `at`; false, and all in *ret_head, where there is none. */
bool inspect_split(struct str s, char at, struct str *ret_head, struct str *ret_tail);
/* A decimal number of at most 9 digits. */
bool inspect_decimal(struct str s, uint32_t *ret);
/* "80" or "80-90". */
bool inspect_range(struct str s, uint32_t *ret_first, uint32_t *ret_last);
/* Whether an address or a CIDR range (IPv4 or IPv6) lies wholly in the CIDR range `outer`. */
bool inspect_within_subnet(struct str inner, struct str outer);

#endif
