/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_stored.c - what the engine has stored, held against the limits that hold for a request. */
#include "policy/policy_facts.h"

#include "policy/policy_inspect_checks.h"

/* container.InspectResponse: HostConfig says what the container asked for, Mounts what became of its volumes.
 */
static const struct inspect_row container_rows[] = {
	INSPECT_FIELDS("HostConfig", INSPECT_OBJECT, inspect_host_config_rows),
	INSPECT_END,
};
static const struct inspect_row stored_container = { "", INSPECT_OBJECT, container_rows, NULL, POLICY_KEYS };

/* volume.Volume: Options is what DriverOpts were when it was made. */
static const struct inspect_row volume_rows[] = {
	INSPECT_CHECK("Driver", INSPECT_STRING, inspect_check_listed, VOLUMES_DRIVERS),
	INSPECT_CHECK("Options", INSPECT_PAIRS, inspect_check_pairs, VOLUMES_OPTIONS),
	INSPECT_END,
};
static const struct inspect_row stored_volume = { "", INSPECT_OBJECT, volume_rows, NULL, POLICY_KEYS };

static unsigned walk(const struct inspect_row *row, const struct policy_image *image,
		     const struct image_policy *policy, const struct api_target *target,
		     const struct json_body *inspected, policy_found found, void *context)
{
	struct inspect in = { .image = image,
			      .policy = policy,
			      .target = target,
			      .found = found,
			      .context = context,
			      .stored = true };

	inspect_value(&in, row, json_body_root(inspected));
	return in.findings;
}

unsigned policy_inspect_stored_container(const struct policy_image *image, const struct image_policy *policy,
					 const struct api_target *target, const struct json_body *inspected,
					 policy_found found, void *context)
{
	return walk(&stored_container, image, policy, target, inspected, found, context);
}

unsigned policy_inspect_stored_volume(const struct policy_image *image, const struct image_policy *policy,
				      const struct api_target *target, const struct json_body *inspected,
				      policy_found found, void *context)
{
	return walk(&stored_volume, image, policy, target, inspected, found, context);
}
