/* caen.h: files of CAEN's WaveDump and CoMPASS as batches of rows, one row an event. Read in `enrgdaq convert` and
 * `cat`; such files have no check sums, so what can't be true in one (sizes, boards, channels, counters, times that go
 * back by much) refuses it with a sentence instead of making a table of it. One thread.
 *
 * Layouts, little-endian without gaps. None was tried on a file of an instrument. They rest on what others published:
 * WaveDump (UM2091) on the program's own source, CoMPASS binary (UM5960) on two open readers of each version, its CSV
 * on header lines that users quote; the manuals themselves were not at hand.
 *
 * - WaveDump binary with OUTPUT_FILE_HEADER YES: six u32, which are the bytes of the event with these, board, pattern,
 *   channel, event counter, trigger time tag; then u16 samples of at most 14 bits.
 * - WaveDump binary without header: the samples alone; the record length has to be told.
 * - WaveDump text: with header the lines "Record Length: N", BoardID, Channel, Event Number, Pattern, Trigger Time
 *   Stamp, "DC offset (DAC): 0x…", then a sample a line; without header the samples alone.
 * - CoMPASS binary from 2.0 on: a u16 0xCAEx at the start of the file, whose low bits say what events have: 1 energy,
 *   2 calibrated energy, 4 short energy, 8 waveform. Event: u16 board, u16 channel, u64 time in ps, [u16 energy], [f64
 *   calibrated], [u16 short], u32 flags, [u8 code, u32 count, u16 samples]. One
 *   reader takes the calibrated energy for an f64, the other for eight bytes; nobody says its unit.
 * - CoMPASS binary before 2.0: no such word; energy, short energy and the count of samples always, no code.
 * - CoMPASS CSV: BOARD;CHANNEL;TIMETAG;ENERGY;[CALIB_ENERGY;][ENERGYSHORT;]FLAGS[;PROBE_CODE;SAMPLES], flags in
 *   hexadecimal. No quoted line has both CALIB_ENERGY and ENERGYSHORT.
 *
 * Not read: 8-bit samples (x721, x731) and the reals of x742. A file does not say so, but a sample above 14 bits does:
 * half of a real from 2 on, two 8-bit samples of which the second is above 63.
 */
#ifndef CAEN_CAEN_H
#define CAEN_CAEN_H

#include "arrow/file_window.h"
#include "enrgdaq/batch.h"

enum caen_kind { CAEN_NONE, CAEN_WAVEDUMP, CAEN_WAVEDUMP_TEXT, CAEN_COMPASS, CAEN_COMPASS_CSV };

#define CAEN_COLUMNS_MAX 9u
#define CAEN_SAMPLES_MAX (16u << 20) /* of an event: more than any of these boards holds */

/* What an event of a file can have. */
enum caen_field {
	CAEN_BOARD,
	CAEN_CHANNEL,
	CAEN_TIME,
	CAEN_ENERGY,
	CAEN_CALIBRATED,
	CAEN_SHORT,
	CAEN_FLAGS,
	CAEN_CODE,
	CAEN_PATTERN,
	CAEN_COUNTER,
	CAEN_SAMPLES,
	CAEN_FIELDS
};

struct caen_event {
	uint64_t numbers[CAEN_SAMPLES]; /* by field; the real of CAEN_CALIBRATED bit for bit */
	const uint8_t *samples;         /* u16, perhaps not aligned */
	uint32_t sample_count;
};

struct caen_column {
	enum caen_field field;
	uint8_t *values;
	uint64_t bytes, capacity;
	int32_t *offsets; /* of samples */
	uint64_t offset_capacity;
};

struct caen {
	enum caen_kind kind;
	struct file_window *window;
	uint64_t offset, end;   /* of the next event; where the file ends */
	uint32_t record_length; /* of files without headers; 0: events have headers */
	uint32_t fields;        /* bits of what CoMPASS events have: 1 << enum caen_field */
	bool has_code;          /* a u8 in front of the count of samples */
	uint64_t event_count, last_time, last_counter;
	uint32_t event_bytes; /* WaveDump: of the first event */
	uint16_t *text_samples;
	uint32_t text_capacity;
	/* what comes out */
	struct enrg_schema schema;
	struct enrg_column schema_columns[CAEN_COLUMNS_MAX];
	struct caen_column columns[CAEN_COLUMNS_MAX];
	struct enrg_column_view views[CAEN_COLUMNS_MAX];
	uint64_t sequence;
};

/* By the ending of the name and the first bytes; CAEN_NONE: none of these. */
enum caen_kind caen_find_kind(const char *path, const uint8_t *bytes, size_t count);

/* Reads the first event, and of CoMPASS files without the word at the start some hundred, to find out what they have.
 * `record_length`: samples of an event of WaveDump files without header; 0: they have headers. Zeroed before. */
int caen_open(struct caen *caen, enum caen_kind kind, struct file_window *window, uint32_t record_length,
	struct enrg_error *reason);
/* The next events: 1; 0: the end; ENRG_E_CORRUPT: `reason` says what is wrong with the one at caen->offset. */
int caen_next(struct caen *caen, struct enrg_batch *ret_batch, struct enrg_error *reason);
void caen_close(struct caen *caen); /* takes zeroed ones */

#endif
