/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_socket.h - which host path is an engine's socket, and which is sockgate's own:
 * containers.socket_bind.
 *
 * A container that mounts sockgate's socket has no more than whoever made it, so long as everybody who comes
 * through that socket is under the same policy: a container's processes may have any uid.
 */
#ifndef SOCKGATE_POLICY_SOCKET_H
#define SOCKGATE_POLICY_SOCKET_H

#include "policy/policy_image.h"

/*
 * Whether a clean absolute path is, as it is spelt, an engine's socket: an address of the image's engines,
 * what stands in their `also`, or Docker's default, since the engine may be configured by another path than
 * clients use.
 */
bool policy_socket_is_engine(const struct policy_image *image, struct str path);

/* Whether the policy wants such a mount rewritten. */
bool policy_socket_rewritten(const struct image_policy *policy);

/*
 * The socket that takes an engine's place in a request that came through `listener` (NULL: not known): its
 * own, or else the image's first on which everybody is under `policy`. Empty where there is none, or where
 * the policy does not want it.
 */
struct str policy_socket_own(const struct policy_image *image, const struct image_policy *policy,
			     const struct image_listener *listener);

/* Whether a clean absolute path is a socket that policy_socket_own() may give out under the policy. */
bool policy_socket_is_own(const struct policy_image *image, const struct image_policy *policy,
			  struct str path);

#endif
