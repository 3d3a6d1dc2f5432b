/* file_store.c: do the arrow and the raw store write as fast as the disk takes it, and with how little of a core? Their
 * modules write batches out of shared memory that lies as a ring does; the limit is the best of the plain ways to write
 * as many bytes from there. One process; with --system the whole of ENRGDAQ. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "benchmark/pair.h"
#include "driver/driver.h"

#define PAGE_BYTES       4096u
#define RING_SLOTS       2u /* the window in which a ring stays while its store keeps up */
#define WRITE_BACK_BYTES (8u << 20)
#define HUGE_PAGE_BYTES  (2u << 20)
#define PIECE_BYTES      (4u << 20)
#define ODD_BYTES        100u /* less than whole pages */
#define GOAL             0.95
#define GOAL_CPU         0.1 /* seconds a GB */
#define ROUNDS           5u
#define ROUNDS_MAX       100u

static const char help[] =
	"usage: bench_file_store [--folder FOLDER] [--rounds N] [--batch-mb B] [--total-mb T] [--system]\n\n"
	"MB/s that DAQJobStoreArrow and DAQJobStoreRaw (appending) bring to the disk of FOLDER (default /var/tmp),\n"
	"until the disk has it all. The limit is the fastest plain way to write as many bytes with less than 0.1\n"
	"CPU seconds a GB: O_DIRECT, O_DIRECT into a preallocated file, or the page cache written back early.\n"
	"Batches of B MB (default 8), T MB a measurement (default 512), all in turn, medians of N rounds (default\n"
	"5). Goals: 0.95 of the limit, and less than 0.1 CPU seconds a GB. Raw messages of odd lengths have to be\n"
	"copied: what that costs without ENRGDAQ stands beside it (copied, O_DIRECT).\n"
	"--system: `enrgdaq run` with DAQJobBenchmark and DAQJobStoreArrow as well, for three seconds a round.\n"
	"Exit code: 0 goals met, 1 a goal missed, 2 not measured.\n";

struct bench {
	const char *folder;
	uint64_t batch_bytes, batches; /* of data; of one measurement */
	unsigned rounds;
	bool has_system;
};

struct figure {
	double mb_s, cpu_s_gb;
};

/* --- clocks -------------------- */

struct watch {
	uint64_t started_ns;
	double cpu_s;
};

static double used_cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static struct watch watch_start(void)
{
	return (struct watch){clock_mono_ns(), used_cpu()};
}

static struct figure watch_stop(const struct watch *watch, double bytes)
{
	double seconds = (double)(clock_mono_ns() - watch->started_ns) / 1e9;

	return (struct figure){bytes / seconds / 1e6, (used_cpu() - watch->cpu_s) / (bytes / 1e9)};
}

/* --- batches in a ring -------------------- */

/* Messages one behind the other, each at a page, or a blob's bytes at one (as stream_align has those whose lengths are
 * whole pages). They lie in the cache of this core: a store has just checked them. */
struct ring {
	const struct enrg_schema *schema;
	uint8_t *memory;
	uint64_t slot_bytes, message_bytes, lead_bytes;
	struct enrg_column_view views[RING_SLOTS][2];
	struct enrg_batch batches[RING_SLOTS];
};

static const struct enrg_column table_columns[] = {
	{.name = "timestamp", .type = ENRG_F64}, {.name = "value", .type = ENRG_F64}};
static const struct enrg_schema table_schema = {.column_count = 2, .columns = table_columns};

static uint8_t *map_shared(uint64_t bytes, struct enrg_error *err)
{
	int descriptor = memfd_create("ring", MFD_CLOEXEC);
	void *memory = MAP_FAILED;

	if (descriptor >= 0 && ftruncate(descriptor, (off_t)bytes) == 0)
		memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	if (memory == MAP_FAILED)
		enrg_error_set(err, -errno, "no shared memory: %s", strerror(errno));
	if (descriptor >= 0)
		close(descriptor);
	return memory == MAP_FAILED ? NULL : memory;
}

