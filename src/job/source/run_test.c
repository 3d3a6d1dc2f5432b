/* run_test.c: a source that follows the wish of its supervisor, in one process: what lies in its stream afterwards. */
#include "fixtures/output.h"

#include "handover/wish.h"
#include "job/source/device.h"
#include "job/source/source.h"
#include "job/source/wait.h"

struct bench {
	struct fixture *f;
	struct wish_page *wishes;
	struct enrg_output *output;
	char calls[256]; /* of the type's functions */
	int refusal;     /* of run_start and run_stop */
	bool is_late, appends;
	char told[2048]; /* records that were read: "D:label:sequence", "B:run", "E:run" */
};

static struct bench bench;

static void note(const char *format, const struct enrg_run *run)
{
	size_t used = strlen(bench.calls);

	snprintf(bench.calls + used, sizeof(bench.calls) - used, format, run->id, run->is_continued ? " again" : "");
}

static void append(void)
{
	const struct enrg_value values[11] = {{.i = 1}};

	assert_int_equal(enrg_output_append(bench.output, values, &bench.f->err), 0);
}

static int run_start(struct enrg_job *job, void *state, const struct enrg_run *run, struct enrg_error *err)
{
	(void)job;
	(void)state;
	note("start %s%s;", run);
	if (bench.appends)
		append();
	if (bench.is_late)
		usleep(30000);
	return bench.refusal ? enrg_error_set(err, bench.refusal, "no high voltage") : 0;
}

static int run_stop(struct enrg_job *job, void *state, const struct enrg_run *run, struct enrg_error *err)
{
	(void)job;
	(void)state;
	note("stop %s%s;", run);
	if (bench.appends)
		append();
	return bench.refusal ? enrg_error_set(err, bench.refusal, "does not answer") : 0;
}

static const struct enrg_job_type type = {
	.size = sizeof(type), .name = "DAQJobFake", .groups = groups, .run_start = run_start, .run_stop = run_stop};

static void open_life(bool has_control)
{
	struct fixture *f = bench.f;

	f->plan.has_run_control = has_control;
	assert_int_equal(source_run_open(&f->job, &type, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &bench.output, &f->err), 0);
}

/* As by a kill. */
static void begin_next_life(bool has_control)
{
	struct fixture *f = bench.f;

	source_run_close(&f->job.run);
	outputs_destroy(f->job.outputs);
	stream_close(f->stream, false);
	assert_int_equal(stream_open(f->path, 0, &f->stream, &f->err), 0);
	open_outputs(f);
	open_life(has_control);
}

static int set_up_bench(void **state)
{
	int descriptor;

	assert_int_equal(set_up(state), 0);
	bench = (struct bench){.f = *state};
	bench.f->plan.run = "life";
	assert_int_equal(wish_create(&descriptor, &bench.wishes, &bench.f->err), 0);
	bench.f->process.wish_descriptor = descriptor;
	return 0;
}

static int tear_down_bench(void **state)
{
	source_run_close(&bench.f->job.run);
	wish_close(bench.wishes);
	close(bench.f->process.wish_descriptor);
	return tear_down(state);
}

static uint64_t wish_for(const char *run, uint64_t patience_ns)
{
	struct wish wish = {.number = 5, .deadline_ns = patience_ns ? clock_mono_ns() + patience_ns : 0};

	snprintf(wish.run, sizeof(wish.run), "%s", run);
	return wish_set(bench.wishes, &wish);
}

static int follow(void)
{
	return source_run_follow(&bench.f->job, &type, NULL, &bench.f->err);
}

static void put(void)
{
	append();
	assert_int_equal(outputs_flush(bench.f->job.outputs, &bench.f->err), 0);
}

static void tell(const char *format, const char *name, uint64_t sequence)
{
	size_t used = strlen(bench.told);

	used += (size_t)snprintf(bench.told + used, sizeof(bench.told) - used, "%s", used ? " " : "");
	snprintf(bench.told + used, sizeof(bench.told) - used, format, name, (unsigned long long)sequence);
}

