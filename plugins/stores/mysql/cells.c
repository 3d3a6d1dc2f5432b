/* cells.c: see the header. Runs in the store's job process, on its main thread. */
#include "cells.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- UTF-8 -------------------------------------------------------------------------------------------------------- */

/* Length of the character at `at`, 0 where there is none: shortest forms, no surrogates, up to U+10FFFF. */
static size_t find_character(const unsigned char *at, size_t left)
{
	size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
	unsigned low = 0x80, high = 0xBF;

	if (length == 1)
		return 1;
	if (at[0] < 0xC2 || at[0] > 0xF4 || length > left)
		return 0;
	if (at[0] == 0xE0)
		low = 0xA0;
	else if (at[0] == 0xED)
		high = 0x9F;
	else if (at[0] == 0xF0)
		low = 0x90;
	else if (at[0] == 0xF4)
		high = 0x8F;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (at[i] < 0x80 || at[i] > 0xBF)
			return 0;
	return length;
}

size_t cells_count_utf8(const char *text, size_t count)
{
	size_t done = 0;

	while (done < count) {
		size_t length = find_character((const unsigned char *)text + done, count - done);
		if (length == 0)
			break;
		done += length;
	}
	return done;
}

/* A copy of all texts with '?' where it has to be; the pointers move to it. */
static int repair_texts(struct cells *cells, uint64_t count, struct enrg_error *err)
{
	size_t bytes = 1;
	char *at;

	for (uint64_t i = 0; i < count; i++)
		bytes += cells->lengths[i];
	at = cells->repaired = malloc(bytes);
	if (!at)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint64_t i = 0; i < count; i++) {
		size_t length = cells->lengths[i];
		memcpy(at, cells->pointers[i], length);
		for (size_t good = cells_count_utf8(at, length); good < length;
			good += cells_count_utf8(at + good, length - good))
			at[good++] = '?';
		cells->pointers[i] = at;
		at += length;
	}
	return 0;
}

/* --- columns ------------------------------------------------------------------------------------------------------ */

static enum enum_field_types find_type(enum enrg_type type)
{
	switch (type) {
	case ENRG_BOOL:
	case ENRG_I8:
	case ENRG_U8:
		return MYSQL_TYPE_TINY;
	case ENRG_I16:
	case ENRG_U16:
		return MYSQL_TYPE_SHORT;
	case ENRG_I32:
	case ENRG_U32:
		return MYSQL_TYPE_LONG;
	case ENRG_I64:
	case ENRG_U64:
	case ENRG_TIMESTAMP_NS:
		return MYSQL_TYPE_LONGLONG;
	case ENRG_F32:
		return MYSQL_TYPE_FLOAT;
	case ENRG_F64:
		return MYSQL_TYPE_DOUBLE;
	case ENRG_STRING:
		return MYSQL_TYPE_STRING;
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return MYSQL_TYPE_BLOB;
}

static int fill_variable(
	struct cells *cells, const struct cells_rows *rows, struct cells_notes *notes, struct enrg_error *err)
{
	const struct enrg_column *column = rows->column;
	const struct enrg_column_view *view = rows->view;
	const uint64_t first = rows->first, count = rows->count;
	uint64_t width = enrg_column_item_bytes(column), wrong = 0;

	cells->pointers = calloc(count, sizeof(*cells->pointers));
	cells->lengths = calloc(count, sizeof(*cells->lengths));
	if (!cells->pointers || !cells->lengths)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint64_t i = 0; i < count; i++) {
		uint64_t start = (uint64_t)view->offsets[first + i], end = (uint64_t)view->offsets[first + i + 1];
		cells->lengths[i] = (unsigned long)((end - start) * width);
		cells->pointers[i] = cells->lengths[i] ? (const char *)view->values + start * width : "";
		if (column->type == ENRG_STRING)
			wrong += cells_count_utf8(cells->pointers[i], cells->lengths[i]) < cells->lengths[i];
	}
	notes->not_utf8 += wrong;
	return wrong ? repair_texts(cells, count, err) : 0;
}

static int fill_flags(struct cells *cells, const uint8_t *bits, uint64_t first, uint64_t count, struct enrg_error *err)
{
	cells->flags = malloc(count);
	if (!cells->flags)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint64_t i = 0; i < count; i++)
		cells->flags[i] = (int8_t)(bits[(first + i) >> 3] >> ((first + i) & 7) & 1);
	cells->values = cells->flags;
	cells->width = 1;
	return 0;
}

static void leave_out_not_finite(struct cells *cells, enum enrg_type type, uint64_t count, struct cells_notes *notes)
{
	for (uint64_t i = 0; i < count; i++) {
		if (isfinite(enrg_type_real(type, cells->values, i)) || cells->indicators[i])
			continue;
		cells->indicators[i] = STMT_INDICATOR_NULL;
		notes->not_finite++;
	}
}

