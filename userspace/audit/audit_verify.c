/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit_verify.c - follows every chain. Records are kept (their hashes) in the order of their numbers; a
 * record that comes in order is checked against the one before at once, one that does not when all have come.
 */
#include "audit/audit_verify.h"

#include <errno.h>
#include <stdlib.h>

struct entry {
	uint64_t seq;
	uint8_t hash[AUDIT_HASH_SIZE];
	struct audit_place place;
};

/* A record whose predecessor was not there when it came. */
struct orphan {
	uint64_t seq;
	uint8_t prev[AUDIT_HASH_SIZE];
	struct audit_place place;
};

struct array {
	void *p;
	size_t n, cap;
};
#define AT(array, type, i) (&((type *)(array).p)[i])

struct chain {
	uint64_t id;
	struct array entries; /* struct entry, by seq */
	struct array orphans; /* struct orphan, as they came */
	bool continued;       /* its first record says that it goes on from another file */
	bool ended;
	uint64_t proved;  /* records below this number are held by a checkpoint */
	bool checkpoints; /* it has some: it is a signer's */
};

struct audit_verify {
	struct audit_key key;
	bool has_key, failed;
	struct audit_place place; /* of the line in hand */
	struct array chains;      /* struct chain *, by id */
	struct chain *last;       /* the one looked up last */
	struct array findings;
	struct audit_summary summary;
};

static const struct {
	const char *name, *detail;
} kinds[] = {
	[AUDIT_CHANGED] = { "changed", "the next record, or a checkpoint, holds another hash of it" },
	[AUDIT_MISSING] = { "missing", "records were deleted before this line" },
	[AUDIT_REORDERED] = { "reordered", "it stands behind a later record of its chain" },
	[AUDIT_DUPLICATED] = { "duplicated", "its chain has this number already" },
	[AUDIT_AFTER_END] = { "after-end", "its chain had ended" },
	[AUDIT_TRUNCATED] = { "truncated", "this checkpoint holds records that are not there" },
	[AUDIT_BAD_SIGNATURE] = { "bad-signature", "this checkpoint is not signed by the key" },
	[AUDIT_UNREADABLE] = { "unreadable", "this line is no record" },
	[AUDIT_UNFINISHED] = { "unfinished", "the last line has no end" },
};

const char *audit_finding_name(enum audit_finding_kind kind)
{
	return kinds[kind].name;
}

const char *audit_finding_detail(enum audit_finding_kind kind)
{
	return kinds[kind].detail;
}

/* A new element at index `at`; the others move up. NULL (and v->failed) when there is no memory. */
static void *insert(struct audit_verify *v, struct array *array, size_t at, size_t size)
{
	char *p = array->p;

	if (array->n == array->cap) {
		size_t cap = array->cap ? array->cap * 2 : 16;

		p = reallocarray(array->p, cap, size);
		if (!p) {
			v->failed = true;
			return NULL;
		}
		array->p = p;
		array->cap = cap;
	}
	memmove(p + (at + 1) * size, p + at * size, (array->n - at) * size);
	array->n++;
	return memset(p + at * size, 0, size);
}

static void find_fault(struct audit_verify *v, enum audit_finding_kind kind, struct audit_place place,
		       const struct chain *chain, uint64_t seq, uint64_t count)
{
	struct audit_finding *f = insert(v, &v->findings, v->findings.n, sizeof(*f));

	if (f)
		*f = (struct audit_finding){ .kind = kind,
					     .place = place,
					     .has_chain = chain != NULL,
					     .chain = chain ? chain->id : 0,
					     .seq = seq,
					     .count = count };
}

