/* tables.h: the tables of a digitizer: their columns, and a row of statistics. For the drivers of real digitizers and
 * for the simulated one, so that whoever reads their data sees no difference. */
#ifndef WAVEFORM_TABLES_H
#define WAVEFORM_TABLES_H

#include "enrgdaq/job.h"
#include "enrgdaq/schema.h"
#include "waveform/statistics.h"

/* ENRGDAQ's: a row a sample. In the order of struct waveform_rows. */
extern const struct enrg_schema waveform_samples_schema;

/* A row a channel and record: real_ns_timestamp, event_counter, channel, baseline, samples. */
enum { WAVEFORM_TIME, WAVEFORM_EVENT, WAVEFORM_CHANNEL, WAVEFORM_BASELINE, WAVEFORM_SAMPLES, WAVEFORM_COLUMNS };
extern const struct enrg_schema waveform_records_schema;

/* ENRGDAQ's: a row a second. */
#define WAVEFORM_STATISTICS_COLUMNS 13u
extern const struct enrg_schema waveform_statistics_schema;

/* The pointers of a claim of waveform_samples_schema. */
struct waveform_rows waveform_claim_rows(const struct enrg_claim *claim);

/* One value a column, for enrg_output_append. */
void waveform_statistics_row(const struct waveform_statistics *statistics, float mv_per_count, int64_t timestamp_ms,
	struct enrg_value ret_values[WAVEFORM_STATISTICS_COLUMNS]);

#endif
