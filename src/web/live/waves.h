/* waves.h: waveforms as they lie in tables: events, each of several channels. Two layouts: a row a channel with its
 * samples as a list; a row a sample. Any thread. Process: enrgdaq-web. */
#ifndef WEB_LIVE_WAVES_H
#define WEB_LIVE_WAVES_H

#include "enrgdaq/batch.h"

enum { WAVES_CHANNELS_MAX = 16, WAVES_SAMPLES_MAX = 65536 };
#define WAVES_NO_COLUMN UINT32_MAX

enum waves_kind {
	WAVES_NONE,    /* no waveforms in this table */
	WAVES_LISTS,   /* a row a channel and event */
	WAVES_SAMPLES, /* a row a sample: columns channel, sample_index and a value */
};

/* Which columns of a table are what; WAVES_NO_COLUMN: it has none. */
struct waves_layout {
	enum waves_kind kind;
	uint32_t values, channel, event, time, baseline, index;
	enum enrg_type item; /* of the values */
	double sample_ns;    /* note of the table; 1 where it says none: an axis of samples */
	bool has_sample_ns;
	double scale; /* a value in `unit`: offset + scale * value */
	char unit[64];
};

/* `column`: of the values; NULL or "": the first that can be. */
void waves_find(const struct enrg_schema *schema, const char *column, struct waves_layout *ret_layout);
/* Do int16 hold the values as they are? */
bool waves_is_int16(const struct waves_layout *layout);

struct wave {
	uint32_t channel, count;
	double baseline; /* NAN: not known */
	float *values;   /* of the event's memory */
};

/* One event. Zeroed, then filled again and again; waves_fini. */
struct waves_event {
	uint64_t number,
		time_ns; /* by its columns, or the batch's; `number` of the row where there is no such column */
	bool has_gaps;   /* samples without a row stand as 0 */
	uint32_t wave_count;
	struct wave waves[WAVES_CHANNELS_MAX];
	float *memory;
	size_t value_count, memory_values; /* used; there */
};

void waves_fini(struct waves_event *event);
/* The event that ends before row `end`: its first row. Rows are those of one event as long as its number is the same;
 * where there is no such column, as long as channels descend going back. 0 < end <= rows. */
uint64_t waves_first_row(const struct enrg_batch *batch, const struct waves_layout *layout, uint64_t end);
/* Rows `first` to `end`: the channels that are asked for, in that order (`channel_count` 0: all, as they come, up to
 * WAVES_CHANNELS_MAX). Longer ones are cut at WAVES_SAMPLES_MAX. 0, -ENOMEM. */
int waves_take(const struct enrg_batch *batch, const struct waves_layout *layout, const uint64_t rows[2],
	const uint32_t *channels, uint32_t channel_count, struct waves_event *event);
/* The value of a column that holds numbers or times, at a row; NAN where it is missing or none. */
double waves_number(const struct enrg_batch *batch, uint32_t column, uint64_t row);
/* An integer or a time of that type. */
int64_t waves_integer(enum enrg_type type, const void *values, uint64_t i);

#endif
