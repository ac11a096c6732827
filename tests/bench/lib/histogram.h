/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram.h - latencies in a fixed amount of memory: 64 buckets per power of two, so off by less than 1.6
 * %.
 */
#ifndef SOCKGATE_BENCH_HISTOGRAM_H
#define SOCKGATE_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BITS = 6, HISTOGRAM_STEPS = 1 << HISTOGRAM_BITS };
enum { HISTOGRAM_BUCKETS = (64 - HISTOGRAM_BITS + 1) * HISTOGRAM_STEPS };

/* All zero is empty. Times are nanoseconds. */
struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS];
	uint64_t n, sum, max;
};

void histogram_add(struct histogram *h, uint64_t ns);
/* The value below which the fraction `q` (0 to 1) lies; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double q);

#endif
