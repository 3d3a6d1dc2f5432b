/* histogram.h: log-linear histogram of non-negative integers (latencies in ns), after the idea of HDR histograms: a
 * bucket is exponent and 5 mantissa bits, so that every value is kept with an error below 1/32 of itself. Plain memory
 * of fixed size: may lie in shared memory; one writer, readers may read at any time and see each counter whole. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_MANTISSA_BITS 5
#define HISTOGRAM_BUCKETS       1312 /* values up to 2^45 - 1 (9.7 hours in ns); larger ones count in the last bucket */

struct histogram {
	_Atomic uint64_t count;
	_Atomic uint64_t sum;
	_Atomic uint64_t min; /* says something where count > 0; zeroed memory is a valid empty histogram */
	_Atomic uint64_t max;
	_Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *histogram); /* zeroes */
void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* ret = now - before, for the figures of an interval (max and min are those of the buckets). */
void histogram_subtract(struct histogram *ret, const struct histogram *now, const struct histogram *before);
/* Upper edge of the bucket in which `quantile` (0 … 1) lies; 0 where empty; 1 gives the max. */
uint64_t histogram_quantile(const struct histogram *histogram, double quantile);
/* How many values were at most bounds[i], which ascend: off by those within 1/32 of a bound. */
void histogram_cumulate(
	const struct histogram *histogram, const uint64_t *bounds, unsigned count, uint64_t *ret_counts);
double histogram_mean(const struct histogram *histogram);

#endif
