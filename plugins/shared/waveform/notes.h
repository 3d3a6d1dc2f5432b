/* notes.h: what a reader of waveforms has to know once, as notes of their tables: clock of the time column, ns from
 * sample to sample, mV of a count, bits. Pure. */
#ifndef WAVEFORM_NOTES_H
#define WAVEFORM_NOTES_H

#include "enrgdaq/schema.h"

struct waveform_board {
	double sample_ns, mv_per_count;
	uint32_t bits;
	uint32_t tick_ns; /* of its time tags */
};

/* The schema with its notes; they lie in this struct, which lives until the output was opened. */
struct waveform_noted {
	struct enrg_schema schema;
	struct enrg_note notes[6];
	char texts[4][32];
};

/* Of a schema of tables.h with the column real_ns_timestamp. */
void waveform_note(
	const struct enrg_schema *schema, const struct waveform_board *board, struct waveform_noted *ret_noted);

#endif
