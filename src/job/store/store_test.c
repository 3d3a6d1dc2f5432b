/* store_test.c: whole lives of a store type that exists only here, each in a process of its own, ended in every way.
 * What it must have in its files at the end: every batch exactly once. */
#include "fixtures/store.h"

/* --- tests -------------------------------------------------------------------------------------------------------- */

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
	expect_all(f);
	for (int i = 0; i < STREAMS; i++) {
		struct journal_stream_state stored = journal_of(f, &f->producers[i]);
		assert_int_equal(stored.batches, 200);
		assert_int_equal(stored.gaps, 1);
		assert_int_equal(stored.skipped_batches, 1);
		assert_int_equal(stored.skipped_rows, 3);
	}
	assert_int_equal(atomic_load(&f->page->in_batches), 400);
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
			produce(p, (uint64_t)(rand() % 100), 0);
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
	expect_all(f);
	print_message(
		"rows stored over 200 kills: %lld\n", (long long)(f->producers[0].next + f->producers[1].next - 2));
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

static int count_in_log(struct fixture *f, const char *text)
{
	char *bytes;
	size_t bytes_count;
	int count = 0;

	assert_int_equal(path_read_file(f->log_path, 16 << 20, &bytes, &bytes_count, NULL), 0);
	for (const char *at = bytes; (at = strstr(at, text)); at++)
		count++;
	free(bytes);
	return count;
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
	assert_int_equal(atomic_load(&f->page->latency.count), 100); /* each batch once, however often it was tried */
}

/* One turn reads more than the reserve: it stops in the middle all the same. */
static void a_turn_leaves_the_reserve_of_the_disk(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];
	struct statvfs disk;

	if (!limit_disk(f, "1m"))
		skip(); /* no right to mount */
	atomic_store(&control->min_free_bytes, 500000);
	for (int i = 0; i < 110; i++)
		assert_int_equal(produce(p, 1000, 0), 0);
	stream_publish(p->stream);
	start(f);
	wait_for_state(f, PAGE_WAITING);
	assert_int_equal(statvfs(f->out_dir, &disk), 0);
	assert_in_range(disk.f_bavail * disk.f_frsize, 500000 * 7 / 8, 500000);
	assert_true(log_has(f, "writing waits before the disk is full"));
	enlarge_disk(f, true);
	wait_for_state(f, PAGE_RUNNING);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, p, NULL, 0);
}

/* Full, mended, full again: one alert, but the log says both times that it waits. */
static void a_second_full_disk_is_in_the_log(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];

	if (!start_on_small_disk(f))
		skip(); /* no right to mount */
	enlarge_disk(f, true);
	wait_for_state(f, PAGE_RUNNING);
	assert_int_equal(count_in_log(f, "stores again after"), 1);
	assert_int_equal(count_in_log(f, "waiting again: "), 0);
	assert_int_equal(mount(NULL, f->out_dir, NULL, MS_REMOUNT, "size=1m"), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(produce(p, 1000, 10 * NS_PER_S), 0);
	stream_publish(p->stream);
	wait_for_state(f, PAGE_WAITING);
	enlarge_disk(f, true);
	wait_for_backlog(p->path, 0);
	assert_int_equal(count_in_log(f, "waiting again: "), 1);
	assert_int_equal(atomic_load(&f->page->alerts), 1);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, p, NULL, 0);
}

static void a_hurried_stop_leaves_the_rest_for_later(void **state)
{
	struct fixture *f = *state;
	bool is_mounted = start_on_small_disk(f);

	ask(f->pid, ORDER_DRAIN);
	wait_for_state(f, PAGE_WAITING);
	ask(f->pid, ORDER_FAST);
	assert_int_equal(end_of(f), 3);
	assert_true(log_has(f, "stay in shared memory"));
	enlarge_disk(f, is_mounted);
	end_producers(f);
	start(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, &f->producers[0], NULL, 0);
}

static void leave_alone(struct fixture *f)
{
	close(f->lifeline);
	f->lifeline = -1;
}

/* As long as the supervisor lets it, which here lives; only without one it ends by itself. */
static void a_stop_waits_for_a_full_disk(void **state)
{
	struct fixture *f = *state;
	bool is_mounted = start_on_small_disk(f);

	end_producers(f);
	ask(f->pid, ORDER_DRAIN);
	sleep(11); /* that it goes on can't be polled */
	assert_int_equal(waitpid(f->pid, NULL, WNOHANG), 0);
	uint64_t started = clock_mono_ns();
	leave_alone(f);
	assert_int_equal(end_of(f), 1);
	assert_true(clock_mono_ns() - started >= 9 * NS_PER_S);
	assert_true(log_has(f, "the next `enrgdaq run` stores them"));
	enlarge_disk(f, is_mounted);
	start(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, &f->producers[0], NULL, 0);
}

/* --- a table that is refused --- */

static uint64_t backlog_of(const struct producer *p)
{
	struct stream_status status;

	assert_int_equal(stream_read_status(p->path, &status, NULL), 0);
	return status.consumers[0].backlog_bytes;
}

