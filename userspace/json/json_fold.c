/* SPDX-License-Identifier: BSD-2-Clause */
#include "json/json_body.h"

/*
 * The next character of a name under Go's folding (encoding/json foldName(), unicode.SimpleFold): letters of
 * ASCII without case, and the two characters outside ASCII that fold into it. Any other byte stands for
 * itself.
 */
static unsigned char fold_next(struct str *name)
{
	unsigned char c = (unsigned char)name->p[0];
	size_t n = 1;

	if (name->n >= 2 && memcmp(name->p, "\xc5\xbf", 2) == 0) { /* U+017F, long s */
		c = 's';
		n = 2;
	} else if (name->n >= 3 && memcmp(name->p, "\xe2\x84\xaa", 3) == 0) { /* U+212A, Kelvin sign */
		c = 'k';
		n = 3;
	} else if (c >= 'A' && c <= 'Z') {
		c |= 0x20;
	}
	name->p += n;
	name->n -= n;
	return c;
}

bool json_fold_equal(struct str name, const char *field)
{
	struct str f = str_from(field);

	while (name.n && f.n)
		if (fold_next(&name) != fold_next(&f))
			return false;
	return name.n == 0 && f.n == 0;
}
