/* processor_test.c: a whole processor's process, killed at each system call and at the instructions of a checkpoint:
 * whatever was done by then, the next lives give what one life gives. Each row of two inputs is in the output once, the
 * counts close, and no record says that something may be missing. In the test process. */
#include "fixtures/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "arrow/ipc.h"
#include "base/log.h"
#include "enrgdaq/processor.h"
#include "handover/checkpoint.h"
#include "handover/journal.h"
#include "job/processor/processor.h"
#include "job/source/output.h"
#include "tracer.h"

#define STREAMS          2u
#define BATCHES          24u
#define ROWS_MAX         40u /* of a batch: a step takes STEP_ROWS of them */
#define STEP_ROWS        7u
#define RING_BYTES       (1u << 20)
#define LIVES_MAX        10
#define INSTRUCTIONS_MAX 7000u
#define BEHIND_HEAD      150u

/* Shared with the child. */
struct control {
	volatile uint32_t checkpoint; /* number of the save behind which instructions count; 0: none */
	volatile uint32_t at;         /* the one before which it is killed; 0: only counted */
	volatile uint32_t saves, instructions;
	volatile uint32_t moved; /* the instruction behind which head of the output stood elsewhere */
	volatile uint32_t exact, starts;
};

static struct control *control;
static char input_paths[STREAMS][160], output_path[160], journal_path[160], checkpoint_path[160], page_path[160];
static uint64_t sent[STREAMS];
static bool has_output;

static const struct enrg_column in_columns[] = {{"value", ENRG_I64, 0, NULL}};
static const struct enrg_schema in_schema = {.column_count = 1, .columns = in_columns};
static const struct enrg_column out_columns[] = {
	{"order", ENRG_U64, 0, NULL}, {"input", ENRG_U32, 0, NULL}, {"value", ENRG_I64, 0, NULL}};
static const struct enrg_schema out_schema = {.column_count = 3, .columns = out_columns};
static const struct enrg_job_group groups[] = {{"store_config", false, ""}, {NULL, false, NULL}};

/* --- killed at an instruction ------------------------------------------------------------------------------------- */

#ifdef __x86_64__

static const volatile uint64_t *head; /* of the output; NULL: there is none */
static uint64_t head_before;

static void on_instruction(int number)
{
	(void)number;
	if (head && !control->moved && *head != head_before)
		control->moved = control->instructions;
	if (++control->instructions == control->at)
		kill(getpid(), SIGKILL);
}

