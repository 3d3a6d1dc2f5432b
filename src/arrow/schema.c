/* schema.c: what may be a table: checks and names of column types. Pure functions, any process and thread. */
#include "enrgdaq/schema.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "arrow/notes.h"
#include "arrow/utf8.h"

struct facts {
	const char *name;
	uint8_t bytes;
	bool is_integer, is_signed, is_float, is_variable, is_time;
};

static const struct facts facts[] = {
	[ENRG_BOOL] = {.name = "bool"},
	[ENRG_I8] = {.name = "int8", .bytes = 1, .is_integer = true, .is_signed = true},
	[ENRG_I16] = {.name = "int16", .bytes = 2, .is_integer = true, .is_signed = true},
	[ENRG_I32] = {.name = "int32", .bytes = 4, .is_integer = true, .is_signed = true},
	[ENRG_I64] = {.name = "int64", .bytes = 8, .is_integer = true, .is_signed = true},
	[ENRG_U8] = {.name = "uint8", .bytes = 1, .is_integer = true},
	[ENRG_U16] = {.name = "uint16", .bytes = 2, .is_integer = true},
	[ENRG_U32] = {.name = "uint32", .bytes = 4, .is_integer = true},
	[ENRG_U64] = {.name = "uint64", .bytes = 8, .is_integer = true},
	[ENRG_F32] = {.name = "float32", .bytes = 4, .is_float = true},
	[ENRG_F64] = {.name = "float64", .bytes = 8, .is_float = true},
	[ENRG_STRING] = {.name = "string", .is_variable = true},
	[ENRG_BINARY] = {.name = "binary", .is_variable = true},
	[ENRG_LIST] = {.name = "list", .is_variable = true},
	[ENRG_TIMESTAMP_NS] = {.name = "timestamp_ns", .bytes = 8, .is_signed = true, .is_time = true},
};

/* The switch makes the compiler ask for a line above where a type is added. */
static const struct facts *facts_of(enum enrg_type type)
{
	static const struct facts unknown = {.name = "?"};

	switch (type) {
	case ENRG_BOOL:
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
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
	case ENRG_TIMESTAMP_NS:
		return &facts[type];
	}
	return &unknown;
}

uint32_t enrg_type_bytes(enum enrg_type type)
{
	return facts_of(type)->bytes;
}

const char *enrg_type_name(enum enrg_type type)
{
	return facts_of(type)->name;
}

bool enrg_type_is_integer(enum enrg_type type)
{
	return facts_of(type)->is_integer;
}

bool enrg_type_is_signed(enum enrg_type type)
{
	return facts_of(type)->is_signed;
}

bool enrg_type_is_float(enum enrg_type type)
{
	return facts_of(type)->is_float;
}

bool enrg_type_is_number(enum enrg_type type)
{
	return facts_of(type)->is_integer || facts_of(type)->is_float;
}

bool enrg_type_is_variable(enum enrg_type type)
{
	return facts_of(type)->is_variable;
}

bool enrg_type_is_time(enum enrg_type type)
{
	return facts_of(type)->is_time;
}

double enrg_type_real(enum enrg_type type, const void *values, uint64_t index)
{
	switch (type) {
	case ENRG_F32:
		return (double)((const float *)values)[index];
	case ENRG_F64:
		return ((const double *)values)[index];
	case ENRG_BOOL:
	case ENRG_I8:
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
	case ENRG_U64:
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
	case ENRG_TIMESTAMP_NS:
		break;
	}
	return NAN;
}

const void *enrg_type_missing(enum enrg_type type)
{
	static const uint64_t zero;
	static const float single = NAN;
	static const double real = NAN;

	switch (type) {
	case ENRG_F32:
		return &single;
	case ENRG_F64:
		return &real;
	case ENRG_BOOL:
	case ENRG_I8:
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
	case ENRG_U64:
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
	case ENRG_TIMESTAMP_NS:
		break;
	}
	return &zero;
}

enum enrg_type enrg_column_item(const struct enrg_column *column)
{
	if (column->type == ENRG_LIST)
		return column->item;
	return enrg_type_is_variable(column->type) ? ENRG_U8 : column->type;
}

