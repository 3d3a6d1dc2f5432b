/* ledger_test.c: the equation, and what is said where it does not hold. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/ledger.h"

static struct ledger *make(uint64_t produced, const struct journal_stream_state *state)
{
	struct ledger *ledger = NULL;
	struct ledger_source *source;

	assert_int_equal(ledger_create(1, &ledger), 0);
	source = &ledger->sources[0];
	strcpy(source->name, "camera");
	source->sequence = source->batches = produced;
	source->rows = produced * 10;
	source->bytes = produced * 1000;
	source->is_read = true;
	assert_int_equal(ledger_size_stores(source, 1), 0);
	strcpy(source->stores[0].name, "csv");
	source->stores[0].state = *state;
	ledger_balance(source, 0);
	return ledger;
}

static char *print(const struct ledger *ledger)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);

	ledger_print(ledger, false, stream);
	fclose(stream);
	return text;
}

static void expect(
	uint64_t produced, const struct journal_stream_state *state, bool accounted, bool settled, const char *words)
{
	struct ledger *ledger = make(produced, state);
	char *text = print(ledger);
	json_t *json = ledger_format_json(ledger, "r", "s", true);

	assert_int_equal(ledger_is_accounted(ledger), accounted);
	assert_int_equal(ledger_is_settled(ledger), settled);
	assert_int_equal(json_is_true(json_object_get(json, "accounted")), accounted);
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, text);
	json_decref(json);
	free(text);
	ledger_destroy(ledger);
}

static void all_stored(void **state)
{
	(void)state;
	expect(5, &(struct journal_stream_state){.sequence = 5, .batches = 5, .rows = 50}, true, true, ": accounted\n");
	expect(5, &(struct journal_stream_state){.sequence = 5, .batches = 2, .rows = 20, .skipped_batches = 3}, true,
		true, "not for this store 3: accounted");
	expect(0, &(struct journal_stream_state){0}, true, true, ": accounted\n");
}

static void some_in_flight(void **state)
{
	(void)state;
	expect(5, &(struct journal_stream_state){.sequence = 3, .batches = 3, .rows = 30}, true, false,
		"in flight 2: accounted, not all stored");
}

static void a_pad_is_no_backlog(void **state)
{
	(void)state;
	struct ledger *ledger =
		make(5, &(struct journal_stream_state){.sequence = 3, .batches = 3, .rows = 30, .bytes = 3000});

	ledger->sources[0].stores[0].in_flight_bytes = (256u << 20) + 2200;
	ledger_balance(&ledger->sources[0], 0);
	assert_int_equal(ledger->sources[0].stores[0].in_flight_bytes, 2000);
	ledger_destroy(ledger);
}

/* A source that was started again wrote a gap record, and its store still waits. */
static void a_gap_record_is_not_in_flight(void **state)
{
	(void)state;
	struct ledger *ledger = make(3, &(struct journal_stream_state){.sequence = 1, .batches = 1, .rows = 10});
	struct ledger_source *source = &ledger->sources[0];

	source->gaps = 1;
	source->rows = 20;
	ledger_balance(source, 0);
	assert_int_equal(source->stores[0].in_flight_batches, 1);
	assert_int_equal(source->stores[0].waiting_batches, 1);
	assert_true(ledger_is_accounted(ledger));
	assert_false(ledger_is_settled(ledger));
	/* nothing but the gap record is left: every batch is stored */
	source->stores[0].state = (struct journal_stream_state){.sequence = 2, .batches = 2, .rows = 20};
	ledger_balance(source, 0);
	assert_int_equal(source->stores[0].in_flight_batches, 0);
	assert_true(ledger_is_settled(ledger));
	ledger_destroy(ledger);
}

/* What an earlier run left: 10 batches and a gap record, of which the store has taken 4 batches. */
static void a_gap_record_of_an_earlier_run_is_not_left(void **state)
{
	static const struct earlier earlier = {.runs = "r0:1", .sequence = 11, .batches = 11, .rows = 100, .gaps = 1};
	struct ledger *ledger =
		make(11, &(struct journal_stream_state){
				 .sequence = 4, .batches = 4, .rows = 40, .left_batches = 4, .left_rows = 40});
	char *text;

	(void)state;
	assert_int_equal(ledger_set_earlier(ledger, "camera", &earlier), 0);
	ledger->sources[0].gaps = 1;
	ledger->sources[0].rows = 100;
	ledger_balance(&ledger->sources[0], 0);
	text = print(ledger);
	assert_int_equal(ledger->sources[0].stores[0].waiting_batches, 0);
	assert_non_null(strstr(text, "of run r0 10 batches were left; stored 4 batches, 40 rows; in flight 6:"));
	free(text);
	ledger_destroy(ledger);
}

