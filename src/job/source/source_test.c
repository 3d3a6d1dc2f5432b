/* source_test.c: whole lives of job types that exist only here, each in a process of its own, ended in every way. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/link.h"
#include "handover/order.h"
#include "job/process/reporter.h"
#include "job/source/source.h"

#define RECORD_BYTES (256u << 10)

struct fixture {
	char folder[64], stream_path[96], page_path[96];
	struct consumer *consumer;
	const struct page *page;
	struct plan plan;
	int lifeline, ready; /* the supervisor's ends */
	pid_t pid;
	uint64_t committed_ns; /* of the batch read last */
	struct enrg_error err;
};

static const struct enrg_column columns[] = {{"n", ENRG_I64, 0, NULL}};
static const struct enrg_schema schema = {.column_count = 1, .columns = columns};
static const struct enrg_job_group groups[] = {{"store_config", true, ""}, {NULL, false, NULL}};

static struct plan plan_of(char *stream_path)
{
	return (struct plan){
		.supervisor = "s",
		.run = "r",
		.name = "job",
		.type = "DAQJobFake",
		.file = "job.toml",
		.toml_text = "[store_config.csv]\nfile_path = \"a.csv\"\n",
		.stream_path = stream_path,
	};
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/dev/shm/source_test.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->stream_path, sizeof(f->stream_path), "%s/job.stream", f->folder);
	snprintf(f->page_path, sizeof(f->page_path), "%s/job.page", f->folder);
	const struct stream_params params = {
		.path = f->stream_path,
		.source = "job",
		.run = "r",
		.supervisor = "s",
		.data_bytes = 2 * RECORD_BYTES,
		.record_bytes_max = RECORD_BYTES,
		.checks = true,
	};
	assert_int_equal(stream_create(&params, &f->err), 0);
	assert_int_equal(stream_add_consumer(f->stream_path, "store", &f->err), 0);
	assert_int_equal(consumer_open(f->stream_path, "store", UINT64_MAX, &f->consumer, &f->err), 0);
	f->plan = plan_of(f->stream_path);
	f->lifeline = f->ready = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->pid > 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	consumer_close(f->consumer);
	page_close(f->page);
	close(f->lifeline);
	close(f->ready);
	unlink(f->stream_path);
	unlink(f->page_path);
	rmdir(f->folder);
	free(f);
	return 0;
}

/* Starts this program again: "job TYPE STREAM PAGE LINK-URL LIFELINE READY", "-" for none. */
static void start(struct fixture *f, const struct enrg_job_type *type)
{
	int lifeline[2], ready[2];
	char lifeline_text[16], ready_text[16];

	assert_int_equal(pipe(lifeline), 0);
	assert_int_equal(pipe(ready), 0);
	f->lifeline = lifeline[1];
	f->ready = ready[0];
	fcntl(f->lifeline, F_SETFD, FD_CLOEXEC);
	fcntl(f->ready, F_SETFD, FD_CLOEXEC);
	snprintf(lifeline_text, sizeof(lifeline_text), "%d", lifeline[0]);
	snprintf(ready_text, sizeof(ready_text), "%d", ready[1]);
	f->pid = fork();
	if (f->pid == 0) {
		execl("/proc/self/exe", "job", type->name, f->plan.stream_path ? f->plan.stream_path : "-",
			f->page_path, f->plan.sink_count ? f->plan.sinks[0].link_url : "-", lifeline_text, ready_text,
			NULL);
		_exit(127);
	}
	assert_true(f->pid > 0);
	close(lifeline[0]);
	close(ready[1]);
}

static void wait_until_ready(struct fixture *f)
{
	char line[16] = "";

	assert_int_equal(read(f->ready, line, sizeof(line) - 1), 8);
	assert_string_equal(line, "READY=1\n");
	assert_int_equal(page_open(f->page_path, &f->page, &f->err), 0);
}

