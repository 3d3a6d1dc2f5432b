/* ipc_schema.c: schema messages, written and read. At the opening of outputs and files, not for each batch. */
#include "arrow/ipc_layout.h"

#include <errno.h>
#include <stdlib.h>

#include "base/crc32c.h"

#define KEY_UNIT     "unit"
#define KEY_KIND     IPC_KEY_PREFIX "kind"
#define KEY_FORMAT   IPC_KEY_PREFIX "format"
#define KEY_SOURCE   IPC_KEY_PREFIX "source"
#define KEY_META_CRC IPC_KEY_PREFIX "meta_crc32c"

/* What the schema of a file has beside that of a table. */
struct of_file {
	const char *format;
	const struct enrg_run_info *run; /* NULL: nothing is known of it */
};

/* --- writing --- */

static uint16_t type_kind(enum enrg_type type)
{
	switch (type) {
	case ENRG_I8:
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
	case ENRG_U64:
		return TYPE_INT;
	case ENRG_BOOL:
		return TYPE_BOOL;
	case ENRG_F32:
	case ENRG_F64:
		return TYPE_FLOAT;
	case ENRG_STRING:
		return TYPE_UTF8;
	case ENRG_BINARY:
		return TYPE_BINARY;
	case ENRG_LIST:
		return TYPE_LIST;
	case ENRG_TIMESTAMP_NS:
		return TYPE_TIMESTAMP;
	}
	return 0; /* of none of these a schema is checked before */
}

/* Adds the table of the type's own parameters and refers to it. */
static void add_type(struct fb_builder *builder, uint32_t reference, enum enrg_type type)
{
	static const uint8_t int_sizes[] = {4, 1}, float_sizes[] = {2}, time_sizes[] = {2, 4}, no_sizes[1];
	uint16_t kind = type_kind(type);
	uint32_t fields[2];

	if (kind == TYPE_INT) {
		int32_t width = (int32_t)(8 * enrg_type_bytes(type));
		uint8_t is_signed = enrg_type_is_signed(type);
		fb_link(builder, reference, fb_add_table(builder, 2, int_sizes, fields));
		fb_put(builder, fields[0], &width, sizeof(width));
		fb_put(builder, fields[1], &is_signed, sizeof(is_signed));
	} else if (kind == TYPE_FLOAT) {
		int16_t precision = (int16_t)(enrg_type_bytes(type) / 4); /* 1: single, 2: double */
		fb_link(builder, reference, fb_add_table(builder, 1, float_sizes, fields));
		fb_put(builder, fields[0], &precision, sizeof(precision));
	} else if (kind == TYPE_TIMESTAMP) {
		fb_link(builder, reference, fb_add_table(builder, 2, time_sizes, fields));
		fb_put(builder, fields[0], &(int16_t){TIME_UNIT_NS}, sizeof(int16_t));
		fb_add_string(builder, fields[1], "UTC");
	} else {
		fb_link(builder, reference, fb_add_table(builder, 0, no_sizes, fields));
	}
}

/* Adds a Field table and refers to it. `item` 0 = no child. */
static void add_field(struct fb_builder *builder, uint32_t reference, const char *name, enum enrg_type type,
	enum enrg_type item, const struct ipc_keys *keys)
{
	const uint8_t sizes[FIELD_FIELDS] = {4, 1, 1, 4, 0, 4, keys->count ? 4 : 0};
	static const struct ipc_keys none;
	uint32_t fields[FIELD_FIELDS];
	uint8_t kind = (uint8_t)type_kind(type);

	/* Nullable stays false: batches of ours have no nulls. */
	fb_link(builder, reference, fb_add_table(builder, FIELD_FIELDS, sizes, fields));
	fb_put(builder, fields[FIELD_TYPE_KIND], &kind, sizeof(kind));
	fb_add_string(builder, fields[FIELD_NAME], name);
	add_type(builder, fields[FIELD_TYPE], type);
	uint32_t children = fb_add_vector(builder, fields[FIELD_CHILDREN], type == ENRG_LIST ? 1 : 0, 4, 4);
	if (type == ENRG_LIST)
		add_field(builder, children, "item", item, 0, &none);
	if (keys->count)
		ipc_add_keys(builder, fields[FIELD_KEYS], keys->count, keys->items, NULL);
}