int cells_init(struct cells *cells, const struct cells_rows *rows, struct cells_notes *notes, struct enrg_error *err)
{
	const struct enrg_column *column = rows->column;
	const struct enrg_column_view *view = rows->view;
	const uint64_t first = rows->first, count = rows->count;

	*cells = (struct cells){.type = find_type(column->type), .width = enrg_type_bytes(column->type)};
	cells->is_unsigned = enrg_type_is_integer(column->type) && !enrg_type_is_signed(column->type);
	cells->indicators = calloc(count, 1);
	if (!cells->indicators)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint64_t i = 0; view->validity && i < count; i++)
		if (!enrg_column_present(view, first + i))
			cells->indicators[i] = STMT_INDICATOR_NULL;
	if (view->offsets)
		return fill_variable(cells, rows, notes, err);
	if (column->type == ENRG_BOOL)
		return fill_flags(cells, view->values, first, count, err);
	cells->values = (const char *)view->values + first * cells->width;
	if (enrg_type_is_float(column->type))
		leave_out_not_finite(cells, column->type, count, notes);
	return 0;
}

void cells_fini(struct cells *cells)
{
	free(cells->indicators);
	free(cells->pointers);
	free(cells->lengths);
	free(cells->flags);
	free(cells->repaired);
	*cells = (struct cells){0};
}

/* --- extent ------------------------------------------------------------------------------------------------------- */

static int64_t get_integer(const struct cells *cells, uint64_t row)
{
	switch (cells->width) {
	case 1:
		return cells->is_unsigned ? ((const uint8_t *)cells->values)[row]
					  : ((const int8_t *)cells->values)[row];
	case 2:
		return cells->is_unsigned ? ((const uint16_t *)cells->values)[row]
					  : ((const int16_t *)cells->values)[row];
	case 4:
		return cells->is_unsigned ? (int64_t)((const uint32_t *)cells->values)[row]
					  : ((const int32_t *)cells->values)[row];
	default:
		return ((const int64_t *)cells->values)[row];
	}
}

static bool is_real(const struct cells *cells)
{
	return cells->type == MYSQL_TYPE_FLOAT || cells->type == MYSQL_TYPE_DOUBLE;
}

static double get_real(const struct cells *cells, uint64_t row)
{
	return cells->type == MYSQL_TYPE_FLOAT ? (double)((const float *)cells->values)[row]
					       : ((const double *)cells->values)[row];
}

static bool is_less(const struct cells *cells, uint64_t a, uint64_t b)
{
	if (!cells->width)
		return cells->lengths[a] < cells->lengths[b];
	if (is_real(cells))
		return get_real(cells, a) < get_real(cells, b);
	if (cells->is_unsigned)
		return (uint64_t)get_integer(cells, a) < (uint64_t)get_integer(cells, b);
	return get_integer(cells, a) < get_integer(cells, b);
}

void cells_format_extent(const struct cells *cells, uint64_t count, char ret_text[CELLS_EXTENT_BYTES])
{
	uint64_t least = count, most = count;

	for (uint64_t row = 0; row < count; row++) {
		if (cells->indicators[row])
			continue;
		if (least == count || is_less(cells, row, least))
			least = row;
		if (most == count || is_less(cells, most, row))
			most = row;
	}
	ret_text[0] = '\0';
	if (least == count)
		return;
	if (!cells->width)
		snprintf(ret_text, CELLS_EXTENT_BYTES, "up to %lu bytes", cells->lengths[most]);
	else if (is_real(cells))
		snprintf(ret_text, CELLS_EXTENT_BYTES, "from %.9g to %.9g", get_real(cells, least),
			get_real(cells, most));
	else if (cells->is_unsigned)
		snprintf(ret_text, CELLS_EXTENT_BYTES, "from %" PRIu64 " to %" PRIu64,
			(uint64_t)get_integer(cells, least), (uint64_t)get_integer(cells, most));
	else
		snprintf(ret_text, CELLS_EXTENT_BYTES, "from %" PRId64 " to %" PRId64, get_integer(cells, least),
			get_integer(cells, most));
}

/* --- binding ------------------------------------------------------------------------------------------------------ */

void cells_bind_all(const struct cells *cells, MYSQL_BIND *ret_bind)
{
	memset(ret_bind, 0, sizeof(*ret_bind));
	ret_bind->buffer_type = cells->type;
	ret_bind->is_unsigned = cells->is_unsigned;
	ret_bind->buffer = cells->width ? (void *)(uintptr_t)cells->values : (void *)cells->pointers;
	ret_bind->length = cells->lengths;
	ret_bind->u.indicator = cells->indicators;
}

void cells_bind_one(const struct cells *cells, uint64_t row, MYSQL_BIND *ret_bind)
{
	static my_bool is_null = 1;
	const char *at = cells->width ? (const char *)cells->values + row * cells->width : cells->pointers[row];

	memset(ret_bind, 0, sizeof(*ret_bind));
	ret_bind->buffer_type = cells->type;
	ret_bind->is_unsigned = cells->is_unsigned;
	ret_bind->buffer = (void *)(uintptr_t)at;
	ret_bind->length = cells->width ? NULL : &cells->lengths[row];
	ret_bind->is_null = cells->indicators[row] ? &is_null : NULL;
}