static void begin_stepping(void)
{
	int descriptor = has_output ? open(output_path, O_RDONLY | O_CLOEXEC) : -1;

	if (descriptor >= 0) {
		const void *page = mmap(NULL, SEGMENT_PAGE, PROT_READ, MAP_SHARED, descriptor, SEGMENT_PRODUCER_AT);
		head = page == MAP_FAILED ? NULL : page;
		close(descriptor);
	}
	head_before = head ? *head : 0;
	signal(SIGTRAP, on_instruction);
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static void end_stepping(void)
{
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

#else

static void begin_stepping(void)
{
}

static void end_stepping(void)
{
}

#endif

/* --- the processor ------------------------------------------------------------------------------------------------ */

/* Passes values that are no multiple of three, numbered; holds the last one of each input until the next one comes. */
struct state {
	uint64_t order;
	int64_t held[STREAMS]; /* 0: none */
};

static struct {
	struct enrg_processor *processor;
	struct enrg_output *output;
	struct state state;
} self;

static int start(struct enrg_processor *processor, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)options;
	self.processor = processor;
	control->starts++;
	control->exact += enrg_processor_was_exact(processor);
	*ret_state = &self;
	return enrg_output_open(enrg_processor_job(processor), "store_config", "t", &out_schema, &self.output, err);
}

static int emit(uint32_t input, int64_t value, struct enrg_error *err)
{
	struct enrg_claim claim;
	int rc;

	if (input == 0) { /* one way of making rows … */
		const struct enrg_value row[] = {{.u = self.state.order}, {.u = input}, {.i = value}};
		rc = enrg_output_append(self.output, row, err);
	} else { /* … and the other */
		rc = enrg_output_claim(self.output, 1, NULL, &claim, err);
		if (rc == 0) {
			*(uint64_t *)claim.columns[0].values = self.state.order;
			*(uint32_t *)claim.columns[1].values = input;
			*(int64_t *)claim.columns[2].values = value;
			rc = enrg_output_commit(self.output, 1, 1, err);
		}
	}
	self.state.order += rc == 0;
	return rc == 0 ? enrg_processor_count(self.processor, input, 1, NULL) : rc;
}

static int64_t process(
	void *state, uint32_t input, const struct enrg_batch *batch, uint64_t row, struct enrg_error *err)
{
	const int64_t *values = batch->columns[0].values;
	uint64_t rows = batch->rows - row < STEP_ROWS ? batch->rows - row : STEP_ROWS;
	int rc = 0;

	(void)state;
	end_stepping();
	for (uint64_t i = row; i < row + rows && rc == 0; i++) {
		if (values[i] % 3 == 0) {
			rc = enrg_processor_count(self.processor, input, 1, "third");
			continue;
		}
		if (self.state.held[input])
			rc = emit(input, self.state.held[input], err);
		self.state.held[input] = values[i];
	}
	return rc < 0 ? rc : (int64_t)rows;
}

static int flush(void *state, struct enrg_error *err)
{
	int rc = 0;

	(void)state;
	end_stepping();
	for (uint32_t i = 0; i < STREAMS && rc == 0; i++) {
		if (self.state.held[i])
			rc = emit(i, self.state.held[i], err);
		self.state.held[i] = 0;
	}
	return rc;
}

static int save(void *state, void *bytes, uint64_t capacity, uint64_t *ret_count, struct enrg_error *err)
{
	(void)state, (void)err;
	*ret_count = sizeof(self.state);
	if (capacity < sizeof(self.state))
		return -ENOSPC;
	memcpy(bytes, &self.state, sizeof(self.state));
	if (++control->saves == control->checkpoint)
		begin_stepping();
	return 0;
}

static int load(void *state, const void *bytes, uint64_t count, struct enrg_error *err)
{
	(void)state;
	if (count != sizeof(self.state))
		return enrg_error_set(err, ENRG_E_CORRUPT, "another state");
	memcpy(&self.state, bytes, sizeof(self.state));
	return 0;
}

static void destroy(void *state)
{
	(void)state;
}

static const struct enrg_processor_type type = {.size = sizeof(type),
	.name = "DAQJobHold",
	.summary = "x",
	.groups = groups,
	.start = start,
	.process = process,
	.save = save,
	.load = load,
	.flush = flush,
	.destroy = destroy};

/* --- streams ------------------------------------------------------------------------------------------------------ */

static void create(const char *stream_path, const char *source, const char *consumer)
{
	const struct stream_params params = {.path = stream_path,
		.source = source,
		.run = "r",
		.supervisor = "s",
		.data_bytes = RING_BYTES,
		.record_bytes_max = 64u << 10,
		.checks = true};

	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_add_consumer(stream_path, consumer, NULL), 0);
}

/* Batches of 0 to ROWS_MAX rows; the fifth of the first input holds nothing that passes. */
static void produce(uint32_t index)
{
	struct enrg_job job = {0};
	struct stream *stream;
	struct enrg_output *output;
	struct enrg_claim claim;

	assert_int_equal(stream_open(input_paths[index], 0, &stream, NULL), 0);
	const struct outputs_params params = {.stream = stream,
		.producers = 1,
		.source = index ? "b" : "a",
		.run = "r",
		.groups = groups,
		.read_groups = "store_config "};
	assert_int_equal(outputs_create(&params, &job.outputs, NULL), 0);
	assert_int_equal(enrg_output_open(&job, "store_config", "x", &in_schema, &output, NULL), 0);
	sent[index] = 0;
	for (uint32_t batch = 0; batch < BATCHES; batch++) {
		uint64_t rows = (batch * 13 + index * 5) % (ROWS_MAX + 1);
		assert_int_equal(enrg_output_claim(output, rows, NULL, &claim, NULL), 0);
		for (uint64_t i = 0; i < rows; i++) {
			int64_t value = (int64_t)++sent[index];
			((int64_t *)claim.columns[0].values)[i] = index == 0 && batch == 4 ? value * 3 : value;
		}
		assert_int_equal(enrg_output_commit(output, rows, 1, NULL), 0);
	}
	outputs_destroy(job.outputs);
	stream_close(stream, true);
}

static int64_t value_of(uint32_t index, uint64_t number)
{
	uint64_t at = 0;

	for (uint32_t batch = 0; batch < BATCHES; batch++) {
		at += (batch * 13 + index * 5) % (ROWS_MAX + 1);
		if (number <= at)
			return index == 0 && batch == 4 ? (int64_t)number * 3 : (int64_t)number;
	}
	return 0;
}