/* Fills the body at random, and the offsets of a blob. */
static void fill_body(const struct ring *ring, const struct ipc_column_place *places, uint8_t *body,
	uint64_t body_bytes, uint64_t data_bytes)
{
	uint64_t state = 88172645463325252ull;

	for (uint64_t at = 0; at + 8 <= body_bytes; at += 8) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		memcpy(body + at, &state, 8);
	}
	if (ring->schema->is_blob) {
		int32_t offsets[2] = {0, (int32_t)data_bytes};
		memcpy(body + places[0].offsets_offset, offsets, sizeof(offsets));
	}
}

static int fill_slots(struct ring *ring, struct ipc_template *template, uint64_t rows, const uint64_t *variable,
	struct enrg_error *err)
{
	struct ipc_column_place places[2];
	uint32_t meta_bytes = ipc_meta_bytes(template);
	uint64_t body_bytes = ipc_place_columns(template, rows, variable, places);

	ring->message_bytes = meta_bytes + body_bytes;
	ring->lead_bytes = ring->schema->is_blob ? -(meta_bytes + places[0].values_offset) % PAGE_BYTES : 0;
	ring->slot_bytes =
		(ring->lead_bytes + ring->message_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES + PAGE_BYTES;
	ring->memory = map_shared(ring->slot_bytes * RING_SLOTS, err);
	if (!ring->memory)
		return -ENOMEM;
	for (unsigned i = 0; i < RING_SLOTS; i++) {
		uint8_t *message = ring->memory + i * ring->slot_bytes + ring->lead_bytes;
		fill_body(ring, places, message + meta_bytes, body_bytes, variable[0]);
		struct ipc_stamp stamp = {.sequence = i + 1, .acquired_ns = 1, .epoch = 1};
		stamp.body_crc = crc32c(0, message + meta_bytes, body_bytes);
		ipc_write_meta(template, message, rows, variable, &stamp);
		int rc = ipc_decode_batch(
			ring->schema, message, ring->message_bytes, ring->views[i], &ring->batches[i], err);
		if (rc < 0)
			return rc;
		ring->batches[i].columns = ring->views[i];
	}
	return 0;
}

/* `data_bytes`: of each batch, of two columns of numbers or of one blob. */
static int ring_init(struct ring *ring, const struct enrg_schema *schema, uint64_t data_bytes, struct enrg_error *err)
{
	static const struct ipc_origin origin = {"bench", "run", ""};
	const uint64_t variable[2] = {schema->is_blob ? data_bytes : 0, 0};
	struct ipc_template *template;

	*ring = (struct ring){.schema = schema};
	int rc = ipc_template_create(schema, &origin, &template, err);
	if (rc < 0)
		return rc;
	rc = fill_slots(ring, template, schema->is_blob ? 1 : data_bytes / 16, variable, err);
	ipc_template_destroy(template);
	return rc;
}

static void ring_fini(struct ring *ring)
{
	if (ring->memory)
		munmap(ring->memory, ring->slot_bytes * RING_SLOTS);
}

/* --- plain ways -------------------- */

enum way { DIRECT, PREALLOCATED, WRITTEN_BACK, COPIED, WAYS };

static const char *const way_names[WAYS] = {
	"O_DIRECT", "O_DIRECT, preallocated", "page cache, written back early", "copied, O_DIRECT"};

/* By way of huge pages: what is left for bytes that lie where the disk can't read them. */
static int write_copied(const uint8_t *from, uint64_t byte_count, int descriptor, uint64_t at)
{
	static uint8_t *piece;

	if (!piece) {
		piece = aligned_alloc(HUGE_PAGE_BYTES, PIECE_BYTES);
		if (!piece)
			return -ENOMEM;
		madvise(piece, PIECE_BYTES, MADV_HUGEPAGE);
	}
	for (uint64_t done = 0; done < byte_count; done += PIECE_BYTES) {
		uint64_t count = byte_count - done < PIECE_BYTES ? byte_count - done : PIECE_BYTES;
		memcpy(piece, from + done, count);
		if (pwrite(descriptor, piece, count, (off_t)(at + done)) != (ssize_t)count)
			return errno ? -errno : -EIO;
	}
	return 0;
}

static int write_plainly(const struct bench *bench, const struct ring *ring, int descriptor, enum way way)
{
	uint64_t asked = 0, total = bench->batches * bench->batch_bytes;

	if (way == PREALLOCATED && fallocate(descriptor, 0, 0, (off_t)total) < 0)
		return -errno;
	for (uint64_t at = 0, i = 0; at < total; at += bench->batch_bytes, i++) {
		const uint8_t *from = ring->memory + i % RING_SLOTS * ring->slot_bytes;
		int rc = way == COPIED ? write_copied(from + 8, bench->batch_bytes, descriptor, at) : 0;
		if (rc < 0)
			return rc;
		if (way != COPIED &&
			pwrite(descriptor, from, bench->batch_bytes, (off_t)at) != (ssize_t)bench->batch_bytes)
			return errno ? -errno : -EIO;
		if (way == WRITTEN_BACK && at + bench->batch_bytes - asked >= WRITE_BACK_BYTES) {
			sync_file_range(descriptor, (off_t)asked, (off_t)(at + bench->batch_bytes - asked),
				SYNC_FILE_RANGE_WRITE);
			asked = at + bench->batch_bytes;
		}
	}
	return fdatasync(descriptor) < 0 ? -errno : 0;
}

static int measure_plain(const struct bench *bench, const struct ring *ring, enum way way, struct figure *ret_figure,
	struct enrg_error *err)
{
	char path[DRIVER_PATH_BYTES + 20];

