/* write_arrows.c: writes .arrows files with ENRGDAQ's encoder for readers that others wrote: `write_arrows FOLDER`.
 * What the columns hold is a plain function of the row number; check_arrows.mjs computes the same again by itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "base/crc32c.h"
#include "compressor.h"

struct table {
	FILE *file;
	const struct enrg_schema *schema;
	struct ipc_template *template;
	struct compressor *compressor; /* NULL: not compressed */
	uint64_t sequence;
	uint64_t next_row; /* rows written so far */
};

static void die(const char *what, const struct enrg_error *err)
{
	fprintf(stderr, "write_arrows: %s: %s\n", what, err ? err->text : strerror(errno));
	exit(1);
}

static void put(FILE *file, const void *bytes, size_t count)
{
	if (fwrite(bytes, 1, count, file) != count)
		die("write", NULL);
}

static void open_table(
	struct table *table, const char *folder, const char *name, const struct enrg_schema *schema, const char *tag)
{
	const struct ipc_origin origin = {"interop", "run-1", tag};
	struct enrg_error err;
	char path[4096];
	uint32_t count;
	void *bytes;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	*table = (struct table){.file = fopen(path, "wbe"), .schema = schema};
	if (!table->file)
		die(path, NULL);
	if (ipc_encode_schema(schema, &origin, &bytes, &count, &err) < 0 ||
		ipc_template_create(schema, &origin, &table->template, &err) < 0)
		die(path, &err);
	put(table->file, bytes, count);
	free(bytes);
}

static void close_table(struct table *table, bool with_end_mark)
{
	static const uint32_t end[2] = {0xFFFFFFFFu, 0};

	if (with_end_mark)
		put(table->file, end, sizeof(end));
	if (fclose(table->file) != 0)
		die("close", NULL);
	ipc_template_destroy(table->template);
}

/* Items or bytes of row `row` in a column of variable size. */
static uint64_t row_items(uint64_t row)
{
	return row % 4;
}

static void put_integer(uint8_t *at, uint32_t bytes, uint64_t value)
{
	memcpy(at, &value, bytes);
}

