/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_target.h - a request target, decoded once and made canonical.
 *
 * moby routes on the percent-decoded path (net/url, gorilla/mux) and reads the query with url.ParseQuery.
 * What the daemon could read differently from us is refused, never repaired: empty, "." and ".." segments,
 * malformed escapes, "%00" and other controls, ";" in the query, a repeated query key that the daemon reads
 * once. Escapes of ordinary characters are read ("/v1%2e41/containers%2fjson"), since the daemon serves them;
 * a name with a slash is routed the same whether the slash was escaped or not, so it is written plainly. A
 * target that is accepted is written anew by api_target_write(): what was understood is what is sent.
 */
#ifndef SOCKGATE_API_TARGET_H
#define SOCKGATE_API_TARGET_H

#include "api/api_operations.h"
#include "text/buf.h"
#include "text/str.h"

#define API_QUERY_MAX   64 /* parameters */
#define API_VERSION_MIN 24 /* API 1.24: older ones take a HostConfig at start */

struct api_parameter {
	struct str key;
	struct str value;
	bool known; /* the operation's row names it */
};

struct api_target {
	const struct api_operation *operation;
	struct str version;              /* "v1.41", or empty */
	unsigned minor;                  /* 41, or 0 when the target names no version (or an odd one) */
	struct str path;                 /* decoded, without the version: "/containers/web/start" */
	struct str names[API_NAMES_MAX]; /* the pattern's parameters: "web" */
	unsigned n_query;
	struct api_parameter query[API_QUERY_MAX];
};

/* Decoding never makes bytes more: scratch of the target's length is enough. */
#define API_TARGET_SCRATCH HTTP_HEAD_MAX

/*
 * Reads `target` (origin-form, as http_request_parse() left it). Decoded bytes go to scratch, which has at
 * least API_TARGET_SCRATCH bytes; the slices of *ret point there. Returns 0, or -EBADMSG  ambiguous or
 * malformed            (400); *ret is not to be used -ENOENT   no such operation in the table    (403);
 * ret->path and ret->version are set, nothing else -EPROTONOSUPPORT  a version of the API below
 * API_VERSION_MIN or not spelt "v1.NN" (400). The target is otherwise understood and *ret is complete, with
 * the version as it was sent: a compatibility level that has to pass what its model passes may go on, and
 * lets the daemon judge the version. *why names the rule (a constant string).
 *
 * On containers.create, query keys that the daemon does not read are left out of *ret: dockerode copies the
 * whole body into the query, and nobody would judge that copy.
 */
int api_target_parse(enum http_method method, struct str target, char *scratch, struct api_target *ret,
		     const char **why);

/* The value of a query key, or {NULL, 0} where it is absent (an empty value has p != NULL). */
struct str api_query_get(const struct api_target *target, const char *key);

/* moby's httputils.BoolValue: absent, "", "0", "no", "false", "none" (any case, trimmed) are false, all else
 * is true. */
bool api_query_bool(const struct api_target *target, const char *key);

/*
 * Appends the canonical target: version, re-encoded path, re-encoded query in the order received. Parsing
 * what was written gives the same target. Writing may take three times the bytes that were read.
 */
void api_target_write(const struct api_target *target, struct buf *out);

#endif
