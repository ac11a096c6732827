/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first byte picks the method, the rest is a target. What is accepted, written and read again is the same
 * target, and every byte that is written may stand in a request line.
 */
#include <errno.h>
#include <stdlib.h>

#include "api/api_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void must_be_equal(const struct api_target *a, const struct api_target *b)
{
	must(a->operation == b->operation && a->minor == b->minor && a->n_query == b->n_query);
	must(str_eq(a->version, b->version) && str_eq(a->path, b->path));
	for (unsigned i = 0; i < API_NAMES_MAX; i++)
		must(str_eq(a->names[i], b->names[i]));
	for (unsigned i = 0; i < a->n_query; i++) {
		must(str_eq(a->query[i].key, b->query[i].key) &&
		     str_eq(a->query[i].value, b->query[i].value));
		must(a->query[i].known == b->query[i].known);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char first_scratch[API_TARGET_SCRATCH], second_scratch[API_TARGET_SCRATCH];
	static char memory[4 * API_TARGET_SCRATCH];
	struct buf written = buf_over(memory, sizeof(memory));
	struct api_target first, second;
	enum http_method method;
	const char *why = NULL;
	int r;

	if (size == 0)
		return 0;
	method = data[0] % HTTP_METHODS;
	r = api_target_parse(method, (struct str){ (const char *)data + 1, size - 1 }, first_scratch, &first,
			     &why);
	must(r == 0 || why);
	if (r != 0 && r != -EPROTONOSUPPORT)
		return 0;
	api_target_write(&first, &written);
	must(!written.overflow);
	for (size_t i = 0; i < written.n; i++)
		must(memory[i] > 0x20 && memory[i] < 0x7f);
	if (written.n <= API_TARGET_SCRATCH) {
		must(api_target_parse(method, buf_view(&written), second_scratch, &second, &why) == r);
		must_be_equal(&first, &second);
	}
	return 0;
}