/* Its source waits, the other goes on; nothing "stores again" before the refused batch is stored; one alert. */
static void a_refused_table_holds_up_no_other(void **state)
{
	struct fixture *f = *state;
	struct producer *bad = &f->producers[0], *good = &f->producers[1];
	char reason[PAGE_REASON_BYTES];

	atomic_store(&control->refused, 1);
	start(f);
	assert_int_equal(produce(bad, 10, 0), 0);
	stream_publish(bad->stream);
	wait_for_state(f, PAGE_WAITING);
	uint64_t rounds = 0, until = clock_mono_ns() + 4 * NS_PER_S;
	while (clock_mono_ns() < until) {
		assert_int_equal(produce(good, 10, 0), 0);
		stream_publish(good->stream);
		wait_for_backlog(good->path, 0);
		rounds++;
	}
	print_message("batches of the good table beside the refused one in 4 s: %llu\n", (unsigned long long)rounds);
	assert_true(rounds > 10); /* not one at each attempt of the other */
	assert_true(backlog_of(bad) > 0);
	assert_int_equal(atomic_load(&f->page->state), PAGE_WAITING);
	page_get_reason(f->page, reason, sizeof(reason));
	assert_non_null(strstr(reason, "no column \"n\""));
	assert_int_equal(count_in_log(f, "stores again"), 0);
	assert_int_equal(atomic_load(&f->page->alerts), 1);
	atomic_store(&control->refused, 0);
	wait_for_state(f, PAGE_RUNNING);
	wait_for_backlog(bad->path, 0);
	assert_string_equal(f->page->reason, "");
	end_producers(f);
	assert_int_equal(stop(f), 0);
	assert_int_equal(count_in_log(f, "job0: stores again after"), 1);
	expect_all(f);
}

static void a_stop_does_not_wait_for_ever_for_a_refused_table(void **state)
{
	struct fixture *f = *state;

	atomic_store(&control->refused, 1);
	start(f);
	for (int i = 0; i < STREAMS; i++)
		assert_int_equal(produce(&f->producers[i], 10, 0), 0);
	end_producers(f);
	wait_for_state(f, PAGE_WAITING);
	ask(f->pid, ORDER_DRAIN);
	wait_for_backlog(f->producers[1].path, 0);
	ask(f->pid, ORDER_FAST);
	assert_int_equal(end_of(f), 3);
	assert_true(log_has(f, "the next `enrgdaq run` stores them"));
	assert_int_equal(backlog_of(&f->producers[1]), 0);
	atomic_store(&control->refused, 0);
	start(f);
	assert_int_equal(stop(f), 0);
	expect_all(f);
}

/* Always behind, and far from 8 MiB: what is written is committed all the same. */
static void a_store_that_is_behind_commits_each_second(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];

	atomic_store(&control->delay_ns, NS_PER_S / 50);
	for (int i = 0; i < 150; i++)
		assert_int_equal(produce(p, 10, 0), 0);
	stream_publish(p->stream);
	uint64_t all = backlog_of(p);
	start(f);
	wait_for_backlog(p->path, all - 1); /* at the end of all, without a commit in time */
	assert_true(backlog_of(p) > all / 4);
	atomic_store(&control->delay_ns, 0);
	end_producers(f);
	assert_int_equal(stop(f), 0);
	expect_file(f, p, NULL, 0);
}

/* --- records that are bad ----------------------------------------------------------------------------------------- */

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

/* Each run numbers its batches from 1. */
static void what_an_earlier_run_set_aside_stays(void **state)
{
	struct fixture *f = *state;
	struct producer *p = &f->producers[0];
	char path[160];
	char *text;
	size_t count;

	snprintf(path, sizeof(path), "%s/set_aside_job0_5.arrows", f->out_dir);
	assert_true(mkdir(f->out_dir, 0755) == 0 || errno == EEXIST);
	assert_int_equal(path_write_file(path, "earlier", 7, 0, &f->err), 0);
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
	assert_int_equal(path_read_file(path, 1 << 20, &text, &count, NULL), 0);
	assert_string_equal(text, "earlier");
	free(text);
	snprintf(path, sizeof(path), "%s/set_aside_job0_5_2.arrows", f->out_dir);
	assert_int_equal(access(path, R_OK), 0);
	assert_true(log_has(f, path));
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
		ask(f->pid, ORDER_DRAIN);
		int rc = end_of(f);
		f->plan.previous_signal = SIGABRT;
		if (rc == 0)
			break;
		assert_int_equal(rc, 1000 + SIGABRT);
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

/* --- other ways to end -------------------------------------------------------------------------------------------- */

static void an_orphan_drains_and_ends(void **state)
{
	struct fixture *f = *state;

	start(f);
	produce_ten(&f->producers[0]);
	leave_alone(f);
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
	ask(f->pid, ORDER_DRAIN);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stores_all_and_ends_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_lose_nothing_and_repeat_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_commit_interval_blocks_no_producer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_for_a_full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_turn_leaves_the_reserve_of_the_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_second_full_disk_is_in_the_log, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hurried_stop_leaves_the_rest_for_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stop_waits_for_a_full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_table_holds_up_no_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stop_does_not_wait_for_ever_for_a_refused_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_store_that_is_behind_commits_each_second, set_up, tear_down),
		cmocka_unit_test_setup_teardown(corrupt_batches_are_counted_and_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(holes_and_repeats_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_record_that_kills_three_times_is_set_aside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_an_earlier_run_set_aside_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_record_that_kills_the_commit_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_from_outside_set_nothing_aside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_orphan_drains_and_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missing_input_is_an_error_that_names_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(goes_on_without_its_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_acknowledgement_that_was_not_made_is_made_up, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, share_control, NULL);
}
