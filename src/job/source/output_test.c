/* output_test.c: what a job puts into its outputs is what a consumer reads, value for value, with true CRCs. */
#include "fixtures/output.h"

static void test_numbers(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output, *again;
	struct enrg_claim claim;
	const uint64_t commits[] = {100, 37, 1, 0, 99};

	assert_int_equal(enrg_output_open(&f->job, "store_config", "x", &numbers, &output, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "x", &numbers, &again, &f->err), 0);
	assert_ptr_equal(output, again);
	assert_true(enrg_output_wanted(output));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(enrg_output_claim(output, 100, NULL, &claim, &f->err), 0);
		assert_int_equal(claim.rows, 100);
		assert_int_equal(claim.columns[10].value_capacity, 100);
		fill_numbers(&claim);
		assert_int_equal(enrg_output_commit(output, commits[i], 1000 + (uint64_t)i, &f->err), 0);
		assert_true(read_batch(f));
		check_numbers(f, commits[i]);
		assert_int_equal(f->batch.sequence, i + 1);
		assert_int_equal(f->batch.acquired_ns, 1000 + i);
		assert_string_equal(f->tag, "x");
		assert_int_equal(f->group, 0);
		assert_true(ipc_schema_equal(f->schema, &numbers));
		release(f);
	}
	assert_int_equal(atomic_load(&f->process.page->out_batches), 5);
	assert_int_equal(atomic_load(&f->process.page->out_rows), 237);
	assert_false(read_batch(f));
	/* an aborted claim leaves nothing, a claim of no rows is a batch */
	assert_int_equal(enrg_output_claim(output, 100, NULL, &claim, &f->err), 0);
	enrg_output_abort(output);
	assert_false(read_batch(f));
	assert_int_equal(enrg_output_claim(output, 0, NULL, &claim, &f->err), 0);
	assert_int_equal(enrg_output_commit(output, 0, 0, &f->err), 0);
	assert_true(read_batch(f));
	assert_int_equal(f->batch.rows, 0);
	assert_true(clock_wall_ns() - f->batch.acquired_ns < 10000000000ull);
}

static void test_variable_columns(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct enrg_claim claim;
	const uint64_t variable[] = {0, 200 * 12, 200 * 5, 200, 0};
	const uint64_t commits[] = {200, 61, 0};

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(enrg_output_claim(output, 200, variable, &claim, &f->err), 0);
		assert_int_equal(claim.columns[2].value_capacity, 1000);
		assert_null(claim.columns[0].offsets);
		fill_mixed(&claim, commits[i]);
		assert_int_equal(enrg_output_commit(output, commits[i], 0, &f->err), 0);
		assert_true(read_batch(f));
		check_mixed(f, 0, commits[i]);
		release(f);
	}
	/* what would be corrupt for every store is refused, and nothing is published */
	assert_int_equal(enrg_output_claim(output, 3, variable, &claim, &f->err), 0);
	fill_mixed(&claim, 3);
	claim.columns[1].offsets[2] = 1;
	assert_int_equal(enrg_output_commit(output, 3, 0, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "column name"));
	assert_int_equal(enrg_output_claim(output, 1, variable, &claim, &f->err), 0);
	claim.columns[1].offsets[1] = claim.columns[2].offsets[1] = 0;
	claim.columns[3].offsets[1] = 201;
	assert_int_equal(enrg_output_commit(output, 1, 0, &f->err), -EINVAL);
	assert_false(read_batch(f));
}

static void test_too_large(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct enrg_claim claim;
	const uint64_t variable[] = {0, RECORD_BYTES, 0, 0, 0}, huge[] = {0, 1ull << 33, 0, 0, 0};

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	assert_int_equal(enrg_output_claim(output, 1, variable, &claim, &f->err), -EMSGSIZE);
	assert_non_null(strstr(f->err.text, "ring_buffer_slot_size_kb"));
	assert_int_equal(enrg_output_claim(output, 1, huge, &claim, &f->err), -EMSGSIZE);
	assert_int_equal(enrg_output_claim(output, UINT64_MAX, NULL, &claim, &f->err), -EMSGSIZE);

	/* rows_max is a promise, and a tight one */
	for (uint64_t per_row = 0; per_row < 3000; per_row += 999) {
		uint64_t rows = enrg_output_rows_max(output, per_row);
		uint64_t third = rows * (per_row / 3);
		const uint64_t spread[] = {0, third, third / 2, third, 0};
		assert_true(rows > 0);
		assert_int_equal(enrg_output_claim(output, rows, spread, &claim, &f->err), 0);
		enrg_output_abort(output);
		const uint64_t more[] = {0, (rows + 200) * per_row, 0, 0, 0};
		assert_int_equal(enrg_output_claim(output, rows + 200, more, &claim, &f->err), -EMSGSIZE);
	}
	assert_int_equal(enrg_output_rows_max(output, 1ull << 40), 0);
	assert_false(read_batch(f));
}