/* Returns the place of the CRC's digits in the flatbuffer. */
static uint32_t build_schema(struct fb_builder *builder, const struct enrg_schema *schema,
	const struct ipc_origin *origin, const struct of_file *file)
{
	struct ipc_keys keys, of_field; /* not zeroed: 16 KiB each */
	struct ipc_run_numbers numbers;
	uint32_t message[MESSAGE_FIELDS], top[SCHEMA_FIELD_COUNT], crc_at;

	keys.count = 0;
	if (schema->is_blob)
		ipc_keys_add(&keys, KEY_KIND, "blob");
	if (origin)
		ipc_keys_add(&keys, KEY_SOURCE, origin->source ? origin->source : "");
	if (file)
		ipc_keys_add(&keys, KEY_FORMAT, file->format);
	if (file && file->run)
		ipc_keys_add_run(&keys, file->run, &numbers);
	ipc_keys_add_notes(&keys, schema, NULL);
	const uint8_t top_sizes[SCHEMA_FIELD_COUNT] = {2, 4, keys.count ? 4 : 0};
	static const uint8_t message_sizes[MESSAGE_FIELDS] = {2, 1, 4, 8, 4};

	fb_add_table(builder, MESSAGE_FIELDS, message_sizes, message);
	fb_put(builder, message[MESSAGE_VERSION], &(uint16_t){IPC_VERSION_V5}, 2);
	fb_put(builder, message[MESSAGE_HEADER_TYPE], &(uint8_t){IPC_SCHEMA}, 1);
	fb_link(builder, message[MESSAGE_HEADER], fb_add_table(builder, SCHEMA_FIELD_COUNT, top_sizes, top));
	uint32_t fields = fb_add_vector(builder, top[SCHEMA_FIELDS], schema->column_count, 4, 4);
	for (uint32_t i = 0; i < schema->column_count; i++) {
		const struct enrg_column *column = &schema->columns[i];
		of_field.count = 0;
		if (column->unit && column->unit[0])
			ipc_keys_add(&of_field, KEY_UNIT, column->unit);
		ipc_keys_add_notes(&of_field, schema, column->name);
		add_field(builder, fields + 4 * i, column->name, column->type, column->item, &of_field);
	}
	if (keys.count)
		ipc_add_keys(builder, top[SCHEMA_KEYS], keys.count, keys.items, NULL);
	ipc_add_keys(builder, message[MESSAGE_KEYS], 1, &(struct ipc_key_value){KEY_META_CRC, "00000000"}, &crc_at);
	return crc_at;
}

static int encode(const struct enrg_schema *schema, const struct ipc_origin *origin, const struct of_file *file,
	void **ret_bytes, uint32_t *ret_count, struct enrg_error *err)
{
	struct fb_builder builder;
	uint8_t *bytes;
	uint32_t count;

	int rc = enrg_schema_check(schema, err);
	if (rc < 0)
		return rc;
	fb_init(&builder);
	uint32_t crc_at = build_schema(&builder, schema, origin, file);
	rc = ipc_finish_message(&builder, 8, &bytes, &count);
	fb_fini(&builder);
	if (rc < 0)
		return enrg_error_set(err, rc, "no memory for the schema message of %u columns", schema->column_count);
	ipc_format_hex(bytes + IPC_PREFIX_BYTES + crc_at, crc32c(0, bytes, count), 8);
	*ret_bytes = bytes;
	*ret_count = count;
	return 0;
}

int ipc_encode_schema(const struct enrg_schema *schema, const struct ipc_origin *origin, void **ret_bytes,
	uint32_t *ret_count, struct enrg_error *err)
{
	return encode(schema, origin, NULL, ret_bytes, ret_count, err);
}

int ipc_encode_file_schema(const struct enrg_schema *schema, const struct ipc_origin *origin, void **ret_bytes,
	uint32_t *ret_count, struct enrg_error *err)
{
	const struct of_file file = {.format = IPC_FILE_FORMAT};

	return encode(schema, origin, &file, ret_bytes, ret_count, err);
}

