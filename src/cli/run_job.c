/* run_job.c: `enrgdaq run-job FILE`: one source in the foreground, in this very process. Main thread: the job; a second
 * thread reads its ring, counts, and takes Ctrl-C. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/cli.h"
#include "config/folder.h"
#include "job/process/crash.h"
#include "job/process/end.h"
#include "job/process/process.h"
#include "job/source/source.h"
#include "plane/stream.h"
#include "supervisor/budget.h"
#include "supervisor/plan_builder.h"

#define LOOK_NS 100000000ull

static const char help[] =
	"usage: enrgdaq run-job FILE [--duration SECONDS]\n\n"
	"Runs the job of one file in the foreground, in this very process: no supervisor, no watchdog, no restart, so\n"
	"that gdb, valgrind, a sanitizer or perf see the driver and nothing else. The file stands in a configuration\n"
	"folder, which is read as `enrgdaq run` reads it. The job's data goes through a ring like that of a run and "
	"is\n"
	"checked, counted and thrown away: nothing is stored. A line a second says what came. Ctrl-C ends it in order, "
	"a\n"
	"second one at once.\n\n"
	"Sources only: a store needs sources. `enrgdaq run FOLDER` and `gdb -p PROCESS` look into a store, or\n"
	"`valgrind --trace-children=yes enrgdaq run FOLDER`.\n\n"
	"  --duration SECONDS   end in order after so long, counted from when the job is ready\n\n"
	"Exit code: 0 ended in order or done, 1 the job failed or a batch is corrupt, 2 configuration.\n\n"
	"examples:\n"
	"  gdb --args enrgdaq run-job configs/mine/camera.toml\n"
	"  valgrind enrgdaq run-job configs/mine/camera.toml --duration 10\n"
	"  perf record -g enrgdaq run-job configs/mine/camera.toml --duration 10\n";

struct counts {
	uint64_t batches, rows, bytes, corrupt;
};

struct foreground {
	struct process process;
	struct type_entry type; /* of the job, with `driver` */
	struct enrg_job_type driver;
	struct consumer *consumer; /* NULL: no store takes the job's data */
	char folder[PATH_MAX];     /* of ring and page, until they are open */
	uint64_t duration_ns, ready_ns;
	struct counts counts;
	_Atomic bool is_over;
};

static struct foreground foreground;       /* zeroed */
static const struct enrg_job_type *driver; /* of the job's module */
static volatile sig_atomic_t asked;        /* times that somebody has asked for the end */

static void ask_for_end(int number)
{
	(void)number;
	asked++;
}

/* --- the reader --- */

static void read_batches(struct foreground *self)
{
	struct consumer_record record;
	struct enrg_error err = {0};
	int rc;

	while ((rc = consumer_acquire(self->consumer, &record, &err)) != 0) {
		if (rc < 0 ||
			(record.header->type == RECORD_DATA && consumer_check(self->consumer, &record, &err) < 0)) {
			self->counts.corrupt++;
			log_line(ENRG_ERROR, "a batch is corrupt: %s", err.text);
			if (rc < 0 && consumer_skip(self->consumer) < 0)
				return;
		} else if (record.header->type == RECORD_DATA) {
			self->counts.batches++;
			self->counts.rows += record.header->rows;
			self->counts.bytes += record.header->meta_bytes + record.header->body_bytes;
		}
		consumer_release(self->consumer, consumer_position(self->consumer), 0);
	}
}

static void print_counts(const struct foreground *self, const struct counts *before)
{
	printf("%" PRIu64 " batches/s, %" PRIu64 " rows/s, %.3f MB/s; missed ticks: %u\n",
		self->counts.batches - before->batches, self->counts.rows - before->rows,
		(double)(self->counts.bytes - before->bytes) / 1e6,
		atomic_load_explicit(&self->process.page->missed_ticks, memory_order_relaxed));
	fflush(stdout);
}

static void remove_folder(const struct foreground *self)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/job.stream", self->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/job.page", self->folder);
	unlink(path);
	rmdir(self->folder);
}

static void look_for_end(struct foreground *self, uint64_t now_ns)
{
	bool is_time = self->ready_ns && self->duration_ns && now_ns - self->ready_ns >= self->duration_ns;

	if (!asked && !is_time)
		return;
	atomic_store_explicit(&self->process.is_asked, 1, memory_order_relaxed);
	process_request_stop(&self->process, asked > 1 ? PROCESS_HURRY : PROCESS_DRAIN);
}

static bool is_ready(const struct foreground *self)
{
	return atomic_load_explicit(&self->process.page->state, memory_order_relaxed) == PAGE_RUNNING;
}

