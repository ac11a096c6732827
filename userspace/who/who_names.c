/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names that people gave to containers. The kernel knows ids alone; Docker keeps the name in
 * CONTAINERS/ID/config.v2.json, and mounts CONTAINERS/ID/hostname into each container, which shows where that
 * is. A convenience for the reader: what cannot be read stays without a name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "who/who_proc.h"
#include "who/who_scene.h"
#include "json/json_body.h"

#define CONFIG_MAX (1u << 20)

static struct str name_in(const struct json_value *root)
{
	if (json_value_type(root) == JSON_T_OBJECT)
		for (const struct json_member *it = json_first(root); it; it = json_next(root, it))
			if (str_eqz(json_member_name(it), "Name"))
				return json_value_string(json_member_value(it));
	return STR("");
}

/* The name in a config.v2.json, without Docker's slash before it; NULL for none. */
static char *read_name(const char *path)
{
	struct json_body *body;
	const char *why;
	char *text, *ret = NULL;
	struct str name;
	size_t n;

	if (who_proc_read(AT_FDCWD, path, CONFIG_MAX, &text, &n) < 0)
		return NULL;
	if (json_body_load(text, n, &body, &why) == 0) {
		name = name_in(json_body_root(body));
		if (name.n > 1 && name.p[0] == '/')
			ret = strndup(name.p + 1, name.n - 1);
		json_body_free(body);
	}
	free(text);
	return ret;
}

/* Where this program sees a path inside a file system. False: nowhere. */
static bool path_here(const struct who_view *here, uint32_t dev, struct str inside, struct buf *ret)
{
	for (size_t i = 0; i < here->n_mounts; i++) {
		const struct who_mount *mount = &here->mounts[i];
		struct str root = str_eqz(mount->root, "/") ? STR("") : mount->root;
		struct str point = str_eqz(mount->point, "/") ? STR("") : mount->point;

		if (mount->dev != dev || !str_starts(inside, root) || inside.p[root.n] != '/')
			continue;
		buf_str(ret, point);
		buf_append(ret, inside.p + root.n, inside.n - root.n);
		return !ret->overflow;
	}
	return false;
}

/* The folder of the container whose files are mounted in the view: ".../ID/hostname". */
static char *find_name(const struct who_scene *scene, const struct who_view *view, const char *id)
{
	char tail[128], path[PATH_MAX];
	struct buf b = buf_over(path, sizeof(path));
	size_t n;

	n = (size_t)snprintf(tail, sizeof(tail), "/%s/hostname", id);
	for (size_t i = 0; i < view->n_mounts; i++) {
		struct str root = view->mounts[i].root;

		if (root.n <= n || memcmp(root.p + root.n - n, tail, n) != 0)
			continue;
		root.n -= strlen("/hostname");
		if (!path_here(&scene->views.items[0], view->mounts[i].dev, root, &b))
			return NULL;
		buf_puts(&b, "/config.v2.json");
		buf_putc(&b, '\0');
		return b.overflow ? NULL : read_name(path);
	}
	return NULL;
}

static const struct who_view *view_of(const struct who_scene *scene, pid_t pid)
{
	for (size_t i = 0; i < scene->processes.n; i++) {
		const struct who_process *process = &scene->processes.items[i];

		if (process->pid == pid)
			return process->view == WHO_NO_VIEW ? NULL : &scene->views.items[process->view];
	}
	return NULL;
}

int who_names_find(struct who_scene *scene)
{
	for (size_t i = 0; i < scene->report->n_findings; i++) {
		struct who_finding *finding = &scene->report->findings[i];
		const struct who_view *view = finding->container ? view_of(scene, finding->pid) : NULL;

		if (view)
			finding->name = find_name(scene, view, finding->container);
	}
	return 0;
}
