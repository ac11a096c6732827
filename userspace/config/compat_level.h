/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat_level.h - what the environment variables of Tecnativa's socket proxy allow, at three levels.
 *
 *   tecnativa       docker-socket-proxy 0.4 and 0.5
 *   linuxserver     linuxserver/socket-proxy: its ALLOW_* need no POST, and reads that give files away are
 * off tecnativa-next  Tecnativa's pull request 183: a variable for each method, ALLOW_* for exec, kill,
 * attach, ...
 *
 * What they match as a regular expression on a path is said here once for each operation of the API; what
 * depends on the name in the path too (ALLOW_START opens /containers/NAME/start, by any method) is a glob.
 * Where theirs match a path only because a link's alias may have a slash in it ("/containers/web/db/logs"
 * past ALLOW_LOGS=0,
 * "/containers/web/stop/exec" through ALLOW_STOP=1), this refuses. Pure: no I/O, no allocation; strings are
 * constants or belong to the environment.
 */
#ifndef SOCKGATE_CONFIG_COMPAT_LEVEL_H
#define SOCKGATE_CONFIG_COMPAT_LEVEL_H

#include "api/api_operations.h"

enum compat_level { COMPAT_TECNATIVA, COMPAT_LINUXSERVER, COMPAT_TECNATIVA_NEXT, COMPAT_LEVELS };

const char *compat_level_name(enum compat_level level);
/* Returns 0, or -EINVAL when there is no such level. */
int compat_level_by_name(const char *name, enum compat_level *ret);

/* A variable's value in an environment block (NULL-terminated, "NAME=value"), or NULL. Names are
 * case-sensitive. */
const char *compat_variable(char *const *environment, const char *name);

/*
 * Their truth, which is HAProxy's: the text starts with an integer other than 0, a sign allowed. "1", "01",
 * "-1" and "1abc" are true; "true", "yes", " 1", "0x1" and "" are not.
 */
bool compat_is_true(const char *value);

/* A switch's value: the environment's, else the images' default ("1" for EVENTS, PING and VERSION, else "0").
 */
const char *compat_value(char *const *environment, const char *name);
bool compat_is_on(char *const *environment, const char *name);

/* What the variables say of one operation. */
struct compat_verdict {
	bool allow;
	const char
		*variable;  /* that decided: for a refusal the one to set to 1; NULL: no variable opens it */
	const char *method; /* for an allowed write, the variable of its method as well; else NULL */
};

/*
 * What they say of paths. In a glob '*' is one or more of A-Z a-z 0-9 _ . - (their class for a name), or none
 * at the glob's end, and "**" is anything. A deny wins over every allow.
 */
struct compat_glob {
	bool allow;
	uint32_t methods; /* bit per enum http_method */
	const char *glob;
	const char *variable;
};

#define COMPAT_GLOBS_MAX 48

struct compat_rules {
	struct compat_verdict verdicts[API_OPERATIONS];
	unsigned n_globs;
	struct compat_glob globs[COMPAT_GLOBS_MAX];
};

void compat_compile(enum compat_level level, char *const *environment, struct compat_rules *ret);

/* --- For compat_warnings.c --- */

/* The variable that opens a method at a level; NULL where the level leaves it open or (`*ret_never`) shut for
 * good. */
const char *compat_method_variable(enum compat_level level, enum http_method method, bool *ret_never);

/* A row for each ALLOW_* variable; `levels` has a bit for each level that reads it. */
struct compat_switch {
	const char *variable;
	unsigned levels;
	bool lifts; /* it lifts a refusal of what CONTAINERS=1 opens; else it opens something by itself */
	const char *globs[3]; /* of the paths */
};
extern const struct compat_switch compat_switches[];
extern const size_t compat_n_switches;

#endif
