/* write_hdf5.c: writes HDF5 files with the parts of the HDF5 store for readers that others wrote: `write_hdf5 FOLDER`.
 * types.h5 and packed.h5 (deflate): 1005 rows of all types in two lives; beyond.h5: the same behind 5 GB of another
 * program's data (a hole); missing.h5: values that are missing; blob.h5: images, one of 17 MB; edges.h5: NaN,
 * infinities, text that is no UTF-8, empty text and lists, and batches without rows. What the columns hold is a plain
 * function of the row number; check_hdf5.mjs and check_hdf5.py compute the same again by themselves. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "driver.h"
#include "job/file/handle.h"

#define ROWS_MAX      1000u
#define LARGE_BYTES   (17u << 20)
#define BALLAST_BYTES (5ull << 30)

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
	{"text/ü", ENRG_STRING, 0, NULL},
	{"blob", ENRG_BINARY, 0, NULL},
	{"wave", ENRG_LIST, ENRG_I16, "mV"},
	{"wave64", ENRG_LIST, ENRG_F64, NULL},
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

struct file {
	struct enrg_store *store;
	struct container *container;
	struct hdf5_table *table;
	hid_t driver;
	char journal[4096];
};

static void die(const char *what, const struct enrg_error *err)
{
	fprintf(stderr, "write_hdf5: %s: %s\n", what, err->text);
	exit(1);
}

static void open_file(struct file *file, const char *folder, const char *name, const char *group,
	const struct enrg_schema *schema, int deflate_level)
{
	struct enrg_error err = {0};
	struct hdf5_table *table;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(file->journal, sizeof(file->journal), "%s/journal", folder);
	file->driver = driver_register();
	if (store_create_alone("hdf5", file->journal, &file->store, &err) < 0 ||
		container_open(file->store, file->driver, path, NULL, &file->container, &err) != 0 ||
		hdf5_table_create(group, schema, deflate_level, &table, &err) < 0 ||
		container_add_table(file->container, table, &file->table, &err) != 0)
		die(path, &err);
}

static void write_batch(struct file *file, const struct enrg_batch *batch)
{
	struct enrg_error err = {0};

	if (container_write(file->container, file->table, batch, &err) < 0)
		die("write", &err);
}

static void commit(struct file *file)
{
	struct enrg_error err = {0};

	if (container_commit(file->container, &err) < 0)
		die("commit", &err);
	store_commit_alone(file->store);
}

static void close_file(struct file *file)
{
	container_close(file->container, true);
	H5FDunregister(file->driver);
	store_destroy_alone(file->store);
	unlink(file->journal);
}

/* The functions of write_arrows.c and check_arrows.mjs. */
static void fill_number(uint8_t *at, enum enrg_type type, uint64_t n)
{
	float small = (float)n / 2.0f;
	double large = (double)n / 3.0;
	uint64_t integer = type == ENRG_U64 ? UINT64_MAX - n : type == ENRG_I64 ? (uint64_t)INT64_MIN + n : 0 - n * 7;
	const void *value = type == ENRG_F32   ? (const void *)&small
			    : type == ENRG_F64 ? (const void *)&large
					       : &integer;

	memcpy(at, value, enrg_type_bytes(type));
}