static void *read_and_count(void *context)
{
	struct foreground *self = context;
	struct counts before = {0};
	uint64_t printed_ns = clock_mono_ns(), now_ns;
	sigset_t mine;

	/* Here, and not by a descriptor, so that a debugger sees Ctrl-C; nor in the driver's thread, whose reads it
	 * would end. */
	sigemptyset(&mine);
	sigaddset(&mine, SIGINT);
	sigaddset(&mine, SIGTERM);
	sigaddset(&mine, SIGHUP);
	pthread_sigmask(SIG_UNBLOCK, &mine, NULL);
	while (!atomic_load_explicit(&self->is_over, memory_order_acquire)) {
		if (self->consumer) {
			consumer_wait(&self->consumer, 1, NULL, 0, LOOK_NS);
			read_batches(self);
		} else {
			usleep(LOOK_NS / 1000);
		}
		now_ns = clock_mono_ns();
		if (!self->ready_ns && is_ready(self))
			self->ready_ns = printed_ns = now_ns;
		look_for_end(self, now_ns);
		if (self->ready_ns && now_ns - printed_ns >= 1000000000u) {
			print_counts(self, &before);
			before = self->counts;
			printed_ns += 1000000000u;
		}
	}
	if (self->consumer)
		read_batches(self);
	return NULL;
}

/* --- what the job needs --- */

static int open_ring(
	struct foreground *self, const struct folder *folder, const struct job_config *job, struct enrg_error *err)
{
	const struct plan *plan = self->process.plan;
	const int64_t slot_kb = folder->supervisor.ring_buffer_slot_size_kb;
	const struct stream_params params = {
		.path = plan->stream_path,
		.source = plan->name,
		.run = plan->run,
		.supervisor = plan->supervisor,
		.data_bytes = budget_ring_bytes(
			job->common.ring_buffer_size_mb, folder->supervisor.ring_buffer_size_mb, 1, slot_kb),
		.record_bytes_max = budget_record_bytes(slot_kb),
		.checks = true,
	};
	int rc = stream_create(&params, err);

	if (!rc)
		rc = stream_add_consumer(params.path, "run-job", err);
	if (!rc)
		rc = consumer_open(params.path, "run-job", UINT64_MAX, &self->consumer, err);
	return rc;
}

/* The first call of the driver: ring and page are open, and nothing is left behind however it ends. */
static int start_driver(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	remove_folder(&foreground);
	return driver->start(job, options, ret_state, err);
}

static void set_path(char **path, const char *folder, const char *name)
{
	free(*path);
	if (asprintf(path, "%s/%s", folder, name) < 0)
		*path = NULL;
}

/* The plan without what only a supervisor has: bus, links. */
static int prepare(struct foreground *self, const struct folder *folder, const struct job_config *job,
	struct plan *plan, struct enrg_error *err)
{
	char base[PATH_MAX - 32];
	int rc = path_runtime_folder(base, sizeof(base), err);

	if (rc)
		return rc;
	snprintf(self->folder, sizeof(self->folder), "%s-job.XXXXXX", base);
	if (!mkdtemp(self->folder))
		return enrg_error_set(err, -errno, "%s: %s", self->folder, strerror(errno));
	set_path(&plan->page_path, self->folder, "job.page");
	if (plan->stream_path)
		set_path(&plan->stream_path, self->folder, "job.stream");
	for (size_t i = 0; i < plan->sink_count; i++) {
		free(plan->sinks[i].link_url);
		plan->sinks[i].link_url = NULL;
	}
	self->process.plan = plan;
	driver = job->type->job;
	self->driver = *driver;
	self->driver.start = start_driver;
	self->type = *job->type;
	self->type.job = &self->driver;
	self->process.type = &self->type;
	self->process.common = job->common;
	self->process.options = (void *)job->options;
	rc = page_create(plan->page_path, &self->process.page, err);
	if (!rc && plan->stream_path)
		rc = open_ring(self, folder, job, err);
	return rc;
}

