/* schema.c: what may be a table: checks and names of column types. Pure functions, any process and thread. */
#include "enrgdaq/schema.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	uint8_t bytes;
} types[] = {
	[ENRG_BOOL] = {"bool", 0},
	[ENRG_I8] = {"int8", 1},
	[ENRG_I16] = {"int16", 2},
	[ENRG_I32] = {"int32", 4},
	[ENRG_I64] = {"int64", 8},
	[ENRG_U8] = {"uint8", 1},
	[ENRG_U16] = {"uint16", 2},
	[ENRG_U32] = {"uint32", 4},
	[ENRG_U64] = {"uint64", 8},
	[ENRG_F32] = {"float32", 4},
	[ENRG_F64] = {"float64", 8},
	[ENRG_STRING] = {"string", 0},
	[ENRG_BINARY] = {"binary", 0},
	[ENRG_LIST] = {"list", 0},
};

static bool type_is_known(enum enrg_type type)
{
	return (int)type >= ENRG_BOOL && (int)type <= ENRG_LIST;
}

uint32_t enrg_type_bytes(enum enrg_type type)
{
	return type_is_known(type) ? types[type].bytes : 0;
}

const char *enrg_type_name(enum enrg_type type)
{
	return type_is_known(type) ? types[type].name : "?";
}

const struct enrg_schema *enrg_schema_blob(void)
{
	static const struct enrg_column column = {.name = "bytes", .type = ENRG_BINARY};
	static const struct enrg_schema schema = {.column_count = 1, .columns = &column, .is_blob = true};
	return &schema;
}

/* Bytes of the UTF-8 sequence at `text` (at most `left` of them), 0 where it is not well formed. */
static size_t utf8_sequence(const unsigned char *text, size_t left)
{
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xC2 ? 0 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;

	if (length == 0 || length > left || text[0] > 0xF4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	/* Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte. */
	if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
		(text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F))
		return 0;
	return length;
}

static bool text_is_utf8(const char *text, size_t count)
{
	for (size_t at = 0, step; at < count; at += step) {
		step = utf8_sequence((const unsigned char *)text + at, count - at);
		if (step == 0)
			return false;
	}
	return true;
}

static int check_text(const char *text, const char *what, uint32_t column, struct enrg_error *err)
{
	size_t count = strnlen(text, ENRG_NAME_BYTES_MAX + 1);

	if (count > ENRG_NAME_BYTES_MAX)
		return enrg_error_set(err, -EMSGSIZE, "column %u: its %s is longer than %u bytes: \"%.40s…\"",
			column + 1, what, ENRG_NAME_BYTES_MAX, text);
	if (!text_is_utf8(text, count))
		return enrg_error_set(err, -EINVAL, "column %u: its %s is not UTF-8", column + 1, what);
	return 0;
}

static int check_column(const struct enrg_column *column, uint32_t number, struct enrg_error *err)
{
	if (!column->name || !column->name[0])
		return enrg_error_set(err, -EINVAL, "column %u has no name", number + 1);
	int result = check_text(column->name, "name", number, err);
	if (result < 0)
		return result;
	if (column->unit && (result = check_text(column->unit, "unit", number, err)) < 0)
		return result;
	if (!type_is_known(column->type))
		return enrg_error_set(err, -EINVAL, "column %u (\"%s\"): unknown type %d", number + 1, column->name,
			(int)column->type);
	if (column->type == ENRG_LIST && enrg_type_bytes(column->item) == 0)
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
		int result = check_column(&schema->columns[i], i, err);
		if (result < 0)
			return result;
	}
	if (schema->is_blob && (schema->column_count != 1 || schema->columns[0].type != ENRG_BINARY ||
				       strcmp(schema->columns[0].name, "bytes") != 0))
		return enrg_error_set(err, -EINVAL, "a blob has the one column \"bytes\" of type binary");
	return check_unique(schema, err);
}
