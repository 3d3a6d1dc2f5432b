/* store_test.c: whole lives of a store type that exists only here, each in a process of its own, ended in every way. What
 * it must have in its files at the end: every batch exactly once. */
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "arrow/verify.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/path.h"
#include "job/intake.h"
#include "job/reporter.h"
#include "job/store.h"

#define RECORD_BYTES (64u << 10)
#define RING_BYTES (1u << 20)
#define STREAMS 2
#define NS_PER_S 1000000000ull

/* --- the store -------------------------------------------------------------------------------------------------------- */

/* Shared with the process of the store. */
struct control {
	_Atomic int64_t poison;           /* a batch that begins with this value kills the store; 0 = none */
	_Atomic int64_t poison_in_commit; /* the same, but only at its commit */
	_Atomic uint64_t gaps, commits, interval_ns;
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
static const struct enrg_option fake_section[] = {
	{.key = "file_path", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct fake_section, file_path),
		.required = true}, {0}};

static int fake_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	static struct fake_store fake;

	(void)err;
	fake = (struct fake_store){.store = store, .out_dir = ((const struct fake_options *)options)->out_dir};
	enrg_store_set_commit(store, atomic_load(&control->interval_ns), 0);
	*ret_state = &fake;
	return 0;
}

static int fake_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct fake_store *fake = state;
	const struct fake_section *section = target->section;
	const struct enrg_file_name name = {.out_dir = fake->out_dir, .file_path = section->file_path, .tag = target->tag};
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

static int fake_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct fake_store *fake = state;
	int64_t first = 0;

	if (batch->is_gap)
		atomic_fetch_add(&control->gaps, 1);
	if (batch->rows)
		memcpy(&first, batch->columns[0].values, sizeof(first));
	if (first && first == atomic_load(&control->poison))
		abort();
	fake->is_poisoned |= first && first == atomic_load(&control->poison_in_commit);
	return enrg_file_write(target, batch->columns[0].values, batch->rows * 8, err);
}

static int fake_commit(void *state, struct enrg_error *err)
{
	(void)err;
	if (((struct fake_store *)state)->is_poisoned)
		abort();
	atomic_fetch_add(&control->commits, 1);
	return 0;
}

static int fake_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	(void)state;
	(void)abandon;
	(void)err;
	enrg_file_close(target);
	return 0;
}

static int fake_close(void *state, bool abandon, struct enrg_error *err)
{
	(void)state;
	(void)abandon;
	(void)err;
	return 0;
}

static const struct enrg_store_type fake_type = {
	.name = "DAQJobStoreFake", .section = "fake", .summary = "appends numbers",
	.options = {sizeof(struct fake_options), fake_options},
	.section_options = {sizeof(struct fake_section), fake_section},
	.open = fake_open, .target_open = fake_target_open, .write = fake_write, .commit = fake_commit,
	.target_close = fake_target_close, .close = fake_close,
};

/* --- its surroundings ------------------------------------------------------------------------------------------------- */

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
	struct enrg_error err;
};

static const struct enrg_column columns[] = {{"n", ENRG_I64, 0, NULL}};
static const struct enrg_schema schema = {1, columns, false};
static char *groups[] = {"store_config", "other_store_config"};

static void create_producer(struct fixture *f, int index)
{
	struct producer *p = &f->producers[index];
	void *bytes;
	uint32_t count;

	snprintf(p->source, sizeof(p->source), "job%d", index);
	snprintf(p->path, sizeof(p->path), "%s/%s.stream", f->folder, p->source);
	snprintf(p->toml, sizeof(p->toml), "[store_config.fake]\nfile_path = \"%s.bin\"\n", p->source);
	const struct stream_params params = {.path = p->path, .source = p->source, .run = "r", .supervisor = "s",
		.data_bytes = RING_BYTES, .record_bytes_max = RECORD_BYTES, .checks = true};
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
	f->inputs[index] = (struct plan_input){.source = p->source, .stream_path = p->path, .producer_file = "job.toml",
		.producer_toml = p->toml, .producer_type = "DAQJobFake", .group_count = 2, .groups = groups};
}

