/* arrow_batch_fuzz.c: any bytes as a schema message with a record batch message behind it. Every value that an accepted
 * batch claims to hold is read. Runs in a fuzzer or over its corpus; the address sanitizer sees a read outside. */
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static volatile uint64_t sink; /* keeps the reads */

static void read_bytes(const void *values, uint64_t count)
{
	const uint8_t *at = values;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < count; i++)
		sum += at[i];
	sink += sum;
}

static void read_column(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t rows)
{
	uint64_t width = enrg_column_item_bytes(column);

	read_bytes(view->values, width ? view->value_count * width : (view->value_count + 7) / 8);
	if (view->validity)
		read_bytes(view->validity, (rows + 7) / 8);
	if (!view->offsets) {
		if (view->value_count != rows || enrg_type_is_variable(column->type))
			abort();
		return;
	}
	for (uint64_t row = 0; row < rows; row++)
		if (view->offsets[row] < 0 || view->offsets[row + 1] < view->offsets[row])
			abort();
	if ((uint64_t)view->offsets[rows] > view->value_count)
		abort();
}

static void read_batch(const struct enrg_schema *schema, const uint8_t *bytes, size_t count)
{
	struct enrg_column_view *views = calloc(schema->column_count, sizeof(*views));
	uint8_t *exact = malloc(count ? count : 1); /* aligned, and not a byte longer */
	struct enrg_batch batch = {0};

	if (!views || !exact)
		abort();
	memcpy(exact, bytes, count);
	if (ipc_decode_batch(schema, exact, count, views, &batch, NULL) == 0) {
		if (batch.ipc_bytes > count || batch.body_bytes > batch.ipc_bytes)
			abort();
		for (uint32_t i = 0; i < schema->column_count; i++)
			read_column(&schema->columns[i], &views[i], batch.rows);
	}
	free(exact);
	free(views);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct enrg_schema *schema;
	struct ipc_message message;
	size_t wanted;

	if (ipc_read_message(bytes, count, &message, &wanted, NULL) < 0 ||
		ipc_decode_schema(bytes, count, &schema, NULL) < 0)
		return 0;
	read_batch(schema, bytes + message.meta_bytes, count - message.meta_bytes);
	free(schema);
	return 0;
}
