/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml_bytes.c - what a file may consist of, before libfyaml sees it.
 *
 * A configuration that an editor shows differently from what is read is refused: control bytes, other line
 * ends, direction overrides. And invalid UTF-8: libfyaml 0.7 takes it for the end of the file in a plain
 * scalar, so that the statements behind it would silently be missing.
 */
#include "yaml/yaml_node.h"

/* The length of the character at p (RFC 3629: shortest form, no surrogates, at most U+10FFFF), or 0. */
static size_t utf8_decode(const unsigned char *p, size_t n, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = p[0] < 0x80   ? 1
			: p[0] < 0xc2 ? 0
			: p[0] < 0xe0 ? 2
			: p[0] < 0xf0 ? 3
			: p[0] < 0xf5 ? 4
				      : 0;
	uint32_t c;

	if (length == 0 || length > n)
		return 0;
	c = length == 1 ? p[0] : p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < smallest[length] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*ret = c;
	return length;
}

static const char *character_problem(uint32_t c)
{
	if ((c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0))
		return "a control character";
	if (c == 0x2028 || c == 0x2029)
		return "a Unicode line or paragraph separator";
	if ((c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) ||
	    c == 0xfeff)
		return "an invisible or direction-changing character";
	return NULL;
}

const char *yaml_bytes_check(const char *text, size_t n, unsigned *ret_line, unsigned *ret_column)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned line = 1, column = 1;
	const char *why = NULL;
	uint32_t c = 0;

	for (size_t i = 0, length; i < n; i += length) {
		length = utf8_decode(p + i, n - i, &c);
		if (length == 0)
			why = "not UTF-8";
		else if (c == '%' && column == 1)
			why = "directives (%) are not accepted";
		else if (!(c == '\r' && i + 1 < n && p[i + 1] == '\n'))
			why = character_problem(c);
		if (why) {
			*ret_line = line;
			*ret_column = column;
			return why;
		}
		column++;
		if (c == '\n') {
			line++;
			column = 1;
		}
	}
	return NULL;
}
