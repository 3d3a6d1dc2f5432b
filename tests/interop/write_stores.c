/* write_stores.c: lets every file store write a table with every type of column, for readers that others wrote:
 * `write_stores FOLDER`. The stores run as the framework drives them (tests/conformance/harness.c). FOLDER/NAME/final
 * is the file as it ends up, FOLDER/NAME/1, 2 … what lay on the disk at each commit; FOLDER/NAME/odd has NaN,
 * infinities and the like. Prints how many commits there are, and of how many rows each. FOLDER/wide.cells and
 * FOLDER/odd.cells have what is to be found: a line "column NAME TYPE ITEM" a column, then a line a cell, row by row:
 * its bytes in hex. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "data.h"
#include "harness.h"

#define COMMITS         4u
#define ROWS_A_COMMIT   250u
#define ODD_ROWS        24u
#define FILE_BYTES_MAX  (1u << 28)
#define BLOB_BYTES_STEP 100000u

static const struct store_kind kinds[] = {
	{.name = "arrows",
		.module = "arrow",
		.type = "DAQJobStoreArrow",
		.section_keys = "file_path = \"t.arrows\"",
		.file_path = "t.arrows",
		.has_out_dir = true},
	{.name = "arrows_zstd",
		.module = "arrow",
		.type = "DAQJobStoreArrow",
		.section_keys = "file_path = \"t.arrows\"\ncompression = \"zstd\"",
		.file_path = "t.arrows",
		.has_out_dir = true},
	{.name = "arrows_lz4",
		.module = "arrow",
		.type = "DAQJobStoreArrow",
		.section_keys = "file_path = \"t.arrows\"\ncompression = \"lz4\"",
		.file_path = "t.arrows",
		.has_out_dir = true},
	{.name = "csv",
		.module = "csv",
		.type = "DAQJobStoreCSV",
		.section_keys = "file_path = \"t.csv\"",
		.file_path = "t.csv",
		.has_out_dir = true},
	{.name = "csv.zst",
		.module = "csv",
		.type = "DAQJobStoreCSV",
		.section_keys = "file_path = \"t.csv\"\nuse_zstd = true",
		.file_path = "t.csv.zst",
		.has_out_dir = true},
	{.name = "raw",
		.module = "raw",
		.type = "DAQJobStoreRaw",
		.section_keys = "file_path = \"t\"\noverwrite = false",
		.file_path = "t",
		.has_out_dir = true},
#ifdef ENRG_HAS_HDF5
	{.name = "hdf5",
		.module = "hdf5",
		.type = "DAQJobStoreHDF5",
		.store_keys = "flush_seconds = 0",
		.section_keys = "file_path = \"t.h5\"\ndataset_name = \"scan/run\"",
		.file_path = "t.h5",
		.has_out_dir = true},
	{.name = "hdf5_deflate",
		.module = "hdf5",
		.type = "DAQJobStoreHDF5",
		.store_keys = "flush_seconds = 0",
		.section_keys = "file_path = \"t.h5\"\ndataset_name = \"scan/run\"\ncompression = \"deflate\"",
		.file_path = "t.h5",
		.has_out_dir = true},
#endif
#ifdef ENRG_HAS_ROOT
	{.name = "ttree",
		.module = "root",
		.type = "DAQJobStoreROOT",
		.section_keys = "file_path = \"t.root\"",
		.file_path = "t.root",
		.has_out_dir = true},
	{.name = "ttree_lz4",
		.module = "root",
		.type = "DAQJobStoreROOT",
		.section_keys = "file_path = \"t.root\"\ncompression_type = \"LZ4\"",
		.file_path = "t.root",
		.has_out_dir = true},
	{.name = "ttree_lzma",
		.module = "root",
		.type = "DAQJobStoreROOT",
		.section_keys = "file_path = \"t.root\"\ncompression_type = \"LZMA\"",
		.file_path = "t.root",
		.has_out_dir = true},
	{.name = "rntuple",
		.module = "root",
		.type = "DAQJobStoreROOT",
		.section_keys = "file_path = \"t.root\"\nformat = \"rntuple\"",
		.file_path = "t.root",
		.has_out_dir = true},
	{.name = "rntuple_zlib",
		.module = "root",
		.type = "DAQJobStoreROOT",
		.section_keys = "file_path = \"t.root\"\nformat = \"rntuple\"\ncompression_type = \"ZLIB\"",
		.file_path = "t.root",
		.has_out_dir = true},
#endif
};

static const char *folder;

static void check(int rc, const char *what, const struct enrg_error *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "write_stores: %s: %s\n", what, err->text[0] ? err->text : enrg_error_name(rc));
	exit(1);
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0777) < 0) {
		fprintf(stderr, "write_stores: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void write_cells(const char *name, const struct enrg_schema *schema, uint64_t rows)
{
	uint8_t cell[DATA_CELL_BYTES];
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.cells", folder, name);
	FILE *file = fopen(path, "wxe");
	if (!file)
		check(-errno, path, &(struct enrg_error){0});
	for (uint32_t i = 0; i < schema->column_count; i++) {
		const struct enrg_column *column = &schema->columns[i];
		fprintf(file, "column\t%s\t%s\t%s\n", column->name, enrg_type_name(column->type),
			enrg_type_name(column->item));
	}
	for (uint64_t i = 0; i < rows * schema->column_count; i++) {
		const struct enrg_column *column = &schema->columns[i % schema->column_count];
		uint64_t count = data_fill_cell(column, i / schema->column_count, cell);
		uint64_t width = column->type == ENRG_BOOL ? 1 : enrg_column_item_bytes(column);
		for (uint64_t k = 0; k < count * width; k++)
			fprintf(file, "%02x", cell[k]);
		putc('\n', file);
	}
	fclose(file);
}

static void copy_file(const char *from, const char *to)
{
	struct enrg_error err = {0};
	size_t count;
	char *bytes;

	check(path_read_file(from, FILE_BYTES_MAX, &bytes, &count, &err), from, &err);
	check(path_write_file(to, bytes, count, 0, &err), to, &err);
	free(bytes);
}

static void write_kind(const struct store_kind *kind, const char *name, const struct enrg_schema *schema)
{
	bool is_raw = !strcmp(kind->module, "raw"), is_odd = strcmp(name, "final") != 0;
	const struct harness_table table = {
		.source = "source", .tag = "", .schema = is_raw ? enrg_schema_blob() : schema};
	char out_dir[4096], journal[4096], path[5000], copy[5000];
	struct enrg_error err = {0};
	struct harness *life;

	snprintf(out_dir, sizeof(out_dir), "%s/%s/out_%s", folder, kind->name, name);
	snprintf(journal, sizeof(journal), "%s/%s/journal_%s", folder, kind->name, name);
	snprintf(path, sizeof(path), "%s/%s", out_dir, kind->file_path);
	check(harness_open(kind, journal, out_dir, &life, &err), kind->name, &err);
	for (uint64_t i = 0; i < (is_odd ? 1 : COMMITS); i++) {
		if (is_raw)
			check(harness_write_blob(life, &table, i * BLOB_BYTES_STEP + 1, &err), kind->name, &err);
		else
			check(harness_write(
				      life, &table, i * ROWS_A_COMMIT, is_odd ? ODD_ROWS : ROWS_A_COMMIT, 0, &err),
				kind->name, &err);
		check(harness_commit(life, i + 1, &err), kind->name, &err);
		snprintf(copy, sizeof(copy), "%s/%s/%llu", folder, kind->name, (unsigned long long)i + 1);
		if (!is_odd)
			copy_file(path, copy);
	}
	check(harness_close(life, &err), kind->name, &err);
	snprintf(copy, sizeof(copy), "%s/%s/%s", folder, kind->name, name);
	copy_file(path, copy);
}

int main(int argc, char **argv)
{
	char path[4096];

	if (argc != 2) {
		fprintf(stderr, "usage: write_stores FOLDER\n");
		return 2;
	}
	folder = argv[1];
	write_cells("wide", &data_wide, COMMITS * ROWS_A_COMMIT);
	write_cells("odd", &data_odd, ODD_ROWS);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, kinds[i].name);
		make_folder(path);
		write_kind(&kinds[i], "final", &data_wide);
		if (strcmp(kinds[i].module, "raw") != 0)
			write_kind(&kinds[i], "odd", &data_odd);
	}
	printf("%u %u\n", COMMITS, ROWS_A_COMMIT);
	return 0;
}
