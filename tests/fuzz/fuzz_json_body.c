/* SPDX-License-Identifier: BSD-2-Clause */
/* What is accepted is written, is accepted again, and is written the same: what was judged is what is sent.
 */
#include <errno.h>
#include <stdlib.h>

#include "json/json_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((constructor)) static void start(void)
{
	json_body_init();
}

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* An input byte becomes at most 8: "1e1," is four and "10.0," five, but 0.1 has 17 digits in the end. */
#define EXPANSION 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_body *first = NULL, *second = NULL;
	size_t cap = size * EXPANSION + 64;
	struct buf a, b;
	const char *why = NULL;
	int r = json_body_load((const char *)data, size, &first, &why);

	if (r) {
		must((r == -EBADMSG || r == -ENOMEM || r == -EMSGSIZE) && why && !first);
		return 0;
	}
	a = buf_over(malloc(cap), cap);
	b = buf_over(malloc(cap), cap);
	json_body_write(first, &a);
	must(!a.overflow && !memchr(a.p, '\0', a.n));
	must(json_body_load(a.p, a.n, &second, &why) == 0);
	json_body_write(second, &b);
	must(!b.overflow && str_eq(buf_view(&a), buf_view(&b)));
	free(a.p);
	free(b.p);
	json_body_free(first);
	json_body_free(second);
	return 0;
}
