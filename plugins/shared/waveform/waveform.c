/* waveform.c: see the header. The loops are written so that the compiler vectorises them: 16-bit arithmetic as long as
 * possible, sums in 32 bits over pieces that are short enough for that, no branch in them. */
#include "waveform/waveform.h"

#include <stdbool.h>
#include <stddef.h>

#include "waveform/clones.h"

#define PIECE_SAMPLES 16384u /* sums of distances, and halves of squares, of so many fit into 32 bits */
#define SHORT_SAMPLES 64u    /* a shorter piece costs more than it saves */
#define AHEAD_BYTES   2048u  /* a record of 500 samples takes about as long as this takes to come from memory */
#define LINE_BYTES    64u

float waveform_mv_per_count(double range_mv, uint32_t bits)
{
	return (float)(range_mv / (double)(UINT32_C(1) << bits));
}

int32_t waveform_cut_counts(double threshold_mv, float mv_per_count)
{
	double counts = threshold_mv / (double)mv_per_count;

	if (!(counts > 0))
		return 0;
	if (counts > WAVEFORM_COUNTS_MAX)
		return WAVEFORM_COUNTS_MAX + 1;
	int32_t cut = (int32_t)counts;
	/* as the product in waveform_get_mv sees it */
	while (cut > 0 && (double)((float)(cut - 1) * mv_per_count) >= threshold_mv)
		cut--;
	while ((double)((float)cut * mv_per_count) < threshold_mv)
		cut++;
	return cut;
}

/* --- measuring --------------------------------------------------------------------------------------------------- */

struct sums {
	int32_t sum;
	uint32_t kept;
	uint64_t square;
};

/* `is_all`: nothing is suppressed. `is_near`: all squares together fit into 31 bits. Constants where this is used, so
 * that each of the four loops is compiled by itself. */
static inline __attribute__((always_inline)) struct sums add_piece(
	const int16_t *samples, uint32_t count, int16_t baseline, int16_t cut, bool is_all, bool is_near)
{
	int32_t sum = 0, square = 0;
	uint32_t low = 0, high = 0;
	uint16_t kept = 0;
	const int16_t minus_cut = (int16_t)-cut;

	for (uint32_t i = 0; i < count; i++) {
		int16_t distance = (int16_t)(samples[i] - baseline);
		if (!is_all) {
			int16_t mask = (int16_t)(-((distance >= cut) | (distance <= minus_cut)));
			distance &= mask;
			kept = (uint16_t)(kept - mask);
		}
		sum += distance;
		if (is_near) {
			square += distance * distance;
		} else {
			uint32_t product = (uint32_t)(distance * distance);
			low += product & 0xffff;
			high += product >> 16;
		}
	}
	return (struct sums){.sum = sum,
		.kept = is_all ? count : kept,
		.square = is_near ? (uint32_t)square : ((uint64_t)high << 16) + low};
}

static inline __attribute__((always_inline)) struct sums choose_piece(
	const int16_t *samples, uint32_t count, int16_t baseline, int16_t cut, bool is_near)
{
	if (cut <= 0)
		return is_near ? add_piece(samples, count, baseline, cut, true, true)
			       : add_piece(samples, count, baseline, cut, true, false);
	return is_near ? add_piece(samples, count, baseline, cut, false, true)
		       : add_piece(samples, count, baseline, cut, false, false);
}

/* All pieces. `farthest` is the largest distance in the record. */
static inline __attribute__((always_inline)) void add_pieces(
	const int16_t *samples, int16_t cut, int32_t farthest, struct waveform_summary *summary)
{
	uint32_t square = farthest > 0 ? (uint32_t)farthest * (uint32_t)farthest : 1;
	uint32_t near_samples = INT32_MAX / square / SHORT_SAMPLES * SHORT_SAMPLES;
	bool is_near = near_samples > 0;
	uint32_t piece = is_near && near_samples < PIECE_SAMPLES ? near_samples : PIECE_SAMPLES;

	for (uint32_t at = 0; at < summary->count; at += piece) {
		uint32_t count = summary->count - at < piece ? summary->count - at : piece;
		struct sums sums = choose_piece(samples + at, count, summary->baseline_counts, cut, is_near);
		summary->sum += sums.sum;
		summary->sum_square += sums.square;
		summary->kept += sums.kept;
	}
}

