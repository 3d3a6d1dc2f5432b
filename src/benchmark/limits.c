/* limits.c: rates of one process, disk, and all limits together. Runs in the process of `enrgdaq bench` or of a program
 * in bench/; what is measured runs in pinned children. */
#include "benchmark/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "benchmark/pair.h"

#define BATCH_BYTES      ((size_t)8000000)
#define WORK_NS          UINT64_C(200000000)
#define WORK_SAMPLES_MAX 2000u
#define TIMEOUT_NS       UINT64_C(20000000000)
#define DISK_BYTES_MAX   UINT64_C(256000000)
#define DISK_NS_MAX      UINT64_C(1000000000)
#define DISK_BLOCK_BYTES ((size_t)1 << 20)
#define DISK_SYNC_BLOCKS 32u

/* --- rates of one process --- */

struct work {
	uint64_t (*piece)(void *context);
	void *context;
	double *ret_gb_per_s; /* in shared memory */
};

static int run_work(void *context)
{
	static double rates[WORK_SAMPLES_MAX];
	const struct work *work = context;
	uint64_t begin_ns = clock_mono_ns(), now_ns;
	unsigned count = 0;

	work->piece(work->context); /* touches its pages and fills the caches */
	do {
		uint64_t start_ns = clock_mono_ns();
		uint64_t bytes = work->piece(work->context);
		now_ns = clock_mono_ns();
		rates[count++] = (double)bytes / (double)(now_ns > start_ns ? now_ns - start_ns : 1);
	} while (count < WORK_SAMPLES_MAX && now_ns - begin_ns < WORK_NS);
	*work->ret_gb_per_s = pair_median(rates, count);
	return 0;
}

int limits_measure_work(uint64_t (*piece)(void *context), void *context, double *ret_gb_per_s, struct enrg_error *err)
{
	double *shared = pair_map(sizeof(*shared));
	struct work work = {piece, context, shared};
	int cpu[1];

	if (!shared)
		return enrg_error_set(err, -ENOMEM, "no memory to measure in");
	pair_cpus(cpu, 1);
	const struct pair_side side = {run_work, &work, cpu[0]};
	int rc = pair_run(&side, 1, TIMEOUT_NS, err);
	if (rc == 0)
		*ret_gb_per_s = *shared;
	pair_unmap(shared, sizeof(*shared));
	return rc;
}

struct buffers {
	uint8_t *source, *destination;
	_Atomic uint32_t sum; /* so that the sums are of use */
};

static uint64_t copy_piece(void *context)
{
	struct buffers *buffers = context;

	memcpy(buffers->destination, buffers->source, BATCH_BYTES);
	/* The compiler must not see that nobody reads it. */
	__asm__ volatile("" : : "r"(buffers->destination) : "memory");
	return BATCH_BYTES;
}

static uint64_t crc_piece(void *context)
{
	struct buffers *buffers = context;

	atomic_store_explicit(&buffers->sum, crc32c(0, buffers->source, BATCH_BYTES), memory_order_relaxed);
	return BATCH_BYTES;
}

static uint64_t copy_crc_piece(void *context)
{
	struct buffers *buffers = context;
	uint32_t crc = copy_bytes_crc(buffers->destination, buffers->source, BATCH_BYTES, 0);

	atomic_store_explicit(&buffers->sum, crc, memory_order_relaxed);
	return BATCH_BYTES;
}

static int measure_on_buffers(uint64_t (*piece)(void *context), double *ret_gb_per_s, struct enrg_error *err)
{
	struct buffers buffers = {malloc(BATCH_BYTES), malloc(BATCH_BYTES), 0};
	int rc;

	if (buffers.source && buffers.destination) {
		memset(buffers.source, 0x5a, BATCH_BYTES);
		memset(buffers.destination, 0, BATCH_BYTES);
		rc = limits_measure_work(piece, &buffers, ret_gb_per_s, err);
	} else {
		rc = enrg_error_set(err, -ENOMEM, "no memory to measure in");
	}
	free(buffers.source);
	free(buffers.destination);
	return rc;
}

