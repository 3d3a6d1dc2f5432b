/* rows.c: what a value of each type looks like. Runs in the store's job process, on its main thread. */
#include "rows.h"

#include <errno.h>
#include <string.h>

#include "number/number.h"

/* --- numbers: `out` has room for NUMBER_BYTES_MAX -------------------- */

/* Inlined where the type is known, so that the switch is gone from loops over one column. */
static inline __attribute__((always_inline)) char *format_number(
	char *out, enum enrg_type type, const void *values, uint64_t index)
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

static char *format_bool(char *out, const uint8_t *bits, uint64_t index)
{
	bool value = bits[index >> 3] >> (index & 7) & 1;

	memcpy(out, value ? "true" : "false", 5);
	return out + (value ? 4 : 5);
}

/* --- values of any length -------------------- */

/* Does a reader need quotes around it? The empty string has them, so that it is not taken for a missing value. */
static bool needs_quotes(const char *bytes, size_t count)
{
	if (count == 0 || bytes[0] == ' ' || bytes[count - 1] == ' ')
		return true;
	for (size_t i = 0; i < count; i++)
		if (bytes[i] == '"' || bytes[i] == ',' || bytes[i] == '\n' || bytes[i] == '\r')
			return true;
	return false;
}

static bool format_string(struct text *text, const char *bytes, size_t count)
{
	char *out;

	if (!needs_quotes(bytes, count))
		return text_append(text, bytes, count);
	if (!text_reserve(text, 2 * count + 2))
		return false;
	out = text->bytes + text->count;
	*out++ = '"';
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '"')
			*out++ = '"';
		*out++ = bytes[i];
	}
	*out++ = '"';
	text->count = (size_t)(out - text->bytes);
	return true;
}

/* RFC 4648, with padding; the empty one as an empty string. */
static bool format_base64(struct text *text, const uint8_t *bytes, size_t count)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out;

	if (count == 0)
		return text_append(text, "\"\"", 2);
	if (!text_reserve(text, count / 3 * 4 + 4))
		return false;
	out = text->bytes + text->count;
	for (; count >= 3; bytes += 3, count -= 3) {
		*out++ = letters[bytes[0] >> 2];
		*out++ = letters[(bytes[0] & 3) << 4 | bytes[1] >> 4];
		*out++ = letters[(bytes[1] & 15) << 2 | bytes[2] >> 6];
		*out++ = letters[bytes[2] & 63];
	}
	if (count > 0) {
		unsigned second = count > 1 ? bytes[1] : 0;

		*out++ = letters[bytes[0] >> 2];
		*out++ = letters[(bytes[0] & 3u) << 4 | second >> 4];
		*out++ = count > 1 ? letters[(second & 15) << 2] : '=';
		*out++ = '=';
	}
	text->count = (size_t)(out - text->bytes);
	return true;
}

static inline __attribute__((always_inline)) char *format_items(
	char *out, enum enrg_type item, const void *values, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++) {
		out = format_number(out, item, values, i);
		*out++ = ' ';
	}
	return out;
}

static char *choose_items(char *out, enum enrg_type item, const void *values, uint64_t first, uint64_t end)
{
	switch (item) {
	case ENRG_I16:
		return format_items(out, ENRG_I16, values, first, end);
	case ENRG_U16:
		return format_items(out, ENRG_U16, values, first, end);
	case ENRG_F32:
		return format_items(out, ENRG_F32, values, first, end);
	case ENRG_F64:
		return format_items(out, ENRG_F64, values, first, end);
	case ENRG_I8:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_U8:
	case ENRG_U32:
	case ENRG_U64:
	case ENRG_BOOL:
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
	case ENRG_TIMESTAMP_NS:
		break;
	}
	return format_items(out, item, values, first, end);
}

/* "[1 2 3]", quotes included. */
static bool format_list(struct text *text, enum enrg_type item, const void *values, uint64_t first, uint64_t end)
{
	char *out;

	if (!text_reserve(text, (size_t)(end - first) * (NUMBER_BYTES_MAX + 1) + 4))
		return false;
	out = text->bytes + text->count;
	*out++ = '"';
	*out++ = '[';
	out = choose_items(out, item, values, first, end) - (end > first); /* without the last blank */
	*out++ = ']';
	*out++ = '"';
	text->count = (size_t)(out - text->bytes);
	return true;
}

static bool format_variable(
	struct text *text, const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row)
{
	uint64_t first = (uint64_t)view->offsets[row], end = (uint64_t)view->offsets[row + 1];

	if (column->type == ENRG_LIST)
		return format_list(text, column->item, view->values, first, end);
	if (column->type == ENRG_STRING)
		return format_string(text, (const char *)view->values + first, (size_t)(end - first));
	return format_base64(text, (const uint8_t *)view->values + first, (size_t)(end - first));
}

/* --- lines -------------------- */

int rows_format_header(const struct enrg_schema *schema, struct text *text, struct enrg_error *err)
{
	for (uint32_t i = 0; i < schema->column_count; i++) {
		const char *name = schema->columns[i].name;

		if ((i > 0 && !text_append(text, ",", 1)) || !format_string(text, name, strlen(name)))
			return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	return text_append(text, "\n", 1) ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

/* Room for `columns` numbers, their commas and the line end; *ret_out: where they go. */
static bool reserve_cells(struct text *text, uint32_t columns, char **ret_out)
{
	if (!text_reserve(text, (size_t)columns * (NUMBER_BYTES_MAX + 1) + 1))
		return false;
	*ret_out = text->bytes + text->count;
	return true;
}

static bool format_row(const struct enrg_batch *batch, uint64_t row, struct text *text)
{
	uint32_t column_count = batch->schema->column_count;
	char *out;

	if (!reserve_cells(text, column_count, &out))
		return false;
	for (uint32_t i = 0; i < column_count; i++) {
		const struct enrg_column *column = &batch->schema->columns[i];
		const struct enrg_column_view *view = &batch->columns[i];

		if (i > 0)
			*out++ = ',';
		if (!enrg_column_present(view, row))
			continue;
		if (view->offsets) {
			text->count = (size_t)(out - text->bytes);
			if (!format_variable(text, column, view, row) ||
				!reserve_cells(text, column_count - i - 1, &out))
				return false;
			continue;
		}
		out = column->type == ENRG_BOOL ? format_bool(out, view->values, row)
						: format_number(out, column->type, view->values, row);
	}
	*out++ = '\n';
	text->count = (size_t)(out - text->bytes);
	return true;
}

int rows_format(
	const struct enrg_batch *batch, uint64_t *row, size_t bytes_wanted, struct text *text, struct enrg_error *err)
{
	while (*row < batch->rows && text->count < bytes_wanted) {
		if (!format_row(batch, *row, text))
			return enrg_error_set(err, -ENOMEM, "out of memory");
		(*row)++;
	}
	return 0;
}
