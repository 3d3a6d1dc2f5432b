/* root_store.c: how fast is the ROOT store against nothing but ZSTD_compress on the same bytes on the same two threads?
 *
 *   bench_root_store [--folder FOLDER] [--rounds N] [--commit-mb N]
 *
 * The store is the module itself, driven as the framework drives it, with commits as often as it asks for, each of them
 * synced. Both sides in turn; medians. The bytes are those that the file holds: big-endian in a TTree.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/log.h"
#include "harness.h"

#define ROWS       200000u /* 5 MB a batch: a cluster by default */
#define COLUMNS    6u
#define BATCHES    100u
#define ROUNDS_MAX 99u
#define LEVEL      5
#define COMMIT_MB  256 /* as the store asks for; a quarter of the ring where that is less */
#define COMMIT_NS  1000000000ull
#define GOAL       0.9

static const struct enrg_column columns[COLUMNS] = {{.name = "time", .type = ENRG_U64},
	{.name = "event", .type = ENRG_U32}, {.name = "channel", .type = ENRG_U8}, {.name = "sample", .type = ENRG_U16},
	{.name = "value", .type = ENRG_I16}, {.name = "energy", .type = ENRG_F64}};
static const struct enrg_schema schema = {.column_count = COLUMNS, .columns = columns};
static const struct harness_table table = {.source = "source", .tag = "", .schema = &schema};
static struct enrg_column_view views[COLUMNS];
static uint64_t row_bytes, commit_bytes;

static void die(const char *what)
{
	fprintf(stderr, "bench_root_store: %s\n", what);
	exit(1);
}

/* What a digitizer sends: times that grow, counters, noise with pulses. */
static void make_rows(void)
{
	for (unsigned i = 0; i < COLUMNS; i++) {
		uint32_t width = enrg_type_bytes(columns[i].type);
		uint8_t *values = malloc((size_t)ROWS * width);
		if (!values)
			die("out of memory");
		for (uint64_t row = 0; row < ROWS; row++) {
			double energy = (double)rand() / 1e6;
			const uint64_t all[] = {1750000000000000000u + row * 4, row / 512, row / 64 % 8, row % 64,
				(uint64_t)(rand() % 9 + (row % 64 < 8 ? 200 : 0))};
			uint64_t bits = all[i % 5];
			memcpy(values + row * width, i == 5 ? (const void *)&energy : &bits, width);
		}
		views[i] = (struct enrg_column_view){.values = values, .value_count = ROWS};
		row_bytes += width;
	}
}

/* --- nothing but ZSTD_compress ------------------------------------------------------------------------------------ */

struct bare {
	uint8_t *raw[COLUMNS];
	_Atomic unsigned next; /* page that nobody took */
};

static void *compress_pages(void *argument)
{
	struct bare *bare = argument;
	size_t room = ZSTD_compressBound(ROWS * sizeof(uint64_t));
	ZSTD_CCtx *context = ZSTD_createCCtx();
	uint8_t *packed = malloc(room);

	if (!context || !packed)
		die("out of memory");
	for (;;) {
		/* It only hands out numbers. */
		unsigned page = atomic_fetch_add_explicit(&bare->next, 1, memory_order_relaxed);
		if (page >= BATCHES * COLUMNS)
			break;
		unsigned column = page % COLUMNS;
		size_t count = (size_t)ROWS * enrg_type_bytes(columns[column].type);
		if (ZSTD_isError(ZSTD_compressCCtx(context, packed, room, bare->raw[column], count, LEVEL)))
			die("ZSTD_compress failed");
	}
	free(packed);
	ZSTD_freeCCtx(context);
	return NULL;
}

static void copy_column(uint8_t *to, unsigned column, bool is_swapped)
{
	uint32_t width = enrg_type_bytes(columns[column].type);
	const uint8_t *from = views[column].values;

	for (size_t row = 0; row < ROWS; row++)
		for (uint32_t k = 0; k < width; k++)
			to[row * width + k] = from[row * width + (is_swapped ? width - 1 - k : k)];
}

static double run_bare(bool is_swapped)
{
	struct bare bare = {0};
	pthread_t helper;

	for (unsigned i = 0; i < COLUMNS; i++) {
		bare.raw[i] = malloc(ROWS * sizeof(uint64_t));
		if (!bare.raw[i])
			die("out of memory");
		copy_column(bare.raw[i], i, is_swapped);
	}
	uint64_t begin = clock_mono_ns();
	if (pthread_create(&helper, NULL, compress_pages, &bare) != 0)
		die("can't start a thread");
	compress_pages(&bare);
	pthread_join(helper, NULL);
	uint64_t took = clock_mono_ns() - begin;
	for (unsigned i = 0; i < COLUMNS; i++)
		free(bare.raw[i]);
	return (double)took / 1e9;
}

