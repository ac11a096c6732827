/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_seal.c - writes the image. Nothing else knows both the builder and the format.
 *
 * Every list is aligned for its elements, padding is zero, and the same configuration gives the same bytes,
 * so that the hash names it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config_build.h"
#include "config/config_statement.h"
#include "policy/policy_glob.h"

struct writer {
	char *p; /* moves as it grows: keep offsets, not pointers */
	uint32_t n;
	uint32_t cap;
	int error;
};

/* Room for n zeroed bytes; returns its offset, or 0 (where the header stands) after an error. */
static uint32_t reserve(struct writer *w, size_t n, size_t align)
{
	size_t off = (w->n + align - 1) & ~(align - 1), end = off + n;
	char *grown;

	if (w->error)
		return 0;
	if (n > POLICY_IMAGE_MAX || end > POLICY_IMAGE_MAX) {
		w->error = -EFBIG;
		return 0;
	}
	if (end > w->cap) {
		size_t cap = w->cap ? w->cap : 65536;

		while (cap < end)
			cap *= 2;
		grown = realloc(w->p, cap);
		if (!grown) {
			w->error = -ENOMEM;
			return 0;
		}
		w->p = grown;
		w->cap = (uint32_t)cap;
	}
	memset(w->p + w->n, 0, end - w->n);
	w->n = (uint32_t)end;
	return (uint32_t)off;
}

static void put(struct writer *w, uint32_t off, const void *bytes, size_t n)
{
	if (!w->error && n)
		memcpy(w->p + off, bytes, n);
}

static struct image_str put_string(struct writer *w, const char *z)
{
	struct image_str s = { 0, z ? (uint32_t)strnlen(z, POLICY_IMAGE_MAX) : 0 };

	if (s.len) {
		s.off = reserve(w, s.len, 1);
		put(w, s.off, z, s.len);
	}
	return s;
}

static struct image_list reserve_list(struct writer *w, size_t count, size_t element)
{
	struct image_list list = { 0, (uint32_t)count };

	if (count)
		list.off = reserve(w, count * element, 8);
	return list;
}

static struct image_list put_strings(struct writer *w, const struct config_array *strings)
{
	struct image_list list = reserve_list(w, strings->n, sizeof(struct image_str));

	for (size_t i = 0; i < strings->n; i++) {
		struct image_str s = put_string(w, *CONFIG_AT(*strings, const char *, i));

		put(w, list.off + (uint32_t)(i * sizeof(s)), &s, sizeof(s));
	}
	return list;
}

static struct image_source put_source(struct writer *w, const struct config_source *source)
{
	return (struct image_source){ .file = put_string(w, source->file),
				      .text = put_string(w, source->text),
				      .line = source->line,
				      .column = source->column };
}

static struct image_source put_source_of(struct writer *w, const struct config_policy *policy,
					 unsigned number)
{
	if (number == CONFIG_NO_SOURCE)
		return (struct image_source){ 0 };
	return put_source(w, CONFIG_AT(policy->sources, struct config_source, number - 1));
}

/* --- Policies --- */

static struct image_value put_value(struct writer *w, const struct config_policy *policy, unsigned key)
{
	const struct config_value *value = &policy->values[key];
	struct image_value out = { .set = value->set, .flag = value->flag, .number = value->number };

	if (policy_keys[key].type == POLICY_BINDS) {
		out.list = reserve_list(w, value->list.n, sizeof(struct image_bind));
		for (size_t i = 0; i < value->list.n; i++) {
			const struct config_bind *bind = CONFIG_AT(value->list, struct config_bind, i);
			struct image_bind b = { put_string(w, bind->source), bind->read_only, bind->force };

			put(w, out.list.off + (uint32_t)(i * sizeof(b)), &b, sizeof(b));
		}
	} else {
		out.list = put_strings(w, &value->list);
	}
	out.source = put_source_of(w, policy, value->source);
	/* A default is called by its name, so that a refusal can name it. */
	if (value->source == CONFIG_NO_SOURCE) {
		char name[64];

		snprintf(name, sizeof(name), "%s.%s", policy_keys[key].section, policy_keys[key].name);
		out.source.text = put_string(w, name);
	}
	return out;
}

