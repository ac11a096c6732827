/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect_cases.h - reads tests/vectors/bypass_cases.jsonl: requests as a client put them on the wire, with
 * the verdict that a correct gate gives.
 */
#ifndef SOCKGATE_TESTS_INSPECT_CASES_H
#define SOCKGATE_TESTS_INSPECT_CASES_H

#include <stdio.h>
#include <stdlib.h>

#include "http/http_head.h"
#include "json/json_body.h"

struct bypass_case {
	struct str id, policy, method, target;
	bool allow;
	bool one_request; /* raw_b64 is one request with a plain body: not about framing, smuggling or
			     hijacking */
	struct str body;  /* p == NULL: none */
};

static inline struct str case_text(const struct json_value *object, const char *name)
{
	const struct json_member *it;

	for (it = json_first(object); it; it = json_next(object, it))
		if (str_eqz(json_member_name(it), name))
			return json_value_string(json_member_value(it));
	return (struct str){ NULL, 0 };
}

static inline const struct json_value *case_member(const struct json_value *object, const char *name)
{
	const struct json_member *it;

	for (it = json_first(object); it; it = json_next(object, it))
		if (str_eqz(json_member_name(it), name))
			return json_member_value(it);
	return NULL;
}

static inline bool case_has_tag(const struct json_value *object, const char *tag)
{
	const struct json_value *tags = case_member(object, "tags");

	for (size_t i = 0; tags && i < json_size(tags); i++)
		if (str_eqz(json_value_string(json_element(tags, i)), tag))
			return true;
	return false;
}

/* RFC 4648 section 4, into memory of 3/4 of its length. */
static inline size_t case_base64(struct str s, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (size_t i = 0; i < s.n && s.p[i] != '='; i++) {
		bits = (bits << 6 | (unsigned)(strchr(digits, s.p[i]) - digits)) & 0xffff;
		have += 6;
		if (have >= 8)
			out[n++] = (char)(bits >> (have -= 8));
	}
	return n;
}

/* The body of `gen`: prefix, fill times fill_len, fill2 as often, suffix. Freed by the caller. */
static inline struct str case_generate(const struct json_value *gen)
{
	struct str prefix = case_text(gen, "prefix"), fill = case_text(gen, "fill"),
		   fill2 = case_text(gen, "fill2");
	struct str suffix = case_text(gen, "suffix");
	const struct json_value *length = case_member(gen, "fill_len");
	size_t count = length ? (size_t)json_value_integer(length) : 0, n = 0;
	char *p = malloc(prefix.n + suffix.n + count * 2 + 1);

	memcpy(p, prefix.p, prefix.n);
	n += prefix.n;
	memset(p + n, fill.p[0], count);
	n += count;
	if (fill2.n) {
		memset(p + n, fill2.p[0], count);
		n += count;
	}
	memcpy(p + n, suffix.p, suffix.n);
	return (struct str){ p, n + suffix.n };
}

/* What follows the head in raw_b64, in memory of the caller's; {NULL, 0} where nothing does. */
static inline struct str case_body(struct str raw, char *memory)
{
	size_t n = case_base64(raw, memory);
	char *end = memmem(memory, n, "\r\n\r\n", 4);

	if (!end || end + 4 == memory + n)
		return (struct str){ NULL, 0 };
	return (struct str){ end + 4, n - (size_t)(end + 4 - memory) };
}

/* Calls `each` for every case. Returns how many there were, or -1 where the file cannot be read. */
static inline int cases_each(const char *path, void (*each)(const struct bypass_case *c))
{
	FILE *file = fopen(path, "re");
	struct json_body *body;
	size_t cap = 0;
	ssize_t n;
	char *line = NULL;
	const char *why;
	int count = 0;

	while (file && (n = getline(&line, &cap, file)) > 0) {
		const struct json_value *v, *gen;
		struct bypass_case c;
		struct str raw;
		char *memory;

		/* A body with NUL (UTF-16) is quoted in its line; the reader under test does not take that.
		 */
		if (json_body_load(line, (size_t)n, &body, &why))
			continue;
		v = json_body_root(body);
		gen = case_member(v, "gen");
		raw = case_text(v, "raw_b64");
		memory = malloc(raw.n + 1);
		c = (struct bypass_case){ .id = case_text(v, "id"),
					  .policy = case_text(v, "policy"),
					  .method = case_text(v, "method"),
					  .target = case_text(v, "target"),
					  .allow = str_eqz(case_text(v, "expect"), "allow"),
					  .one_request = !case_has_tag(v, "framing") &&
							 !case_has_tag(v, "smuggle") &&
							 !case_has_tag(v, "hijack") };
		memory[case_base64(raw, memory)] = '\0';
		if (strcasestr(memory, "\r\nTransfer-Encoding:"))
			c.one_request = false;
		c.body = gen ? case_generate(gen) : case_body(raw, memory);
		each(&c);
		count++;
		if (gen)
			free((char *)c.body.p);
		free(memory);
		json_body_free(body);
	}
	free(line);
	if (!file)
		return -1;
	fclose(file);
	return count;
}

#endif
