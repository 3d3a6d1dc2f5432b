/* sample.h: batches for the tests of this folder (and of tests/fuzz): a schema with every shape of column, and whole
 * messages of it in malloc'ed memory. */
#ifndef ARROW_SAMPLE_H
#define ARROW_SAMPLE_H

#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"
#include "base/crc32c.h"

enum { SAMPLE_COLUMNS = 6 };

static inline const struct enrg_schema *sample_schema(void)
{
	static const struct enrg_column columns[SAMPLE_COLUMNS] = {
		{"time", ENRG_U64, 0, "ns"},
		{"flag", ENRG_BOOL, 0, NULL},
		{"wave", ENRG_LIST, ENRG_I16, "mV"},
		{"text", ENRG_STRING, 0, NULL},
		{"bytes", ENRG_BINARY, 0, NULL},
		{"x", ENRG_F32, 0, "µm"},
	};
	static const struct enrg_schema schema = {.column_count = SAMPLE_COLUMNS, .columns = columns};
	return &schema;
}

/* Row `row` has row % 3 items in each variable column. */
static inline void sample_variable(uint64_t rows, uint64_t variable[SAMPLE_COLUMNS])
{
	uint64_t items = 0;

	for (uint64_t row = 0; row < rows; row++)
		items += row % 3;
	for (int i = 0; i < SAMPLE_COLUMNS; i++)
		variable[i] = i >= 2 && i <= 4 ? items : 0;
}

static inline void sample_fill(uint8_t *body, const struct ipc_column_place *places, uint64_t rows, uint64_t seed)
{
	for (int i = 2; i <= 4; i++) {
		int32_t *offsets = (int32_t *)(void *)(body + places[i].offsets_offset);
		offsets[0] = 0;
		for (uint64_t row = 0; row < rows; row++)
			offsets[row + 1] = offsets[row] + (int32_t)(row % 3);
	}
	for (uint64_t row = 0; row < rows; row++) {
		const uint64_t time = seed + row;
		const float x = (float)row / 2;
		memcpy(body + places[0].values_offset + 8 * row, &time, 8);
		memcpy(body + places[5].values_offset + 4 * row, &x, 4);
		if (row % 2)
			body[places[1].values_offset + row / 8] |= (uint8_t)(1u << (row % 8));
	}
	for (int i = 2; i <= 4; i++)
		for (uint64_t k = 0; k < places[i].values_bytes; k++)
			body[places[i].values_offset + k] = (uint8_t)('a' + (k + seed) % 26);
}

/* A whole message; free(). */
static inline uint8_t *sample_message(
	const struct ipc_template *template, uint64_t rows, uint64_t sequence, bool is_gap, size_t *ret_count)
{
	struct ipc_column_place places[SAMPLE_COLUMNS];
	uint64_t variable[SAMPLE_COLUMNS];

	sample_variable(rows, variable);
	uint64_t body_bytes = ipc_place_columns(template, rows, variable, places);
	uint32_t meta_bytes = ipc_meta_bytes(template);
	uint8_t *message = calloc(1, meta_bytes + body_bytes);
	if (!message)
		abort();
	sample_fill(message + meta_bytes, places, rows, sequence);
	const struct ipc_stamp stamp = {
		.sequence = sequence,
		.acquired_ns = 1000 + sequence,
		.epoch = 2,
		.body_crc = crc32c(0, message + meta_bytes, body_bytes),
		.is_gap = is_gap,
	};
	ipc_write_meta(template, message, rows, variable, &stamp);
	*ret_count = meta_bytes + body_bytes;
	return message;
}

#endif