	snprintf(path, sizeof(path), "%s/plain", bench->folder);
	int descriptor =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | (way == WRITTEN_BACK ? 0 : O_DIRECT), 0600);
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: can't open (%s): %s", path, way_names[way], strerror(errno));
	struct watch watch = watch_start();
	int rc = write_plainly(bench, ring, descriptor, way);
	*ret_figure = watch_stop(&watch, (double)(bench->batches * bench->batch_bytes));
	close(descriptor);
	unlink(path);
	return rc < 0 ? enrg_error_set(err, rc, "%s: can't write: %s", path, strerror(-rc)) : 0;
}

/* --- stores -------------------- */

struct store_kind {
	const char *name;
	struct driver_params params;
};

static int sync_file(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	int rc = descriptor < 0 || fdatasync(descriptor) < 0 ? -errno : 0;

	if (descriptor >= 0)
		close(descriptor);
	return rc;
}

static int measure_store(const struct bench *bench, const struct ring *ring, const struct store_kind *kind,
	struct figure *ret_figure, struct enrg_error *err)
{
	struct driver_params params = kind->params;
	char path[DRIVER_PATH_BYTES + 20];
	struct driver *driver;

	params.folder = bench->folder;
	params.schema = ring->schema;
	snprintf(path, sizeof(path), "%s/store.data", bench->folder);
	int rc = driver_open(&params, &driver, err);
	if (rc < 0)
		return rc;
	struct watch watch = watch_start();
	for (uint64_t i = 0; i < bench->batches && rc == 0; i++) {
		rc = driver_write(driver, &ring->batches[i % RING_SLOTS], err);
		if (rc == 0)
			rc = driver_commit(driver, err);
	}
	int last = driver_close(driver, rc < 0 ? NULL : err);
	if (rc == 0 && last == 0 && sync_file(path) < 0)
		last = enrg_error_set(err, -errno, "%s: can't sync: %s", path, strerror(errno));
	*ret_figure = watch_stop(&watch, (double)(bench->batches * bench->batch_bytes));
	unlink(path);
	return rc < 0 ? rc : last;
}

/* --- one core -------------------- */

static cpu_set_t all_cpus; /* before pin */

