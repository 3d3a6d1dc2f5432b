/* schema.h: the columns of a table, as every reader and writer of batches sees them.
 *
 * A schema is a list of named columns. Types are those of Apache Arrow (Columnar format 1.0) that the stores can all
 * keep: numbers of all widths, booleans, strings, bytes, and one level of list (a waveform is a list of ENRG_I16).
 */
#ifndef ENRGDAQ_SCHEMA_H
#define ENRGDAQ_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ENRG_COLUMNS_MAX    4096u /* a wider table is refused with a clear error */
#define ENRG_NAME_BYTES_MAX 255u  /* of a column name, a unit, a tag, without the final NUL */
#define ENRG_NOTES_MAX      1024u /* of a schema */
#define ENRG_NOTE_BYTES_MAX 4095u /* of the value of a note, without the final NUL */

enum enrg_type {
	ENRG_BOOL = 1, /* one bit a value, least significant bit first */
	ENRG_I8,
	ENRG_I16,
	ENRG_I32,
	ENRG_I64,
	ENRG_U8,
	ENRG_U16,
	ENRG_U32,
	ENRG_U64,
	ENRG_F32,
	ENRG_F64,
	ENRG_STRING, /* UTF-8; offsets are int32_t */
	ENRG_BINARY, /* bytes; offsets are int32_t */
	ENRG_LIST,   /* of `item`, a number type; offsets are int32_t and count items */
	/* A moment: int64_t, ns since 1970-01-01T00:00:00Z without leap seconds (CLOCK_REALTIME), 1677 to 2262. Stores
	 * and readers show it as a time and keep it to the nanosecond. It has no unit. */
	ENRG_TIMESTAMP_NS,
};

struct enrg_column {
	const char *name; /* 1 to ENRG_NAME_BYTES_MAX bytes of UTF-8, unique in its schema */
	enum enrg_type type;
	enum enrg_type item; /* of an ENRG_LIST: a number (enrg_type_is_number); else 0 */
	const char *unit;    /* "mV", "ns"; NULL or "" where there is none */
};

/* What a reader has to know of a table beside its columns: a sample takes 2 ns, a count is 0.12 mV, the time is that of
 * a GPS receiver. Values are text. Notes are no part of what makes two tables the same: a file that was begun with
 * others goes on, and says what it said when it was begun; a store tells the operator where the two contradict each
 * other. */
struct enrg_note {
	const char *column; /* of which it is said; NULL = of the whole table */
	const char *key; /* 1 to ENRG_NAME_BYTES_MAX bytes; neither "enrgdaq.…", "ARROW:…" nor a column's "unit" */
	const char *value; /* UTF-8, up to ENRG_NOTE_BYTES_MAX bytes */
};

/* The notes of a time column (docs/arrows-format.md, "Clocks"): which clock it counts, what its zero is, and how many
 * ns one step of that clock takes, or of the column where that is coarser. */
#define ENRG_NOTE_CLOCK         "clock" /* one of the five below */
#define ENRG_NOTE_EPOCH         "epoch" /* "1970-01-01T00:00:00Z", "start of the run", "boot of the machine" */
#define ENRG_NOTE_RESOLUTION_NS "resolution_ns"
#define ENRG_CLOCK_REALTIME     "host-realtime"  /* CLOCK_REALTIME: UTC as this machine has it, steps with it */
#define ENRG_CLOCK_MONOTONIC    "host-monotonic" /* CLOCK_MONOTONIC: never steps */
#define ENRG_CLOCK_DEVICE       "device"         /* a counter in the instrument */
#define ENRG_CLOCK_TAI          "tai"
#define ENRG_CLOCK_GPS          "gps"
#define ENRG_EPOCH_UNIX         "1970-01-01T00:00:00Z"

/* Three entries of an array of notes: `column` is wall time of this machine, as ENRGDAQ's `timestamp` in ms. */
#define ENRG_NOTES_HOST_TIME(column, resolution_ns)                                                                    \
	{column, ENRG_NOTE_CLOCK, ENRG_CLOCK_REALTIME}, {column, ENRG_NOTE_EPOCH, ENRG_EPOCH_UNIX},                    \
	{                                                                                                              \
		column, ENRG_NOTE_RESOLUTION_NS, resolution_ns                                                         \
	}

struct enrg_schema {
	uint32_t column_count; /* 1 to ENRG_COLUMNS_MAX */
	const struct enrg_column *columns;
	/* A blob (image, raw event) is a schema of the one column `bytes` of type ENRG_BINARY with this set; each batch
	 * then has one row. Stores of tables may refuse it, the raw store takes nothing else. */
	bool is_blob;
	uint32_t note_count; /* 0 to ENRG_NOTES_MAX */
	const struct enrg_note *notes;
};

/* --- what is known of each type: one table (src/arrow/schema.c), asked through these; any thread, no allocation ---
 *
 * Decide by them, or by a `switch` that names every type and has no `default:`, so that the compiler names the place
 * when a type is added. 0, false and "?" for what is no type. */

/* Bytes of one value: 1 to 8 for numbers, 8 for a time, 0 for ENRG_BOOL (a bit) and for types of variable size. */
ENRG_API uint32_t enrg_type_bytes(enum enrg_type type);

/* "int16", "float64", "string", "list", "timestamp_ns" …; "?" for anything else. */
ENRG_API const char *enrg_type_name(enum enrg_type type);

ENRG_API bool enrg_type_is_integer(enum enrg_type type);
ENRG_API bool enrg_type_is_signed(enum enrg_type type); /* of integers and times: may it be negative? else false */
ENRG_API bool enrg_type_is_float(enum enrg_type type);
ENRG_API bool enrg_type_is_number(enum enrg_type type);   /* integers and floats: what a list may hold */
ENRG_API bool enrg_type_is_time(enum enrg_type type);     /* an int64_t that is a moment, not a number */
ENRG_API bool enrg_type_is_variable(enum enrg_type type); /* its rows differ in length: there are offsets */

/* A value of a float type; NaN for all other types. */
ENRG_API double enrg_type_real(enum enrg_type type, const void *values, uint64_t index);

#define ENRG_TIMESTAMP_BYTES 30u /* of a time as text, without the final NUL */

/* "2026-11-28T00:12:34.123456789Z" of a value of ENRG_TIMESTAMP_NS, always of that length and without NUL; returns its
 * end. It sorts as the times do. */
ENRG_API char *enrg_timestamp_format(int64_t timestamp_ns, char *ret_text);

/* What stands for a missing value in a format that has none: NaN, 0 (the time 1970 began) or false, as enrg_type_bytes
 * bytes (at least 1). */
ENRG_API const void *enrg_type_missing(enum enrg_type type);

/* The type of what lies in the column's values: the item of a list, ENRG_U8 for strings and bytes, else its own. */
ENRG_API enum enrg_type enrg_column_item(const struct enrg_column *column);

/* Bytes of that; 0 for ENRG_BOOL. */
ENRG_API uint32_t enrg_column_item_bytes(const struct enrg_column *column);

/* Checks counts, names (length, UTF-8, unique), types and notes. 0, or -EINVAL / -EMSGSIZE with err saying which. */
ENRG_API int enrg_schema_check(const struct enrg_schema *schema, struct enrg_error *err);

/* What the note `key` of a column says, or of the table (`column` NULL); NULL where there is none. */
ENRG_API const char *enrg_schema_note(const struct enrg_schema *schema, const char *column, const char *key);

/* The schema of a blob; static storage. */
ENRG_API const struct enrg_schema *enrg_schema_blob(void);

#ifdef __cplusplus
}
#endif

#endif
