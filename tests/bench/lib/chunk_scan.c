/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk_scan.h"

#include <errno.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int take_size_byte(struct chunk_scan *scan, char c)
{
	int digit = hex_digit(c);

	if (digit >= 0) {
		if (scan->left > UINT64_MAX >> 8)
			return -EBADMSG;
		scan->left = scan->left * 16 + (unsigned)digit;
		scan->line_has_bytes = true;
	} else if (c == '\n') {
		if (!scan->line_has_bytes)
			return -EBADMSG;
		scan->state = scan->left ? CHUNK_DATA : CHUNK_TRAILER;
		scan->line_has_bytes = false;
	} else if (c != '\r') {
		return -EBADMSG;
	}
	return 0;
}

static int take_line_byte(struct chunk_scan *scan, char c)
{
	switch (scan->state) {
	case CHUNK_SIZE:
		return take_size_byte(scan, c);
	case CHUNK_DATA_END:
		if (c == '\n')
			scan->state = CHUNK_SIZE;
		else if (c != '\r')
			return -EBADMSG;
		return 0;
	case CHUNK_TRAILER:
		if (c == '\n' && !scan->line_has_bytes)
			scan->state = CHUNK_DONE;
		else if (c != '\r')
			scan->line_has_bytes = c != '\n';
		return 0;
	case CHUNK_DATA:
	case CHUNK_DONE:
		break;
	}
	return -EBADMSG;
}

ssize_t chunk_scan_take(struct chunk_scan *scan, const char *p, size_t n, uint64_t *payload)
{
	size_t at = 0;

	while (at < n && scan->state != CHUNK_DONE) {
		if (scan->state == CHUNK_DATA) {
			uint64_t k = n - at < scan->left ? n - at : scan->left;

			at += k;
			scan->left -= k;
			*payload += k;
			if (scan->left == 0)
				scan->state = CHUNK_DATA_END;
		} else if (take_line_byte(scan, p[at++])) {
			return -EBADMSG;
		}
	}
	return (ssize_t)at;
}
