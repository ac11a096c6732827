/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/audit_writer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define READER_PATIENCE 1000 /* ms */

int audit_writer_init(struct audit_writer *w, char *memory, size_t size, const char *program)
{
	int r;

	*w = (struct audit_writer){
		.fd = -1, .program = program, .memory = memory, .lines = buf_over(memory, size)
	};
	r = audit_chain_begin(&w->chain);
	w->kept = w->chain;
	return r;
}

static struct timespec now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_REALTIME, &time);
	return time;
}

/* The file's size, or -1 for a pipe, a terminal or the journal. */
static int64_t file_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
}

/* The rest of a half-written line will never be written behind its beginning. */
static void give_up_torn(struct audit_writer *w)
{
	w->chain = w->kept = w->torn_from;
	w->lines.n = w->torn = 0;
	w->lost++;
	w->lost_ever++;
}

static void tell_lost(struct audit_writer *w)
{
	struct audit_note note = {
		.time = now(),
		.action = STR("records-lost"),
		.reason = str_from(strerror(w->error)),
		.failure = true,
		.count = w->lost,
	};

	w->told = w->lost;
	w->start = w->lines.n;
	audit_format_note(&w->lines, &note);
	audit_writer_end(w);
}

struct buf *audit_writer_begin(struct audit_writer *w)
{
	if (w->lines.cap - w->lines.n < (size_t)AUDIT_LINE_MAX * (w->lost ? 2 : 1))
		w->owed = audit_writer_flush(w);
	if (w->torn && w->lines.n == w->torn && file_size(w->fd) != w->size)
		give_up_torn(w); /* somebody else has written behind it */
	if (w->lost && w->lines.n == w->torn)
		tell_lost(w);
	w->start = w->lines.n;
	return &w->lines;
}

struct str audit_writer_link(struct audit_writer *w)
{
	audit_chain_link(&w->chain, &w->lines);
	return (struct str){ w->lines.p + w->start, w->lines.n - w->start };
}

void audit_writer_end_linked(struct audit_writer *w)
{
	audit_chain_close(&w->chain, &w->lines, w->start);
}

void audit_writer_end(struct audit_writer *w)
{
	audit_chain_link(&w->chain, &w->lines);
	audit_chain_close(&w->chain, &w->lines, w->start);
}

static void add_mark(struct audit_writer *w, const char *action)
{
	struct audit_mark mark = {
		.time = now(),
		.action = str_from(action),
		.program = str_from(w->program),
		.pid = getpid(),
		.policy_hash = w->policy_hash,
	};

	audit_format_mark(audit_writer_begin(w), &mark);
	audit_writer_end(w);
}

void audit_writer_open(struct audit_writer *w, int fd)
{
	bool first = w->fd < 0;

	if (!first) {
		(void)audit_writer_flush(w);
		if (w->torn)
			give_up_torn(w);
		close(w->fd);
	}
	w->fd = fd;
	add_mark(w, first ? "chain-start" : "chain-continue");
	(void)audit_writer_flush(w);
}

void audit_writer_close(struct audit_writer *w)
{
	if (w->fd < 0)
		return;
	add_mark(w, "chain-end");
	(void)audit_writer_flush(w);
	close(w->fd);
	w->fd = -1;
}

/*
 * The trail may be a pipe, whose reader is slow or gone to sleep. It gets a moment; after that work goes on
 * without it, and what is lost is counted and said. A file never comes here.
 */
static bool wait_for_reader(const struct audit_writer *w)
{
	struct pollfd ready = { .fd = w->fd, .events = POLLOUT };

	return !w->error && poll(&ready, 1, READER_PATIENCE) > 0 && (ready.revents & POLLOUT);
}

/* The first `at` bytes were written, and no more can be: keeps the rest of a torn line, counts the others. */
static void keep_torn(struct audit_writer *w, size_t at)
{
	size_t line = at < w->torn ? 0 : w->torn; /* where the first line that is not whole yet begins */
	uint64_t dropped = 0, n = 0;
	bool torn = at < w->torn;
	size_t keep = torn ? w->torn - at : 0;

	for (size_t end; !torn && line < at; line = end, n++) {
		const char *newline = memchr(w->lines.p + line, '\n', w->lines.n - line);

		end = newline ? (size_t)(newline - w->lines.p) + 1 : w->lines.n;
		torn = end > at;
		if (torn) {
			w->torn_from = w->kept;
			keep = end - at;
		}
		audit_chain_follow(&w->kept, (struct str){ w->lines.p + line, end - 1 - line });
	}
	if (line < w->torn)
		line = w->torn;
	for (const char *p = w->lines.p + line, *end = w->lines.p + w->lines.n;
	     p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		dropped++;
	/* The note about earlier losses is the first line: either it went out, or it is due again. */
	if (w->told && n > 0)
		w->lost -= w->told;
	else if (w->told && dropped > 0)
		dropped--;
	w->told = 0;
	w->lost += dropped;
	w->lost_ever += dropped;
	memmove(w->lines.p, w->lines.p + at, keep);
	w->lines.n = w->torn = keep;
	w->size = file_size(w->fd);
	w->chain = w->kept;
}

static int write_lines(struct audit_writer *w)
{
	size_t at = 0;

	if (w->fd < 0)
		return -EBADF;
	while (at < w->lines.n) {
		ssize_t n = write(w->fd, w->lines.p + at, w->lines.n - at);

		if (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_for_reader(w))))
			continue;
		if (n <= 0) {
			int error = n < 0 ? errno : EIO;

			if (!w->error)
				fprintf(stderr, "%s: audit trail: cannot write: %s\n", w->program,
					strerror(error));
			w->error = error;
			keep_torn(w, at);
			return -error;
		}
		at += (size_t)n;
	}
	if (at == 0)
		return -w->error;
	if (w->told)
		fprintf(stderr, "%s: audit trail: %llu records were lost\n", w->program,
			(unsigned long long)w->told);
	else if (w->error)
		fprintf(stderr, "%s: audit trail: it can be written again, and nothing was lost\n",
			w->program);
	w->lost -= w->told;
	w->told = 0;
	w->error = 0;
	w->torn = 0;
	w->kept = w->chain;
	w->lines.n = 0;
	w->lines.overflow = false;
	return 0;
}

int audit_writer_flush(struct audit_writer *w)
{
	int r = write_lines(w);

	if (r == 0)
		r = w->owed;
	w->owed = 0;
	return r;
}
