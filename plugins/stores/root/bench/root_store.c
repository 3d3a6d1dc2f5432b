/* root_store.c: how fast the ROOT store is against nothing but ZSTD_compress on the same bytes on the same two threads.
 *
 *   root_store [FOLDER]      writes to FOLDER (default /tmp); prints medians and their ratio, both formats
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "job/store.h"
#include "tree.h"

#define ROWS    200000u /* 5 MB a commit, as by default */
#define COLUMNS 6u
#define ROUNDS  11u
#define COMMITS 8u

static const struct compress_setting setting = {COMPRESS_ZSTD, 5};
static const struct enrg_column columns[COLUMNS] = {{.name = "time", .type = ENRG_U64},
	{.name = "event", .type = ENRG_U32}, {.name = "channel", .type = ENRG_U8}, {.name = "sample", .type = ENRG_U16},
	{.name = "value", .type = ENRG_I16}, {.name = "energy", .type = ENRG_F64}};
static const struct enrg_schema schema = {.column_count = COLUMNS, .columns = columns};
static struct enrg_column_view views[COLUMNS];
static const struct enrg_batch batch = {.schema = &schema, .rows = ROWS, .columns = views};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* What a digitizer sends: times that grow, counters, noise with pulses. */
static void make_rows(void)
{
	for (unsigned i = 0; i < COLUMNS; i++) {
		uint32_t width = enrg_type_bytes(columns[i].type);
		uint8_t *values = malloc((size_t)ROWS * width);
		if (!values)
			abort();
		for (uint64_t row = 0; row < ROWS; row++) {
			double energy = (double)rand() / 1e6;
			const uint64_t all[] = {1750000000000000000u + row * 4, row / 512, row / 64 % 8, row % 64,
				(uint64_t)(rand() % 9 + (row % 64 < 8 ? 200 : 0))};
			uint64_t bits = all[i % 5];
			memcpy(values + row * width, i == 5 ? (const void *)&energy : &bits, width);
		}
		views[i] = (struct enrg_column_view){.values = values, .value_count = ROWS};
	}
}

struct bare {
	struct bytes raw[COLUMNS];
	uint8_t *packed[COLUMNS];
};

static void compress_bare(void *context, uint32_t index, struct compressor *compressor)
{
	struct bare *bare = context;
	const struct bytes *raw = &bare->raw[index];

	if (!compressor->zstd)
		compressor->zstd = ZSTD_createCCtx();
	ZSTD_compressCCtx(compressor->zstd, bare->packed[index], ZSTD_compressBound(raw->count), raw->data, raw->count,
		setting.level);
}

static double run_bare(struct pool *pool, struct tree *tree)
{
	struct bare bare = {0};

	tree_write(tree, &batch, NULL);
	for (uint32_t i = 0; i < COLUMNS; i++) {
		struct bytes scratch = {0};
		const uint8_t *data;
		size_t count;
		uint64_t elements;
		tree->format->encode(tree, &tree->parts[i], &scratch, &data, &count, &elements);
		bytes_put(&bare.raw[i], data, count);
		bare.packed[i] = malloc(ZSTD_compressBound(count));
		bytes_fini(&scratch);
	}
	double begin = now();
	for (unsigned k = 0; k < COMMITS; k++)
		pool_run(pool, COLUMNS, compress_bare, &bare);
	double took = now() - begin;
	for (uint32_t i = 0; i < COLUMNS; i++) {
		bytes_fini(&bare.raw[i]);
		free(bare.packed[i]);
	}
	return took;
}

static struct tree *new_tree(struct container *container, bool is_ntuple)
{
	const struct tree_options options = {"tree", setting, is_ntuple, 1000000};
	struct tree *tree;

	if (tree_create(container, &options, &schema, &tree, NULL) < 0)
		abort();
	return tree;
}

static double run_store(struct enrg_store *store, struct pool *pool, const char *path, bool is_ntuple)
{
	struct container container = {0};

	unlink(path);
	if (enrg_file_open(store, path, &container.file, NULL) < 0 ||
		container_create(&container, container.file, &setting, NULL) < 0)
		abort();
	struct tree *tree = new_tree(&container, is_ntuple);
	double begin = now();
	for (unsigned k = 0; k < COMMITS; k++) {
		if (tree_write(tree, &batch, NULL) < 0 || tree_commit(tree, pool, NULL) < 0 ||
			container_commit(&container, NULL) < 0)
			abort();
		store_commit_alone(store);
	}
	double took = now() - begin;
	tree_destroy(tree);
	enrg_file_close(container.file);
	container_fini(&container);
	return took;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int count, char **arguments)
{
	const char *folder = count > 1 ? arguments[1] : "/tmp";
	double bytes = (double)ROWS * 25 * COMMITS, store_times[ROUNDS], bare_times[ROUNDS];
	char path[4096], journal[4096];
	struct enrg_store *store;
	struct pool *pool;

	snprintf(path, sizeof(path), "%s/bench.root", folder);
	snprintf(journal, sizeof(journal), "/dev/shm/bench_root_%d", (int)getpid());
	if (store_create_alone("bench", journal, &store, NULL) < 0 || pool_create(&pool, NULL) < 0)
		return 1;
	make_rows();
	for (unsigned is_ntuple = 0; is_ntuple < 2; is_ntuple++) {
		for (unsigned i = 0; i < ROUNDS; i++) {
			struct container container = {0};
			struct tree *tree = new_tree(&container, is_ntuple);
			bare_times[i] = run_bare(pool, tree);
			tree_destroy(tree);
			store_times[i] = run_store(store, pool, path, is_ntuple);
		}
		qsort(store_times, ROUNDS, sizeof(double), compare);
		qsort(bare_times, ROUNDS, sizeof(double), compare);
		printf("%-8s zstd-5: store %.0f MB/s, ZSTD_compress alone %.0f MB/s, ratio %.2f (goal 0.90)\n",
			is_ntuple ? "rntuple" : "ttree", bytes / store_times[ROUNDS / 2] / 1e6,
			bytes / bare_times[ROUNDS / 2] / 1e6, bare_times[ROUNDS / 2] / store_times[ROUNDS / 2]);
	}
	pool_destroy(pool);
	store_destroy_alone(store);
	unlink(path);
	unlink(journal);
	return 0;
}