static void check_write(struct fixture *f)
{
	static const struct enrg_column columns[] = {{"t", ENRG_F64, 0, "s"}, {"n", ENRG_U16, 0, NULL}};
	static const struct enrg_schema pair = {.column_count = 2, .columns = columns};
	enum { ROWS = 300001 };
	struct enrg_output *output;
	double *t = malloc(ROWS * sizeof(*t));
	uint16_t *n = malloc(ROWS * sizeof(*n));
	const void *pointers[] = {t, n};
	uint64_t seen = 0;

	for (int i = 0; i < ROWS; i++) {
		t[i] = i * 0.25;
		n[i] = (uint16_t)(i * 7);
	}
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &pair, &output, &f->err), 0);
	assert_int_equal(enrg_output_write(output, ROWS, pointers, 42, &f->err), 0);
	while (read_batch(f)) {
		assert_int_equal(f->batch.acquired_ns, 42);
		assert_memory_equal(f->views[0].values, t + seen, f->batch.rows * sizeof(*t));
		assert_memory_equal(f->views[1].values, n + seen, f->batch.rows * sizeof(*n));
		seen += f->batch.rows;
		release(f);
	}
	assert_int_equal(seen, ROWS);
	assert_int_equal(atomic_load(&f->process.page->out_batches), 3);
	/* odd lengths: padding is part of the CRC */
	for (uint64_t rows = 0; rows < 70; rows += 23) {
		assert_int_equal(enrg_output_write(output, rows, pointers, 0, &f->err), 0);
		assert_true(read_batch(f));
		assert_int_equal(f->batch.rows, rows);
		assert_memory_equal(f->views[1].values, n, rows * sizeof(*n));
		release(f);
	}
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	assert_int_equal(enrg_output_write(output, 1, pointers, 0, &f->err), -EINVAL);
	free(t);
	free(n);
}

static void test_write(void **state)
{
	check_write(*state);
}

/* Pieces of odd lengths give the batch that one write would; a table that is not whole is none. */
static void check_pieces(struct fixture *f)
{
	static const struct enrg_column columns[] = {{"t", ENRG_F64, 0, "s"}, {"n", ENRG_U16, 0, NULL}};
	static const struct enrg_schema pair = {.column_count = 2, .columns = columns};
	enum { ROWS = 20011 };
	struct enrg_output *output;
	static double t[ROWS];
	static uint16_t n[ROWS];

	for (int i = 0; i < ROWS; i++) {
		t[i] = i * 0.25;
		n[i] = (uint16_t)(i * 7);
	}
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &pair, &output, &f->err), 0);
	for (uint64_t piece = 1; piece <= ROWS; piece = piece * 9 + 1) {
		assert_int_equal(enrg_output_begin(output, ROWS, &f->err), 0);
		for (uint64_t at = 0; at < ROWS; at += piece)
			assert_int_equal(
				enrg_output_put(output, t + at, at + piece < ROWS ? piece : ROWS - at, &f->err), 0);
		for (uint64_t at = 0; at < ROWS; at += piece)
			assert_int_equal(
				enrg_output_put(output, n + at, at + piece < ROWS ? piece : ROWS - at, &f->err), 0);
		assert_int_equal(enrg_output_end(output, 42, &f->err), 0);
		assert_true(read_batch(f));
		assert_int_equal(f->batch.rows, ROWS);
		assert_memory_equal(f->views[0].values, t, sizeof(t));
		assert_memory_equal(f->views[1].values, n, sizeof(n));
		release(f);
	}
	assert_int_equal(enrg_output_begin(output, 10, &f->err), 0);
	assert_int_equal(enrg_output_put(output, t, 10, &f->err), 0);
	assert_int_equal(enrg_output_end(output, 0, &f->err), -EINVAL);
	assert_int_equal(enrg_output_begin(output, 10, &f->err), 0);
	assert_int_equal(enrg_output_put(output, t, 11, &f->err), -EINVAL);
	assert_int_equal(enrg_output_put(output, t, 1, &f->err), -EINVAL);
	assert_false(read_batch(f));
	assert_int_equal(enrg_output_begin(output, 0, &f->err), 0);
	assert_int_equal(enrg_output_end(output, 0, &f->err), 0);
	assert_true(read_batch(f));
	assert_int_equal(f->batch.rows, 0);
	release(f);
}

