/* store_fixture.h: what the tests of store processes share: a store type that appends numbers to files, its producers,
 * and a process of its own for each of its lives. */
#ifndef JOB_STORE_FIXTURE_H
#define JOB_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "arrow/verify.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/path.h"
#include "handover/order.h"
#include "job/intake.h"
#include "job/reporter.h"
#include "job/store.h"

#define RECORD_BYTES (64u << 10)
#define RING_BYTES   (1u << 20)
#define STREAMS      2
#define NS_PER_S     1000000000ull

/* --- the store ---------------------------------------------------------------------------------------------------- */

/* Shared with the process of the store. */
struct control {
	_Atomic int64_t poison;           /* a batch that begins with this value kills the store; 0 = none */
	_Atomic int64_t poison_in_commit; /* the same, but only at its commit */
	_Atomic int64_t refused;          /* a batch that begins with this value of job0 is refused; 0 = none */
	_Atomic uint64_t gaps, commits, interval_ns, delay_ns;
	_Atomic uint64_t min_free_bytes; /* 0: the disk is not watched */
};

static struct control *control;

struct fake_options {
	const char *out_dir;
};

struct fake_section {
	const char *file_path;
};

struct fake_store {
	struct enrg_store *store;
	const char *out_dir;
	bool is_poisoned;
};

static const struct enrg_option fake_options[] = {
	{.key = "out_dir", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct fake_options, out_dir)}, {0}};
static const struct enrg_option fake_section[] = {{.key = "file_path",
							  .kind = ENRG_OPTION_STRING,
							  .offset = offsetof(struct fake_section, file_path),
							  .required = true},
	{0}};

static inline int fake_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	static struct fake_store fake;
	static struct enrg_file_options files;

	(void)err;
	files.rules.has_min_free_gb = true;
	files.rules.min_free_gb = (double)atomic_load(&control->min_free_bytes) / 1e9;
	if (files.rules.min_free_gb > 0)
		enrg_store_set_files(store, &files);
	fake = (struct fake_store){.store = store, .out_dir = ((const struct fake_options *)options)->out_dir};
	enrg_store_set_commit(store, atomic_load(&control->interval_ns), 0);
	*ret_state = &fake;
	return 0;
}

static inline int fake_target_open(
	void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct fake_store *fake = state;
	const struct fake_section *section = target->section;
	const struct enrg_file_name name = {
		.out_dir = fake->out_dir, .file_path = section->file_path, .tag = target->tag};
	struct enrg_file *file;
	char path[256];
	int code = enrg_file_path(&name, path, sizeof(path), err);

	if (code == 0)
		code = enrg_file_open(fake->store, path, &file, err);
	if (code == 0 && enrg_file_size(file) == 0)
		code = enrg_file_write(file, "header..", 8, err);
	if (code == 0)
		*ret_target = file;
	return code;
}

static inline int fake_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct fake_store *fake = state;
	int64_t first = 0;

	if (batch->is_gap)
		atomic_fetch_add(&control->gaps, 1);
	if (batch->rows)
		memcpy(&first, batch->columns[0].values, sizeof(first));
	if (first && first == atomic_load(&control->poison))
		abort();
	if (first && first == atomic_load(&control->refused) && !strcmp(batch->source, "job0"))
		return enrg_error_set(err, -EINVAL, "no column \"n\"");
	if (atomic_load(&control->delay_ns))
		nanosleep(&(struct timespec){.tv_nsec = (long)atomic_load(&control->delay_ns)}, NULL);
	fake->is_poisoned |= first && first == atomic_load(&control->poison_in_commit);
	return enrg_file_write(target, batch->columns[0].values, batch->rows * 8, err);
}

static inline int fake_commit(void *state, struct enrg_error *err)
{
	(void)err;
	if (((struct fake_store *)state)->is_poisoned)
		abort();
	atomic_fetch_add(&control->commits, 1);
	return 0;
}

static inline int fake_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	(void)state;
	(void)abandon;
	(void)err;
	enrg_file_close(target);
	return 0;
}

static inline int fake_close(void *state, bool abandon, struct enrg_error *err)
{
	(void)state;
	(void)abandon;
	(void)err;
	return 0;
}

static const struct enrg_store_type fake_type = {
	.name = "DAQJobStoreFake",
	.section = "fake",
	.summary = "appends numbers",
	.options = {sizeof(struct fake_options), fake_options},
	.section_options = {sizeof(struct fake_section), fake_section},
	.open = fake_open,
	.target_open = fake_target_open,
	.write = fake_write,
	.commit = fake_commit,
	.target_close = fake_target_close,
	.close = fake_close,
};

