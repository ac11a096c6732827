/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trail that anybody wrote: reading it does no harm, what is read as a record's links is what stands there,
 * and a trail with a finding has one in a line that it has.
 */
#include <stdlib.h>

#include "audit/audit_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Writes the links again; the line must end in exactly that. */
static void check_link(struct str line, const struct audit_link *link)
{
	char memory[512];
	struct buf out = buf_over(memory, sizeof(memory));
	struct audit_chain chain = { .id = link->chain, .seq = link->seq };

	memcpy(chain.prev, link->prev, sizeof(chain.prev));
	buf_puts(&out, "}\n");
	audit_chain_link(&chain, &out);
	must(link->signed_n >= out.n && memcmp(line.p + link->signed_n - out.n, out.p, out.n) == 0);
	must(link->is_signed || link->signed_n == line.n - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audit_key key = { { 0 }, { 0 } };
	struct audit_verify *verify = audit_verify_new(size % 2 ? &key : NULL);
	const struct audit_finding *findings;
	struct audit_summary summary;
	uint32_t lines = 0;
	size_t n;

	must(verify != NULL);
	for (const char *p = (const char *)data, *end = p + size; p < end; lines++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		struct str line = { p, (size_t)((newline ? newline : end) - p) };
		struct audit_link link;

		if (audit_read_link(line, &link) == 0)
			check_link(line, &link);
		must((newline ? audit_verify_line(verify, line) : audit_verify_unfinished(verify)) == 0);
		p = newline ? newline + 1 : end;
	}
	must(audit_verify_finish(verify, &findings, &n, &summary) == 0);
	must(summary.records <= lines && summary.unproved <= summary.records);
	for (size_t i = 0; i < n; i++)
		must(findings[i].place.line >= 1 && findings[i].place.line <= lines && findings[i].count > 0);
	audit_verify_free(verify);
	return 0;
}