static void test_pieces(void **state)
{
	check_pieces(*state);
}

static void test_blob(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	const size_t sizes[] = {0, 1, 63, 64, 65, 500000};
	uint8_t *bytes = malloc(2 * RECORD_BYTES);
	uint64_t before = 0;

	for (size_t i = 0; i < 2 * RECORD_BYTES; i++)
		bytes[i] = (uint8_t)(i * 31 + 5);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "jpeg", enrg_schema_blob(), &output, &f->err), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(enrg_output_write_blob(output, bytes, sizes[i], 9, &f->err), 0);
		assert_true(read_batch(f));
		assert_true(f->schema->is_blob);
		assert_int_equal(f->batch.rows, 1);
		assert_int_equal(f->views[0].value_count, sizes[i]);
		assert_memory_equal(f->views[0].values, bytes, sizes[i]);
		before += sizes[i];
		release(f);
	}
	/* large ones lie within their page as they would in a file that takes all of them, so far as 64 bytes do */
	for (size_t i = 0; i < 5; i++) {
		const size_t count = 100000 + 512 * i;
		assert_int_equal(enrg_output_write_blob(output, bytes, count, 9, &f->err), 0);
		assert_true(read_batch(f));
		assert_memory_equal(f->views[0].values, bytes, count);
		assert_int_equal((uintptr_t)f->views[0].values % 4096, (before + 63) / 64 * 64 % 4096);
		before += count;
		release(f);
	}
	assert_int_equal(enrg_output_write_blob(output, bytes, 2 * RECORD_BYTES, 0, &f->err), -EMSGSIZE);
	assert_non_null(strstr(f->err.text, "ring_buffer_slot_size_kb"));
	assert_false(read_batch(f));
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	assert_int_equal(enrg_output_write_blob(output, bytes, 1, 0, &f->err), -EINVAL);
	free(bytes);
}

static void test_swallows(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output, *blob;
	struct enrg_claim claim;
	const double value = 1;
	const void *pointers[] = {&value};
	static const struct enrg_column column = {"v", ENRG_F64, 0, NULL};
	static const struct enrg_schema one = {.column_count = 1, .columns = &column};

	assert_int_equal(enrg_output_open(&f->job, "stats_store_config", NULL, &one, &output, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "stats_store_config", NULL, enrg_schema_blob(), &blob, &f->err), 0);
	assert_false(enrg_output_wanted(output));
	assert_int_equal(enrg_output_claim(output, 1000, NULL, &claim, &f->err), 0);
	memset(claim.columns[0].values, 1, 1000 * sizeof(double));
	assert_int_equal(enrg_output_commit(output, 1000, 0, &f->err), 0);
	assert_int_equal(enrg_output_write(output, 1, pointers, 0, &f->err), 0);
	assert_int_equal(enrg_output_append(output, &(struct enrg_value){.f = 1}, &f->err), 0);
	assert_int_equal(enrg_output_write_blob(blob, "x", 1, 0, &f->err), 0);
	enrg_output_count_dropped(output, 5, "none");
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	assert_false(read_batch(f));
	assert_int_equal(enrg_output_open(&f->job, "no_config", NULL, &one, &output, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "no_config"));
	assert_int_equal(enrg_output_open(&f->job, NULL, NULL, &one, &output, &f->err), -EINVAL);
}

