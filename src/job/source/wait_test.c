/* wait_test.c: a job that sleeps in enrg_job_wait_fd, and all that ends its sleep. */
#include "fixtures/output.h"

#include "job/source/source.h"

#define LONG_NS  60000000000ull /* no wait of these tests may last so long */
#define SHORT_NS 30000000ull
#define BEAT_NS  10000000ull

struct wake {
	struct fixture *f;
	int descriptor;         /* is written to; -1 = none */
	enum process_stop stop; /* is asked for; PROCESS_RUN = none */
	bool is_message;        /* as when a message came */
};

static void *wake(void *context)
{
	const struct wake *w = context;

	usleep(20000);
	if (w->descriptor >= 0)
		assert_int_equal(write(w->descriptor, "x", 1), 1);
	if (w->stop)
		process_request_stop(&w->f->process, w->stop);
	if (w->is_message)
		process_wake(&w->f->process);
	return NULL;
}

static int tear_down_wake(void **state)
{
	struct fixture *f = *state;

	if (f->process.wake_event)
		close(f->process.wake_event - 1);
	return tear_down(state);
}

/* Waits for `reader` for LONG_NS while another thread does what `w` says. */
static int wait_while(struct wake w, int reader)
{
	struct pollfd entries[2] = {{.fd = -1, .events = POLLIN, .revents = 99}, {.fd = reader, .events = POLLIN}};
	uint64_t begin_ns = clock_mono_ns();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wake, &w), 0);
	int rc = enrg_job_wait_fd(&w.f->job, entries, 2, LONG_NS, &w.f->err);
	assert_true(clock_mono_ns() - begin_ns < LONG_NS);
	pthread_join(thread, NULL);
	assert_int_equal(entries[0].revents, 0);
	assert_int_equal(entries[1].revents, rc > 0 ? POLLIN : 0);
	return rc;
}

/* --- tests ------------------------------------------------------------------------------------------------------- */

static void test_what_ends_a_wait(void **state)
{
	struct fixture *f = *state;
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(wait_while((struct wake){f, ends[1], 0, false}, ends[0]), 1);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(wait_while((struct wake){f, -1, 0, true}, ends[0]), 0);
	assert_int_equal(wait_while((struct wake){f, -1, PROCESS_DRAIN, false}, ends[0]), ENRG_E_STOPPED);
	/* it stays stopped, also where a descriptor is ready: what is in there is for `stop` to read */
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(wait_while((struct wake){f, -1, 0, false}, ends[0]), ENRG_E_STOPPED);
	f->job.stop_seen = PROCESS_DRAIN;
	assert_int_equal(wait_while((struct wake){f, -1, 0, false}, ends[0]), 1);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(wait_while((struct wake){f, -1, PROCESS_HURRY, false}, ends[0]), ENRG_E_STOPPED);
	close(ends[0]);
	close(ends[1]);
}

/* Nothing comes: it sleeps, lives, and is awake no more often than that takes. */
static void test_time_is_over(void **state)
{
	struct fixture *f = *state;
	uint64_t begin_ns = clock_mono_ns();

	f->plan.beat_ns = BEAT_NS;
	assert_int_equal(enrg_job_wait_fd(&f->job, NULL, 0, 10 * BEAT_NS, &f->err), 0);
	uint64_t end_ns = clock_mono_ns();
	assert_true(end_ns - begin_ns >= 10 * BEAT_NS);
	assert_in_range(f->process.page->wakeups, 1, 11);
	assert_true(end_ns - f->process.page->heartbeat_mono_ns <= BEAT_NS + (end_ns - begin_ns) / 2);
	assert_true(f->job.waited_ns >= 10 * BEAT_NS);
}

static void test_rows_are_committed_when_due(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	const struct enrg_value values[11] = {{.i = 1}, {.i = 2}};
	assert_int_equal(enrg_output_append(output, values, &f->err), 0);
	assert_false(read_batch(f));
	assert_int_equal(enrg_job_wait_fd(&f->job, NULL, 0, SHORT_NS, &f->err), 0);
	assert_true(read_batch(f));
	assert_int_equal(f->batch.rows, 1);
	release(f);
}

