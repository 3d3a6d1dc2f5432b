/* npy.c: see the header. In `enrgdaq cat` and `enrgdaq convert`; the bytes may be anything at all. */
#include "numpy/npy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numpy/header.h"
#include "numpy/pickle.h"

#define ITEMS_MAX ((uint64_t)INT32_MAX)
/* One array may stand under many names, and rows of nothing take no bytes: what a table may take of memory, in bytes of
 * its record and beyond them. Texts of one byte, with their offsets, take five. */
#define MEMORY_TIMES 8u
#define MEMORY_MORE  (64u << 20)

/* An array of the pickle, checked. */
struct array {
	char label[64]; /* its name, for messages */
	char letter;    /* i, u, f, b, U, S, M */
	uint32_t width; /* bytes of a value, or letters of a text */
	bool is_swapped, is_fortran, has_rows_of_many;
	uint64_t rows, per_row;
	const uint8_t *bytes;
	uint64_t byte_count;
};

struct reading {
	const struct pickle *pickle;
	uint64_t record_bytes;
	struct npy_table *table;
	struct enrg_error *err;
};

/* --- what the pickle says of an array --- */

static void make_label(struct array *array, const struct pickle_value *name)
{
	size_t count = name->byte_count < sizeof(array->label) ? (size_t)name->byte_count : sizeof(array->label) - 1;

	for (size_t i = 0; i < count; i++)
		array->label[i] = (char)(name->bytes[i] < 0x20 || name->bytes[i] == 0x7f ? '?' : name->bytes[i]);
	array->label[count] = '\0';
}

static int refuse(const struct reading *reading, const struct array *array, int rc, const char *reason)
{
	return enrg_error_set(reading->err, rc, "the array \"%s\" %s", array->label, reason);
}

static bool has_width(char letter, uint64_t width)
{
	switch (letter) {
	case 'b':
		return width == 1;
	case 'i':
	case 'u':
		return width == 1 || width == 2 || width == 4 || width == 8;
	case 'f':
		return width == 4 || width == 8;
	case 'M':
		return width == 8;
	case 'U':
	case 'S':
		return width > 0;
	default:
		return false;
	}
}

/* "u8", "U12": a letter and a width. */
static int parse_code(const struct reading *reading, const struct pickle_value *type, struct array *array)
{
	char reason[100] = "";
	uint64_t width = 0;
	size_t shown = 0;

	for (; shown < type->byte_count && shown < 16; shown++)
		reason[shown] =
			(char)(type->bytes[shown] > 0x20 && type->bytes[shown] < 0x7f ? type->bytes[shown] : '?');
	array->letter = reason[0];
	for (size_t i = 1; i < shown; i++)
		width = reason[i] >= '0' && reason[i] <= '9' ? 10 * width + (uint64_t)(reason[i] - '0') : UINT32_MAX;
	if (type->byte_count < 10 && has_width(array->letter, width) && width <= UINT32_MAX / 4) {
		array->width = (uint32_t)width;
		return 0;
	}
	char text[200];
	snprintf(text, sizeof(text),
		"has the type %s, and a column has integers (i1 to u8), float32, float64, bool, dates, text or bytes",
		reason);
	return refuse(reading, array, -ENOTSUP, text);
}

/* Of dates, behind the flags: ({}, (unit, 1, 1, 1)). NumPy's are UTC by its own word. */
static bool is_in_ns(const struct reading *reading, const struct pickle_value *state)
{
	const struct pickle_value *unit = pickle_item(reading->pickle, pickle_item(reading->pickle, state, 8), 1);
	const struct pickle_value *name = pickle_item(reading->pickle, unit, 0);
	const struct pickle_value *count = pickle_item(reading->pickle, unit, 1);

	return name->kind == PICKLE_BYTES && name->byte_count == 2 && memcmp(name->bytes, "ns", 2) == 0 &&
	       count->kind == PICKLE_INTEGER && count->integer == 1;
}

