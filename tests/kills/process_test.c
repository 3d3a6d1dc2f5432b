/* process_test.c: a whole store process, with the rings that it reads and acknowledges, killed at each of its system
 * calls: src/job/store/store.c around a store type that keeps all there is to go wrong in enrg_file_…. In the test
 * process.
 */
#include "fixtures/store.h"

#include "tracer.h"

#define CALLS_MAX 2000u

/* In the child. Its supervisor is gone: it stores what there is, and ends. */
static int drain(void *context)
{
	int lifeline[2], ready[2];

	if (pipe2(lifeline, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return 101;
	close(lifeline[1]);
	live(context, lifeline[0], ready[1]);
}

/* More than a commit takes from a ring. */
static struct fixture *begin(void)
{
	void *state;

	assert_int_equal(set_up(&state), 0);
	struct fixture *f = state;
	for (int i = 0; i < STREAMS; i++) {
		for (int batch = 0; batch < 8; batch++)
			assert_int_equal(produce(&f->producers[i], 7000 + (uint64_t)batch, 0), 0);
		stream_publish(f->producers[i].stream);
	}
	end_producers(f);
	return f;
}

static void end(struct fixture *f)
{
	void *state = f;

	assert_int_equal(tear_down(&state), 0);
}

static unsigned count_calls(void)
{
	struct fixture *f = begin();
	struct tracer_end result;

	tracer_run(drain, f, &(struct tracer_aim){TRACER_NEVER, false}, &result);
	assert_true(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0);
	expect_all(f);
	assert_true(atomic_load(&control->commits) >= 3);
	end(f);
	return result.calls;
}

static void a_kill_at_any_call_loses_and_doubles_nothing(void **state)
{
	unsigned calls = count_calls(), killed = 0;

	(void)state;
	assert_true(calls > 10 && calls < CALLS_MAX);
	for (unsigned call = 1; call <= calls; call++) {
		struct fixture *f = begin();
		struct tracer_end result;
		tracer_run(drain, f, &(struct tracer_aim){call, false}, &result);
		killed += result.was_killed;
		f->plan.life++;
		f->plan.previous_signal = SIGKILL;
		start(f);
		assert_int_equal(stop(f), 0);
		expect_all(f);
		end(f);
	}
	print_message("%u kills at %u calls\n", killed, calls);
	assert_true(killed > calls / 2); /* its threads make not quite as many each time */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_kill_at_any_call_loses_and_doubles_nothing)};

	return cmocka_run_group_tests_name("kills.process", tests, share_control, NULL);
}