static int pin(struct enrg_error *err)
{
	cpu_set_t one;
	int cpu;

	pair_cpus(&cpu, 1);
	CPU_ZERO(&one);
	CPU_SET((unsigned)cpu, &one);
	if (sched_getaffinity(0, sizeof(all_cpus), &all_cpus) < 0 || sched_setaffinity(0, sizeof(one), &one) < 0)
		return enrg_error_set(err, -errno, "can't stay on one core: %s", strerror(errno));
	return 0;
}

/* --- the whole system -------------------- */

static int write_text(const char *folder, const char *name, const char *text)
{
	char path[DRIVER_PATH_BYTES + 20];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *stream = fopen(path, "we");
	if (!stream)
		return -errno;
	int count = fputs(text, stream);
	return fclose(stream) == 0 && count >= 0 ? 0 : -EIO;
}

static int write_config(const struct bench *bench, const char *folder)
{
	char source[400], store[DRIVER_PATH_BYTES + 100], supervisor[400];

	snprintf(source, sizeof(source),
		"daq_job_type = \"DAQJobBenchmark\"\npayload_size = %llu\n[store_config.arrow]\n"
		"file_path = \"system.arrows\"\n",
		(unsigned long long)bench->batch_bytes / 16);
	snprintf(store, sizeof(store), "daq_job_type = \"DAQJobStoreArrow\"\nout_dir = \"%s\"\n", folder);
	/* A batch in one slot, and room for eight. */
	snprintf(supervisor, sizeof(supervisor),
		"ring_buffer_size_mb = %llu\nring_buffer_slot_size_kb = %llu\n[info]\nsupervisor_id = \"bench\"\n",
		(unsigned long long)bench->batch_bytes * 8 / 1000000 + 64,
		(unsigned long long)bench->batch_bytes / 1024 + 64);
	int rc = write_text(folder, "source.toml", source);
	if (rc == 0)
		rc = write_text(folder, "store.toml", store);
	return rc < 0 ? rc : write_text(folder, "supervisor.toml", supervisor);
}

static pid_t start_system(const char *config)
{
	pid_t child = fork();

	if (child == 0) {
		sched_setaffinity(0, sizeof(all_cpus), &all_cpus);
		int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(nothing, STDOUT_FILENO);
		dup2(nothing, STDERR_FILENO);
		execl(ENRG_BINARY_DIR "/enrgdaq", "enrgdaq", "run", config, (char *)NULL);
		_exit(127);
	}
	return child;
}

static double size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (double)status.st_size : 0;
}

/* Growth of the file over three seconds after the first one. */
static int watch_growth(const char *path, pid_t child, struct figure *ret_figure, struct enrg_error *err)
{
	double sizes[2];
	uint64_t times[2];

	for (int tries = 0; size_of(path) == 0; tries++) {
		if (tries == 200 || waitpid(child, NULL, WNOHANG) != 0)
			return enrg_error_set(err, -ETIMEDOUT, "enrgdaq run wrote nothing to %s", path);
		usleep(50000);
	}
	for (int i = 0; i < 2; i++) {
		usleep(i ? 3000000 : 1000000);
		sizes[i] = size_of(path);
		times[i] = clock_mono_ns();
	}
	ret_figure->mb_s = (sizes[1] - sizes[0]) / ((double)(times[1] - times[0]) / 1e9) / 1e6;
	return 0;
}

static int measure_system(const struct bench *bench, struct figure *ret_figure, struct enrg_error *err)
{
	char config[DRIVER_PATH_BYTES], path[DRIVER_PATH_BYTES + 20];

	*ret_figure = (struct figure){0};
	int rc = driver_make_folder(bench->folder, config, err);
	if (rc < 0)
		return rc;
	rc = write_config(bench, config);
	pid_t child = rc == 0 ? start_system(config) : -1;
	if (child < 0)
		return enrg_error_set(err, rc < 0 ? rc : -errno, "enrgdaq can't be started");
	snprintf(path, sizeof(path), "%s/system.arrows", config);
	rc = watch_growth(path, child, ret_figure, err);
	kill(child, SIGINT);
	waitpid(child, NULL, 0);
	driver_remove_folder(config);
	return rc;
}