static int end_of(struct fixture *f)
{
	int status;

	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->pid = 0;
	if (!f->page)
		assert_int_equal(page_open(f->page_path, &f->page, &f->err), 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Reads one batch, waiting for it, and returns its first value. */
static int64_t read_value(struct fixture *f, uint64_t *ret_rows)
{
	struct consumer_record record;
	struct enrg_column_view view;
	struct enrg_batch batch;

	while (consumer_acquire(f->consumer, &record, &f->err) == 0)
		assert_true(consumer_wait(&f->consumer, 1, NULL, 0, 20000000000ull) > 0);
	assert_int_equal(consumer_check(f->consumer, &record, &f->err), 0);
	size_t bytes = record.header->meta_bytes + record.header->body_bytes;
	assert_int_equal(ipc_decode_batch(&schema, record.payload, bytes, &view, &batch, &f->err), 0);
	int64_t value = batch.rows ? ((const int64_t *)view.values)[0] : -1;
	f->committed_ns = record.header->committed_ns;
	consumer_release(f->consumer, record.end, 0);
	if (ret_rows)
		*ret_rows = batch.rows;
	return value;
}

static bool is_closed(struct fixture *f)
{
	struct stream_status status;

	assert_int_equal(stream_read_status(f->stream_path, &status, &f->err), 0);
	return status.is_closed;
}

/* --- a fake job that counts -------------------------------------------------------------------------------------- */

struct counter {
	struct enrg_output *output;
	int64_t next, last;
	uint64_t rows; /* of a batch; 0 = append single rows */
};

static int start_counter(struct enrg_job *job, uint64_t interval_ns, int64_t last, uint64_t rows, void **ret_state,
	struct enrg_error *err)
{
	struct counter *counter = calloc(1, sizeof(*counter));
	int rc = enrg_output_open(job, "store_config", NULL, &schema, &counter->output, err);

	if (rc < 0) {
		free(counter);
		return rc;
	}
	counter->last = last;
	counter->rows = rows;
	enrg_job_set_interval(job, interval_ns);
	*ret_state = counter;
	return 0;
}

static int put(struct counter *counter, struct enrg_error *err)
{
	struct enrg_claim claim;

	if (!counter->rows)
		return enrg_output_append(counter->output, &(struct enrg_value){.i = counter->next++}, err);
	int rc = enrg_output_claim(counter->output, counter->rows, NULL, &claim, err);
	if (rc < 0)
		return rc;
	memset(claim.columns[0].values, 0, counter->rows * 8);
	((int64_t *)claim.columns[0].values)[0] = counter->next++;
	return enrg_output_commit(counter->output, counter->rows, 0, err);
}

static int poll_counter(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct counter *counter = state;
	int rc = put(counter, err);

	(void)job;
	if (rc < 0)
		return rc;
	return counter->next == counter->last ? ENRG_POLL_DONE : ENRG_POLL_IDLE;
}

/* The last reading of the hardware: a value that is easy to tell. */
static int stop_counter(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct counter *counter = state;

	(void)job;
	counter->next = 1000000;
	return put(counter, err);
}

static int start_twenty(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)options;
	return start_counter(job, 5000000, 20, 1, ret_state, err);
}

static int start_endless(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)options;
	return start_counter(job, 1000000, -1, 1, ret_state, err);
}

static int start_slow(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)options;
	return start_counter(job, 3600000000000ull, -1, 0, ret_state, err);
}

static int start_flood(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)options;
	return start_counter(job, 0, -1, RECORD_BYTES / 16, ret_state, err);
}

/* Every second poll takes two intervals and a half. */
static int poll_overslept(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct counter *counter = state;

	if (counter->next % 2 == 0)
		usleep(50000);
	return poll_counter(job, state, err);
}

static int start_overslept(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)options;
	return start_counter(job, 20000000, 10, 1, ret_state, err);
}

static int poll_fails(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct counter *counter = state;

	(void)job;
	if (counter->next == 2)
		return enrg_error_set(err, -EIO, "the cable is out");
	enrg_output_append(counter->output, &(struct enrg_value){.i = counter->next++}, err);
	return ENRG_POLL_AGAIN;
}