/* --- its surroundings --------------------------------------------------------------------------------------------- */

struct producer {
	char path[96], toml[128], source[8];
	struct stream *stream;
	struct ipc_template *template;
	uint16_t route, other_route;
	int64_t next; /* value; counts up from 1 */
	uint64_t positions[64];
};

struct fixture {
	char folder[64], page_path[96], journal_path[96], log_path[96], out_dir[96], link_url[96];
	struct producer producers[STREAMS];
	struct plan plan;
	struct plan_input inputs[STREAMS];
	const struct page *page;
	int lifeline;
	pid_t pid;
	struct {
		pid_t pid; /* 0: reads in place */
		int stop;
	} senders[STREAMS];
	struct enrg_error err;
};

static const struct enrg_column columns[] = {{"n", ENRG_I64, 0, NULL}};
static const struct enrg_schema schema = {1, columns, false};
static char *groups[] = {"store_config", "other_store_config"};

static inline void create_producer(struct fixture *f, int index)
{
	struct producer *p = &f->producers[index];
	void *bytes;
	uint32_t count;

	snprintf(p->source, sizeof(p->source), "job%d", index);
	snprintf(p->path, sizeof(p->path), "%s/%s.stream", f->folder, p->source);
	snprintf(p->toml, sizeof(p->toml), "[store_config.fake]\nfile_path = \"%s.bin\"\n", p->source);
	const struct stream_params params = {.path = p->path,
		.source = p->source,
		.run = "r",
		.supervisor = "s",
		.data_bytes = RING_BYTES,
		.record_bytes_max = RECORD_BYTES,
		.checks = true};
	assert_int_equal(stream_create(&params, &f->err), 0);
	assert_int_equal(stream_add_consumer(p->path, "store", CONSUMER_REQUIRED, &f->err), 0);
	assert_int_equal(stream_open(p->path, 0, &p->stream, &f->err), 0);
	const struct ipc_origin origin = {p->source, "r", "x"};
	assert_int_equal(ipc_encode_schema(&schema, &origin, &bytes, &count, &f->err), 0);
	assert_int_equal(ipc_template_create(&schema, &origin, &p->template, &f->err), 0);
	assert_int_equal(stream_add_route(p->stream, 0, "x", bytes, count, 0, &p->route, &f->err), 0);
	assert_int_equal(stream_add_route(p->stream, 1, "", bytes, count, 0, &p->other_route, &f->err), 0);
	free(bytes);
	p->next = 1;
	f->inputs[index] = (struct plan_input){.source = p->source,
		.stream_path = p->path,
		.producer_file = "job.toml",
		.producer_toml = p->toml,
		.producer_type = "DAQJobFake",
		.group_count = 2,
		.groups = groups};
}

static inline int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/dev/shm/store_test.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->page_path, sizeof(f->page_path), "%s/page", f->folder);
	snprintf(f->journal_path, sizeof(f->journal_path), "%s/journal", f->folder);
	snprintf(f->log_path, sizeof(f->log_path), "%s/log", f->folder);
	snprintf(f->out_dir, sizeof(f->out_dir), "%s/out", f->folder);
	snprintf(f->link_url, sizeof(f->link_url), "ipc://%s/link", f->folder);
	memset(control, 0, sizeof(*control));
	for (int i = 0; i < STREAMS; i++)
		create_producer(f, i);
	f->plan = (struct plan){.supervisor = "s",
		.run = "r",
		.name = "store",
		.type = "DAQJobStoreFake",
		.file = "store.toml",
		.toml_text = "",
		.runtime_folder = f->folder,
		.page_path = f->page_path,
		.journal_path = f->journal_path,
		.is_store = true,
		.input_count = STREAMS,
		.inputs = f->inputs};
	f->lifeline = -1;
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	if (f->pid > 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	for (int i = 0; i < STREAMS; i++) {
		if (f->senders[i].pid > 0) {
			kill(f->senders[i].pid, SIGKILL);
			waitpid(f->senders[i].pid, NULL, 0);
		}
		stream_close(f->producers[i].stream, false);
		ipc_template_destroy(f->producers[i].template);
	}
	page_close(f->page);
	close(f->lifeline);
	umount2(f->out_dir, MNT_DETACH);
	snprintf(command, sizeof(command), "rm -rf %s", f->folder);
	free(f);
	return system(command);
}

