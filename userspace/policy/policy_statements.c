/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_statements.h"

#include "policy/policy_glob.h"

/* One operation's globs in the order of policy_glob_order(), and what has been found among them. */
struct walk {
	const struct policy_image *image;
	const struct image_glob *glob;
	const uint32_t *index;
	struct str path;
	bool names; /* '*' takes only what names are made of: see policy_glob_match_names() */
	const struct image_glob *deny;
	const struct image_glob *allow;
};

static const struct image_glob *glob_at(const struct walk *w, uint32_t i)
{
	return &w->glob[w->index[i]];
}

/* Of several that match, the first in the order of the files is named. */
static void try_glob(struct walk *w, const struct image_glob *glob)
{
	struct str text = image_string(w->image, glob->glob);
	const struct image_glob **best = glob->allow ? &w->allow : &w->deny;
	bool fits = w->names ? policy_glob_match_names(text, glob->prefix, glob->suffix, w->path)
			     : policy_glob_match(text, glob->prefix, glob->suffix, w->path);

	if (fits && (!*best || glob < *best))
		*best = glob;
}

/* The bytes of a literal prefix from its front, or of a literal suffix from its end; depth is less than its
 * length. */
static unsigned char byte_at(const struct walk *w, uint32_t i, size_t depth, bool from_end)
{
	struct str s = image_string(w->image, glob_at(w, i)->glob);

	return (unsigned char)s.p[from_end ? s.n - 1 - depth : depth];
}

static uint32_t length_at(const struct walk *w, uint32_t i, bool from_end)
{
	return from_end ? glob_at(w, i)->suffix : glob_at(w, i)->prefix;
}

/* The first i in [lo, hi) whose byte at `depth` is at least c, or hi. */
static uint32_t lower_bound(const struct walk *w, uint32_t lo, uint32_t hi, size_t depth, bool from_end,
			    unsigned c)
{
	while (lo < hi) {
		uint32_t middle = lo + (hi - lo) / 2;

		if (byte_at(w, middle, depth, from_end) < c)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

/* The first i in [lo, hi) whose literal is longer than `depth`, or hi; the others stand before it. */
static uint32_t first_longer(const struct walk *w, uint32_t lo, uint32_t hi, size_t depth, bool from_end)
{
	while (lo < hi) {
		uint32_t middle = lo + (hi - lo) / 2;

		if (length_at(w, middle, from_end) <= depth)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

/* Narrows [*lo, *hi), whose literals are all longer than `depth`, to those with the path's byte there. */
static void narrow(const struct walk *w, uint32_t *lo, uint32_t *hi, size_t depth, bool from_end)
{
	unsigned char c = (unsigned char)w->path.p[from_end ? w->path.n - 1 - depth : depth];

	if (byte_at(w, *lo, depth, from_end) == c && byte_at(w, *hi - 1, depth, from_end) == c)
		return;
	*lo = lower_bound(w, *lo, *hi, depth, from_end, c);
	*hi = lower_bound(w, *lo, *hi, depth, from_end, c + 1u);
}

/* [lo, hi) have one prefix, which the path has too: those whose suffix it has as well may match. */
static void walk_suffixes(struct walk *w, uint32_t lo, uint32_t hi)
{
	for (size_t depth = 0; lo < hi; depth++) {
		uint32_t end = first_longer(w, lo, hi, depth, true);

		for (; lo < end; lo++)
			try_glob(w, glob_at(w, lo));
		if (lo == hi || depth == w->path.n)
			return;
		narrow(w, &lo, &hi, depth, true);
	}
}

static void walk_prefixes(struct walk *w, uint32_t lo, uint32_t hi)
{
	for (size_t depth = 0; lo < hi; depth++) {
		uint32_t end = lo;

		/* Mostly there is none of this length, and the first says so. */
		if (length_at(w, lo, false) <= depth)
			end = first_longer(w, lo, hi, depth, false);
		walk_suffixes(w, lo, end);
		lo = end;
		if (lo == hi || depth == w->path.n)
			return;
		narrow(w, &lo, &hi, depth, false);
	}
}

struct policy_statements policy_statements_find(const struct policy_image *image,
						const struct image_policy *policy,
						const struct api_target *target)
{
	const struct image_source *source = IMAGE_LIST(image, struct image_source, policy->sources);
	const struct image_verdict *verdict = &policy->verdicts[target->operation->id];
	const struct image_list *list = &policy->operation_globs[target->operation->id];
	struct policy_statements found = { .deny = verdict->deny ? &source[verdict->deny - 1] : NULL,
					   .allow = verdict->allow ? &source[verdict->allow - 1] : NULL };
	struct walk w = { .image = image,
			  .glob = IMAGE_LIST(image, struct image_glob, policy->globs),
			  .index = IMAGE_LIST(image, uint32_t, *list),
			  .path = target->path,
			  .names = policy->compat != 0 };

	if (found.deny || list->count == 0)
		return found;
	walk_prefixes(&w, 0, list->count);
	if (w.deny)
		found.deny = &w.deny->source;
	if (w.allow && !found.allow)
		found.allow = &w.allow->source;
	return found;
}
