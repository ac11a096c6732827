/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_rewrite.h - changes a body where the policy asks for it, before it is judged: what is judged is what
 * is sent.
 *
 *   containers.socket_bind     a mount of an engine's socket becomes one of sockgate's own
 *   containers.binds, force-ro a mount from there is made read-only
 *   containers.*_default       limits are filled in where there are none
 *   containers.labels_add      labels are set on whatever is created
 *
 * Names are taken exactly as Docker spells them, and what has another JSON type than Docker's is left alone:
 * both are refused by policy_inspect().
 *
 * Defaults go into HostConfig, which is made where it is absent or null. Engines up to 26.1 look for its
 * fields beside it only where there is none, so that making it would undo what stands there: a body that asks
 * for anything there and lacks a limit is refused, never moved. Mounts are rewritten in both places.
 *
 * Pure: no I/O, no state; what is added comes out of the document's memory budget.
 */
#ifndef SOCKGATE_POLICY_REWRITE_H
#define SOCKGATE_POLICY_REWRITE_H

#include "api/api_target.h"
#include "policy/policy_image.h"
#include "json/json_body.h"

#define POLICY_CHANGES_MAX 2048 /* bytes of the list of changes that are worth room */

/*
 * `listener` is what the request came through; NULL where that is not known. `body` is NULL when there is
 * none. Returns the number of changes and appends to `changes` what they are, for people, as far as it fits:
 * "HostConfig.Binds[0]: /var/run/docker.sock -> /run/sockgate/docker.sock; HostConfig.PidsLimit: 256 filled
 * in". Or -ENOMEM (answered with 413) or -EBADMSG (400), with *why (a constant string); the document is then
 * changed in part, and must not be sent.
 */
int policy_rewrite(const struct policy_image *image, const struct image_policy *policy,
		   const struct image_listener *listener, const struct api_target *target,
		   struct json_body *body, struct buf *changes, const char **why);

#endif