uint32_t enrg_column_item_bytes(const struct enrg_column *column)
{
	return enrg_type_bytes(enrg_column_item(column));
}

const struct enrg_schema *enrg_schema_blob(void)
{
	static const struct enrg_column column = {.name = "bytes", .type = ENRG_BINARY};
	static const struct enrg_schema schema = {.column_count = 1, .columns = &column, .is_blob = true};
	return &schema;
}

static int check_text(const char *text, const char *what, uint32_t column, struct enrg_error *err)
{
	size_t count = strnlen(text, ENRG_NAME_BYTES_MAX + 1);

	if (count > ENRG_NAME_BYTES_MAX)
		return enrg_error_set(err, -EMSGSIZE, "column %u: its %s is longer than %u bytes: \"%.40s…\"",
			column + 1, what, ENRG_NAME_BYTES_MAX, text);
	if (!utf8_is_valid(text, count))
		return enrg_error_set(err, -EINVAL, "column %u: its %s is not UTF-8", column + 1, what);
	return 0;
}

static int check_column(const struct enrg_column *column, uint32_t number, struct enrg_error *err)
{
	if (!column->name || !column->name[0])
		return enrg_error_set(err, -EINVAL, "column %u has no name", number + 1);
	int rc = check_text(column->name, "name", number, err);
	if (rc < 0)
		return rc;
	if (column->unit && (rc = check_text(column->unit, "unit", number, err)) < 0)
		return rc;
	if (enrg_type_name(column->type)[0] == '?')
		return enrg_error_set(err, -EINVAL, "column %u (\"%s\"): unknown type %d", number + 1, column->name,
			(int)column->type);
	if (enrg_type_is_time(column->type) && column->unit && column->unit[0])
		return enrg_error_set(err, -EINVAL, "column %u (\"%s\"): a time has no unit, found \"%s\"", number + 1,
			column->name, column->unit);
	if (column->type == ENRG_LIST && !enrg_type_is_number(column->item))
		return enrg_error_set(err, -EINVAL,
			"column %u (\"%s\"): a list holds numbers (int8 to float64), not %s", number + 1, column->name,
			enrg_type_name(column->item));
	return 0;
}

/* Open addressing in a table twice as large as the widest schema: 16 KiB of stack, and no quadratic search. */
static int check_unique(const struct enrg_schema *schema, struct enrg_error *err)
{
	uint16_t slots[2 * ENRG_COLUMNS_MAX];

	memset(slots, 0, sizeof(slots));
	for (uint32_t i = 0; i < schema->column_count; i++) {
		uint32_t hash = 2166136261u;
		for (const char *at = schema->columns[i].name; *at; at++)
			hash = (hash ^ (unsigned char)*at) * 16777619u;
		uint32_t slot = hash % (2 * ENRG_COLUMNS_MAX);
		for (; slots[slot]; slot = (slot + 1) % (2 * ENRG_COLUMNS_MAX))
			if (!strcmp(schema->columns[slots[slot] - 1u].name, schema->columns[i].name))
				return enrg_error_set(err, -EINVAL, "columns %u and %u have the same name \"%s\"",
					slots[slot], i + 1, schema->columns[i].name);
		slots[slot] = (uint16_t)(i + 1);
	}
	return 0;
}

int enrg_schema_check(const struct enrg_schema *schema, struct enrg_error *err)
{
	if (!schema || schema->column_count == 0 || !schema->columns)
		return enrg_error_set(err, -EINVAL, "a table needs at least one column");
	if (schema->column_count > ENRG_COLUMNS_MAX)
		return enrg_error_set(err, -EMSGSIZE, "%u columns are too many: at most %u fit in one table",
			schema->column_count, ENRG_COLUMNS_MAX);
	for (uint32_t i = 0; i < schema->column_count; i++) {
		int rc = check_column(&schema->columns[i], i, err);
		if (rc < 0)
			return rc;
	}
	if (schema->is_blob && (schema->column_count != 1 || schema->columns[0].type != ENRG_BINARY ||
				       strcmp(schema->columns[0].name, "bytes") != 0))
		return enrg_error_set(err, -EINVAL, "a blob has the one column \"bytes\" of type binary");
	int rc = check_unique(schema, err);
	return rc < 0 ? rc : notes_check(schema, err);
}