static int poll_dies(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct counter *counter = state;

	put(counter, err);
	if (counter->next == 2)
		raise(SIGKILL);
	return job && counter->next < 2 ? ENRG_POLL_AGAIN : ENRG_POLL_IDLE;
}

static int start_fails(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)job;
	(void)options;
	(void)ret_state;
	return enrg_error_set(err, ENRG_E_CONFIG, "no such camera");
}

static const struct enrg_job_type twenty = {.size = sizeof(struct enrg_job_type),
	.name = "twenty",
	.groups = groups,
	.start = start_twenty,
	.poll = poll_counter,
	.stop = stop_counter,
	.destroy = free};
static const struct enrg_job_type overslept = {.size = sizeof(struct enrg_job_type),
	.name = "overslept",
	.groups = groups,
	.start = start_overslept,
	.poll = poll_overslept,
	.destroy = free};
static const struct enrg_job_type endless = {.size = sizeof(struct enrg_job_type),
	.name = "endless",
	.groups = groups,
	.start = start_endless,
	.poll = poll_counter,
	.stop = stop_counter,
	.destroy = free};
static const struct enrg_job_type slow = {.size = sizeof(struct enrg_job_type),
	.name = "slow",
	.groups = groups,
	.start = start_slow,
	.poll = poll_counter,
	.stop = stop_counter,
	.destroy = free};
static const struct enrg_job_type flood = {.size = sizeof(struct enrg_job_type),
	.name = "flood",
	.groups = groups,
	.start = start_flood,
	.poll = poll_counter,
	.stop = stop_counter,
	.destroy = free};
static const struct enrg_job_type failing = {.size = sizeof(struct enrg_job_type),
	.name = "failing",
	.groups = groups,
	.start = start_endless,
	.poll = poll_fails,
	.destroy = free};
static const struct enrg_job_type dying = {.size = sizeof(struct enrg_job_type),
	.name = "dying",
	.groups = groups,
	.start = start_endless,
	.poll = poll_dies,
	.destroy = free};
static const struct enrg_job_type unstartable = {.size = sizeof(struct enrg_job_type),
	.name = "unstartable",
	.groups = groups,
	.start = start_fails,
	.poll = poll_counter,
	.destroy = free};

/* --- tests ------------------------------------------------------------------------------------------------------- */

static void test_done(void **state)
{
	struct fixture *f = *state;
	uint64_t begin = clock_mono_ns();

	start(f, &twenty);
	for (int64_t i = 0; i < 20; i++)
		assert_int_equal(read_value(f, NULL), i);
	/* 19 intervals of 5 ms lie between the first and the last poll */
	assert_true(clock_mono_ns() - begin >= 95000000u);
	assert_int_equal(read_value(f, NULL), 1000000);
	assert_int_equal(end_of(f), 0);
	assert_true(is_closed(f));
	assert_int_equal(atomic_load(&f->page->out_batches), 21);
	assert_int_equal(atomic_load(&f->page->out_rows), 21);
}

/* What was to be measured while a poll took too long is not there: it is counted. */
static void test_missed_ticks(void **state)
{
	struct fixture *f = *state;

	start(f, &overslept);
	for (int64_t i = 0; i < 10; i++)
		assert_int_equal(read_value(f, NULL), i);
	assert_int_equal(end_of(f), 0);
	/* two by each of five polls; on a busy machine more */
	assert_in_range(atomic_load(&f->page->missed_ticks), 10, 1000000);
}

/* As the supervisor asks: a word of order.h to the job. */
static void ask(pid_t pid, int word)
{
	assert_int_equal(order_send(pid, word), 0);
}

static void test_stop_by_the_supervisor(void **state)
{
	struct fixture *f = *state;
	int64_t value;

	start(f, &endless);
	wait_until_ready(f);
	assert_int_equal(read_value(f, NULL), 0);
	ask(f->pid, ORDER_DRAIN);
	for (int64_t i = 1; (value = read_value(f, NULL)) != 1000000; i++)
		assert_int_equal(value, i);
	assert_int_equal(end_of(f), 0);
	assert_true(is_closed(f));
	assert_int_equal(atomic_load(&f->page->state), PAGE_DRAINING); /* DONE is process_main's to say */
}

