/* runs_test.c: the store of store.h where runs begin and end in its streams: each batch in the file of its run, once,
 * whatever is killed, and in the journal what was stored at each boundary. */
#include "fixtures/store.h"

#define RUNS 12

/* What was put between two boundaries: values [first, next). */
struct part {
	char run[64]; /* "between" */
	int64_t first, next;
};

struct story {
	struct part parts[2 * RUNS + 1];
	struct boundary boundaries[2 * RUNS + 1];
	uint32_t count;
};

static struct story stories[STREAMS];

static void name_batches(struct producer *p, const char *run)
{
	const struct ipc_origin origin = {p->source, run, "x"};

	ipc_template_destroy(p->template);
	assert_int_equal(ipc_template_create(&schema, &origin, &p->template, NULL), 0);
}

static void pass(struct producer *p, struct story *story, enum run_edge edge, unsigned number)
{
	struct boundary boundary = {.edge = edge, .number = number, .wall_ns = 1};

	snprintf(boundary.run, sizeof(boundary.run), "r%u", number);
	snprintf(boundary.label, sizeof(boundary.label), "%s", edge == RUN_BEGINS ? boundary.run : "life-between");
	assert_int_equal(boundary_commit(p->stream, &boundary, 10 * NS_PER_S), 0);
	name_batches(p, boundary.label);
	story->boundaries[story->count - 1] = *boundary_last(p->stream);
	story->parts[story->count++] = (struct part){.first = p->next, .next = p->next};
	snprintf(story->parts[story->count - 1].run, sizeof(story->parts[0].run), "%s",
		edge == RUN_BEGINS ? boundary.run : "between");
}

static void put(struct producer *p, struct story *story, unsigned batches)
{
	for (unsigned i = 0; i < batches; i++)
		assert_int_equal(produce(p, 1 + (uint64_t)p->next % 40, 10 * NS_PER_S), 0);
	story->parts[story->count - 1].next = p->next;
}

static void begin_story(struct producer *p, struct story *story)
{
	memset(story, 0, sizeof(*story));
	story->count = 1;
	story->parts[0].first = story->parts[0].next = p->next;
	snprintf(story->parts[0].run, sizeof(story->parts[0].run), "r"); /* before any boundary: the stream's own */
}

static void begin_stories(struct fixture *f)
{
	for (int i = 0; i < STREAMS; i++)
		begin_story(&f->producers[i], &stories[i]);
}

/* Another number of batches in each: some runs have none, some follow one another at once. */
static void tell_runs(struct fixture *f, unsigned first, unsigned last)
{
	for (unsigned run = first; run <= last; run++) {
		for (int i = 0; i < STREAMS; i++) {
			put(&f->producers[i], &stories[i], (run + (unsigned)i) % 3);
			pass(&f->producers[i], &stories[i], RUN_BEGINS, run);
			put(&f->producers[i], &stories[i], run * 5 % 7);
			pass(&f->producers[i], &stories[i], RUN_ENDED, run);
		}
	}
	for (int i = 0; i < STREAMS; i++)
		put(&f->producers[i], &stories[i], 2);
}

/* Of all parts of that run in turn: header, values; "ended..." where the file was closed, for a run only at its end. */
static void expect_run(struct fixture *f, const struct producer *p, const struct story *story, const char *run)
{
	char path[160], *bytes;
	size_t count, at = 8;
	uint64_t wanted = 0;

	for (uint32_t i = 0; i < story->count; i++)
		if (!strcmp(story->parts[i].run, run))
			wanted += (uint64_t)(story->parts[i].next - story->parts[i].first);
	snprintf(path, sizeof(path), "%s/%s_%s.bin", f->out_dir, p->source, run);
	if (path_read_file(path, 1 << 30, &bytes, &count, NULL) < 0) {
		if (wanted)
			fail_msg("%s is not there", path);
		return;
	}
	assert_memory_equal(bytes, "header..", 8);
	for (uint32_t i = 0; i < story->count; i++) {
		if (strcmp(story->parts[i].run, run) != 0)
			continue;
		for (int64_t value = story->parts[i].first; value < story->parts[i].next; at += 8) {
			int64_t found;
			if (at + 8 > count)
				fail_msg("%s ends before %lld", path, (long long)value);
			memcpy(&found, bytes + at, 8);
			if (!strcmp(run, "between") && !memcmp(bytes + at, "ended...", 8))
				continue;
			if (found != value)
				fail_msg("%s: %lld in the place of %lld", path, (long long)found, (long long)value);
			value++;
		}
	}
	assert_true(at == count || (at + 8 == count && !memcmp(bytes + at, "ended...", 8)));
	free(bytes);
}