static int set_up(void **state)
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
	f->plan = (struct plan){.supervisor = "s", .run = "r", .name = "store", .type = "DAQJobStoreFake", .file = "store.toml",
		.toml_text = "", .runtime_folder = f->folder, .page_path = f->page_path, .journal_path = f->journal_path,
		.is_store = true, .input_count = STREAMS, .inputs = f->inputs};
	f->lifeline = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	if (f->pid > 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	for (int i = 0; i < STREAMS; i++) {
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
static _Noreturn void live(struct fixture *f, int lifeline, int ready)
{
	static struct process process;
	static struct fake_options options;
	struct enrg_error err = {0};
	const struct type_entry entry = {.store = &fake_type, .name = fake_type.name};
	sigset_t signals;
	int log = open(f->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	dup2(log, 2);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGABRT, SIG_DFL); /* not cmocka's */
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
static void start(struct fixture *f)
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

static int end_of(struct fixture *f)
{
	int status;

	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int stop(struct fixture *f)
{
	kill(f->pid, SIGTERM);
	return end_of(f);
}

/* Only what was published and what the child closed counts from here on. */
static void end_producers(struct fixture *f)
{
	for (int i = 0; i < STREAMS; i++) {
		stream_close(f->producers[i].stream, true);
		f->producers[i].stream = NULL;
	}
}

static bool log_has(struct fixture *f, const char *text)
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
static void wait_for_state(struct fixture *f, enum page_state want)
{
	uint64_t until = clock_mono_ns() + 20 * NS_PER_S;

	while (atomic_load(&f->page->state) != want) {
		assert_true(clock_mono_ns() < until);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

/* --- producing and checking ------------------------------------------------------------------------------------------- */

static int produce_on(struct producer *p, uint16_t route, uint16_t type, uint64_t rows, int64_t first, uint64_t timeout_ns)
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
	const struct ipc_stamp stamp = {.sequence = stream_route_sequence(p->stream, route), .acquired_ns = clock_wall_ns(),
		.epoch = stream_epoch(p->stream), .body_crc = crc32c(0, values, body), .is_gap = type == RECORD_GAP};
	ipc_write_meta(p->template, claim.payload, rows, NULL, &stamp);
	const struct stream_commit commit = {.route = route, .type = type, .rows = (uint32_t)rows, .meta_bytes = meta,
		.body_bytes = body, .acquired_ns = stamp.acquired_ns};
	stream_commit(p->stream, &commit);
	return 0;
}

static int produce(struct producer *p, uint64_t rows, uint64_t timeout_ns)
{
	int code = produce_on(p, p->route, RECORD_DATA, rows, p->next, timeout_ns);

	if (code == 0)
		p->next += (int64_t)rows;
	return code;
}

/* The file of a producer: the header, then 1, 2, 3 … without the batches of ten in [without, without + 10). */
static void expect_file(struct fixture *f, const struct producer *p, const int64_t *without, size_t without_count)
{
	char path[160], *bytes;
	size_t count;
	int64_t want = 1;

	snprintf(path, sizeof(path), "%s/%s_x.bin", f->out_dir, p->source);
	assert_int_equal(path_read_file(path, 256 << 20, &bytes, &count, NULL), 0);
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

static struct journal_stream_state journal_of(struct fixture *f, const struct producer *p)
{
	struct stream_status status;
	struct journal_stream_state stored;

	assert_int_equal(stream_read_status(p->path, &status, &f->err), 0);
	if (journal_read_stream(f->journal_path, status.uuid, &stored, &f->err) < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(stored.position, status.head);
	assert_int_equal(stored.batches + stored.skipped_batches + stored.set_aside_batches + stored.corrupted_batches +
		stored.lost_batches, status.batches);
	return stored;
}

/* --- tests ------------------------------------------------------------------------------------------------------------ */

static void stores_all_and_ends_in_order(void **state)
{
	struct fixture *f = *state;

	start(f);
	for (int round = 0; round < 200; round++)
		for (int i = 0; i < STREAMS; i++) {
			assert_int_equal(produce(&f->producers[i], 1 + (uint64_t)round * 7 % 500, 10 * NS_PER_S), 0);
			stream_publish(f->producers[i].stream);
		}
	for (int i = 0; i < STREAMS; i++) {
		struct producer *p = &f->producers[i];
		assert_int_equal(produce_on(p, p->other_route, RECORD_DATA, 3, 1000000, 10 * NS_PER_S), 0);
		assert_int_equal(produce_on(p, p->route, RECORD_GAP, 0, 0, 10 * NS_PER_S), 0);
	}
	end_producers(f);
	assert_int_equal(stop(f), 0);
	assert_int_equal(atomic_load(&control->gaps), STREAMS);
	for (int i = 0; i < STREAMS; i++) {
		expect_file(f, &f->producers[i], NULL, 0);
		struct journal_stream_state stored = journal_of(f, &f->producers[i]);
		assert_int_equal(stored.batches, 201);
		assert_int_equal(stored.rows, f->producers[i].next - 1);
		assert_int_equal(stored.skipped_batches, 1);
		assert_int_equal(stored.skipped_rows, 3);
		assert_int_equal(stored.lost_batches + stored.duplicated_batches + stored.corrupted_batches, 0);
	}
	assert_int_equal(atomic_load(&f->page->in_batches), 402);
	assert_int_equal(atomic_load(&f->page->latency.count), 402);
	assert_int_equal(atomic_load(&f->page->lost), 0);
	assert_int_equal(atomic_load(&f->page->alerts), 0);
}

static void kills_lose_nothing_and_repeat_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned killed = 0;

	srand(7);
	for (int life = 0; life < 200; life++) {
		start(f);
		uint64_t until = clock_mono_ns() + (uint64_t)(rand() % 6000) * 1000;
		do {
			struct producer *p = &f->producers[rand() % STREAMS];
			produce(p, (uint64_t)(rand() % 1000), 0);
			if (rand() % 4 == 0)
				stream_publish(p->stream);
		} while (clock_mono_ns() < until);
		kill(f->pid, SIGKILL);
		killed += end_of(f) == 1000 + SIGKILL;
		f->plan.previous_signal = SIGKILL;
	}
	assert_int_equal(killed, 200);
	end_producers(f);
	start(f);
	assert_int_equal(stop(f), 0);
	for (int i = 0; i < STREAMS; i++) {
		expect_file(f, &f->producers[i], NULL, 0);
		struct journal_stream_state stored = journal_of(f, &f->producers[i]);
		assert_int_equal(stored.rows, f->producers[i].next - 1);
		assert_int_equal(stored.lost_batches + stored.duplicated_batches + stored.corrupted_batches, 0);
	}
	print_message("rows stored over 200 kills: %lld\n", (long long)(f->producers[0].next + f->producers[1].next - 2));
}

/* A store that wants to commit once an hour must not hold its producers up for ever. */
static void a_long_commit_interval_blocks_no_producer(void **state)
{
	struct fixture *f = *state;

	atomic_store(&control->interval_ns, 3600 * NS_PER_S);
	start(f);
	for (int i = 0; i < 400; i++)
		assert_int_equal(produce(&f->producers[0], 1000, 10 * NS_PER_S), 0);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	assert_in_range(atomic_load(&control->commits), 3, 60);
	expect_file(f, &f->producers[0], NULL, 0);
}

/* --- a disk that is full --- */

static bool limit_disk(struct fixture *f, const char *size)
{
	char option[32];

	assert_true(mkdir(f->out_dir, 0755) == 0 || errno == EEXIST);
	snprintf(option, sizeof(option), "size=%s", size);
	return mount("tmpfs", f->out_dir, "tmpfs", 0, option) == 0;
}

/* Makes a small disk where we may mount one, else a small limit for the size of a file. */
static bool start_on_small_disk(struct fixture *f)
{
	const struct rlimit limit = {256 << 10, RLIM_INFINITY};
	bool is_mounted = limit_disk(f, "256k");

	start(f);
	if (!is_mounted)
		assert_int_equal(prlimit(f->pid, RLIMIT_FSIZE, &limit, NULL), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(produce(&f->producers[0], 1000, 0), 0);
	stream_publish(f->producers[0].stream);
	wait_for_state(f, PAGE_WAITING_FOR_DISK);
	return is_mounted;
}

static void enlarge_disk(struct fixture *f, bool is_mounted)
{
	const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (is_mounted)
		assert_int_equal(mount(NULL, f->out_dir, NULL, MS_REMOUNT, "size=16m"), 0);
	else if (f->pid)
		assert_int_equal(prlimit(f->pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void waits_for_a_full_disk(void **state)
{
	struct fixture *f = *state;
	bool is_mounted = start_on_small_disk(f);

	assert_true(log_has(f, "job0_x.bin"));
	assert_true(log_has(f, is_mounted ? "disk full: free space" : "ulimit -f"));
	assert_true(log_has(f, "MB waiting in memory"));
	enlarge_disk(f, is_mounted);
	wait_for_state(f, PAGE_RUNNING);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	assert_true(log_has(f, "stores again after"));
	assert_int_equal(atomic_load(&f->page->alerts), 1);
	expect_file(f, &f->producers[0], NULL, 0);
	journal_of(f, &f->producers[0]);
	assert_int_equal(atomic_load(&f->page->in_rows), f->producers[0].next - 1);
}

static void a_hurried_stop_leaves_the_rest_for_later(void **state)
{
	struct fixture *f = *state;
	bool is_mounted = start_on_small_disk(f);

	kill(f->pid, SIGTERM);
	wait_for_state(f, PAGE_WAITING_FOR_DISK);
	/* A second signal while the first is pending would be one: send it until it has worked. */
	int status;
	while (waitpid(f->pid, &status, WNOHANG) == 0) {
		kill(f->pid, SIGTERM);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	f->pid = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_true(log_has(f, "stay in shared memory"));
	enlarge_disk(f, is_mounted);
	end_producers(f);
	start(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, &f->producers[0], NULL, 0);
}

static void a_stop_waits_ten_seconds_for_a_full_disk(void **state)
{
	struct fixture *f = *state;
	bool is_mounted = start_on_small_disk(f);

	end_producers(f);
	uint64_t started = clock_mono_ns();
	assert_int_equal(stop(f), 1);
	assert_in_range(clock_mono_ns() - started, 9 * NS_PER_S, 15 * NS_PER_S);
	assert_true(log_has(f, "the next `enrgdaq run` stores them"));
	enlarge_disk(f, is_mounted);
	start(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, &f->producers[0], NULL, 0);
}

/* --- records that are bad --- */

/* Ten batches of ten rows, published together; their positions are kept. */
static void produce_ten(struct producer *p)
{
	struct stream_status status;

	for (int i = 0; i < 10; i++) {
		assert_int_equal(stream_read_status(p->path, &status, NULL), 0);
		p->positions[i] = status.head;
		assert_int_equal(produce(p, 10, 0), 0);
		stream_publish(p->stream);
	}
}

static struct record *record_in_file(const struct producer *p, uint64_t position, uint8_t **ret_map, size_t *ret_bytes)
{
	struct segment_header header;
	int descriptor = open(p->path, O_RDWR | O_CLOEXEC);

	assert_int_equal(pread(descriptor, &header, sizeof(header), 0), sizeof(header));
	*ret_bytes = header.file_bytes;
	*ret_map = mmap(NULL, *ret_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	assert_ptr_not_equal(*ret_map, MAP_FAILED);
	close(descriptor);
	return (struct record *)(*ret_map + header.data_offset + position % header.data_bytes);
}

static void flip_byte(const struct producer *p, uint64_t position, size_t offset)
{
	uint8_t *map;
	size_t bytes;
	uint8_t *record = (uint8_t *)record_in_file(p, position, &map, &bytes);

	record[offset] ^= 0x10;
	munmap(map, bytes);
}

static void forge_sequence(const struct producer *p, uint64_t position, uint64_t sequence)
{
	uint8_t *map;
	size_t bytes;
	struct record *record = record_in_file(p, position, &map, &bytes);

	record->sequence = sequence;
	record->header_crc = crc32c(0, record, offsetof(struct record, header_crc));
	munmap(map, bytes);
}

static void corrupt_batches_are_counted_and_left_out(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];
	const int64_t without[] = {31, 61};

	produce_ten(p);
	produce_ten(&f->producers[1]);
	flip_byte(p, p->positions[3], 64 + ipc_meta_bytes(p->template) + 3); /* a value */
	flip_byte(p, p->positions[6], offsetof(struct record, rows));        /* the header */
	start(f);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, p, without, 2);
	expect_file(f, &f->producers[1], NULL, 0);
	struct journal_stream_state stored = journal_of(f, p);
	assert_int_equal(stored.corrupted_batches, 2);
	assert_int_equal(stored.lost_batches, 0);
	assert_int_equal(atomic_load(&f->page->corrupted), 2);
	assert_int_equal(atomic_load(&f->page->lost), 0);
	assert_int_equal(atomic_load(&f->page->in_batches), 18);
	assert_true(log_has(f, "body CRC wrong"));
	assert_int_equal(atomic_load(&f->page->alerts), 1); /* the second is not told within ten seconds */
}

static void holes_and_repeats_are_counted(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];
	const int64_t without[] = {41};

	produce_ten(p);
	forge_sequence(p, p->positions[4], 4); /* 1 2 3 4 4 6 …: a repeat, and 5 is missing */
	start(f);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, p, without, 1);
	assert_int_equal(atomic_load(&f->page->lost), 1);
	assert_int_equal(atomic_load(&f->page->duplicated), 1);
	assert_int_equal(atomic_load(&f->page->alerts), 2);
	assert_true(log_has(f, "batch 4, expected 5"));
	assert_true(log_has(f, "1 missing before batch 6"));
}

static void expect_set_aside(struct fixture *f, struct producer *p)
{
	const int64_t without[] = {41};
	char path[160];
	struct verify_report report;

	expect_file(f, p, without, 1);
	snprintf(path, sizeof(path), "%s/set_aside_job0_5.arrows", f->out_dir);
	assert_int_equal(verify_file(path, NULL, NULL, &report, &f->err), 0);
	assert_int_equal(report.batches, 1);
	assert_int_equal(report.rows, 10);
	assert_int_equal(report.corrupted, 0);
	assert_true(log_has(f, path));
	assert_int_equal(atomic_load(&f->page->set_aside), 1);
	struct journal_stream_state stored = journal_of(f, p);
	assert_int_equal(stored.set_aside_batches, 1);
	assert_int_equal(stored.set_aside_rows, 10);
	assert_int_equal(stored.batches, 9);
}

static void a_record_that_kills_three_times_is_set_aside(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];

	produce_ten(p);
	atomic_store(&control->poison, 41);
	for (int life = 0; life < 3; life++) {
		start(f);
		assert_int_equal(end_of(f), 1000 + SIGABRT);
		f->plan.previous_signal = SIGABRT;
	}
	start(f);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_set_aside(f, p);
}

/* The crash comes after the record was written, when more had been read: the lives in between find out which it was. */
static void a_record_that_kills_the_commit_is_found(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];
	int lives = 0;

	produce_ten(p);
	atomic_store(&control->poison_in_commit, 41);
	end_producers(f);
	for (;; lives++) {
		assert_in_range(lives, 0, 4);
		start(f);
		kill(f->pid, SIGTERM);
		int code = end_of(f);
		f->plan.previous_signal = SIGABRT;
		if (code == 0)
			break;
		assert_int_equal(code, 1000 + SIGABRT);
	}
	assert_int_equal(lives, 4);
	expect_set_aside(f, p);
}

/* Killed by others while it reads the same record again and again: no fault of the record. */
static void kills_from_outside_set_nothing_aside(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];

	produce_ten(p);
	atomic_store(&control->poison, 41);
	for (int life = 0; life < 5; life++) {
		start(f);
		assert_int_equal(end_of(f), 1000 + SIGABRT);
		f->plan.previous_signal = SIGKILL; /* so the supervisor says */
	}
	atomic_store(&control->poison, 0);
	start(f);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, p, NULL, 0);
	assert_int_equal(atomic_load(&f->page->set_aside), 0);
}

/* --- other ways to end --- */

static void an_orphan_drains_and_ends(void **state)
{
	struct fixture *f = *state;

	start(f);
	produce_ten(&f->producers[0]);
	close(f->lifeline);
	f->lifeline = -1;
	wait_for_state(f, PAGE_DRAINING);
	produce_ten(&f->producers[0]); /* its producers go on for a while */
	end_producers(f);
	assert_int_equal(end_of(f), 0);
	expect_file(f, &f->producers[0], NULL, 0);
}

static void a_missing_input_is_an_error_that_names_it(void **state)
{
	struct fixture *f = *state;

	unlink(f->producers[1].path);
	start(f);
	assert_int_equal(end_of(f), 1);
	assert_true(log_has(f, "job1"));
}

/* A journal that was moved away: what was acknowledged does not come again. */
static void goes_on_without_its_journal(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];

	start(f);
	produce_ten(p);
	uint64_t until = clock_mono_ns() + 20 * NS_PER_S;
	while (stream_in_flight(p->stream))
		assert_true(clock_mono_ns() < until);
	kill(f->pid, SIGKILL);
	end_of(f);
	unlink(f->journal_path);
	produce_ten(p);
	start(f);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, p, NULL, 0);
	assert_int_equal(atomic_load(&f->page->lost) + atomic_load(&f->page->duplicated), 0);
}

/* Killed between the journal's commit and the acknowledgement: the ring says less than the journal. */
static void an_acknowledgement_that_was_not_made_is_made_up(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];
	struct stream_status status;
	uint8_t *map;
	size_t bytes;

	start(f);
	produce_ten(p);
	assert_int_equal(kill(f->pid, SIGTERM), 0);
	record_in_file(p, 0, &map, &bytes);
	struct segment_consumer *slot = (struct segment_consumer *)(map + 2 * SEGMENT_PAGE);
	assert_string_equal(slot->name, "store");
	/* The producer is still there: the store drains for a while, and this is how the test sees it has committed. */
	uint64_t until = clock_mono_ns() + 20 * NS_PER_S;
	while (stream_in_flight(p->stream))
		assert_true(clock_mono_ns() < until);
	kill(f->pid, SIGKILL);
	end_of(f);
	atomic_store(&slot->ack, p->positions[5]);
	start(f);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, p, NULL, 0);
	assert_int_equal(journal_of(f, p).duplicated_batches, 0);
	assert_int_equal(stream_read_status(p->path, &status, NULL), 0);
	assert_int_equal(status.consumers[0].ack, status.head);
	munmap(map, bytes);
}