/* --- the store ---------------------------------------------------------------------------------------------------- */

static void check(int rc, const struct enrg_error *err)
{
	if (rc < 0)
		die(err->text);
}

static double run_store(const char *folder, const char *format)
{
	const struct enrg_batch batch = {.schema = &schema, .rows = ROWS, .columns = views};
	char keys[200], journal[4096], path[sizeof(journal) + 8];
	const struct store_kind kind = {
		.name = "root", .module = "root", .type = "DAQJobStoreROOT", .section_keys = keys, .has_out_dir = true};
	struct enrg_error err = {0};
	struct harness *life;
	uint64_t written = 0;

	snprintf(keys, sizeof(keys), "file_path = \"bench.root\"\nformat = \"%s\"\ncompression_level = %d", format,
		LEVEL);
	snprintf(journal, sizeof(journal), "/dev/shm/bench_root_store.%d", (int)getpid());
	check(harness_open(&kind, journal, folder, &life, &err), &err);
	uint64_t begin = clock_mono_ns(), committed_ns = begin;
	for (unsigned i = 0; i < BATCHES; i++) {
		check(harness_write_batch(life, &table, &batch, &err), &err);
		written += ROWS * row_bytes;
		if (written < commit_bytes && clock_mono_ns() - committed_ns < COMMIT_NS)
			continue;
		check(harness_commit(life, i + 1, &err), &err);
		written = 0;
		committed_ns = clock_mono_ns();
	}
	if (written)
		check(harness_commit(life, BATCHES, &err), &err);
	uint64_t took = clock_mono_ns() - begin;
	check(harness_close(life, &err), &err);
	snprintf(path, sizeof(path), "%s/bench.root", folder);
	unlink(path);
	unlink(journal);
	snprintf(path, sizeof(path), "%s.run", journal);
	unlink(path);
	return (double)took / 1e9;
}

/* --- both --------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *folder, const char *format, unsigned rounds)
{
	double store[ROUNDS_MAX], bare[ROUNDS_MAX], ratio[ROUNDS_MAX],
		bytes = (double)ROWS * (double)row_bytes * BATCHES;

	for (unsigned i = 0; i < rounds; i++) {
		bare[i] = run_bare(strcmp(format, "ttree") == 0);
		store[i] = run_store(folder, format);
		ratio[i] = bare[i] / store[i];
	}
	qsort(store, rounds, sizeof(double), compare);
	qsort(bare, rounds, sizeof(double), compare);
	qsort(ratio, rounds, sizeof(double), compare);
	printf("%-8s zstd-%d, synced: store %.0f MB/s, ZSTD_compress alone %.0f MB/s, ratio %.2f (%.2f to %.2f), goal "
	       "%.2f\n",
		format, LEVEL, bytes / store[rounds / 2] / 1e6, bytes / bare[rounds / 2] / 1e6, ratio[rounds / 2],
		ratio[0], ratio[rounds - 1], GOAL);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"folder", required_argument, NULL, 'f'},
		{"rounds", required_argument, NULL, 'r'}, {"commit-mb", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	static const char usage[] =
		"bench_root_store [--folder FOLDER (/tmp)] [--rounds N (7)] [--commit-mb N (256)]\n"
		"The ROOT store, TTree and RNTuple, against ZSTD_compress on the same bytes and threads.\n";
	const char *parent = "/tmp";
	long rounds = 7, commit_mb = COMMIT_MB;
	char folder[4000];
	int key;

	while ((key = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (key == 'f')
			parent = optarg;
		else if (key == 'r')
			rounds = strtol(optarg, NULL, 10);
		else if (key == 'c')
			commit_mb = strtol(optarg, NULL, 10);
		if (key == 'h' || key == '?' || rounds < 1 || rounds > (long)ROUNDS_MAX || commit_mb < 1) {
			fputs(usage, key == 'h' ? stdout : stderr);
			return key == 'h' ? 0 : 2;
		}
	}
	log_init("bench", ENRG_ERROR);
	commit_bytes = (uint64_t)commit_mb << 20;
	snprintf(folder, sizeof(folder), "%s/bench_root_store.XXXXXX", parent);
	if (!mkdtemp(folder))
		die("can't make a temporary folder");
	make_rows();
	measure(folder, "ttree", (unsigned)rounds);
	measure(folder, "rntuple", (unsigned)rounds);
	rmdir(folder);
	return 0;
}
