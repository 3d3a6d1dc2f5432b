/* values.c: see the header. Runs in the store's job process, on its main thread. */
#include "values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number/number.h"

#define SAMPLE_ROWS 100000u /* of one command: Redis takes about a million arguments */

static char *format_number(char *out, enum enrg_type type, const void *values, uint64_t index)
{
	switch (type) {
	case ENRG_I8:
		return number_format_i64(out, ((const int8_t *)values)[index]);
	case ENRG_I16:
		return number_format_i64(out, ((const int16_t *)values)[index]);
	case ENRG_I32:
		return number_format_i64(out, ((const int32_t *)values)[index]);
	case ENRG_I64:
		return number_format_i64(out, ((const int64_t *)values)[index]);
	case ENRG_U8:
		return number_format_u64(out, ((const uint8_t *)values)[index]);
	case ENRG_U16:
		return number_format_u64(out, ((const uint16_t *)values)[index]);
	case ENRG_U32:
		return number_format_u64(out, ((const uint32_t *)values)[index]);
	case ENRG_U64:
		return number_format_u64(out, ((const uint64_t *)values)[index]);
	case ENRG_F32:
		return number_format_f32(out, ((const float *)values)[index]);
	case ENRG_F64:
		return number_format_f64(out, ((const double *)values)[index]);
	case ENRG_TIMESTAMP_NS:
		return enrg_timestamp_format(((const int64_t *)values)[index], out);
	case ENRG_BOOL:
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return out;
}

static bool is_set(const struct enrg_column_view *view, uint64_t row)
{
	return ((const uint8_t *)view->values)[row >> 3] >> (row & 7) & 1;
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

static void add_list(struct request *request, enum enrg_type item, const void *values, uint64_t first, uint64_t end)
{
	char *text = malloc((size_t)(end - first) * (NUMBER_BYTES_MAX + 1) + 2), *out = text;

	if (!text) {
		request->has_failed = true;
		return;
	}
	*out++ = '[';
	for (uint64_t i = first; i < end; i++) {
		if (i > first)
			*out++ = ',';
		out = format_number(out, item, values, i);
	}
	*out++ = ']';
	request_add(request, text, (size_t)(out - text));
	free(text);
}

static void add_value(
	struct request *request, const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row)
{
	char number[NUMBER_BYTES_MAX];

	if (!enrg_column_present(view, row)) {
		request_add(request, NULL, 0);
	} else if (column->type == ENRG_LIST) {
		add_list(request, column->item, view->values, (uint64_t)view->offsets[row],
			(uint64_t)view->offsets[row + 1]);
	} else if (view->offsets) {
		request_add(request, (const char *)view->values + view->offsets[row],
			(size_t)(view->offsets[row + 1] - view->offsets[row]));
	} else if (column->type == ENRG_BOOL) {
		request_add_text(request, is_set(view, row) ? "true" : "false");
	} else {
		request_add(request, number, (size_t)(format_number(number, column->type, view->values, row) - number));
	}
}

void values_add(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t first, uint64_t end,
	struct request *request)
{
	for (uint64_t row = first; row < end; row++)
		add_value(request, column, view, row);
}

/* --- time series -------------------------------------------------------------------------------------------------- */

/* In ms; -1: it is no time that Redis knows. Reals and times are cut to whole milliseconds. */
static int64_t find_time(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row)
{
	char text[NUMBER_BYTES_MAX + 1];

	if (!enrg_column_present(view, row))
		return -1;
	if (enrg_type_is_float(column->type)) {
		double time = enrg_type_real(column->type, view->values, row);
		return time >= 0 && time < 0x1p63 ? (int64_t)time : -1;
	}
	if (enrg_type_is_time(column->type)) {
		int64_t time_ns = ((const int64_t *)view->values)[row];
		return time_ns >= 0 ? time_ns / 1000000 : -1;
	}
	*format_number(text, column->type, view->values, row) = '\0';
	if (text[0] == '-')
		return -1;
	uint64_t time = strtoull(text, NULL, 10);
	return time <= INT64_MAX ? (int64_t)time : -1;
}

uint64_t values_count_same_times(const struct enrg_batch *batch, uint32_t time_column, int64_t *last_ms)
{
	uint64_t count = 0;

	for (uint64_t row = 0; row < batch->rows; row++) {
		int64_t time = find_time(&batch->schema->columns[time_column], &batch->columns[time_column], row);
		count += time >= 0 && time == *last_ms;
		*last_ms = time;
	}
	return count;
}

static bool is_finite(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row)
{
	return !enrg_type_is_float(column->type) || isfinite(enrg_type_real(column->type, view->values, row));
}

/* A sample is a double: a time beside the time of its row is its ns since 1970, as exact as that. */
static void add_sample(
	struct request *samples, const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row)
{
	char number[NUMBER_BYTES_MAX];

	if (column->type == ENRG_BOOL)
		request_add_text(samples, is_set(view, row) ? "1" : "0");
	else if (enrg_type_is_time(column->type))
		request_add(samples, number, (size_t)(format_number(number, ENRG_I64, view->values, row) - number));
	else
		add_value(samples, column, view, row);
}

uint64_t values_add_samples(
	const struct enrg_batch *batch, uint32_t time_column, uint32_t column, const char *key, struct request *request)
{
	const struct enrg_column *times = &batch->schema->columns[time_column], *type = &batch->schema->columns[column];
	const struct enrg_column_view *time_view = &batch->columns[time_column], *view = &batch->columns[column];
	uint64_t left_out = 0;

	for (uint64_t first = 0; first < batch->rows; first += SAMPLE_ROWS) {
		uint64_t end = batch->rows - first < SAMPLE_ROWS ? batch->rows : first + SAMPLE_ROWS, count = 0;
		struct request samples = {0};
		for (uint64_t row = first; row < end; row++) {
			char time[NUMBER_BYTES_MAX + 1];
			if (!enrg_column_present(view, row))
				continue;
			int64_t time_ms = find_time(times, time_view, row);
			if (!is_finite(type, view, row) || time_ms < 0) {
				left_out++;
				continue;
			}
			*number_format_i64(time, time_ms) = '\0';
			request_add_text(&samples, key);
			request_add_text(&samples, time);
			add_sample(&samples, type, view, row);
			count++;
		}
		if (count) {
			request_begin(request, 1 + 3 * count);
			request_add_text(request, "TS.MADD");
			request_append(request, &samples);
		}
		request_fini(&samples);
	}
	return left_out;
}
