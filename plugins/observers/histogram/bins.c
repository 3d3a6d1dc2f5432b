/* bins.c: see the header. */
#include "bins.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN 0.2 /* of the span, on either side of a range that is found */

/* --- making ------------------------------------------------------------------------------------------------------- */

static void set_range(struct bins_side *side, double low, double high)
{
	uint32_t bins = side->axis.bins;

	side->axis.low = low;
	side->axis.high = high;
	side->scale = bins / (high - low);
	for (uint32_t i = 0; i <= bins; i++)
		side->edges[i] = i < bins ? low + (high - low) * i / bins : high;
	side->is_found = true;
}

static int init_side(struct bins_side *side, const struct bins_axis *axis)
{
	side->axis.bins = axis->bins;
	side->axis.is_regular = !axis->edges;
	snprintf(side->label, sizeof(side->label), "%s", axis->label);
	side->axis.label = side->label;
	side->edges = calloc(axis->bins + 1u, sizeof(*side->edges));
	side->axis.edges = side->edges;
	if (!side->edges)
		return -ENOMEM;
	if (axis->edges) {
		memcpy(side->edges, axis->edges, (axis->bins + 1u) * sizeof(*side->edges));
		side->axis.low = side->edges[0];
		side->axis.high = side->edges[axis->bins];
		side->is_found = true;
	} else if (axis->low < axis->high) {
		set_range(side, axis->low, axis->high);
	}
	return 0;
}

int bins_init(struct bins *bins, const struct bins_axis *x, const struct bins_axis *y, struct enrg_error *err)
{
	memset(bins, 0, sizeof(*bins));
	bins->dimensions = y ? 2 : 1;
	bins->cell_count = ((uint64_t)x->bins + 2) * (y ? (uint64_t)y->bins + 2 : 1);
	if (bins->cell_count > ENRG_HISTOGRAM_CELLS_MAX)
		return enrg_error_set(err, -EINVAL, "%llu cells; at most %u fit one histogram",
			(unsigned long long)bins->cell_count, ENRG_HISTOGRAM_CELLS_MAX);
	int rc = init_side(&bins->x, x);
	if (!rc && y)
		rc = init_side(&bins->y, y);
	bins->counts = calloc(bins->cell_count, sizeof(*bins->counts));
	bins->last_counts = calloc(bins->cell_count, sizeof(*bins->last_counts));
	if (!bins_is_ranged(bins))
		bins->learned = malloc(2 * BINS_LEARN * sizeof(*bins->learned));
	if (!rc && bins->counts && bins->last_counts && (bins->learned || bins_is_ranged(bins)))
		return 0;
	bins_fini(bins);
	return enrg_error_set(err, -ENOMEM, "out of memory");
}

void bins_fini(struct bins *bins)
{
	free(bins->x.edges);
	free(bins->y.edges);
	free(bins->counts);
	free(bins->last_counts);
	free(bins->learned);
	memset(bins, 0, sizeof(*bins));
}

bool bins_is_ranged(const struct bins *bins)
{
	return bins->x.is_found && (bins->dimensions == 1 || bins->y.is_found);
}

/* --- filling ------------------------------------------------------------------------------------------------------ */

static uint32_t find_between(const struct bins_side *side, double value)
{
	uint32_t low = 0, high = side->axis.bins;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (value < side->edges[middle])
			high = middle;
		else
			low = middle;
	}
	return low + 1;
}

/* 0: below; bins + 1: at the upper edge or above. */
static uint32_t find_bin(const struct bins_side *side, double value)
{
	uint32_t bins = side->axis.bins, at;

	if (value < side->axis.low)
		return 0;
	if (value >= side->axis.high)
		return bins + 1;
	if (!side->axis.is_regular)
		return find_between(side, value);
	at = (uint32_t)((value - side->axis.low) * side->scale);
	return at < bins ? at + 1 : bins; /* rounding */
}

static bool is_within(const struct bins_side *side, uint32_t bin)
{
	return bin && bin <= side->axis.bins;
}

static void count(struct bins *bins, double x, double y)
{
	struct enrg_histogram_sums *sums = &bins->sums;
	uint32_t i = find_bin(&bins->x, x), k = bins->dimensions == 2 ? find_bin(&bins->y, y) : 0;

	bins->counts[i + (bins->x.axis.bins + 2ull) * k]++;
	sums->entries++;
	if (!is_within(&bins->x, i) || (bins->dimensions == 2 && !is_within(&bins->y, k)))
		return;
	sums->w += 1;
	sums->x += x;
	sums->xx += x * x;
	sums->y += y;
	sums->yy += y * y;
	sums->xy += x * y;
}

static void learn(struct bins *bins, double x, double y)
{
	bins->learned[2 * bins->learned_count] = x;
	bins->learned[2 * bins->learned_count + 1] = y;
	if (++bins->learned_count == BINS_LEARN)
		bins_settle(bins);
}

void bins_fill(struct bins *bins, const double *x, const double *y, uint64_t value_count)
{
	for (uint64_t i = 0; i < value_count; i++) {
		double other = y ? y[i] : 0;

		if (!isfinite(x[i]) || !isfinite(other))
			bins->sums.skipped++;
		else if (bins->learned)
			learn(bins, x[i], other);
		else
			count(bins, x[i], other);
	}
	bins->changes += value_count > 0;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return first < second ? -1 : first > second;
}

/* From the first to the 99th percentile, and a fifth more on either side. */
static void find_range(struct bins_side *side, const double *pairs, uint32_t pair_count, double *scratch)
{
	if (side->is_found)
		return;
	for (uint32_t i = 0; i < pair_count; i++)
		scratch[i] = pairs[2 * i];
	qsort(scratch, pair_count, sizeof(*scratch), compare);
	double low = scratch[(pair_count - 1) / 100], high = scratch[pair_count - 1 - (pair_count - 1) / 100];
	double margin = (high - low) * MARGIN;
	/* All alike: a range that shows it. */
	if (!(margin > fabs(low) * 1e-12) || !isfinite(margin))
		margin = fabs(low) > 1 ? fabs(low) / 2 : 0.5;
	low = low - margin > -HUGE_VAL ? low - margin : low;
	high = high + margin < HUGE_VAL ? high + margin : high;
	set_range(side, low, low < high && isfinite(high - low) ? high : low + 1);
}

void bins_settle(struct bins *bins)
{
	double *pairs = bins->learned;
	uint32_t pair_count = bins->learned_count;
	double *scratch = pairs && pair_count ? malloc(pair_count * sizeof(*scratch)) : NULL;

	if (!scratch)
		return; /* out of memory: at the next try */
	find_range(&bins->x, pairs, pair_count, scratch);
	if (bins->dimensions == 2)
		find_range(&bins->y, pairs + 1, pair_count, scratch);
	free(scratch);
	bins->learned = NULL;
	for (uint32_t i = 0; i < pair_count; i++)
		count(bins, pairs[2 * i], pairs[2 * i + 1]);
	free(pairs);
	bins->changes++;
}

void bins_turn(struct bins *bins)
{
	uint64_t *counts = bins->last_counts;

	bins_settle(bins);
	bins->last_counts = bins->counts;
	bins->last_sums = bins->sums;
	bins->has_last = bins_is_ranged(bins);
	memset(counts, 0, bins->cell_count * sizeof(*counts));
	bins->counts = counts;
	bins->sums = (struct enrg_histogram_sums){0};
	bins->changes++;
}
