/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_rewrite_mounts.c - where a mount comes from, and whether it can be written to. */
#include <errno.h>

#include "policy/policy_inspect_match.h"
#include "policy/policy_inspect_path.h"
#include "policy/policy_rewrite_parts.h"
#include "policy/policy_socket.h"

#define BIND_MAX \
	(3 * INSPECT_PATH_MAX) /* bytes of an entry of Binds that was rewritten: two paths and a mode */

/* What becomes of a mount of a host path. */
struct treatment {
	struct str source; /* where it comes from now */
	bool keep_label;   /* SELinux: the host's files keep theirs */
	bool read_only;
};

/* False: the mount stays as it is. A path that is not clean in Docker's eyes is left to the inspection. */
static bool treat(const struct rewrite *rw, struct str source, struct treatment *ret)
{
	char memory[INSPECT_PATH_MAX];
	struct str clean;

	if (!inspect_path_clean(source, memory, sizeof(memory), &clean))
		return false;
	*ret = (struct treatment){ .source = source, .keep_label = true };
	if (rw->socket.n && policy_socket_is_engine(rw->image, clean))
		ret->source = rw->socket;
	else if (!policy_socket_is_own(rw->image, rw->policy, clean))
		ret->read_only = inspect_bind_forced(rw->image, rw->policy, clean);
	else
		return true;
	return ret->read_only || !str_eq(ret->source, source);
}

static void note(struct rewrite *rw, struct str where, const char *list, size_t index, struct str source,
		 const struct treatment *t)
{
	struct buf *b = rewrite_note(rw);

	buf_str(b, where);
	buf_printf(b, "%s[%zu]: ", list, index);
	rewrite_put(b, source);
	if (!str_eq(t->source, source)) {
		buf_puts(b, " -> ");
		rewrite_put(b, t->source);
	} else {
		buf_puts(b, t->read_only ? " made read-only" : " not relabelled");
	}
}

/* Takes the next part of a mode and says whether it stays under the treatment. */
static bool stays(struct str part, const struct treatment *t)
{
	if (str_eqz(part, "z") || str_eqz(part, "Z"))
		return !t->keep_label;
	return !t->read_only || !(str_eqz(part, "rw") || str_eqz(part, "ro"));
}

/* Appends ":MODE"; one that says "ro" and nothing against it is left as it is written. */
static void put_mode(struct buf *b, struct str mode, const struct treatment *t)
{
	struct str part, rest = mode;
	bool more = mode.n > 0, read_only = false, against = false;
	char separator = ':';

	while (more) {
		more = inspect_split(rest, ',', &part, &rest);
		if (str_eqz(part, "ro"))
			read_only = true;
		else
			against |= !stays(part, t);
	}
	if (!against && (read_only || !t->read_only)) {
		if (mode.n)
			buf_putc(b, ':');
		buf_str(b, mode);
		return;
	}
	rest = mode;
	more = mode.n > 0;
	while (more) {
		more = inspect_split(rest, ',', &part, &rest);
		if (!stays(part, t))
			continue;
		buf_putc(b, separator);
		buf_str(b, part);
		separator = ',';
	}
	if (t->read_only) {
		buf_putc(b, separator);
		buf_puts(b, "ro");
	}
}

/* "SOURCE:TARGET[:MODE]"; see bind_check() in policy_inspect_mounts.c. */
static void rewrite_bind(struct rewrite *rw, struct json_value *binds, size_t index, struct str where)
{
	struct str bind = json_value_string(json_element(binds, index)), source, target, mode;
	char memory[BIND_MAX];
	struct buf b = buf_over(memory, sizeof(memory));
	struct treatment t;

	if (!inspect_split(bind, ':', &source, &target) || !treat(rw, source, &t))
		return;
	inspect_split(target, ':', &target, &mode);
	/* What no entry of Binds can say is left to the inspection, which refuses it. */
	if ((mode.n && memchr(mode.p, ':', mode.n)) || memchr(t.source.p, ':', t.source.n))
		return;
	buf_str(&b, t.source);
	buf_putc(&b, ':');
	buf_str(&b, target);
	put_mode(&b, mode, &t);
	if (b.overflow) {
		rw->error = -EBADMSG;
		rw->why = "an entry of Binds is too long to be rewritten";
		return;
	}
	if (str_eq(buf_view(&b), bind))
		return;
	note(rw, where, "Binds", index, source, &t);
	rewrite_made(rw, json_edit_string_at(binds, index, buf_view(&b)));
}

static bool is_true(const struct json_value *object, const char *name)
{
	const struct json_value *v = inspect_get(object, name);

	return v && json_value_bool(v);
}

static void make_read_only(struct rewrite *rw, struct json_value *mount)
{
	struct json_value *options = json_edit_member(mount, "BindOptions");

	if (rewrite_made(rw, json_edit_bool(mount, STR("ReadOnly"), true)) &&
	    is_true(options, "ReadOnlyNonRecursive"))
		rewrite_made(rw, json_edit_bool(options, STR("ReadOnlyNonRecursive"), false));
}

static void rewrite_mount(struct rewrite *rw, struct json_value *mount, size_t index, struct str where)
{
	const struct json_value *source_value = inspect_get(mount, "Source");
	struct str source = json_value_string(source_value);
	struct treatment t;

	if (!treat(rw, source, &t))
		return;
	if (!str_eq(t.source, source)) {
		note(rw, where, "Mounts", index, source, &t);
		rewrite_made(rw, json_edit_string(mount, STR("Source"), t.source));
	} else if (t.read_only && (!is_true(mount, "ReadOnly") ||
				   is_true(inspect_get(mount, "BindOptions"), "ReadOnlyNonRecursive"))) {
		note(rw, where, "Mounts", index, source, &t);
		make_read_only(rw, mount);
	}
}

/* A volume that does not exist yet is made with these labels. */
static void label_volume(struct rewrite *rw, struct json_value *mount, size_t index, struct str where)
{
	struct json_value *options;
	char memory[128];
	struct buf b = buf_over(memory, sizeof(memory));

	if (rw->policy->values[POLICY_KEY_CONTAINERS_LABELS_ADD].list.count == 0)
		return;
	options = rewrite_object(rw, mount, "VolumeOptions");
	buf_str(&b, where);
	buf_printf(&b, "Mounts[%zu].VolumeOptions.", index);
	if (options)
		rewrite_labels(rw, options, buf_view(&b));
}

void rewrite_mounts(struct rewrite *rw, struct json_value *object, struct str where)
{
	struct json_value *binds = json_edit_member(object, "Binds"),
			  *mounts = json_edit_member(object, "Mounts");

	if (json_value_type(binds) == JSON_T_ARRAY)
		for (size_t i = 0; i < json_size(binds) && !rw->error; i++)
			rewrite_bind(rw, binds, i, where);
	if (json_value_type(mounts) != JSON_T_ARRAY)
		return;
	for (size_t i = 0; i < json_size(mounts) && !rw->error; i++) {
		struct json_value *mount = json_edit_element(mounts, i);
		const struct json_value *type = inspect_get(mount, "Type");

		if (str_eqz(json_value_string(type), "bind"))
			rewrite_mount(rw, mount, i, where);
		else if (str_eqz(json_value_string(type), "volume"))
			label_volume(rw, mount, i, where);
	}
}