/* (version, order, None, None, None, bytes, alignment, flags …) */
static int parse_type(const struct reading *reading, const struct pickle_value *type, struct array *array)
{
	const struct pickle_value *state = &reading->pickle->values[type->kind == PICKLE_TYPE ? type->state : 0];
	const struct pickle_value *order = pickle_item(reading->pickle, state, 1);

	if (state->link_count < 8 || order->kind != PICKLE_TEXT || order->byte_count != 1)
		return refuse(reading, array, ENRG_E_CORRUPT, "has a damaged type");
	int rc = parse_code(reading, type, array);
	for (uint32_t i = 2; rc == 0 && i < 5; i++)
		if (pickle_item(reading->pickle, state, i)->kind != PICKLE_NONE)
			rc = refuse(reading, array, -ENOTSUP, "has a compound type; save each field as an array");
	if (rc == 0 && array->letter == 'M' && !is_in_ns(reading, state))
		rc = refuse(reading, array, -ENOTSUP,
			"has the type M8 of another unit than ns; save its .astype(\"datetime64[ns]\")");
	array->is_swapped = order->bytes[0] == '>';
	if (rc == 0 && !memchr("<>|=", order->bytes[0], 4))
		rc = refuse(reading, array, ENRG_E_CORRUPT, "has a damaged type");
	return rc;
}

static int parse_shape(const struct reading *reading, const struct pickle_value *shape, struct array *array)
{
	const struct pickle_value *rows = pickle_item(reading->pickle, shape, 0);
	const struct pickle_value *per_row = pickle_item(reading->pickle, shape, 1);

	if (shape->kind != PICKLE_TUPLE)
		return refuse(reading, array, ENRG_E_CORRUPT, "has a damaged shape");
	if (shape->link_count < 1 || shape->link_count > 2)
		return refuse(reading, array, -ENOTSUP, "has neither one dimension nor two");
	array->has_rows_of_many = shape->link_count == 2;
	array->rows = (uint64_t)rows->integer;
	array->per_row = array->has_rows_of_many ? (uint64_t)per_row->integer : 1;
	/* Rows of nothing take no bytes: they may not be more than there is reason for. */
	if (rows->kind != PICKLE_INTEGER || rows->integer < 0 || array->rows > reading->record_bytes ||
		(array->has_rows_of_many && (per_row->kind != PICKLE_INTEGER || per_row->integer < 0 ||
						    array->per_row > reading->record_bytes)))
		return refuse(reading, array, ENRG_E_CORRUPT, "has a shape that its bytes do not fill");
	if (array->has_rows_of_many && !strchr("iuf", array->letter))
		return refuse(reading, array, -ENOTSUP, "has two dimensions, which only arrays of numbers may have");
	return 0;
}

/* (1, shape, type, is Fortran, data) */
static int parse_array(const struct reading *reading, const struct pickle_value *value, struct array *array)
{
	const struct pickle *pickle = reading->pickle;
	const struct pickle_value *state = &pickle->values[value->state];
	const struct pickle_value *data = pickle_item(pickle, state, 4);

	if (value->kind != PICKLE_ARRAY)
		return refuse(reading, array, -ENOTSUP, "is no array but a single value");
	if (state->link_count != 5 || pickle_item(pickle, state, 3)->kind != PICKLE_BOOL)
		return refuse(reading, array, ENRG_E_CORRUPT, "is damaged");
	array->is_fortran = pickle_item(pickle, state, 3)->integer;
	int rc = parse_type(reading, pickle_item(pickle, state, 2), array);
	if (rc == 0)
		rc = parse_shape(reading, pickle_item(pickle, state, 1), array);
	if (rc < 0)
		return rc;
	array->bytes = data->bytes;
	array->byte_count = data->byte_count;
	uint64_t items = array->rows * array->per_row, wanted;
	if (data->kind != PICKLE_BYTES || (array->rows && array->per_row > ITEMS_MAX / array->rows) ||
		__builtin_mul_overflow(items, (uint64_t)array->width * (array->letter == 'U' ? 4 : 1), &wanted) ||
		wanted != data->byte_count)
		return refuse(reading, array, ENRG_E_CORRUPT, "has a shape that its bytes do not fill");
	if (array->rows >= ITEMS_MAX || array->byte_count > ITEMS_MAX)
		return refuse(reading, array, -ENOTSUP, "has more than 2 GB");
	return 0;
}

