/* notes.c: see the header. */
#include "waveform/notes.h"

#include <stdio.h>

#define TIME_COLUMN "real_ns_timestamp"

/* The fewest digits that give the number back. */
static const char *format_number(char text[32], double number)
{
	double back = 0;

	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, 32, "%.*g", digits, number);
		if (sscanf(text, "%lf", &back) == 1 && !(back < number) && !(back > number))
			break;
	}
	return text;
}

void waveform_note(
	const struct enrg_schema *schema, const struct waveform_board *board, struct waveform_noted *ret_noted)
{
	const struct enrg_note notes[] = {
		{TIME_COLUMN, ENRG_NOTE_CLOCK, ENRG_CLOCK_DEVICE},
		{TIME_COLUMN, ENRG_NOTE_EPOCH, ENRG_EPOCH_UNIX},
		{TIME_COLUMN, ENRG_NOTE_RESOLUTION_NS, format_number(ret_noted->texts[0], board->tick_ns)},
		{NULL, "sample_ns", format_number(ret_noted->texts[1], board->sample_ns)},
		{NULL, "mv_per_count", format_number(ret_noted->texts[2], board->mv_per_count)},
		{NULL, "bits", format_number(ret_noted->texts[3], board->bits)},
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		ret_noted->notes[i] = notes[i];
	ret_noted->schema = *schema;
	ret_noted->schema.note_count = sizeof(notes) / sizeof(notes[0]);
	ret_noted->schema.notes = ret_noted->notes;
}
