/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_image.h - the compiled form of everything that was configured: flat, position-independent, sealed.
 *
 * A compiler (config/) writes it once into a memfd and seals it; every other process maps it read-only and
 * checks every offset in it before use (policy_image_check()), so that a damaged image is refused, never
 * followed. There are no pointers in it and nothing in it is ever freed or changed: a reload is a new image.
 * This header is the format; reading is in policy_image.c, writing in config/.
 */
#ifndef SOCKGATE_POLICY_IMAGE_H
#define SOCKGATE_POLICY_IMAGE_H

#include <stdint.h>

#include "api/api_operations.h"
#include "policy/policy_keys.h"
#include "text/str.h"

#define POLICY_IMAGE_MAGIC   0x31676b73u /* "skg1" */
#define POLICY_IMAGE_VERSION 1
#define POLICY_IMAGE_MAX     (16u * 1024 * 1024)

/* Offsets are from the image's first byte. */
struct image_str {
	uint32_t off;
	uint32_t len;
};
struct image_list {
	uint32_t off; /* of the first element */
	uint32_t count;
};

/* Where a statement stands, so that a refusal can name it. file is empty for built-in defaults and variables.
 */
struct image_source {
	struct image_str
		file; /* "/etc/sockgate/policies/ci.yaml", or "CONTAINERS=1" (an environment variable) */
	struct image_str text; /* the statement as written: "deny: swarm.*" */
	uint32_t line;         /* 1-based; 0: none */
	uint32_t column;
};

/* METHOD + glob over the canonical path. '*' matches within a segment, '**' across segments. */
struct image_glob {
	uint32_t methods; /* bit per enum http_method */
	uint32_t allow;   /* 1 allow, 0 deny */
	uint32_t prefix;  /* bytes before the first '*'; glob.len when there is none */
	uint32_t suffix;  /* bytes after the last '*'; 0 when there is none */
	struct image_str glob;
	struct image_source source;
};

/* What a policy says of one operation: index + 1 into the policy's sources, 0 for nothing said. */
struct image_verdict {
	uint32_t allow;
	uint32_t deny;
};

/* One value of one key (policy_keys.inc). */
struct image_value {
	uint32_t set;               /* 0: the default, which is filled in nevertheless */
	uint32_t flag;              /* POLICY_BOOL, POLICY_CHOICE (index of the choice) */
	uint64_t number;            /* POLICY_NUMBER, POLICY_SIZE */
	struct image_list list;     /* of image_str (POLICY_STRINGS) or image_bind (POLICY_BINDS) */
	struct image_source source; /* of a default: its name ("exec.users") and no file */
};

struct image_bind {
	struct image_str source; /* host directory, clean and absolute */
	uint32_t read_only;      /* 1: only mounts that are read-only */
	uint32_t force;          /* 1: mounts are made so; read_only is 1 as well */
};

/*
 * What a refusal by the policy does. Warn and learn are one thing under two names: the request passes and its
 * record says that it would have been denied. They protect nothing.
 */
enum policy_mode { POLICY_ENFORCE, POLICY_WARN, POLICY_LEARN };

struct image_policy {
	struct image_str name;
	struct image_str file;     /* where a line could be added; empty for one that was made of variables */
	uint32_t compat;           /* 1: made of Tecnativa's variables, see struct config_policy */
	uint32_t mode;             /* enum policy_mode */
	struct image_list sources; /* image_source */
	struct image_list globs;   /* image_glob, in the order of the files */
	struct image_verdict verdicts[API_OPERATIONS];
	/*
	 * The globs that can match a path of each operation: uint32_t, index into globs. In the order of
	 * policy_glob_order(), so that those with another prefix or suffix are skipped.
	 */
	struct image_list operation_globs[API_OPERATIONS];
	struct image_value values[POLICY_KEYS];
};

enum image_address { IMAGE_UNIX, IMAGE_TCP };

struct image_listener {
	uint32_t kind;            /* enum image_address */
	struct image_str address; /* a path, or a host: "127.0.0.1", "::1", "" for every address */
	uint32_t port;
	struct image_str group;            /* of a Unix socket; empty: the process's own */
	uint32_t mode;                     /* of a Unix socket */
	uint32_t policy;                   /* index into policies */
	uint32_t metrics;                  /* 1: counters and health alone; no policy, nothing is forwarded */
	struct image_list allowed_origins; /* image_str */
	struct image_list allowed_hosts;   /* image_str: names that Host may have, beside loopback's own */
	struct image_source source;
};

struct image_engine {
	struct image_str name;
	uint32_t kind;
	struct image_str address; /* the socket's path, or a host */
	uint32_t port;
	struct image_list also;      /* image_str: engine-equivalent sockets */
	struct image_list allow_exe; /* image_str: executables of the engine's own processes */
	struct image_source source;
};

enum gate_backend { GATE_AUTO, GATE_LSM, GATE_FMOD_RET, GATE_PATHLESS, GATE_NONE };

struct image_gate {
	uint32_t backend;      /* enum gate_backend */
	uint32_t require;      /* 1: no proof of enforcement, no service */
	uint32_t observe;      /* 1: log what would be refused */
	uint32_t open_on_exit; /* 1: the gate opens when sockgated ends */
};

/* By peer, before the listener's own policy; -1 where a criterion is not used. */
struct image_when {
	int64_t uid;
	int64_t gid;
	uint32_t policy;
	struct image_source source;
};

struct policy_image {
	uint32_t magic;
	uint32_t version;
	uint32_t size;         /* of the whole image */
	uint32_t n_operations; /* API_OPERATIONS and POLICY_KEYS of the compiler: must be ours */
	uint32_t n_keys;
	uint32_t require_audit; /* 1: no audit record, no service */
	uint64_t hash; /* FNV-1a of the bytes after this header; names the version in status and audit */
	struct image_gate gate;
	struct image_list engines;   /* image_engine */
	struct image_list listeners; /* image_listener */
	struct image_list whens;     /* image_when */
	struct image_list policies;  /* image_policy */
	struct image_str audit_path; /* empty: none; "-": standard output */
};

/* FNV-1a of an image of `size` bytes, its header left out. */
uint64_t policy_image_hash(const void *base, size_t size);

/* Checks every offset, length, index and enum in [base, base+size). Returns 0 or -EBADMSG with *why. */
int policy_image_check(const void *base, size_t size, const char **why);

/* policy_map.c: maps a sealed memfd read-only and checks it. Returns 0, -errno, or -EBADMSG with *why. Unmap
 * with policy_image_unmap(). */
int policy_image_map(int fd, const struct policy_image **ret, const char **why);
void policy_image_unmap(const struct policy_image *image);

/* Accessors; they may be used only on a checked image. Strings live as long as the image. */
static inline struct str image_string(const struct policy_image *image, struct image_str s)
{
	return (struct str){ (const char *)image + s.off, s.len };
}
static inline const void *image_at(const struct policy_image *image, uint32_t off)
{
	return (const char *)image + off;
}
#define IMAGE_LIST(image, type, list) ((const type *)image_at(image, (list).off))

static inline const struct image_policy *policy_image_at(const struct policy_image *image, uint32_t index)
{
	return IMAGE_LIST(image, struct image_policy, image->policies) + index;
}

/* By name; NULL if there is none. */
const struct image_policy *policy_image_find(const struct policy_image *image, struct str name);

#endif