/* A signal of somebody else, and a word of one who is not the parent. The hardware is closed, the run is not over. */
static void test_stop_by_a_stranger(void **state)
{
	struct fixture *f = *state;

	start(f, &endless);
	wait_until_ready(f);
	pid_t stranger = fork();
	if (stranger == 0)
		_exit(order_send(f->pid, ORDER_FAST) || kill(f->pid, SIGTERM));
	int status;
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	assert_int_equal(status, 0);
	while (read_value(f, NULL) != 1000000)
		;
	assert_int_equal(end_of(f), 4);
}

static void test_stop_when_the_supervisor_dies(void **state)
{
	struct fixture *f = *state;

	start(f, &endless);
	wait_until_ready(f);
	close(f->lifeline);
	f->lifeline = -1;
	while (read_value(f, NULL) != 1000000)
		;
	assert_int_equal(end_of(f), 0);
	assert_true(is_closed(f));
}

/* An appended row must not wait for the next poll, which is an hour away; nor must a stop. */
static void test_linger_and_stop_in_a_long_interval(void **state)
{
	struct fixture *f = *state;
	uint64_t rows;

	start(f, &slow);
	wait_until_ready(f);
	uint64_t now = clock_mono_ns();
	assert_int_equal(read_value(f, &rows), 0);
	assert_int_equal(rows, 1);
	assert_true(f->committed_ns < now + 20000000000u);
	uint64_t beat = atomic_load(&f->page->heartbeat_mono_ns);
	uint64_t wakeups = atomic_load(&f->page->wakeups);
	struct pollfd nothing = {.fd = -1};
	while (atomic_load(&f->page->heartbeat_mono_ns) - beat < 1000000000u) /* lives though it has nothing to do */
		poll(&nothing, 1, 10);
	assert_true(atomic_load(&f->page->wakeups) - wakeups <= 4);
	ask(f->pid, ORDER_DRAIN);
	assert_int_equal(read_value(f, NULL), 1000000); /* staged by stop */
	assert_int_equal(end_of(f), 0);
}

/* Nobody reads: the job is held back, lives, and a second signal ends it; what was committed stays. */
static void test_hurry_while_blocked(void **state)
{
	struct fixture *f = *state;
	struct stream_status status;
	struct pollfd nothing = {.fd = -1};

	start(f, &flood);
	wait_until_ready(f);
	do {
		poll(&nothing, 1, 5);
		assert_int_equal(stream_read_status(f->stream_path, &status, &f->err), 0);
	} while (!status.blocked_since_ns);
	ask(f->pid, ORDER_DRAIN);
	ask(f->pid, ORDER_FAST); /* words do not merge */
	assert_int_equal(end_of(f), 3);
	assert_int_equal(stream_read_status(f->stream_path, &status, &f->err), 0);
	for (uint64_t i = 0; i < status.batches; i++)
		assert_int_equal(read_value(f, NULL), i);
}

static void test_failure(void **state)
{
	struct fixture *f = *state;
	uint64_t rows;

	start(f, &failing);
	assert_int_equal(read_value(f, &rows), 0);
	if (rows == 1)
		assert_int_equal(read_value(f, NULL), 1);
	assert_int_equal(end_of(f), 1);
	assert_false(is_closed(f)); /* the next life goes on */
}

static void test_kill(void **state)
{
	struct fixture *f = *state;

	start(f, &dying);
	assert_int_equal(end_of(f), 1000 + SIGKILL);
	assert_int_equal(read_value(f, NULL), 0);
	assert_int_equal(read_value(f, NULL), 1);
	page_close(f->page);
	f->page = NULL;
	close(f->lifeline);
	close(f->ready);
	start(f, &twenty);
	assert_int_equal(read_value(f, NULL), -1); /* the gap */
	for (int64_t i = 0; i < 20; i++)
		assert_int_equal(read_value(f, NULL), i);
	assert_int_equal(read_value(f, NULL), 1000000);
	assert_int_equal(end_of(f), 0);
}

