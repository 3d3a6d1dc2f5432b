/* device_test.c: the thread of a device with a vendor's library that works, is slow, hangs and crashes. What ends a
 * process runs in a child. */
#include "fixtures/output.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "job/process/end.h"
#include "job/source/device.h"
#include "job/source/source.h"
#include "job/source/wait.h"

#define SECOND_NS 1000000000ull
#define HANG_NS   50000000ull /* the deadline of what hangs */
#define DEPTH     8u
#define MANY      20000u

/* --- the library of the vendor ----------------------------------------------------------------------------------- */

struct vendor {
	uint64_t calls; /* of the device's thread alone */
	uint64_t order[64];
	uint64_t sleep_ns;
};

struct request {
	struct vendor *vendor;
	uint64_t number;
};

static int vendor_works(void *context, struct enrg_error *err)
{
	struct request *request = context;

	(void)err;
	request->vendor->order[request->vendor->calls++ % 64] = request->number;
	return 7;
}

static int vendor_fails(void *context, struct enrg_error *err)
{
	(void)context;
	return enrg_error_set(err, -EIO, "board 3 does not answer");
}

static int vendor_is_slow(void *context, struct enrg_error *err)
{
	const struct vendor *vendor = context;

	(void)err;
	usleep((useconds_t)(vendor->sleep_ns / 1000));
	return 0;
}

static int vendor_hangs(void *context, struct enrg_error *err)
{
	(void)context;
	(void)err;
	for (;;)
		pause();
	return 0;
}

static int vendor_crashes(void *context, struct enrg_error *err)
{
	(void)context;
	(void)err;
	raise(SIGSEGV);
	return 0;
}

static struct enrg_device_work work_of(
	const char *name, int (*run)(void *, struct enrg_error *), void *context, uint64_t deadline_ns)
{
	return (struct enrg_device_work){name, run, context, deadline_ns};
}

/* --- fixture ----------------------------------------------------------------------------------------------------- */

static struct enrg_device *device;
static struct vendor vendor;
static struct enrg_output *output;

static int set_up_device(void **state)
{
	struct fixture *f;

	set_up(state);
	f = *state;
	vendor = (struct vendor){0};
	device = NULL;
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	return 0;
}

static int tear_down_device(void **state)
{
	struct fixture *f = *state;

	if (f->process.wake_event)
		close(f->process.wake_event - 1);
	return tear_down(state);
}

static void create(struct fixture *f)
{
	assert_int_equal(enrg_device_create(&f->job, "digitizer", DEPTH, &device, &f->err), 0);
}

static void append(struct fixture *f)
{
	const struct enrg_value values[11] = {{.i = 1}, {.i = 2}};

	assert_int_equal(enrg_output_append(output, values, &f->err), 0);
}

/* In a child: `scene` may end the process. What became of it, as of waitpid. */
static int play(struct fixture *f, void (*scene)(struct fixture *f))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		create(f);
		scene(f);
		_exit(99); /* nothing ended it */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_hung(struct fixture *f, int status, const char *call)
{
	char reason[PAGE_REASON_BYTES], expected[200];

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILED);
	page_get_reason(f->process.page, reason, sizeof(reason));
	snprintf(expected, sizeof(expected), "%s of device digitizer hangs: it has not returned within 50 ms", call);
	assert_string_equal(reason, expected);
	assert_int_equal(f->process.page->state, PAGE_FAILED);
	assert_int_equal(f->process.page->alerts, 1);
}

/* --- works ------------------------------------------------------------------------------------------------------- */

static void test_call(void **state)
{
	struct fixture *f = *state;
	struct request request = {&vendor, 42};
	struct enrg_device_work works = work_of("Open", vendor_works, &request, SECOND_NS);
	struct enrg_device_work fails = work_of("Reset", vendor_fails, NULL, SECOND_NS);
	struct enrg_device_work endless = work_of("Open", vendor_works, &request, 0);

	create(f);
	assert_int_equal(enrg_device_call(device, &works, &f->err), 7);
	assert_int_equal(vendor.order[0], 42);
	assert_int_equal(enrg_device_call(device, &fails, &f->err), -EIO);
	assert_string_equal(f->err.text, "Reset: board 3 does not answer");
	assert_int_equal(enrg_device_call(device, &endless, &f->err), -EINVAL);
	assert_int_equal(enrg_device_post(device, &endless), -EINVAL);
	assert_true(enrg_device_destroy(device));
	assert_null(f->job.devices);
	assert_int_equal(enrg_device_create(&f->job, "digitizer", 0, &device, &f->err), -EINVAL);
}

