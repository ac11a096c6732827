/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/buf.h"

#include <stdio.h>

void buf_append(struct buf *b, const void *bytes, size_t n)
{
	if (b->overflow || n > b->cap - b->n) {
		b->overflow = true;
		return;
	}
	if (n)
		memcpy(b->p + b->n, bytes, n);
	b->n += n;
}

void buf_str(struct buf *b, struct str s)
{
	buf_append(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *z)
{
	buf_append(b, z, strlen(z));
}

void buf_putc(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_append(b, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n;

	if (b->overflow)
		return;
	va_start(args, format);
	n = vsnprintf(b->p + b->n, b->cap - b->n, format, args);
	va_end(args);
	/* vsnprintf wants room for its NUL: exactly full counts as too long. */
	if (n < 0 || (size_t)n >= b->cap - b->n)
		b->overflow = true;
	else
		b->n += (size_t)n;
}

/* Length of the valid UTF-8 sequence at s (RFC 3629 section 4), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t n)
{
	size_t len;
	unsigned low = 0x80, high = 0xbf;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (len > n)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return len;
}

void buf_json(struct buf *b, struct str s)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)s.p;
	size_t plain = 0; /* start of the run that needs no escape */

	buf_putc(b, '"');
	for (size_t i = 0; i < s.n;) {
		size_t len = utf8_sequence(p + i, s.n - i);

		if (len == 1 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && p[i] != 0x7f) {
			i++;
			continue;
		}
		if (len > 1) {
			i += len;
			continue;
		}
		buf_append(b, s.p + plain, i - plain);
		if (len == 0) {
			buf_puts(b, "\\ufffd");
		} else if (p[i] == '"' || p[i] == '\\') {
			buf_putc(b, '\\');
			buf_putc(b, (char)p[i]);
		} else {
			buf_puts(b, "\\u00");
			buf_putc(b, hex[p[i] >> 4]);
			buf_putc(b, hex[p[i] & 15]);
		}
		plain = ++i;
	}
	buf_append(b, s.p + plain, s.n - plain);
	buf_putc(b, '"');
}