static void missed_ticks_are_named(void **state)
{
	(void)state;
	struct ledger *ledger = make(5, &(struct journal_stream_state){.sequence = 5, .batches = 5, .rows = 50});
	json_t *json;
	char *text;

	ledger->sources[0].missed_ticks = 3;
	text = print(ledger);
	json = ledger_format_json(ledger, "r", "s", true);
	assert_non_null(strstr(text, "; missed 3 ticks: accounted"));
	assert_int_equal(json_integer_value(
				 json_object_get(json_array_get(json_object_get(json, "sources"), 0), "missed_ticks")),
		3);
	json_decref(json);
	free(text);
	ledger_destroy(ledger);
}

static void some_missing(void **state)
{
	(void)state;
	expect(5, &(struct journal_stream_state){.sequence = 5, .batches = 4, .rows = 40}, false, false,
		"MISSING 1 batches");
	expect(5, &(struct journal_stream_state){.sequence = 5, .batches = 6, .rows = 60}, false, false,
		"COUNTED TWICE 1 batches");
	expect(5, &(struct journal_stream_state){.sequence = 5, .batches = 5, .rows = 49}, false, false,
		"MISSING 1 rows");
	expect(5, &(struct journal_stream_state){.sequence = 5, .batches = 4, .set_aside_batches = 1}, false, false,
		"SET ASIDE");
}

static void a_store_ahead_of_the_tally_is_not_wrong(void **state)
{
	(void)state;
	expect(5, &(struct journal_stream_state){.sequence = 6, .batches = 6, .rows = 60}, true, true, ": accounted");
}

/* Old numbers that agree prove nothing about a stream that somebody destroyed since. */
static void a_stream_that_cant_be_read_is_not_accounted(void **state)
{
	(void)state;
	struct ledger *ledger = make(5, &(struct journal_stream_state){.sequence = 5, .batches = 5, .rows = 50});
	char *text;

	ledger->sources[0].is_read = false;
	text = print(ledger);
	assert_false(ledger_is_accounted(ledger));
	assert_false(ledger_is_settled(ledger));
	assert_non_null(strstr(text, "NOT KNOWN"));
	free(text);
	ledger_destroy(ledger);
}

/* A stream taken over with 100 batches of a run that had stored 60 of them; then 50 batches and a gap record of this
 * run. */
static void a_run_counts_what_it_made_itself(void **state)
{
	static struct earlier earlier = {.runs = "r0:1",
		.sequence = 100,
		.batches = 100,
		.rows = 1000,
		.bytes = 100000,
		.store_count = 1,
		.stores = {{.name = "csv",
			.state = {.position = 1, .sequence = 60, .batches = 60, .rows = 600, .bytes = 60000}}}};
	struct ledger *ledger = make(0, &(struct journal_stream_state){0});
	struct ledger_source *source = &ledger->sources[0];
	char *text;

	(void)state;
	assert_int_equal(ledger_set_earlier(ledger, "camera", &earlier), 0);
	source->sequence = source->batches = 151;
	source->gaps = 1;
	source->rows = 1500;
	source->bytes = 150000;
	source->stores[0].state = (struct journal_stream_state){.sequence = 151,
		.batches = 150,
		.rows = 1500,
		.bytes = 150000,
		.gaps = 1,
		.left_batches = 40,
		.left_rows = 400,
		.left_bytes = 40000};
	ledger_balance(source, 0);
	assert_true(ledger_is_settled(ledger));
	text = print(ledger);
	assert_non_null(
		strstr(text, "camera -> csv: produced 50 batches, 500 rows, 0.05 MB; stored 50 batches, 500 rows, "
			     "0.05 MB: accounted"));
	assert_non_null(
		strstr(text, "camera -> csv: of run r0 40 batches were left; stored 40 batches, 400 rows: accounted"));
	free(text);
	/* killed in the middle of what was left */
	source->stores[0].state = (struct journal_stream_state){.sequence = 70,
		.batches = 70,
		.rows = 700,
		.bytes = 70000,
		.left_batches = 10,
		.left_rows = 100,
		.left_bytes = 10000};
	ledger_balance(source, 0);
	assert_true(ledger_is_accounted(ledger));
	assert_false(ledger_is_settled(ledger));
	text = print(ledger);
	assert_non_null(
		strstr(text, "produced 50 batches, 500 rows, 0.05 MB; stored 0 batches, 0 rows, 0.00 MB; in flight 50: "
			     "accounted, not all stored"));
	assert_non_null(
		strstr(text, "40 batches were left; stored 10 batches, 100 rows; in flight 30: accounted, not all"));
	free(text);
	ledger_destroy(ledger);
}

