/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/audit_signer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE (256 * 1024)
/* ,"sixteen:nineteen:thirtytwo" */
#define HEAD_SIZE (1 + 2 + 16 + 1 + 19 + 1 + 2 * AUDIT_HASH_SIZE)
_Static_assert(AUDIT_SIGNER_CHAINS *HEAD_SIZE + 1024 < AUDIT_LINE_MAX,
	       "a checkpoint is a record like others");

int audit_signer_init(struct audit_signer *s, const struct audit_key *key)
{
	*s = (struct audit_signer){ .key = *key };
	s->now = (struct audit_lines){ .fd = -1, .memory = malloc(READ_SIZE), .cap = READ_SIZE };
	s->before = (struct audit_lines){ .fd = -1, .memory = malloc(READ_SIZE), .cap = READ_SIZE };
	return s->now.memory && s->before.memory ? 0 : -ENOMEM;
}

static int64_t seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static struct audit_signer_chain *find(struct audit_signer *s, uint64_t id)
{
	for (unsigned i = s->n; i-- > 0;)
		if (s->chains[i].chain.id == id)
			return &s->chains[i];
	return NULL;
}

/* The chain becomes the last, that is the last one to be forgotten. */
static struct audit_signer_chain *move_up(struct audit_signer *s, struct audit_signer_chain chain)
{
	struct audit_signer_chain *old = find(s, chain.chain.id);
	unsigned i;

	if (!old && s->n < AUDIT_SIGNER_CHAINS) {
		s->chains[s->n] = chain;
		return &s->chains[s->n++];
	}
	i = old ? (unsigned)(old - s->chains) : 0;
	memmove(&s->chains[i], &s->chains[i + 1], (s->n - 1 - i) * sizeof(s->chains[0]));
	s->chains[s->n - 1] = chain;
	return &s->chains[s->n - 1];
}

static void take_line(struct audit_signer *s, struct str line)
{
	struct audit_signer_chain *known, chain = { .moved = false };
	enum audit_kind kind;
	struct audit_link link;

	if (audit_read_link(line, &link) < 0) {
		s->damaged++;
		return;
	}
	known = find(s, link.chain);
	if (known)
		chain = *known;
	if (known &&
	    (known->chain.seq != link.seq || memcmp(known->chain.prev, link.prev, sizeof(link.prev)) != 0)) {
		s->damaged++;
		/* A record that comes again or too late must not set its chain back. */
		if (link.seq < known->chain.seq)
			return;
	}
	kind = audit_read_kind(line);
	chain.chain = (struct audit_chain){ .id = link.chain, .seq = link.seq + 1 };
	memcpy(chain.chain.prev, link.hash, sizeof(link.hash));
	/* A checkpoint that made the next one necessary would never end. */
	chain.moved |= kind != AUDIT_CHECKPOINT;
	chain.ended = kind == AUDIT_END;
	if (known && known == &s->chains[s->n - 1])
		*known = chain;
	else
		(void)move_up(s, chain);
}

static int read_lines(struct audit_signer *s, struct audit_lines *lines, int64_t upto)
{
	struct str line;
	int r = 1;

	if (lines->fd < 0)
		return 0;
	while (lines->offset - (int64_t)(lines->end - lines->at) < upto && r != 0) {
		r = audit_lines_next(lines, &line);
		if (r == 1)
			take_line(s, line);
		else if (r == -EMSGSIZE)
			s->damaged++;
		else if (r < 0)
			return r;
	}
	return 0;
}

void audit_signer_open(struct audit_signer *s, int fd)
{
	struct stat st;
	struct audit_lines swap = s->before;

	(void)read_lines(s, &s->before, INT64_MAX);
	if (s->before.fd >= 0)
		close(s->before.fd);
	s->before = s->now;
	s->now = (struct audit_lines){ .fd = fd, .memory = swap.memory, .cap = swap.cap };
	/* Of an older trail only the end matters: the chains that the first checkpoint is to hold. */
	if (s->before.fd < 0 && fstat(fd, &st) == 0 && st.st_size > AUDIT_SIGNER_START) {
		s->now.offset = st.st_size - AUDIT_SIGNER_START;
		s->now.too_long = true; /* the first line is not whole */
	}
}