int ipc_encode_run_schema(const struct enrg_schema *schema, const struct ipc_origin *origin,
	const struct enrg_run_info *run, void **ret_bytes, uint32_t *ret_count, struct enrg_error *err)
{
	const struct of_file file = {.format = IPC_FILE_FORMAT, .run = run};

	return encode(schema, origin, &file, ret_bytes, ret_count, err);
}

/* --- copies --- */

static size_t text_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *copy_text(const char *text, char **at)
{
	if (!text)
		return NULL;
	char *copy = *at;
	size_t bytes = text_bytes(text);
	memcpy(copy, text, bytes);
	*at += bytes;
	return copy;
}

struct enrg_schema *ipc_copy_schema(const struct enrg_schema *schema)
{
	size_t head_bytes = sizeof(*schema) + schema->column_count * sizeof(*schema->columns) +
			    schema->note_count * sizeof(*schema->notes),
	       texts = 0;

	for (uint32_t i = 0; i < schema->column_count; i++)
		texts += text_bytes(schema->columns[i].name) + text_bytes(schema->columns[i].unit);
	for (uint32_t i = 0; i < schema->note_count; i++)
		texts += text_bytes(schema->notes[i].column) + text_bytes(schema->notes[i].key) +
			 text_bytes(schema->notes[i].value);
	struct enrg_schema *copy = malloc(head_bytes + texts);
	if (!copy)
		return NULL;
	_Static_assert(sizeof(struct enrg_schema) % _Alignof(struct enrg_column) == 0, "columns follow the schema");
	_Static_assert(sizeof(struct enrg_column) % _Alignof(struct enrg_note) == 0, "notes follow the columns");
	struct enrg_column *columns = (struct enrg_column *)(copy + 1);
	struct enrg_note *notes = (struct enrg_note *)(columns + schema->column_count);
	char *at = (char *)copy + head_bytes;
	for (uint32_t i = 0; i < schema->column_count; i++) {
		columns[i] = schema->columns[i];
		columns[i].name = copy_text(schema->columns[i].name, &at);
		columns[i].unit = copy_text(schema->columns[i].unit, &at);
	}
	for (uint32_t i = 0; i < schema->note_count; i++) {
		notes[i].column = copy_text(schema->notes[i].column, &at);
		notes[i].key = copy_text(schema->notes[i].key, &at);
		notes[i].value = copy_text(schema->notes[i].value, &at);
	}
	*copy = *schema;
	copy->columns = columns;
	copy->notes = notes;
	return copy;
}

uint32_t ipc_schema_id(const struct enrg_schema *schema)
{
	uint32_t crc = crc32c(0, &schema->is_blob, sizeof(schema->is_blob));

	for (uint32_t i = 0; i < schema->column_count; i++) {
		const struct enrg_column *column = &schema->columns[i];
		const char *unit = column->unit ? column->unit : "";
		uint8_t types[2] = {(uint8_t)column->type, column->type == ENRG_LIST ? (uint8_t)column->item : 0};
		crc = crc32c(crc, column->name, strlen(column->name) + 1);
		crc = crc32c(crc, types, sizeof(types));
		crc = crc32c(crc, unit, strlen(unit) + 1);
	}
	return crc ? crc : 1;
}

bool ipc_schema_equal(const struct enrg_schema *a, const struct enrg_schema *b)
{
	if (a->column_count != b->column_count || a->is_blob != b->is_blob)
		return false;
	for (uint32_t i = 0; i < a->column_count; i++) {
		const struct enrg_column *x = &a->columns[i], *y = &b->columns[i];
		if (x->type != y->type || (x->type == ENRG_LIST && x->item != y->item) ||
			strcmp(x->name, y->name) != 0 || strcmp(x->unit ? x->unit : "", y->unit ? y->unit : "") != 0)
			return false;
	}
	return true;
}

/* --- reading --- */

