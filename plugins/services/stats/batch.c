/* batch.c: see the header. */
#include "batch.h"

#include <errno.h>
#include <string.h>

#define COLUMNS_MAX 16u

struct part {
	const struct enrg_schema *schema;
	uint64_t first, rows;
	batch_value *value;
	void *context;
};

static void measure(const struct part *part, uint64_t variable[COLUMNS_MAX])
{
	for (uint32_t column = 0; column < part->schema->column_count; column++) {
		variable[column] = 0;
		for (uint64_t row = 0; row < part->rows && part->schema->columns[column].type == ENRG_STRING; row++)
			variable[column] += part->value(part->context, part->first + row, column).count;
	}
}

static void fill_column(const struct part *part, uint32_t column, const struct enrg_column_buffer *buffer)
{
	enum enrg_type type = part->schema->columns[column].type;
	int32_t at = 0;

	for (uint64_t row = 0; row < part->rows; row++) {
		const struct enrg_value value = part->value(part->context, part->first + row, column);
		if (type == ENRG_STRING) {
			memcpy((char *)buffer->values + at, value.data, value.count);
			at += (int32_t)value.count;
			buffer->offsets[row + 1] = at;
		} else if (type == ENRG_BOOL) {
			uint8_t *bits = buffer->values;
			bits[row / 8] = (uint8_t)(bits[row / 8] | (value.i != 0) << row % 8);
		} else if (type == ENRG_F64) {
			((double *)buffer->values)[row] = value.f;
		} else {
			((int64_t *)buffer->values)[row] = value.i;
		}
	}
}

int batch_publish(struct enrg_output *output, const struct enrg_schema *schema, uint64_t rows, batch_value *value,
	void *context, struct enrg_error *err)
{
	struct part part = {.schema = schema, .rows = rows, .value = value, .context = context};
	uint64_t variable[COLUMNS_MAX];
	struct enrg_claim claim;
	int rc = 0;

	while (part.first < rows && rc == 0) {
		part.rows = part.rows < rows - part.first ? part.rows : rows - part.first;
		measure(&part, variable);
		rc = enrg_output_claim(output, part.rows, variable, &claim, err);
		if (rc == -EMSGSIZE && part.rows > 1) {
			part.rows /= 2;
			rc = 0;
			continue;
		}
		for (uint32_t column = 0; column < schema->column_count && rc == 0; column++)
			fill_column(&part, column, &claim.columns[column]);
		if (rc == 0)
			rc = enrg_output_commit(output, part.rows, 0, err);
		part.first += part.rows;
	}
	return rc;
}
