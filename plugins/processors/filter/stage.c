/* stage.c: see the header. */
#include "stage.h"

#include <string.h>

bool stage_can_compare(const struct enrg_column *column)
{
	return column->type == ENRG_BOOL || enrg_type_is_number(column->type);
}

/* --- range -------------------------------------------------------------------------------------------------------- */

/* `VALUE` is the row's number, in its own type: a 64-bit integer is not rounded before it is compared. NaN is in no
 * range. */
#define KEEP_IN_RANGE(TYPE)                                                                                            \
	do {                                                                                                           \
		const TYPE *values = view->values;                                                                     \
		for (uint32_t i = 0; i < count; i++) {                                                                 \
			const TYPE value = values[kept[i]];                                                            \
			kept[out] = kept[i];                                                                           \
			out += (!stage->has_min || (long double)value >= stage->min) &&                                \
			       (!stage->has_max || (long double)value <= stage->max) && value == value;                \
		}                                                                                                      \
	} while (0)

#define KEEP_IN_RANGE_SHORT(TYPE)                                                                                      \
	do {                                                                                                           \
		const TYPE *values = view->values;                                                                     \
		for (uint32_t i = 0; i < count; i++) {                                                                 \
			const double value = (double)values[kept[i]];                                                  \
			kept[out] = kept[i];                                                                           \
			out += (value >= low) & (value <= high);                                                       \
		}                                                                                                      \
	} while (0)

static uint32_t keep_bits(const struct enrg_column_view *view, uint32_t *kept, uint32_t count, double low, double high)
{
	const uint8_t *bits = view->values;
	uint32_t out = 0;

	for (uint32_t i = 0; i < count; i++) {
		const double value = (bits[kept[i] >> 3] >> (kept[i] & 7)) & 1;
		kept[out] = kept[i];
		out += (value >= low) & (value <= high);
	}
	return out;
}

static uint32_t keep_present(const struct enrg_column_view *view, uint32_t *kept, uint32_t count)
{
	uint32_t out = 0;

	for (uint32_t i = 0; view->validity && i < count; i++) {
		kept[out] = kept[i];
		out += enrg_column_present(view, kept[i]);
	}
	return view->validity ? out : count;
}

/* A missing value is in no range. */
static uint32_t keep_range(
	const struct stage *stage, const struct enrg_batch *batch, uint32_t column, uint32_t *kept, uint32_t count)
{
	const struct enrg_column_view *view = &batch->columns[column];
	const double low = stage->has_min ? stage->min : -__builtin_inf();
	const double high = stage->has_max ? stage->max : __builtin_inf();
	uint32_t out = 0;

	count = keep_present(view, kept, count);
	switch (batch->schema->columns[column].type) {
	case ENRG_BOOL:
		return keep_bits(view, kept, count, low, high);
	case ENRG_I8:
		KEEP_IN_RANGE_SHORT(int8_t);
		break;
	case ENRG_I16:
		KEEP_IN_RANGE_SHORT(int16_t);
		break;
	case ENRG_I32:
		KEEP_IN_RANGE_SHORT(int32_t);
		break;
	case ENRG_I64:
		KEEP_IN_RANGE(int64_t);
		break;
	case ENRG_U8:
		KEEP_IN_RANGE_SHORT(uint8_t);
		break;
	case ENRG_U16:
		KEEP_IN_RANGE_SHORT(uint16_t);
		break;
	case ENRG_U32:
		KEEP_IN_RANGE_SHORT(uint32_t);
		break;
	case ENRG_U64:
		KEEP_IN_RANGE(uint64_t);
		break;
	case ENRG_F32:
		KEEP_IN_RANGE_SHORT(float);
		break;
	case ENRG_F64:
		KEEP_IN_RANGE_SHORT(double);
		break;
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
	case ENRG_TIMESTAMP_NS: /* no number: filter.c looks for none there */
		return count;
	}
	return out;
}

/* --- prescale ----------------------------------------------------------------------------------------------------- */

static uint32_t keep_each(const struct stage *stage, uint64_t *seen, uint32_t *kept, uint32_t count)
{
	uint64_t every = (uint64_t)stage->every, until = *seen ? every - *seen : 0;
	uint32_t out = 0;

	for (uint64_t i = until; i < count; i += every)
		kept[out++] = kept[i];
	*seen = (*seen + count) % every;
	return out;
}

/* The batch as a whole, in however many pieces it comes: it counts with its last row. */
static uint32_t keep_batch(const struct stage *stage, uint64_t *seen, bool is_end, uint32_t count)
{
	bool passes = *seen == 0;

	if (is_end)
		*seen = (*seen + 1) % (uint64_t)stage->every;
	return passes ? count : 0;
}

/* ------------------------------------------------------------------------------------------------------------------ */

void stage_select(const struct stage_list *list, const struct stage_rows *rows, struct stage_counts *counts,
	uint32_t *ret_kept, struct stage_result *ret_result)
{
	const struct stage *stages = list->stages;
	const uint32_t *columns = list->columns;
	bool is_end = rows->first + rows->count == rows->batch->rows;
	uint32_t count = rows->count;

	memset(ret_result, 0, sizeof(*ret_result));
	for (uint32_t i = 0; i < count; i++)
		ret_kept[i] = (uint32_t)rows->first + i;
	for (uint32_t i = 0; i < list->count; i++) {
		uint32_t before = count;
		if (stages[i].kind == STAGE_RANGE)
			count = columns[i] == UINT32_MAX
					? count
					: keep_range(&stages[i], rows->batch, columns[i], ret_kept, count);
		else if (stages[i].unit == STAGE_BATCHES)
			count = keep_batch(&stages[i], &counts->seen[i], is_end, count);
		else
			count = keep_each(&stages[i], &counts->seen[i], ret_kept, count);
		ret_result->rejected[i] = before - count;
	}
	ret_result->count = count;
}
