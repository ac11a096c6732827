/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_units.h"

#include "who/who_scan.h"

#define CONTAINER_ID_LENGTH 64

static bool ends_with(struct str s, const char *z)
{
	size_t n = strlen(z);

	return s.n > n && memcmp(s.p + s.n - n, z, n) == 0;
}

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

/*
 * "ID", "docker-ID.scope", "libpod-ID", "cri-containerd-ID.scope". What stands before the id may have one
 * dash inside; "libpod-conmon-ID" and "crio-conmon-ID" are the container's supervisors, which run on the
 * host.
 */
static bool container_of(struct str part, struct str *ret_id, struct str *ret_runtime)
{
	if (ends_with(part, ".scope"))
		part.n -= strlen(".scope");
	if (part.n < CONTAINER_ID_LENGTH)
		return false;
	*ret_id = (struct str){ part.p + part.n - CONTAINER_ID_LENGTH, CONTAINER_ID_LENGTH };
	*ret_runtime = (struct str){ part.p, part.n - CONTAINER_ID_LENGTH };
	if (!is_hex(*ret_id))
		return false;
	if (!ret_runtime->n)
		return true;
	if (ret_runtime->p[--ret_runtime->n] != '-' || !ret_runtime->n)
		return false;
	return !ends_with(*ret_runtime, "-conmon");
}

static bool is_unit(struct str part)
{
	static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (ends_with(part, kinds[i]))
			return true;
	return false;
}

static void find_in_path(struct str path, struct who_unit *ret)
{
	struct str part, before = { NULL, 0 }, id, runtime;

	while (who_scan_until(&path, '/', &part)) {
		if (container_of(part, &id, &runtime)) {
			ret->container = id;
			/* "/docker/ID": the folder says whose. */
			if (!runtime.n && str_eqz(before, "docker"))
				runtime = before;
			ret->runtime = runtime;
		}
		if (is_unit(part))
			ret->unit = part;
		before = part;
	}
}

void who_units_find(struct str text, struct who_unit *ret)
{
	struct str line, hierarchy, controllers;

	memset(ret, 0, sizeof(*ret));
	while (who_scan_line(&text, &line)) {
		struct who_unit found = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };

		if (!who_scan_until(&line, ':', &hierarchy) || !who_scan_until(&line, ':', &controllers))
			continue;
		find_in_path(line, &found);
		if (!ret->container.n && found.container.n) {
			ret->container = found.container;
			ret->runtime = found.runtime;
		}
		/* Of the others, only systemd's own hierarchy is named after units. */
		if (found.unit.n && (str_eqz(controllers, "name=systemd") || str_eqz(hierarchy, "0")))
			ret->unit = found.unit;
	}
}
