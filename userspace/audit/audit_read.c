/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/audit_read.h"

#include <errno.h>
#include <unistd.h>

#define HEX_ID   16
#define HEX_HASH (2 * AUDIT_HASH_SIZE)

/* Takes `tail` off the end of the text. */
static bool drop_tail(struct str *text, struct str tail)
{
	if (text->n < tail.n || memcmp(text->p + text->n - tail.n, tail.p, tail.n) != 0)
		return false;
	text->n -= tail.n;
	return true;
}

static bool drop_head(struct str *text, struct str head)
{
	if (!str_starts(*text, head))
		return false;
	text->p += head.n;
	text->n -= head.n;
	return true;
}

/* Of a digit as we write it, or 16. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static bool read_hex(const char *text, uint8_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

		if (high > 15 || low > 15)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_id(const char *text, uint64_t *ret)
{
	uint8_t bytes[8];

	if (!read_hex(text, bytes, sizeof(bytes)))
		return false;
	*ret = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		*ret = *ret << 8 | bytes[i];
	return true;
}

/* A decimal number as we write it: no sign, no leading zero, at most 19 digits. */
static bool read_number(struct str text, uint64_t *ret)
{
	uint64_t value = 0;

	if (text.n == 0 || text.n > 19 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = value;
	return true;
}

/* Takes `n` hexadecimal bytes off the end of the text. */
static bool take_hex(struct str *text, uint8_t *ret, size_t n)
{
	if (text->n < 2 * n || !read_hex(text->p + text->n - 2 * n, ret, n))
		return false;
	text->n -= 2 * n;
	return true;
}

int audit_read_link(struct str line, struct audit_link *ret)
{
	struct audit_link link = { .is_signed = false };
	struct str rest = line, number;

	if (!str_starts(rest, STR("{\"@timestamp\":\"")) || memchr(line.p, '\0', line.n) ||
	    !drop_tail(&rest, STR("}")))
		return -EBADMSG;
	link.signed_n = rest.n;
	/* The last member is the signature, or the hash. */
	if (!drop_tail(&rest, STR("\"")))
		return -EBADMSG;
	number = rest;
	if (take_hex(&number, link.signature, sizeof(link.signature)) &&
	    drop_tail(&number, STR(",\"sockgate.signature\":\""))) {
		link.is_signed = true;
		link.signed_n = number.n;
		rest = number;
		if (!drop_tail(&rest, STR("\"")))
			return -EBADMSG;
	}
	if (!take_hex(&rest, link.prev, sizeof(link.prev)) || !drop_tail(&rest, STR(",\"sockgate.prev\":\"")))
		return -EBADMSG;
	number = (struct str){ rest.p + rest.n, 0 };
	while (rest.n > 0 && number.n < 20 && rest.p[rest.n - 1] >= '0' && rest.p[rest.n - 1] <= '9') {
		rest.n--;
		number = (struct str){ rest.p + rest.n, number.n + 1 };
	}
	if (!read_number(number, &link.seq) || !drop_tail(&rest, STR("\",\"sockgate.seq\":")) ||
	    rest.n < HEX_ID || !read_id(rest.p + rest.n - HEX_ID, &link.chain))
		return -EBADMSG;
	rest.n -= HEX_ID;
	if (!drop_tail(&rest, STR(",\"sockgate.chain\":\"")))
		return -EBADMSG;
	audit_hash(line, link.hash);
	*ret = link;
	return 0;
}

enum audit_kind audit_read_kind(struct str line)
{
	static const struct {
		struct str word;
		enum audit_kind kind;
	} kinds[] = {
		{ { "chain-start\"", 12 }, AUDIT_START },
		{ { "chain-continue\"", 15 }, AUDIT_CONTINUE },
		{ { "chain-end\"", 10 }, AUDIT_END },
		{ { "checkpoint\"", 11 }, AUDIT_CHECKPOINT },
	};
	static const struct str member = { ",\"event.action\":\"", 17 };
	const char *at = memmem(line.p, line.n, member.p, member.n);
	struct str rest;

	if (!at)
		return AUDIT_RECORD;
	at += member.n;
	rest = (struct str){ at, (size_t)(line.p + line.n - at) };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_starts(rest, kinds[i].word))
			return kinds[i].kind;
	return AUDIT_RECORD;
}

struct str audit_read_heads(struct str line)
{
	static const struct str member = { ",\"sockgate.heads\":[", 19 };
	const char *at = memmem(line.p, line.n, member.p, member.n), *end;

	if (!at)
		return (struct str){ NULL, 0 };
	at += member.n;
	end = memchr(at, ']', (size_t)(line.p + line.n - at));
	return (struct str){ at, end ? (size_t)(end - at) : 0 };
}

bool audit_read_head(struct str *heads, struct audit_head *ret)
{
	struct str rest = *heads, number;

	(void)drop_head(&rest, STR(","));
	if (!drop_head(&rest, STR("\"")) || rest.n < HEX_ID || !read_id(rest.p, &ret->chain))
		return false;
	rest = (struct str){ rest.p + HEX_ID, rest.n - HEX_ID };
	if (!drop_head(&rest, STR(":")))
		return false;
	number = (struct str){ rest.p, 0 };
	while (number.n < rest.n && number.p[number.n] >= '0' && number.p[number.n] <= '9')
		number.n++;
	if (!read_number(number, &ret->seq))
		return false;
	rest = (struct str){ rest.p + number.n, rest.n - number.n };
	if (!drop_head(&rest, STR(":")) || rest.n < HEX_HASH ||
	    !read_hex(rest.p, ret->hash, sizeof(ret->hash)))
		return false;
	rest = (struct str){ rest.p + HEX_HASH, rest.n - HEX_HASH };
	if (!drop_head(&rest, STR("\"")))
		return false;
	*heads = rest;
	return true;
}

/* One read(2) behind what is there. Returns the bytes, 0 at the end, or -errno. */
static ssize_t read_more(struct audit_lines *lines)
{
	ssize_t n;

	if (lines->at > 0) {
		memmove(lines->memory, lines->memory + lines->at, lines->end - lines->at);
		lines->end -= lines->at;
		lines->at = 0;
	}
	do
		n = lines->pipe ? read(lines->fd, lines->memory + lines->end, lines->cap - lines->end)
				: pread(lines->fd, lines->memory + lines->end, lines->cap - lines->end,
					lines->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	lines->end += (size_t)n;
	lines->offset += n;
	return n;
}

int audit_lines_next(struct audit_lines *lines, struct str *ret)
{
	for (;;) {
		char *start = lines->memory + lines->at;
		char *newline = memchr(start, '\n', lines->end - lines->at);
		ssize_t n;

		if (newline) {
			bool skipped = lines->too_long;

			lines->at = (size_t)(newline - lines->memory) + 1;
			lines->too_long = false;
			if (skipped)
				return -EMSGSIZE;
			*ret = (struct str){ start, (size_t)(newline - start) };
			return 1;
		}
		if (lines->end - lines->at == lines->cap) {
			lines->too_long = true;
			lines->at = lines->end = 0;
		}
		n = read_more(lines);
		if (n <= 0)
			return (int)n;
	}
}

size_t audit_lines_unfinished(const struct audit_lines *lines)
{
	return lines->end - lines->at + (lines->too_long ? 1 : 0);
}
