/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_image.c - proves that an image can be read without looking at any of its offsets again.
 *
 * Every comparison subtracts from what is known to be larger, so that none can overflow.
 */
#include "policy/policy_image.h"

#include <errno.h>
#include <stdalign.h>

#include "policy/policy_glob.h"

/* sun_path of struct sockaddr_un, its NUL left out. */
#define UNIX_PATH_MAX_BYTES 107

struct check {
	const char *base;
	size_t size;
};

static bool string_ok(const struct check *c, struct image_str s)
{
	return s.len == 0 ||
	       (s.off >= sizeof(struct policy_image) && s.off <= c->size && s.len <= c->size - s.off);
}

/* The first element of a list that lies within the image, or NULL when it does not. */
static const void *list_at(const struct check *c, struct image_list list, size_t element)
{
	if (list.count == 0)
		return c->base;
	if (list.off % alignof(uint64_t) || list.off < sizeof(struct policy_image) || list.off > c->size ||
	    list.count > (c->size - list.off) / element)
		return NULL;
	return c->base + list.off;
}

static bool strings_ok(const struct check *c, struct image_list list)
{
	const struct image_str *s = list_at(c, list, sizeof(*s));

	if (!s)
		return false;
	for (uint32_t i = 0; i < list.count; i++)
		if (!string_ok(c, s[i]))
			return false;
	return true;
}

static bool source_ok(const struct check *c, const struct image_source *source)
{
	return string_ok(c, source->file) && string_ok(c, source->text);
}

static bool binds_ok(const struct check *c, struct image_list list)
{
	const struct image_bind *bind = list_at(c, list, sizeof(*bind));

	if (!bind)
		return false;
	for (uint32_t i = 0; i < list.count; i++)
		if (!string_ok(c, bind[i].source) || bind[i].read_only > 1 ||
		    bind[i].force > bind[i].read_only)
			return false;
	return true;
}

static uint32_t count_choices(const char *choices)
{
	uint32_t n = 1;

	for (; *choices; choices++)
		n += *choices == '|';
	return n;
}

static bool value_ok(const struct check *c, const struct image_value *value, const struct policy_key_row *row)
{
	uint32_t flags = row->type == POLICY_BOOL     ? 2
			 : row->type == POLICY_CHOICE ? count_choices(row->choices)
						      : 1;

	if (value->set > 1 || value->flag >= flags || !source_ok(c, &value->source))
		return false;
	switch (row->type) {
	case POLICY_STRINGS:
		return strings_ok(c, value->list);
	case POLICY_BINDS:
		return binds_ok(c, value->list);
	default:
		return value->list.count == 0;
	}
}

static bool globs_ok(const struct check *c, struct image_list list)
{
	const struct image_glob *glob = list_at(c, list, sizeof(*glob));

	if (!glob)
		return false;
	for (uint32_t i = 0; i < list.count; i++) {
		const struct image_glob *g = &glob[i];

		if (g->allow > 1 || g->methods >> HTTP_METHODS || !string_ok(c, g->glob) ||
		    g->glob.len > POLICY_GLOB_MAX || g->prefix > g->glob.len ||
		    g->suffix > g->glob.len - g->prefix || !source_ok(c, &g->source))
			return false;
	}
	return true;
}

/* policy_statements.c reads bytes of prefixes and suffixes by this order, without looking at lengths again.
 */
static bool ordered(const struct check *c, const struct image_glob *a, const struct image_glob *b)
{
	struct str x = { c->base + a->glob.off, a->glob.len }, y = { c->base + b->glob.off, b->glob.len };

	return policy_glob_order(x, a->prefix, a->suffix, y, b->prefix, b->suffix) <= 0;
}

static bool operation_globs_ok(const struct check *c, const struct image_policy *policy,
			       struct image_list list)
{
	const struct image_glob *globs = list_at(c, policy->globs, sizeof(*globs));
	const uint32_t *index = list_at(c, list, sizeof(*index));

	if (!globs || !index)
		return false;
	for (uint32_t i = 0; i < list.count; i++)
		if (index[i] >= policy->globs.count ||
		    (i && !ordered(c, &globs[index[i - 1]], &globs[index[i]])))
			return false;
	return true;
}

static const char *policy_problem(const struct check *c, const struct image_policy *policy)
{
	const struct image_source *source = list_at(c, policy->sources, sizeof(*source));

	if (!string_ok(c, policy->name) || !string_ok(c, policy->file) || policy->compat > 1 ||
	    policy->mode > POLICY_LEARN)
		return "a policy's name or mode is out of range";
	if (!source)
		return "a policy's sources are out of range";
	for (uint32_t i = 0; i < policy->sources.count; i++)
		if (!source_ok(c, &source[i]))
			return "a policy's source is out of range";
	if (!globs_ok(c, policy->globs))
		return "a policy's globs are out of range";
	for (unsigned i = 0; i < API_OPERATIONS; i++) {
		if (policy->verdicts[i].allow > policy->sources.count ||
		    policy->verdicts[i].deny > policy->sources.count)
			return "a verdict's source is out of range";
		if (!operation_globs_ok(c, policy, policy->operation_globs[i]))
			return "an operation's globs are out of range";
	}
	for (unsigned i = 0; i < POLICY_KEYS; i++)
		if (!value_ok(c, &policy->values[i], &policy_keys[i]))
			return "a limit's value is out of range";
	return NULL;
}