int limits_measure_memcpy(double *ret_gb_per_s, struct enrg_error *err)
{
	return measure_on_buffers(copy_piece, ret_gb_per_s, err);
}

int limits_measure_crc(double *ret_gb_per_s, struct enrg_error *err)
{
	return measure_on_buffers(crc_piece, ret_gb_per_s, err);
}

int limits_measure_copy_crc(double *ret_gb_per_s, struct enrg_error *err)
{
	return measure_on_buffers(copy_crc_piece, ret_gb_per_s, err);
}

/* --- disk --- */

/* A file that is gone when it is closed, also after a kill where the file system knows O_TMPFILE. */
static int open_nameless(const char *folder)
{
	char name[4096];
	int descriptor = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return descriptor < 0 ? -errno : descriptor;
	if (snprintf(name, sizeof(name), "%s/.enrgdaq-limits-XXXXXX", folder) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	descriptor = mkostemp(name, O_CLOEXEC);
	if (descriptor < 0)
		return -errno;
	unlink(name);
	return descriptor;
}

static int write_block(int descriptor, const uint8_t *block)
{
	size_t done = 0;

	while (done < DISK_BLOCK_BYTES) {
		ssize_t written = write(descriptor, block + done, DISK_BLOCK_BYTES - done);
		if (written < 0 && errno != EINTR)
			return -errno;
		done += written > 0 ? (size_t)written : 0;
	}
	return 0;
}

static int write_for_a_while(int descriptor, uint8_t *block, double *ret_mb_per_s)
{
	uint64_t start_ns = clock_mono_ns(), bytes = 0, random = 88172645463325252u;

	do {
		for (unsigned i = 0; i < DISK_SYNC_BLOCKS; i++) {
			/* A new random word in each page: a disk that packs or merges equal pages gains nothing. */
			for (size_t at = 0; at < DISK_BLOCK_BYTES; at += 4096) {
				random ^= random << 13;
				random ^= random >> 7;
				random ^= random << 17;
				memcpy(block + at, &random, sizeof(random));
			}
			int rc = write_block(descriptor, block);
			if (rc < 0)
				return rc;
			bytes += DISK_BLOCK_BYTES;
		}
		if (fdatasync(descriptor) < 0)
			return -errno;
	} while (bytes < DISK_BYTES_MAX && clock_mono_ns() - start_ns < DISK_NS_MAX);
	*ret_mb_per_s = (double)bytes * 1e3 / (double)(clock_mono_ns() - start_ns);
	return 0;
}

int limits_measure_disk(const char *folder, double *ret_mb_per_s, struct enrg_error *err)
{
	uint8_t *block = malloc(DISK_BLOCK_BYTES);

	if (!block)
		return enrg_error_set(err, -ENOMEM, "no memory to measure in");
	for (size_t i = 0; i < DISK_BLOCK_BYTES; i++)
		block[i] = (uint8_t)(rand() >> 7);
	int descriptor = open_nameless(folder), rc = descriptor;
	if (descriptor >= 0) {
		rc = write_for_a_while(descriptor, block, ret_mb_per_s);
		close(descriptor);
	}
	free(block);
	if (rc < 0)
		return enrg_error_set(err, rc, "cannot measure the disk under %s: %s", folder, enrg_error_name(rc));
	return 0;
}

/* --- all --- */

int limits_measure(const char *folder, struct limits *limits, struct enrg_error *err)
{
	int rc;

	limits->wall_ns = clock_wall_ns();
	limits->disk_mb_per_s = 0;
	rc = regime_measure(&limits->before, err);
	if (rc == 0)
		rc = limits_measure_memcpy(&limits->memcpy_gb_per_s, err);
	if (rc == 0)
		rc = limits_measure_bare_pair(&limits->bare_pair, err);
	if (rc == 0)
		rc = limits_measure_wakeup(&limits->wakeup, err);
	if (rc == 0)
		rc = limits_measure_crc(&limits->crc_gb_per_s, err);
	if (rc == 0)
		rc = limits_measure_copy_crc(&limits->copy_crc_gb_per_s, err);
	if (rc == 0)
		rc = regime_measure(&limits->after, err);
	if (rc == 0 && folder)
		rc = limits_measure_disk(folder, &limits->disk_mb_per_s, err);
	return rc;
}

enum regime limits_regime(const struct limits *limits)
{
	return regime_join(limits->before.regime, limits->after.regime);
}

/* Null where not measured; also where a clock went wrong: JSON has no infinity. */
static json_t *number(double value)
{
	json_t *number = value > 0 ? json_real(value) : NULL;

	return number ? number : json_null();
}

static void put(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, number(value));
}

