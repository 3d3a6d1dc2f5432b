/* watch_table.c: the last row of a table for the eye: numbers with units, a waveform as a sparkline, text made
 * harmless. */
#include "cli/watch_table.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPARK_CELLS_MAX 120u
#define TEXT_BYTES_MAX  160u
#define NAME_WIDTH_MAX  24

/* --- values ------------------------------------------------------------------------------------------------------- */

static double number_at(enum enrg_type type, const void *values, uint64_t index)
{
	switch (type) {
	case ENRG_I8:
		return ((const int8_t *)values)[index];
	case ENRG_I16:
		return ((const int16_t *)values)[index];
	case ENRG_I32:
		return ((const int32_t *)values)[index];
	case ENRG_I64:
	case ENRG_TIMESTAMP_NS:
		return (double)((const int64_t *)values)[index];
	case ENRG_U8:
		return ((const uint8_t *)values)[index];
	case ENRG_U16:
		return ((const uint16_t *)values)[index];
	case ENRG_U32:
		return ((const uint32_t *)values)[index];
	case ENRG_U64:
		return (double)((const uint64_t *)values)[index];
	case ENRG_F32:
		return (double)((const float *)values)[index];
	case ENRG_F64:
		return ((const double *)values)[index];
	case ENRG_BOOL:
		return ((const uint8_t *)values)[index >> 3] >> (index & 7) & 1;
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return NAN;
}

static void print_number(enum enrg_type type, const void *values, uint64_t index, FILE *stream)
{
	char time[ENRG_TIMESTAMP_BYTES];

	if (enrg_type_is_time(type))
		fwrite(time, 1, (size_t)(enrg_timestamp_format(((const int64_t *)values)[index], time) - time), stream);
	else if (type == ENRG_I64)
		fprintf(stream, "%" PRId64, ((const int64_t *)values)[index]);
	else if (type == ENRG_U64)
		fprintf(stream, "%" PRIu64, ((const uint64_t *)values)[index]);
	else
		fprintf(stream, enrg_type_is_float(type) ? "%.15g" : "%.0f", number_at(type, values, index));
}

struct span {
	uint64_t first, end;
};

static struct span span_of(const struct enrg_column_view *view, uint64_t row)
{
	return (struct span){(uint64_t)view->offsets[row], (uint64_t)view->offsets[row + 1]};
}

/* Least and largest of the finite items; false: there is none. */
static bool find_range(
	const struct enrg_column *column, const void *values, struct span span, double *ret_least, double *ret_most)
{
	bool is_found = false;

	for (uint64_t i = span.first; i < span.end; i++) {
		double value = number_at(column->item, values, i);
		if (!isfinite(value))
			continue;
		*ret_least = is_found && *ret_least < value ? *ret_least : value;
		*ret_most = is_found && *ret_most > value ? *ret_most : value;
		is_found = true;
	}
	return is_found;
}

/* A cell stands for several items: for the one that is farthest from the middle of the whole, so that a pulse of one
 * sample is seen. */
static void print_sparkline(
	const struct enrg_column *column, const void *values, struct span span, unsigned cells, FILE *stream)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	uint64_t count = span.end - span.first;
	double least = 0, most = 0;

	if (!find_range(column, values, span, &least, &most))
		return;
	cells = count < cells ? (unsigned)count : cells;
	for (unsigned cell = 0; cell < cells; cell++) {
		uint64_t from = span.first + count * cell / cells, to = span.first + count * (cell + 1) / cells;
		double middle = least / 2 + most / 2, shown = NAN;

		for (uint64_t i = from; i < to; i++) {
			double value = number_at(column->item, values, i);
			if (isfinite(value) && !(fabs(value - middle) <= fabs(shown - middle)))
				shown = value;
		}
		double height = most > least ? (shown - least) / (most - least) : 0;
		fputs(isfinite(height) ? bars[(int)(height * 7.999)] : " ", stream);
	}
	fprintf(stream, "  %.6g to %.6g", least, most);
}

static void print_text(const char *bytes, uint64_t count, FILE *stream)
{
	char text[TEXT_BYTES_MAX + 1];
	size_t used = count < TEXT_BYTES_MAX ? (size_t)count : TEXT_BYTES_MAX;

	memcpy(text, bytes, used);
	enrg_text_make_safe(text, used);
	fprintf(stream, "%.*s%s", (int)used, text, used < count ? "…" : "");
}

static void print_value(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row,
	unsigned cells, FILE *stream)
{
	if (!enrg_column_present(view, row)) {
		fputs("–", stream);
		return;
	}
	if (column->type == ENRG_BOOL) {
		fputs(number_at(ENRG_BOOL, view->values, row) > 0 ? "true" : "false", stream);
	} else if (!view->offsets) {
		print_number(column->type, view->values, row, stream);
	} else {
		struct span span = span_of(view, row);

		if (column->type == ENRG_LIST) {
			fprintf(stream, "[%" PRIu64 "] ", span.end - span.first);
			print_sparkline(column, view->values, span, cells, stream);
		} else if (column->type == ENRG_BINARY) {
			fprintf(stream, "%" PRIu64 " bytes", span.end - span.first);
		} else if (span.end > span.first) {
			print_text((const char *)view->values + span.first, span.end - span.first, stream);
		}
	}
	if (column->unit && *column->unit) {
		fputc(' ', stream);
		print_text(column->unit, strlen(column->unit), stream);
	}
}