/* --- columns --- */

static void *make_memory(uint64_t bytes, struct reading *reading, int *ret_code)
{
	void *memory = malloc(bytes ? bytes : 8);

	if (!memory && *ret_code == 0)
		*ret_code =
			enrg_error_set(reading->err, -ENOMEM, "no memory for %llu bytes", (unsigned long long)bytes);
	return memory;
}

static void copy_value(uint8_t *to, const uint8_t *from, uint32_t width, bool is_swapped)
{
	if (!is_swapped) {
		memcpy(to, from, width);
		return;
	}
	for (uint32_t i = 0; i < width; i++)
		to[i] = from[width - 1 - i];
}

static void copy_numbers(const struct array *array, uint8_t *to)
{
	uint64_t width = array->width, rows = array->rows, many = array->per_row;
	bool is_plain = !array->is_swapped && !(array->is_fortran && array->has_rows_of_many);

	if (is_plain) {
		if (array->byte_count)
			memcpy(to, array->bytes, array->byte_count);
		return;
	}
	for (uint64_t row = 0; row < rows; row++)
		for (uint64_t i = 0; i < many; i++) {
			uint64_t place = array->is_fortran ? i * rows + row : row * many + i;
			copy_value(to + (row * many + i) * width, array->bytes + place * width, array->width,
				array->is_swapped);
		}
}

static void pack_bools(const struct array *array, uint8_t *to)
{
	memset(to, 0, array->rows / 8 + 1);
	for (uint64_t row = 0; row < array->rows; row++)
		if (array->bytes[row])
			to[row / 8] |= (uint8_t)(1u << (row % 8));
}

/* Bytes of the letter in UTF-8 at `to`; 0: it is none. */
static uint32_t format_letter(uint32_t letter, uint8_t *to)
{
	if (letter < 0x80) {
		to[0] = (uint8_t)letter;
		return 1;
	}
	if (letter > 0x10ffff || (letter >= 0xd800 && letter < 0xe000))
		return 0;
	uint32_t count = letter < 0x800 ? 2 : letter < 0x10000 ? 3 : 4;
	for (uint32_t i = count - 1; i > 0; i--, letter >>= 6)
		to[i] = (uint8_t)(0x80 | (letter & 0x3f));
	to[0] = (uint8_t)(letter | (0xf00u >> count & 0xff));
	return count;
}

/* One text of UTF-32; NumPy's ends at its last letter that is not NUL. Bytes written, or -1. */
static int64_t copy_text(const struct array *array, uint64_t row, uint8_t *to)
{
	const uint8_t *from = array->bytes + row * array->width * 4;
	int64_t written = 0;
	uint32_t count = array->width, letter;

	while (count && !(from[4 * count - 4] | from[4 * count - 3] | from[4 * count - 2] | from[4 * count - 1]))
		count--;
	for (uint32_t i = 0; i < count; i++) {
		copy_value((uint8_t *)&letter, from + 4 * i, 4, array->is_swapped);
		uint32_t more = format_letter(letter, to + written);
		if (!more)
			return -1;
		written += more;
	}
	return written;
}

static int64_t copy_bytes(const struct array *array, uint64_t row, uint8_t *to)
{
	const uint8_t *from = array->bytes + row * array->width;
	uint32_t count = array->width;

	while (count && !from[count - 1])
		count--;
	memcpy(to, from, count);
	return count;
}