/* --- over the link ----------------------------------------------------------------------------------------------------- */

/* Of the streams from `first` on; the others are read in place. */
static void start_senders(struct fixture *f, int first, struct link_sender **senders)
{
	f->plan.link_url = f->link_url;
	for (int i = first; i < STREAMS; i++) {
		const struct link_sender_params params = {.url = f->link_url, .stream_path = f->producers[i].path,
			.consumer_name = "store", .store_type = "DAQJobStoreFake", .window_bytes = 256 << 10};
		f->inputs[i].is_link = true;
		assert_int_equal(link_sender_start(&params, &senders[i], &f->err), 0);
	}
}

static void store_over_link(struct fixture *f, int first_link)
{
	struct link_sender *senders[STREAMS];

	start_senders(f, first_link, senders);
	start(f);
	for (int round = 0; round < 300; round++)
		for (int i = 0; i < STREAMS; i++)
			assert_int_equal(produce(&f->producers[i], 1 + (uint64_t)round % 900, 10 * NS_PER_S), 0);
	end_producers(f);
	for (int i = first_link; i < STREAMS; i++)
		assert_int_equal(link_sender_stop(senders[i], 10 * NS_PER_S), 0);
	assert_int_equal(stop(f), 0);
	for (int i = 0; i < STREAMS; i++) {
		expect_file(f, &f->producers[i], NULL, 0);
		journal_of(f, &f->producers[i]);
	}
	assert_int_equal(atomic_load(&f->page->lost) + atomic_load(&f->page->duplicated), 0);
}

