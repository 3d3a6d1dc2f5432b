/* histogram.c: the log-linear histogram. One writer, readers at any time, also in other processes: the writer loads and
 * stores each counter relaxed (no read-modify-write: it has no rival), so that a reader sees every counter whole. */
#include "base/histogram.h"

#include <string.h>

#define STEPS (1u << HISTOGRAM_MANTISSA_BITS)

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void set(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

static void increase(_Atomic uint64_t *counter, uint64_t by)
{
	set(counter, get(counter) + by);
}

/* Values below STEPS have a bucket each; above, each power of two has STEPS buckets. */
static unsigned bucket_of(uint64_t value)
{
	if (value < STEPS)
		return (unsigned)value;
	unsigned exponent = 63u - (unsigned)__builtin_clzll(value);
	unsigned shift = exponent - HISTOGRAM_MANTISSA_BITS;
	unsigned bucket = (shift + 1) * STEPS + (unsigned)((value >> shift) & (STEPS - 1));
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static uint64_t lower_edge(unsigned bucket)
{
	if (bucket < STEPS)
		return bucket;
	unsigned shift = bucket / STEPS - 1;
	return (uint64_t)(STEPS + bucket % STEPS) << shift;
}

static uint64_t upper_edge(unsigned bucket)
{
	return lower_edge(bucket + 1) - 1;
}

void histogram_init(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	uint64_t count = get(&histogram->count);

	if (count == 0 || value < get(&histogram->min))
		set(&histogram->min, value);
	if (value > get(&histogram->max))
		set(&histogram->max, value);
	increase(&histogram->sum, value);
	increase(&histogram->buckets[bucket_of(value)], 1);
	set(&histogram->count, count + 1);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	uint64_t added = get(&from->count);

	if (added == 0)
		return;
	if (get(&into->count) == 0 || get(&from->min) < get(&into->min))
		set(&into->min, get(&from->min));
	if (get(&from->max) > get(&into->max))
		set(&into->max, get(&from->max));
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		increase(&into->buckets[i], get(&from->buckets[i]));
	increase(&into->sum, get(&from->sum));
	increase(&into->count, added);
}

void histogram_subtract(struct histogram *ret, const struct histogram *now, const struct histogram *before)
{
	uint64_t total = 0, min = 0, max = 0;

	/* The count is that of the buckets: a copy taken while the writer ran may differ by the value just being added.
	 */
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t new = get(&now->buckets[i]), old = get(&before->buckets[i]);
		uint64_t difference = new > old ? new - old : 0;
		if (difference > 0) {
			min = total == 0 ? lower_edge(i) : min;
			max = upper_edge(i);
			total += difference;
		}
		set(&ret->buckets[i], difference);
	}
	uint64_t max_ever = get(&now->max);
	set(&ret->sum, get(&now->sum) - get(&before->sum));
	set(&ret->min, min);
	set(&ret->max, max < max_ever || max == upper_edge(HISTOGRAM_BUCKETS - 1) ? max : max_ever);
	set(&ret->count, total);
}

uint64_t histogram_quantile(const struct histogram *histogram, double quantile)
{
	uint64_t total = 0, seen = 0, max = get(&histogram->max);

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += get(&histogram->buckets[i]);
	if (total == 0)
		return 0;
	if (quantile >= 1.0)
		return max;
	/* The rank of the wanted value, from 1: the smallest one that at least this share of all values does not
	 * exceed. */
	double exact = quantile > 0 ? quantile * (double)total : 0;
	uint64_t rank = (uint64_t)exact;
	if ((double)rank < exact || rank == 0)
		rank++;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen += get(&histogram->buckets[i]);
		if (seen >= rank)
			return upper_edge(i) < max ? upper_edge(i) : max;
	}
	return max;
}

void histogram_cumulate(const struct histogram *histogram, const uint64_t *bounds, unsigned count, uint64_t *ret_counts)
{
	uint64_t seen = 0;
	unsigned bucket = 0;

	for (unsigned i = 0; i < count; i++) {
		/* a bucket whose middle lies below a bound counts there */
		while (bucket < HISTOGRAM_BUCKETS && (lower_edge(bucket) + upper_edge(bucket)) / 2 <= bounds[i])
			seen += get(&histogram->buckets[bucket++]);
		ret_counts[i] = seen;
	}
}

double histogram_mean(const struct histogram *histogram)
{
	uint64_t count = get(&histogram->count);

	return count ? (double)get(&histogram->sum) / (double)count : 0.0;
}