static int fill_texts(struct reading *reading, const struct array *array, int32_t *offsets, uint8_t *values)
{
	int64_t written = 0;

	for (uint64_t row = 0; row < array->rows; row++) {
		int64_t more = array->letter == 'U' ? copy_text(array, row, values + written)
						    : copy_bytes(array, row, values + written);
		if (more < 0)
			return refuse(reading, array, ENRG_E_CORRUPT, "holds a text that is no Unicode");
		written += more;
		offsets[row + 1] = (int32_t)written;
	}
	return 0;
}

static enum enrg_type choose_number(const struct array *array)
{
	uint32_t log = array->width == 1 ? 0 : array->width == 2 ? 1 : array->width == 4 ? 2 : 3;

	if (array->letter == 'f')
		return array->width == 4 ? ENRG_F32 : ENRG_F64;
	return (enum enrg_type)((array->letter == 'i' ? ENRG_I8 : ENRG_U8) + log);
}

static void choose_type(const struct array *array, struct enrg_column *column)
{
	switch (array->letter) {
	case 'b':
		column->type = ENRG_BOOL;
		return;
	case 'U':
		column->type = ENRG_STRING;
		return;
	case 'S':
		column->type = ENRG_BINARY;
		return;
	case 'M':
		column->type = ENRG_TIMESTAMP_NS;
		return;
	default:
		column->type = choose_number(array);
	}
	if (array->has_rows_of_many) {
		column->item = column->type;
		column->type = ENRG_LIST;
	}
}

/* The view of column `index`, in memory of the table's. */
static int fill_column(struct reading *reading, const struct array *array, uint32_t index)
{
	struct npy_table *table = reading->table;
	enum enrg_type type = table->columns[index].type;
	bool has_offsets = enrg_type_is_variable(type);
	int32_t *offsets = NULL;
	int rc = 0;

	table->value_bytes += array->byte_count + (has_offsets ? array->rows * sizeof(*offsets) : 0);
	if (table->value_bytes > MEMORY_TIMES * reading->record_bytes + MEMORY_MORE)
		return refuse(reading, array, ENRG_E_CORRUPT, "takes much more memory than its record");
	uint8_t *values = make_memory(type == ENRG_BOOL ? array->rows / 8 + 1 : array->byte_count, reading, &rc);
	table->memory[2 * index + 1] = values;
	if (has_offsets) {
		offsets = make_memory((array->rows + 1) * sizeof(*offsets), reading, &rc);
		table->memory[2 * index] = offsets;
	}
	if (rc < 0)
		return rc;
	if (has_offsets)
		offsets[0] = 0;
	if (type == ENRG_BOOL)
		pack_bools(array, values);
	else if (type == ENRG_STRING || type == ENRG_BINARY)
		rc = fill_texts(reading, array, offsets, values);
	else
		copy_numbers(array, values);
	for (uint64_t row = 0; type == ENRG_LIST && row < array->rows; row++)
		offsets[row + 1] = (int32_t)((row + 1) * array->per_row);
	table->views[index] = (struct enrg_column_view){.offsets = offsets,
		.values = values,
		.value_count = offsets ? (uint64_t)offsets[array->rows] : array->rows};
	return rc;
}

/* --- the dictionary --- */

static int add_column(
	struct reading *reading, uint32_t index, const struct pickle_value *name, const struct pickle_value *value)
{
	struct npy_table *table = reading->table;
	struct array array = {0};