static void begin(void)
{
	void *state = NULL;

	setup(&state);
	for (uint32_t i = 0; i < STREAMS; i++) {
		snprintf(input_paths[i], sizeof(input_paths[i]), "%s/in%u.stream", folder, i);
		create(input_paths[i], i ? "b" : "a", "hold");
		produce(i);
	}
	snprintf(output_path, sizeof(output_path), "%s/out.stream", folder);
	if (has_output)
		create(output_path, "hold", "store");
	snprintf(journal_path, sizeof(journal_path), "%s/hold.journal", folder);
	snprintf(checkpoint_path, sizeof(checkpoint_path), "%s/hold.checkpoint", folder);
	snprintf(page_path, sizeof(page_path), "%s/page", folder);
	memset(control, 0, sizeof(*control));
}

static void end(void)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

/* --- a life ------------------------------------------------------------------------------------------------------- */

/* In a child: reads all that there is, and ends in order. */
static int live(void *context)
{
	static char *group_list[] = {"store_config"};
	static struct job_input named[] = {{"a", NULL, NULL}, {"b", "store_config", "x"}};
	static struct plan_input inputs[STREAMS];
	static struct plan plan;
	static struct process process;
	static const struct type_entry entry = {.processor = &type, .name = "DAQJobHold"};
	struct enrg_error err = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint32_t i = 0; i < STREAMS; i++)
		inputs[i] = (struct plan_input){
			.source = i ? "b" : "a", .stream_path = input_paths[i], .group_count = 1, .groups = group_list};
	plan = (struct plan){.supervisor = "s",
		.run = "r",
		.name = "hold",
		.type = "DAQJobHold",
		.file = "hold.toml",
		.toml_text = "",
		.runtime_folder = folder,
		.page_path = page_path,
		.journal_path = journal_path,
		.checkpoint_path = checkpoint_path,
		.is_processor = true,
		.level = 1,
		.stream_path = has_output ? output_path : NULL,
		.read_groups = "store_config ",
		.hot_bytes = RING_BYTES / 4,
		.producers = 3,
		.life = context ? 1 : 0,
		.previous_signal = context ? SIGKILL : 0,
		.input_count = STREAMS,
		.inputs = inputs};
	process.plan = &plan;
	process.type = &entry;
	process.common.inputs.input = (struct enrg_struct_list){2, named};
	process.stop = PROCESS_DRAIN;
	log_init("hold", ENRG_ERROR);
	if (page_create(page_path, &process.page, &err) < 0)
		return 100;
	int rc = processor_run(&process, &err);
	if (rc)
		fprintf(stderr, "%s\n", err.text);
	return rc;
}

/* Lives until one has ended in order. */
static void live_on(void)
{
	control->checkpoint = 0;
	for (int i = 0; i < LIVES_MAX; i++) {
		int status;
		pid_t child = fork();
		if (!child)
			_exit(live(&child));
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return;
		}
	}
	fail_msg("no life ends in order");
}

/* --- what must have come of it ------------------------------------------------------------------------------------ */

static uint64_t passing(uint32_t input)
{
	uint64_t count = 0;

	for (uint64_t i = 1; i <= sent[input]; i++)
		count += value_of(input, i) % 3 != 0;
	return count;
}

static void expect_output(void)
{
	struct enrg_column_view views[3];
	struct consumer *consumer;
	struct consumer_record record;
	uint64_t order = 0, next[STREAMS] = {0}, sequence = 0;
	uint32_t epoch = 0;
	int rc;

	assert_int_equal(consumer_open(output_path, "store", UINT64_MAX, &consumer, NULL), 0);
	while ((rc = consumer_acquire(consumer, &record, NULL)) == 1) {
		struct enrg_batch batch = {0};
		assert_int_equal(record.header->type, RECORD_DATA); /* no gap */
		epoch = sequence ? epoch : record.header->epoch; /* a life that committed nothing may have been there */
		assert_int_equal(record.header->epoch, epoch);
		assert_int_equal(record.header->sequence, ++sequence);
		assert_int_equal(consumer_check(consumer, &record, NULL), 0);
		assert_int_equal(ipc_decode_batch(&out_schema, record.payload,
					 record.header->meta_bytes + record.header->body_bytes, views, &batch, NULL),
			0);
		assert_int_equal(batch.sequence, sequence);
		for (uint64_t i = 0; i < batch.rows; i++) {
			uint32_t input = ((const uint32_t *)views[1].values)[i];
			assert_int_equal(((const uint64_t *)views[0].values)[i], order++);
			assert_in_range(input, 0, STREAMS - 1);
			do
				next[input]++;
			while (value_of(input, next[input]) % 3 == 0);
			assert_int_equal(((const int64_t *)views[2].values)[i], value_of(input, next[input]));
		}
	}
	assert_int_equal(rc, 0);
	assert_true(consumer_is_closed(consumer));
	consumer_close(consumer);
	assert_int_equal(order, passing(0) + passing(1));
}

