/* append_test.c: rows that a job appends one by one or many at a time: when they are committed, and what is dropped. */
#include "fixtures/output.h"

static void test_append_lingers(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	assert_true(outputs_deadline(f->job.outputs) == UINT64_MAX);
	for (int round = 0; round < 2; round++) {
		output->stage.due_ns = UINT64_MAX;
		append_mixed(f, output, round * 9);
		uint64_t deadline = outputs_deadline(f->job.outputs);
		uint64_t now = clock_mono_ns();
		assert_true(deadline <= now + STAGE_LINGER_NS && deadline > now - 5000000000ull);
		output->stage.due_ns = now + 3600000000000ull; /* a slow machine must not flush by itself */
		for (int id = 1; id < 9; id++)
			append_mixed(f, output, round * 9 + id);
		assert_int_equal(outputs_flush_due(f->job.outputs, output->stage.due_ns - 1, &f->err), 0);
		assert_false(read_batch(f));
		assert_int_equal(outputs_flush_due(f->job.outputs, output->stage.due_ns, &f->err), 0);
		assert_true(read_batch(f));
		check_mixed(f, (uint64_t)round * 9, 9);
		release(f);
		assert_true(outputs_deadline(f->job.outputs) == UINT64_MAX);
	}
	/* a row beyond its time takes the earlier ones with it */
	append_mixed(f, output, 18);
	output->stage.due_ns = 1;
	append_mixed(f, output, 19);
	assert_true(read_batch(f));
	check_mixed(f, 18, 1);
}

static void test_append_fills_batches(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	uint64_t seen = 0;
	const int rows = 20000;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	for (int id = 0; id < rows; id++)
		append_mixed(f, output, id);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	while (read_batch(f)) {
		assert_true(f->batch.body_bytes < 4 * STAGE_BYTES);
		check_mixed(f, seen, f->batch.rows);
		seen += f->batch.rows;
		release(f);
	}
	assert_int_equal(seen, rows);
}

static void test_append_numbers(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	for (int pass = 0; pass < 2; pass++) { /* the second finds what the first left in the staging area */
		for (int64_t r = 0; r < 50; r++) {
			const struct enrg_value row[] = {
				{.i = pass == 0 || r % 3 == 0},
				{.i = -r},
				{.i = -300 * r},
				{.i = -70000 * r},
				{.i = -(INT64_C(1) << 40) * r},
				{.u = (uint64_t)r + 200},
				{.u = (uint64_t)r + 60000},
				{.u = 4000000000u + (uint64_t)r},
				{.u = UINT64_MAX - (uint64_t)r},
				{.f = 0.5 * (double)r},
				{.f = 0.1 * (double)r},
			};
			assert_int_equal(enrg_output_append(output, row, &f->err), 0);
			output->stage.due_ns = UINT64_MAX;
		}
		assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
		assert_true(read_batch(f));
		assert_int_equal(bit(f->views[0].values, 1), pass == 0);
		if (pass)
			check_numbers(f, 50);
		release(f);
	}
}

/* Rows of C structs and columns without gaps, in calls of any size, are the rows that append would have made. */
static void test_append_many(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct row {
		uint8_t b;
		int8_t i8;
		int16_t i16;
		int32_t i32;
		int64_t i64;
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
		float f32;
		double f64;
	} *rows = calloc(4000, sizeof(*rows));
	const struct enrg_column_rows columns[] = {
		{&rows->b, sizeof(*rows)},
		{&rows->i8, sizeof(*rows)},
		{&rows->i16, sizeof(*rows)},
		{&rows->i32, sizeof(*rows)},
		{&rows->i64, sizeof(*rows)},
		{&rows->u8, sizeof(*rows)},
		{&rows->u16, sizeof(*rows)},
		{&rows->u32, sizeof(*rows)},
		{&rows->u64, sizeof(*rows)},
		{&rows->f32, sizeof(*rows)},
		{&rows->f64, sizeof(*rows)},
	};

	for (int64_t r = 0; r < 4000; r++)
		rows[r] = (struct row){r % 3 == 0, (int8_t)-r, (int16_t)(-300 * r), (int32_t)(-70000 * r),
			-(INT64_C(1) << 40) * r, (uint8_t)(r + 200), (uint16_t)(r + 60000), (uint32_t)(4000000000u + r),
			UINT64_MAX - (uint64_t)r, (float)(0.5 * (double)r), 0.1 * (double)r};
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	for (uint64_t count = 1; count < 30; count += 7) { /* also where the bits of booleans begin within a byte */
		assert_int_equal(enrg_output_append_many(output, count, columns, &f->err), 0);
		output->stage.due_ns = UINT64_MAX;
		assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
		assert_true(read_batch(f));
		check_numbers(f, count);
		release(f);
	}
	/* more than a batch holds: several, none larger than it should be, every row once */
	uint64_t seen = 0, sum = 0;
	assert_int_equal(enrg_output_append_many(output, 4000, columns, &f->err), 0);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	while (read_batch(f)) {
		for (uint64_t r = 0; r < f->batch.rows; r++)
			sum += UINT64_MAX - ((const uint64_t *)f->views[8].values)[r];
		assert_true(f->batch.body_bytes < 4 * STAGE_BYTES);
		seen += f->batch.rows;
		release(f);
	}
	assert_int_equal(seen, 4000);
	assert_int_equal(sum, 4000 * 3999 / 2);
	free(rows);
}