static void test_start_fails(void **state)
{
	struct fixture *f = *state;
	char byte;

	start(f, &unstartable);
	assert_int_equal(end_of(f), 2);
	assert_int_equal(read(f->ready, &byte, 1), 0); /* never ready */
}

static void test_no_stream(void **state)
{
	struct fixture *f = *state;

	f->plan.stream_path = NULL;
	start(f, &twenty);
	wait_until_ready(f);
	assert_int_equal(end_of(f), 0);
	assert_int_equal(atomic_load(&f->page->out_batches), 0);
}

/* Without shared memory: all that is committed arrives before the job ends, and is counted. */
static void test_link(void **state)
{
	struct fixture *f = *state;
	char url[128], name[] = "store", type[] = "DAQJobStoreFake";
	struct plan_sink sink = {.store_name = name, .store_type = type, .link_url = url};
	struct link_receiver *receiver;
	struct link_batch batch;
	uint64_t bytes = 0;

	consumer_close(f->consumer);
	f->consumer = NULL;
	snprintf(url, sizeof(url), "ipc://%s/link", f->folder);
	f->plan.sink_count = 1;
	f->plan.sinks = &sink;
	assert_int_equal(link_receiver_open(url, &receiver, &f->err), 0);
	start(f, &twenty);
	for (uint64_t sequence = 1; sequence <= 21; sequence++) {
		int rc;
		while ((rc = link_receiver_recv(receiver, 1000, &batch, &f->err)) == 0)
			;
		assert_int_equal(rc, 1);
		assert_int_equal(batch.header.sequence, sequence);
		bytes += batch.header.meta_bytes + batch.header.body_bytes;
		assert_int_equal(link_receiver_ack(receiver, batch.stream_uuid, batch.end), 0);
	}
	while (link_receiver_open_senders(receiver))
		assert_int_equal(link_receiver_recv(receiver, 1000, &batch, &f->err), 0);
	assert_int_equal(end_of(f), 0);
	assert_int_equal(atomic_load(&f->page->zmq_out_bytes), bytes);
	assert_int_equal(atomic_load(&f->page->out_bytes), bytes);
	link_receiver_close(receiver);
	unlink(url + strlen("ipc://"));
}

/* The child: as process_main, without plan, module and options. */
static int live(char **arguments)
{
	static const struct enrg_job_type *const types[] = {
		&twenty, &overslept, &endless, &slow, &flood, &failing, &dying, &unstartable};
	static struct process process;
	struct plan_sink sink = {.store_name = "store", .store_type = "DAQJobStoreFake", .link_url = arguments[3]};
	struct plan plan = plan_of(strcmp(arguments[1], "-") ? arguments[1] : NULL);
	struct type_entry entry = {0};
	struct enrg_error err = {0};
	sigset_t signals;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i]->name, arguments[0]) == 0)
			entry.job = types[i];
	plan.sinks = &sink;
	plan.sink_count = strcmp(arguments[3], "-") != 0;
	sigemptyset(&signals);
	order_add_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	log_init("job", ENRG_ERROR);
	process.plan = &plan;
	process.type = &entry;
	process.ready_descriptor = atoi(arguments[5]);
	if (!entry.job || page_create(arguments[2], &process.page, &err) < 0 ||
		reporter_start(&process, atoi(arguments[4]), &process.reporter, &err) < 0)
		return 100;
	int rc = source_run(&process, &err);
	reporter_stop(process.reporter);
	page_close(process.page);
	return rc;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_done, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_missed_ticks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop_by_the_supervisor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop_by_a_stranger, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop_when_the_supervisor_dies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_linger_and_stop_in_a_long_interval, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hurry_while_blocked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kill, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_start_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_link, set_up, tear_down),
	};

	if (argc == 7 && strcmp(argv[0], "job") == 0)
		return live(argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