/* --- The rest --- */

static bool address_ok(const struct check *c, uint32_t kind, struct image_str address, uint32_t port)
{
	if (kind > IMAGE_TCP || !string_ok(c, address))
		return false;
	if (kind == IMAGE_UNIX)
		return address.len > 0 && address.len <= UNIX_PATH_MAX_BYTES && port == 0;
	return port > 0 && port <= UINT16_MAX;
}

static bool listeners_ok(const struct check *c, const struct policy_image *image)
{
	const struct image_listener *l = list_at(c, image->listeners, sizeof(*l));

	if (!l)
		return false;
	for (uint32_t i = 0; i < image->listeners.count; i++)
		if (!address_ok(c, l[i].kind, l[i].address, l[i].port) || !string_ok(c, l[i].group) ||
		    l[i].mode > 0777 || l[i].policy >= image->policies.count || l[i].metrics > 1 ||
		    !strings_ok(c, l[i].allowed_origins) || !strings_ok(c, l[i].allowed_hosts) ||
		    !source_ok(c, &l[i].source))
			return false;
	return true;
}

static bool engines_ok(const struct check *c, const struct policy_image *image)
{
	const struct image_engine *e = list_at(c, image->engines, sizeof(*e));

	if (!e)
		return false;
	for (uint32_t i = 0; i < image->engines.count; i++)
		if (!string_ok(c, e[i].name) || !address_ok(c, e[i].kind, e[i].address, e[i].port) ||
		    !strings_ok(c, e[i].also) || !strings_ok(c, e[i].allow_exe) ||
		    !source_ok(c, &e[i].source))
			return false;
	return true;
}

static bool whens_ok(const struct check *c, const struct policy_image *image)
{
	const struct image_when *when = list_at(c, image->whens, sizeof(*when));

	if (!when)
		return false;
	for (uint32_t i = 0; i < image->whens.count; i++)
		if (when[i].policy >= image->policies.count || !source_ok(c, &when[i].source))
			return false;
	return true;
}

static const char *header_problem(const struct policy_image *image, size_t size)
{
	if (image->magic != POLICY_IMAGE_MAGIC || image->version != POLICY_IMAGE_VERSION)
		return "not a policy image of this version";
	if (image->size != size)
		return "the image is cut short";
	if (image->n_operations != API_OPERATIONS || image->n_keys != POLICY_KEYS)
		return "the image was compiled for other operations or limits";
	if (image->hash != policy_image_hash(image, size))
		return "the image is damaged";
	if (image->gate.backend > GATE_NONE || image->gate.require > 1 || image->gate.observe > 1 ||
	    image->gate.open_on_exit > 1)
		return "the gate's settings are out of range";
	if (image->require_audit > 1)
		return "require_audit is out of range";
	return NULL;
}

static const char *problem(const struct check *c)
{
	const struct policy_image *image = (const void *)c->base;
	const char *why = header_problem(image, c->size);
	const struct image_policy *policy;

	if (why)
		return why;
	policy = list_at(c, image->policies, sizeof(*policy));
	if (!policy)
		return "the policies are out of range";
	for (uint32_t i = 0; !why && i < image->policies.count; i++)
		why = policy_problem(c, &policy[i]);
	if (why)
		return why;
	if (!listeners_ok(c, image))
		return "a listener is out of range";
	if (!engines_ok(c, image))
		return "an engine is out of range";
	if (!whens_ok(c, image))
		return "a peer's policy is out of range";
	if (!string_ok(c, image->audit_path))
		return "the audit path is out of range";
	return NULL;
}

uint64_t policy_image_hash(const void *base, size_t size)
{
	const unsigned char *p = base;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = sizeof(struct policy_image); i < size; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

int policy_image_check(const void *base, size_t size, const char **why)
{
	struct check c = { base, size };

	if (size < sizeof(struct policy_image) || size > POLICY_IMAGE_MAX ||
	    (uintptr_t)base % alignof(struct policy_image))
		*why = "the image has an impossible size";
	else
		*why = problem(&c);
	return *why ? -EBADMSG : 0;
}

const struct image_policy *policy_image_find(const struct policy_image *image, struct str name)
{
	const struct image_policy *policy = IMAGE_LIST(image, struct image_policy, image->policies);

	for (uint32_t i = 0; i < image->policies.count; i++)
		if (str_eq(image_string(image, policy[i].name), name))
			return &policy[i];
	return NULL;
}
