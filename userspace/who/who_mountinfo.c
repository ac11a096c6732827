/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of /proc/PID/mountinfo, taken apart in place. */
#include <errno.h>
#include <stdlib.h>

#include "who/who_mounts.h"
#include "who/who_scan.h"

/* The kernel writes blank, tab, newline, backslash and '#' as three octal digits (mangle_path()). */
static bool unescape(char *text, struct str *field)
{
	char *from = text + (field->p - text), *to = from;
	const char *end = from + field->n;

	while (from < end) {
		uint64_t byte;

		if (*from != '\\') {
			*to++ = *from++;
			continue;
		}
		if (end - from < 4 || !who_scan_number((struct str){ from + 1, 3 }, 8, 255, &byte) || !byte)
			return false;
		*to++ = (char)byte;
		from += 4;
	}
	field->n = (size_t)(to - field->p);
	return true;
}

static bool parse_device(struct str word, uint32_t *ret)
{
	uint64_t major, minor;
	struct str first;

	if (!who_scan_until(&word, ':', &first) || !who_scan_number(first, 10, 0xfff, &major) ||
	    !who_scan_number(word, 10, 0xfffff, &minor))
		return false;
	*ret = (uint32_t)(major << 20 | minor);
	return true;
}

static bool is_odd(struct str type)
{
	return str_eqz(type, "overlay") || str_eqz(type, "btrfs") || str_eqz(type, "bcachefs");
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static bool parse_line(char *text, struct str line, struct who_mount *ret)
{
	struct str word;
	uint64_t id;

	for (int i = 0; i < 2; i++)
		if (!who_scan_until(&line, ' ', &word) || !who_scan_number(word, 10, UINT32_MAX, &id))
			return false;
	if (!who_scan_until(&line, ' ', &word) || !parse_device(word, &ret->dev))
		return false;
	if (!who_scan_until(&line, ' ', &ret->root) || !unescape(text, &ret->root) || !ret->root.n)
		return false;
	if (!who_scan_until(&line, ' ', &ret->point) || !unescape(text, &ret->point) || !ret->point.n ||
	    ret->point.p[0] != '/')
		return false;
	if (!who_scan_until(&line, ' ', &word))
		return false;
	ret->read_only = str_eqz(word, "ro") || str_starts(word, STR("ro,"));
	do {
		if (!who_scan_until(&line, ' ', &word))
			return false;
	} while (!str_eqz(word, "-"));
	if (!who_scan_until(&line, ' ', &word))
		return false;
	ret->odd = is_odd(word);
	return true;
}

int who_mountinfo_parse(char *text, size_t n, struct who_mount **ret, size_t *ret_n)
{
	struct str rest = { text, n }, line;
	struct who_mount *mounts = NULL;
	size_t n_mounts = 0, cap = 0;
	int r = 0;

	while (r == 0 && who_scan_line(&rest, &line)) {
		struct who_mount mount;
		void *items = mounts;

		if (!parse_line(text, line, &mount)) {
			r = -EBADMSG;
			break;
		}
		r = who_scan_grow(&items, &cap, n_mounts, sizeof(*mounts), WHO_MOUNTS_MAX);
		if (r == 0) {
			mounts = items;
			mounts[n_mounts++] = mount;
		}
	}
	if (r < 0) {
		free(mounts);
		return r;
	}
	*ret = mounts;
	*ret_n = n_mounts;
	return 0;
}
