/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_inspect_path.h"

#include "policy/policy_inspect_match.h"
#include "policy/policy_socket.h"

/*
 * Places that give away the host, its users' secrets or the engine. A rule for a wider directory does not
 * open them, nor anything that has one of them in it; a rule that names the place or something below it does.
 */
static const char *const closed_places[] = {
	"/bin",
	"/boot",
	"/dev",
	"/efi",
	"/etc",
	"/home",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/opt/containerd",
	"/proc",
	"/root",
	"/run",
	"/sbin",
	"/sys",
	"/Users",
	"/usr",
	"/var/lib/buildkit",
	"/var/lib/containerd",
	"/var/lib/containers",
	"/var/lib/docker",
	"/var/lib/kubelet",
	"/var/lib/sockgate",
	"/var/lib/systemd",
	"/var/log/sockgate",
	"/var/spool",
	"/run/buildkit/buildkitd.sock",
	"/run/containerd",
	"/run/crio/crio.sock",
	"/run/dbus",
	"/run/docker.sock",
	"/run/podman/podman.sock",
	"/run/sockgate",
	"/run/systemd",
};

/* Wherever they lie: a socket of this name is an engine's until a rule names it. */
static const char *const engine_sockets[] = {
	"docker.sock", "containerd.sock", "podman.sock", "crio.sock", "buildkitd.sock", "docker-raw.sock",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool inspect_path_clean(struct str path, char *memory, size_t cap, struct str *ret)
{
	size_t n = 0;

	if (path.n == 0 || path.p[0] != '/' || cap == 0)
		return false;
	for (size_t i = 0; i < path.n;) {
		size_t start = i + 1, end;
		struct str part;

		for (end = start; end < path.n && path.p[end] != '/'; end++)
			if ((unsigned char)path.p[end] < 0x20 || path.p[end] == 0x7f)
				return false;
		i = end;
		part = (struct str){ path.p + start, end - start };
		if (part.n == 0 || str_eqz(part, "."))
			continue;
		if (str_eqz(part, "..")) {
			while (n > 0 && memory[--n] != '/')
				;
			continue;
		}
		if (part.n + 1 > cap - n)
			return false;
		memory[n++] = '/';
		memcpy(memory + n, part.p, part.n);
		n += part.n;
	}
	if (n == 0)
		memory[n++] = '/';
	*ret = (struct str){ memory, n };
	return true;
}

struct str inspect_path_one_run(struct str path)
{
	if (str_eqz(path, "/var/run") || str_starts(path, STR("/var/run/")))
		return (struct str){ path.p + 4, path.n - 4 };
	return path;
}

bool inspect_path_within(struct str path, struct str dir)
{
	if (str_eqz(dir, "/"))
		return true;
	return str_starts(path, dir) && (path.n == dir.n || path.p[dir.n] == '/');
}

static struct str last_part(struct str path)
{
	size_t start = path.n;

	while (start > 0 && path.p[start - 1] != '/')
		start--;
	return (struct str){ path.p + start, path.n - start };
}

/* Whether `path` touches a closed place that `rule` does not name. */
static bool touches(struct str path, struct str rule, struct str place)
{
	place = inspect_path_one_run(place);
	if (!inspect_path_within(path, place) && !inspect_path_within(place, path))
		return false;
	return !inspect_path_within(rule, place);
}

static bool touches_engine(const struct policy_image *image, struct str path, struct str rule)
{
	const struct image_engine *engines = IMAGE_LIST(image, struct image_engine, image->engines);
	struct str name = last_part(path);

	for (size_t i = 0; i < COUNT(engine_sockets); i++)
		if (str_eqz(name, engine_sockets[i]) && !str_eq(path, rule))
			return true;
	for (uint32_t e = 0; e < image->engines.count; e++) {
		const struct image_str *also = IMAGE_LIST(image, struct image_str, engines[e].also);
		struct str socket = image_string(image, engines[e].address);

		if (engines[e].kind == IMAGE_UNIX && socket.n &&
		    (touches(path, rule, socket) || (str_eq(name, last_part(socket)) && !str_eq(path, rule))))
			return true;
		for (uint32_t i = 0; i < engines[e].also.count; i++)
			if (touches(path, rule, image_string(image, also[i])))
				return true;
	}
	return false;
}

/* NULL: the rule allows it; "": the rule is not about it; else why not. */
static const char *rule_refuses(const struct policy_image *image, const struct image_bind *rule,
				struct str path, bool read_only)
{
	struct str dir = inspect_path_one_run(image_string(image, rule->source));

	if (!inspect_path_within(path, dir))
		return "";
	if (str_eqz(dir, "/") && !rule->read_only)
		return NULL;
	for (size_t i = 0; i < COUNT(closed_places); i++)
		if (touches(path, dir, str_from(closed_places[i])))
			return "is a place that gives away the host, or has one in it; a rule must name it";
	if (touches_engine(image, path, dir))
		return "is an engine's socket, or has one in it; a rule must name it";
	if (rule->read_only && !read_only)
		return "may be mounted read-only, and the mount is not";
	return NULL;
}

bool policy_inspect_bind(const struct policy_image *image, const struct image_policy *policy, struct str path,
			 bool read_only, const char **why)
{
	const struct image_value *v = &policy->values[POLICY_KEY_CONTAINERS_BINDS];
	const struct image_bind *rules = IMAGE_LIST(image, struct image_bind, v->list);
	const char *first = "is not in a host directory that may be mounted";
	bool about = false;

	if (policy_socket_is_own(image, policy, path))
		return true;
	path = inspect_path_one_run(path);
	for (uint32_t i = 0; i < v->list.count; i++) {
		const char *r = rule_refuses(image, &rules[i], path, read_only);

		if (!r)
			return true;
		if (r[0] && !about) {
			first = r;
			about = true;
		}
	}
	*why = first;
	return false;
}

bool inspect_bind_forced(const struct policy_image *image, const struct image_policy *policy, struct str path)
{
	const struct image_value *v = &policy->values[POLICY_KEY_CONTAINERS_BINDS];
	const struct image_bind *rules = IMAGE_LIST(image, struct image_bind, v->list);
	size_t longest = 0;
	bool forced = false;

	path = inspect_path_one_run(path);
	for (uint32_t i = 0; i < v->list.count; i++) {
		struct str dir = inspect_path_one_run(image_string(image, rules[i].source));

		if (!inspect_path_within(path, dir) || dir.n < longest)
			continue;
		forced = rules[i].force || (forced && dir.n == longest);
		longest = dir.n;
	}
	return forced;
}

static void refuse_source(struct inspect *in, struct str source, struct str clean, const char *why)
{
	bool socket = policy_socket_is_engine(in->image, clean);

	/* A better way than a rule that gives the socket itself. */
	if (socket && !policy_socket_rewritten(in->policy))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_SOCKET_BIND, source, "is an engine's socket");
	else
		inspect_refuse(in, POLICY_KEY_CONTAINERS_BINDS, source,
			       socket ? "is an engine's socket, and there is no Unix listener on which "
					"everybody is under this policy"
				      : why);
}

