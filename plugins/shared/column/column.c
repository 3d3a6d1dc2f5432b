/* column.c: see the header. */
#include "column.h"

#include <math.h>

bool column_is_number(const struct enrg_schema *schema, uint32_t column)
{
	enum enrg_type type = schema->columns[column].type;

	return enrg_type_is_number(type) || enrg_type_is_time(type) || type == ENRG_BOOL;
}

double column_number(const struct enrg_batch *batch, uint32_t column, uint64_t row)
{
	const struct enrg_column_view *view = &batch->columns[column];

	if (!enrg_column_present(view, row))
		return NAN;
	switch (batch->schema->columns[column].type) {
	case ENRG_BOOL:
		return ((unsigned)((const uint8_t *)view->values)[row >> 3] >> (row & 7)) & 1u;
	case ENRG_I8:
		return ((const int8_t *)view->values)[row];
	case ENRG_I16:
		return ((const int16_t *)view->values)[row];
	case ENRG_I32:
		return ((const int32_t *)view->values)[row];
	case ENRG_I64:
	case ENRG_TIMESTAMP_NS:
		return (double)((const int64_t *)view->values)[row];
	case ENRG_U8:
		return ((const uint8_t *)view->values)[row];
	case ENRG_U16:
		return ((const uint16_t *)view->values)[row];
	case ENRG_U32:
		return ((const uint32_t *)view->values)[row];
	case ENRG_U64:
		return (double)((const uint64_t *)view->values)[row];
	case ENRG_F32:
	case ENRG_F64:
		return enrg_type_real(batch->schema->columns[column].type, view->values, row);
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return NAN;
}
