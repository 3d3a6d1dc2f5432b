/* copying.c: see the header. In the process of DAQJobReplay, on its main thread. */
#include "copying.h"

#include <string.h>

bool copying_has_missing(const struct enrg_batch *batch)
{
	for (uint32_t i = 0; i < batch->schema->column_count; i++)
		if (batch->columns[i].null_count)
			return true;
	return false;
}

static uint64_t first_item(const struct enrg_column_view *view)
{
	return (uint64_t)view->offsets[0];
}

void copying_measure(const struct enrg_batch *batch, uint64_t *ret_variable)
{
	for (uint32_t i = 0; i < batch->schema->column_count; i++) {
		const struct enrg_column_view *view = &batch->columns[i];
		bool has_items = enrg_type_is_variable(batch->schema->columns[i].type) && view->offsets && batch->rows;
		ret_variable[i] = has_items ? (uint64_t)view->offsets[batch->rows] - first_item(view) : 0;
	}
}

/* Bits behind the last row stay 0, whatever the file has there. */
static void copy_bits(const struct enrg_column_view *view, uint8_t *to, uint64_t rows)
{
	memcpy(to, view->values, rows / 8);
	if (rows % 8)
		to[rows / 8] = (uint8_t)(((const uint8_t *)view->values)[rows / 8] & ((1u << (rows % 8)) - 1));
}

static void copy_items(const struct enrg_column *column, const struct enrg_column_view *view,
	const struct enrg_column_buffer *to, uint64_t rows)
{
	uint64_t item_bytes = enrg_column_item_bytes(column);
	int32_t first = view->offsets[0];
	uint64_t bytes = ((uint64_t)view->offsets[rows] - (uint64_t)first) * item_bytes;

	for (uint64_t row = 0; row <= rows; row++)
		to->offsets[row] = view->offsets[row] - first;
	if (bytes)
		memcpy(to->values, (const uint8_t *)view->values + (uint64_t)first * item_bytes, bytes);
}

void copying_fill(const struct enrg_batch *batch, const struct enrg_claim *claim)
{
	for (uint32_t i = 0; batch->rows && i < batch->schema->column_count; i++) {
		const struct enrg_column *column = &batch->schema->columns[i];
		const struct enrg_column_view *view = &batch->columns[i];
		if (column->type == ENRG_BOOL)
			copy_bits(view, claim->columns[i].values, batch->rows);
		else if (enrg_type_is_variable(column->type))
			copy_items(column, view, &claim->columns[i], batch->rows);
		else
			memcpy(claim->columns[i].values, view->values, batch->rows * enrg_type_bytes(column->type));
	}
}

/* --- times ------------------------------------------------------------------------------------------------------- */

/* ns of one step of a number that is a time; 0: it is none. */
static int64_t step_ns(const struct enrg_column *column)
{
	const char *unit = column->unit ? column->unit : "";

	if (enrg_type_is_time(column->type))
		return 1;
	if (column->type != ENRG_I64 && column->type != ENRG_U64 && column->type != ENRG_F64)
		return 0;
	if (strcmp(column->name, "real_ns_timestamp") == 0)
		return 1;
	if (strcmp(column->name, "timestamp") != 0)
		return 0;
	return strcmp(unit, "ns") == 0   ? 1
	       : strcmp(unit, "us") == 0 ? 1000
	       : strcmp(unit, "s") == 0  ? 1000000000
					 : 1000000;
}

bool copying_is_time(const struct enrg_column *column)
{
	return step_ns(column) != 0;
}

void copying_shift(const struct enrg_column *column, void *values, uint64_t rows, int64_t shift_ns)
{
	int64_t step = step_ns(column), steps = step ? shift_ns / step : 0;

	if (!step)
		return;
	if (column->type == ENRG_F64) {
		double *times = values;
		for (uint64_t row = 0; row < rows; row++)
			times[row] += (double)shift_ns / (double)step;
		return;
	}
	uint64_t *times = values; /* modulo 2^64: the same for signed ones */
	for (uint64_t row = 0; row < rows; row++)
		times[row] += (uint64_t)steps;
}
