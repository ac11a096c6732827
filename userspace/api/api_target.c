/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <errno.h>

#include "api/api_target.h"

/* What a byte may be once it is decoded. */
enum {
	BYTE_SEGMENT = 1 << 0, /* in a path: printable ASCII */
	BYTE_PLAIN = 1 << 1,   /* written in a path as it is: pchar and '/' (RFC 3986 section 3.3) */
	BYTE_QUERY = 1 << 2,   /* written in a query as it is: unreserved */
	BYTE_RAW = 1 << 3,     /* may stand in a target undecoded */
};

#define PRINTABLE  (BYTE_SEGMENT | BYTE_RAW)
#define UNRESERVED (PRINTABLE | BYTE_PLAIN | BYTE_QUERY)
#define DELIMITER  (PRINTABLE | BYTE_PLAIN)

/* '#' may not stand in a target: the daemon takes it for a path character, other readers for a fragment. */
static const unsigned char byte_class[256] = {
	[' '] = BYTE_SEGMENT,       ['#'] = BYTE_SEGMENT,       ['"'] = PRINTABLE,
	['%'] = PRINTABLE,          ['<'] = PRINTABLE,          ['>'] = PRINTABLE,
	['?'] = PRINTABLE,          ['['] = PRINTABLE,          ['\\'] = PRINTABLE,
	[']'] = PRINTABLE,          ['^'] = PRINTABLE,          ['`'] = PRINTABLE,
	['{'] = PRINTABLE,          ['|'] = PRINTABLE,          ['}'] = PRINTABLE,
	['!'] = DELIMITER,          ['$'] = DELIMITER,          ['&'] = DELIMITER,
	['\''] = DELIMITER,         ['('] = DELIMITER,          [')'] = DELIMITER,
	['*'] = DELIMITER,          ['+'] = DELIMITER,          [','] = DELIMITER,
	['/'] = DELIMITER,          [':'] = DELIMITER,          [';'] = DELIMITER,
	['='] = DELIMITER,          ['@'] = DELIMITER,          ['-'] = UNRESERVED,
	['.'] = UNRESERVED,         ['_'] = UNRESERVED,         ['~'] = UNRESERVED,
	['0' ... '9'] = UNRESERVED, ['A' ... 'Z'] = UNRESERVED, ['a' ... 'z'] = UNRESERVED,
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads the escape whose '%' is at p. Returns the byte, or -1 where there is none. */
static int decode_escape(const char *p, const char *end)
{
	int high, low;

	if (end - p < 3)
		return -1;
	high = hex_digit(p[1]);
	low = hex_digit(p[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -EBADMSG;
}

/* A segment that path.Clean() would remove. */
static bool segment_is_unclean(const char *p, size_t n)
{
	return n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.');
}

/* Decodes a path and refuses what path.Clean() in the daemon would change. */
static int decode_path(struct str raw, char *out, struct str *ret, const char **why)
{
	const char *end = raw.p + raw.n;
	char *segment = out + 1;
	char *o = out;

	for (const char *p = raw.p; p < end; p++) {
		int c = (unsigned char)*p;

		if (c == '%') {
			c = decode_escape(p, end);
			if (c < 0)
				return refuse(why, "malformed escape in the path");
			p += 2;
		} else if (!(byte_class[c] & BYTE_RAW)) {
			return refuse(why, "byte that must be escaped in the target");
		}
		if (!(byte_class[c] & BYTE_SEGMENT))
			return refuse(why, "path has a byte that is not printable ASCII");
		if (c == '/' && o != out) {
			if (segment_is_unclean(segment, (size_t)(o - segment)))
				return refuse(why, "path has an empty or dot segment");
			segment = o + 1;
		}
		*o++ = (char)c;
	}
	if (o == out || out[0] != '/')
		return refuse(why, "target is not a path");
	*ret = (struct str){ out, (size_t)(o - out) };
	if (o != segment && segment_is_unclean(segment, (size_t)(o - segment)))
		return refuse(why, "path has an empty or dot segment");
	return 0;
}

/* A path that ends in a slash is another path to mux; two routes have one, and "/networks/" is "/networks".
 */
static int settle_last_slash(struct str *path, const char **why)
{
	if (path->n == 1 || path->p[path->n - 1] != '/' || str_eqz(*path, "/debug/pprof/"))
		return 0;
	if (!str_eqz(*path, "/networks/"))
		return refuse(why, "path ends in a slash");
	path->n--;
	return 0;
}

/* Takes "/v1.41" off the path. The route pattern's own class is digits and dots, lower-case v. */
static int take_version(struct api_target *ret, const char **why)
{
	const char *p = ret->path.p + 1;
	const char *end = ret->path.p + ret->path.n;

	ret->version = (struct str){ NULL, 0 };
	ret->minor = 0;
	if (ret->path.n < 2 || *p != 'v')
		return 0;
	for (p++; p < end && (*p == '.' || (*p >= '0' && *p <= '9')); p++)
		;
	if (p == end || *p != '/' || p == ret->path.p + 2)
		return 0; /* not a version: "/version", or "/v1.41" alone, which no route has */
	ret->version = (struct str){ ret->path.p + 1, (size_t)(p - ret->path.p) - 1 };
	ret->path = (struct str){ p, (size_t)(end - p) };
	p = ret->version.p;
	if (ret->version.n != strlen("v1.NN") || p[1] != '1' || p[2] != '.' || p[3] == '.' || p[4] == '.') {
		*why = "API version is not spelt v1.NN";
		return -EPROTONOSUPPORT;
	}
	if ((p[3] - '0') * 10 + (p[4] - '0') < API_VERSION_MIN) {
		*why = "API version is below 1.24";
		return -EPROTONOSUPPORT;
	}
	ret->minor = (unsigned)((p[3] - '0') * 10 + (p[4] - '0'));
	return 0;
}

/* Whether `word` is one of the words in `list`, which are separated by one space each. */
static bool word_listed(const char *list, struct str word)
{
	while (*list) {
		size_t n = 0;

		while (list[n] && list[n] != ' ')
			n++;
		if (n == word.n && memcmp(list, word.p, n) == 0)
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

/* Reads one character of more than one byte (RFC 3629); p stands behind its first. Returns it, or 0 if
 * malformed. */
static unsigned decode_utf8(unsigned first, const unsigned char **p, const unsigned char *end)
{
	unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	unsigned least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
	unsigned c = first & (0x3fu >> more);

	if (first < 0xc2 || first > 0xf4 || end - *p < (ptrdiff_t)more)
		return 0;
	for (; more; more--, ++*p) {
		if ((**p & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (**p & 0x3f);
	}
	return c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : c;
}

/* UTF-8 without controls; a value may have tabs and line ends, as a commit's comment does. */
static bool text_is_clean(struct str s, bool lines)
{
	const unsigned char *p = (const unsigned char *)s.p;
	const unsigned char *end = p + s.n;

	while (p < end) {
		unsigned c = *p++;

		if (lines && (c == '\t' || c == '\n' || c == '\r'))
			continue;
		if (c >= 0x80)
			c = decode_utf8(c, &p, end);
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return false;
	}
	return true;
}

/* Decodes one key or value of a query to *out, which moves on. */
static int decode_query_text(struct str raw, bool lines, char **out, struct str *ret, const char **why)
{
	const char *end = raw.p + raw.n;
	char *o = *out;

	for (const char *p = raw.p; p < end; p++) {
		int c = (unsigned char)*p;

		if (!(byte_class[c] & BYTE_RAW))
			return refuse(why, "byte that must be escaped in the target");
		if (c == ';')
			return refuse(why, "';' in the query");
		if (c == '%') {
			c = decode_escape(p, end);
			if (c < 0)
				return refuse(why, "malformed escape in the query");
			p += 2;
		} else if (c == '+') {
			c = ' ';
		}
		*o++ = (char)c;
	}
	*ret = (struct str){ *out, (size_t)(o - *out) };
	if (!text_is_clean(*ret, lines))
		return refuse(why, "query has a control character or is not UTF-8");
	*out = o;
	return 0;
}

static int add_parameter(struct api_target *ret, struct str key, struct str value, const char **why)
{
	const struct api_operation *operation = ret->operation;
	bool once = word_listed(operation->query, key);
	bool known = once || word_listed(operation->repeatable, key);

	if (!known && operation->id == API_OP_CONTAINERS_CREATE)
		return 0;
	for (unsigned i = 0; once && i < ret->n_query; i++) {
		if (str_eq(ret->query[i].key, key))
			return refuse(why, "query key stands twice, and the daemon reads one");
	}
	if (ret->n_query == API_QUERY_MAX)
		return refuse(why, "too many query parameters");
	ret->query[ret->n_query++] = (struct api_parameter){ .key = key, .value = value, .known = known };
	return 0;
}

/* As url.ParseQuery() does: pieces between '&', the first '=' in a piece ends its key. */
static int decode_query(struct str raw, char *out, struct api_target *ret, const char **why)
{
	const char *end = raw.p + raw.n;

	for (const char *p = raw.p; p < end;) {
		const char *stop = memchr(p, '&', (size_t)(end - p));
		const char *equals;
		struct str key, value;
		int r;

		if (!stop)
			stop = end;
		if (p == stop) {
			p++;
			continue;
		}
		equals = memchr(p, '=', (size_t)(stop - p));
		if (!equals)
			equals = stop;
		r = decode_query_text((struct str){ p, (size_t)(equals - p) }, false, &out, &key, why);
		if (r < 0)
			return r;
		p = equals < stop ? equals + 1 : stop;
		r = decode_query_text((struct str){ p, (size_t)(stop - p) }, true, &out, &value, why);
		if (r < 0)
			return r;
		r = add_parameter(ret, key, value, why);
		if (r < 0)
			return r;
		p = stop < end ? stop + 1 : end;
	}
	return 0;
}

int api_target_parse(enum http_method method, struct str target, char *scratch, struct api_target *ret,
		     const char **why)
{
	const char *question;
	struct str raw_path;
	int version, r;

	if (target.n > API_TARGET_SCRATCH)
		return refuse(why, "target is too long");
	question = target.n ? memchr(target.p, '?', target.n) : NULL;
	raw_path = question ? (struct str){ target.p, (size_t)(question - target.p) } : target;
	r = decode_path(raw_path, scratch, &ret->path, why);
	if (r < 0)
		return r;
	version = take_version(ret, why);
	r = settle_last_slash(&ret->path, why);
	if (r < 0)
		return r;
	ret->n_query = 0;
	ret->operation = api_route(method, ret->path, ret->names);
	if (!ret->operation) {
		*why = "no such operation in the API";
		return -ENOENT;
	}
	if (question) {
		struct str raw_query = { question + 1, target.n - raw_path.n - 1 };

		r = decode_query(raw_query, scratch + raw_path.n, ret, why);
		if (r < 0)
			return r;
	}
	return version;
}

struct str api_query_get(const struct api_target *target, const char *key)
{
	for (unsigned i = 0; i < target->n_query; i++) {
		if (str_eqz(target->query[i].key, key))
			return target->query[i].value;
	}
	return (struct str){ NULL, 0 };
}

bool api_query_bool(const struct api_target *target, const char *key)
{
	static const char *const no[] = { "", "0", "no", "false", "none" };
	struct str value = api_query_get(target, key);

	if (!value.p)
		return false;
	while (value.n && isspace((unsigned char)value.p[0]))
		value = (struct str){ value.p + 1, value.n - 1 };
	while (value.n && isspace((unsigned char)value.p[value.n - 1]))
		value.n--;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (str_ieqz(value, no[i]))
			return false;
	}
	return true;
}

/* Appends runs of bytes of class `plain` as they are and escapes the others. */
static void write_escaped(struct str s, unsigned char plain, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t start = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (byte_class[c] & plain)
			continue;
		buf_append(out, s.p + start, i - start);
		buf_append(out, (char[]){ '%', digits[c >> 4], digits[c & 15] }, 3);
		start = i + 1;
	}
	buf_append(out, s.p + start, s.n - start);
}

void api_target_write(const struct api_target *target, struct buf *out)
{
	if (target->version.n) {
		buf_putc(out, '/');
		buf_str(out, target->version);
	}
	write_escaped(target->path, BYTE_PLAIN, out);
	for (unsigned i = 0; i < target->n_query; i++) {
		buf_putc(out, i ? '&' : '?');
		write_escaped(target->query[i].key, BYTE_QUERY, out);
		buf_putc(out, '=');
		write_escaped(target->query[i].value, BYTE_QUERY, out);
	}
}
