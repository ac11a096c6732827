/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_inspect_name.h"

#include "policy/policy_inspect_match.h"
#include "text/buf.h"

static bool has(struct str s, char c)
{
	return s.n && memchr(s.p, c, s.n);
}

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("0123456789abcdef", s.p[i], 16))
			return false;
	return s.n > 0;
}

/* Newer engines take a first part with a capital letter for a registry, older ones refuse it. */
static bool is_registry(struct str first)
{
	for (size_t i = 0; i < first.n; i++)
		if (first.p[i] == '.' || first.p[i] == ':' || (first.p[i] >= 'A' && first.p[i] <= 'Z'))
			return true;
	return str_eqz(first, "localhost");
}

/* Where the tag's ':' is: behind the last '/'. */
static void split_tag(struct str *path, struct str *ret_tag)
{
	for (size_t i = path->n; i > 0 && path->p[i - 1] != '/'; i--) {
		if (path->p[i - 1] != ':')
			continue;
		*ret_tag = (struct str){ path->p + i, path->n - i };
		path->n = i - 1;
		return;
	}
}

bool inspect_image_parse(struct str s, struct inspect_image *ret)
{
	struct inspect_image r = { .prefix = STR("") };
	struct str first, rest, whole = s;

	if (s.n == 0 || s.n > INSPECT_IMAGE_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f)
			return false;
	if (inspect_split(s, '@', &s, &r.digest) && (r.digest.n == 0 || s.n == 0))
		return false;
	if (inspect_split(s, '/', &first, &rest) && is_registry(first)) {
		r.registry = str_eqz(first, "index.docker.io") ? STR("docker.io") : first;
		r.path = rest;
	} else {
		r.registry = STR("docker.io");
		r.path = s;
	}
	split_tag(&r.path, &r.tag);
	if (r.path.n == 0 || (r.tag.p && r.tag.n == 0))
		return false;
	if (str_eqz(r.registry, "docker.io") && !has(r.path, '/') && !str_eqz(r.path, "**"))
		r.prefix = STR("library/");
	r.id = str_starts(whole, STR("sha256:")) || is_hex(whole);
	*ret = r;
	return true;
}

static bool name_matches(const struct inspect_image *pattern, const struct inspect_image *image)
{
	char memory[2][INSPECT_IMAGE_MAX + 16];
	struct buf p = buf_over(memory[0], sizeof(memory[0]));
	struct buf i = buf_over(memory[1], sizeof(memory[1]));

	buf_str(&p, pattern->prefix);
	buf_str(&p, pattern->path);
	buf_str(&i, image->prefix);
	buf_str(&i, image->path);
	return inspect_glob(pattern->registry, image->registry) && inspect_glob(buf_view(&p), buf_view(&i));
}

/* A digest decides what is fetched whatever the tag says, so a pattern with a tag alone does not vouch for
 * it. */
static bool version_matches(const struct inspect_image *pattern, const struct inspect_image *image,
			    const char *tag)
{
	if (pattern->digest.n)
		return inspect_glob(pattern->digest, image->digest);
	if (pattern->tag.n == 0)
		return true;
	if (image->digest.n)
		return false;
	return inspect_glob(pattern->tag, image->tag.n ? image->tag : str_from(tag)) &&
	       (image->tag.n || tag[0] || str_eqz(pattern->tag, "*"));
}

bool inspect_image_listed(const struct policy_image *image, const struct image_policy *policy,
			  enum policy_key key, struct str reference, const char *tag)
{
	struct inspect_list list = inspect_list_of(image, policy, key);
	struct inspect_image r, p;
	struct str entry;

	if (!inspect_image_parse(reference, &r))
		return inspect_unlimited(image, policy, key);
	while (inspect_list_next(&list, &entry)) {
		if (str_eqz(entry, "*") || str_eqz(entry, "**") || str_eq(entry, reference))
			return true;
		if (!r.id && inspect_image_parse(entry, &p) && name_matches(&p, &r) &&
		    version_matches(&p, &r, tag))
			return true;
	}
	return false;
}

/* The C library takes "127.1", "0x7f.1" and "2130706433" for addresses: whatever ends in a number is none of
 * a name. */
bool inspect_is_address(struct str registry)
{
	struct str host, port, label;

	if (registry.n && registry.p[0] == '[')
		return true;
	inspect_split(registry, ':', &host, &port);
	if (has(port, ':')) /* more than one colon: IPv6 without brackets */
		return true;
	label = host;
	while (has(label, '.'))
		inspect_split(label, '.', &host, &label);
	if (label.n == 0 || str_ieqz(label, "localhost"))
		return true;
	return label.p[0] >= '0' && label.p[0] <= '9';
}