static void expect_counts(void)
{
	struct checkpoint last;
	uint64_t number;

	assert_int_equal(journal_read_number(journal_path, &number), 0);
	assert_int_equal(checkpoint_read(checkpoint_path, number, true, &last, NULL), 0);
	assert_int_equal(last.flags, CHECKPOINT_ENDED);
	assert_int_equal(last.stream_count, 0);
	assert_int_equal(last.policy_count, 2);
	for (uint32_t i = 0; i < STREAMS; i++) {
		struct stream_status status;
		assert_int_equal(last.inputs[i].read, sent[i]);
		assert_int_equal(last.inputs[i].in, passing(i));
		assert_int_equal(last.policies[last.policies[0].input == i ? 0 : 1].rows, sent[i] - passing(i));
		assert_int_equal(stream_read_status(input_paths[i], &status, NULL), 0);
		assert_int_equal(status.consumers[0].ack, status.head);
	}
	checkpoint_fini(&last);
}

static void expect_all(void)
{
	if (has_output)
		expect_output();
	expect_counts();
	assert_true(
		control->exact + 2 >= control->starts); /* not the first, nor one killed before the first checkpoint */
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static unsigned run_killed(const struct tracer_aim *aim, struct tracer_end *ret_end)
{
	begin();
	tracer_run(live, NULL, aim, ret_end);
	if (ret_end->was_killed)
		live_on();
	expect_all();
	end();
	return ret_end->calls;
}

static void kills_at_each_call(bool with_output)
{
	struct tracer_end result;
	unsigned calls, killed = 0;

	has_output = with_output;
	calls = run_killed(&(struct tracer_aim){TRACER_NEVER, false}, &result);
	assert_true(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0);
	for (unsigned call = 1; call <= calls; call++) {
		run_killed(&(struct tracer_aim){call, false}, &result);
		killed += result.was_killed;
	}
	print_message("%u kills at %u calls\n", killed, calls);
	assert_true(killed > 5);
}

static void a_kill_at_any_call(void **state)
{
	(void)state;
	kills_at_each_call(true);
	kills_at_each_call(false);
}

/* Was it killed? */
static bool run_to(uint32_t checkpoint, uint32_t at)
{
	int status;
	pid_t child;

	begin();
	control->checkpoint = checkpoint;
	control->at = at;
	child = fork();
	if (!child)
		_exit(live(NULL));
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		live_on();
	else
		assert_int_equal(WEXITSTATUS(status), 0);
	expect_all();
	end();
	return WIFSIGNALED(status);
}

static void kills_at_instructions(bool with_output, uint32_t checkpoint, uint32_t kills)
{
	uint32_t count, step, moved, killed = 0;

	has_output = with_output;
	assert_false(run_to(checkpoint, 0));
	/* behind the last checkpoint comes the end of the process */
	count = control->instructions < INSTRUCTIONS_MAX ? control->instructions : INSTRUCTIONS_MAX;
	moved = control->moved;
	step = count / kills + 1;
	for (uint32_t at = 1 + checkpoint % step; at <= count; at += step)
		killed += run_to(checkpoint, at);
	/* between head and the number of the journal: what was made counts, and nothing but head says so */
	for (uint32_t at = moved; moved && at < moved + BEHIND_HEAD; at += BEHIND_HEAD / kills + 1)
		killed += run_to(checkpoint, at);
	print_message(
		"checkpoint %u: %u kills at %u instructions, head moves at %u\n", checkpoint, killed, count, moved);
#ifdef __x86_64__
	assert_true(killed > kills / 2);
#endif
}

/* Each instruction from the saved state to the acknowledgements, of the first checkpoint and of later ones; a part of
 * them unless KILLS_WHOLE is set. */
static void a_kill_at_any_instruction(void **state)
{
	uint32_t kills = getenv("KILLS_WHOLE") ? 1000 : 30;

	(void)state;
	kills_at_instructions(true, 1, kills);
	kills_at_instructions(true, 2, kills);
	kills_at_instructions(false, 2, kills / 2);
}

static int share_control(void **state)
{
	(void)state;
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return control == MAP_FAILED ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_at_any_call),
		cmocka_unit_test(a_kill_at_any_instruction),
	};

	return cmocka_run_group_tests_name("kills.processor", tests, share_control, NULL);
}
