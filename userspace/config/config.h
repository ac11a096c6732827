/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.h - compiles what was configured into a sealed policy image.
 *
 * Sources: sockgate.yaml, policy files, command-line options, or Tecnativa's environment variables. All of
 * them fill one struct config_build; config_seal() turns it into a memfd. Errors are collected as text with
 * file, line and column; after one, there is no image.
 */
#ifndef SOCKGATE_CONFIG_H
#define SOCKGATE_CONFIG_H

#include <stdio.h>

#include "policy/policy_image.h"

struct config_build;

struct config_build *config_build_new(void);
/* NULL is fine. Returns NULL. */
struct config_build *config_build_free(struct config_build *build);

/*
 * Where policies are looked for by name, in this order: NAME as a path when it has a '/' or ends in .yaml;
 * SOCKGATE_SYSCONFDIR/policies/NAME.yaml; SOCKGATE_DATADIR/policies/NAME.yaml; and `directory` when it is not
 * NULL (the source tree, for running without installing). readonly, worker and unrestricted are found there
 * too.
 */
void config_policy_directory(struct config_build *build, const char *directory);

/* All of these return 0, or -EINVAL after having written one or more "file:line:column: message" lines to
 * errors. */
int config_load_file(struct config_build *build, const char *path, FILE *errors); /* sockgate.yaml */
int config_load_policy(struct config_build *build, const char *name, FILE *errors, unsigned *ret_index);
int config_add_listener(struct config_build *build, const char *spec, unsigned policy,
			FILE *errors); /* unix:PATH, tcp:HOST:PORT, unix:///, tcp:// */
/* Counters and health, in addition to listeners that serve. */
int config_add_metrics(struct config_build *build, const char *spec, FILE *errors);
int config_add_engine(struct config_build *build, const char *spec, FILE *errors);
void config_set_audit(struct config_build *build, const char *path);
void config_set_require_audit(struct config_build *build);
void config_set_require_gate(struct config_build *build);

/* What there is without any file: guard /run/docker.sock, serve /run/sockgate/docker.sock, policy readonly.
 */
int config_defaults(struct config_build *build, FILE *errors);

/*
 * Tecnativa's variables, at the level of SOCKGATE_COMPAT, from an environment block. Adds the policy
 * "environment", the listener (BIND_CONFIG, default port 2375) and the engine (SOCKET_PATH). Warnings
 * (variables that do nothing) are lines on `errors` that start with "warning: ".
 */
int config_load_environment(struct config_build *build, char *const *environment, FILE *errors);

/* Writes and seals the image. Returns a memfd (close-on-exec) or -errno. */
int config_seal(struct config_build *build);

#endif