static void test_results_in_order(void **state)
{
	struct fixture *f = *state;
	struct request requests[DEPTH + 1];
	struct enrg_device_result result;

	create(f);
	assert_int_equal(enrg_device_take(device, &result), 0);
	for (uint64_t i = 0; i <= DEPTH; i++) {
		requests[i] = (struct request){&vendor, i};
		struct enrg_device_work work = work_of("Read", vendor_works, &requests[i], SECOND_NS);
		if (i < DEPTH)
			assert_int_equal(enrg_device_post(device, &work), 0);
		else /* behind all that was posted */
			assert_int_equal(enrg_device_call(device, &work, &f->err), 7);
	}
	struct enrg_device_work more = work_of("Read", vendor_fails, NULL, SECOND_NS);
	assert_int_equal(enrg_device_post(device, &more), -EAGAIN);
	for (uint64_t i = 0; i <= DEPTH; i++)
		assert_int_equal(vendor.order[i], i);
	struct pollfd entry = {.fd = enrg_device_descriptor(device), .events = POLLIN};
	for (uint64_t i = 0; i < DEPTH; i++) {
		assert_int_equal(enrg_job_wait_fd(&f->job, &entry, 1, 0, &f->err), 1);
		assert_int_equal(enrg_device_take(device, &result), 1);
		assert_ptr_equal(result.context, &requests[i]);
		assert_int_equal(result.rc, 7);
		assert_string_equal(result.name, "Read");
	}
	assert_int_equal(enrg_job_wait_fd(&f->job, &entry, 1, 0, &f->err), 0);
	assert_int_equal(enrg_device_post(device, &more), 0);
	assert_int_equal(enrg_job_wait_fd(&f->job, &entry, 1, 60 * SECOND_NS, &f->err), 1);
	assert_int_equal(enrg_device_take(device, &result), 1);
	assert_int_equal(result.rc, -EIO);
	assert_string_equal(result.err.text, "board 3 does not answer");
	assert_true(enrg_device_destroy(device));
}

/* Works are posted and called as fast as both threads can; each is done once, in order. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	struct request requests[DEPTH], called = {&vendor, 0};
	struct pollfd entry;
	struct enrg_device_result result;
	uint64_t posted = 0, taken = 0, calls = 0;

	create(f);
	entry = (struct pollfd){.fd = enrg_device_descriptor(device), .events = POLLIN};
	while (taken < MANY) {
		for (; posted < MANY && posted - taken < DEPTH; posted++) {
			requests[posted % DEPTH] = (struct request){&vendor, posted};
			struct enrg_device_work work =
				work_of("Read", vendor_works, &requests[posted % DEPTH], SECOND_NS);
			assert_int_equal(enrg_device_post(device, &work), 0);
		}
		if (taken % 16 == 0) {
			struct enrg_device_work call = work_of("Status", vendor_works, &called, SECOND_NS);
			assert_int_equal(enrg_device_call(device, &call, &f->err), 7);
			calls++;
		}
		assert_true(enrg_job_wait_fd(&f->job, &entry, 1, 60 * SECOND_NS, &f->err) >= 0);
		while (enrg_device_take(device, &result) == 1)
			assert_int_equal(((struct request *)result.context)->number, taken++);
	}
	assert_true(enrg_device_destroy(device));
	assert_int_equal(vendor.calls, MANY + calls);
}

/* While the library sleeps the job lives, and rows that were appended are on their way. */
static void test_slow_call(void **state)
{
	struct fixture *f = *state;
	struct enrg_device_work work = work_of("Calibrate", vendor_is_slow, &vendor, 60 * SECOND_NS);

	create(f);
	f->plan.beat_ns = 10000000;
	vendor.sleep_ns = 200000000;
	append(f);
	uint64_t begin_ns = clock_mono_ns();
	assert_int_equal(enrg_device_call(device, &work, &f->err), 0);
	assert_true(clock_mono_ns() - begin_ns >= vendor.sleep_ns);
	assert_true(f->process.page->heartbeat_mono_ns > begin_ns);
	assert_in_range(f->process.page->wakeups, 2, 30);
	assert_true(read_batch(f));
	release(f);
	assert_true(enrg_device_destroy(device));
}

/* --- hangs and crashes ------------------------------------------------------------------------------------------- */

static void hang_in_call(struct fixture *f)
{
	struct enrg_device_work work = work_of("OpenDigitizer2", vendor_hangs, NULL, HANG_NS);

	append(f);
	enrg_device_call(device, &work, &f->err);
}

static void hang_beside_a_claim(struct fixture *f)
{
	struct enrg_claim claim;

	assert_int_equal(enrg_output_claim(output, 10, NULL, &claim, &f->err), 0);
	hang_in_call(f);
}

static void hang_while_it_waits(struct fixture *f)
{
	struct enrg_device_work work = work_of("ReadData", vendor_hangs, NULL, HANG_NS);

	append(f);
	assert_int_equal(enrg_device_post(device, &work), 0);
	enrg_job_wait_fd(&f->job, NULL, 0, 60 * SECOND_NS, &f->err);
}

static void hang_between_ticks(struct fixture *f)
{
	struct enrg_device_work work = work_of("IRQWait", vendor_hangs, NULL, HANG_NS);

	append(f);
	assert_int_equal(enrg_device_post(device, &work), 0);
	wait_for_tick(&f->job, clock_mono_ns() + 60 * SECOND_NS, &f->err);
}

static bool is_running(void)
{
	pthread_mutex_lock(&device->lock);
	bool runs = device->running;
	pthread_mutex_unlock(&device->lock);
	return runs;
}

