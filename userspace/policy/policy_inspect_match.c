/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_inspect_match.h"

#include <arpa/inet.h>

#include "policy/policy_glob.h"

struct inspect_list inspect_list_of(const struct policy_image *image, const struct image_policy *policy,
				    enum policy_key key)
{
	const struct image_list *list = &policy->values[key].list;

	return (struct inspect_list){ image, IMAGE_LIST(image, struct image_str, *list), list->count };
}

bool inspect_list_next(struct inspect_list *list, struct str *ret)
{
	if (list->left == 0)
		return false;
	*ret = image_string(list->image, *list->next);
	list->next++;
	list->left--;
	return true;
}

bool inspect_glob(struct str pattern, struct str text)
{
	size_t prefix = 0, suffix = 0;

	while (prefix < pattern.n && pattern.p[prefix] != '*')
		prefix++;
	if (prefix == pattern.n)
		return str_eq(pattern, text);
	/* A pattern that long was meant for nothing that a client sends; it matches nothing. */
	if (pattern.n > POLICY_GLOB_MAX)
		return false;
	while (pattern.p[pattern.n - 1 - suffix] != '*')
		suffix++;
	return policy_glob_match(pattern, prefix, suffix, text);
}

bool inspect_matches(struct str pattern, struct str text)
{
	return str_eqz(pattern, "*") || inspect_glob(pattern, text);
}

bool inspect_listed(const struct policy_image *image, const struct image_policy *policy, enum policy_key key,
		    struct str text)
{
	struct inspect_list list = inspect_list_of(image, policy, key);
	struct str entry;

	while (inspect_list_next(&list, &entry))
		if (inspect_matches(entry, text))
			return true;
	return false;
}

bool inspect_pair_listed(const struct policy_image *image, const struct image_policy *policy,
			 enum policy_key key, struct str name, struct str value)
{
	struct inspect_list list = inspect_list_of(image, policy, key);
	struct str entry, entry_name, entry_value;

	while (inspect_list_next(&list, &entry)) {
		if (!inspect_split(entry, '=', &entry_name, &entry_value))
			entry_value = STR("*");
		if (inspect_matches(entry_name, name) && inspect_matches(entry_value, value))
			return true;
	}
	return false;
}

bool inspect_unlimited(const struct policy_image *image, const struct image_policy *policy,
		       enum policy_key key)
{
	struct inspect_list list = inspect_list_of(image, policy, key);
	struct str entry;

	while (inspect_list_next(&list, &entry))
		if (str_eqz(entry, "*"))
			return true;
	return false;
}

bool inspect_split(struct str s, char at, struct str *ret_head, struct str *ret_tail)
{
	const char *p = s.n ? memchr(s.p, at, s.n) : NULL;

	if (!p) {
		*ret_head = s;
		*ret_tail = (struct str){ NULL, 0 };
		return false;
	}
	*ret_head = (struct str){ s.p, (size_t)(p - s.p) };
	*ret_tail = (struct str){ p + 1, s.n - ret_head->n - 1 };
	return true;
}

bool inspect_decimal(struct str s, uint32_t *ret)
{
	uint32_t v = 0;

	if (s.n == 0 || s.n > 9)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(s.p[i] - '0');
	}
	*ret = v;
	return true;
}

bool inspect_range(struct str s, uint32_t *ret_first, uint32_t *ret_last)
{
	struct str first, last;
	uint32_t a, b;

	if (!inspect_split(s, '-', &first, &last))
		last = first;
	if (!inspect_decimal(first, &a) || !inspect_decimal(last, &b) || a > b)
		return false;
	*ret_first = a;
	*ret_last = b;
	return true;
}

struct subnet {
	int family;
	uint32_t bits;
	unsigned char address[16];
};

static bool subnet_parse(struct str s, struct subnet *ret)
{
	char text[INET6_ADDRSTRLEN];
	struct str address, bits;
	bool has_bits = inspect_split(s, '/', &address, &bits);

	if (address.n == 0 || address.n >= sizeof(text))
		return false;
	memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	if (strlen(text) != address.n)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->family = memchr(text, ':', address.n) ? AF_INET6 : AF_INET;
	if (inet_pton(ret->family, text, ret->address) != 1)
		return false;
	ret->bits = ret->family == AF_INET6 ? 128 : 32;
	if (has_bits) {
		uint32_t n;

		if (!inspect_decimal(bits, &n) || n > ret->bits)
			return false;
		ret->bits = n;
	}
	return true;
}

bool inspect_within_subnet(struct str inner, struct str outer)
{
	struct subnet i, o;

	if (!subnet_parse(inner, &i) || !subnet_parse(outer, &o) || i.family != o.family || i.bits < o.bits)
		return false;
	for (uint32_t bit = 0; bit < o.bits; bit++)
		if ((i.address[bit / 8] ^ o.address[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}
