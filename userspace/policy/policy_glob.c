/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_glob.h"

#include <assert.h>

/* Marks where a '*' or '**' at `at` may be empty: the place after it can be reached as well. */
static void reach(struct str glob, size_t at, bool *places)
{
	places[at] = true;
	while (at < glob.n && glob.p[at] == '*') {
		at += at + 1 < glob.n && glob.p[at + 1] == '*' ? 2 : 1;
		places[at] = true;
	}
}

/* What a container can be called, as Tecnativa's rules spell it. */
static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '.' || c == '-';
}

static bool star_takes(char c, bool names)
{
	return names ? is_name_byte(c) : c != '/';
}

static bool star_takes_all(struct str text, bool names)
{
	for (size_t i = 0; i < text.n; i++)
		if (!star_takes(text.p[i], names))
			return false;
	return true;
}

/* Whether what stands between the stars occurs in the text, in that order: what most globs fail on, and
 * cheap. */
static bool has_pieces(struct str glob, struct str text)
{
	for (size_t at = 0, n; at < glob.n; at += n) {
		const char *found;

		n = 1;
		if (glob.p[at] == '*')
			continue;
		while (at + n < glob.n && glob.p[at + n] != '*')
			n++;
		found = text.n ? memmem(text.p, text.n, glob.p + at, n) : NULL;
		if (!found)
			return false;
		text.n -= (size_t)(found - text.p) + n;
		text.p = found + n;
	}
	return true;
}

/*
 * Several stars: all places in the glob that the text read so far can lead to, byte by byte. Backtracking
 * would be shorter and, for a path that a client chose, quadratic or worse.
 */
static bool match_stars(struct str glob, struct str text, bool names)
{
	bool now[POLICY_GLOB_MAX + 1] = { false }, next[POLICY_GLOB_MAX + 1];

	reach(glob, 0, now);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		memset(next, 0, glob.n + 1);
		for (size_t at = 0; at < glob.n; at++) {
			if (!now[at])
				continue;
			if (glob.p[at] != '*') {
				if (glob.p[at] == c)
					reach(glob, at + 1, next);
			} else if (star_takes(c, names) || (at + 1 < glob.n && glob.p[at + 1] == '*')) {
				reach(glob, at, next);
			}
		}
		memcpy(now, next, glob.n + 1);
	}
	return now[glob.n];
}

static bool match(struct str glob, size_t prefix, size_t suffix, struct str path, bool names)
{
	struct str stars, text;

	assert(glob.n <= POLICY_GLOB_MAX && prefix <= glob.n && suffix <= glob.n - prefix);
	if (path.n < prefix + suffix || memcmp(glob.p, path.p, prefix) != 0)
		return false;
	if (prefix == glob.n)
		return path.n == glob.n;
	if (suffix && memcmp(glob.p + glob.n - suffix, path.p + path.n - suffix, suffix) != 0)
		return false;
	stars = (struct str){ glob.p + prefix, glob.n - prefix - suffix };
	text = (struct str){ path.p + prefix, path.n - prefix - suffix };
	if (stars.n == 1)
		return star_takes_all(text, names);
	if (stars.n == 2)
		return true;
	return has_pieces(stars, text) && match_stars(stars, text, names);
}

bool policy_glob_match(struct str glob, size_t prefix, size_t suffix, struct str path)
{
	return match(glob, prefix, suffix, path, false);
}

bool policy_glob_match_names(struct str glob, size_t prefix, size_t suffix, struct str path)
{
	return match(glob, prefix, suffix, path, true);
}

int policy_glob_order(struct str a, size_t a_prefix, size_t a_suffix, struct str b, size_t b_prefix,
		      size_t b_suffix)
{
	size_t n = a_prefix < b_prefix ? a_prefix : b_prefix;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order == 0 && a_prefix != b_prefix)
		order = a_prefix < b_prefix ? -1 : 1;
	n = a_suffix < b_suffix ? a_suffix : b_suffix;
	for (size_t i = 1; order == 0 && i <= n; i++)
		order = (unsigned char)a.p[a.n - i] - (unsigned char)b.p[b.n - i];
	if (order == 0 && a_suffix != b_suffix)
		order = a_suffix < b_suffix ? -1 : 1;
	return order;
}