static json_t *format_methods(const struct limits_bare_pair *pair)
{
	json_t *methods = json_object();

	for (int i = COPY_MEMCPY; i <= COPY_NON_TEMPORAL && methods; i++)
		put(methods, copy_method_name((enum copy_method)i), pair->by_method_gb_per_s[i]);
	return methods;
}

struct json_t *limits_format(const struct limits *limits)
{
	json_t *root = json_object();
	char when[40];

	if (!root)
		return NULL;
	clock_format_utc(limits->wall_ns, when, sizeof(when));
	json_object_set_new(root, "measured_at", json_string(when));
	json_object_set_new(root, "regime", json_string(regime_name(limits_regime(limits))));
	put(root, "line_round_trip_ns", limits->before.round_trip_ns);
	put(root, "line_round_trip_after_ns", limits->after.round_trip_ns);
	put(root, "memcpy_gb_per_s", limits->memcpy_gb_per_s);
	put(root, "bare_pair_gb_per_s", limits->bare_pair.gb_per_s);
	json_object_set_new(root, "bare_pair_method", json_string(copy_method_name(limits->bare_pair.method)));
	json_object_set_new(root, "bare_pair_by_method_gb_per_s", format_methods(&limits->bare_pair));
	put(root, "wakeup_p50_us", limits->wakeup.p50_us);
	put(root, "wakeup_p99_us", limits->wakeup.p99_us);
	put(root, "crc_gb_per_s", limits->crc_gb_per_s);
	put(root, "copy_crc_gb_per_s", limits->copy_crc_gb_per_s);
	put(root, "generation_gb_per_s", limits->generation_gb_per_s);
	put(root, "checking_gb_per_s", limits->checking_gb_per_s);
	put(root, "disk_mb_per_s", limits->disk_mb_per_s);
	return root;
}

static void print_one(const char *name, double value, const char *unit)
{
	if (value > 0)
		printf("  %-34s %10.1f %s\n", name, value, unit);
	else
		printf("  %-34s %10s\n", name, "not measured");
}

void limits_print(const struct limits *limits)
{
	const struct limits_bare_pair *pair = &limits->bare_pair;

	printf("regime: %s\n", regime_name(limits_regime(limits)));
	print_one("cache line, there and back", limits->before.round_trip_ns, "ns");
	print_one("the same afterwards", limits->after.round_trip_ns, "ns");
	print_one("memcpy of 8 MB", limits->memcpy_gb_per_s, "GB/s");
	print_one("bare pair of processes, 8 MB", pair->gb_per_s, "GB/s");
	for (int i = COPY_MEMCPY; i <= COPY_NON_TEMPORAL; i++) {
		char name[40];
		snprintf(name, sizeof(name), "  by %s", copy_method_name((enum copy_method)i));
		print_one(name, pair->by_method_gb_per_s[i], "GB/s");
	}
	print_one("wake-up of an idle core, p50", limits->wakeup.p50_us, "µs");
	print_one("wake-up of an idle core, p99", limits->wakeup.p99_us, "µs");
	print_one("CRC-32C of 8 MB", limits->crc_gb_per_s, "GB/s");
	print_one("copy and CRC-32C of 8 MB", limits->copy_crc_gb_per_s, "GB/s");
	print_one("generation of benchmark data", limits->generation_gb_per_s, "GB/s");
	print_one("checking of benchmark data", limits->checking_gb_per_s, "GB/s");
	print_one("disk, sequential with fdatasync", limits->disk_mb_per_s, "MB/s");
}