static const char *read_all(void)
{
	struct consumer_record record;
	struct fixture *f = bench.f;

	bench.told[0] = '\0';
	while (consumer_acquire(f->consumer, &record, &f->err) == 1) {
		size_t bytes = record.header->meta_bytes + record.header->body_bytes, wanted;
		struct boundary boundary;
		assert_int_equal(consumer_check(f->consumer, &record, &f->err), 0);
		if (record.header->type == RECORD_RUN) {
			assert_int_equal(boundary_parse(record.payload, bytes, &boundary), 0);
			tell(boundary.edge == RUN_BEGINS ? "B:%s" : "E:%s", boundary.run, 0);
		} else {
			assert_int_equal(ipc_read_message(record.payload, bytes, &f->message, &wanted, &f->err), 0);
			tell(record.header->type == RECORD_GAP ? "G:%s:%llu" : "D:%s:%llu", f->message.run,
				f->message.stamp.sequence);
		}
	}
	return bench.told;
}

/* --- tests ---------------------------------------------------------------------------------------------------------
 */

static void begins_and_ends(void **state)
{
	(void)state;
	open_life(true);
	assert_int_equal(follow(), 0); /* no run is wished for, and none is on */
	put();
	append();
	uint64_t serial = wish_for("r1", 0);
	assert_true(source_run_is_due(&bench.f->job));
	assert_int_equal(follow(), 0);
	assert_false(source_run_is_due(&bench.f->job));
	assert_int_equal(bench.f->process.page->run_serial, serial);
	assert_int_equal(bench.f->process.page->run_answer, PAGE_RUN_DONE);
	put();
	append();
	wish_for("", 0);
	assert_int_equal(follow(), 0);
	put();
	wish_for("r2", 0);
	assert_int_equal(follow(), 0);
	/* what was appended before a boundary lies before it */
	assert_string_equal(read_all(), "E: D:life-between:1 D:life-between:2 B:r1 D:r1:1 D:r1:2 E:r1 D:life-between:3 "
					"B:r2");
	assert_string_equal(bench.calls, "start r1;stop r1;start r2;");
}

/* From one run to the next in one step; what run_start commits is from before, what run_stop commits is of the run. */
static void from_run_to_run(void **state)
{
	(void)state;
	open_life(true);
	wish_for("r1", 0);
	assert_int_equal(follow(), 0);
	bench.appends = true;
	wish_for("r2", 0);
	assert_int_equal(follow(), 0);
	assert_string_equal(read_all(), "B:r1 D:r1:1 E:r1 D:life-between:1 B:r2");
	assert_string_equal(bench.calls, "start r1;stop r1;start r2;");
}

static void refuses(void **state)
{
	struct page *page = bench.f->process.page;

	(void)state;
	open_life(true);
	bench.refusal = -EIO;
	wish_for("r1", 0);
	assert_int_equal(follow(), 0);
	assert_int_equal(page->run_answer, PAGE_RUN_REFUSED);
	assert_string_equal(page->run_reason, "no high voltage");
	put();
	/* who takes too long has refused, and is told to stop again */
	bench.refusal = 0;
	bench.is_late = true;
	wish_for("r2", 10000000);
	assert_int_equal(follow(), 0);
	assert_int_equal(page->run_answer, PAGE_RUN_REFUSED);
	put();
	bench.is_late = false;
	wish_for("r3", 0);
	assert_int_equal(follow(), 0);
	/* an end can't be refused */
	bench.refusal = -EIO;
	wish_for("", 0);
	assert_int_equal(follow(), 0);
	assert_int_equal(page->run_answer, PAGE_RUN_DONE);
	assert_string_equal(read_all(), "E: D:life-between:1 D:life-between:2 B:r3 E:r3");
	assert_string_equal(bench.calls, "start r1;start r2;stop r2;start r3;stop r3;");
}

