/* SPDX-License-Identifier: BSD-2-Clause */
#include "gate/gate_parse.h"

#include <ctype.h>
#include <errno.h>

bool gate_parse_lsm_active(struct str list, const char *name)
{
	size_t start = 0;

	for (size_t i = 0; i <= list.n; i++) {
		if (i < list.n && list.p[i] != ',' && list.p[i] != '\n')
			continue;
		if (str_eqz((struct str){ list.p + start, i - start }, name))
			return true;
		start = i + 1;
	}
	return false;
}

uint64_t gate_parse_capabilities(struct str status)
{
	static const char key[] = "\nCapEff:\t";
	const char *p = status.n ? memmem(status.p, status.n, key, sizeof(key) - 1) : NULL;
	uint64_t mask = 0;

	if (!p)
		return 0;
	for (p += sizeof(key) - 1; p < status.p + status.n && isxdigit((unsigned char)*p); p++)
		mask = mask << 4 | (uint64_t)(isdigit((unsigned char)*p) ? *p - '0' : (*p | 0x20) - 'a' + 10);
	return mask;
}

int gate_parse_socket(struct str path, struct str *ret_directory, uint64_t ret_name[static GATE_NAME_MAX / 8])
{
	const char *slash = path.n && path.p[0] == '/' ? memrchr(path.p, '/', path.n) : NULL;
	struct str name;

	if (!slash)
		return -EINVAL;
	name = (struct str){ slash + 1, path.n - (size_t)(slash + 1 - path.p) };
	if (name.n == 0 || str_eqz(name, ".") || str_eqz(name, ".."))
		return -EINVAL;
	/* The programs cut a longer name to one byte more than is allowed here. */
	if (name.n > GATE_NAME_MAX - 2)
		return -ENAMETOOLONG;
	*ret_directory = (struct str){ path.p, slash == path.p ? 1 : (size_t)(slash - path.p) };
	memset(ret_name, 0, GATE_NAME_MAX);
	memcpy(ret_name, name.p, name.n);
	return 0;
}
