/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_inspect_mounts.c - the four ways to put something into a container's file system. */
#include "policy/policy_inspect_checks.h"
#include "policy/policy_inspect_match.h"
#include "policy/policy_inspect_path.h"

static const struct inspect_row bind_option_rows[] = {
	INSPECT_CHECK("Propagation", INSPECT_STRING, inspect_check_listed, CONTAINERS_BIND_PROPAGATION),
	INSPECT_FREE("NonRecursive", INSPECT_BOOL),
	/* Binds create a missing directory unasked, so that asking for it gives nothing more. */
	INSPECT_FREE("CreateMountpoint", INSPECT_BOOL),
	INSPECT_FREE("ReadOnlyNonRecursive", INSPECT_BOOL), /* judged with the mount */
	INSPECT_FREE("ReadOnlyForceRecursive", INSPECT_BOOL),
	INSPECT_END,
};

static const struct inspect_row driver_config_rows[] = {
	INSPECT_CHECK("Name", INSPECT_STRING, inspect_check_listed, VOLUMES_DRIVERS),
	INSPECT_CHECK("Options", INSPECT_PAIRS, inspect_check_pairs, VOLUMES_OPTIONS),
	INSPECT_END,
};

static const struct inspect_row volume_option_rows[] = {
	INSPECT_FREE("NoCopy", INSPECT_BOOL),
	INSPECT_CHECK("Labels", INSPECT_PAIRS, inspect_check_refused_pairs, CONTAINERS_LABELS_REFUSED),
	INSPECT_FREE("Subpath", INSPECT_STRING), /* the engine refuses ".." and opens it beneath the volume */
	INSPECT_FIELDS("DriverConfig", INSPECT_OBJECT, driver_config_rows),
	INSPECT_END,
};

static const struct inspect_row tmpfs_option_rows[] = {
	INSPECT_FREE("SizeBytes", INSPECT_INTEGER),
	INSPECT_FREE("Mode", INSPECT_INTEGER),
	INSPECT_FREE("Options", INSPECT_STRING_LISTS),
	INSPECT_END,
};

static const struct inspect_row image_option_rows[] = {
	INSPECT_FREE("Subpath", INSPECT_STRING),
	INSPECT_END,
};

const struct inspect_row inspect_mount_rows[] = {
	INSPECT_FREE("Type", INSPECT_STRING),   /* judged with the mount */
	INSPECT_FREE("Source", INSPECT_STRING), /* judged with the mount */
	INSPECT_FREE("Target", INSPECT_STRING),
	INSPECT_FREE("ReadOnly", INSPECT_BOOL),
	INSPECT_FREE("Consistency", INSPECT_STRING),
	INSPECT_FIELDS("BindOptions", INSPECT_OBJECT, bind_option_rows),
	INSPECT_FIELDS("VolumeOptions", INSPECT_OBJECT, volume_option_rows),
	INSPECT_FIELDS("TmpfsOptions", INSPECT_OBJECT, tmpfs_option_rows),
	INSPECT_FIELDS("ImageOptions", INSPECT_OBJECT, image_option_rows),
	INSPECT_FIELDS("ClusterOptions", INSPECT_OBJECT, NULL),
	INSPECT_END,
};

/* moby's names.RestrictedNamePattern, which is the local driver's rule; a plugin's driver would take
 * anything. */
static bool volume_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool alphanumeric =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alphanumeric && (i == 0 || !memchr("_.-", c, 3)))
			return false;
	}
	return s.n > 0;
}

static void volume_check(struct inspect *in, struct str name)
{
	if (!volume_name(name))
		inspect_malformed(in, name, "is neither an absolute path nor the name of a volume");
	else if (!inspect_listed(in->image, in->policy, POLICY_KEY_CONTAINERS_VOLUMES, name))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_VOLUMES, name,
			       "is not among the volumes that are listed");
	else
		inspect_reference(in, POLICY_REFERENCE_VOLUME, name, false);
}

struct bind_mode {
	bool read_only;
	bool relabels; /* SELinux: the host's files get another label */
};

static bool propagation(struct str s)
{
	static const char *const names[] = { "private", "rprivate", "slave", "rslave", "shared", "rshared" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eqz(s, names[i]))
			return true;
	return false;
}