/* A job that goes to sleep before the device's thread has begun a work wakes when that is due, and not with its next
 * sign of life. */
static void test_deadline_of_what_is_queued(void **state)
{
	struct fixture *f = *state;
	struct request request = {&vendor, 0};
	struct enrg_device_work work = work_of("Read", vendor_works, &request, SECOND_NS);
	struct enrg_device_result result;

	create(f);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(enrg_device_post(device, &work), 0);
		uint64_t due_ns = devices_deadline(&f->job);
		bool is_done = enrg_device_take(device, &result);
		assert_true(is_done || due_ns <= clock_mono_ns() + SECOND_NS);
		while (!is_done)
			is_done = enrg_device_take(device, &result);
	}
	assert_int_equal(devices_deadline(&f->job), UINT64_MAX);
	assert_true(enrg_device_destroy(device));
}

/* The process is gone, says why, and nothing that was appended is lost. */
static void test_hangs(void **state)
{
	static const struct {
		void (*scene)(struct fixture *f);
		const char *call;
	} scenes[] = {
		{hang_in_call, "OpenDigitizer2"},
		{hang_beside_a_claim, "OpenDigitizer2"},
		{hang_while_it_waits, "ReadData"},
		{hang_between_ticks, "IRQWait"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		void *own = NULL;
		set_up_device(&own); /* a stream for each */
		struct fixture *f = own;
		uint64_t begin_ns = clock_mono_ns();
		int status = play(f, scenes[i].scene);
		assert_true(clock_mono_ns() - begin_ns < 30 * SECOND_NS);
		assert_hung(f, status, scenes[i].call);
		assert_true(read_batch(f));
		assert_int_equal(f->batch.rows, 1);
		release(f);
		assert_false(read_batch(f));
		tear_down_device(&own);
	}
}

static void crash(struct fixture *f)
{
	struct enrg_device_work work = work_of("DecodeEvent", vendor_crashes, NULL, SECOND_NS);
	struct enrg_claim claim;

	signal(SIGSEGV, SIG_DFL); /* the sanitizers' handler would exit */
	assert_int_equal(enrg_output_claim(output, 10, NULL, &claim, &f->err), 0);
	fill_numbers(&claim);
	assert_int_equal(enrg_output_commit(output, 10, 0, &f->err), 0);
	enrg_device_call(device, &work, &f->err);
}

static void test_crash(void **state)
{
	struct fixture *f = *state;
	int status = play(f, crash);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_true(read_batch(f));
	check_numbers(f, 10);
	release(f);
}

/* --- the end of a device ----------------------------------------------------------------------------------------- */

/* What runs is waited for; what has not begun is left out. */
static void test_destroy_waits(void **state)
{
	struct fixture *f = *state;
	struct request request = {&vendor, 1};
	struct enrg_device_work slow = work_of("Close", vendor_is_slow, &vendor, 60 * SECOND_NS);
	struct enrg_device_work never = work_of("Read", vendor_works, &request, SECOND_NS);

	create(f);
	vendor.sleep_ns = 100000000;
	assert_int_equal(enrg_device_post(device, &slow), 0);
	while (!is_running())
		usleep(1000);
	assert_int_equal(enrg_device_post(device, &never), 0);
	uint64_t begin_ns = clock_mono_ns();
	assert_true(enrg_device_destroy(device));
	assert_true(clock_mono_ns() - begin_ns < 60 * SECOND_NS);
	assert_int_equal(vendor.calls, 0);
	assert_false(f->process.is_thread_left);
	assert_true(enrg_device_destroy(NULL));
}

static void destroy_what_hangs(struct fixture *f)
{
	struct enrg_device_work work = work_of("Close", vendor_hangs, NULL, HANG_NS);

	assert_int_equal(enrg_device_post(device, &work), 0);
	while (!is_running())
		usleep(1000);
	if (enrg_device_destroy(device) || !f->process.is_thread_left)
		_exit(98);
	process_end_if_left(&f->process, EXIT_HURRIED);
}

static void test_destroy_leaves_what_hangs(void **state)
{
	struct fixture *f = *state;
	int status = play(f, destroy_what_hangs);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_HURRIED); /* what its owner says: the end was in order */
	assert_int_equal(f->process.page->alerts, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_call, set_up_device, tear_down_device),
		cmocka_unit_test_setup_teardown(test_results_in_order, set_up_device, tear_down_device),
		cmocka_unit_test_setup_teardown(test_many, set_up_device, tear_down_device),
		cmocka_unit_test_setup_teardown(test_slow_call, set_up_device, tear_down_device),
		cmocka_unit_test_setup_teardown(test_deadline_of_what_is_queued, set_up_device, tear_down_device),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test_setup_teardown(test_crash, set_up_device, tear_down_device),
		cmocka_unit_test_setup_teardown(test_destroy_waits, set_up_device, tear_down_device),
		cmocka_unit_test_setup_teardown(test_destroy_leaves_what_hangs, set_up_device, tear_down_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
