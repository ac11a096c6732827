/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build.h - what was configured, before it becomes an image. Internal to config/.
 *
 * Every front end (sockgate.yaml, policy files, options, Tecnativa's variables) fills one struct config_build
 * through these functions; config_seal.c alone reads it back. Strings that are handed in are copied, and all
 * memory is owned by the builder and freed by config_build_free(). Running out of memory is remembered in
 * `failed`, so that a front end may go on and config_seal() still refuses.
 */
#ifndef SOCKGATE_CONFIG_BUILD_H
#define SOCKGATE_CONFIG_BUILD_H

#include <stdio.h>

#include "config/config.h"
#include "policy/policy_image.h"
#include "text/str.h"

struct yaml_doc;
struct yaml_node;

/* A growing array; elements are plain structs that are moved with memcpy. */
struct config_array {
	void *p;
	size_t n;
	size_t cap;
};
#define CONFIG_AT(array, type, i) (&((type *)(array).p)[i])

/* Where a statement stands: a file with its position, or a variable ("CONTAINERS=1") without one. */
struct config_source {
	const char *file;
	const char *text; /* as written: "deny: swarm.*" */
	unsigned line;
	unsigned column;
};

/* "no source" for a statement; otherwise index + 1 into the policy's sources, as in struct image_verdict. */
#define CONFIG_NO_SOURCE 0

struct config_glob {
	uint32_t methods; /* bit per enum http_method */
	bool allow;
	const char *glob;
	unsigned source;
};

struct config_bind {
	const char *source;
	bool read_only;
	bool force; /* mode: force-ro */
};

struct config_value {
	bool set;                 /* false: the key's default, which is filled in nevertheless */
	uint32_t flag;            /* POLICY_BOOL, POLICY_CHOICE */
	uint64_t number;          /* POLICY_NUMBER, POLICY_SIZE */
	struct config_array list; /* of const char * (POLICY_STRINGS) or struct config_bind (POLICY_BINDS) */
	unsigned source;
};

struct config_policy {
	const char *name;
	const char *file;     /* as it was named; NULL for one that was made of variables */
	const char *resolved; /* its real path: one file is one policy */
	/*
	 * Made of Tecnativa's variables: names are not restricted (legacy link aliases have slashes), and a
	 * refusal says which variable to set instead of which line to add. A '*' in its globs is A-Z a-z 0-9
	 * _ . - alone, see policy_glob_match_names().
	 */
	bool compat;
	enum policy_mode mode;
	bool mode_told;              /* that it protects nothing */
	struct config_array sources; /* struct config_source */
	struct config_array globs;   /* struct config_glob */
	struct image_verdict verdicts[API_OPERATIONS];
	struct config_value values[POLICY_KEYS];
};

struct config_listener {
	enum image_address kind;
	const char *address;
	unsigned port;
	const char *group;
	unsigned mode;
	unsigned policy;
	bool metrics;                /* counters and health; the policy is nobody's */
	struct config_array origins; /* const char * */
	struct config_array hosts;   /* const char * */
	struct config_source source;
};

struct config_engine {
	const char *name;
	enum image_address kind;
	const char *address;
	unsigned port;
	struct config_array also;  /* const char * */
	struct config_array allow; /* const char * */
	struct config_source source;
};

struct config_when {
	int64_t uid; /* -1: any */
	int64_t gid;
	unsigned policy;
	struct config_source source;
};

struct config_build {
	bool failed;                   /* out of memory: there will be no image */
	bool invalid;                  /* an error was reported: there will be no image */
	const char *directory;         /* config_policy_directory() */
	struct config_array blocks;    /* void *: everything that config_alloc() gave out */
	struct config_array policies;  /* struct config_policy * */
	struct config_array listeners; /* struct config_listener */
	struct config_array engines;   /* struct config_engine */
	struct config_array whens;     /* struct config_when */
	struct image_gate gate;
	bool require_audit;
	const char *audit_path;
};

/* Zeroed memory that lives as long as the builder. NULL (and build->failed) when there is none. */
void *config_alloc(struct config_build *build, size_t size);
/* A copy that ends in NUL. Never NULL: "" (and build->failed) when there is no memory. */
const char *config_copy(struct config_build *build, struct str s);
__attribute__((format(printf, 2, 3))) const char *config_format(struct config_build *build,
								const char *format, ...);
/* A new zeroed element at the end, or NULL (and build->failed). It is valid until the next push. */
void *config_push(struct config_build *build, struct config_array *array, size_t element);

/*
 * A new policy that allows nothing, every key at its default. Returns 0, -EEXIST when the name is taken, or
 * -ENOMEM.
 */
int config_policy_new(struct config_build *build, const char *name, unsigned *ret_index);
/* By index, as returned above; valid for the builder's life. */
struct config_policy *config_policy_at(struct config_build *build, unsigned index);

/*
 * Remembers where a statement stands. Returns index + 1, to be given to the functions below, or
 * CONFIG_NO_SOURCE when there is no memory. For a variable: file "CONTAINERS=1", text "" and no line.
 */
unsigned config_policy_source(struct config_build *build, unsigned policy, const char *file, const char *text,
			      unsigned line, unsigned column);

/* Says allow or deny for an operation; the first statement that says so is the one that is named later. */
void config_policy_say(struct config_build *build, unsigned policy, enum api_operation_id operation,
		       bool allow, unsigned source);
/* METHOD + glob over the canonical path: methods is a bit for each enum http_method. */
void config_policy_glob(struct config_build *build, unsigned policy, uint32_t methods, const char *glob,
			bool allow, unsigned source);

/*
 * Sets a key to a value as it would be written in YAML: "true", "[bridge, none]", "512k". Returns 0, -ENOMEM,
 * or -EINVAL with what is wrong as lines on `errors` (NULL: nobody wants to know).
 */
int config_policy_set(struct config_build *build, unsigned policy, enum policy_key key, const char *yaml,
		      unsigned source, FILE *errors);

/* --- Between the files of config/ --- */

/* Reads a key's value from a node; `file` is for messages. As config_policy_set(). */
int config_value_read(struct config_build *build, const struct policy_key_row *row,
		      const struct yaml_doc *doc, const struct yaml_node *node, FILE *errors,
		      struct config_value *ret);

/* An absolute path without empty, "." or ".." segments and without control bytes. NULL or why it is not. */
const char *config_path_problem(struct str path);

/*
 * unix:PATH, unix:///PATH, tcp:HOST:PORT, tcp://HOST:PORT, HOST:PORT or :PORT (tcp). Returns 0 or -EINVAL and
 * *why.
 */
int config_address(struct config_build *build, struct str spec, enum image_address *ret_kind,
		   const char **ret_address, unsigned *ret_port, const char **why);

/* Whether a TCP address can be reached from this host alone. */
bool config_is_loopback(const char *address);

/* The candidate that a misspelt word most resembles, or NULL when none does. */
struct config_guess {
	struct str word;
	const char *best;
	unsigned distance;
};
void config_guess_try(struct config_guess *guess, const char *candidate);

#endif
