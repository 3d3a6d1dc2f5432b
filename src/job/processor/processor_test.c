/* processor_test.c: what a processor does with records that it can't take: one that is corrupt, and one that ends its
 * process. Each life is a child of the test process. */
#include "fixtures/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "arrow/ipc.h"
#include "base/log.h"
#include "enrgdaq/processor.h"
#include "handover/checkpoint.h"
#include "handover/journal.h"
#include "job/processor/processor.h"
#include "job/source/output.h"

#define BATCHES    10u
#define ROWS       4u
#define RING_BYTES (1u << 20)

/* Shared with the children. */
struct control {
	int64_t crash_at;      /* process ends when it sees this value; 0: it does not */
	uint32_t tick_crashes; /* so many lives end in a tick */
	uint32_t lives;
	uint64_t corrupted; /* as the page of the last life says */
};

static struct control *control;
static char input_path[160], output_path[160], journal_path[160], checkpoint_path[160], page_path[160], out_dir[160];
static uint64_t positions[BATCHES + 1]; /* of the records of the input, from 1 */

static const struct enrg_column columns[] = {{"value", ENRG_I64, 0, NULL}};
static const struct enrg_schema schema = {.column_count = 1, .columns = columns};
static const struct enrg_job_group groups[] = {{"store_config", false, ""}, {NULL, false, NULL}};

/* --- the processor: passes rows on, two at a time ----------------------------------------------------------------- */

struct options {
	const char *out_dir; /* where files that are set aside go */
};

static const struct enrg_option option_list[] = {
	{.key = "out_dir", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct options, out_dir), .help = "x"},
	{.key = NULL}};

static struct {
	struct enrg_processor *processor;
	struct enrg_output *output;
} self;

static int start(struct enrg_processor *processor, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)options;
	self.processor = processor;
	*ret_state = &self;
	enrg_job_set_interval(enrg_processor_job(processor), 1);
	return enrg_output_open(enrg_processor_job(processor), "store_config", "t", &schema, &self.output, err);
}

static int64_t process(
	void *state, uint32_t input, const struct enrg_batch *batch, uint64_t row, struct enrg_error *err)
{
	const int64_t *values = batch->columns[0].values;
	uint64_t rows = batch->rows - row < 2 ? batch->rows - row : 2;

	(void)state;
	for (uint64_t i = row; i < row + rows; i++) {
		if (values[i] == control->crash_at)
			raise(SIGSEGV);
		int rc = enrg_output_append(self.output, &(struct enrg_value){.i = values[i]}, err);
		if (rc < 0)
			return rc;
	}
	int rc = enrg_processor_count(self.processor, input, rows, NULL);
	return rc < 0 ? rc : (int64_t)rows;
}

static int tick(void *state, uint64_t now_ns, struct enrg_error *err)
{
	(void)state, (void)now_ns, (void)err;
	if (control->lives <= control->tick_crashes)
		raise(SIGSEGV);
	return 0;
}

static void destroy(void *state)
{
	(void)state;
}

static const struct enrg_processor_type type = {.size = sizeof(type),
	.name = "DAQJobPass",
	.summary = "x",
	.options = {sizeof(struct options), option_list},
	.groups = groups,
	.start = start,
	.process = process,
	.tick = tick,
	.destroy = destroy};

/* --- streams ------------------------------------------------------------------------------------------------------ */

static void create(const char *stream_path, const char *source, const char *consumer, bool checks)
{
	const struct stream_params params = {.path = stream_path,
		.source = source,
		.run = "r",
		.supervisor = "s",
		.data_bytes = RING_BYTES,
		.record_bytes_max = 64u << 10,
		.checks = checks};

	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_add_consumer(stream_path, consumer, NULL), 0);
}

/* Values from 1 on. */
static void produce(void)
{
	struct enrg_job job = {0};
	struct stream *stream;
	struct enrg_output *output;
	struct enrg_claim claim;
	int64_t value = 0;

	assert_int_equal(stream_open(input_path, 0, &stream, NULL), 0);
	const struct outputs_params params = {.stream = stream,
		.producers = 1,
		.source = "a",
		.run = "r",
		.groups = groups,
		.read_groups = "store_config "};
	assert_int_equal(outputs_create(&params, &job.outputs, NULL), 0);
	assert_int_equal(enrg_output_open(&job, "store_config", "x", &schema, &output, NULL), 0);
	for (uint32_t batch = 1; batch <= BATCHES; batch++) {
		positions[batch] = stream_tail(stream);
		assert_int_equal(enrg_output_claim(output, ROWS, NULL, &claim, NULL), 0);
		for (uint64_t i = 0; i < ROWS; i++)
			((int64_t *)claim.columns[0].values)[i] = ++value;
		assert_int_equal(enrg_output_commit(output, ROWS, 1, NULL), 0);
	}
	outputs_destroy(job.outputs);
	stream_close(stream, true);
}