/* The boundary is in the stream or it is not: a successor goes on from there. */
static void killed_in_a_run(void **state)
{
	(void)state;
	open_life(true);
	wish_for("r1", 0);
	assert_int_equal(follow(), 0);
	put();
	begin_next_life(true);
	assert_int_equal(follow(), 0);
	put();
	assert_string_equal(read_all(), "B:r1 D:r1:1 G:r1:2 D:r1:3");
	assert_string_equal(bench.calls, "start r1;start r1 again;");
	/* the run ended while it was down: the hardware was not started by this life */
	wish_for("", 0);
	begin_next_life(true);
	assert_int_equal(follow(), 0);
	put();
	assert_string_equal(read_all(), "G:r1:4 E:r1 D:life-between:1");
	assert_string_equal(bench.calls, "start r1;start r1 again;");
	/* one that can't go on with the run fails, and is started again */
	wish_for("r2", 0);
	assert_int_equal(follow(), 0);
	begin_next_life(true);
	bench.refusal = -EIO;
	assert_int_equal(follow(), -EIO);
}

/* What was missed between two runs is not missing in the next one. */
static void killed_between_runs(void **state)
{
	(void)state;
	open_life(true);
	put();
	begin_next_life(true);
	wish_for("r1", 0);
	assert_int_equal(follow(), 0);
	put();
	assert_string_equal(read_all(), "E: D:life-between:1 G:life-between:2 B:r1 D:r1:1");
	/* who takes none there has missed none */
	wish_for("", 0);
	assert_int_equal(follow(), 0);
	begin_next_life(true);
	bench.f->job.run.is_in_runs = true;
	wish_for("r2", 0);
	assert_int_equal(follow(), 0);
	put();
	assert_string_equal(read_all(), "E:r1 B:r2 D:r2:1");
}

/* A wish beside an open claim waits for its end; until then polls come at their ticks. */
static void ticks_beside_a_claim(void **state)
{
	struct enrg_job *job = &bench.f->job;
	struct enrg_claim claim;

	(void)state;
	open_life(true);
	assert_int_equal(follow(), 0);
	assert_int_equal(enrg_output_claim(bench.output, 1, NULL, &claim, &bench.f->err), 0);
	wish_for("r1", 0);
	uint64_t tick_ns = clock_mono_ns() + 30000000;
	assert_int_equal(wait_for_tick(job, tick_ns, &bench.f->err), 0);
	assert_true(clock_mono_ns() >= tick_ns);
	enrg_output_abort(bench.output);
	tick_ns = clock_mono_ns() + 600000000000;
	assert_int_equal(wait_for_tick(job, tick_ns, &bench.f->err), 0);
	assert_true(clock_mono_ns() < tick_ns);
}

/* The wake of a wish may have ended another sleep of the poll: its wait ends all the same, the next one does not. */
static void a_wish_ends_a_wait(void **state)
{
	struct enrg_job *job = &bench.f->job;
	uint64_t begin_ns = clock_mono_ns();

	(void)state;
	open_life(true);
	assert_int_equal(follow(), 0);
	job->is_started = true;
	wish_for("r1", 0);
	assert_int_equal(enrg_job_wait_fd(job, NULL, 0, 600000000000, &bench.f->err), 0);
	assert_true(clock_mono_ns() - begin_ns < 600000000000);
	begin_ns = clock_mono_ns();
	assert_int_equal(enrg_job_wait_fd(job, NULL, 0, 30000000, &bench.f->err), 0);
	assert_true(clock_mono_ns() - begin_ns >= 30000000);
}

