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

#define ENRG_COLUMNS_MAX 4096u   /* a wider table is refused with a clear error */
#define ENRG_NAME_BYTES_MAX 255u /* of a column name, a unit, a tag, without the final NUL */

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
};

struct enrg_column {
	const char *name; /* 1 to ENRG_NAME_BYTES_MAX bytes of UTF-8, unique in its schema */
	enum enrg_type type;
	enum enrg_type item; /* of an ENRG_LIST: ENRG_I8 … ENRG_F64; else 0 */
	const char *unit;    /* "mV", "ns"; NULL or "" where there is none */
};

struct enrg_schema {
	uint32_t column_count; /* 1 to ENRG_COLUMNS_MAX */
	const struct enrg_column *columns;
	/* A blob (image, raw event) is a schema of the one column `bytes` of type ENRG_BINARY with this set; each batch
	 * then has one row. Stores of tables may refuse it, the raw store takes nothing else. */
	bool is_blob;
};

/* Bytes of one value: 1 to 8 for numbers, 0 for ENRG_BOOL (a bit) and for types of variable size. */
ENRG_API uint32_t enrg_type_bytes(enum enrg_type type);

/* "int16", "float64", "string", "list" …; "?" for anything else. */
ENRG_API const char *enrg_type_name(enum enrg_type type);

/* Checks counts, names (length, UTF-8, unique) and types. 0, or -EINVAL / -EMSGSIZE with err saying which column. */
ENRG_API int enrg_schema_check(const struct enrg_schema *schema, struct enrg_error *err);

/* The schema of a blob; static storage. */
ENRG_API const struct enrg_schema *enrg_schema_blob(void);

#ifdef __cplusplus
}
#endif

#endif