static int run(struct foreground *self, const struct folder *folder, const struct job_config *job, struct plan *plan)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction action = {.sa_handler = ask_for_end};
	struct enrg_error err = {0};
	pthread_t reader;
	sigset_t held;
	int rc;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaddset(&held, ends[i]);
		sigaction(ends[i], &action, NULL);
	}
	pthread_sigmask(SIG_BLOCK, &held, NULL);
	log_init(plan->name, (enum enrg_level)plan->verbosity);
	crash_watch(job->type->module_path);
	rc = prepare(self, folder, job, plan, &err);
	if (!rc && !plan->stream_path)
		log_line(ENRG_WARNING, "no store takes its data, which goes nowhere: there is nothing to count");
	if (!rc)
		rc = -pthread_create(&reader, NULL, read_and_count, self);
	if (!rc) {
		rc = source_run(&self->process, &err);
		atomic_store_explicit(&self->is_over, true, memory_order_release);
		pthread_join(reader, NULL);
		printf("in all: %" PRIu64 " batches, %" PRIu64 " rows, %.3f MB; missed ticks: %u\n",
			self->counts.batches, self->counts.rows, (double)self->counts.bytes / 1e6,
			self->process.page->missed_ticks);
	}
	if (rc == 1 || rc == 2 || rc < 0)
		log_line(ENRG_ERROR, "%s", err.text[0] ? err.text : "failed without saying why");
	if (self->folder[0])
		remove_folder(self);
	consumer_close(self->consumer);
	page_close(self->process.page);
	crash_forget_module();
	rc = rc == 2 ? 2 : rc == 1 || rc < 0 || self->counts.corrupt ? 1 : 0;
	process_end_if_left(&self->process, rc);
	return rc;
}

/* --- the command --- */

/* The folder that a file is configured in: the nearest above it with a supervisor.toml, else its own. */
static void find_folder(const char *file, char *ret_folder, size_t folder_bytes)
{
	char folder[PATH_MAX], probe[PATH_MAX + 32];

	snprintf(folder, sizeof(folder), "%s", file);
	*strrchr(folder, '/') = '\0';
	snprintf(ret_folder, folder_bytes, "%s", folder[0] ? folder : "/");
	for (char *slash = NULL; folder[0]; *slash = '\0') {
		snprintf(probe, sizeof(probe), "%s/supervisor.toml", folder);
		if (!access(probe, F_OK)) {
			snprintf(ret_folder, folder_bytes, "%s", folder);
			return;
		}
		slash = strrchr(folder, '/');
	}
}

static const struct job_config *find_job(const struct folder *folder, const char *file)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < folder->job_count; i++)
		if (!folder->jobs[i].is_default && realpath(folder->jobs[i].file, path) && !strcmp(path, file))
			return &folder->jobs[i];
	return NULL;
}

static int run_file(const char *file, uint64_t duration_ns)
{
	const struct job_config *job = NULL;
	struct runtime runtime = {.folder = ".", .sockets = ".", .run = "run-job"};
	struct enrg_error err = {0};
	struct types *types = NULL;
	struct folder *folder = NULL;
	struct plan_set *plans = NULL;
	char path[PATH_MAX], where[PATH_MAX];
	struct stat status;
	int rc;

	if (!realpath(file, path))
		return cli_usage_error("run-job", "%s: %s", file, strerror(errno));
	if (stat(path, &status) || !S_ISREG(status.st_mode))
		return cli_usage_error("run-job", "%s is no file: name the TOML file of one job in a folder", file);
	find_folder(path, where, sizeof(where));
	rc = cli_load_types(&types);
	if (!rc)
		rc = cli_load_folder(where, types, &folder);
	if (!rc && !(job = find_job(folder, path)))
		rc = cli_usage_error("run-job", "%s is no file of a job in %s", file, where);
	if (!rc && !job->type->job)
		rc = cli_usage_error("run-job",
			"%s needs sources, as a store or a processor does: only a source runs alone", job->name);
	if (!rc && plan_set_create(folder, &runtime, &plans, &err)) {
		fprintf(stderr, "enrgdaq run-job: %s\n", err.text);
		rc = 2;
	}
	if (!rc) {
		foreground.duration_ns = duration_ns;
		rc = run(&foreground, folder, job, plan_set_find(plans, job->name));
	}
	plan_set_destroy(plans);
	folder_free(folder);
	types_free(types);
	return rc;
}

int cli_run_job(int argc, char **argv)
{
	static const struct option options[] = {
		{"duration", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	double seconds = 0;
	char *end;
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (choice != 'd')
			return cli_option_error("run-job");
		seconds = strtod(optarg, &end);
		if (end == optarg || *end || !isfinite(seconds) || seconds <= 0 || seconds > 1e9)
			return cli_usage_error(
				"run-job", "--duration: a number of seconds was expected, not \"%s\"", optarg);
	}
	if (argc - optind != 1)
		return cli_usage_error("run-job", "one file was expected, not %d", argc - optind);
	return run_file(argv[optind], (uint64_t)(seconds * 1e9));
}
