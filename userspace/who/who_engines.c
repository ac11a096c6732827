/* SPDX-License-Identifier: BSD-2-Clause */
/* What engines are called, and where they listen. */
#include <fnmatch.h>

#include "who/who_scene.h"

/* Where engines, and what is as good as one, listen. /var/run is /run. */
static const char *const usual_names[] = {
	"/run/docker.sock",
	"/run/containerd/containerd.sock",
	"/run/containerd/containerd.sock.ttrpc",
	"/run/docker/swarm/control.sock",
	"/run/buildkit/buildkitd.sock",
	"/run/crio/crio.sock",
	"/run/k3s/containerd/containerd.sock",
	"/run/podman/podman.sock",
	"/run/cri-dockerd.sock",
	"/run/containerd/s/*",
	"/run/docker/containerd/*.sock",
	"/run/docker/containerd/*.sock.ttrpc",
	"/run/docker/plugins/*.sock",
	"/run/user/*/docker.sock",
	"/run/user/*/podman/podman.sock",
	"/run/user/*/dockerd-rootless/api.sock",
	"/home/*/.docker/desktop/docker.sock",
	"/home/*/.docker/run/docker.sock",
};
#define USUAL_NAMES (sizeof(usual_names) / sizeof(usual_names[0]))

/* Sockets of engines that lead to nothing but numbers, or to the set-up of one network. */
static const char *const harmless_names[] = { "*/metrics.sock", "*/libnetwork/*.sock", "*-debug.sock" };

bool who_program_is_engine(struct str program)
{
	static const char *const names[] = { "dockerd", "docker-containerd", "containerd",
					     "podman",  "buildkitd",         "crio",
					     "balenad", "cri-dockerd",       "balena-engine-daemon" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eqz(program, names[i]))
			return true;
	return str_starts(program, STR("containerd-shim"));
}

bool who_program_is_sockgate(struct str program)
{
	return str_eqz(program, "sockgate-proxy") || str_eqz(program, "sockgate-worker") ||
	       str_eqz(program, "sockgated");
}

const char *who_name_usual(size_t i)
{
	return i < USUAL_NAMES ? usual_names[i] : NULL;
}

bool who_name_is_usual(const char *name)
{
	const char *short_name = strncmp(name, "/var/run/", 9) == 0 ? name + 4 : name;

	for (size_t i = 0; i < USUAL_NAMES; i++)
		if (fnmatch(usual_names[i], short_name, FNM_PATHNAME) == 0)
			return true;
	return false;
}

bool who_name_is_harmless(const char *name)
{
	for (size_t i = 0; i < sizeof(harmless_names) / sizeof(harmless_names[0]); i++)
		if (fnmatch(harmless_names[i], name, 0) == 0)
			return true;
	return false;
}