/* Index of the first chain whose id is not below. */
static size_t chain_index(const struct audit_verify *v, uint64_t id)
{
	size_t low = 0, high = v->chains.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((*AT(v->chains, struct chain *, middle))->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct chain *find_chain(struct audit_verify *v, uint64_t id)
{
	size_t at;

	if (v->last && v->last->id == id)
		return v->last;
	at = chain_index(v, id);
	if (at == v->chains.n || (*AT(v->chains, struct chain *, at))->id != id)
		return NULL;
	v->last = *AT(v->chains, struct chain *, at);
	return v->last;
}

static struct chain *add_chain(struct audit_verify *v, uint64_t id)
{
	struct chain *chain = calloc(1, sizeof(*chain)), **slot = NULL;

	if (chain)
		slot = insert(v, &v->chains, chain_index(v, id), sizeof(void *));
	if (!slot) {
		v->failed = true;
		free(chain);
		return NULL;
	}
	chain->id = id;
	*slot = chain;
	return v->last = chain;
}

/* Index of the first entry whose number is not below. */
static size_t entry_index(const struct chain *chain, uint64_t seq)
{
	size_t low = 0, high = chain->entries.n;

	if (high && AT(chain->entries, struct entry, high - 1)->seq < seq)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (AT(chain->entries, struct entry, middle)->seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *find_entry(const struct chain *chain, uint64_t seq)
{
	size_t at = entry_index(chain, seq);

	return at < chain->entries.n && AT(chain->entries, struct entry, at)->seq == seq
		       ? AT(chain->entries, struct entry, at)
		       : NULL;
}

/* Checks a record against the one before it, which is there. */
static void check_prev(struct audit_verify *v, const struct chain *chain, const struct entry *before,
		       const uint8_t prev[AUDIT_HASH_SIZE])
{
	if (memcmp(before->hash, prev, AUDIT_HASH_SIZE) != 0)
		find_fault(v, AUDIT_CHANGED, before->place, chain, before->seq, 1);
}

static void place_record(struct audit_verify *v, struct chain *chain, const struct audit_link *link)
{
	static const uint8_t zeros[AUDIT_HASH_SIZE];
	size_t at = entry_index(chain, link->seq), n = chain->entries.n;
	struct entry *entry, *near = n ? AT(chain->entries, struct entry, 0) : NULL;
	struct orphan *orphan;

	if (at < n && near[at].seq == link->seq) {
		find_fault(v, AUDIT_DUPLICATED, v->place, chain, link->seq, 1);
		return;
	}
	if (at < n)
		find_fault(v, AUDIT_REORDERED, v->place, chain, link->seq, 1);
	else if (chain->ended)
		find_fault(v, AUDIT_AFTER_END, v->place, chain, link->seq, 1);
	if (at > 0 && near[at - 1].seq + 1 == link->seq) {
		check_prev(v, chain, &near[at - 1], link->prev);
	} else if (link->seq == 0) {
		if (memcmp(link->prev, zeros, sizeof(zeros)) != 0)
			find_fault(v, AUDIT_CHANGED, v->place, chain, 0, 1);
	} else if ((orphan = insert(v, &chain->orphans, chain->orphans.n, sizeof(*orphan)))) {
		orphan->seq = link->seq;
		orphan->place = v->place;
		memcpy(orphan->prev, link->prev, sizeof(link->prev));
	}
	entry = insert(v, &chain->entries, at, sizeof(*entry));
	if (!entry)
		return;
	*entry = (struct entry){ .seq = link->seq, .place = v->place };
	memcpy(entry->hash, link->hash, sizeof(link->hash));
}

/*
 * What a checkpoint says of one chain. `first` is the signer's first checkpoint here while its chain began
 * elsewhere: what it saw may stand in a file that was not given.
 */
static void check_head(struct audit_verify *v, const struct audit_head *head, bool first)
{
	struct chain *chain = find_chain(v, head->chain);
	const struct entry *entry = chain ? find_entry(chain, head->seq) : NULL;
	struct chain unknown = { .id = head->chain };
	const struct entry *last = NULL;

	if (entry) {
		if (memcmp(entry->hash, head->hash, sizeof(head->hash)) != 0)
			find_fault(v, AUDIT_CHANGED, entry->place, chain, head->seq, 1);
		if (chain->proved <= head->seq)
			chain->proved = head->seq + 1;
		return;
	}
	if (chain && chain->entries.n)
		last = AT(chain->entries, struct entry, chain->entries.n - 1);
	/* A hole inside a chain is found at its edges; here only an end that is gone matters. */
	if (last && last->seq > head->seq)
		return;
	if (!last && first)
		return;
	find_fault(v, AUDIT_TRUNCATED, v->place, chain ? chain : &unknown, last ? last->seq + 1 : head->seq,
		   last ? head->seq - last->seq : 1);
}

static void take_checkpoint(struct audit_verify *v, struct chain *signer, struct str line,
			    const struct audit_link *link)
{
	struct str heads = audit_read_heads(line), time = { line.p + 15, 27 };
	struct audit_head head;
	bool first = !signer->checkpoints && signer->continued;

	if (v->has_key &&
	    !(link->is_signed &&
	      audit_key_verify(&v->key, (struct str){ line.p, link->signed_n }, link->signature))) {
		find_fault(v, AUDIT_BAD_SIGNATURE, v->place, signer, link->seq, 1);
		return;
	}
	signer->checkpoints = true;
	v->summary.checkpoints++;
	if (line.n > time.p - line.p + time.n) {
		memcpy(v->summary.last_checkpoint, time.p, time.n);
		v->summary.last_checkpoint[time.n] = '\0';
	}
	while (audit_read_head(&heads, &head))
		check_head(v, &head, first);
	/* The signature covers its own place in the chain as well, and so everything before it. */
	if (signer->proved <= link->seq)
		signer->proved = link->seq + 1;
}

int audit_verify_line(struct audit_verify *v, struct str line)
{
	struct audit_link link;
	enum audit_kind kind;
	struct chain *chain;

	v->place.line++;
	if (audit_read_link(line, &link) < 0) {
		find_fault(v, AUDIT_UNREADABLE, v->place, NULL, 0, 1);
		return v->failed ? -ENOMEM : 0;
	}
	v->summary.records++;
	kind = audit_read_kind(line);
	chain = find_chain(v, link.chain);
	if (!chain)
		chain = add_chain(v, link.chain);
	if (!chain)
		return -ENOMEM;
	if (chain->entries.n == 0 && kind == AUDIT_CONTINUE)
		chain->continued = true;
	place_record(v, chain, &link);
	if (kind == AUDIT_END)
		chain->ended = true;
	if (kind == AUDIT_CHECKPOINT)
		take_checkpoint(v, chain, line, &link);
	return v->failed ? -ENOMEM : 0;
}

int audit_verify_unreadable(struct audit_verify *v)
{
	v->place.line++;
	find_fault(v, AUDIT_UNREADABLE, v->place, NULL, 0, 1);
	return v->failed ? -ENOMEM : 0;
}

int audit_verify_unfinished(struct audit_verify *v)
{
	v->place.line++;
	find_fault(v, AUDIT_UNFINISHED, v->place, NULL, 0, 1);
	return v->failed ? -ENOMEM : 0;
}

/* Holes, and the records behind holes that were filled later. */
static void finish_chain(struct audit_verify *v, struct chain *chain)
{
	uint64_t expected = 0;

	for (size_t i = 0; i < chain->entries.n; i++) {
		const struct entry *entry = AT(chain->entries, struct entry, i);

		if (entry->seq > expected && !(i == 0 && chain->continued))
			find_fault(v, AUDIT_MISSING, entry->place, chain, expected, entry->seq - expected);
		expected = entry->seq + 1;
		v->summary.unproved += entry->seq >= chain->proved;
	}
	for (size_t i = 0; i < chain->orphans.n; i++) {
		const struct orphan *orphan = AT(chain->orphans, struct orphan, i);
		const struct entry *before = find_entry(chain, orphan->seq - 1);

		if (before)
			check_prev(v, chain, before, orphan->prev);
	}
	v->summary.continued += chain->continued;
	v->summary.open += !chain->ended;
}

static int compare(const void *a, const void *b)
{
	const struct audit_finding *x = a, *y = b;

	if (x->place.file != y->place.file)
		return x->place.file < y->place.file ? -1 : 1;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

static bool same(const struct audit_finding *x, const struct audit_finding *y)
{
	return compare(x, y) == 0 && x->chain == y->chain;
}

int audit_verify_finish(struct audit_verify *v, const struct audit_finding **ret, size_t *ret_n,
			struct audit_summary *ret_summary)
{
	struct audit_finding *f;
	size_t kept = 0;

	for (size_t i = 0; i < v->chains.n; i++)
		finish_chain(v, *AT(v->chains, struct chain *, i));
	if (v->failed)
		return -ENOMEM;
	f = v->findings.p;
	if (v->findings.n)
		qsort(f, v->findings.n, sizeof(*f), compare);
	/* A record that was changed may be held by its successor and by a checkpoint: once is enough. */
	for (size_t i = 0; i < v->findings.n; i++)
		if (kept == 0 || !same(&f[kept - 1], &f[i]))
			f[kept++] = f[i];
	v->findings.n = kept;
	v->summary.chains = v->chains.n;
	*ret = f;
	*ret_n = kept;
	*ret_summary = v->summary;
	return 0;
}

struct audit_verify *audit_verify_new(const struct audit_key *key)
{
	struct audit_verify *v = calloc(1, sizeof(*v));

	if (v && key) {
		v->key = *key;
		v->has_key = true;
	}
	return v;
}

struct audit_verify *audit_verify_free(struct audit_verify *v)
{
	if (!v)
		return NULL;
	for (size_t i = 0; i < v->chains.n; i++) {
		struct chain *chain = *AT(v->chains, struct chain *, i);

		free(chain->entries.p);
		free(chain->orphans.p);
		free(chain);
	}
	free(v->chains.p);
	free(v->findings.p);
	free(v);
	return NULL;
}

void audit_verify_file(struct audit_verify *v, uint32_t file)
{
	v->place = (struct audit_place){ .file = file };
}
