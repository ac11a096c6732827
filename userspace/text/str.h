/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * str.h - a slice of bytes that somebody else owns.
 *
 * A struct str never owns memory and is never assumed to end in NUL. Whoever hands one out says in its own
 * header how long the bytes stay valid.
 */
#ifndef SOCKGATE_TEXT_STR_H
#define SOCKGATE_TEXT_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_from(const char *z)
{
	return (struct str){ z, z ? strlen(z) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_eqz(struct str a, const char *z)
{
	return str_eq(a, str_from(z));
}

/* ASCII case-insensitive: for HTTP field names and tokens, never for Docker's paths or names. */
static inline bool str_ieqz(struct str a, const char *z)
{
	return a.n == strlen(z) && strncasecmp(a.p, z, a.n) == 0;
}

static inline bool str_starts(struct str a, struct str prefix)
{
	return a.n >= prefix.n && memcmp(a.p, prefix.p, prefix.n) == 0;
}

#endif