static void stores_what_comes_over_the_link(void **state)
{
	store_over_link(*state, 0);
}

static void reads_rings_and_link_by_turns(void **state)
{
	store_over_link(*state, 1);
}

static void kills_over_the_link_lose_and_repeat_nothing(void **state)
{
	struct fixture *f = *state;
	struct link_sender *senders[STREAMS];
	uint64_t stored = 0;

	srand(11);
	start_senders(f, 0, senders);
	for (int life = 0; life < 20; life++) {
		start(f);
		uint64_t until = clock_mono_ns() + (uint64_t)(rand() % 60000) * 1000;
		do {
			struct producer *p = &f->producers[rand() % STREAMS];
			produce(p, (uint64_t)(rand() % 500), 1000000);
			stream_publish(p->stream);
		} while (clock_mono_ns() < until);
		stored += atomic_load(&f->page->in_batches);
		kill(f->pid, SIGKILL);
		end_of(f);
	}
	start(f);
	end_producers(f);
	for (int i = 0; i < STREAMS; i++)
		assert_int_equal(link_sender_stop(senders[i], 20 * NS_PER_S), 0);
	assert_int_equal(stop(f), 0);
	assert_true(stored > 0); /* the kills came while it was at work */
	for (int i = 0; i < STREAMS; i++) {
		expect_file(f, &f->producers[i], NULL, 0);
		struct journal_stream_state journaled = journal_of(f, &f->producers[i]);
		assert_int_equal(journaled.lost_batches + journaled.duplicated_batches + journaled.corrupted_batches, 0);
	}
}

