/* npy_fuzz.c: any bytes as an unpacked record of a .npy.lz4 dump. Every value of a table that comes out must be there.
 * Runs in a fuzzer or over its corpus. */
#include <stdlib.h>
#include <string.h>

#include "numpy/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void read_all(const uint8_t *bytes, uint64_t count)
{
	volatile uint8_t last = 0;

	for (uint64_t i = 0; i < count; i++)
		last = bytes[i];
	(void)last;
}

static void check_column(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t rows)
{
	uint64_t values = rows;

	if (enrg_type_is_variable(column->type) != !!view->offsets || !view->values)
		abort();
	for (uint64_t row = 0; view->offsets && row < rows; row++)
		if (view->offsets[row] < 0 || view->offsets[row + 1] < view->offsets[row])
			abort();
	if (view->offsets)
		values = (uint64_t)view->offsets[rows];
	if (view->value_count != values)
		abort();
	if (column->type == ENRG_BOOL)
		values = (rows + 7) / 8;
	else
		values *= enrg_column_item_bytes(column);
	read_all(view->values, values);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct enrg_error err = {0};
	struct npy_table table;
	int rc = npy_init(&table, bytes, count, &err);

	if (rc > 0 || (rc < 0) != (err.code < 0) || (rc < 0 && !err.text[0]))
		abort();
	if (rc < 0)
		return 0;
	if (enrg_schema_check(&table.schema, NULL) < 0)
		abort();
	for (uint32_t i = 0; i < table.schema.column_count; i++)
		check_column(&table.schema.columns[i], &table.views[i], table.rows);
	npy_fini(&table);
	return 0;
}