void inspect_bind_source(struct inspect *in, struct str source, bool read_only)
{
	char memory[INSPECT_PATH_MAX];
	const char *why;
	struct str clean;

	if (!inspect_path_clean(source, memory, sizeof(memory), &clean)) {
		inspect_malformed(in, source, "is no clean absolute host path of at most 4096 bytes");
		return;
	}
	/* Where sockgate listens is not looked up: the path is the operator's own. */
	if (policy_socket_is_own(in->image, in->policy, clean))
		return;
	if (policy_inspect_bind(in->image, in->policy, clean, read_only, &why))
		inspect_reference(in, POLICY_REFERENCE_BIND, clean, read_only);
	else
		refuse_source(in, source, clean, why);
}

void inspect_directory(struct inspect *in, enum policy_key key, struct str path)
{
	struct inspect_list list = inspect_list_of(in->image, in->policy, key);
	char memory[INSPECT_PATH_MAX];
	struct str clean, entry;

	if (!inspect_path_clean(path, memory, sizeof(memory), &clean))
		clean = STR("");
	while (inspect_list_next(&list, &entry))
		if (str_eqz(entry, "*") || (clean.n && inspect_path_within(clean, entry)))
			return;
	inspect_refuse(in, key, path, "is not in a directory that is listed");
}