/* --- all in turn -------------------- */

static const struct store_kind arrow_kind = {
	"arrow", {.module = "arrow", .type = "DAQJobStoreArrow", .section_keys = "file_path = \"store.data\""}};
static const struct store_kind raw_kind = {"raw",
	{.module = "raw", .type = "DAQJobStoreRaw", .section_keys = "file_path = \"store.data\"\noverwrite = false"}};

enum subject { SUBJECT_ARROW = WAYS, SUBJECT_RAW, SUBJECT_ODD, SUBJECT_SYSTEM, SUBJECTS };

struct rings {
	struct ring table, blob, odd;
};

static int measure_subject(const struct bench *bench, const struct rings *rings, unsigned subject,
	struct figure *ret_figure, struct enrg_error *err)
{
	switch (subject) {
	case SUBJECT_ARROW:
		return measure_store(bench, &rings->table, &arrow_kind, ret_figure, err);
	case SUBJECT_RAW:
		return measure_store(bench, &rings->blob, &raw_kind, ret_figure, err);
	case SUBJECT_ODD:
		return measure_store(bench, &rings->odd, &raw_kind, ret_figure, err);
	case SUBJECT_SYSTEM:
		return measure_system(bench, ret_figure, err);
	default:
		return measure_plain(bench, &rings->table, (enum way)subject, ret_figure, err);
	}
}

/* Another one begins each time: what one leaves to the disk is not always the same one's burden. */
static int measure_round(const struct bench *bench, const struct rings *rings, unsigned round,
	struct figure figures[SUBJECTS], struct enrg_error *err)
{
	unsigned count = bench->has_system ? SUBJECTS : SUBJECTS - 1;
	int rc = 0;

	for (unsigned i = 0; i < count && rc == 0; i++) {
		unsigned subject = (i + round) % count;
		rc = measure_subject(bench, rings, subject, &figures[subject], err);
	}
	return rc;
}

static double median_of(struct figure figures[ROUNDS_MAX][SUBJECTS], unsigned rounds, unsigned subject, bool is_cpu)
{
	double values[ROUNDS_MAX];

	for (unsigned i = 0; i < rounds; i++)
		values[i] = is_cpu ? figures[i][subject].cpu_s_gb : figures[i][subject].mb_s;
	return pair_median(values, rounds);
}

/* Of each round's pair. */
static double ratio_of(struct figure figures[ROUNDS_MAX][SUBJECTS], unsigned rounds, unsigned subject, unsigned limit)
{
	double values[ROUNDS_MAX];

	for (unsigned i = 0; i < rounds; i++)
		values[i] = figures[i][subject].mb_s / figures[i][limit].mb_s;
	return pair_median(values, rounds);
}

static bool print_all(const struct bench *bench, struct figure figures[ROUNDS_MAX][SUBJECTS])
{
	static const char *const names[SUBJECTS] = {[SUBJECT_ARROW] = "arrow",
		[SUBJECT_RAW] = "raw",
		[SUBJECT_ODD] = "raw, odd lengths",
		[SUBJECT_SYSTEM] = "enrgdaq run, arrow"};
	unsigned rounds = bench->rounds, best = 0;
	bool is_met = true;

	for (unsigned way = 0; way < WAYS; way++) {
		double mb_s = median_of(figures, rounds, way, false), cpu = median_of(figures, rounds, way, true);
		printf("%-32s %6.0f MB/s, %.3f CPU s/GB\n", way_names[way], mb_s, cpu);
		if (cpu < GOAL_CPU && mb_s > median_of(figures, rounds, best, false))
			best = way;
	}
	for (unsigned i = SUBJECT_ARROW; i <= SUBJECT_RAW; i++) {
		double ratio = ratio_of(figures, rounds, i, best), cpu = median_of(figures, rounds, i, true);
		printf("%-32s %6.0f MB/s: ratio %.3f to %s, goal >= %.2f: %s; %.3f CPU s/GB, goal < %.1f: %s\n",
			names[i], median_of(figures, rounds, i, false), ratio, way_names[best], GOAL,
			ratio >= GOAL ? "met" : "MISSED", cpu, GOAL_CPU, cpu < GOAL_CPU ? "met" : "MISSED");
		is_met &= ratio >= GOAL && cpu < GOAL_CPU;
	}
	printf("%-32s %6.0f MB/s: ratio %.3f to %s; %.3f CPU s/GB\n", names[SUBJECT_ODD],
		median_of(figures, rounds, SUBJECT_ODD, false), ratio_of(figures, rounds, SUBJECT_ODD, best),
		way_names[best], median_of(figures, rounds, SUBJECT_ODD, true));
	if (bench->has_system)
		printf("%-32s %6.0f MB/s: ratio %.3f to %s\n", names[SUBJECT_SYSTEM],
			median_of(figures, rounds, SUBJECT_SYSTEM, false),
			ratio_of(figures, rounds, SUBJECT_SYSTEM, best), way_names[best]);
	printf("batches of %.1f MB, %.0f MB a measurement, %u rounds\n", (double)bench->batch_bytes / 1e6,
		(double)(bench->batches * bench->batch_bytes) / 1e6, rounds);
	return is_met;
}

