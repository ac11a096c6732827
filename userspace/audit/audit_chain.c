/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/audit_chain.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <sys/random.h>

int audit_chain_begin(struct audit_chain *chain)
{
	*chain = (struct audit_chain){ .seq = 0 };
	return getrandom(&chain->id, sizeof(chain->id), 0) == (ssize_t)sizeof(chain->id) ? 0 : -errno;
}

void audit_hash(struct str line, uint8_t ret[AUDIT_HASH_SIZE])
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, line.n, (const uint8_t *)line.p);
	sha256_digest(&context, AUDIT_HASH_SIZE, ret);
}

void audit_put_hex(struct buf *out, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char text[128];

	for (size_t i = 0; i < n;) {
		size_t at = 0;

		for (; i < n && at < sizeof(text); i++) {
			text[at++] = digits[bytes[i] >> 4];
			text[at++] = digits[bytes[i] & 15];
		}
		buf_append(out, text, at);
	}
}

void audit_put_id(struct buf *out, uint64_t id)
{
	uint8_t bytes[sizeof(id)];

	for (size_t i = 0; i < sizeof(id); i++)
		bytes[i] = (uint8_t)(id >> (56 - 8 * i));
	audit_put_hex(out, bytes, sizeof(bytes));
}

void audit_chain_link(const struct audit_chain *chain, struct buf *out)
{
	out->n -= 2; /* "}\n" */
	buf_puts(out, ",\"sockgate.chain\":\"");
	audit_put_id(out, chain->id);
	buf_puts(out, "\",\"sockgate.seq\":");
	buf_u64(out, chain->seq);
	buf_puts(out, ",\"sockgate.prev\":\"");
	audit_put_hex(out, chain->prev, sizeof(chain->prev));
	buf_putc(out, '"');
}

void audit_chain_close(struct audit_chain *chain, struct buf *out, size_t start)
{
	buf_putc(out, '}');
	audit_chain_follow(chain, (struct str){ out->p + start, out->n - start });
	buf_putc(out, '\n');
}

void audit_chain_follow(struct audit_chain *chain, struct str line)
{
	chain->seq++;
	audit_hash(line, chain->prev);
}
