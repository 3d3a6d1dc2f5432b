/* many_sources.c: what do two cores at best do for many sources, without a process each? */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/copy.h"
#include "base/crc32c.h"
#include "benchmark/compare.h"
#include "benchmark/pair.h"

#define BATCH_BYTES   8000000u
#define PIECE_BYTES   131072u /* made in the cache, then copied, as a job's pieces are */
#define SLOTS         2u      /* batches of a source in flight */
#define SOURCES_MAX   8u
#define MEASURE_NS    500000000u
#define TIMEOUT_NS    10000000000u
#define SAMPLE_FACTOR 0x9E3779B97F4A7C15u

static const char help[] =
	"Two processes, one a core: one makes batches of 8 MB for N sources in turn, piece by piece, and copies them "
	"with\n"
	"their CRC into buffers that N sources would have (two batches each); the other takes the CRC of each anew. "
	"No\n"
	"ring, no store, no process a source. What is printed is the rate of eight buffers' pairs divided by that of "
	"one:\n"
	"what the machine alone takes away from many sources (`bench run --clients 8` of `--clients 1`).";

struct slot {
	_Alignas(128) _Atomic uint32_t is_full;
	uint32_t crc;
};

struct shared {
	_Alignas(128) _Atomic uint32_t is_over;
	uint64_t batches, elapsed_ns;
	struct slot slots[SOURCES_MAX][SLOTS];
};

struct trial {
	struct shared *shared;
	uint8_t *memory;
	uint32_t sources;
};

static uint8_t *batch_of(const struct trial *trial, uint32_t source, uint32_t slot)
{
	return trial->memory + (size_t)(source * SLOTS + slot) * BATCH_BYTES;
}

/* A batch of random numbers, as the benchmark's source has them. */
static uint32_t make_batch(uint8_t *to, uint64_t *piece, uint64_t *seed)
{
	uint32_t crc = 0;

	for (uint32_t at = 0; at < BATCH_BYTES;) {
		uint32_t bytes = BATCH_BYTES - at < PIECE_BYTES ? BATCH_BYTES - at : PIECE_BYTES;
		uint64_t value = *seed += SAMPLE_FACTOR;
		for (uint32_t i = 0; i < PIECE_BYTES / 8; i++)
			piece[i] = value + i * SAMPLE_FACTOR;
		crc = copy_bytes_crc(to + at, piece, bytes, crc);
		at += bytes;
	}
	return crc;
}

static int produce(void *context)
{
	static uint64_t piece[PIECE_BYTES / 8];
	struct trial *trial = context;
	uint64_t started_ns = clock_mono_ns(), now_ns = started_ns, seed = 1, made = 0;

	for (uint64_t turn = 0; now_ns - started_ns < MEASURE_NS; turn++) {
		uint32_t source = (uint32_t)(turn % trial->sources), at = (uint32_t)(turn / trial->sources % SLOTS);
		struct slot *slot = &trial->shared->slots[source][at];
		pair_await(&slot->is_full, 0);
		slot->crc = make_batch(batch_of(trial, source, at), piece, &seed);
		atomic_store_explicit(&slot->is_full, 1, memory_order_release);
		now_ns = clock_mono_ns();
		made++;
	}
	trial->shared->batches = made;
	trial->shared->elapsed_ns = now_ns - started_ns;
	atomic_store_explicit(&trial->shared->is_over, 1, memory_order_release);
	return 0;
}

static int consume(void *context)
{
	struct trial *trial = context;

	for (uint64_t turn = 0;; turn++) {
		uint32_t source = (uint32_t)(turn % trial->sources), at = (uint32_t)(turn / trial->sources % SLOTS);
		struct slot *slot = &trial->shared->slots[source][at];
		while (!atomic_load_explicit(&slot->is_full, memory_order_acquire)) {
			if (atomic_load_explicit(&trial->shared->is_over, memory_order_acquire))
				return 0;
			pair_relax();
		}
		if (crc32c(0, batch_of(trial, source, at), BATCH_BYTES) != slot->crc)
			return -EIO;
		atomic_store_explicit(&slot->is_full, 0, memory_order_release);
	}
}

static int measure(uint32_t sources, double *ret_gb_per_s, struct enrg_error *err)
{
	size_t bytes = (size_t)sources * SLOTS * BATCH_BYTES;
	struct trial trial = {pair_map(sizeof(struct shared)), pair_map(bytes), sources};
	struct pair_side sides[] = {{produce, &trial, -1}, {consume, &trial, -1}};
	int cpus[2], rc = trial.shared && trial.memory ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	if (rc == 0 && pair_cpus(cpus, 2) < 2)
		rc = enrg_error_set(err, -EINVAL, "two CPUs are needed");
	if (rc == 0) {
		sides[0].cpu = cpus[0];
		sides[1].cpu = cpus[1];
		rc = pair_run(sides, 2, TIMEOUT_NS, err);
	}
	if (rc == 0)
		*ret_gb_per_s = (double)trial.shared->batches * BATCH_BYTES / (double)trial.shared->elapsed_ns;
	pair_unmap(trial.shared, sizeof(struct shared));
	pair_unmap(trial.memory, bytes);
	return rc;
}

static int measure_one(void *context, double *ret_figures, struct enrg_error *err)
{
	(void)context;
	return measure(1, ret_figures, err);
}

static int measure_many(void *context, double *ret_figures, struct enrg_error *err)
{
	return measure(*(const uint32_t *)context, ret_figures, err);
}

int main(int argc, char **argv)
{
	static const uint32_t counts[] = {2, 4, 8};
	unsigned rounds = compare_parse(argc, argv, help);
	struct enrg_error err = {0};
	int rc = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && rc >= 0; i++) {
		char name[60];
		uint32_t count = counts[i];
		const struct compare_metric metric = {name, "GB/s", 0, false};
		const struct compare compare = {.rounds = rounds,
			.alternates = true,
			.metric_count = 1,
			.metrics = &metric,
			.limit = measure_one,
			.value = measure_many,
			.context = &count};

		snprintf(name, sizeof(name), "limit: two processes for %u sources, of one", count);
		rc = compare_run(&compare, &err);
	}
	return compare_exit(rc, &err);
}