static int measure_all(const struct bench *bench, struct enrg_error *err)
{
	static struct figure figures[ROUNDS_MAX][SUBJECTS];
	struct rings rings = {0};
	int rc = ring_init(&rings.table, &table_schema, bench->batch_bytes, err);

	if (rc == 0)
		rc = ring_init(&rings.blob, enrg_schema_blob(), bench->batch_bytes, err);
	if (rc == 0)
		rc = ring_init(&rings.odd, enrg_schema_blob(), bench->batch_bytes - ODD_BYTES, err);
	for (unsigned i = 0; i < bench->rounds && rc == 0; i++)
		rc = measure_round(bench, &rings, i, figures[i], err);
	ring_fini(&rings.table);
	ring_fini(&rings.blob);
	ring_fini(&rings.odd);
	if (rc < 0)
		return rc;
	return print_all(bench, figures) ? 0 : 1;
}

static bool parse(int argc, char **argv, struct bench *bench, const char **ret_parent)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"folder", required_argument, NULL, 'f'},
		{"batch-mb", required_argument, NULL, 'b'},
		{"total-mb", required_argument, NULL, 't'},
		{"system", no_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	double batch_mb = 8, total_mb = 512;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			bench->rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'f')
			*ret_parent = optarg;
		else if (option == 'b')
			batch_mb = strtod(optarg, NULL);
		else if (option == 't')
			total_mb = strtod(optarg, NULL);
		else if (option == 's')
			bench->has_system = true;
		else
			return false;
	}
	/* Whole pages, for O_DIRECT. */
	bench->batch_bytes = (uint64_t)(batch_mb * 1e6) / PAGE_BYTES * PAGE_BYTES;
	if (!bench->batch_bytes || bench->batch_bytes > 500000000 || bench->rounds < 1 || bench->rounds > ROUNDS_MAX)
		return false;
	bench->batches = (uint64_t)(total_mb * 1e6) / bench->batch_bytes + 1;
	return true;
}

int main(int argc, char **argv)
{
	char folder[DRIVER_PATH_BYTES] = "";
	const char *parent = "/var/tmp";
	struct bench bench = {.folder = folder, .rounds = ROUNDS};
	struct enrg_error err = {0};

	if (!parse(argc, argv, &bench, &parent)) {
		bool is_asked = argc == 2 && strcmp(argv[1], "--help") == 0;
		fputs(help, is_asked ? stdout : stderr);
		return is_asked ? 0 : 2;
	}
	int rc = pin(&err);
	if (rc == 0)
		rc = driver_make_folder(parent, folder, &err);
	if (rc == 0)
		rc = measure_all(&bench, &err);
	driver_remove_folder(folder);
	if (rc < 0)
		fprintf(stderr, "not measured: %s\n", err.text);
	return rc < 0 ? 2 : rc;
}
