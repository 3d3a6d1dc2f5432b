/* tables.c: see the header. */
#include "waveform/tables.h"

#define COUNT_OF(columns) (sizeof(columns) / sizeof((columns)[0]))

static const struct enrg_column sample_columns[] = {
	{.name = "real_ns_timestamp", .type = ENRG_U64, .unit = "ns"},
	{.name = "event_counter", .type = ENRG_U32},
	{.name = "channel", .type = ENRG_U8},
	{.name = "sample_index", .type = ENRG_U16},
	{.name = "value_mv", .type = ENRG_I16, .unit = "mV"},
};
const struct enrg_schema waveform_samples_schema = {
	.column_count = COUNT_OF(sample_columns), .columns = sample_columns};

static const struct enrg_column record_columns[WAVEFORM_COLUMNS] = {
	[WAVEFORM_TIME] = {.name = "real_ns_timestamp", .type = ENRG_U64, .unit = "ns"},
	[WAVEFORM_EVENT] = {.name = "event_counter", .type = ENRG_U32},
	[WAVEFORM_CHANNEL] = {.name = "channel", .type = ENRG_U8},
	[WAVEFORM_BASELINE] = {.name = "baseline", .type = ENRG_F32, .unit = "counts"},
	[WAVEFORM_SAMPLES] = {.name = "samples", .type = ENRG_LIST, .item = ENRG_I16, .unit = "counts"},
};
const struct enrg_schema waveform_records_schema = {.column_count = WAVEFORM_COLUMNS, .columns = record_columns};

static const struct enrg_column statistics_columns[WAVEFORM_STATISTICS_COLUMNS] = {
	{.name = "timestamp", .type = ENRG_I64, .unit = "ms"},
	{.name = "acq_events", .type = ENRG_U64},
	{.name = "acq_samples", .type = ENRG_U64},
	{.name = "mean_value_mv", .type = ENRG_F64, .unit = "mV"},
	{.name = "sum_value_mv_squared", .type = ENRG_F64, .unit = "mV2"},
	{.name = "min_value_mv", .type = ENRG_F64, .unit = "mV"},
	{.name = "max_value_mv", .type = ENRG_F64, .unit = "mV"},
	{.name = "samples_filtered_out", .type = ENRG_U64},
	{.name = "total_samples_raw", .type = ENRG_U64},
	{.name = "events_dropped", .type = ENRG_U64},
	{.name = "queue_depth", .type = ENRG_U64},
	{.name = "processing_time_us", .type = ENRG_F64, .unit = "us"},
	{.name = "buffer_flush_count", .type = ENRG_U64},
};
const struct enrg_schema waveform_statistics_schema = {
	.column_count = WAVEFORM_STATISTICS_COLUMNS, .columns = statistics_columns};

struct waveform_rows waveform_claim_rows(const struct enrg_claim *claim)
{
	return (struct waveform_rows){.real_ns_timestamp = claim->columns[0].values,
		.event_counter = claim->columns[1].values,
		.channel = claim->columns[2].values,
		.sample_index = claim->columns[3].values,
		.value_mv = claim->columns[4].values};
}

void waveform_statistics_row(const struct waveform_statistics *statistics, float mv_per_count, int64_t timestamp_ms,
	struct enrg_value ret_values[WAVEFORM_STATISTICS_COLUMNS])
{
	double scale = (double)mv_per_count;
	const struct enrg_value row[WAVEFORM_STATISTICS_COLUMNS] = {
		{.i = timestamp_ms},
		{.u = statistics->events},
		{.u = statistics->samples_kept},
		{.f = waveform_statistics_mean_mv(statistics, mv_per_count)},
		{.f = waveform_statistics_square_mv(statistics, mv_per_count)},
		{.f = statistics->min * scale},
		{.f = statistics->max * scale},
		{.u = statistics->samples_raw - statistics->samples_kept},
		{.u = statistics->samples_raw},
		{.u = statistics->events_dropped},
		{.u = statistics->queue_depth},
		{.f = (double)statistics->processing_ns / 1e3},
		{.u = statistics->flushes},
	};

	for (uint32_t i = 0; i < WAVEFORM_STATISTICS_COLUMNS; i++)
		ret_values[i] = row[i];
}