/* A byte of a record of the input, counted from its header. */
static void flip_byte(uint32_t batch, size_t offset)
{
	int descriptor = open(input_path, O_RDWR | O_CLOEXEC);
	off_t at = (off_t)(SEGMENT_DATA_AT + positions[batch] + offset);
	uint8_t byte;

	assert_int_equal(pread(descriptor, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(descriptor, &byte, 1, at), 1);
	close(descriptor);
}

static int set_up_stream(void **state, bool checks)
{
	setup(state);
	snprintf(input_path, sizeof(input_path), "%s/in.stream", folder);
	snprintf(output_path, sizeof(output_path), "%s/out.stream", folder);
	snprintf(journal_path, sizeof(journal_path), "%s/pass.journal", folder);
	snprintf(checkpoint_path, sizeof(checkpoint_path), "%s/pass.checkpoint", folder);
	snprintf(page_path, sizeof(page_path), "%s/page", folder);
	snprintf(out_dir, sizeof(out_dir), "%s/out", folder);
	create(input_path, "a", "pass", checks);
	produce();
	create(output_path, "pass", "store", true);
	memset(control, 0, sizeof(*control));
	return 0;
}

static int set_up(void **state)
{
	return set_up_stream(state, true);
}

static int set_up_without_checks(void **state)
{
	return set_up_stream(state, false);
}

static int tear_down(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* --- lives -------------------------------------------------------------------------------------------------------- */

static int live(int previous_signal)
{
	static char *group_list[] = {"store_config"};
	static struct job_input named[] = {{"a", NULL, NULL}};
	static struct plan_input input;
	static struct plan plan;
	static struct process process;
	static const struct type_entry entry = {.processor = &type, .name = "DAQJobPass"};
	struct options options = {.out_dir = out_dir};
	struct enrg_error err = {0};

	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	signal(SIGSEGV, SIG_DFL); /* of a sanitizer */
	input = (struct plan_input){.source = "a", .stream_path = input_path, .group_count = 1, .groups = group_list};
	plan = (struct plan){.supervisor = "s",
		.run = "r",
		.name = "pass",
		.type = "DAQJobPass",
		.file = "pass.toml",
		.toml_text = "",
		.runtime_folder = folder,
		.page_path = page_path,
		.journal_path = journal_path,
		.checkpoint_path = checkpoint_path,
		.is_processor = true,
		.level = 1,
		.stream_path = output_path,
		.read_groups = "store_config ",
		.hot_bytes = RING_BYTES / 4,
		.producers = 2,
		.life = control->lives++,
		.previous_signal = previous_signal,
		.input_count = 1,
		.inputs = &input};
	process.plan = &plan;
	process.type = &entry;
	process.options = &options;
	process.common.inputs.input = (struct enrg_struct_list){1, named};
	process.stop = PROCESS_DRAIN;
	log_init("pass", ENRG_ERROR);
	if (page_create(page_path, &process.page, &err) < 0)
		return 100;
	int rc = processor_run(&process, &err);
	control->corrupted = atomic_load(&process.page->corrupted);
	return rc;
}

/* Lives until one ends by itself, in order. How many there were. */
static uint32_t live_on(void)
{
	int signal_before = 0, status;

	for (;;) {
		pid_t child = fork();
		if (!child)
			_exit(live(signal_before));
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return control->lives;
		}
		signal_before = WTERMSIG(status);
		assert_int_equal(signal_before, SIGSEGV);
		assert_true(control->lives < 10);
	}
}

/* The output has all values but those from..to of each pair, each once, in order. */
static void expect_values(const int64_t *missing, size_t pairs)
{
	struct enrg_column_view view;
	struct consumer *consumer;
	struct consumer_record record;
	int64_t next = 1;

	assert_int_equal(consumer_open(output_path, "store", UINT64_MAX, &consumer, NULL), 0);
	while (consumer_acquire(consumer, &record, NULL) == 1) {
		struct enrg_batch batch = {0};
		assert_int_equal(record.header->type, RECORD_DATA); /* no gap */
		assert_int_equal(ipc_decode_batch(&schema, record.payload,
					 record.header->meta_bytes + record.header->body_bytes, &view, &batch, NULL),
			0);
		for (uint64_t i = 0; i < batch.rows; i++) {
			for (size_t pair = 0; pair < pairs; pair++)
				if (next == missing[2 * pair])
					next = missing[2 * pair + 1] + 1;
			assert_int_equal(((const int64_t *)view.values)[i], next++);
		}
	}
	assert_int_equal(next, BATCHES * ROWS + 1);
	consumer_close(consumer);
}

/* What the journal says of the input, and the checkpoint of its rows. */
static struct journal_stream_state read_counts(uint64_t rows_read)
{
	struct journal_stream_state state;
	struct stream_status status;
	struct checkpoint last;
	uint64_t number;

	assert_int_equal(stream_read_status(input_path, &status, NULL), 0);
	assert_int_equal(status.consumers[0].ack, status.head);
	assert_int_equal(journal_read_stream(journal_path, status.uuid, &state, NULL), 0);
	assert_int_equal(state.batches + state.corrupted_batches + state.set_aside_batches, BATCHES);
	assert_int_equal(journal_read_number(journal_path, &number), 0);
	assert_int_equal(checkpoint_read(checkpoint_path, number, true, &last, NULL), 0);
	assert_int_equal(last.inputs[0].read, rows_read);
	assert_int_equal(last.inputs[0].in, rows_read);
	assert_int_equal(last.stream_count, 0); /* no record is consumed in part */
	checkpoint_fini(&last);
	return state;
}

static bool is_set_aside(uint32_t batch)
{
	char path_there[200];

	snprintf(path_there, sizeof(path_there), "%s/set_aside_a_%u.arrows", out_dir, batch);
	return access(path_there, F_OK) == 0;
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

/* A value of the fourth, the header of the seventh. */
static void corrupt_records_are_counted_and_left_out(void **state)
{
	static const int64_t missing[] = {3 * ROWS + 1, 4 * ROWS, 6 * ROWS + 1, 7 * ROWS};

	(void)state;
	flip_byte(4, sizeof(struct record) + 350);
	flip_byte(7, offsetof(struct record, rows));
	assert_int_equal(live_on(), 1);
	expect_values(missing, 2);
	assert_int_equal(read_counts((BATCHES - 2) * ROWS).corrupted_batches, 2);
	assert_int_equal(control->corrupted, 2);
}

/* Where records have no check sums, it is the message that makes no sense. */
static void one_that_makes_no_sense_is_left_out(void **state)
{
	static const int64_t missing[] = {3 * ROWS + 1, 4 * ROWS};

	(void)state;
	flip_byte(4, sizeof(struct record) + 2 * sizeof(uint32_t)); /* where its first table lies */
	assert_int_equal(live_on(), 1);
	expect_values(missing, 1);
	assert_int_equal(read_counts((BATCHES - 1) * ROWS).corrupted_batches, 1);
}

static void a_record_that_ends_three_lives_is_set_aside(void **state)
{
	static const int64_t missing[] = {5 * ROWS + 1, 6 * ROWS};

	(void)state;
	control->crash_at = 5 * ROWS + 1;
	assert_int_equal(live_on(), 4);
	expect_values(missing, 1);
	const struct journal_stream_state state_now = read_counts((BATCHES - 1) * ROWS);
	assert_int_equal(state_now.set_aside_batches, 1);
	assert_int_equal(state_now.set_aside_rows, ROWS);
	assert_true(is_set_aside(6));
}

/* Its first two rows are made, in a step of their own; the other two are not. */
static void one_that_does_so_in_its_middle(void **state)
{
	static const int64_t missing[] = {5 * ROWS + 3, 6 * ROWS};

	(void)state;
	control->crash_at = 5 * ROWS + 3;
	assert_int_equal(live_on(), 4);
	expect_values(missing, 1);
	assert_int_equal(read_counts(BATCHES * ROWS - 2).set_aside_batches, 1);
	assert_true(is_set_aside(6));
}

static void a_crash_in_a_tick_is_no_records_fault(void **state)
{
	(void)state;
	control->tick_crashes = 5;
	assert_int_equal(live_on(), 6);
	expect_values(NULL, 0);
	assert_int_equal(read_counts(BATCHES * ROWS).set_aside_batches, 0);
	assert_int_not_equal(access(out_dir, F_OK), 0);
}

static int share_control(void **state)
{
	(void)state;
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return control == MAP_FAILED ? -1 : 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(corrupt_records_are_counted_and_left_out),
		cmocka_unit_test_setup_teardown(one_that_makes_no_sense_is_left_out, set_up_without_checks, tear_down),
		TEST(a_record_that_ends_three_lives_is_set_aside),
		TEST(one_that_does_so_in_its_middle),
		TEST(a_crash_in_a_tick_is_no_records_fault),
	};

	return cmocka_run_group_tests_name("job.processor", tests, share_control, NULL);
}
