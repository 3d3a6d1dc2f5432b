/* quantity.h: what an axis shows: a column, or what is measured on the waveforms of one. One thread. */
#ifndef HISTOGRAM_QUANTITY_H
#define HISTOGRAM_QUANTITY_H

#include "enrgdaq/batch.h"
#include "waveform/pulse.h"

enum quantity_kind { QUANTITY_COLUMN, QUANTITY_AMPLITUDE, QUANTITY_CHARGE, QUANTITY_DELTA_T };

struct quantity {
	enum quantity_kind kind;
	char column[ENRG_NAME_BYTES_MAX + 1];
};

/* "energy", "amplitude(samples)", "charge(samples)", "delta_t(samples)". ENRG_E_CONFIG. */
int quantity_parse(const char *text, struct quantity *ret_quantity, struct enrg_error *err);
/* "charge(samples)", as it was written. */
const char *quantity_name(enum quantity_kind kind);
/* Has it one value a row, as both axes of a plane need it? */
bool quantity_is_plain(const struct quantity *quantity);

/* Of the waveforms. */
struct quantity_params {
	enum pulse_polarity polarity;
	float threshold;  /* of delta_t: where a pulse begins, counts */
	double sample_ns; /* 0: the note of the table, else 1 */
	int64_t channel;  /* rows of this channel alone; -1: all */
};

/* Where the columns of a table are. */
struct quantity_place {
	uint32_t column, channel, time, baseline; /* UINT32_MAX: there is none */
	double sample_ns;
};

/* -ENOENT: no such column; -EINVAL: it is none of numbers, or (amplitude, charge, delta_t) no list of int16. */
int quantity_find(const struct quantity *quantity, const struct quantity_params *params,
	const struct enrg_schema *schema, struct quantity_place *ret_place, struct enrg_error *err);

#define QUANTITY_CHANNELS 256u

/* When the last pulse of a channel was: exact, as a double has no ns left of a time since 1970. */
struct quantity_pulse {
	int64_t record_ns;
	double within_ns; /* 0 and above */
	bool is_known;
};

struct quantity_values {
	double *items;
	uint64_t count, room;
	struct quantity_pulse last[QUANTITY_CHANNELS]; /* of delta_t */
};

/* The values of a batch into ret_values->items; missing ones are NaN. -ENOMEM. */
int quantity_take(const struct quantity *quantity, const struct quantity_params *params,
	const struct quantity_place *place, const struct enrg_batch *batch, struct quantity_values *values);
void quantity_values_fini(struct quantity_values *values);

#endif