static void a_long_commit_interval_over_the_link(void **state)
{
	struct fixture *f = *state;
	struct link_sender *senders[STREAMS];

	atomic_store(&control->interval_ns, 3600 * NS_PER_S);
	start_senders(f, 0, senders);
	start(f);
	for (int i = 0; i < 400; i++)
		assert_int_equal(produce(&f->producers[0], 1000, 10 * NS_PER_S), 0);
	end_producers(f);
	/* The senders end when all is committed, and only a stop makes the store commit before the hour is over. */
	kill(f->pid, SIGTERM);
	for (int i = 0; i < STREAMS; i++)
		assert_int_equal(link_sender_stop(senders[i], 20 * NS_PER_S), 0);
	assert_int_equal(end_of(f), 0);
	assert_in_range(atomic_load(&control->commits), 3, 60);
	expect_file(f, &f->producers[0], NULL, 0);
}

static void waits_for_a_full_disk_over_the_link(void **state)
{
	struct fixture *f = *state;
	struct link_sender *senders[STREAMS];

	start_senders(f, 0, senders);
	bool is_mounted = start_on_small_disk(f);
	enlarge_disk(f, is_mounted);
	wait_for_state(f, PAGE_RUNNING);
	end_producers(f);
	for (int i = 0; i < STREAMS; i++)
		assert_int_equal(link_sender_stop(senders[i], 20 * NS_PER_S), 0);
	assert_int_equal(stop(f), 0);
	expect_file(f, &f->producers[0], NULL, 0);
	journal_of(f, &f->producers[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stores_all_and_ends_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_lose_nothing_and_repeat_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_commit_interval_blocks_no_producer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_for_a_full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hurried_stop_leaves_the_rest_for_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stop_waits_ten_seconds_for_a_full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(corrupt_batches_are_counted_and_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(holes_and_repeats_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_record_that_kills_three_times_is_set_aside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_record_that_kills_the_commit_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_from_outside_set_nothing_aside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_orphan_drains_and_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missing_input_is_an_error_that_names_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(goes_on_without_its_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_acknowledgement_that_was_not_made_is_made_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stores_what_comes_over_the_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_rings_and_link_by_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_over_the_link_lose_and_repeat_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_commit_interval_over_the_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_for_a_full_disk_over_the_link, set_up, tear_down),
	};

	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
