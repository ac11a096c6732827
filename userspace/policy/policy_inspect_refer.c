/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_inspect_refer.c - what is named in a request: images, registries and containers. */
#include "policy/policy_inspect_checks.h"
#include "policy/policy_inspect_match.h"
#include "policy/policy_inspect_name.h"

void inspect_string_image(struct inspect *in, enum policy_key key, struct str reference, const char *tag)
{
	if (!inspect_string_settled(in, reference) &&
	    !inspect_image_listed(in->image, in->policy, key, reference, tag))
		inspect_refuse(in, key, reference, "is not among the images that are listed");
}

void inspect_check_image(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_string_image(in, row->key, json_value_string(v), "latest");
}

/* moby: a tag in the query takes the place of the tag and digest in the name; it may be a digest itself. */
void inspect_string_pull(struct inspect *in, enum policy_key key, struct str name, struct str tag)
{
	char memory[INSPECT_IMAGE_MAX];
	struct buf b = buf_over(memory, sizeof(memory));
	struct inspect_image image;
	struct str rest;

	if (inspect_string_settled(in, name))
		return;
	if (inspect_image_parse(name, &image))
		inspect_string_registry(in, image.registry);
	if (tag.n) {
		inspect_split(name, '@', &name, &rest);
		if (inspect_image_parse(name, &image) && image.tag.p)
			name.n -= image.tag.n + 1;
		buf_str(&b, name);
		buf_putc(&b, memchr(tag.p, ':', tag.n) ? '@' : ':');
		buf_str(&b, tag);
		if (b.overflow) {
			inspect_malformed(in, tag, "is too long");
			return;
		}
		name = buf_view(&b);
	}
	inspect_string_image(in, key, name, "");
}

void inspect_string_registry(struct inspect *in, struct str registry)
{
	enum policy_key key = POLICY_KEY_IMAGES_ADDRESS_REGISTRIES;

	if (inspect_is_address(registry) && !policy_bool(in->policy, key))
		inspect_refuse(in, key, registry, "is an address");
}

/* "https://index.docker.io/v1/" or "registry.example.com:5000". */
void inspect_check_server(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	struct str server = json_value_string(v), host = server, rest;

	if (inspect_string_settled(in, server))
		return;
	for (size_t i = 0; i + 2 < server.n; i++)
		if (memcmp(server.p + i, "://", 3) == 0) {
			host = (struct str){ server.p + i + 3, server.n - i - 3 };
			break;
		}
	inspect_split(host, '/', &host, &rest);
	inspect_string_registry(in, host);
	inspect_string_listed(in, row->key, server);
}

bool policy_inspect_protected(const struct policy_image *image, const struct image_policy *policy,
			      struct str name)
{
	return inspect_listed(image, policy, POLICY_KEY_CONTAINERS_PROTECTED, name);
}

void inspect_string_container(struct inspect *in, struct str name)
{
	struct inspect_list list = inspect_list_of(in->image, in->policy, POLICY_KEY_CONTAINERS_PROTECTED);
	struct str entry;

	if (inspect_string_settled(in, name))
		return;
	if (name.p[0] == '/')
		name = (struct str){ name.p + 1, name.n - 1 };
	if (policy_inspect_protected(in->image, in->policy, name))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_PROTECTED, name, "is a container that is protected");
	else if (inspect_list_next(&list, &entry) && name.n && memchr(name.p, '/', name.n))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_PROTECTED, name,
			       "is a link's name, which may stand for a container that is protected");
	else
		inspect_reference(in, POLICY_REFERENCE_CONTAINER, name, false);
}

void inspect_check_container(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	(void)row;
	inspect_string_container(in, json_value_string(v));
}

void inspect_string_new_name(struct inspect *in, struct str name)
{
	if (name.n && name.p[0] == '/')
		name = (struct str){ name.p + 1, name.n - 1 };
	if (!inspect_string_settled(in, name) && policy_inspect_protected(in->image, in->policy, name))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_PROTECTED, name,
			       "is the name of a container that is protected");
}