/* What the journal has for a run is the difference of two boundaries. */
static void expect_journal(struct fixture *f, const struct producer *p, const struct story *story)
{
	struct stream_status status;
	uint32_t last = story->count - 2;

	assert_int_equal(stream_read_status(p->path, &status, NULL), 0);
	for (uint32_t i = last + 2 > JOURNAL_BOUNDARIES ? last + 2 - JOURNAL_BOUNDARIES : 1; i <= last; i++) {
		const struct boundary *begin = &story->boundaries[i - 1], *end = &story->boundaries[i];
		struct journal_stream_state before, after;
		assert_int_equal(journal_read_boundary(
					 f->journal_path, status.uuid, begin->index, begin->position, &before, &f->err),
			0);
		assert_int_equal(
			journal_read_boundary(f->journal_path, status.uuid, end->index, end->position, &after, &f->err),
			0);
		assert_int_equal(after.rows - before.rows, end->rows - begin->rows);
		assert_int_equal(
			after.batches - before.batches, (end->batches - end->gaps) - (begin->batches - begin->gaps));
		assert_int_equal(after.bytes - before.bytes, end->bytes - begin->bytes);
	}
	assert_int_equal(journal_read_boundary(f->journal_path, status.uuid, story->boundaries[0].index,
				 story->boundaries[0].position, &(struct journal_stream_state){0}, NULL),
		last >= JOURNAL_BOUNDARIES ? -ENOENT : 0);
}

static void expect_story(struct fixture *f, unsigned runs)
{
	for (int i = 0; i < STREAMS; i++) {
		const struct producer *p = &f->producers[i];
		char run[64];
		expect_run(f, p, &stories[i], "between");
		for (unsigned number = 1; number <= runs; number++) {
			snprintf(run, sizeof(run), "r%u", number);
			expect_run(f, p, &stories[i], run);
		}
		expect_journal(f, p, &stories[i]);
		struct journal_stream_state stored = journal_of(f, p);
		assert_int_equal(stored.rows, p->next - 1);
		assert_int_equal(stored.lost_batches + stored.duplicated_batches + stored.corrupted_batches, 0);
	}
}

static void each_run_has_its_files(void **state)
{
	struct fixture *f = *state;

	atomic_store(&control->by_run, 1);
	start(f);
	begin_stories(f);
	tell_runs(f, 1, RUNS);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_story(f, RUNS);
}

/* Where these bytes lie in the file of a stream, the first is another one then. */
static void spoil(const struct producer *p, const void *wanted, size_t wanted_bytes)
{
	struct stat info;
	int descriptor = open(p->path, O_RDWR | O_CLOEXEC);

	assert_true(descriptor >= 0 && fstat(descriptor, &info) == 0);
	uint8_t *map = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	uint8_t *found = memmem(map, (size_t)info.st_size, wanted, wanted_bytes);
	assert_non_null(found);
	found[0] ^= 0x10;
	munmap(map, (size_t)info.st_size);
	close(descriptor);
}

/* Where the record of a boundary is spoilt, the stream's page says the same. */
static void a_spoilt_boundary_is_none_that_is_lost(void **state)
{
	struct fixture *f = *state;

	atomic_store(&control->by_run, 1);
	begin_stories(f);
	tell_runs(f, 1, 2);
	for (int i = 0; i < STREAMS; i++) {
		const struct boundary *second = &stories[i].boundaries[2];
		struct segment_run run = {.edge = second->edge,
			.index = second->index,
			.number = second->number,
			.wall_ns = second->wall_ns};
		spoil(&f->producers[i], &run, offsetof(struct segment_run, sequence));
	}
	start(f);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_story(f, 2);
	assert_true(log_has(f, "the record of a run's begin"));
}