static void test_no_stream(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct enrg_claim claim;

	outputs_destroy(f->job.outputs);
	const struct outputs_params params = {.source = "a", .run = "r", .groups = groups, .toml = &toml};
	assert_int_equal(outputs_create(&params, &f->job.outputs, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	assert_false(enrg_output_wanted(output));
	assert_true(enrg_output_rows_max(output, 8) > 100000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(enrg_output_claim(output, 1000u << (4 * i), NULL, &claim, &f->err), 0);
		fill_numbers(&claim);
		assert_int_equal(enrg_output_commit(output, claim.rows, 0, &f->err), 0);
	}
	static const struct enrg_schema one = {.column_count = 1, .columns = number_columns + 1};
	const uint8_t bytes[3] = {1, 2, 3};
	assert_int_equal(enrg_output_open(&f->job, "store_config", "pieces", &one, &output, &f->err), 0);
	assert_int_equal(enrg_output_begin(output, sizeof(bytes), &f->err), 0);
	assert_int_equal(enrg_output_put(output, bytes, sizeof(bytes), &f->err), 0);
	assert_int_equal(enrg_output_end(output, 0, &f->err), 0);
}

static void test_gap_of_successor(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;

	for (int life = 0; life < 2; life++) {
		assert_int_equal(enrg_output_open(&f->job, "store_config", "t", &mixed, &output, &f->err), 0);
		assert_false(read_batch(f)); /* no gap before there is data behind it */
		append_mixed(f, output, life);
		assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
		append_mixed(f, output, life);
		assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
		if (life == 0) {
			assert_true(read_batch(f) && read_batch(f));
			assert_int_equal(f->batch.epoch, 1);
			outputs_destroy(f->job.outputs);
			stream_close(f->stream, false);
			assert_int_equal(stream_open(f->path, 0, &f->stream, &f->err), 0);
			open_outputs(f);
		}
	}
	assert_true(read_batch(f));
	assert_true(f->batch.is_gap);
	assert_int_equal(f->batch.rows, 0);
	assert_int_equal(f->batch.sequence, 3);
	assert_int_equal(f->batch.epoch, 2);
	for (uint64_t sequence = 4; sequence < 6; sequence++) {
		assert_true(read_batch(f));
		check_mixed(f, 1, 1);
		assert_false(f->batch.is_gap);
		assert_int_equal(f->batch.sequence, sequence);
	}
	assert_false(read_batch(f));
}

/* A source that reads files again goes on behind what is published: nothing is missing, so there is no gap. */
static void test_successor_that_continues(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *before, *behind;
	struct enrg_published published;

	enrg_job_continue(&f->job, &published);
	assert_true(published.batches == 0 && published.rows == 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "t", &mixed, &before, &f->err), 0);
	for (int id = 0; id < 3; id++) {
		append_mixed(f, before, id);
		append_mixed(f, before, id + 1);
		assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
		assert_true(read_batch(f));
		release(f);
	}
	outputs_destroy(f->job.outputs);
	stream_close(f->stream, false);
	assert_int_equal(stream_open(f->path, 0, &f->stream, &f->err), 0);
	open_outputs(f);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "t", &mixed, &before, &f->err), 0);
	enrg_job_continue(&f->job, &published);
	assert_true(published.batches == 3 && published.rows == 6);
	f->plan.earlier_batches = 1; /* of another run, in the same stream */
	f->plan.earlier_rows = 2;
	enrg_job_continue(&f->job, &published);
	assert_true(published.batches == 2 && published.rows == 4);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "u", &mixed, &behind, &f->err), 0);
	append_mixed(f, before, 1);
	append_mixed(f, behind, 1);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(read_batch(f));
		assert_false(f->batch.is_gap);
		assert_int_equal(f->batch.sequence, i == 0 ? 4 : 1);
		assert_int_equal(f->batch.epoch, 2);
	}
	assert_false(read_batch(f));
}

static void fill_ring(struct fixture *f, struct enrg_output *output)
{
	struct enrg_claim claim;

	/* as many as surely fit: the ring has room for two records of the largest size */
	assert_int_equal(enrg_output_claim(output, enrg_output_rows_max(output, 0), NULL, &claim, &f->err), 0);
	assert_int_equal(enrg_output_commit(output, claim.rows, 0, &f->err), 0);
}

