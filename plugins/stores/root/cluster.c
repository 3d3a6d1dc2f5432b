/* cluster.c: see the header. Store process, main thread; its helper reads. */
#include "cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int cluster_init(struct cluster *cluster, const struct enrg_schema *schema, struct enrg_error *err)
{
	cluster->columns = calloc(schema->column_count, sizeof(*cluster->columns));
	if (!cluster->columns)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	cluster->column_count = schema->column_count;
	for (uint32_t i = 0; i < schema->column_count; i++) {
		struct cluster_column *column = &cluster->columns[i];
		column->type = schema->columns[i].type;
		column->item = enrg_column_item(&schema->columns[i]);
		column->width = column->item == ENRG_BOOL ? 1 : enrg_type_bytes(column->item);
	}
	return 0;
}

void cluster_fini(struct cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->column_count; i++) {
		bytes_fini(&cluster->columns[i].values);
		bytes_fini(&cluster->columns[i].ends);
	}
	free(cluster->columns);
	*cluster = (struct cluster){0};
}

void cluster_clear(struct cluster *cluster)
{
	cluster->rows = cluster->bytes = 0;
	for (uint32_t i = 0; i < cluster->column_count; i++) {
		bytes_clear(&cluster->columns[i].values);
		bytes_clear(&cluster->columns[i].ends);
	}
}

static void append_bools(struct cluster_column *column, const struct enrg_column_view *view, uint64_t rows)
{
	const uint8_t *bits = view->values;
	uint8_t *to = bytes_reserve(&column->values, rows);

	if (!to)
		return;
	for (uint64_t row = 0; row < rows; row++)
		to[row] = enrg_column_present(view, row) && (((unsigned)bits[row >> 3] >> (row & 7)) & 1u);
	column->values.count += rows;
}

static void append_numbers(struct cluster_column *column, const struct enrg_column_view *view, uint64_t rows)
{
	size_t start = column->values.count;

	bytes_put(&column->values, view->values, rows * column->width);
	if (!view->validity || column->values.is_short)
		return;
	for (uint64_t row = 0; row < rows; row++)
		if (!enrg_column_present(view, row))
			memcpy(column->values.data + start + row * column->width, enrg_type_missing(column->item),
				column->width);
}

static void append_ends(struct cluster_column *column, const struct enrg_column_view *view, uint64_t rows)
{
	uint64_t end = cluster_value_count(column);
	uint64_t *to = (void *)bytes_reserve(&column->ends, rows * sizeof(*to));

	if (!to)
		return;
	for (uint64_t row = 0; row < rows; row++) {
		uint64_t count = (uint64_t)(view->offsets[row + 1] - view->offsets[row]);
		if (!enrg_column_present(view, row))
			count = 0;
		if (count > column->longest)
			column->longest = count;
		end += count;
		to[row] = end;
	}
	column->ends.count += rows * sizeof(*to);
}

static void append_variable(struct cluster_column *column, const struct enrg_column_view *view, uint64_t rows)
{
	const uint8_t *values = view->values;
	const int32_t *offsets = view->offsets;
	size_t width = column->width;

	append_ends(column, view, rows);
	if (!view->validity) {
		bytes_put(&column->values, values + (size_t)offsets[0] * width,
			(size_t)(offsets[rows] - offsets[0]) * width);
		return;
	}
	for (uint64_t row = 0; row < rows; row++)
		if (enrg_column_present(view, row))
			bytes_put(&column->values, values + (size_t)offsets[row] * width,
				(size_t)(offsets[row + 1] - offsets[row]) * width);
}

int cluster_append(struct cluster *cluster, const struct enrg_batch *batch, struct enrg_error *err)
{
	int rc = 0;

	if (batch->rows == 0)
		return 0;
	for (uint32_t i = 0; i < cluster->column_count && rc == 0; i++) {
		struct cluster_column *column = &cluster->columns[i];
		const struct enrg_column_view *view = &batch->columns[i];
		size_t before = column->values.count + column->ends.count;
		if (cluster_is_variable(column))
			append_variable(column, view, batch->rows);
		else if (column->type == ENRG_BOOL)
			append_bools(column, view, batch->rows);
		else
			append_numbers(column, view, batch->rows);
		cluster->bytes += column->values.count + column->ends.count - before;
		rc = bytes_check(&column->values, err);
		if (rc == 0)
			rc = bytes_check(&column->ends, err);
	}
	cluster->rows += batch->rows;
	return rc;
}
