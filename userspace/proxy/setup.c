/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/setup.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define DEFAULT_ENGINE "unix:/run/docker.sock"
#define DEFAULT_LISTEN "unix:/run/sockgate/docker.sock"

#define EXIT_CONFIGURATION 2
#define EXIT_PERMISSION    3
#define EXIT_KERNEL        4

static bool is_permission(int error)
{
	return error == EACCES || error == EPERM;
}

/*
 * What the command line says, and the environment for the rest. The environment's policy is the first one, so
 * listeners can refer to it before it is there; and it adds an engine or listeners only where there are none.
 */
static int configure_options(struct config_build *build, const struct options *o)
{
	unsigned policy = 0;
	int r = 0;

	if (o->policy)
		r = config_load_policy(build, o->policy, stderr, &policy);
	if (r == 0 && (o->engine || o->policy))
		r = config_add_engine(build, o->engine ? o->engine : DEFAULT_ENGINE, stderr);
	for (unsigned i = 0; r == 0 && i < o->n_listen; i++)
		r = config_add_listener(build, o->listen[i], policy, stderr);
	if (r == 0 && o->policy && o->n_listen == 0)
		r = config_add_listener(build, DEFAULT_LISTEN, policy, stderr);
	if (r == 0 && !o->policy)
		r = config_load_environment(build, environ, stderr);
	/* Last: the environment adds listeners where there are none. */
	if (r == 0 && o->metrics)
		r = config_add_metrics(build, o->metrics, stderr);
	if (r == 0)
		config_set_audit(build, o->audit ? o->audit : "-");
	return r;
}

static int compile(const struct options *o, struct setup *setup)
{
	struct config_build *build = config_build_new();
	const char *why = "";
	int r;

	if (!build)
		return -ENOMEM;
	config_policy_directory(build, getenv("SOCKGATE_POLICY_DIR"));
	r = o->config ? config_load_file(build, o->config, stderr) : configure_options(build, o);
	if (r == 0 && o->require_gate)
		config_set_require_gate(build);
	if (r == 0 && o->require_audit)
		config_set_require_audit(build);
	if (r == 0) {
		setup->image_fd = config_seal(build);
		r = setup->image_fd < 0 ? setup->image_fd
					: policy_image_map(setup->image_fd, &setup->image, &why);
		if (r < 0)
			fprintf(stderr, "sockgate-proxy: cannot compile the policy: %s %s\n", strerror(-r),
				why);
	}
	config_build_free(build);
	return r;
}

static int open_listeners(struct setup *setup)
{
	const struct image_listener *listeners =
		IMAGE_LIST(setup->image, struct image_listener, setup->image->listeners);

	for (uint32_t i = 0; i < setup->image->listeners.count; i++) {
		char why[512];
		int r;

		if (i == PROXY_LISTENERS_MAX) {
			fprintf(stderr, "sockgate-proxy: more than %d listeners\n", PROXY_LISTENERS_MAX);
			return -E2BIG;
		}
		r = listen_open(setup->image, &listeners[i], &setup->listeners[i], why, sizeof(why));
		if (r < 0) {
			fprintf(stderr, "sockgate-proxy: %s\n", why);
			return r;
		}
		setup->n_listeners = i + 1;
	}
	return 0;
}

int setup_alone(const struct options *options, struct setup *ret)
{
	int r;

	*ret = (struct setup){ .image_fd = -1, .audit_fd = -1, .gate = MSG_GATE_NONE };
	for (int i = 0; i < PROXY_LISTENERS_MAX; i++)
		ret->listeners[i].fd = -1;
	r = compile(options, ret);
	if (r < 0)
		return EXIT_CONFIGURATION;
	if (ret->image->gate.require) {
		fprintf(stderr, "sockgate-proxy: the kernel gate is required, and only sockgated can prove "
				"that it holds: "
				"start sockgated instead\n");
		setup_undo(ret);
		return EXIT_KERNEL;
	}
	r = trail_open(&ret->trail, ret->image, options->audit_key, &ret->audit_fd);
	if (r == 0)
		r = open_listeners(ret);
	if (r == 0)
		return -1;
	setup_undo(ret);
	return is_permission(-r) ? EXIT_PERMISSION : EXIT_CONFIGURATION;
}

void setup_undo(struct setup *setup)
{
	for (unsigned i = 0; i < setup->n_listeners; i++) {
		if (setup->listeners[i].fd < 0)
			continue;
		close(setup->listeners[i].fd);
		/* May be refused once the proxy is another user; then the stale socket is cleared at the next
		 * start. */
		if (strncmp(setup->listeners[i].name, "unix:", 5) == 0)
			(void)unlink(setup->listeners[i].name + 5);
	}
	if (setup->audit_fd >= 0)
		close(setup->audit_fd);
	if (setup->image)
		policy_image_unmap(setup->image);
	if (setup->image_fd >= 0)
		close(setup->image_fd);
	*setup = (struct setup){ .image_fd = -1, .audit_fd = -1 };
}

size_t setup_engine_groups(const struct policy_image *image, gid_t *groups, size_t max)
{
	const struct image_engine *engines = IMAGE_LIST(image, struct image_engine, image->engines);
	size_t n = 0;

	for (uint32_t i = 0; i < image->engines.count && n < max; i++) {
		struct str path = image_string(image, engines[i].address);
		const struct group *docker;
		char name[PATH_MAX];
		struct stat st;
		gid_t gid;

		if (engines[i].kind != IMAGE_UNIX || path.n >= sizeof(name))
			continue;
		memcpy(name, path.p, path.n);
		name[path.n] = '\0';
		docker = getgrnam("docker");
		/* An engine that is not up yet will give its socket to group docker, or keep it to root's. */
		if (stat(name, &st) == 0)
			gid = st.st_gid;
		else
			gid = docker ? docker->gr_gid : 0;
		groups[n++] = gid;
	}
	return n;
}