static void fill_number(uint8_t *at, enum enrg_type type, uint64_t n)
{
	uint32_t bytes = enrg_type_bytes(type);
	float small = (float)n / 2.0f;
	double large = (double)n / 3.0;

	switch (type) {
	case ENRG_F32:
		memcpy(at, &small, bytes);
		break;
	case ENRG_F64:
		memcpy(at, &large, bytes);
		break;
	case ENRG_U64:
		put_integer(at, bytes, UINT64_MAX - n);
		break;
	case ENRG_I64:
		put_integer(at, bytes, (uint64_t)INT64_MIN + n);
		break;
	case ENRG_TIMESTAMP_NS:
		put_integer(at, bytes, UINT64_C(1795824754123456789) + n);
		break;
	case ENRG_I8: /* Wraps round in the narrow ones, into the negative in the signed ones. */
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
		put_integer(at, bytes, 0 - n * 7);
		break;
	case ENRG_BOOL:
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
}

static void fill_variable(const struct enrg_column *column, const struct ipc_column_place *place, uint8_t *body,
	uint64_t first_row, uint64_t rows)
{
	int32_t *offsets = (int32_t *)(void *)(body + place->offsets_offset);
	uint8_t *values = body + place->values_offset;
	uint32_t width = enrg_column_item_bytes(column);

	offsets[0] = 0;
	for (uint64_t i = 0; i < rows; i++) {
		uint64_t row = first_row + i, items = row_items(row);
		offsets[i + 1] = offsets[i] + (int32_t)items;
		for (uint64_t k = 0; k < items; k++) {
			uint8_t *at = values + width * ((uint64_t)offsets[i] + k);
			if (column->type == ENRG_LIST)
				fill_number(at, column->item, row + k);
			else
				*at = (uint8_t)(column->type == ENRG_STRING ? 'a' + (row + k) % 26 : row + k);
		}
	}
}

static void fill_column(const struct enrg_column *column, const struct ipc_column_place *place, uint8_t *body,
	uint64_t first_row, uint64_t rows)
{
	uint8_t *values = body + place->values_offset;
	uint32_t width = enrg_type_bytes(column->type);

	if (enrg_type_is_variable(column->type)) {
		fill_variable(column, place, body, first_row, rows);
		return;
	}
	for (uint64_t i = 0; i < rows; i++) {
		if (width)
			fill_number(values + i * width, column->type, first_row + i);
		else if ((first_row + i) % 3 == 0)
			values[i / 8] |= (uint8_t)(1u << (i % 8));
	}
}

static void write_message(struct table *table, const uint8_t *body, uint64_t body_bytes, uint64_t rows,
	const uint64_t *variable, bool is_gap)
{
	const struct ipc_stamp stamp = {
		.sequence = ++table->sequence,
		.acquired_ns = 1767225600000000000u + table->next_row,
		.epoch = 1,
		.body_crc = crc32c(0, body, body_bytes),
		.is_gap = is_gap,
	};
	uint32_t meta_bytes = ipc_meta_bytes(table->template);
	uint8_t *message = malloc(meta_bytes + body_bytes);
	struct compressed_batch compressed;
	struct enrg_error err;

	if (!message)
		die("memory", NULL);
	ipc_write_meta(table->template, message, rows, variable, &stamp);
	memcpy(message + meta_bytes, body, body_bytes);
	const struct enrg_batch batch = {
		.ipc = message, .ipc_bytes = meta_bytes + body_bytes, .body_bytes = body_bytes};
	if (!table->compressor || !body_bytes) {
		put(table->file, message, meta_bytes + body_bytes);
	} else {
		if (compressor_compress(table->compressor, &batch, &compressed, &err) < 0)
			die("compress", &err);
		put(table->file, compressed.meta, compressed.meta_bytes);
		put(table->file, compressed.body, compressed.body_bytes);
	}
	free(message);
}

static void write_batch(struct table *table, uint64_t rows, bool is_gap)
{
	uint32_t columns = table->schema->column_count;
	struct ipc_column_place *places = calloc(columns, sizeof(*places));
	uint64_t *variable = calloc(columns, sizeof(*variable));

	if (!places || !variable)
		die("memory", NULL);
	for (uint32_t i = 0; i < columns; i++)
		for (uint64_t row = 0; row < rows && enrg_type_is_variable(table->schema->columns[i].type); row++)
			variable[i] += row_items(table->next_row + row);
	uint64_t body_bytes = ipc_place_columns(table->template, rows, variable, places);
	uint8_t *body = calloc(1, body_bytes + 64);
	if (!body)
		die("memory", NULL);
	for (uint32_t i = 0; i < columns; i++)
		fill_column(&table->schema->columns[i], &places[i], body, table->next_row, rows);
	write_message(table, body, body_bytes, rows, variable, is_gap);
	table->next_row += rows;
	free(body);
	free(variable);
	free(places);
}

static const struct enrg_schema *all_types(void)
{
	static const struct enrg_column columns[] = {
		{"bool", ENRG_BOOL, 0, NULL},
		{"i8", ENRG_I8, 0, NULL},
		{"i16", ENRG_I16, 0, "mV"},
		{"i32", ENRG_I32, 0, NULL},
		{"i64", ENRG_I64, 0, "ns"},
		{"u8", ENRG_U8, 0, NULL},
		{"u16", ENRG_U16, 0, NULL},
		{"u32", ENRG_U32, 0, NULL},
		{"u64", ENRG_U64, 0, NULL},
		{"f32", ENRG_F32, 0, "°C"},
		{"f64", ENRG_F64, 0, NULL},
		{"text", ENRG_STRING, 0, NULL},
		{"blob", ENRG_BINARY, 0, NULL},
		{"wave", ENRG_LIST, ENRG_I16, "mV"},
		{"wave64", ENRG_LIST, ENRG_F64, NULL},
	};
	static const struct enrg_schema schema = {
		.column_count = sizeof(columns) / sizeof(columns[0]), .columns = columns};
	return &schema;
}

static void write_types(const char *folder, const char *name, bool is_cut, enum compressor_kind compression)
{
	struct table table;
	struct enrg_error err;

	open_table(&table, folder, name, all_types(), "types");
	if (compression != COMPRESSOR_NONE && compressor_create(compression, &table.compressor, &err) < 0)
		die(name, &err);
	write_batch(&table, 5, false);
	write_batch(&table, 0, false);
	write_batch(&table, 0, true);
	write_batch(&table, 1000, false);
	if (is_cut) {
		/* What a power cut leaves of the last batch: all but the end of its body. */
		write_batch(&table, 100, false);
		if (fflush(table.file) != 0 || ftruncate(fileno(table.file), ftell(table.file) - 100) != 0)
			die("truncate", NULL);
	}
	compressor_destroy(table.compressor);
	close_table(&table, !is_cut);
}

static void write_wide(const char *folder, uint32_t column_count)
{
	struct enrg_column *columns = calloc(column_count, sizeof(*columns));
	char(*names)[8] = calloc(column_count, sizeof(*names));
	const struct enrg_schema schema = {.column_count = column_count, .columns = columns};
	struct table table;

	if (!columns || !names)
		die("memory", NULL);
	for (uint32_t i = 0; i < column_count; i++) {
		snprintf(names[i], sizeof(names[i]), "c%u", i);
		columns[i] = (struct enrg_column){names[i], ENRG_I32, 0, NULL};
	}
	open_table(&table, folder, "wide.arrows", &schema, "");
	write_batch(&table, 3, false);
	close_table(&table, true);
	free(names);
	free(columns);
}

static void write_blob(const char *folder)
{
	struct table table;

	open_table(&table, folder, "blob.arrows", enrg_schema_blob(), "");
	for (int i = 0; i < 3; i++)
		write_batch(&table, 1, false);
	close_table(&table, false);
}

static void write_large(const char *folder)
{
	static const struct enrg_column columns[] = {
		{"time", ENRG_U64, 0, "ns"},
		{"wave", ENRG_LIST, ENRG_I16, "mV"},
	};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	struct table table;

	open_table(&table, folder, "large.arrows", &schema, "");
	write_batch(&table, 1500000, false);
	close_table(&table, true);
}

static void write_times(const char *folder)
{
	static const struct enrg_column columns[] = {{"time", ENRG_TIMESTAMP_NS, 0, NULL}, {"i8", ENRG_I8, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	struct table table;

	open_table(&table, folder, "times.arrows", &schema, "");
	write_batch(&table, 2, false);
	close_table(&table, true);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: write_arrows FOLDER\n");
		return 2;
	}
	write_types(argv[1], "types.arrows", false, COMPRESSOR_NONE);
	write_types(argv[1], "cut.arrows", true, COMPRESSOR_NONE);
	write_types(argv[1], "zstd.arrows", false, COMPRESSOR_ZSTD);
#ifdef ENRG_HAS_LZ4
	write_types(argv[1], "lz4.arrows", false, COMPRESSOR_LZ4);
#endif
	write_wide(argv[1], ENRG_COLUMNS_MAX);
	write_blob(argv[1]);
	write_large(argv[1]);
	write_times(argv[1]);
	return 0;
}
