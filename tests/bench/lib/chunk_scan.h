/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chunk_scan.h - finds the end of a chunked body (RFC 9112 section 7.1) and counts its payload.
 *
 * Extensions are refused: neither the stub engine nor a proxy between it and us has a reason to send one.
 */
#ifndef SOCKGATE_BENCH_CHUNK_SCAN_H
#define SOCKGATE_BENCH_CHUNK_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum chunk_state { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_DONE };

/* All zero is the start of a body. */
struct chunk_scan {
	enum chunk_state state;
	bool line_has_bytes; /* the present size or trailer line is not empty */
	uint64_t left;       /* of the present chunk */
};

/*
 * Takes bytes up to the end of the body at most and adds the payload among them to *payload. Returns how many
 * it took (fewer than n only when state became CHUNK_DONE), or -EBADMSG.
 */
ssize_t chunk_scan_take(struct chunk_scan *scan, const char *p, size_t n, uint64_t *payload);

#endif