/* Takes a batch each 100 ms until the ring is empty for as long. */
static void *take_slowly(void *context)
{
	struct consumer *consumer = context;
	struct consumer_record record;

	while (consumer_wait(&consumer, 1, NULL, 0, 500000000u) > 0 && consumer_acquire(consumer, &record, NULL) == 1) {
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		consumer_release(consumer, record.end, 0);
	}
	return NULL;
}

/* A table of many batches that a store takes slowly: signs of life and a look for a hurried stop between them, though
 * no batch alone waits for long. */
static void test_large_table(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct stream_status status;
	pthread_t store;
	static const struct enrg_schema one = {.column_count = 1, .columns = number_columns + 1};
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &one, &output, &f->err), 0);
	uint64_t rows = 20 * enrg_output_rows_max(output, 0);
	void *zeros = calloc(1, rows);

	atomic_store(&f->process.page->heartbeat_mono_ns, 0);
	atomic_store(&f->process.stop, PROCESS_HURRY);
	assert_int_equal(pthread_create(&store, NULL, take_slowly, f->consumer), 0);
	assert_int_equal(enrg_output_write(output, rows, (const void *[]){zeros}, 0, &f->err), ENRG_E_STOPPED);
	pthread_join(store, NULL);
	assert_int_not_equal(atomic_load(&f->process.page->heartbeat_mono_ns), 0);
	assert_int_equal(stream_read_status(f->path, &status, &f->err), 0);
	assert_int_equal(status.rows + status.dropped_rows, rows);
	assert_true(status.rows >= 8 * (rows / 20));
	free(zeros);
}

/* A boundary whose time is over does not wait at all. */
static void test_boundary_that_is_late(void **state)
{
	const struct boundary boundary = {.edge = RUN_BEGINS, .number = 1, .wall_ns = 1, .run = "r1", .label = "r1"};
	struct fixture *f = *state;
	struct enrg_output *output;
	int rc = 0;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	fill_ring(f, output);
	while (rc == 0)
		rc = outputs_commit_boundary(f->job.outputs, &boundary, 1, &f->err);
	uint64_t began_ns = clock_mono_ns();
	for (int i = 0; i < 8; i++)
		assert_int_equal(outputs_commit_boundary(f->job.outputs, &boundary, 1, &f->err), -ETIMEDOUT);
	assert_true(clock_mono_ns() - began_ns < 7 * OUTPUT_WAIT_NS);
}

static void test_gives_up_when_hurried(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct stream_status status;
	const void *pointers[11];
	char *zeros = calloc(1, RECORD_BYTES);
	uint64_t written = 0;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	fill_ring(f, output);
	/* `write` takes no table with bits: the same without the first column */
	static const struct enrg_schema rest = {.column_count = 10, .columns = number_columns + 1};
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &rest, &output, &f->err), 0);
	for (int i = 0; i < 11; i++)
		pointers[i] = zeros;
	/* a drain does not disturb what has room */
	atomic_store(&f->process.stop, PROCESS_DRAIN);
	assert_int_equal(enrg_output_write(output, 10, pointers, 0, &f->err), 0);
	written += 10;
	atomic_store(&f->process.stop, PROCESS_HURRY);
	int rc = 0;
	uint64_t rows = enrg_output_rows_max(output, 0), lost = 0;
	while (rc == 0) {
		rc = enrg_output_write(output, rows, pointers, 0, &f->err);
		written += rc == 0 ? rows : 0;
		lost += rc == 0 ? 0 : rows;
	}
	assert_int_equal(rc, ENRG_E_STOPPED);
	/* each row is accounted for */
	assert_int_equal(stream_read_status(f->path, &status, &f->err), 0);
	assert_int_equal(status.dropped_rows, lost);
	assert_true(status.rows >= written);
	assert_int_equal(atomic_load(&f->process.page->alerts), 1);
	free(zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_variable_columns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write, set_up_unchecked, tear_down),
		cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pieces, set_up_unchecked, tear_down),
		cmocka_unit_test_setup_teardown(test_blob, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_swallows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gap_of_successor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_successor_that_continues, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_large_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_boundary_that_is_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gives_up_when_hurried, set_up_small, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
