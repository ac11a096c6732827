/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.h - a bounded output buffer over memory that the caller owns.
 *
 * Appending past the end keeps what fitted, sets `overflow`, and every later append is a no-op, so a writer
 * may append a whole message and test once. Nothing here allocates.
 */
#ifndef SOCKGATE_TEXT_BUF_H
#define SOCKGATE_TEXT_BUF_H

#include <stdarg.h>
#include <stdint.h>

#include "text/str.h"

struct buf {
	char *p;       /* the caller's memory */
	size_t n;      /* bytes used */
	size_t cap;    /* bytes there are */
	bool overflow; /* something did not fit */
};

static inline struct buf buf_over(char *memory, size_t cap)
{
	return (struct buf){ .p = memory, .cap = cap };
}

void buf_append(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *z);
void buf_putc(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *format, ...);
/* Appends `s` as a JSON string with its quotes (RFC 8259 section 7); bytes that are not UTF-8 become U+FFFD.
 */
void buf_json(struct buf *b, struct str s);

static inline struct str buf_view(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}

#endif