/* The child: as process_main, without module. */
static inline _Noreturn void live(struct fixture *f, int lifeline, int ready)
{
	static struct process process;
	static struct fake_options options;
	struct enrg_error err = {0};
	const struct type_entry entry = {.store = &fake_type, .name = fake_type.name};
	sigset_t signals;
	int log = open(f->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	dup2(log, 2);
	sigemptyset(&signals);
	order_add_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGABRT, SIG_DFL); /* not cmocka's */
	signal(SIGXFSZ, SIG_IGN);
	log_init("store", ENRG_INFO);
	options.out_dir = f->out_dir;
	process.plan = &f->plan;
	process.type = &entry;
	process.options = &options;
	process.memory = options_memory_create();
	process.ready_descriptor = ready;
	if (page_create(f->page_path, &process.page, &err) < 0 ||
		reporter_start(&process, lifeline, &process.reporter, &err) < 0)
		_exit(100);
	int code = store_run(&process, &err);
	if (code == 1 || code == 2)
		process_alert(&process, ENRG_ERROR, "%s", err.text);
	reporter_stop(process.reporter);
	options_memory_destroy(process.memory);
	_exit(code);
}

/* Starts a life; waits until it is ready. */
static inline void start(struct fixture *f)
{
	int lifeline[2], ready[2];
	char line[16] = "";

	page_close(f->page);
	f->page = NULL;
	if (f->lifeline >= 0)
		close(f->lifeline);
	assert_int_equal(pipe2(lifeline, O_CLOEXEC), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	f->lifeline = lifeline[1];
	f->pid = fork();
	if (f->pid == 0) {
		close(lifeline[1]);
		close(ready[0]);
		live(f, lifeline[0], ready[1]);
	}
	assert_true(f->pid > 0);
	close(lifeline[0]);
	close(ready[1]);
	ssize_t count = read(ready[0], line, sizeof(line) - 1); /* 0: it died before */
	close(ready[0]);
	if (count > 0)
		assert_int_equal(page_open(f->page_path, &f->page, &f->err), 0);
	f->plan.life++;
}

static inline int end_of(struct fixture *f)
{
	int status;

	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* As the supervisor asks: a word of order.h to the job. */
static inline void ask(pid_t pid, int word)
{
	assert_int_equal(order_send(pid, word), 0);
}

static inline int stop(struct fixture *f)
{
	ask(f->pid, ORDER_DRAIN);
	return end_of(f);
}

/* Only what was published and what the child closed counts from here on. */
static inline void end_producers(struct fixture *f)
{
	for (int i = 0; i < STREAMS; i++) {
		stream_close(f->producers[i].stream, true);
		f->producers[i].stream = NULL;
	}
}

static inline bool log_has(struct fixture *f, const char *text)
{
	char *bytes;
	size_t count;

	assert_int_equal(path_read_file(f->log_path, 16 << 20, &bytes, &count, NULL), 0);
	bool has = strstr(bytes, text) != NULL;
	if (!has)
		print_message("log has no \"%s\":\n%s", text, bytes);
	free(bytes);
	return has;
}

/* Looks until it is so, for 20 s. */
static inline void wait_for_state(struct fixture *f, enum page_state want)
{
	uint64_t until = clock_mono_ns() + 20 * NS_PER_S;

	while (atomic_load(&f->page->state) != want) {
		assert_true(clock_mono_ns() < until);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

/* Looks until the store has acknowledged all but so many bytes, for 20 s. */
static inline void wait_for_backlog(const char *path, uint64_t bytes)
{
	uint64_t until = clock_mono_ns() + 20 * NS_PER_S;
	struct stream_status status;

	do {
		assert_true(clock_mono_ns() < until);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		assert_int_equal(stream_read_status(path, &status, NULL), 0);
	} while (status.consumers[0].backlog_bytes > bytes);
}

/* --- producing and checking --------------------------------------------------------------------------------------- */

static inline int produce_on(
	struct producer *p, uint16_t route, uint16_t type, uint64_t rows, int64_t first, uint64_t timeout_ns)
{
	struct stream_claim claim;
	uint32_t meta = ipc_meta_bytes(p->template);
	uint64_t body = ipc_body_bytes(p->template, rows, NULL);
	int code = stream_claim(p->stream, meta + body, timeout_ns, &claim);

	if (code < 0)
		return code;
	int64_t *values = (int64_t *)(claim.payload + meta);
	memset(values, 0, body);
	for (uint64_t i = 0; i < rows; i++)
		values[i] = first + (int64_t)i;
	const struct ipc_stamp stamp = {.sequence = stream_route_sequence(p->stream, route),
		.acquired_ns = clock_wall_ns(),
		.epoch = stream_epoch(p->stream),
		.body_crc = crc32c(0, values, body),
		.is_gap = type == RECORD_GAP};
	ipc_write_meta(p->template, claim.payload, rows, NULL, &stamp);
	const struct stream_commit commit = {.route = route,
		.type = type,
		.rows = (uint32_t)rows,
		.meta_bytes = meta,
		.body_bytes = body,
		.acquired_ns = stamp.acquired_ns};
	stream_commit(p->stream, &commit);
	return 0;
}

static inline int produce(struct producer *p, uint64_t rows, uint64_t timeout_ns)
{
	int code = produce_on(p, p->route, RECORD_DATA, rows, p->next, timeout_ns);

	if (code == 0)
		p->next += (int64_t)rows;
	return code;
}

/* The file of a producer: the header, then 1, 2, 3 … without the batches of ten in [without, without + 10). */
static inline void expect_file(
	struct fixture *f, const struct producer *p, const int64_t *without, size_t without_count)
{
	char path[160], *bytes;
	size_t count;
	int64_t want = 1;

	snprintf(path, sizeof(path), "%s/%s_x.bin", f->out_dir, p->source);
	assert_int_equal(path_read_file(path, 1 << 30, &bytes, &count, NULL), 0);
	assert_memory_equal(bytes, "header..", 8);
	for (size_t at = 8; at + 8 <= count; at += 8) {
		int64_t value;
		for (size_t i = 0; i < without_count; i++)
			if (want == without[i])
				want += 10;
		memcpy(&value, bytes + at, 8);
		if (value != want)
			fail_msg("%s: offset %zu has %lld, expected %lld", path, at, (long long)value, (long long)want);
		want++;
	}
	for (size_t i = 0; i < without_count; i++)
		if (want == without[i])
			want += 10;
	assert_int_equal(want, p->next);
	assert_int_equal(count % 8, 0);
	free(bytes);
}

static inline struct journal_stream_state journal_of(struct fixture *f, const struct producer *p)
{
	struct stream_status status;
	struct journal_stream_state stored;

	assert_int_equal(stream_read_status(p->path, &status, &f->err), 0);
	if (journal_read_stream(f->journal_path, status.uuid, &stored, &f->err) < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(stored.position, status.head);
	assert_int_equal(stored.batches + stored.skipped_batches + stored.set_aside_batches + stored.corrupted_batches +
				 stored.lost_batches + stored.gaps,
		status.batches);
	return stored;
}

/* Both files whole, and nothing in the journal but what was stored. */
static inline void expect_all(struct fixture *f)
{
	for (int i = 0; i < STREAMS; i++) {
		expect_file(f, &f->producers[i], NULL, 0);
		struct journal_stream_state stored = journal_of(f, &f->producers[i]);
		assert_int_equal(stored.rows, f->producers[i].next - 1);
		assert_int_equal(stored.lost_batches + stored.duplicated_batches + stored.corrupted_batches, 0);
	}
}

/* --- a disk that is full ------------------------------------------------------------------------------------------ */

static inline bool limit_disk(struct fixture *f, const char *size)
{
	char option[32];

	assert_true(mkdir(f->out_dir, 0755) == 0 || errno == EEXIST);
	snprintf(option, sizeof(option), "size=%s", size);
	return mount("tmpfs", f->out_dir, "tmpfs", 0, option) == 0;
}

/* Makes a small disk where we may mount one, else a small limit for the size of a file. */
static inline bool start_on_small_disk(struct fixture *f)
{
	const struct rlimit limit = {256 << 10, RLIM_INFINITY};
	bool is_mounted = limit_disk(f, "256k");

	start(f);
	if (!is_mounted)
		assert_int_equal(prlimit(f->pid, RLIMIT_FSIZE, &limit, NULL), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(produce(&f->producers[0], 1000, 0), 0);
	stream_publish(f->producers[0].stream);
	wait_for_state(f, PAGE_WAITING);
	return is_mounted;
}

static inline void enlarge_disk(struct fixture *f, bool is_mounted)
{
	const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (is_mounted)
		assert_int_equal(mount(NULL, f->out_dir, NULL, MS_REMOUNT, "size=16m"), 0);
	else if (f->pid)
		assert_int_equal(prlimit(f->pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

/* A group's set-up. */
static inline int share_control(void **state)
{
	(void)state;
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return control == MAP_FAILED;
}

#endif
