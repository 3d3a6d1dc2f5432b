/* data.c: see the header. In the test process; out of memory ends it. */
#include "data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"
#include "base/crc32c.h"

#define COLUMNS_MAX 32u

static const struct enrg_column wide_columns[] = {
	{.name = "n", .type = ENRG_I64},
	{.name = "flag", .type = ENRG_BOOL},
	{.name = "i8", .type = ENRG_I8},
	{.name = "i16", .type = ENRG_I16},
	{.name = "i32", .type = ENRG_I32},
	{.name = "u8", .type = ENRG_U8},
	{.name = "u16", .type = ENRG_U16},
	{.name = "u32", .type = ENRG_U32},
	{.name = "u64", .type = ENRG_U64},
	{.name = "f32", .type = ENRG_F32, .unit = "mV"},
	{.name = "f64", .type = ENRG_F64, .unit = "ns"},
	{.name = "time", .type = ENRG_TIMESTAMP_NS},
	{.name = "text, \"quoted\"", .type = ENRG_STRING},
	{.name = "raw", .type = ENRG_BINARY},
	{.name = "wave", .type = ENRG_LIST, .item = ENRG_I16},
	{.name = "curve", .type = ENRG_LIST, .item = ENRG_F64},
};

const struct enrg_schema data_wide = {
	.column_count = sizeof(wide_columns) / sizeof(wide_columns[0]), .columns = wide_columns};
static const struct enrg_column odd_columns[] = {
	{.name = "n", .type = ENRG_I64},
	{.name = "odd f32", .type = ENRG_F32},
	{.name = "odd f64", .type = ENRG_F64},
	{.name = "odd text", .type = ENRG_STRING},
	{.name = "odd list", .type = ENRG_LIST, .item = ENRG_F64},
};
#define LONG_NAME "a_name_of_255_bytes_which_is_as_long_as_a_name_may_be_"
static const struct enrg_column name_columns[] = {
	{.name = "n", .type = ENRG_I64},
	{.name = "a/b", .type = ENRG_I8},
	{.name = ".", .type = ENRG_I16},
	{.name = "..", .type = ENRG_I32},
	{.name = "a.b[3]", .type = ENRG_U8},
	{.name = "it's \"so\", (x)", .type = ENRG_U16},
	{.name = " at the edges ", .type = ENRG_U32},
	{.name = "two\nlines\r", .type = ENRG_F32},
	{.name = "\xC3\xBC\xE2\x82\xAC", .type = ENRG_F64},
	{.name = "select", .type = ENRG_STRING},
	{.name = "SELECT", .type = ENRG_BOOL},
	{.name = "%2F", .type = ENRG_BINARY},
	{.name = "a;b -- `c`", .type = ENRG_LIST, .item = ENRG_I16},
	{.name = "a:b", .type = ENRG_I8},
	{.name = "a b", .type = ENRG_I16},
	{.name = "rowid", .type = ENRG_I32},
	{.name = LONG_NAME LONG_NAME LONG_NAME LONG_NAME "and_has_no_room_for_any_more_at_all_now", .type = ENRG_U8},
};

const struct enrg_schema data_odd = {
	.column_count = sizeof(odd_columns) / sizeof(odd_columns[0]), .columns = odd_columns};
const struct enrg_schema data_names = {
	.column_count = sizeof(name_columns) / sizeof(name_columns[0]), .columns = name_columns};
/* No store may trip over what is said of a column. */
static const struct enrg_note narrow_notes[] = {{"n", ENRG_NOTE_CLOCK, ENRG_CLOCK_DEVICE}, {NULL, "sample_ns", "2"}};
const struct enrg_schema data_narrow = {
	.column_count = 2, .columns = wide_columns, .note_count = 2, .notes = narrow_notes};

static uint64_t mix(uint64_t row, uint64_t salt)
{
	uint64_t z = (row + 1) * 0x9E3779B97F4A7C15ull + salt * 0xBF58476D1CE4E5B9ull;

	z ^= z >> 30;
	z *= 0x94D049BB133111EBull;
	return z ^ z >> 31;
}

/* A real that is no integer, of any size, and now and then an edge. */
static double make_real(uint64_t bits)
{
	static const double edges[] = {0.0, 1.0, -1.0, 5e-324, 1.7976931348623157e308, 0.1, 1e16, 9007199254740993.0};

	if (bits % 8 == 0)
		return edges[bits / 8 % 8];
	return (double)(int64_t)bits * (bits % 3 ? 1e-9 : 1e-200);
}

static uint64_t fill_number(enum enrg_type type, uint64_t bits, void *ret_value)
{
	double real = make_real(bits);
	float single = (float)(int32_t)bits / 7.0f;
	const void *value = !enrg_type_is_float(type) ? (const void *)&bits /* little-endian: the low bytes */
			    : enrg_type_bytes(type) == sizeof(single) ? (const void *)&single
								      : (const void *)&real;

	memcpy(ret_value, value, enrg_type_bytes(type));
	return 1;
}

