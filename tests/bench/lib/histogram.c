/* SPDX-License-Identifier: BSD-2-Clause */
#include "histogram.h"

/* The power of two below a value of at least HISTOGRAM_STEPS. */
static unsigned exponent_of(uint64_t ns)
{
	return 63U - (unsigned)__builtin_clzll(ns);
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	unsigned bucket = (unsigned)ns;

	if (ns >= HISTOGRAM_STEPS) {
		unsigned e = exponent_of(ns);

		bucket = (e - HISTOGRAM_BITS + 1) * HISTOGRAM_STEPS +
			 (unsigned)((ns >> (e - HISTOGRAM_BITS)) & (HISTOGRAM_STEPS - 1));
	}
	h->buckets[bucket]++;
	h->n++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
}

/* The middle of a bucket. */
static uint64_t bucket_value(unsigned bucket)
{
	unsigned shift;

	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	shift = bucket / HISTOGRAM_STEPS - 1;
	return ((uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << shift) + (UINT64_C(1) << shift) / 2;
}

uint64_t histogram_quantile(const struct histogram *h, double q)
{
	uint64_t want = (uint64_t)(q * (double)h->n), seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen > want) {
			uint64_t value = bucket_value(i);

			return value < h->max ? value : h->max;
		}
	}
	return h->max;
}