/* Rows beside an open claim wait for its end; the job sleeps all the same. */
static void test_rows_beside_a_claim(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct enrg_claim claim;
	const struct enrg_value values[11] = {{.i = 1}, {.i = 2}};

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	assert_int_equal(enrg_output_claim(output, 1, NULL, &claim, &f->err), 0);
	assert_int_equal(enrg_output_append(output, values, &f->err), 0);
	f->plan.beat_ns = BEAT_NS;
	assert_int_equal(enrg_job_wait_fd(&f->job, NULL, 0, 2 * BEAT_NS, &f->err), 0);
	assert_in_range(f->process.page->wakeups, 1, 3);
	fill_numbers(&claim);
	assert_int_equal(enrg_output_commit(output, 1, 0, &f->err), 0);
	assert_int_equal(enrg_job_wait_fd(&f->job, NULL, 0, SHORT_NS, &f->err), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(read_batch(f));
		assert_int_equal(f->batch.rows, 1);
		release(f);
	}
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	struct pollfd entries[ENRG_WAIT_MAX + 1];

	for (uint32_t i = 0; i <= ENRG_WAIT_MAX; i++)
		entries[i] = (struct pollfd){.fd = -1};
	assert_int_equal(enrg_job_wait_fd(&f->job, entries, ENRG_WAIT_MAX + 1, 0, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "at most 64"));
	assert_int_equal(enrg_job_wait_fd(&f->job, entries, ENRG_WAIT_MAX, 0, &f->err), 0);
}

/* --- ticks ------------------------------------------------------------------------------------------------------- */

#define INTERVAL_NS 20000000ull

static bool oversleeps; /* in code of its own, after the wait */
static int polls;

static int start_ticking(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)options;
	(void)ret_state;
	(void)err;
	enrg_job_set_interval(job, INTERVAL_NS);
	polls = 0;
	return 0;
}

static int poll_ticking(struct enrg_job *job, void *state, struct enrg_error *err)
{
	(void)state;
	int rc = enrg_job_wait_fd(job, NULL, 0, 4 * INTERVAL_NS, err);

	if (oversleeps)
		usleep(5 * INTERVAL_NS / 2000);
	return rc < 0 ? rc : ++polls == 3 ? ENRG_POLL_DONE : ENRG_POLL_IDLE;
}

static void destroy_ticking(void *state)
{
	(void)state;
}

static uint32_t count_missed_ticks(struct fixture *f, bool of_own_code)
{
	static const struct enrg_job_type type = {.size = sizeof(type),
		.name = "ticking",
		.groups = groups,
		.start = start_ticking,
		.poll = poll_ticking,
		.destroy = destroy_ticking};
	bool is_done;

	oversleeps = of_own_code;
	f->process.page->missed_ticks = 0;
	assert_int_equal(source_live(&f->job, &type, NULL, &is_done, &f->err), 0);
	assert_true(is_done);
	return f->process.page->missed_ticks;
}

/* Who waits for an instrument misses nothing; what its own code takes too long for is counted. */
static void test_ticks_slept_through(void **state)
{
	struct fixture *f = *state;
	/* on a busy machine a poll may come late by itself, but not by as much as was slept: 8 ticks */
	uint32_t waited = count_missed_ticks(f, false), overslept = count_missed_ticks(f, true);

	assert_in_range(waited, 0, 7);
	assert_in_range(overslept, 4, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_ends_a_wait, set_up, tear_down_wake),
		cmocka_unit_test_setup_teardown(test_time_is_over, set_up, tear_down_wake),
		cmocka_unit_test_setup_teardown(test_rows_are_committed_when_due, set_up, tear_down_wake),
		cmocka_unit_test_setup_teardown(test_rows_beside_a_claim, set_up, tear_down_wake),
		cmocka_unit_test_setup_teardown(test_too_many, set_up, tear_down_wake),
		cmocka_unit_test_setup_teardown(test_ticks_slept_through, set_up, tear_down_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