int audit_signer_read(struct audit_signer *s)
{
	struct stat st;
	bool started_within = s->now.too_long && s->n == 0;
	int64_t upto;
	int r;

	if (s->now.fd < 0)
		return -EBADF;
	if (fstat(s->now.fd, &st) < 0)
		return -errno;
	if (st.st_size < s->now.offset) {
		s->damaged++; /* cut off under our hands */
		s->now.offset = 0;
		s->now.at = s->now.end = 0;
	}
	upto = st.st_size;
	if (upto - s->now.offset > AUDIT_SIGNER_READ)
		upto = s->now.offset + AUDIT_SIGNER_READ;
	/* What a writer put into the old file is older than what it put into the new one until now. */
	r = read_lines(s, &s->before, INT64_MAX);
	if (r == 0)
		r = read_lines(s, &s->now, upto);
	if (started_within && s->damaged > 0)
		s->damaged--; /* the line that the first read began in the middle of */
	return r;
}

static void put_heads(const struct audit_signer *s, struct buf *out)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct audit_chain *chain = &s->chains[i].chain;

		if (!s->chains[i].moved)
			continue;
		buf_puts(out, out->n ? ",\"" : "\"");
		audit_put_id(out, chain->id);
		buf_putc(out, ':');
		buf_u64(out, chain->seq - 1);
		buf_putc(out, ':');
		audit_put_hex(out, chain->prev, sizeof(chain->prev));
		buf_putc(out, '"');
	}
}

static int write_checkpoint(struct audit_signer *s, struct audit_writer *writer)
{
	char memory[AUDIT_LINE_MAX];
	struct buf heads = buf_over(memory, sizeof(memory)), *out;
	uint8_t signature[AUDIT_SIGNATURE_SIZE];
	struct timespec time;
	int r;

	put_heads(s, &heads);
	if (heads.n == 0)
		return 0;
	(void)clock_gettime(CLOCK_REALTIME, &time);
	out = audit_writer_begin(writer);
	audit_format_checkpoint(out, time, buf_view(&heads));
	audit_key_sign(&s->key, audit_writer_link(writer), signature);
	buf_puts(out, ",\"sockgate.signature\":\"");
	audit_put_hex(out, signature, sizeof(signature));
	buf_putc(out, '"');
	audit_writer_end_linked(writer);
	r = audit_writer_flush(writer);
	for (unsigned i = 0; r == 0 && i < s->n; i++)
		s->chains[i].moved = false;
	return r;
}

static void tell_damage(struct audit_signer *s, struct audit_writer *writer)
{
	struct audit_note note = {
		.action = STR("trail-damaged"),
		.reason =
			STR("lines were changed, cut off or put in by somebody else: see sockgate audit-log "
			    "verify"),
		.failure = true,
		.count = s->damaged,
	};

	(void)clock_gettime(CLOCK_REALTIME, &note.time);
	audit_format_note(audit_writer_begin(writer), &note);
	audit_writer_end(writer);
	if (audit_writer_flush(writer) == 0)
		s->damaged = 0;
}

int audit_signer_tick(struct audit_signer *s, struct audit_writer *writer, bool at_once)
{
	int r = audit_signer_read(s);

	if (writer->fd < 0)
		return -EBADF;
	if (s->damaged)
		tell_damage(s, writer);
	if (r < 0 || (!at_once && seconds() - s->signed_at < AUDIT_CHECKPOINT_SECONDS))
		return r;
	s->signed_at = seconds();
	return write_checkpoint(s, writer);
}

bool audit_signer_all_ended(const struct audit_signer *s, uint64_t own)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->chains[i].moved && !s->chains[i].ended && s->chains[i].chain.id != own)
			return false;
	return true;
}
