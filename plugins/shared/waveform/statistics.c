/* statistics.c: see the header. */
#include "waveform/statistics.h"

void waveform_statistics_init(struct waveform_statistics *statistics)
{
	*statistics = (struct waveform_statistics){0};
}

void waveform_statistics_add(struct waveform_statistics *statistics, const struct waveform_summary *summary)
{
	int32_t min = summary->min - summary->baseline_counts, max = summary->max - summary->baseline_counts;

	/* A baseline lies between its own samples: neither is of the other sign. */
	statistics->min = min < statistics->min ? min : statistics->min;
	statistics->max = max > statistics->max ? max : statistics->max;
	statistics->samples_raw += summary->count;
	statistics->samples_kept += summary->kept;
	statistics->sum += summary->sum;
	statistics->sum_square += summary->sum_square;
}

double waveform_statistics_mean_mv(const struct waveform_statistics *statistics, float mv_per_count)
{
	if (statistics->samples_kept == 0)
		return 0;
	return (double)statistics->sum / (double)statistics->samples_kept * (double)mv_per_count;
}

double waveform_statistics_square_mv(const struct waveform_statistics *statistics, float mv_per_count)
{
	return (double)statistics->sum_square * (double)mv_per_count * (double)mv_per_count;
}
