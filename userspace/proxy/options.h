/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - the proxy's command line. Nothing is opened or checked here but the words themselves.
 */
#ifndef SOCKGATE_PROXY_OPTIONS_H
#define SOCKGATE_PROXY_OPTIONS_H

#include <stdbool.h>

#define OPTIONS_LISTENERS_MAX 64

struct options {
	bool supervised;                           /* --supervised: everything comes through the channel */
	const char *config;                        /* --config FILE */
	const char *engine;                        /* --engine SPEC */
	const char *policy;                        /* --policy NAME|FILE */
	const char *audit;                         /* --audit FILE|- */
	const char *audit_key;                     /* --audit-key FILE */
	bool require_audit;                        /* --require-audit */
	bool require_gate;                         /* --require-gate */
	const char *metrics;                       /* --metrics SPEC */
	const char *listen[OPTIONS_LISTENERS_MAX]; /* --listen SPEC, as often as given */
	unsigned n_listen;
};

/* Returns -1 to go on, or the status to exit with (--help, --version, or an error that has been said). */
int options_parse(int argc, char **argv, struct options *ret);

#endif