/* --- views -------------------------------------------------------------------------------------------------------- */

static double per_second(uint64_t count, const struct watch_rates *rates)
{
	return rates->seconds > 0 ? (double)count * rates->scale / rates->seconds : 0;
}

static void print_head(const struct watch_table *table, const struct watch_rates *rates, FILE *stream)
{
	if (table->tag[0]) {
		print_text(table->tag, strlen(table->tag), stream);
		fputs(": ", stream);
	}
	fprintf(stream, "%.6g batches/s, %.6g rows/s, %.3g MB/s", per_second(table->seen, rates),
		per_second(table->rows, rates), per_second(table->bytes, rates) / 1e6);
	if (table->batch.schema)
		fprintf(stream, "; batch %" PRIu64 "%s", table->batch.sequence,
			table->batch.is_gap ? ", a gap: its producer was started again" : "");
	fputc('\n', stream);
}

static int count_characters(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

void watch_table_print(const struct watch_table *table, const struct watch_rates *rates, unsigned width, FILE *stream)
{
	int name_width = 0;
	unsigned cells = width > NAME_WIDTH_MAX + 40 ? width - NAME_WIDTH_MAX - 40 : 10;

	print_head(table, rates, stream);
	if (!table->batch.schema || !table->batch.rows)
		return;
	for (uint32_t i = 0; i < table->batch.schema->column_count; i++) {
		int characters = count_characters(table->batch.schema->columns[i].name);
		name_width = characters > name_width ? characters : name_width;
	}
	name_width = name_width < NAME_WIDTH_MAX ? name_width : NAME_WIDTH_MAX;
	for (uint32_t i = 0; i < table->batch.schema->column_count; i++) {
		const struct enrg_column *column = &table->batch.schema->columns[i];
		char name[ENRG_NAME_BYTES_MAX + 1];

		snprintf(name, sizeof(name), "%s", column->name);
		enrg_text_make_safe(name, strlen(name));
		int gap = name_width - count_characters(name);
		fprintf(stream, "  %s%*s  ", name, gap > 0 ? gap : 0, "");
		print_value(column, &table->batch.columns[i], table->batch.rows - 1,
			cells < SPARK_CELLS_MAX ? cells : SPARK_CELLS_MAX, stream);
		fputc('\n', stream);
	}
}

static json_t *number_json(enum enrg_type type, const void *values, uint64_t index)
{
	double value = number_at(type, values, index);
	char time[ENRG_TIMESTAMP_BYTES];

	if (enrg_type_is_time(type))
		return json_stringn(
			time, (size_t)(enrg_timestamp_format(((const int64_t *)values)[index], time) - time));
	if (type == ENRG_I64)
		return json_integer(((const int64_t *)values)[index]);
	if (type == ENRG_BOOL)
		return json_boolean(value > 0);
	if (type == ENRG_U64 && ((const uint64_t *)values)[index] <= INT64_MAX)
		return json_integer((json_int_t)((const uint64_t *)values)[index]);
	if (enrg_type_is_float(type) ||
		type == ENRG_U64) /* JSON has no integers beyond 63 bits that all readers keep */
		return isfinite(value) ? json_real(value) : json_null();
	return json_integer((json_int_t)value);
}

static json_t *text_json(const char *bytes, uint64_t count)
{
	char *text = malloc(count + 1);

	if (!text)
		return json_null();
	memcpy(text, bytes, count);
	enrg_text_make_safe(text, count);
	json_t *json = json_stringn(text, count);
	free(text);
	return json;
}

static json_t *value_json(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row)
{
	if (!enrg_column_present(view, row))
		return json_null();
	if (!view->offsets)
		return number_json(column->type, view->values, row);
	struct span span = span_of(view, row);

	if (column->type == ENRG_BINARY)
		return json_pack("{s:I}", "bytes", (json_int_t)(span.end - span.first));
	if (column->type != ENRG_LIST)
		return text_json(view->values ? (const char *)view->values + span.first : "", span.end - span.first);
	json_t *list = json_array();

	for (uint64_t i = span.first; i < span.end; i++)
		json_array_append_new(list, number_json(column->item, view->values, i));
	return list;
}

void watch_table_print_json(
	const struct watch_table *table, const struct watch_rates *rates, const char *source, FILE *stream)
{
	json_t *row = NULL, *json;

	if (table->batch.schema && table->batch.rows) {
		row = json_object();
		for (uint32_t i = 0; i < table->batch.schema->column_count; i++)
			json_object_set_new(row, table->batch.schema->columns[i].name,
				value_json(&table->batch.schema->columns[i], &table->batch.columns[i],
					table->batch.rows - 1));
	}
	json = json_pack("{s:o, s:o, s:I, s:f, s:f, s:f, s:o}", "source", text_json(source, strlen(source)), "tag",
		text_json(table->tag, strlen(table->tag)), "sequence",
		(json_int_t)(table->batch.schema ? table->batch.sequence : 0), "batches_per_s",
		per_second(table->seen, rates), "rows_per_s", per_second(table->rows, rates), "mb_per_s",
		per_second(table->bytes, rates) / 1e6, "row", row ? row : json_null());
	json_dumpf(json, stream, JSON_COMPACT | JSON_REAL_PRECISION(17)); /* what is read back is the same number */
	fputc('\n', stream);
	json_decref(json);
}