static struct image_list put_sources(struct writer *w, const struct config_policy *policy)
{
	struct image_list list = reserve_list(w, policy->sources.n, sizeof(struct image_source));

	for (size_t i = 0; i < policy->sources.n; i++) {
		struct image_source s = put_source(w, CONFIG_AT(policy->sources, struct config_source, i));

		put(w, list.off + (uint32_t)(i * sizeof(s)), &s, sizeof(s));
	}
	return list;
}

static size_t prefix_length(const char *glob)
{
	return strcspn(glob, "*");
}

static size_t suffix_length(const char *glob)
{
	const char *star = strrchr(glob, '*');

	return star ? strlen(star + 1) : 0;
}

static struct image_list put_globs(struct writer *w, const struct config_policy *policy)
{
	struct image_list list = reserve_list(w, policy->globs.n, sizeof(struct image_glob));

	for (size_t i = 0; i < policy->globs.n; i++) {
		const struct config_glob *glob = CONFIG_AT(policy->globs, struct config_glob, i);
		struct image_glob g = { .methods = glob->methods,
					.allow = glob->allow,
					.prefix = (uint32_t)prefix_length(glob->glob),
					.suffix = (uint32_t)suffix_length(glob->glob),
					.glob = put_string(w, glob->glob),
					.source = put_source_of(w, policy, glob->source) };

		put(w, list.off + (uint32_t)(i * sizeof(g)), &g, sizeof(g));
	}
	return list;
}

struct ordered {
	const char *glob;
	uint32_t index;
};

static int compare(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;
	int c = policy_glob_order(str_from(x->glob), prefix_length(x->glob), suffix_length(x->glob),
				  str_from(y->glob), prefix_length(y->glob), suffix_length(y->glob));

	return c ? c : (x->index > y->index) - (x->index < y->index);
}

/* The policy's globs in the order of their prefixes; free() it. */
static struct ordered *order_globs(struct writer *w, const struct config_policy *policy)
{
	struct ordered *all = calloc(policy->globs.n + 1, sizeof(*all));

	if (!all) {
		w->error = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < policy->globs.n; i++) {
		const char *glob = CONFIG_AT(policy->globs, struct config_glob, i)->glob;

		all[i] = (struct ordered){ glob, (uint32_t)i };
	}
	qsort(all, policy->globs.n, sizeof(*all), compare);
	return all;
}

static void put_operation_globs(struct writer *w, const struct config_policy *policy,
				struct image_policy *out)
{
	struct ordered *all = order_globs(w, policy);
	uint32_t *some = calloc(policy->globs.n + 1, sizeof(*some));

	if (!some)
		w->error = -ENOMEM;
	for (unsigned op = 0; !w->error && all && op < API_OPERATIONS; op++) {
		size_t n = 0;

		for (size_t i = 0; i < policy->globs.n; i++) {
			uint32_t methods =
				CONFIG_AT(policy->globs, struct config_glob, all[i].index)->methods;

			if (methods & 1u << api_operations[op].method &&
			    config_glob_meets(str_from(all[i].glob), api_operations[op].pattern))
				some[n++] = all[i].index;
		}
		out->operation_globs[op] = reserve_list(w, n, sizeof(*some));
		put(w, out->operation_globs[op].off, some, n * sizeof(*some));
	}
	free(some);
	free(all);
}

static void put_policies(struct writer *w, struct config_build *build, struct image_list list)
{
	for (size_t i = 0; i < build->policies.n; i++) {
		const struct config_policy *policy = config_policy_at(build, (unsigned)i);
		struct image_policy *out = calloc(1, sizeof(*out)); /* too large for the stack */

		if (!out) {
			w->error = -ENOMEM;
			return;
		}
		out->name = put_string(w, policy->name);
		out->file = put_string(w, policy->file);
		out->compat = policy->compat;
		out->mode = policy->mode;
		out->sources = put_sources(w, policy);
		out->globs = put_globs(w, policy);
		memcpy(out->verdicts, policy->verdicts, sizeof(out->verdicts));
		put_operation_globs(w, policy, out);
		for (unsigned key = 0; key < POLICY_KEYS; key++)
			out->values[key] = put_value(w, policy, key);
		put(w, list.off + (uint32_t)(i * sizeof(*out)), out, sizeof(*out));
		free(out);
	}
}

