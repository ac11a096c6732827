/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_scan.h"

#include <errno.h>
#include <stdlib.h>

bool who_scan_until(struct str *rest, char separator, struct str *ret)
{
	const char *end;

	if (!rest->n)
		return false;
	end = memchr(rest->p, separator, rest->n);
	*ret = (struct str){ rest->p, end ? (size_t)(end - rest->p) : rest->n };
	rest->p += ret->n + (end != NULL);
	rest->n -= ret->n + (end != NULL);
	return true;
}

bool who_scan_line(struct str *rest, struct str *ret)
{
	return who_scan_until(rest, '\n', ret);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool who_scan_word(struct str *rest, struct str *ret)
{
	size_t n = 0;

	while (rest->n && is_blank(*rest->p)) {
		rest->p++;
		rest->n--;
	}
	while (n < rest->n && !is_blank(rest->p[n]))
		n++;
	if (!n)
		return false;
	*ret = (struct str){ rest->p, n };
	rest->p += n;
	rest->n -= n;
	return true;
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return UINT32_MAX;
}

bool who_scan_number(struct str s, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = digit(s.p[i]);

		if (d >= base || d > max || value > (max - d) / base)
			return false;
		value = value * base + d;
	}
	*ret = value;
	return true;
}

bool who_scan_link(struct str link, const char *kind, uint64_t *ret)
{
	size_t n = strlen(kind);

	if (link.n < n + 4 || memcmp(link.p, kind, n) != 0 || memcmp(link.p + n, ":[", 2) != 0 ||
	    link.p[link.n - 1] != ']')
		return false;
	return who_scan_number((struct str){ link.p + n + 2, link.n - n - 3 }, 10, UINT64_MAX, ret);
}

int who_scan_grow(void **items, size_t *cap, size_t n, size_t size, size_t max)
{
	size_t wanted = *cap ? 2 * *cap : 64;
	void *larger;

	if (n < *cap)
		return 0;
	if (n >= max)
		return -E2BIG;
	larger = reallocarray(*items, wanted, size);
	if (!larger)
		return -ENOMEM;
	*items = larger;
	*cap = wanted;
	return 0;
}
