/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load_response.h - follows one response as its bytes come in: status, framing, and where it ends.
 */
#ifndef SOCKGATE_BENCH_LOAD_RESPONSE_H
#define SOCKGATE_BENCH_LOAD_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chunk_scan.h"

enum load_framing { LOAD_FRAMING_NONE, LOAD_FRAMING_LENGTH, LOAD_FRAMING_CHUNKED, LOAD_FRAMING_CLOSE };

/* All zero is the start of a response. */
struct load_response {
	int status;
	bool peer_closes; /* the connection ends with this response */
	char *head;       /* only when it came in pieces; owned, freed by load_response_reset() */
	size_t head_len;
	enum load_framing framing;
	uint64_t left; /* of a body with a length */
	struct chunk_scan chunks;
};

void load_response_reset(struct load_response *response);

/* Takes one head out of *p, *n; `to_head` says that the request was HEAD. 1: taken, 0: more to come, -1:
 * broken. */
int load_response_take_head(struct load_response *response, bool to_head, const char **p, size_t *n);

/*
 * Takes body bytes and counts them in *received (a chunked body's payload only). 1: the response ended
 * exactly here, 0: more to come, -1: broken, or there are bytes after its end.
 */
int load_response_take_body(struct load_response *response, const char *p, size_t n, uint64_t *received);

#endif
