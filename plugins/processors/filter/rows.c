/* rows.c: see the header. */
#include "rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_run(const uint32_t *kept, uint32_t count)
{
	return count && kept[count - 1] - kept[0] == count - 1;
}

/* --- columns of variable size ------------------------------------------------------------------------------------- */

static uint64_t count_items(const struct enrg_column_view *view, const uint32_t *kept, uint32_t count)
{
	uint64_t items = 0;

	if (is_run(kept, count))
		return (uint64_t)(view->offsets[kept[count - 1] + 1] - view->offsets[kept[0]]);
	for (uint32_t i = 0; i < count; i++)
		items += (uint64_t)(view->offsets[kept[i] + 1] - view->offsets[kept[i]]);
	return items;
}

static void copy_items(const struct enrg_column_buffer *to, const struct enrg_column_view *from, uint32_t item_bytes,
	const uint32_t *kept, uint32_t count)
{
	const uint8_t *values = from->values;
	uint8_t *at = to->values;
	int32_t end = 0;

	for (uint32_t i = 0; i < count; i++) {
		int32_t begin = from->offsets[kept[i]], items = from->offsets[kept[i] + 1] - begin;
		if (!is_run(kept, count) && items)
			memcpy(at + (size_t)end * item_bytes, values + (size_t)begin * item_bytes,
				(size_t)items * item_bytes);
		end += items;
		to->offsets[i + 1] = end;
	}
	if (is_run(kept, count) && end)
		memcpy(at, values + (size_t)from->offsets[kept[0]] * item_bytes, (size_t)end * item_bytes);
}

/* --- numbers and bits --------------------------------------------------------------------------------------------- */

#define COPY_NUMBERS(TYPE)                                                                                             \
	do {                                                                                                           \
		const TYPE *values = from;                                                                             \
		TYPE *out = to;                                                                                        \
		for (uint32_t i = 0; i < count; i++)                                                                   \
			out[i] = values[kept[i]];                                                                      \
	} while (0)

static void copy_numbers(void *to, const void *from, uint32_t bytes, const uint32_t *kept, uint32_t count)
{
	if (is_run(kept, count))
		memcpy(to, (const uint8_t *)from + (size_t)kept[0] * bytes, (size_t)count * bytes);
	else if (bytes == 1)
		COPY_NUMBERS(uint8_t);
	else if (bytes == 2)
		COPY_NUMBERS(uint16_t);
	else if (bytes == 4)
		COPY_NUMBERS(uint32_t);
	else
		COPY_NUMBERS(uint64_t);
}

/* The bits that a claim hands out are zero. */
static void copy_bits(uint8_t *to, const uint8_t *from, const uint32_t *kept, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if ((from[kept[i] >> 3] >> (kept[i] & 7)) & 1)
			to[i >> 3] = (uint8_t)(to[i >> 3] | 1u << (i & 7));
}

static void fill_missing(
	void *to, enum enrg_type type, const struct enrg_column_view *view, const uint32_t *kept, uint32_t count)
{
	uint32_t bytes = enrg_type_bytes(type);

	for (uint32_t i = 0; view->null_count && i < count; i++) {
		if (enrg_column_present(view, kept[i]))
			continue;
		if (type == ENRG_BOOL)
			((uint8_t *)to)[i >> 3] = (uint8_t)(((uint8_t *)to)[i >> 3] & ~(1u << (i & 7)));
		else if (bytes)
			memcpy((uint8_t *)to + (size_t)i * bytes, enrg_type_missing(type), bytes);
	}
}

static void copy_column(const struct enrg_column *column, const struct enrg_column_buffer *to,
	const struct enrg_column_view *from, const uint32_t *kept, uint32_t count)
{
	uint32_t item_bytes = enrg_column_item_bytes(column);

	if (enrg_type_is_variable(column->type))
		copy_items(to, from, item_bytes, kept, count);
	else if (column->type == ENRG_BOOL)
		copy_bits(to->values, from->values, kept, count);
	else
		copy_numbers(to->values, from->values, item_bytes, kept, count);
	if (!enrg_type_is_variable(column->type))
		fill_missing(to->values, column->type, from, kept, count);
}

/* --- whole -------------------------------------------------------------------------------------------------------- */

/* Rows that stand side by side in columns of numbers alone: column by column, by the quickest way of copying. */
static bool is_plain(const struct enrg_batch *batch)
{
	for (uint32_t i = 0; i < batch->schema->column_count; i++)
		if (enrg_type_bytes(batch->schema->columns[i].type) == 0 || batch->columns[i].null_count)
			return false;
	return true;
}

static int commit_run(struct enrg_output *output, const struct enrg_batch *batch, uint32_t first, uint32_t count,
	struct enrg_error *err)
{
	int rc = enrg_output_begin(output, count, err);

	for (uint32_t i = 0; rc == 0 && i < batch->schema->column_count; i++) {
		uint32_t bytes = enrg_type_bytes(batch->schema->columns[i].type);
		rc = enrg_output_put(
			output, (const uint8_t *)batch->columns[i].values + (size_t)first * bytes, count, err);
	}
	return rc == 0 ? enrg_output_end(output, batch->acquired_ns, err) : rc;
}

int rows_commit(struct enrg_output *output, const struct enrg_batch *batch, const uint32_t *kept, uint32_t count,
	struct enrg_error *err)
{
	const struct enrg_schema *schema = batch->schema;
	struct enrg_claim claim;

	if (is_run(kept, count) && is_plain(batch))
		return commit_run(output, batch, kept[0], count, err);
	uint64_t *variable = calloc(schema->column_count, sizeof(*variable));
	if (!variable)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < schema->column_count; i++)
		if (enrg_type_is_variable(schema->columns[i].type))
			variable[i] = count_items(&batch->columns[i], kept, count);
	int rc = enrg_output_claim(output, count, variable, &claim, err);
	free(variable);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < schema->column_count; i++)
		copy_column(&schema->columns[i], &claim.columns[i], &batch->columns[i], kept, count);
	return enrg_output_commit(output, count, batch->acquired_ns, err);
}
