/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_keys.h - every limit that a policy can set on what a request asks for.
 *
 * The rows are in policy_keys.inc. A key has a safe default; `sockgate explain` and sockgate-policy(5) are
 * made from the same rows, so that no limit is without documentation.
 */
#ifndef SOCKGATE_POLICY_KEYS_H
#define SOCKGATE_POLICY_KEYS_H

enum policy_key_type {
	POLICY_BOOL,    /* true, false */
	POLICY_CHOICE,  /* one of the row's choices, "a|b|c" */
	POLICY_NUMBER,  /* a non-negative integer; 0: no limit */
	POLICY_SIZE,    /* bytes, with the suffixes k, m, g (1024); 0: no limit */
	POLICY_STRINGS, /* a list of strings; each may be a glob where the row says so */
	POLICY_BINDS,   /* a list of {source, mode: ro|rw|force-ro}, or of plain paths (ro) */
};

enum policy_key {
#define KEY(id, ...) POLICY_KEY_##id,
#include "policy/policy_keys.inc"
#undef KEY
	POLICY_KEYS
};

struct policy_key_row {
	enum policy_key key;
	const char *section; /* "containers", "exec", "build", "volumes", ... */
	const char *name;    /* "privileged" */
	enum policy_key_type type;
	const char *choices;  /* POLICY_CHOICE: "ask|never"; else "" */
	const char *fallback; /* the default as written in YAML: "false", "0", "[]" */
	const char *field;    /* Docker's field path(s) and JSON type, "HostConfig.Privileged bool" */
	const char *since;    /* the API version that documents the field */
	const char *help;     /* one sentence: what it limits and why */
};

extern const struct policy_key_row policy_keys[POLICY_KEYS];

#endif
