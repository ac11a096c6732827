/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/options.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
	"usage: sockgate-proxy [--config FILE]\n"
	"       sockgate-proxy [--engine ADDRESS] [--listen ADDRESS]... [--policy NAME|FILE] [--audit "
	"FILE|-]\n"
	"                      [--audit-key FILE] [--metrics ADDRESS] [--require-audit] [--require-gate]\n"
	"\n"
	"Lets through to a Docker engine only what a policy allows.\n"
	"\n"
	"  --config FILE     everything from a sockgate.yaml\n"
	"  --engine ADDRESS  the engine: unix:PATH or tcp:HOST:PORT (unix:/run/docker.sock)\n"
	"  --listen ADDRESS  serve here; may be given more than once (unix:/run/sockgate/docker.sock)\n"
	"  --policy NAME     a policy by name or file (readonly)\n"
	"  --audit FILE      append a record of every decision to FILE; - is standard output, which is the "
	"default\n"
	"  --audit-key FILE  sign where the trail has come to, every few seconds, with this Ed25519 key\n"
	"  --metrics ADDRESS serve counters and health here: /metrics, /healthz, /readyz\n"
	"  --require-audit   refuse to serve while a record cannot be written\n"
	"  --require-gate    refuse to serve unless the kernel gate is proved to hold\n"
	"  --version, --help\n"
	"\n"
	"Without --config and --policy, the environment variables of Tecnativa's docker-socket-proxy are "
	"understood\n"
	"(CONTAINERS=1, POST=0, ...); SOCKGATE_COMPAT picks tecnativa, linuxserver or tecnativa-next.\n";

enum {
	OPTION_CONFIG = 256,
	OPTION_ENGINE,
	OPTION_LISTEN,
	OPTION_POLICY,
	OPTION_AUDIT,
	OPTION_AUDIT_KEY,
	OPTION_METRICS,
	OPTION_REQUIRE_AUDIT,
	OPTION_REQUIRE_GATE,
	OPTION_SUPERVISED,
	OPTION_VERSION,
	OPTION_HELP
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "engine", required_argument, NULL, OPTION_ENGINE },
	{ "listen", required_argument, NULL, OPTION_LISTEN },
	{ "policy", required_argument, NULL, OPTION_POLICY },
	{ "audit", required_argument, NULL, OPTION_AUDIT },
	{ "audit-key", required_argument, NULL, OPTION_AUDIT_KEY },
	{ "metrics", required_argument, NULL, OPTION_METRICS },
	{ "require-audit", no_argument, NULL, OPTION_REQUIRE_AUDIT },
	{ "require-gate", no_argument, NULL, OPTION_REQUIRE_GATE },
	{ "supervised", no_argument, NULL, OPTION_SUPERVISED },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static int misused(const char *what)
{
	fprintf(stderr, "sockgate-proxy: %s\n%s", what, usage);
	return 2;
}

/* Options that say the same thing twice, or nothing together. */
static int check(const struct options *o)
{
	bool own = o->engine || o->policy || o->n_listen || o->audit || o->metrics;

	if (o->config && own)
		return misused(
			"--config says everything: --engine, --listen, --policy, --audit and --metrics "
			"do not go with it");
	if (o->supervised && (own || o->config || o->audit_key || o->require_audit || o->require_gate))
		return misused("--supervised is for sockgated alone: no other option goes with it");
	return -1;
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct options o = { .supervised = false };
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPTION_CONFIG:
			o.config = optarg;
			break;
		case OPTION_ENGINE:
			o.engine = optarg;
			break;
		case OPTION_LISTEN:
			if (o.n_listen == OPTIONS_LISTENERS_MAX)
				return misused("too many --listen");
			o.listen[o.n_listen++] = optarg;
			break;
		case OPTION_POLICY:
			o.policy = optarg;
			break;
		case OPTION_AUDIT:
			o.audit = optarg;
			break;
		case OPTION_AUDIT_KEY:
			o.audit_key = optarg;
			break;
		case OPTION_METRICS:
			o.metrics = optarg;
			break;
		case OPTION_REQUIRE_AUDIT:
			o.require_audit = true;
			break;
		case OPTION_REQUIRE_GATE:
			o.require_gate = true;
			break;
		case OPTION_SUPERVISED:
			o.supervised = true;
			break;
		case OPTION_VERSION:
			printf("sockgate-proxy %s\n", SOCKGATE_VERSION);
			return 0;
		case OPTION_HELP:
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc)
		return misused("no arguments are taken but options");
	*ret = o;
	return check(ret);
}