static uint64_t fill_string(uint64_t row, char *ret_text)
{
	static const char *const forms[] = {
		"", "plain %" PRIu64, "a,\"b\"\nc %" PRIu64, " edges ", "\xC3\xBC %" PRIu64};

	return (uint64_t)snprintf(ret_text, DATA_CELL_BYTES, forms[row % 5], row);
}

static uint64_t fill_odd(const struct enrg_column *column, uint64_t row, void *ret_value)
{
	static const uint64_t doubles[] = {0x7FF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000,
		0x8000000000000001, 0x000FFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF};
	static const uint32_t floats[] = {0x7FC00000, 0x7F800000, 0xFF800000, 0x80000001, 0x007FFFFF, 0x7F7FFFFF};
	static const char *const texts[] = {
		"\xFF\xFE\x80", "a\xC0\xAF!", "\xED\xA0\x80", "\xE2\x82", "tab\tcr\rbell\x07", ""};
	uint64_t count = 1;

	if (column->type == ENRG_F32) {
		memcpy(ret_value, &floats[row % 6], sizeof(floats[0]));
	} else if (column->type == ENRG_F64) {
		memcpy(ret_value, &doubles[row % 6], sizeof(doubles[0]));
	} else if (column->type == ENRG_STRING) {
		count = strlen(texts[row % 6]);
		memcpy(ret_value, texts[row % 6], count);
	} else {
		count = row % 7 < 6 ? row % 7 : 0;
		memcpy(ret_value, doubles, count * sizeof(doubles[0]));
	}
	return count;
}

uint64_t data_fill_cell(const struct enrg_column *column, uint64_t row, void *ret_value)
{
	uint64_t bits = mix(row, (uint64_t)column->type * 16 + column->item), count;
	uint8_t *at = ret_value;

	if (strcmp(column->name, "n") == 0)
		return fill_number(ENRG_I64, row, ret_value);
	if (strncmp(column->name, "odd", 3) == 0)
		return fill_odd(column, row, ret_value);
	switch (column->type) {
	case ENRG_BOOL:
		*at = bits & 1;
		return 1;
	case ENRG_STRING:
		return fill_string(row, ret_value);
	case ENRG_BINARY:
		memcpy(ret_value, &bits, sizeof(bits));
		return row % 8;
	case ENRG_LIST:
		count = row % 5;
		for (uint64_t i = 0; i < count; i++)
			fill_number(column->item, mix(row, 100 + i), at + i * enrg_type_bytes(column->item));
		return count;
	case ENRG_I8:
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
	case ENRG_U64:
	case ENRG_F32:
	case ENRG_F64:
	case ENRG_TIMESTAMP_NS:
		break;
	}
	return fill_number(column->type, bits, ret_value);
}

