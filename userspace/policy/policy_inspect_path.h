/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_inspect_path.h - host paths, as Go's path.Clean makes them, against containers.binds.
 *
 * Lexical: "/srv/app/link" may lead anywhere. What is allowed here is listed by policy_inspect_references(),
 * to be resolved on the host and judged again by policy_inspect_bind().
 */
#ifndef SOCKGATE_POLICY_INSPECT_PATH_H
#define SOCKGATE_POLICY_INSPECT_PATH_H

#include "policy/policy_inspect_walk.h"

/*
 * Writes the clean form of an absolute path: no empty, "." or ".." parts, no slash at the end. Returns false
 * for a path that is relative, longer than `cap`, or has control characters.
 */
bool inspect_path_clean(struct str path, char *memory, size_t cap, struct str *ret);

/* Whether `path` is `dir` or below it, by whole components; both clean. */
bool inspect_path_within(struct str path, struct str dir);

/* /var/run is /run on every distribution that has systemd; judged as one, whichever way it is spelt. */
struct str inspect_path_one_run(struct str path);

/* Whether the longest rule of containers.binds for a clean path has mounts from there made read-only. */
bool inspect_bind_forced(const struct policy_image *image, const struct image_policy *policy,
			 struct str path);

/* Judges a bind's source at the present field, and refers it to the host if it is allowed. */
void inspect_bind_source(struct inspect *in, struct str source, bool read_only);

/* A host directory that must be one of a key's, or below one: containers.checkpoint_dirs. */
void inspect_directory(struct inspect *in, enum policy_key key, struct str path);

#endif