static char *print_processor(
	uint64_t carried, uint64_t read, uint64_t in, uint64_t rejected, bool accounted, bool settled)
{
	struct ledger *ledger;
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	assert_int_equal(ledger_create(0, &ledger), 0);
	struct ledger_processor *line = ledger_find_processor(ledger, "filter");
	assert_ptr_equal(ledger_find_processor(ledger, "filter"), line);
	assert_int_equal(ledger_processor_reset(line, 2, 2), 0);
	snprintf(line->inputs[0].job, sizeof(line->inputs[0].job), "other");
	snprintf(line->inputs[1].job, sizeof(line->inputs[1].job), "digitizer");
	line->inputs[1].carried = carried;
	line->inputs[1].read = read;
	line->inputs[1].in = in;
	for (uint32_t i = 0; i < 2; i++)
		line->policies[i] = (struct ledger_policy){.input = 1, .rows = i ? 1 : rejected, .name = "window"};
	snprintf(line->policies[1].name, sizeof(line->policies[1].name), "prescale");
	ledger_processor_balance(line);
	assert_int_equal(ledger_is_accounted(ledger), accounted);
	assert_int_equal(ledger_is_settled(ledger), settled);
	ledger_print(ledger, false, stream);
	fclose(stream);
	ledger_destroy(ledger);
	return text;
}

static void rows_of_a_processor(void **state)
{
	static const struct {
		uint64_t carried, read, in, rejected;
		bool accounted, settled;
		const char *words;
	} items[] = {
		{0, 100, 60, 39, true, true,
			"read 100 rows; in 60; rejected by window 39; rejected by prescale 1: accounted\n"},
		{0, 100, 60, 30, true, false, "open 9: accounted, rows are open\n"},
		{9, 100, 60, 48, true, true, "read 100 rows, open at the start 9; in 60;"},
		{0, 100, 60, 40, false, false, "open -1: ROWS COUNTED TWICE\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		char *text = print_processor(items[i].carried, items[i].read, items[i].in, items[i].rejected,
			items[i].accounted, items[i].settled);
		assert_non_null(strstr(text, items[i].words));
		assert_non_null(strstr(text, "filter of digitizer: "));
		free(text);
	}
}

/* A store that leaves owes what had been sent until then; it may come again; then the source goes as well. */
static void who_left_stays_in_the_ledger(void **state)
{
	const struct journal_stream_state good = {.sequence = 60, .batches = 60, .rows = 600, .bytes = 60000};
	const struct journal_stream_state bad = {.sequence = 100, .batches = 98, .rows = 980, .bytes = 98000};
	struct ledger *ledger = make(100, &good);

	(void)state;
	ledger_end_store(ledger, "camera", "csv", &good);
	assert_int_equal(ledger->sources[0].store_count, 0);
	assert_int_equal(ledger->past[0].all.stored_batches, 60);
	assert_int_equal(ledger->past[0].all.missing, 0);
	assert_true(ledger_is_settled(ledger));
	ledger->sources[0].store_count = 1;
	ledger_end_store(ledger, "camera", "csv", NULL); /* its journal can't be read */
	assert_int_equal(ledger->past[0].times, 2);
	assert_int_equal(ledger->past[0].all.missing, 0);
	ledger->sources[0].store_count = 1;
	ledger_end_store(ledger, "camera", "csv", &bad);
	assert_int_equal(ledger->past_count, 1);
	assert_int_equal(ledger->past[0].times, 3);
	assert_int_equal(ledger->past[0].all.missing, 2);
	assert_int_equal(ledger->past[0].all.stored_batches, 98); /* its journal went on: the 60 are among them */
	ledger_remove_source(ledger, "camera");
	assert_int_equal(ledger->source_count, 0);
	assert_false(ledger_is_accounted(ledger));
	json_t *json = ledger_format_json(ledger, "r1", "lab", true);
	assert_int_equal(json_array_size(json_object_get(json, "removed")), 1);
	json_decref(json);
	ledger_destroy(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_left_stays_in_the_ledger),
		cmocka_unit_test(all_stored),
		cmocka_unit_test(rows_of_a_processor),
		cmocka_unit_test(some_in_flight),
		cmocka_unit_test(a_pad_is_no_backlog),
		cmocka_unit_test(a_gap_record_is_not_in_flight),
		cmocka_unit_test(a_gap_record_of_an_earlier_run_is_not_left),
		cmocka_unit_test(missed_ticks_are_named),
		cmocka_unit_test(some_missing),
		cmocka_unit_test(a_stream_that_cant_be_read_is_not_accounted),
		cmocka_unit_test(a_store_ahead_of_the_tally_is_not_wrong),
		cmocka_unit_test(a_run_counts_what_it_made_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
