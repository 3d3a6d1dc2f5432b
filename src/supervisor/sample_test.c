/* sample_test.c: latency of late and of all batches, from a page that this process plays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/member_page.h"
#include "supervisor/sample.h"

#define MS 1000000ull
#define S  1000000000ull

static uint64_t p50(const struct histogram *histogram)
{
	return histogram_quantile(histogram, 0.5);
}

static void latency_is_that_of_the_last_seconds(void **state)
{
	char path[] = "/dev/shm/sample_test.XXXXXX";
	struct plan plan = {.name = "csv", .page_path = path, .is_store = true};
	struct member member = {.plan = &plan, .state = MEMBER_RUNNING, .child = {.pid = getpid()}, .page_file = -1};
	struct member *list[] = {&member};
	struct roster roster = {.count = 1, .members = list};
	struct page *page;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(page_create(path, &page, NULL), 0);
	for (int i = 0; i < 1000; i++)
		histogram_add(&page->latency, 6 * S);
	sample_take(&roster, 10 * S);
	assert_true(p50(&member.latency->recent) >= 6 * S);
	sample_take(&roster, 12 * S);
	for (int i = 0; i < 10; i++)
		histogram_add(&page->latency, MS);
	sample_take(&roster, 14 * S);
	assert_in_range(p50(&member.latency->recent), MS, 2 * MS);
	assert_int_equal(atomic_load(&member.latency->recent.count), 10);
	assert_true(p50(&member.latency->all) >= 6 * S);
	sample_take(&roster, 16 * S);
	sample_take(&roster, 18 * S);
	assert_int_equal(atomic_load(&member.latency->recent.count), 0); /* nothing came */
	page_set_reason(page, "a\nb");
	member_page_end_life(&member, getpid());
	assert_string_equal(member.last_reason, "a b");
	assert_int_equal(atomic_load(&member.latency->all.count), 1010);
	free(member.latency);
	page_close(page);
	unlink(path);
}

/* --- ledger ------------------------------------------------------------------------------------------------------- */

static char folder[64], stream_path[96], journal_path[96], page_path[96];

static int make_files(void **state)
{
	const struct stream_params params = {.path = stream_path,
		.source = "source",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = 1 << 20,
		.record_bytes_max = 1000};

	(void)state;
	strcpy(folder, "/dev/shm/sample_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(stream_path, sizeof(stream_path), "%s/source.stream", folder);
	snprintf(journal_path, sizeof(journal_path), "%s/store.journal", folder);
	snprintf(page_path, sizeof(page_path), "%s/source.page", folder);
	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_add_consumer(stream_path, "store", NULL), 0);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	unlink(stream_path);
	unlink(journal_path);
	unlink(page_path);
	rmdir(folder);
	return 0;
}

/* What a source and its store would do, in this process. */
struct play {
	struct page *page;
	struct stream *stream;
	struct consumer *consumer;
	struct journal *journal;
	uint32_t index;
	struct journal_stream_state state;
};

static void begin_play(struct play *play)
{
	struct stream_status status;

	assert_int_equal(page_create(page_path, &play->page, NULL), 0);
	atomic_store(&play->page->state, PAGE_RUNNING);
	assert_int_equal(stream_open(stream_path, 0, &play->stream, NULL), 0);
	assert_int_equal(consumer_open(stream_path, "store", UINT64_MAX, &play->consumer, NULL), 0);
	assert_int_equal(stream_read_status(stream_path, &status, NULL), 0);
	assert_int_equal(journal_open(journal_path, &play->journal, NULL), 0);
	assert_int_equal(journal_add_stream(play->journal, status.uuid, "source", &play->index, NULL), 0);
}

static void end_play(struct play *play)
{
	consumer_close(play->consumer);
	stream_close(play->stream, true);
	journal_close(play->journal);
	page_close(play->page);
}

static void produce(struct play *play)
{
	struct stream_claim claim;

	assert_int_equal(stream_claim(play->stream, 100, 0, &claim), 0);
	stream_commit(play->stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 2, .body_bytes = 100});
}

