/* waveform.h: what a digitizer's record of one channel holds: baseline, extremes, what leaves the baseline; its samples
 * as mV, and as rows of ENRGDAQ's table. Pure functions on the caller's arrays: any thread, no allocation, no clock.
 *
 * Samples are counts of 8 to 15 bits, 0 to WAVEFORM_COUNTS_MAX, as int16_t (a driver's uint16_t has the same bytes). A
 * record has at least one sample. */
#ifndef WAVEFORM_WAVEFORM_H
#define WAVEFORM_WAVEFORM_H

#include <stdint.h>

#define WAVEFORM_COUNTS_MAX 32767
#define WAVEFORM_BITS_MAX   15u

/* What a count is worth: the input range by the counts that there are. */
float waveform_mv_per_count(double range_mv, uint32_t bits);

/* Zero suppression: a sample is kept where it is at least so many counts off the baseline, so that its value in mV is
 * `threshold_mv` or more, of either sign. 0 keeps all. */
int32_t waveform_cut_counts(double threshold_mv, float mv_per_count);

struct waveform_summary {
	float baseline;          /* mean of the first tenth, counts */
	int16_t baseline_counts; /* the same without its fraction: what values are measured from */
	int16_t min, max;        /* of all samples, counts */
	uint32_t count, kept;
	int64_t sum;         /* of the kept samples' distances to baseline_counts */
	uint64_t sum_square; /* of the squares of these */
};

/* Reads the record once from memory, and asks ahead for the one that lies behind it. */
void waveform_measure(const int16_t *samples, uint32_t count, int32_t cut_counts, struct waveform_summary *ret_summary);

/* (sample − baseline) × mv_per_count, without its fraction (towards zero, as ENRGDAQ does). */
void waveform_get_mv(
	const int16_t *samples, uint32_t count, int16_t baseline_counts, float mv_per_count, int16_t *ret_mv);

/* A record, and what stands in each row that is made of it. */
struct waveform_record {
	const int16_t *samples;
	uint32_t count;     /* at most 65,536 where rows are made: sample_index has 16 bits */
	uint32_t sample_ps; /* from one sample to the next */
	uint64_t real_ns;   /* of the first sample */
	uint32_t event_counter;
	uint8_t channel;
};

/* Columns of ENRGDAQ's table, one row a sample. */
struct waveform_rows {
	uint64_t *real_ns_timestamp;
	uint32_t *event_counter;
	uint8_t *channel;
	uint16_t *sample_index;
	int16_t *value_mv;
};

/* Writes the rows of the samples that waveform_measure kept with the same `cut_counts`, from row `first` on. Returns
 * how many: summary->kept. */
uint32_t waveform_write_rows(const struct waveform_record *record, const struct waveform_summary *summary,
	int32_t cut_counts, float mv_per_count, const struct waveform_rows *rows, uint64_t first);

#endif