static void test_append_many_without_gaps(void **state)
{
	static const struct enrg_column pair_columns[] = {{"t", ENRG_U64, 0, NULL}, {"ok", ENRG_BOOL, 0, NULL}};
	static const struct enrg_schema pair = {.column_count = 2, .columns = pair_columns};
	struct fixture *f = *state;
	struct enrg_output *output, *wordy;
	uint64_t times[100];
	uint8_t oks[100];
	const struct enrg_column_rows columns[] = {{times, 0}, {oks, 0}};

	for (int i = 0; i < 100; i++) {
		times[i] = (uint64_t)i;
		oks[i] = i % 3 == 0 ? 7 : 0;
	}
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &pair, &output, &f->err), 0);
	assert_int_equal(enrg_output_append(output, (struct enrg_value[]){{.u = 99}, {.i = 1}}, &f->err), 0);
	output->stage.due_ns = UINT64_MAX;
	assert_int_equal(enrg_output_append_many(output, 100, columns, &f->err), 0);
	assert_int_equal(enrg_output_append_many(output, 0, columns, &f->err), 0);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	assert_true(read_batch(f));
	assert_int_equal(f->batch.rows, 101);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(((const uint64_t *)f->views[0].values)[i + 1], i);
		assert_int_equal(bit(f->views[1].values, i + 1), i % 3 == 0);
	}
	release(f);
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &wordy, &f->err), 0);
	assert_int_equal(enrg_output_append_many(wordy, 1, columns, &f->err), -EINVAL);
}

/* Puts stderr into a file from here on. */
static int catch_log(FILE **ret_log)
{
	int saved = dup(STDERR_FILENO);

	*ret_log = tmpfile();
	assert_non_null(*ret_log);
	assert_true(dup2(fileno(*ret_log), STDERR_FILENO) >= 0);
	return saved;
}

/* Stderr is what it was; true: that text was logged since. */
static bool end_log(FILE *log, int saved, const char *wanted)
{
	char text[4096];
	size_t count;

	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(log);
	count = fread(text, 1, sizeof(text) - 1, log);
	text[count] = '\0';
	fclose(log);
	return strstr(text, wanted) != NULL;
}

/* Rows that can't be kept are counted, and the alert names what was in the way: another claim, or the error. */
static void test_dropped_rows_name_their_cause(void **state)
{
	static const struct enrg_column single_column[] = {{"t", ENRG_U64, 0, NULL}};
	static const struct enrg_schema single = {.column_count = 1, .columns = single_column};
	struct fixture *f = *state;
	struct enrg_output *output, *other;
	struct stream_status status;
	struct enrg_claim claim;
	static uint64_t times[100000];
	const struct enrg_column_rows columns[] = {{times, 0}};
	FILE *log;

	assert_int_equal(enrg_output_open(&f->job, "store_config", "a", &single, &output, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "b", &numbers, &other, &f->err), 0);
	assert_int_equal(enrg_output_claim(other, 1, NULL, &claim, &f->err), 0);
	int saved = catch_log(&log);
	int rc = enrg_output_append_many(output, 100000, columns, &f->err);
	assert_true(
		end_log(log, saved, "rows were dropped: the open batch is full and another claim of this job is open"));
	assert_int_equal(rc, -EBUSY);
	uint64_t kept = output->stage.rows;
	assert_in_range(kept, 1, 99999);
	enrg_output_abort(other);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	assert_int_equal(stream_read_status(f->path, &status, &f->err), 0);
	assert_int_equal(status.dropped_rows, 100000 - kept);
	saved = catch_log(&log);
	output_count_abandoned(output, 3, -ENOMEM);
	assert_true(end_log(log, saved, "3 rows were dropped: they could not be written: "));
	assert_int_equal(atomic_load(&f->process.page->alerts), 2);
}

static void test_append_too_large(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	char *text = calloc(1, RECORD_BYTES);
	struct enrg_value row[] = {
		{.u = 1},
		{.data = text, .count = RECORD_BYTES},
		{.u = 0},
		{.u = 0},
		{.i = 0},
	};

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	append_mixed(f, output, 0);
	assert_int_equal(enrg_output_append(output, row, &f->err), -EMSGSIZE);
	assert_non_null(strstr(f->err.text, "ring_buffer_slot_size_kb"));
	/* a large row that fits goes out in a batch of its own */
	output->stage.due_ns = UINT64_MAX;
	row[1].count = RECORD_BYTES - 10000;
	assert_int_equal(enrg_output_append(output, row, &f->err), 0);
	assert_true(read_batch(f));
	check_mixed(f, 0, 1);
	assert_true(read_batch(f));
	assert_int_equal(f->views[1].value_count, RECORD_BYTES - 10000);
	free(text);
}

static void test_order_of_append_and_claim(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *first, *second;
	struct enrg_claim claim;

	assert_int_equal(enrg_output_open(&f->job, "store_config", "a", &mixed, &first, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "b", &numbers, &second, &f->err), 0);
	append_mixed(f, first, 0);
	assert_int_equal(enrg_output_claim(second, 1, NULL, &claim, &f->err), 0);
	fill_numbers(&claim);
	append_mixed(f, first, 1); /* allowed beside an open claim; committed later */
	assert_int_equal(enrg_output_claim(second, 1, NULL, &claim, &f->err), -EBUSY);
	assert_int_equal(enrg_output_commit(first, 0, 0, &f->err), -EINVAL);
	assert_int_equal(enrg_output_commit(second, 1, 0, &f->err), 0);
	assert_int_equal(enrg_output_commit(second, 1, 0, &f->err), -EINVAL);
	assert_true(read_batch(f));
	assert_string_equal(f->tag, "a");
	assert_true(read_batch(f));
	assert_string_equal(f->tag, "b");
	check_numbers(f, 1);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	assert_true(read_batch(f));
	check_mixed(f, 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_append_lingers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_fills_batches, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_many_without_gaps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dropped_rows_name_their_cause, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_too_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order_of_append_and_claim, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
