/* hdf5_store.c: how fast is the HDF5 store, uncompressed, against a bare loop of libhdf5 that writes the same rows in
 * the same chunks and flushes as often?
 *
 *   bench_hdf5_store [--folder FOLDER] [--rounds N] [--rows N]
 *
 * The store is the module itself, driven as the framework drives it. The loop extends and writes a dataset a column
 * with the library's own driver, and H5Fflush at each commit. Both in turn; medians of the pairs. One process, one
 * thread.
 */
#include <getopt.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "benchmark/pair.h"
#include "driver/driver.h"

#define COLUMNS      6u
#define TOTAL_BYTES  (400ull << 20) /* of each run */
#define COMMIT_BYTES (64ull << 20)  /* as the store asks the framework for */
#define CACHE_SLOTS  101u
#define ROUNDS_MAX   99u
#define ROWS_MAX     1000000u
#define GOAL         0.9

static const char help[] =
	"usage: bench_hdf5_store [--folder FOLDER] [--rounds N] [--rows N]\n\n"
	"DAQJobStoreHDF5, uncompressed, against a bare loop of libhdf5 with the same chunks and flushes, in FOLDER\n"
	"(default /dev/shm); median of N pairs (default 7), batches of N rows (default 20000: 500 KB). Goal: 0.90.\n"
	"Exit code: 0 goal met, 1 missed, 2 not measured.\n";

static const struct enrg_column columns[COLUMNS] = {{.name = "time", .type = ENRG_U64},
	{.name = "event", .type = ENRG_U32}, {.name = "channel", .type = ENRG_U8}, {.name = "sample", .type = ENRG_U16},
	{.name = "value", .type = ENRG_I16}, {.name = "energy", .type = ENRG_F64}};
static const struct enrg_schema schema = {.column_count = COLUMNS, .columns = columns};
static struct enrg_column_view views[COLUMNS];
static struct enrg_batch batch = {.schema = &schema, .columns = views};
static char folder[DRIVER_PATH_BYTES];

static void die(const char *what)
{
	fprintf(stderr, "bench_hdf5_store: %s\n", what);
	driver_remove_folder(folder);
	exit(2);
}

static void make_rows(uint64_t rows)
{
	batch.rows = rows;
	for (unsigned i = 0; i < COLUMNS; i++) {
		size_t count = rows * enrg_type_bytes(columns[i].type);
		uint8_t *values = malloc(count);
		if (!values)
			die("out of memory");
		for (size_t k = 0; k < count; k++)
			values[k] = (uint8_t)(k * 2654435761u >> 13);
		views[i] = (struct enrg_column_view){.values = values, .value_count = rows};
		batch.body_bytes += count;
	}
}

static uint64_t count_batches(void)
{
	return TOTAL_BYTES / batch.body_bytes;
}

static double seconds_since(uint64_t begin_ns)
{
	return (double)(clock_mono_ns() - begin_ns) / 1e9;
}

/* --- the store ---------------------------------------------------------------------------------------------------- */

static void check(int rc, const struct enrg_error *err)
{
	if (rc < 0)
		die(err->text);
}

static double run_store(void)
{
	const struct driver_params params = {.module = "hdf5",
		.type = "DAQJobStoreHDF5",
		.folder = folder,
		.section_keys = "file_path = \"store.h5\"\ndataset_name = \"run\"",
		.schema = &schema};
	uint64_t batches = count_batches(), written = 0;
	struct enrg_error err = {0};
	struct driver *driver;

	check(driver_open(&params, &driver, &err), &err);
	uint64_t begin = clock_mono_ns();
	for (uint64_t i = 0; i < batches; i++) {
		check(driver_write(driver, &batch, &err), &err);
		written += batch.body_bytes;
		if (written < COMMIT_BYTES && i + 1 < batches)
			continue;
		check(driver_commit(driver, &err), &err);
		written = 0;
	}
	double took = seconds_since(begin);
	check(driver_close(driver, &err), &err);
	return took;
}

/* --- libhdf5 alone ------------------------------------------------------------------------------------------------ */

static void check_hdf5(int64_t code)
{
	if (code < 0)
		die("libhdf5 failed");
}

/* As the store has chosen it. */
static void read_chunks(const char *path, hsize_t ret_chunks[COLUMNS])
{
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);

	check_hdf5(file);
	for (unsigned i = 0; i < COLUMNS; i++) {
		char name[64];
		snprintf(name, sizeof(name), "run/%s", columns[i].name);
		hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
		check_hdf5(dataset);
		hid_t create = H5Dget_create_plist(dataset);
		check_hdf5(H5Pget_chunk(create, 1, &ret_chunks[i]));
		H5Pclose(create);
		H5Dclose(dataset);
	}
	H5Fclose(file);
}

static hid_t type_of(enum enrg_type type)
{
	switch (type) {
	case ENRG_U64:
		return H5T_STD_U64LE;
	case ENRG_U32:
		return H5T_STD_U32LE;
	case ENRG_U16:
		return H5T_STD_U16LE;
	case ENRG_I16:
		return H5T_STD_I16LE;
	case ENRG_U8:
		return H5T_STD_U8LE;
	case ENRG_F64:
		return H5T_IEEE_F64LE;
	case ENRG_BOOL: /* no column of these below */
	case ENRG_I8:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_F32:
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
	case ENRG_TIMESTAMP_NS:
		break;
	}
	return -1;
}

