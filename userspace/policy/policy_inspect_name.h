/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_inspect_name.h - references to images, as the engine reads them (distribution/reference).
 *
 * "bb", "bb:1", "docker.io/library/bb" and "index.docker.io/library/bb:1" name one repository, on Docker Hub;
 * the first part is a registry if it has a ".", a ":" or a capital letter, or is "localhost".
 */
#ifndef SOCKGATE_POLICY_INSPECT_NAME_H
#define SOCKGATE_POLICY_INSPECT_NAME_H

#include "policy/policy_image.h"

#define INSPECT_IMAGE_MAX 512

/* A reference, taken apart. The slices point into the text that was read, or at constants. */
struct inspect_image {
	struct str registry; /* "docker.io" */
	struct str prefix;   /* "library/", or empty */
	struct str path;     /* "acme/app" */
	struct str tag;      /* empty: none */
	struct str digest;   /* "sha256:...", empty: none */
	bool id; /* may be an image's id, or the beginning of one: nobody knows whose image that is */
};

/* false: no reference that the engine would take. Patterns ("ghcr.io/acme/app:1.*") are read likewise. */
bool inspect_image_parse(struct str s, struct inspect_image *ret);

/*
 * Whether an image is among those of a key. `tag` is the tag that the engine takes where the reference has
 * neither tag nor digest: "latest" to run, "" (all of them) to pull. "*" is any image; an id is only that, or
 * listed as such.
 */
bool inspect_image_listed(const struct policy_image *image, const struct image_policy *policy,
			  enum policy_key key, struct str reference, const char *tag);

/* Whether the host of a registry ("127.0.0.1:5000") is an IP address in any spelling, or localhost. */
bool inspect_is_address(struct str registry);

#endif