/* --- The rest --- */

static struct image_listener put_listener(struct writer *w, const struct config_listener *l)
{
	return (struct image_listener){ .kind = l->kind,
					.address = put_string(w, l->address),
					.port = l->port,
					.group = put_string(w, l->group),
					.mode = l->mode,
					.policy = l->policy,
					.metrics = l->metrics,
					.allowed_origins = put_strings(w, &l->origins),
					.allowed_hosts = put_strings(w, &l->hosts),
					.source = put_source(w, &l->source) };
}

/* Those for counters come last: who asks for the first listener's policy gets one that means something. */
static struct image_list put_listeners(struct writer *w, const struct config_build *build)
{
	struct image_list list = reserve_list(w, build->listeners.n, sizeof(struct image_listener));
	uint32_t at = list.off;

	for (int metrics = 0; metrics < 2; metrics++) {
		for (size_t i = 0; i < build->listeners.n; i++) {
			const struct config_listener *l =
				CONFIG_AT(build->listeners, struct config_listener, i);
			struct image_listener out;

			if (l->metrics != (metrics == 1))
				continue;
			out = put_listener(w, l);
			put(w, at, &out, sizeof(out));
			at += (uint32_t)sizeof(out);
		}
	}
	return list;
}

static struct image_list put_engines(struct writer *w, const struct config_build *build)
{
	struct image_list list = reserve_list(w, build->engines.n, sizeof(struct image_engine));

	for (size_t i = 0; i < build->engines.n; i++) {
		const struct config_engine *e = CONFIG_AT(build->engines, struct config_engine, i);
		struct image_engine out = { .name = put_string(w, e->name),
					    .kind = e->kind,
					    .address = put_string(w, e->address),
					    .port = e->port,
					    .also = put_strings(w, &e->also),
					    .allow_exe = put_strings(w, &e->allow),
					    .source = put_source(w, &e->source) };

		put(w, list.off + (uint32_t)(i * sizeof(out)), &out, sizeof(out));
	}
	return list;
}

static struct image_list put_whens(struct writer *w, const struct config_build *build)
{
	struct image_list list = reserve_list(w, build->whens.n, sizeof(struct image_when));

	for (size_t i = 0; i < build->whens.n; i++) {
		const struct config_when *c = CONFIG_AT(build->whens, struct config_when, i);
		struct image_when out = { .uid = c->uid, .gid = c->gid, .policy = c->policy };

		out.source = put_source(w, &c->source);
		put(w, list.off + (uint32_t)(i * sizeof(out)), &out, sizeof(out));
	}
	return list;
}

static void put_image(struct writer *w, struct config_build *build)
{
	struct policy_image head = { .magic = POLICY_IMAGE_MAGIC,
				     .version = POLICY_IMAGE_VERSION,
				     .n_operations = API_OPERATIONS,
				     .n_keys = POLICY_KEYS,
				     .require_audit = build->require_audit,
				     .gate = build->gate };

	reserve(w, sizeof(head), 8);
	head.policies = reserve_list(w, build->policies.n, sizeof(struct image_policy));
	put_policies(w, build, head.policies);
	head.engines = put_engines(w, build);
	head.listeners = put_listeners(w, build);
	head.whens = put_whens(w, build);
	head.audit_path = put_string(w, build->audit_path);
	head.size = w->n;
	put(w, 0, &head, sizeof(head));
	if (!w->error) {
		head.hash = policy_image_hash(w->p, w->n);
		put(w, 0, &head, sizeof(head));
	}
}

static int write_whole(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t written = write(fd, p, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		p += written;
		n -= (size_t)written;
	}
	return 0;
}

int config_seal(struct config_build *build)
{
	struct writer w = { 0 };
	int fd = -1, r;

	if (build->failed || build->invalid)
		return build->failed ? -ENOMEM : -EINVAL;
	put_image(&w, build);
	r = w.error;
	if (r < 0)
		goto out;
	fd = memfd_create("sockgate-policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		r = -errno;
		goto out;
	}
	r = write_whole(fd, w.p, w.n);
	/* F_SEAL_WRITE last of all that could fail: nobody, root included, can change what was compiled. */
	if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0)
		close(fd);
out:
	free(w.p);
	return r < 0 ? r : fd;
}
