/* csv_store.c: how much text does the CSV store make on one core? Its module writes tables of one kind of number each
 * to a file in memory; counted is all that it does, from the columns to the file. One process. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "benchmark/pair.h"
#include "driver/driver.h"

#define ROWS         16384u
#define COLUMNS      4u
#define CELLS        (ROWS * COLUMNS)
#define VALUES       (128u * CELLS) /* of each kind and round */
#define COMMIT_CELLS (1u << 20)
#define GOAL_MB_S    400.0
#define ROUNDS       5u
#define ROUNDS_MAX   100u

static const char help[] =
	"usage: bench_csv_store [--rounds N] [--folder FOLDER]\n\n"
	"Megabytes of text that DAQJobStoreCSV makes in a second of CPU time, kernel included, for tables of four\n"
	"columns of one kind of number, written to a file in FOLDER (default /dev/shm); median of N rounds (default\n"
	"5). Beside it printf to memory alone: \"%.17g\" and \"%lld\". Goal: 400 MB/s for each kind.\n"
	"Exit code: 0 goal met, 1 missed, 2 not measured.\n";

struct kind {
	const char *name;
	enum enrg_type type;
	double (*make_real)(uint64_t index);
	int64_t (*make_whole)(uint64_t index);
};

static uint64_t mix(uint64_t index)
{
	uint64_t z = (index + 1) * 0x9E3779B97F4A7C15ull;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ z >> 27) * 0x94D049BB133111EBull;
	return z ^ z >> 31;
}

static double make_uniform(uint64_t index)
{
	return (double)(mix(index) >> 11) * 0x1p-53;
}

