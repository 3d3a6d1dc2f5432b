/* route_test.c: a table stays one table, whatever its notes say: in a life, across lives and across runs. */
#include "fixtures/output.h"

static const struct enrg_note slow[] = {{NULL, "sample_ns", "2"}, {"u64", "clock", "device"}};
static const struct enrg_note fast[] = {{NULL, "sample_ns", "1"}, {"u64", "clock", "device"}};

static struct enrg_schema with_notes(const struct enrg_note *notes)
{
	struct enrg_schema schema = numbers;

	schema.notes = notes;
	schema.note_count = notes ? 2 : 0;
	return schema;
}

static struct enrg_output *open_noted(struct fixture *f, const struct enrg_note *notes)
{
	const struct enrg_schema schema = with_notes(notes);
	struct enrg_output *output;

	assert_int_equal(enrg_output_open(&f->job, "store_config", "x", &schema, &output, &f->err), 0);
	return output;
}

static void send_one(struct fixture *f, struct enrg_output *output)
{
	struct enrg_claim claim;

	assert_int_equal(enrg_output_claim(output, 1, NULL, &claim, &f->err), 0);
	fill_numbers(&claim);
	assert_int_equal(enrg_output_commit(output, 1, 0, &f->err), 0);
}

/* The next batch has that sequence and says that; gaps of a new life are batches, too. */
static void expect(struct fixture *f, uint64_t sequence, const char *sample_ns)
{
	assert_true(read_batch(f));
	assert_int_equal(f->batch.sequence, sequence);
	const char *found = enrg_schema_note(f->schema, NULL, "sample_ns");
	if (sample_ns)
		assert_string_equal(found ? found : "(none)", sample_ns);
	else
		assert_null(found);
	release(f);
}

static void restart(struct fixture *f)
{
	outputs_destroy(f->job.outputs);
	stream_close(f->stream, false);
	assert_int_equal(stream_open(f->path, 0, &f->stream, &f->err), 0);
	open_outputs(f);
}

static void notes_change_in_a_life(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output = open_noted(f, slow);
	const struct enrg_schema schema = with_notes(fast);
	struct enrg_output *again;

	send_one(f, output);
	expect(f, 1, "2");
	assert_int_equal(enrg_output_open(&f->job, "store_config", "x", &schema, &again, &f->err), 0);
	assert_ptr_equal(again, output);
	send_one(f, output);
	expect(f, 2, "1");
	assert_ptr_equal(open_noted(f, slow), output);
	send_one(f, output);
	expect(f, 3, "2");
	assert_string_equal(enrg_schema_note(f->schema, "u64", "clock"), "device");
}

/* As an upgrade does it to a stream of before, and a new calibration to a job that is started again. */
static void notes_change_between_lives(void **state)
{
	static const struct enrg_note *const lives[] = {NULL, slow, fast, slow, NULL};
	static const char *const says[] = {NULL, "2", "1", "2", NULL};
	struct fixture *f = *state;
	uint64_t sequence = 0;

	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		if (i)
			restart(f);
		send_one(f, open_noted(f, lives[i]));
		if (i)
			expect(f, ++sequence, says[i]);
		expect(f, ++sequence, says[i]);
	}
}

static void mark(struct fixture *f, enum run_edge edge, const char *run, const char *label)
{
	struct boundary boundary = {.edge = edge};
	struct consumer_record record;

	snprintf(boundary.run, sizeof(boundary.run), "%s", run);
	snprintf(boundary.label, sizeof(boundary.label), "%s", label);
	assert_int_equal(boundary_commit(f->stream, &boundary, 1000000000), 0);
	assert_int_equal(consumer_acquire(f->consumer, &record, &f->err), 1);
	consumer_release(f->consumer, record.end, 0);
}

/* Between two runs the table goes on where it stood before the first, also where its notes changed within it. */
static void notes_change_in_a_run(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;

	mark(f, RUN_ENDED, "", "run7");
	output = open_noted(f, slow);
	for (uint64_t i = 1; i <= 3; i++) {
		send_one(f, output);
		expect(f, i, "2");
	}
	mark(f, RUN_BEGINS, "run7", "run7");
	send_one(f, output);
	expect(f, 1, "2");
	restart(f);
	output = open_noted(f, fast);
	send_one(f, output);
	expect(f, 2, "1"); /* the gap */
	expect(f, 3, "1");
	restart(f);
	output = open_noted(f, slow);
	send_one(f, output);
	expect(f, 4, "2");
	expect(f, 5, "2");
	restart(f);
	output = open_noted(f, fast);
	mark(f, RUN_ENDED, "run7", "run7");
	send_one(f, output);
	expect(f, 4, "1");
}

/* More than a stream can hold: the table goes on with old notes, and does not end; its operator
 * hears it once. */
static void too_many_changes_are_outlived(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output = NULL;
	char text[16];

	for (uint32_t i = 0; i < SEGMENT_ROUTES + 5; i++) {
		const struct enrg_note notes[] = {{NULL, "sample_ns", text}, {"u64", "clock", "device"}};
		snprintf(text, sizeof(text), "%u", i);
		output = open_noted(f, notes);
		send_one(f, output);
		expect(f, i + 1, i < SEGMENT_ROUTES ? text : "0");
	}
	assert_int_equal(atomic_load(&f->process.page->alerts), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(notes_change_in_a_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(notes_change_between_lives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(notes_change_in_a_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_changes_are_outlived, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
