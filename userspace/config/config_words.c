/* SPDX-License-Identifier: BSD-2-Clause */
/* config_words.c - the small notations that several files share: paths, addresses, and "did you mean". */
#include <arpa/inet.h>
#include <errno.h>

#include "config/config_build.h"

const char *config_path_problem(struct str path)
{
	if (path.n == 0 || path.p[0] != '/')
		return "an absolute path";
	if (path.n == 1)
		return NULL;
	for (size_t start = 1, i = 1; i <= path.n; i++) {
		struct str segment = { path.p + start, i - start };

		if (i < path.n && ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f))
			return "a path without control characters";
		if (i < path.n && path.p[i] != '/')
			continue;
		if (segment.n == 0 || str_eqz(segment, ".") || str_eqz(segment, ".."))
			return "a path without empty, \".\" or \"..\" segments";
		start = i + 1;
	}
	return NULL;
}

static bool read_port(struct str s, unsigned *ret)
{
	unsigned v = 0;

	if (s.n == 0 || s.n > 5)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	if (v == 0 || v > 65535)
		return false;
	*ret = v;
	return true;
}

/* HOST:PORT, [V6]:PORT or :PORT. */
static bool read_host_port(struct str s, struct str *ret_host, unsigned *ret_port)
{
	size_t colon = s.n;
	struct str host;

	while (colon && s.p[colon - 1] != ':')
		colon--;
	if (colon == 0 || !read_port((struct str){ s.p + colon, s.n - colon }, ret_port))
		return false;
	host = (struct str){ s.p, colon - 1 };
	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct str){ host.p + 1, host.n - 2 };
	else if (memchr(host.p, ':', host.n))
		return false;
	for (size_t i = 0; i < host.n; i++)
		if ((unsigned char)host.p[i] <= 0x20 || host.p[i] == '/' || host.p[i] == '@' ||
		    host.p[i] == '[')
			return false;
	*ret_host = host;
	return true;
}

int config_address(struct config_build *build, struct str spec, enum image_address *ret_kind,
		   const char **ret_address, unsigned *ret_port, const char **why)
{
	bool is_unix = str_starts(spec, STR("unix:")) || str_starts(spec, STR("/"));
	struct str rest = spec;
	unsigned port;

	if (str_starts(rest, STR("unix://")) || str_starts(rest, STR("tcp://"))) {
		rest.p += is_unix ? 7 : 6;
		rest.n -= is_unix ? 7 : 6;
	} else if (str_starts(rest, STR("unix:")) || str_starts(rest, STR("tcp:"))) {
		rest.p += is_unix ? 5 : 4;
		rest.n -= is_unix ? 5 : 4;
	}
	if (is_unix) {
		*why = config_path_problem(rest);
		/* sun_path of struct sockaddr_un has 108 bytes, its NUL included. */
		if (!*why && rest.n > 107)
			*why = "a path of at most 107 bytes";
		if (*why)
			return -EINVAL;
		*ret_kind = IMAGE_UNIX;
		*ret_address = config_copy(build, rest);
		*ret_port = 0;
		return 0;
	}
	if (rest.n && rest.p[rest.n - 1] == '/')
		rest.n--;
	if (!read_host_port(rest, &rest, &port)) {
		*why = "unix:PATH, tcp:HOST:PORT or tcp:[IPV6]:PORT";
		return -EINVAL;
	}
	*ret_kind = IMAGE_TCP;
	*ret_address = config_copy(build, rest);
	*ret_port = port;
	return 0;
}

bool config_is_loopback(const char *address)
{
	/* 127.0.0.0/8 as it is written in full; "127.1" is a name as good as any other. */
	struct in_addr v4;

	return strcmp(address, "localhost") == 0 || strcmp(address, "::1") == 0 ||
	       (inet_pton(AF_INET, address, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

#define GUESS_MAX 40

/* Levenshtein's distance; names longer than GUESS_MAX are nobody's misspelling. */
static unsigned distance(struct str a, struct str b)
{
	unsigned row[GUESS_MAX + 1];

	if (a.n > GUESS_MAX || b.n > GUESS_MAX)
		return GUESS_MAX;
	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned replaced = diagonal + (a.p[i - 1] != b.p[j - 1]);
			unsigned best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

			diagonal = row[j];
			row[j] = replaced < best ? replaced : best;
		}
	}
	return row[b.n];
}

void config_guess_try(struct config_guess *guess, const char *candidate)
{
	unsigned d = distance(guess->word, str_from(candidate));
	/* A third of the word may be wrong; a guess that is further off helps nobody. */
	unsigned limit = (unsigned)guess->word.n / 3 + 1;

	if (d <= limit && (!guess->best || d < guess->distance)) {
		guess->best = candidate;
		guess->distance = d;
	}
}