static double make_any(uint64_t index)
{
	uint64_t bits = mix(index);
	double value;

	if ((bits >> 52 & 0x7FF) == 0x7FF)
		bits ^= 1ull << 62;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static double make_timestamp(uint64_t index)
{
	return (double)(1763975123123456ull + 10000 * index + mix(index) % 997) / 1e6;
}

static double make_tenths(uint64_t index)
{
	return (double)(index % 100000) / 10.0;
}

static double make_millis(uint64_t index)
{
	return ((double)(mix(index) % 20000) - 10000.0) / 1000.0;
}

static int64_t make_random(uint64_t index)
{
	return (int64_t)mix(index);
}

static int64_t make_counter(uint64_t index)
{
	return (int64_t)(1000000 + index);
}

static int64_t make_sample(uint64_t index)
{
	return (int64_t)(mix(index) % 4096) - 2048;
}

static const struct kind kinds[] = {
	{"float64, uniform, 16 to 17 digits", ENRG_F64, make_uniform, NULL},
	{"float64, any bits", ENRG_F64, make_any, NULL},
	{"float64, timestamps in µs", ENRG_F64, make_timestamp, NULL},
	{"float64, steps of 0.1", ENRG_F64, make_tenths, NULL},
	{"float64, ±10 V in mV", ENRG_F64, make_millis, NULL},
	{"float32, uniform", ENRG_F32, make_uniform, NULL},
	{"int64, random", ENRG_I64, NULL, make_random},
	{"int64, counter", ENRG_I64, NULL, make_counter},
	{"int16, 12-bit samples", ENRG_I16, NULL, make_sample},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Cells of all columns, one column after the other. */
struct table {
	const struct kind *kind;
	struct enrg_column columns[COLUMNS];
	struct enrg_column_view views[COLUMNS];
	struct enrg_schema schema;
	struct enrg_batch batch;
	unsigned char cells[CELLS * 8];
};

static void set_cell(struct table *table, uint64_t cell)
{
	const struct kind *kind = table->kind;
	uint32_t width = enrg_type_bytes(kind->type);
	uint64_t index = cell % ROWS * COLUMNS + cell / ROWS;
	double real = kind->make_real ? kind->make_real(index) : 0;
	float single = (float)real;
	int64_t whole = kind->make_whole ? kind->make_whole(index) : 0;
	const void *from = kind->type == ENRG_F64   ? (const void *)&real
			   : kind->type == ENRG_F32 ? (const void *)&single
						    : &whole; /* little-endian: the low bytes */

	memcpy(table->cells + cell * width, from, width);
}

static void fill_table(struct table *table, const struct kind *kind)
{
	static const char *const names[COLUMNS] = {"a", "b", "c", "d"};

	table->kind = kind;
	for (uint32_t i = 0; i < COLUMNS; i++) {
		table->columns[i] = (struct enrg_column){.name = names[i], .type = kind->type};
		table->views[i] = (struct enrg_column_view){
			.values = table->cells + (size_t)i * ROWS * enrg_type_bytes(kind->type), .value_count = ROWS};
	}
	for (uint64_t cell = 0; cell < CELLS; cell++)
		set_cell(table, cell);
	table->schema = (struct enrg_schema){.column_count = COLUMNS, .columns = table->columns};
	table->batch = (struct enrg_batch){.schema = &table->schema, .rows = ROWS, .columns = table->views};
}

struct figure {
	double text_bytes, seconds;
};

static int write_values(const struct table *table, struct driver *driver, struct enrg_error *err)
{
	int rc = 0;

	for (uint64_t done = 0, held = 0; done < VALUES && rc == 0; done += CELLS) {
		rc = driver_write(driver, &table->batch, err);
		held += CELLS;
		if (rc == 0 && held >= COMMIT_CELLS) {
			rc = driver_commit(driver, err);
			held = 0;
		}
	}
	return rc;
}

static int measure_store(
	const struct table *table, const char *folder, struct figure *ret_figure, struct enrg_error *err)
{
	const struct driver_params params = {
		.module = "csv",
		.type = "DAQJobStoreCSV",
		.folder = folder,
		.section_keys = "file_path = \"numbers.csv\"",
		.schema = &table->schema,
	};
	char path[DRIVER_PATH_BYTES + 20];
	struct driver *driver;

	int rc = driver_open(&params, &driver, err);
	if (rc < 0)
		return rc;
	uint64_t started = clock_cpu_ns();
	rc = write_values(table, driver, err);
	if (rc == 0)
		rc = driver_commit(driver, err);
	ret_figure->seconds = (double)(clock_cpu_ns() - started) / 1e9;
	int last = driver_close(driver, rc < 0 ? NULL : err);
	snprintf(path, sizeof(path), "%s/numbers.csv", folder);
	FILE *stream = fopen(path, "re");
	if (!stream || fseek(stream, 0, SEEK_END) < 0)
		rc = enrg_error_set(err, -ENOENT, "%s: can't be read", path);
	else
		ret_figure->text_bytes = (double)ftell(stream);
	if (stream)
		fclose(stream);
	remove(path);
	return rc < 0 ? rc : last;
}

/* What a program without a store of its own would do; to memory alone. */
static void measure_printf(const struct table *table, struct figure *ret_figure)
{
	char text[64];

	*ret_figure = (struct figure){0};
	uint64_t started = clock_cpu_ns();
	for (uint64_t i = 0; i < CELLS; i++) {
		double real;
		float single;
		int64_t whole = 0;
		int count;
		if (table->kind->type == ENRG_F64) {
			memcpy(&real, table->cells + 8 * i, 8);
			count = snprintf(text, sizeof(text), "%.17g,", real);
		} else if (table->kind->type == ENRG_F32) {
			memcpy(&single, table->cells + 4 * i, 4);
			count = snprintf(text, sizeof(text), "%.9g,", (double)single);
		} else {
			memcpy(&whole, table->cells + i * enrg_type_bytes(table->kind->type),
				enrg_type_bytes(table->kind->type));
			count = snprintf(text, sizeof(text), "%" PRId64 ",", whole);
		}
		ret_figure->text_bytes += count;
	}
	ret_figure->seconds = (double)(clock_cpu_ns() - started) / 1e9;
}

/* MB/s, medians; *ret_seconds: of the store, for VALUES values. */
static int measure_kind(struct table *table, const char *folder, unsigned rounds, struct figure *ret_store,
	double *ret_printf_mb_s, struct enrg_error *err)
{
	double seconds[ROUNDS_MAX], mb_s[ROUNDS_MAX];
	struct figure figure = {0};

	for (unsigned i = 0; i < rounds; i++) {
		measure_printf(table, &figure);
		mb_s[i] = figure.text_bytes / figure.seconds / 1e6;
		int rc = measure_store(table, folder, &figure, err);
		if (rc < 0)
			return rc;
		seconds[i] = figure.seconds;
	}
	*ret_store = (struct figure){figure.text_bytes, pair_median(seconds, rounds)};
	*ret_printf_mb_s = pair_median(mb_s, rounds);
	return 0;
}

static int measure_all(const char *folder, unsigned rounds, struct enrg_error *err)
{
	struct table *table = calloc(1, sizeof(*table));
	double text_bytes = 0, seconds = 0, printf_mb_s;
	bool is_met = true;
	int rc = table ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	for (size_t i = 0; i < KINDS && rc == 0; i++) {
		struct figure store;
		fill_table(table, &kinds[i]);
		rc = measure_kind(table, folder, rounds, &store, &printf_mb_s, err);
		if (rc < 0)
			break;
		double mb_s = store.text_bytes / store.seconds / 1e6;
		printf("%-36s %5.0f MB/s of text, goal >= %.0f: %s; %4.1f ns a value; printf %3.0f MB/s\n",
			kinds[i].name, mb_s, GOAL_MB_S, mb_s >= GOAL_MB_S ? "met" : "MISSED",
			store.seconds / VALUES * 1e9, printf_mb_s);
		fflush(stdout);
		is_met &= mb_s >= GOAL_MB_S;
		text_bytes += store.text_bytes;
		seconds += store.seconds;
	}
	free(table);
	if (rc < 0)
		return rc;
	printf("%-36s %5.0f MB/s of text, ratio to the goal %.2f; %u rounds\n", "all kinds, equally many values",
		text_bytes / seconds / 1e6, text_bytes / seconds / 1e6 / GOAL_MB_S, rounds);
	return is_met ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"folder", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	char folder[DRIVER_PATH_BYTES] = "";
	const char *parent = "/dev/shm";
	unsigned rounds = ROUNDS;
	struct enrg_error err = {0};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'f')
			parent = optarg;
		if (option == '?' || option == 'h' || rounds < 1 || rounds > ROUNDS_MAX) {
			fputs(help, option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	int rc = driver_make_folder(parent, folder, &err);
	if (rc == 0)
		rc = measure_all(folder, rounds, &err);
	driver_remove_folder(folder);
	if (rc < 0)
		fprintf(stderr, "not measured: %s\n", err.text);
	return rc < 0 ? 2 : rc;
}