/* The byte `at` of the header of the record that begins at this position of the stream is another one then. */
static void spoil_header(const struct producer *p, uint64_t position, size_t at)
{
	struct segment_header header;
	uint8_t byte;
	int descriptor = open(p->path, O_RDWR | O_CLOEXEC);

	assert_true(descriptor >= 0);
	assert_int_equal(pread(descriptor, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	off_t place = (off_t)(header.data_offset + position % header.data_bytes + at);
	assert_int_equal(pread(descriptor, &byte, 1, place), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(descriptor, &byte, 1, place), 1);
	close(descriptor);
}

/* A header says neither what its record is nor, perhaps, where it ends: the page does, and nothing is lost. */
static void a_boundary_with_a_spoilt_header_is_passed(void **state)
{
	const uint64_t record_bytes = sizeof(struct record) + (sizeof(struct segment_run) + 63) / 64 * 64;
	struct fixture *f = *state;

	atomic_store(&control->by_run, 1);
	begin_stories(f);
	tell_runs(f, 1, 3);
	for (int i = 0; i < STREAMS; i++) {
		const struct story *story = &stories[i];
		/* of run 1: its begin; of run 2: begin and end, whose length can't be trusted; of run 3: the end */
		spoil_header(&f->producers[i], story->boundaries[0].position - record_bytes,
			offsetof(struct record, sequence));
		spoil_header(&f->producers[i], story->boundaries[2].position - record_bytes, 3);
		spoil_header(&f->producers[i], story->boundaries[3].position - record_bytes, 1);
		spoil_header(&f->producers[i], story->boundaries[5].position - record_bytes,
			offsetof(struct record, header_crc));
	}
	start(f);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_story(f, 3);
	assert_true(log_has(f, "the record of a run's begin"));
	assert_true(log_has(f, "the record of a run's end"));
}

/* What lies behind a batch whose length can't be trusted is lost up to the next boundary: it is missing in that run,
 * and the next one has all of its own. */
static void a_spoilt_length_ends_with_its_run(void **state)
{
	struct fixture *f = *state;

	atomic_store(&control->by_run, 1);
	begin_stories(f);
	tell_runs(f, 1, 3);
	for (int i = 0; i < STREAMS; i++)
		spoil_header(&f->producers[i], stories[i].boundaries[2].position, 3);
	start(f);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	for (int i = 0; i < STREAMS; i++) {
		const struct producer *p = &f->producers[i];
		struct journal_stream_state stored = journal_of(f, p), before, after;
		const struct boundary *begin = &stories[i].boundaries[2], *end = &stories[i].boundaries[3];
		struct part *part = &stories[i].parts[3];
		struct stream_status status;
		uint64_t batches = (end->batches - end->gaps) - (begin->batches - begin->gaps);

		assert_true(batches > 1 && !strcmp(part->run, "r2"));
		assert_int_equal(stored.corrupted_batches, 1);
		assert_int_equal(stored.lost_batches, batches - 1);
		assert_int_equal(stored.rows, p->next - 1 - (part->next - part->first));
		assert_int_equal(stream_read_status(p->path, &status, NULL), 0);
		assert_int_equal(journal_read_boundary(
					 f->journal_path, status.uuid, begin->index, begin->position, &before, &f->err),
			0);
		assert_int_equal(
			journal_read_boundary(f->journal_path, status.uuid, end->index, end->position, &after, &f->err),
			0);
		assert_int_equal(after.batches - before.batches, 0); /* so its account misses them */
		expect_run(f, p, &stories[i], "r1");
		expect_run(f, p, &stories[i], "r3");
	}
}

static bool is_drained(struct fixture *f)
{
	for (int i = 0; i < STREAMS; i++) {
		struct stream_status status;
		assert_int_equal(stream_read_status(f->producers[i].path, &status, NULL), 0);
		if (status.consumers[0].backlog_bytes)
			return false;
	}
	return true;
}

/* A life after the other, each shorter than what it would need. Never more boundaries than a stream remembers. */
static unsigned kill_until_drained(struct fixture *f)
{
	static uint32_t seed = 1;
	unsigned kills = 0;

	for (; !is_drained(f); kills++) {
		assert_true(kills < 2000);
		start(f);
		seed = seed * 1103515245 + 12345;
		nanosleep(&(struct timespec){.tv_nsec = (long)(seed >> 8) % 800000}, NULL);
		kill(f->pid, SIGKILL);
		(void)end_of(f);
	}
	return kills;
}

/* A store that was down for longer than a stream remembers boundaries: in the middle of a run, and between two. */
static void down_for_many_runs(void **state)
{
	struct fixture *f = *state;

	atomic_store(&control->by_run, 1);
	begin_stories(f);
	tell_runs(f, 1, 1);
	for (int i = 0; i < STREAMS; i++) {
		put(&f->producers[i], &stories[i], 1);
		if (i % 2)
			pass(&f->producers[i], &stories[i], RUN_BEGINS, 2);
		put(&f->producers[i], &stories[i], 1);
	}
	(void)kill_until_drained(f);
	for (int i = 0; i < STREAMS; i++) {
		put(&f->producers[i], &stories[i], 3);
		if (i % 2)
			pass(&f->producers[i], &stories[i], RUN_ENDED, 2);
	}
	tell_runs(f, 3, 6);
	end_producers(f);
	start(f);
	assert_int_equal(stop(f), 0);
	expect_story(f, 6);
}

static void kill_again_and_again(struct fixture *f, unsigned runs)
{
	unsigned kills = 0;

	atomic_store(&control->by_run, 1);
	atomic_store(&control->delay_ns, 20000);
	begin_stories(f);
	for (unsigned run = 1; run < runs; run += 2) {
		tell_runs(f, run, run + 1);
		kills += kill_until_drained(f);
	}
	end_producers(f);
	print_message("%u kills\n", kills);
	start(f);
	assert_int_equal(stop(f), 0);
	expect_story(f, runs);
}

static void killed_at_any_moment(void **state)
{
	kill_again_and_again(*state, RUNS);
}

/* The store does not see the stream: boundaries come as messages, and what a run is called with its successor too. */
static void over_links(void **state)
{
	struct fixture *f = *state;

	atomic_store(&control->by_run, 1);
	start_senders(f, 0);
	start(f);
	begin_stories(f);
	tell_runs(f, 1, 2);
	kill(f->pid, SIGKILL);
	(void)end_of(f);
	start(f);
	tell_runs(f, 3, RUNS / 2);
	end_producers(f);
	stop_senders(f);
	assert_int_equal(stop(f), 0);
	expect_story(f, RUNS / 2);
}

/* A sender skips what it can't read; the store misses it, and knows what it was. */
static void a_spoilt_header_over_links(void **state)
{
	const uint64_t record_bytes = sizeof(struct record) + (sizeof(struct segment_run) + 63) / 64 * 64;
	struct fixture *f = *state;

	atomic_store(&control->by_run, 1);
	begin_stories(f);
	tell_runs(f, 1, 3);
	for (int i = 0; i < STREAMS; i++)
		for (int k = 1; k < 5; k++)
			spoil_header(&f->producers[i], stories[i].boundaries[k].position - record_bytes,
				offsetof(struct record, sequence));
	start_senders(f, 0);
	start(f);
	end_producers(f);
	stop_senders(f);
	assert_int_equal(stop(f), 0);
	expect_story(f, 3);
}

/* Its file can't be written at the boundary: it goes back, and passes it when it can. */
static void fails_at_a_boundary(void **state)
{
	struct fixture *f = *state;
	bool is_mounted;

	atomic_store(&control->by_run, 1);
	begin_stories(f);
	is_mounted = start_on_small_disk(f); /* fills it with what comes before any run */
	stories[0].parts[0].next = f->producers[0].next;
	pass(&f->producers[0], &stories[0], RUN_BEGINS, 1);
	put(&f->producers[0], &stories[0], 3);
	pass(&f->producers[0], &stories[0], RUN_ENDED, 1);
	enlarge_disk(f, is_mounted);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_run(f, &f->producers[0], &stories[0], "r");
	expect_run(f, &f->producers[0], &stories[0], "r1");
	expect_journal(f, &f->producers[0], &stories[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_run_has_its_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_spoilt_boundary_is_none_that_is_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_boundary_with_a_spoilt_header_is_passed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_spoilt_length_ends_with_its_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(killed_at_any_moment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(down_for_many_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(over_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_spoilt_header_over_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fails_at_a_boundary, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, share_control, NULL);
}
