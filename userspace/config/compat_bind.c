/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/compat_bind.h"

#include <errno.h>

#define MODE_DEFAULT 0660

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

static bool read_number(struct str s, unsigned base, unsigned max, unsigned *ret)
{
	unsigned value = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(s.p[i] - '0');

		if (s.p[i] < '0' || digit >= base)
			return false;
		value = value * base + digit;
		if (value > max)
			return false;
	}
	*ret = value;
	return true;
}

int compat_address_parse(struct str text, struct compat_address *ret, const char **why)
{
	struct compat_address address = { .is_unix = false };
	const char *colon;
	struct str host;

	if (str_starts(text, STR("unix@"))) {
		text = (struct str){ text.p + 5, text.n - 5 };
		if (text.n == 0 || text.p[0] != '/')
			return refuse(why, "a path after unix@");
	} else if (memchr(text.p, '@', text.n)) {
		return refuse(why, "an address without a prefix other than unix@");
	}
	if (text.n && text.p[0] == '/') {
		*ret = (struct compat_address){ .is_unix = true, .address = text };
		return 0;
	}
	colon = memrchr(text.p, ':', text.n);
	if (!colon)
		return refuse(why, "a path or HOST:PORT");
	host = (struct str){ text.p, (size_t)(colon - text.p) };
	if (!read_number((struct str){ colon + 1, text.n - host.n - 1 }, 10, 65535, &address.port) ||
	    address.port == 0)
		return refuse(why, "an address with one port from 1 to 65535");
	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct str){ host.p + 1, host.n - 2 };
	if (!str_eqz(host, "*"))
		address.address = host;
	*ret = address;
	return 0;
}

/* Takes a word off the front of *rest; words are separated by blanks. Empty when there is none. */
static struct str take_word(struct str *rest)
{
	struct str word;
	size_t n = 0;

	while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		*rest = (struct str){ rest->p + 1, rest->n - 1 };
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	word = (struct str){ rest->p, n };
	*rest = (struct str){ rest->p + n, rest->n - n };
	return word;
}

static int read_options(struct str rest, struct compat_bind *ret, bool *ret_v4v6, const char **why)
{
	struct str word;

	*ret_v4v6 = false;
	while ((word = take_word(&rest)).n) {
		if (str_eqz(word, "v4v6")) {
			*ret_v4v6 = true;
		} else if (str_eqz(word, "mode")) {
			if (!read_number(take_word(&rest), 8, 0777, &ret->mode))
				return refuse(why, "an address with an octal mode of at most 0777");
		} else if (str_eqz(word, "group")) {
			ret->group = take_word(&rest);
			if (ret->group.n == 0)
				return refuse(why, "an address with the name of a group");
		} else if (str_eqz(word, "name")) {
			if (take_word(&rest).n == 0)
				return refuse(why, "an address with a name");
		} else {
			return refuse(why, "an address with the options that are served here: v4v6, mode, "
					   "group, name");
		}
	}
	return 0;
}

int compat_bind_parse(struct str text, struct compat_bind *ret, unsigned max, const char **why)
{
	struct compat_bind options = { .mode = MODE_DEFAULT };
	struct str addresses = take_word(&text);
	unsigned n = 0;
	bool v4v6;
	int r = read_options(text, &options, &v4v6, why);

	if (r < 0)
		return r;
	for (bool more = true; more; n++) {
		const char *comma = addresses.n ? memchr(addresses.p, ',', addresses.n) : NULL;
		struct str one = { addresses.p, comma ? (size_t)(comma - addresses.p) : addresses.n };

		if (n == max) {
			*why = "more addresses than are served here";
			return -E2BIG;
		}
		ret[n] = options;
		r = compat_address_parse(one, &ret[n].address, why);
		if (r < 0)
			return r;
		/* "[::]" with v4v6 is every address of both families. */
		if (v4v6 && !ret[n].address.is_unix && str_eqz(ret[n].address.address, "::"))
			ret[n].address.address = STR("");
		more = comma != NULL;
		if (more)
			addresses = (struct str){ comma + 1, addresses.n - one.n - 1 };
	}
	return (int)n;
}
