/* SPDX-License-Identifier: BSD-2-Clause */
#include "head_scan.h"

#include <string.h>
#include <strings.h>

size_t head_scan_end(const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);

	return end ? (size_t)(end - p) + 4 : 0;
}

const char *head_scan_field(const char *head, size_t n, const char *name, size_t *ret_len)
{
	const char *p = head, *end = head + n;
	size_t name_len = strlen(name);

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		const char *eol;

		p++;
		if ((size_t)(end - p) <= name_len || p[name_len] != ':' ||
		    strncasecmp(p, name, name_len) != 0)
			continue;
		p += name_len + 1;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		eol = memchr(p, '\r', (size_t)(end - p));
		*ret_len = eol ? (size_t)(eol - p) : 0;
		return p;
	}
	return NULL;
}

bool head_scan_has(const char *head, size_t n, const char *name, const char *word)
{
	size_t len, word_len = strlen(word);
	const char *value = head_scan_field(head, n, name, &len);

	for (size_t i = 0; value && i + word_len <= len; i++)
		if (!strncasecmp(value + i, word, word_len))
			return true;
	return false;
}
