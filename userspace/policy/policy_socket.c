/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_socket.h"

#include "policy/policy_decide.h"
#include "policy/policy_inspect_path.h"

/* Index of "rewrite" among the choices of containers.socket_bind. */
#define SOCKET_BIND_REWRITE 1

#define DEFAULT_SOCKET "/run/docker.sock"

/* `path` is clean; an address is as it was configured. */
static bool same_path(struct str address, struct str path)
{
	char memory[INSPECT_PATH_MAX];
	struct str clean;

	return inspect_path_clean(address, memory, sizeof(memory), &clean) &&
	       str_eq(inspect_path_one_run(clean), inspect_path_one_run(path));
}

bool policy_socket_is_engine(const struct policy_image *image, struct str path)
{
	const struct image_engine *engines = IMAGE_LIST(image, struct image_engine, image->engines);

	if (same_path(STR(DEFAULT_SOCKET), path))
		return true;
	for (uint32_t e = 0; e < image->engines.count; e++) {
		const struct image_str *also = IMAGE_LIST(image, struct image_str, engines[e].also);

		if (engines[e].kind == IMAGE_UNIX && same_path(image_string(image, engines[e].address), path))
			return true;
		for (uint32_t i = 0; i < engines[e].also.count; i++)
			if (same_path(image_string(image, also[i]), path))
				return true;
	}
	return false;
}

/* Whether a mount of the listener's socket leads to this policy, and to no other for any uid or gid. */
static bool leads_to(const struct policy_image *image, const struct image_listener *listener,
		     const struct image_policy *policy)
{
	const struct image_when *when = IMAGE_LIST(image, struct image_when, image->whens);

	if (listener->metrics || listener->kind != IMAGE_UNIX ||
	    policy_image_at(image, listener->policy) != policy)
		return false;
	for (uint32_t i = 0; i < image->whens.count; i++)
		if (policy_image_at(image, when[i].policy) != policy)
			return false;
	return true;
}

bool policy_socket_rewritten(const struct image_policy *policy)
{
	return policy_choice(policy, POLICY_KEY_CONTAINERS_SOCKET_BIND) == SOCKET_BIND_REWRITE;
}

struct str policy_socket_own(const struct policy_image *image, const struct image_policy *policy,
			     const struct image_listener *listener)
{
	const struct image_listener *listeners = IMAGE_LIST(image, struct image_listener, image->listeners);

	if (!policy_socket_rewritten(policy))
		return STR("");
	if (listener && leads_to(image, listener, policy))
		return image_string(image, listener->address);
	for (uint32_t i = 0; i < image->listeners.count; i++)
		if (leads_to(image, &listeners[i], policy))
			return image_string(image, listeners[i].address);
	return STR("");
}

bool policy_socket_is_own(const struct policy_image *image, const struct image_policy *policy,
			  struct str path)
{
	const struct image_listener *listeners = IMAGE_LIST(image, struct image_listener, image->listeners);

	if (!policy_socket_rewritten(policy))
		return false;
	for (uint32_t i = 0; i < image->listeners.count; i++)
		if (leads_to(image, &listeners[i], policy) &&
		    same_path(image_string(image, listeners[i].address), path))
			return true;
	return false;
}