static int format_number(enum enrg_type type, const void *value, char *ret_text, size_t text_bytes)
{
	uint64_t bits = 0;
	uint32_t width = enrg_type_bytes(type) * 8;
	double real;
	float single;

	memcpy(&bits, value, enrg_type_bytes(type));
	memcpy(&real, &bits, sizeof(real));
	memcpy(&single, &bits, sizeof(single));
	switch (type) {
	case ENRG_F64:
		return snprintf(ret_text, text_bytes, "%a", real);
	case ENRG_F32:
		return snprintf(ret_text, text_bytes, "%a", (double)single);
	case ENRG_I8:
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_TIMESTAMP_NS:
		return snprintf(ret_text, text_bytes, "%" PRId64, (int64_t)(bits << (64 - width)) >> (64 - width));
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
	case ENRG_U64:
		return snprintf(ret_text, text_bytes, "%" PRIu64, bits);
	case ENRG_BOOL:
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return 0;
}

void data_format_cell(const struct enrg_column *column, uint64_t row, char *ret_text, size_t text_bytes)
{
	uint8_t value[DATA_CELL_BYTES] = {0};
	uint64_t count = data_fill_cell(column, row, value);
	size_t used = 0;

	ret_text[0] = '\0';
	switch (column->type) {
	case ENRG_BOOL:
		snprintf(ret_text, text_bytes, "%s", value[0] ? "true" : "false");
		return;
	case ENRG_STRING:
		snprintf(ret_text, text_bytes, "%.*s", (int)count, (const char *)value);
		return;
	case ENRG_BINARY:
		for (uint64_t i = 0; i < count; i++)
			used += (size_t)snprintf(ret_text + used, text_bytes - used, "%02x", value[i]);
		return;
	case ENRG_LIST:
		for (uint64_t i = 0; i < count; i++) {
			used += (size_t)snprintf(ret_text + used, text_bytes - used, "%s", i ? " " : "");
			used += (size_t)format_number(column->item, value + i * enrg_type_bytes(column->item),
				ret_text + used, text_bytes - used);
		}
		return;
	case ENRG_I8:
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
	case ENRG_U64:
	case ENRG_F32:
	case ENRG_F64:
	case ENRG_TIMESTAMP_NS:
		format_number(column->type, value, ret_text, text_bytes);
	}
}

static void fill_column(const struct enrg_column *column, const struct ipc_column_place *place, uint8_t *body,
	uint64_t first, uint64_t count)
{
	uint32_t width = enrg_column_item_bytes(column);
	uint8_t *values = body + place->values_offset;
	int32_t *offsets = (void *)(body + place->offsets_offset);
	uint8_t cell[DATA_CELL_BYTES];

	for (uint64_t i = 0; i < count; i++) {
		uint64_t items = data_fill_cell(column, first + i, cell);

		if (column->type == ENRG_BOOL) {
			values[i >> 3] |= (uint8_t)((unsigned)cell[0] << (i & 7));
		} else if (!enrg_type_is_variable(column->type)) {
			memcpy(values + i * width, cell, width);
		} else {
			memcpy(values + (uint64_t)offsets[i] * width, cell, items * width);
			offsets[i + 1] = offsets[i] + (int32_t)items;
		}
	}
}

void *data_build_message(const struct data_rows *rows, size_t *ret_bytes)
{
	const struct ipc_origin origin = {rows->source, "run", rows->tag};
	struct ipc_stamp stamp = {
		.sequence = rows->sequence, .epoch = 1, .acquired_ns = rows->acquired_ns, .is_gap = rows->is_gap};
	const struct enrg_schema *schema = rows->schema;
	const uint64_t first = rows->first, count = rows->count;
	struct ipc_column_place places[COLUMNS_MAX];
	uint64_t variable[COLUMNS_MAX] = {0}, body_bytes;
	struct ipc_template *template;
	uint8_t cell[DATA_CELL_BYTES], *message;
	uint32_t meta_bytes;

	if (ipc_template_create(schema, &origin, &template, NULL) < 0)
		abort();
	for (uint32_t i = 0; i < schema->column_count; i++)
		for (uint64_t row = 0; enrg_type_is_variable(schema->columns[i].type) && row < count; row++)
			variable[i] += data_fill_cell(&schema->columns[i], first + row, cell);
	body_bytes = ipc_place_columns(template, count, variable, places);
	meta_bytes = ipc_meta_bytes(template);
	*ret_bytes = meta_bytes + body_bytes;
	message = aligned_alloc(64, (*ret_bytes + 63) / 64 * 64);
	if (!message)
		abort();
	memset(message, 0, *ret_bytes);
	for (uint32_t i = 0; i < schema->column_count; i++)
		fill_column(&schema->columns[i], &places[i], message + meta_bytes, first, count);
	stamp.body_crc = crc32c(0, message + meta_bytes, body_bytes);
	ipc_write_meta(template, message, count, variable, &stamp);
	ipc_template_destroy(template);
	return message;
}

uint8_t data_blob_byte(size_t place)
{
	return (uint8_t)(place * 2654435761u >> 13);
}

void *data_build_blob(const char *source, uint64_t sequence, size_t count, uint64_t acquired_ns, size_t *ret_bytes)
{
	const struct ipc_origin origin = {source, "run", ""};
	struct ipc_stamp stamp = {.sequence = sequence, .epoch = 1, .acquired_ns = acquired_ns};
	struct ipc_column_place place;
	struct ipc_template *template;
	uint64_t variable = count, body_bytes;
	uint32_t meta_bytes;
	uint8_t *message, *bytes;
	int32_t *offsets;

	if (ipc_template_create(enrg_schema_blob(), &origin, &template, NULL) < 0)
		abort();
	body_bytes = ipc_place_columns(template, 1, &variable, &place);
	meta_bytes = ipc_meta_bytes(template);
	*ret_bytes = meta_bytes + body_bytes;
	message = aligned_alloc(64, (*ret_bytes + 63) / 64 * 64);
	if (!message)
		abort();
	memset(message, 0, *ret_bytes);
	offsets = (void *)(message + meta_bytes + place.offsets_offset);
	offsets[1] = (int32_t)count;
	bytes = message + meta_bytes + place.values_offset;
	for (size_t i = 0; i < count; i++)
		bytes[i] = data_blob_byte(i);
	stamp.body_crc = crc32c(0, message + meta_bytes, body_bytes);
	ipc_write_meta(template, message, 1, &variable, &stamp);
	ipc_template_destroy(template);
	return message;
}
