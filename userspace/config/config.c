/* SPDX-License-Identifier: BSD-2-Clause */
/* config.c - what comes from options, and what there is without any configuration. */
#include "config/config.h"

#include <errno.h>

#include "config/config_build.h"

#define DEFAULT_ENGINE   "/run/docker.sock"
#define DEFAULT_LISTENER "/run/sockgate/docker.sock"
#define DEFAULT_AUDIT    "/var/log/sockgate/audit.jsonl"

static int complain(struct config_build *build, FILE *errors, const char *option, const char *spec,
		    const char *why)
{
	if (errors)
		fprintf(errors, "%s:0:0: %s is not %s\n", option, spec, why);
	build->invalid = true;
	return -EINVAL;
}

static int add_listener(struct config_build *build, const char *option, const char *spec,
			struct config_listener listener, FILE *errors)
{
	struct config_listener *slot;
	const char *why;

	if (config_address(build, str_from(spec), &listener.kind, &listener.address, &listener.port, &why) <
	    0)
		return complain(build, errors, option, spec, why);
	/* Whoever types an address means it; but nothing protects what is said on such a connection. */
	if (errors && listener.kind == IMAGE_TCP && !config_is_loopback(listener.address))
		fprintf(errors, "warning: %s %s: unencrypted, and open to every host that can reach it\n",
			option, spec);
	listener.mode = 0660;
	listener.source.file = option;
	listener.source.text = config_copy(build, str_from(spec));
	slot = config_push(build, &build->listeners, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = listener;
	return 0;
}

int config_add_listener(struct config_build *build, const char *spec, unsigned policy, FILE *errors)
{
	return add_listener(build, "--listen", spec, (struct config_listener){ .policy = policy }, errors);
}

int config_add_metrics(struct config_build *build, const char *spec, FILE *errors)
{
	return add_listener(build, "--metrics", spec, (struct config_listener){ .metrics = true }, errors);
}

int config_add_engine(struct config_build *build, const char *spec, FILE *errors)
{
	struct config_engine engine = { .name = "docker" }, *slot;
	const char *why;

	if (config_address(build, str_from(spec), &engine.kind, &engine.address, &engine.port, &why) < 0)
		return complain(build, errors, "--engine", spec, why);
	engine.source.file = "--engine";
	engine.source.text = config_copy(build, str_from(spec));
	slot = config_push(build, &build->engines, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = engine;
	return 0;
}

void config_set_audit(struct config_build *build, const char *path)
{
	build->audit_path = config_copy(build, str_from(path));
}

void config_set_require_audit(struct config_build *build)
{
	build->require_audit = true;
}

void config_set_require_gate(struct config_build *build)
{
	build->gate.require = 1;
}

static bool serves_engine(const struct config_build *build)
{
	for (size_t i = 0; i < build->listeners.n; i++)
		if (!CONFIG_AT(build->listeners, struct config_listener, i)->metrics)
			return true;
	return false;
}

int config_defaults(struct config_build *build, FILE *errors)
{
	unsigned policy;
	int r = 0;

	if (build->engines.n == 0)
		r = config_add_engine(build, DEFAULT_ENGINE, errors);
	if (r == 0 && !serves_engine(build)) {
		r = config_load_policy(build, "readonly", errors, &policy);
		if (r == 0)
			r = config_add_listener(build, DEFAULT_LISTENER, policy, errors);
	}
	if (!build->audit_path)
		config_set_audit(build, DEFAULT_AUDIT);
	return r;
}