/* The comma-separated third part of a bind. */
static void mode_check(struct inspect *in, struct str mode, struct bind_mode *ret)
{
	struct str part, rest = mode;
	bool more = true;

	while (more) {
		more = inspect_split(rest, ',', &part, &rest);
		if (str_eqz(part, "ro"))
			ret->read_only = true;
		else if (str_eqz(part, "z") || str_eqz(part, "Z"))
			ret->relabels = true;
		else if (propagation(part))
			inspect_string_listed(in, POLICY_KEY_CONTAINERS_BIND_PROPAGATION, part);
		else if (part.n && !str_eqz(part, "rw") && !str_eqz(part, "nocopy") &&
			 !str_eqz(part, "copy") && !str_eqz(part, "consistent") && !str_eqz(part, "cached") &&
			 !str_eqz(part, "delegated") && !str_eqz(part, "default"))
			inspect_malformed(in, part, "is no mode of a bind");
	}
}

/* "/path" (an anonymous volume there), "SOURCE:TARGET", "SOURCE:TARGET:MODE"; moby's linux_parser.go. */
static void bind_check(struct inspect *in, enum policy_key key, struct str s)
{
	struct str source, rest, target, mode, more;
	struct bind_mode m = { false, false };

	(void)key;
	if (inspect_string_settled(in, s))
		return;
	if (!inspect_split(s, ':', &source, &rest))
		return;
	inspect_split(rest, ':', &target, &mode);
	if (inspect_split(mode, ':', &mode, &more)) {
		inspect_malformed(in, s, "has more than three parts");
		return;
	}
	if (mode.n)
		mode_check(in, mode, &m);
	if (source.n && source.p[0] == '/')
		inspect_bind_source(in, source, m.read_only && !m.relabels);
	else
		volume_check(in, source);
}

void inspect_check_binds(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_each_string(in, row->key, v, bind_check);
}

static struct str text(const struct json_value *object, const char *name)
{
	const struct json_value *v = inspect_get(object, name);

	return v ? json_value_string(v) : STR("");
}

static bool flag(const struct json_value *object, const char *name)
{
	const struct json_value *v = inspect_get(object, name);

	return v && json_value_bool(v);
}

static void mount_source(struct inspect *in, const struct json_value *mount, struct str type)
{
	bool writable_below = flag(inspect_get(mount, "BindOptions"), "ReadOnlyNonRecursive");
	struct str source = text(mount, "Source");

	if (str_eqz(type, "bind"))
		inspect_bind_source(in, source, flag(mount, "ReadOnly") && !writable_below);
	else if (str_eqz(type, "volume") && source.n)
		volume_check(in, source);
	else if (str_eqz(type, "image"))
		inspect_string_image(in, POLICY_KEY_CONTAINERS_IMAGES, source, "latest");
}

void inspect_check_mount(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	struct str type = text(v, "Type");
	size_t mark = inspect_enter(in, STR("Type"));

	(void)row;
	/* An empty type is an error in every engine that was tested; should one take it for "bind", it is not
	 * here. */
	if (type.n == 0)
		inspect_malformed(in, type, "is missing");
	else
		inspect_string_listed(in, POLICY_KEY_CONTAINERS_MOUNT_TYPES, type);
	if (str_eqz(type, "tmpfs") && !policy_bool(in->policy, POLICY_KEY_CONTAINERS_TMPFS))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_TMPFS, type, "is not allowed");
	inspect_leave(in, mark);
	mark = inspect_enter(in, STR("Source"));
	mount_source(in, v, type);
	inspect_leave(in, mark);
}

void inspect_check_tmpfs(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	if (json_size(v) && !policy_bool(in->policy, row->key))
		inspect_refuse_value(in, row->key, v, "is not allowed");
}

/* "NAME" or "NAME:ro". */
static void volumes_from_check(struct inspect *in, enum policy_key key, struct str s)
{
	struct str name, mode;

	if (inspect_string_settled(in, s))
		return;
	inspect_split(s, ':', &name, &mode);
	inspect_string_container(in, name);
	if (!inspect_listed(in->image, in->policy, key, name))
		inspect_refuse(in, key, s, "is not among the containers that are listed");
}

void inspect_check_volumes_from(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_each_string(in, row->key, v, volumes_from_check);
}
