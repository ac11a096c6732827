/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_rewrite_parts.h - what the files of policy_rewrite*.c share. */
#ifndef SOCKGATE_POLICY_REWRITE_PARTS_H
#define SOCKGATE_POLICY_REWRITE_PARTS_H

#include "policy/policy_image.h"
#include "json/json_body.h"

struct rewrite {
	const struct policy_image *image;
	const struct image_policy *policy;
	struct str socket; /* policy_socket_own() */
	struct buf *changes;
	int count;
	int error; /* the first; nothing is changed after it */
	const char *why;
};

/* Counts a change and returns where to say what it is. Values go through rewrite_put(), which cuts long ones.
 */
struct buf *rewrite_note(struct rewrite *rw);
void rewrite_put(struct buf *b, struct str value);

/* Takes what a json_edit_*() returned: true where the change was made; else the error is remembered. */
bool rewrite_made(struct rewrite *rw, int r);

/* The object called `name`, made where it is absent or null; NULL where something else stands there, too. */
struct json_value *rewrite_object(struct rewrite *rw, struct json_value *object, const char *name);

/* Stamps object.Labels; `where` is the object's path with a dot at its end, or empty. */
void rewrite_labels(struct rewrite *rw, struct json_value *object, struct str where);

/* object.Binds and object.Mounts. */
void rewrite_mounts(struct rewrite *rw, struct json_value *object, struct str where);

#endif