	if (name->kind != PICKLE_TEXT)
		return enrg_error_set(reading->err, -ENOTSUP, "a key of the dictionary is no text");
	make_label(&array, name);
	if (memchr(name->bytes, '\0', (size_t)name->byte_count) || name->byte_count > ENRG_NAME_BYTES_MAX)
		return refuse(reading, &array, -ENOTSUP, "has a name that no column can have");
	int rc = parse_array(reading, value, &array);
	if (rc < 0)
		return rc;
	if (index > 0 && array.rows != table->rows)
		return refuse(reading, &array, -ENOTSUP, "has another number of rows than those before it");
	table->rows = array.rows;
	table->names[index] = strndup((const char *)name->bytes, (size_t)name->byte_count);
	if (!table->names[index])
		return enrg_error_set(reading->err, -ENOMEM, "out of memory");
	table->columns[index].name = table->names[index];
	choose_type(&array, &table->columns[index]);
	return fill_column(reading, &array, index);
}

/* The dictionary is the one item of an array of objects without dimensions. */
static int find_dictionary(const struct reading *reading, const struct pickle_value **ret_found)
{
	const struct pickle *pickle = reading->pickle;
	const struct pickle_value *root = &pickle->values[pickle->root];
	const struct pickle_value *state = &pickle->values[root->kind == PICKLE_ARRAY ? root->state : 0];
	const struct pickle_value *list = pickle_item(pickle, state, 4);
	const struct pickle_value *found = pickle_item(pickle, list, 0);

	if (list->kind != PICKLE_LIST || list->link_count != 1 || found->kind != PICKLE_DICT)
		return enrg_error_set(reading->err, ENRG_E_CORRUPT, "the record is no dictionary of arrays");
	if (found->link_count == 0 || found->link_count / 2 > ENRG_COLUMNS_MAX)
		return enrg_error_set(reading->err, -ENOTSUP, "the dictionary has %u arrays; 1 to %u can be columns",
			found->link_count / 2, ENRG_COLUMNS_MAX);
	*ret_found = found;
	return 0;
}

static int fill_table(struct reading *reading)
{
	const struct pickle *pickle = reading->pickle;
	const struct pickle_value *dictionary = NULL;
	struct npy_table *table = reading->table;
	int rc = find_dictionary(reading, &dictionary);

	if (rc < 0)
		return rc;
	uint32_t count = dictionary->link_count / 2, link = dictionary->first_link;
	table->schema.column_count = count;
	table->columns = calloc(count, sizeof(*table->columns));
	table->views = calloc(count, sizeof(*table->views));
	table->names = calloc(count, sizeof(*table->names));
	table->memory = calloc(2 * (size_t)count, sizeof(*table->memory));
	if (!table->columns || !table->views || !table->names || !table->memory)
		return enrg_error_set(reading->err, -ENOMEM, "out of memory");
	table->schema.columns = table->columns;
	for (uint32_t i = 0; i < count; i++) {
		const struct pickle_link *key = &pickle->links[link], *value = &pickle->links[key->next];
		rc = add_column(reading, i, &pickle->values[key->value], &pickle->values[value->value]);
		if (rc < 0)
			return rc;
		link = value->next;
	}
	return enrg_schema_check(&table->schema, reading->err);
}

int npy_init(struct npy_table *table, const void *bytes, size_t count, struct enrg_error *err)
{
	struct pickle pickle;
	struct reading reading = {.pickle = &pickle, .record_bytes = count, .table = table, .err = err};
	size_t start;

	*table = (struct npy_table){0};
	int rc = header_parse(bytes, count, &start, err);
	if (rc == 0)
		rc = pickle_init(&pickle, (const uint8_t *)bytes + start, count - start, start, err);
	if (rc < 0)
		return rc;
	rc = fill_table(&reading);
	pickle_fini(&pickle);
	if (rc < 0)
		npy_fini(table);
	return rc;
}

void npy_fini(struct npy_table *table)
{
	for (uint32_t i = 0; i < table->schema.column_count; i++) {
		if (table->names)
			free(table->names[i]);
		if (table->memory) {
			free(table->memory[2 * i]);
			free(table->memory[2 * i + 1]);
		}
	}
	free(table->names);
	free(table->memory);
	free(table->columns);
	free(table->views);
	*table = (struct npy_table){0};
}