static hid_t make_dataset(hid_t group, unsigned column, hsize_t chunk)
{
	hsize_t none = 0, unlimited = H5S_UNLIMITED;
	hid_t space = H5Screate_simple(1, &none, &unlimited);
	hid_t create = H5Pcreate(H5P_DATASET_CREATE), access = H5Pcreate(H5P_DATASET_ACCESS);

	H5Pset_chunk(create, 1, &chunk);
	H5Pset_chunk_cache(access, CACHE_SLOTS, 2 * chunk * enrg_type_bytes(columns[column].type), 1.0);
	hid_t dataset = H5Dcreate2(
		group, columns[column].name, type_of(columns[column].type), space, H5P_DEFAULT, create, access);
	check_hdf5(dataset);
	H5Pclose(access);
	H5Pclose(create);
	H5Sclose(space);
	return dataset;
}

static void append(hid_t dataset, unsigned column, hsize_t first)
{
	hsize_t count = batch.rows, size = first + count;

	check_hdf5(H5Dset_extent(dataset, &size));
	hid_t memory = H5Screate_simple(1, &count, NULL), space = H5Screate_simple(1, &size, NULL);
	check_hdf5(H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &count, NULL));
	check_hdf5(H5Dwrite(dataset, type_of(columns[column].type), memory, space, H5P_DEFAULT, views[column].values));
	H5Sclose(space);
	H5Sclose(memory);
}

static double run_bare(const char *path, const hsize_t chunks[COLUMNS])
{
	uint64_t batches = count_batches(), written = 0;
	hid_t datasets[COLUMNS];
	hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

	check_hdf5(file);
	uint64_t begin = clock_mono_ns();
	hid_t group = H5Gcreate2(file, "run", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	for (unsigned c = 0; c < COLUMNS; c++)
		datasets[c] = make_dataset(group, c, chunks[c]);
	for (uint64_t i = 0; i < batches; i++) {
		for (unsigned c = 0; c < COLUMNS; c++)
			append(datasets[c], c, i * batch.rows);
		written += batch.body_bytes;
		if (written < COMMIT_BYTES && i + 1 < batches)
			continue;
		check_hdf5(H5Fflush(file, H5F_SCOPE_GLOBAL));
		written = 0;
	}
	double took = seconds_since(begin);
	for (unsigned c = 0; c < COLUMNS; c++)
		H5Dclose(datasets[c]);
	H5Gclose(group);
	H5Fclose(file);
	return took;
}

/* --- both --------------------------------------------------------------------------------------------------------- */

static bool measure(unsigned rounds)
{
	double store[ROUNDS_MAX], bare[ROUNDS_MAX], ratio[ROUNDS_MAX];
	double mb = (double)(count_batches() * batch.body_bytes) / 1e6;
	char store_path[DRIVER_PATH_BYTES + 16], bare_path[DRIVER_PATH_BYTES + 16];
	hsize_t chunks[COLUMNS];

	snprintf(store_path, sizeof(store_path), "%s/store.h5", folder);
	snprintf(bare_path, sizeof(bare_path), "%s/bare.h5", folder);
	run_store(); /* for its chunks, and to get warm */
	read_chunks(store_path, chunks);
	unlink(store_path);
	for (unsigned i = 0; i < rounds; i++) {
		bare[i] = run_bare(bare_path, chunks);
		unlink(bare_path);
		store[i] = run_store();
		unlink(store_path);
		ratio[i] = bare[i] / store[i];
	}
	double middle = pair_median(ratio, rounds);
	printf("hdf5, batches of %.0f KB, chunks of %.0f KB: store %.0f MB/s, libhdf5 alone %.0f MB/s, ratio %.2f "
	       "(%.2f to %.2f), goal %.2f\n",
		(double)batch.body_bytes / 1e3, (double)chunks[0] * 8 / 1e3, mb / pair_median(store, rounds),
		mb / pair_median(bare, rounds), middle, pair_quantile(ratio, rounds, 0),
		pair_quantile(ratio, rounds, 1), GOAL);
	return middle >= GOAL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"folder", required_argument, NULL, 'f'},
		{"rounds", required_argument, NULL, 'n'}, {"rows", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *parent = "/dev/shm";
	long rounds = 7, rows = 20000;
	struct enrg_error err = {0};
	int key;

	while ((key = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (key == 'f')
			parent = optarg;
		else if (key == 'n')
			rounds = strtol(optarg, NULL, 10);
		else if (key == 'r')
			rows = strtol(optarg, NULL, 10);
		if (key == 'h' || key == '?') {
			fputs(help, key == 'h' ? stdout : stderr);
			return key == 'h' ? 0 : 2;
		}
	}
	if (rounds < 1 || rounds > (long)ROUNDS_MAX || rows < 1 || rows > (long)ROWS_MAX)
		die("a number is out of range");
	log_init("bench", ENRG_ERROR);
	if (driver_make_folder(parent, folder, &err) < 0)
		die(err.text);
	make_rows((uint64_t)rows);
	bool is_met = measure((unsigned)rounds);
	driver_remove_folder(folder);
	return is_met ? 0 : 1;
}