static inline __attribute__((always_inline)) void find_baseline(
	const int16_t *samples, struct waveform_summary *summary)
{
	uint32_t tenth = summary->count < 10 ? 1 : summary->count / 10;
	int64_t sum = 0;

	for (uint32_t at = 0; at < tenth; at += PIECE_SAMPLES) {
		uint32_t count = tenth - at < PIECE_SAMPLES ? tenth - at : PIECE_SAMPLES;
		int32_t part = 0;
		for (uint32_t i = 0; i < count; i++)
			part += samples[at + i];
		sum += part;
	}
	summary->baseline = (float)((double)sum / tenth);
	summary->baseline_counts = (int16_t)(sum / tenth);
}

WAVEFORM_CLONES
void waveform_measure(const int16_t *samples, uint32_t count, int32_t cut_counts, struct waveform_summary *ret_summary)
{
	int16_t min = INT16_MAX, max = INT16_MIN;

	for (size_t at = 0; at < count * sizeof(*samples); at += LINE_BYTES)
		__builtin_prefetch((const char *)samples + AHEAD_BYTES + at);
	*ret_summary = (struct waveform_summary){.count = count};
	find_baseline(samples, ret_summary);
	for (uint32_t i = 0; i < count; i++) {
		min = samples[i] < min ? samples[i] : min;
		max = samples[i] > max ? samples[i] : max;
	}
	ret_summary->min = min;
	ret_summary->max = max;
	int32_t below = ret_summary->baseline_counts - min, above = max - ret_summary->baseline_counts;
	int32_t farthest = below > above ? below : above;
	if (farthest >= cut_counts) /* else there is nothing to keep */
		add_pieces(samples, (int16_t)cut_counts, farthest, ret_summary);
}

/* --- values and rows --------------------------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) int16_t value_mv(int16_t sample, int16_t baseline, float mv_per_count)
{
	return (int16_t)((float)(sample - baseline) * mv_per_count);
}

WAVEFORM_CLONES
void waveform_get_mv(
	const int16_t *samples, uint32_t count, int16_t baseline_counts, float mv_per_count, int16_t *ret_mv)
{
	for (uint32_t i = 0; i < count; i++)
		ret_mv[i] = value_mv(samples[i], baseline_counts, mv_per_count);
}

static uint64_t sample_ns(const struct waveform_record *record, uint64_t index)
{
	return record->real_ns + index * record->sample_ps / 1000;
}

/* Nothing is suppressed: a column after the other. */
WAVEFORM_CLONES
static void write_all(const struct waveform_record *record, int16_t baseline, float mv_per_count,
	const struct waveform_rows *rows, uint64_t first)
{
	uint64_t *restrict time = rows->real_ns_timestamp + first;
	uint32_t *restrict event = rows->event_counter + first;
	uint8_t *restrict channel = rows->channel + first;
	uint16_t *restrict index = rows->sample_index + first;
	int16_t *restrict value = rows->value_mv + first;
	bool is_whole = record->sample_ps % 1000 == 0;
	uint32_t step_ns = record->sample_ps / 1000;

	for (uint32_t i = 0; i < record->count; i++)
		time[i] = is_whole ? record->real_ns + i * (uint64_t)step_ns : sample_ns(record, i);
	for (uint32_t i = 0; i < record->count; i++)
		event[i] = record->event_counter;
	for (uint32_t i = 0; i < record->count; i++)
		channel[i] = record->channel;
	for (uint32_t i = 0; i < record->count; i++)
		index[i] = (uint16_t)i;
	for (uint32_t i = 0; i < record->count; i++)
		value[i] = value_mv(record->samples[i], baseline, mv_per_count);
}

static bool is_kept(int16_t sample, int16_t baseline, int32_t cut)
{
	int32_t distance = sample - baseline;

	return distance >= cut || distance <= -cut;
}

uint32_t waveform_write_rows(const struct waveform_record *record, const struct waveform_summary *summary,
	int32_t cut_counts, float mv_per_count, const struct waveform_rows *rows, uint64_t first)
{
	int16_t baseline = summary->baseline_counts;
	uint64_t row = first;

	if (summary->kept == record->count) {
		write_all(record, baseline, mv_per_count, rows, first);
		return record->count;
	}
	/* Ends with the last one that is kept; pulses are short. */
	for (uint32_t i = 0; row - first < summary->kept && i < record->count; i++) {
		if (!is_kept(record->samples[i], baseline, cut_counts))
			continue;
		rows->real_ns_timestamp[row] = sample_ns(record, i);
		rows->event_counter[row] = record->event_counter;
		rows->channel[row] = record->channel;
		rows->sample_index[row] = (uint16_t)i;
		rows->value_mv[row] = value_mv(record->samples[i], baseline, mv_per_count);
		row++;
	}
	return (uint32_t)(row - first);
}