static void fill_variable(
	const struct enrg_column *column, uint8_t *values, int32_t *offsets, uint64_t first, uint64_t rows)
{
	uint32_t width = enrg_column_item_bytes(column);

	for (uint64_t i = 0; i < rows; i++) {
		uint64_t row = first + i, items = row % 4;

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

static void write_types(struct file *file, uint64_t first, uint64_t rows)
{
	static uint8_t values[COLUMN_COUNT][ROWS_MAX * 32];
	static int32_t offsets[COLUMN_COUNT][ROWS_MAX + 1];
	struct enrg_column_view views[COLUMN_COUNT] = {0};
	const struct enrg_schema schema = {.column_count = COLUMN_COUNT, .columns = columns};
	const struct enrg_batch batch = {.schema = &schema, .rows = rows, .columns = views};

	memset(values, 0, sizeof(values));
	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		uint32_t width = enrg_type_bytes(columns[c].type);
		bool is_variable = enrg_type_is_variable(columns[c].type);

		views[c].values = values[c];
		views[c].offsets = is_variable ? offsets[c] : NULL;
		if (is_variable)
			fill_variable(&columns[c], values[c], offsets[c], first, rows);
		for (uint64_t i = 0; i < rows && !is_variable; i++) {
			if (width)
				fill_number(values[c] + i * width, columns[c].type, first + i);
			else if ((first + i) % 3 == 0)
				values[c][i / 8] |= (uint8_t)(1u << (i % 8));
		}
	}
	write_batch(file, &batch);
}

static void make_types(const char *folder, const char *name, int deflate_level)
{
	const struct enrg_schema schema = {.column_count = COLUMN_COUNT, .columns = columns};
	struct file file;

	open_file(&file, folder, name, "run/all types", &schema, deflate_level);
	write_types(&file, 0, 5);
	commit(&file);
	close_file(&file);
	open_file(&file, folder, name, "run/all types", &schema, deflate_level);
	write_types(&file, 5, 0);
	for (uint64_t row = 5; row < 1005; row += 250) {
		write_types(&file, row, 250);
		commit(&file);
	}
	close_file(&file);
}

/* The space is taken, but nothing is written to it: what the store appends lies behind it. */
static void make_ballast(const char *folder, const char *name)
{
	hsize_t count = BALLAST_BYTES;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
	hid_t space = H5Screate_simple(1, &count, NULL), create = H5Pcreate(H5P_DATASET_CREATE);
	H5Pset_layout(create, H5D_CONTIGUOUS);
	H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
	H5Pset_fill_time(create, H5D_FILL_TIME_NEVER);
	hid_t dataset = H5Dcreate2(file, "ballast", H5T_STD_U8LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
	if (dataset < 0)
		exit(1);
	H5Dclose(dataset);
	H5Pclose(create);
	H5Sclose(space);
	H5Fclose(file);
}

/* Rows 0 to 3 whole, 4 to 7 with each second value missing. */
static void make_missing(const char *folder)
{
	static const struct enrg_column two[] = {{"n", ENRG_I32, 0, NULL}, {"real", ENRG_F64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = two};
	static const int32_t n[] = {1, 2, 3, 4};
	static const double real[] = {0.5, 1.5, 2.5, 3.5};
	static const uint8_t validity[] = {5};
	const struct enrg_column_view whole[] = {{.values = n}, {.values = real}};
	const struct enrg_column_view holes[] = {{.values = n, .validity = validity, .null_count = 2},
		{.values = real, .validity = validity, .null_count = 2}};
	struct enrg_batch batch = {.schema = &schema, .rows = 4, .columns = whole};
	struct file file;

	open_file(&file, folder, "missing.h5", "scan", &schema, 0);
	write_batch(&file, &batch);
	commit(&file);
	batch.columns = holes;
	write_batch(&file, &batch);
	commit(&file);
	close_file(&file);
}

static void make_blob(const char *folder)
{
	uint8_t *image = malloc(LARGE_BYTES);
	struct file file;

	if (!image)
		exit(1);
	for (uint32_t i = 0; i < LARGE_BYTES; i++)
		image[i] = (uint8_t)(i * 31 + i / 251);
	open_file(&file, folder, "blob.h5", "camera", enrg_schema_blob(), 0);
	for (unsigned k = 0; k < 3; k++) {
		const int32_t offsets[] = {0, k == 1 ? (int32_t)LARGE_BYTES : 3};
		const struct enrg_column_view view = {.values = image, .offsets = offsets};
		const struct enrg_batch batch = {
			.schema = enrg_schema_blob(), .rows = 1, .columns = &view, .body_bytes = (uint64_t)offsets[1]};

		write_batch(&file, &batch);
		commit(&file);
	}
	close_file(&file);
	free(image);
}

/* Rows 0 to 5; a batch without rows before and between. */
static void make_edges(const char *folder)
{
	static const struct enrg_column edge_columns[] = {{"f32", ENRG_F32, 0, NULL}, {"f64", ENRG_F64, 0, NULL},
		{"text", ENRG_STRING, 0, NULL}, {"wave", ENRG_LIST, ENRG_F64, NULL}, {"%2F", ENRG_I8, 0, NULL},
		{".", ENRG_I8, 0, NULL}, {"a.b [mV]", ENRG_I8, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 7, .columns = edge_columns};
	static const double reals[] = {NAN, INFINITY, -INFINITY, -0.0, 5e-324, 1.7976931348623157e308};
	static const float singles[] = {NAN, INFINITY, -INFINITY, -0.0f, 1e-45f, 3.4028234663852886e38f};
	static const int8_t small[] = {0, 1, 2, 3, 4, 5};
	static const int32_t text_ends[] = {0, 0, 2, 2, 5, 5, 6}, wave_ends[] = {0, 0, 0, 6, 6, 6, 6};
	const struct enrg_column_view plain = {.values = small};
	const struct enrg_column_view views[] = {{.values = singles}, {.values = reals},
		{.values = "\xFF\xFE"
			   "a\0b"
			   "z",
			.offsets = text_ends},
		{.values = reals, .offsets = wave_ends}, plain, plain, plain};
	struct enrg_batch batch = {.schema = &schema, .columns = views};
	struct file file;

	open_file(&file, folder, "edges.h5", "scan", &schema, 0);
	write_batch(&file, &batch);
	commit(&file);
	batch.rows = 6;
	write_batch(&file, &batch);
	batch.rows = 0;
	write_batch(&file, &batch);
	commit(&file);
	close_file(&file);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	make_types(argv[1], "types.h5", 0);
	make_types(argv[1], "packed.h5", 3);
	make_ballast(argv[1], "beyond.h5");
	make_types(argv[1], "beyond.h5", 0);
	make_missing(argv[1]);
	make_edges(argv[1]);
	make_blob(argv[1]);
	return 0;
}