static const char *kind_name(uint64_t kind)
{
	static const char *const names[] = {"none", "null", "integer", "floating point", "binary", "utf8", "bool",
		"decimal", "date", "time", "timestamp", "interval", "list", "struct", "union", "fixed size binary",
		"fixed size list", "map", "duration", "large binary", "large utf8", "large list", "run-end encoded",
		"binary view", "utf8 view", "list view", "large list view"};
	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

static enum enrg_type integer_type(uint64_t bits, bool is_signed)
{
	switch (bits) {
	case 8:
		return is_signed ? ENRG_I8 : ENRG_U8;
	case 16:
		return is_signed ? ENRG_I16 : ENRG_U16;
	case 32:
		return is_signed ? ENRG_I32 : ENRG_U32;
	case 64:
		return is_signed ? ENRG_I64 : ENRG_U64;
	default:
		return 0;
	}
}

/* A moment to the nanosecond is our type. Other times, and those of no time zone, which are no moments, become integers
 * whose unit is that of the type. */
static enum enrg_type time_type(
	struct fb_reader *reader, const struct fb_table *type, uint64_t kind, const char **ret_unit)
{
	static const char *const units[] = {"s", "ms", "us", "ns"};
	uint64_t unit = fb_read_number(reader, type, 0, 2, kind == TYPE_TIMESTAMP ? 0 : 1);
	uint32_t zone_bytes = 0;
	const char *zone = kind == TYPE_TIMESTAMP ? fb_read_string(reader, type, 1, &zone_bytes) : NULL;

	if (zone && zone_bytes && unit == TIME_UNIT_NS)
		return ENRG_TIMESTAMP_NS;
	if (unit > 3 || (kind == TYPE_DATE && unit > 1))
		return 0;
	*ret_unit = kind == TYPE_DATE && unit == 0 ? "d" : units[unit];
	if (kind == TYPE_DATE)
		return unit == 0 ? ENRG_I32 : ENRG_I64;
	if (kind == TYPE_TIME)
		return integer_type(fb_read_number(reader, type, 1, 4, 32), true);
	return ENRG_I64;
}

/* 0 where there is no type of ours for it. */
static enum enrg_type read_type(struct fb_reader *reader, const struct fb_table *field, const char **ret_unit)
{
	uint64_t kind = fb_read_number(reader, field, FIELD_TYPE_KIND, 1, 0), precision;
	struct fb_table type;

	if (!fb_read_table(reader, field, FIELD_TYPE, &type))
		return 0;
	switch (kind) {
	case TYPE_INT:
		return integer_type(
			fb_read_number(reader, &type, 0, 4, 0), fb_read_number(reader, &type, 1, 1, 0) != 0);
	case TYPE_FLOAT:
		precision = fb_read_number(reader, &type, 0, 2, 0);
		return precision == 1 ? ENRG_F32 : precision == 2 ? ENRG_F64 : 0;
	case TYPE_DATE:
	case TYPE_TIME:
	case TYPE_TIMESTAMP:
	case TYPE_DURATION:
		return time_type(reader, &type, kind, ret_unit);
	case TYPE_BINARY:
		return ENRG_BINARY;
	case TYPE_UTF8:
		return ENRG_STRING;
	case TYPE_BOOL:
		return ENRG_BOOL;
	case TYPE_LIST:
		return ENRG_LIST;
	default:
		return 0;
	}
}

static int read_field(
	struct fb_reader *reader, const struct fb_table *field, struct enrg_column *ret_column, struct enrg_error *err)
{
	struct fb_vector children = {0};
	struct fb_table child, dictionary;
	uint32_t name_count = 0;
	const char *unit = NULL, *child_unit = NULL;

	const char *name = fb_read_string(reader, field, FIELD_NAME, &name_count);
	struct enrg_column column = {.name = name ? name : "", .type = read_type(reader, field, &unit)};
	bool is_dictionary = fb_read_table(reader, field, FIELD_DICTIONARY, &dictionary);
	fb_read_vector(reader, field, FIELD_CHILDREN, 4, &children);
	if (!reader->is_bad && column.type == ENRG_LIST && children.count == 1 &&
		fb_read_element(reader, &children, 0, &child))
		column.item = read_type(reader, &child, &child_unit);
	const char *own_unit = ipc_find_key(reader, field, FIELD_KEYS, KEY_UNIT);
	column.unit = own_unit ? own_unit : unit ? unit : child_unit;
	if (reader->is_bad)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the schema is damaged");
	bool is_unknown_item = column.type == ENRG_LIST && !enrg_type_is_number(column.item);
	if (column.type == 0 || is_dictionary || is_unknown_item || (column.type != ENRG_LIST && children.count > 0))
		return enrg_error_set(err, ENRG_E_CORRUPT, "unsupported type \"%s%s\" of the field \"%.100s\"",
			is_dictionary     ? "dictionary of "
			: is_unknown_item ? "list of something else than numbers: "
					  : "",
			kind_name(fb_read_number(reader, field, FIELD_TYPE_KIND, 1, 0)), column.name);
	*ret_column = column;
	return 0;
}

/* Columns and notes whose texts still point into the message. */
static int read_fields(struct fb_reader *reader, const struct fb_table *top, const struct fb_vector *fields,
	struct enrg_column *columns, struct enrg_schema **ret_schema, struct enrg_error *err)
{
	struct enrg_note found[ENRG_NOTES_MAX];
	struct ipc_notes notes = {found, 0};

	for (uint32_t i = 0; i < fields->count; i++) {
		struct fb_table field;
		if (!fb_read_element(reader, fields, i, &field))
			return enrg_error_set(err, ENRG_E_CORRUPT, "the schema is damaged");
		int rc = read_field(reader, &field, &columns[i], err);
		if (rc < 0)
			return rc;
		ipc_read_notes(reader, &field, FIELD_KEYS, columns[i].name, &notes);
	}
	ipc_read_notes(reader, top, SCHEMA_KEYS, NULL, &notes);
	const char *kind = ipc_find_key(reader, top, SCHEMA_KEYS, KEY_KIND);
	const struct enrg_schema schema = {
		.column_count = fields->count,
		.columns = columns,
		.is_blob = kind && !strcmp(kind, "blob"),
		.note_count = notes.count,
		.notes = notes.items,
	};
	if (reader->is_bad)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the schema is damaged");
	if (enrg_schema_check(&schema, err) < 0)
		return err ? err->code = ENRG_E_CORRUPT : ENRG_E_CORRUPT;
	*ret_schema = ipc_copy_schema(&schema);
	return *ret_schema ? 0 : enrg_error_set(err, -ENOMEM, "no memory for a schema of %u columns", fields->count);
}

int ipc_read_schema(
	struct fb_reader *reader, const struct fb_table *top, struct enrg_schema **ret_schema, struct enrg_error *err)
{
	struct fb_vector fields;

	const char *format = ipc_find_key(reader, top, SCHEMA_KEYS, KEY_FORMAT);
	if (format && strcmp(format, IPC_FILE_FORMAT) != 0)
		return enrg_error_set(err, ENRG_E_VERSION,
			"format %.20s of .arrows, written by a later version; this program reads format %s", format,
			IPC_FILE_FORMAT);
	if (fb_read_number(reader, top, SCHEMA_ENDIANNESS, 2, 0) != 0)
		return enrg_error_set(err, ENRG_E_CORRUPT, "unsupported byte order: big-endian");
	if (!fb_read_vector(reader, top, SCHEMA_FIELDS, 4, &fields) || fields.count == 0)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the schema has no fields");
	if (fields.count > ENRG_COLUMNS_MAX)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the schema has %u columns; at most %u are supported",
			fields.count, ENRG_COLUMNS_MAX);
	struct enrg_column *columns = calloc(fields.count, sizeof(*columns));
	if (!columns)
		return enrg_error_set(err, -ENOMEM, "no memory for a schema of %u columns", fields.count);
	int rc = read_fields(reader, top, &fields, columns, ret_schema, err);
	free(columns);
	return rc;
}

int ipc_decode_schema(const void *bytes, size_t count, struct enrg_schema **ret_schema, struct enrg_error *err)
{
	struct ipc_head head;
	size_t wanted;

	int rc = ipc_read_head(bytes, count, &head, &wanted, err);
	if (rc == -EAGAIN)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the schema message is cut off");
	if (rc < 0)
		return rc;
	if (head.is_end || head.header_type != IPC_SCHEMA || head.body_bytes != 0)
		return enrg_error_set(err, ENRG_E_CORRUPT, "this is no schema message");
	return ipc_read_schema(&head.reader, &head.header, ret_schema, err);
}
