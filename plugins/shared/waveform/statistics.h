/* statistics.h: what a digitizer did in a second, as ENRGDAQ's table of statistics has it. One thread. */
#ifndef WAVEFORM_STATISTICS_H
#define WAVEFORM_STATISTICS_H

#include <stdint.h>

#include "waveform/waveform.h"

struct waveform_statistics {
	uint64_t events;         /* triggers, of all channels together */
	uint64_t events_dropped; /* triggers that made no record: the board or its reader was busy */
	uint64_t samples_raw, samples_kept;
	int64_t sum;            /* of the kept ones' distances to the baseline, counts */
	uint64_t sum_square;    /* counts² */
	int32_t min, max;       /* of all samples' distances to their baseline, counts; 0 where there is no sample */
	uint64_t queue_depth;   /* records that wait to be read: what it was last */
	uint64_t processing_ns; /* spent on records */
	uint64_t flushes;       /* batches handed over */
};

void waveform_statistics_init(struct waveform_statistics *statistics);
void waveform_statistics_add(struct waveform_statistics *statistics, const struct waveform_summary *summary);

/* mean over the kept samples, 0 without one; sums and extremes as mV. */
double waveform_statistics_mean_mv(const struct waveform_statistics *statistics, float mv_per_count);
double waveform_statistics_square_mv(const struct waveform_statistics *statistics, float mv_per_count);

#endif