static void store(struct play *play)
{
	struct consumer_record record;

	assert_int_equal(consumer_acquire(play->consumer, &record, NULL), 1);
	play->state.position = record.end;
	play->state.sequence = record.header->sequence;
	play->state.batches++;
	play->state.rows += record.header->rows;
	play->state.bytes += record.header->body_bytes;
	journal_set_stream(play->journal, play->index, &play->state);
	consumer_release(play->consumer, record.end, journal_commit(play->journal));
}

/* Both looks are taken. */
static bool look(struct roster *roster, struct ledger *ledger, uint64_t now_ns)
{
	bool is_new = sample_take(roster, now_ns);

	return sample_ledger(roster, ledger, false) || is_new;
}

/* Streams and journals of which nothing new is heard are left out; what is told is true all the same. */
static void ledger_stays_true(void **state)
{
	struct plan_sink sink = {.store_name = "store"};
	struct plan plans[] = {
		{.name = "source", .page_path = page_path, .stream_path = stream_path, .sinks = &sink, .sink_count = 1},
		{.name = "store", .page_path = "/dev/null", .journal_path = journal_path, .is_store = true}};
	struct member members[] = {{.plan = &plans[0],
					   .state = MEMBER_RUNNING,
					   .child = {.pid = getpid()},
					   .page_file = -1,
					   .look = STREAM_LOOK_NONE,
					   .journal = JOURNAL_WATCH_NONE},
		{.plan = &plans[1], .page_file = -1, .look = STREAM_LOOK_NONE, .journal = JOURNAL_WATCH_NONE}};
	struct member *by_name[] = {&members[0], &members[1]};
	struct roster roster = {.count = 2, .members = by_name, .by_name = by_name};
	struct play play = {0};
	struct ledger *ledger;
	uint64_t now_ns = 10 * S;

	(void)state;
	begin_play(&play);
	assert_int_equal(ledger_create(0, &ledger), 0);
	const struct ledger_source *source = ledger_take_source(ledger, "source", 0);
	assert_true(look(&roster, ledger, now_ns));
	assert_false(look(&roster, ledger, now_ns += S));
	produce(&play);
	atomic_store(&play.page->out_batches, 1);
	assert_true(sample_take(&roster, now_ns += S));
	assert_true(sample_ledger(&roster, ledger, false));
	assert_int_equal(source->batches, 1);
	assert_int_equal(source->stores[0].in_flight_batches, 1);
	store(&play); /* the source's page says nothing of that */
	(void)sample_take(&roster, now_ns += S);
	assert_true(sample_ledger(&roster, ledger, false));
	assert_int_equal(source->stores[0].stored_rows, 2);
	assert_true(ledger_is_settled(ledger));
	assert_int_equal(members[0].stream->consumers[0].backlog_bytes, 0);
	assert_false(look(&roster, ledger, now_ns += S));
	/* Killed before it could count the batch in its page: the next slow look sees it, and so does the last one. */
	produce(&play);
	assert_false(look(&roster, ledger, now_ns += S));
	(void)sample_take(&roster, now_ns += 10 * S);
	assert_true(sample_ledger(&roster, ledger, false));
	assert_int_equal(source->batches, 2);
	store(&play);
	produce(&play);
	store(&play);
	(void)sample_take(&roster, now_ns += S);
	assert_true(sample_ledger(&roster, ledger, true));
	assert_int_equal(source->batches, 3);
	assert_true(ledger_is_settled(ledger));
	/* Its place is empty: said at the next slow look, with the figures of the last time. */
	assert_int_equal(truncate(stream_path, 0), 0);
	(void)sample_take(&roster, now_ns += 10 * S);
	assert_true(sample_ledger(&roster, ledger, false));
	assert_false(source->is_read);
	assert_int_equal(source->batches, 3);
	assert_int_equal(truncate(stream_path, SEGMENT_DATA_AT + (1 << 20)), 0); /* for the close of its mapping */
	end_play(&play);
	for (int i = 0; i < 2; i++) {
		stream_look_close(&members[i].look);
		journal_watch_close(&members[i].journal);
		member_page_forget(&members[i]);
		free(members[i].stream);
	}
	ledger_destroy(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latency_is_that_of_the_last_seconds),
		cmocka_unit_test_setup_teardown(ledger_stays_true, make_files, remove_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