static void waits_for_the_end_of_a_claim(void **state)
{
	struct enrg_claim claim;

	(void)state;
	open_life(true);
	assert_int_equal(follow(), 0);
	bench.f->job.run.is_in_runs = true;
	assert_false(source_run_polls(&bench.f->job));
	assert_int_equal(enrg_output_claim(bench.output, 1, NULL, &claim, &bench.f->err), 0);
	wish_for("r1", 0);
	assert_int_equal(follow(), 0);
	assert_true(source_run_is_due(&bench.f->job));
	assert_true(source_run_polls(&bench.f->job)); /* who else would end it */
	fill_numbers(&claim);
	assert_int_equal(enrg_output_commit(bench.output, 1, 0, &bench.f->err), 0);
	assert_int_equal(follow(), 0);
	assert_true(source_run_polls(&bench.f->job));
	assert_string_equal(read_all(), "E: D:life-between:1 B:r1");
}

/* An end in order ends the run here, that of a life alone does not. */
static void ends_with_the_job(void **state)
{
	(void)state;
	open_life(true);
	wish_for("r1", 0);
	assert_int_equal(follow(), 0);
	put();
	source_run_stop(&bench.f->job, &type, NULL);
	put();
	wish_for("", 0);
	source_run_end(&bench.f->job, false);
	source_run_end(&bench.f->job, false);
	assert_string_equal(read_all(), "B:r1 D:r1:1 D:r1:2 E:r1");
	assert_string_equal(bench.calls, "start r1;stop r1;");
}

/* Stopped and started while the run is on: sequences go on. One that is done has ended it. */
static void stopped_alone(void **state)
{
	(void)state;
	open_life(true);
	wish_for("r1", 0);
	assert_int_equal(follow(), 0);
	put();
	source_run_stop(&bench.f->job, &type, NULL);
	source_run_end(&bench.f->job, false);
	begin_next_life(true);
	assert_int_equal(follow(), 0);
	put();
	assert_string_equal(read_all(), "B:r1 D:r1:1 G:r1:2 D:r1:3");
	source_run_end(&bench.f->job, true);
	assert_string_equal(read_all(), "E:r1");
}

/* Without run control nothing is in the stream that was not there before, unless runs have been in it. */
static void without_control(void **state)
{
	(void)state;
	open_life(false);
	assert_int_equal(follow(), 0);
	put();
	begin_next_life(false);
	put();
	assert_string_equal(read_all(), "D:life:1 G:life:2 D:life:3");
	begin_next_life(true);
	put();
	begin_next_life(false);
	put();
	begin_next_life(false);
	put();
	assert_string_equal(
		read_all(), "E: G:life-between:1 D:life-between:2 B:life G:life:1 D:life:2 G:life:3 D:life:4");
}

static int library_sleeps(void *context, struct enrg_error *err)
{
	(void)context;
	(void)err;
	usleep(20000);
	return 0;
}

/* The wish wakes the job out of a call of its device, which goes on: it is not forgotten in the wait that follows. */
static void a_wish_that_meets_a_call_ends_the_next_wait(void **state)
{
	const struct enrg_device_work work = {"Calibrate", library_sleeps, NULL, UINT64_C(60000000000)};
	struct enrg_device *device;
	struct fixture *f;

	(void)state;
	open_life(true);
	f = bench.f;
	assert_int_equal(enrg_device_create(&f->job, "board", 1, &device, &f->err), 0);
	(void)wish_for("r1", 0);
	process_wake(&f->process);
	uint64_t begin_ns = clock_mono_ns();
	assert_int_equal(enrg_device_call(device, &work, &f->err), 0);
	assert_int_equal(enrg_job_wait_fd(&f->job, NULL, 0, UINT64_C(60000000000), &f->err), 0);
	assert_true(clock_mono_ns() - begin_ns < UINT64_C(60000000000));
	assert_true(enrg_device_destroy(device));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(begins_and_ends, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(
			a_wish_that_meets_a_call_ends_the_next_wait, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(from_run_to_run, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(refuses, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(killed_in_a_run, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(killed_between_runs, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(ticks_beside_a_claim, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(a_wish_ends_a_wait, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(waits_for_the_end_of_a_claim, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(ends_with_the_job, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(stopped_alone, set_up_bench, tear_down_bench),
		cmocka_unit_test_setup_teardown(without_control, set_up_bench, tear_down_bench),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
