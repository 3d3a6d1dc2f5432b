/* processor_commands_test.c: commands and reports of a processor that is killed at each system call and at the
 * instructions of a command's checkpoint: whatever was answered is in its output and in its state once, and whatever
 * was not is there once or not at all. In the test process. */
#include "fixtures/stream.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "arrow/ipc.h"
#include "base/log.h"
#include "enrgdaq/message.h"
#include "enrgdaq/processor.h"
#include "handover/checkpoint.h"
#include "handover/command.h"
#include "handover/journal.h"
#include "job/process/mailbox.h"
#include "job/processor/processor.h"
#include "job/source/output.h"
#include "tracer.h"

#define BATCHES    12u
#define ROWS       5u
#define RING_BYTES (1u << 20)
#define LIVES_MAX  10
#define MARKS_MAX  1000u

/* From the saved state to the number of the journal, and more. */
#define COMMIT_INSTRUCTIONS 3000u

enum kind { KIND_ROW, KIND_MARK, KIND_ALERT };

/* Shared with the child. */
struct control {
	volatile uint32_t checkpoint,
		at; /* number of the save behind which instructions count; killed before that one */
	volatile uint32_t saves, instructions, limit; /* so many are counted */
	volatile uint32_t asked;                      /* commands so far: each has a value of its own */
	volatile bool is_answered[MARKS_MAX];
};

struct state {
	uint64_t rows, marks, alerts;
};

static struct control *control;
static uint32_t limit;
static char input_path[160], output_path[160], journal_path[160], checkpoint_path[160], page_path[160];
static struct {
	struct enrg_processor *processor;
	struct enrg_output *output;
	struct process *process;
	struct mailbox *mailbox;
	struct state state;
} self;

static const struct enrg_column in_columns[] = {{"value", ENRG_I64, 0, NULL}};
static const struct enrg_schema in_schema = {.column_count = 1, .columns = in_columns};
static const struct enrg_column out_columns[] = {{"kind", ENRG_U32, 0, NULL}, {"value", ENRG_I64, 0, NULL}};
static const struct enrg_schema out_schema = {.column_count = 2, .columns = out_columns};
static const struct enrg_job_group groups[] = {{"store_config", false, ""}, {NULL, false, NULL}};

/* --- killed at an instruction ------------------------------------------------------------------------------------- */

#ifdef __x86_64__

#define TRAP_FLAG 0x100

static void on_instruction(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)number, (void)info;
	if (++control->instructions == control->at)
		kill(getpid(), SIGKILL);
	if (control->instructions >= control->limit)
		interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

#endif

static void begin_stepping(void)
{
#ifdef __x86_64__
	const struct sigaction action = {.sa_sigaction = on_instruction, .sa_flags = SA_SIGINFO};

	sigaction(SIGTRAP, &action, NULL);
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
#endif
}

static void end_stepping(void)
{
#ifdef __x86_64__
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
#endif
}

/* --- the processor ------------------------------------------------------------------------------------------------ */

static int emit(enum kind kind, int64_t value, struct enrg_error *err)
{
	const struct enrg_value row[] = {{.u = kind}, {.i = value}};

	return enrg_output_append(self.output, row, err);
}

static int start(struct enrg_processor *processor, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)options;
	self.processor = processor;
	*ret_state = &self;
	return enrg_output_open(enrg_processor_job(processor), "store_config", "t", &out_schema, &self.output, err);
}

/* Takes the body. */
static void put(const char *kind, json_t *body)
{
	struct envelope envelope = {.job = "camera", .body = body, .wire_bytes = 100};

	strcpy(envelope.kind, kind);
	if (!mailbox_put(self.mailbox, "t", &envelope))
		json_decref(body);
}

/* As the reporter thread does, a command and a report beside each batch. */
static void ask(void)
{
	struct command command;
	json_t *body = json_pack("{s:I}", "value", (json_int_t)control->asked++);

	if (command_init(&command, "job marker", "mark", body, 10000000000ull) == 0) {
		json_t *json = command_to_json(&command);
		json_object_set_new(json, "for_pid", json_integer(getpid()));
		put("command", json);
	}
	command_fini(&command);
	put("alert", json_pack("{s:s, s:s}", "severity", "ERROR", "message", "hot"));
}

/* The stop comes with the last batch: not before, since nobody is asked for anything behind it. */
static void stop_where_all_is_read(void)
{
	if (self.state.rows == BATCHES * ROWS)
		self.process->stop = PROCESS_DRAIN;
}

static int64_t process(
	void *state, uint32_t input, const struct enrg_batch *batch, uint64_t row, struct enrg_error *err)
{
	const int64_t *values = batch->columns[0].values;
	int rc = 0;

	(void)state;
	end_stepping();
	for (uint64_t i = row; i < batch->rows && rc == 0; i++, self.state.rows++)
		rc = emit(KIND_ROW, values[i], err);
	ask();
	stop_where_all_is_read();
	if (rc == 0)
		rc = enrg_processor_count(self.processor, input, batch->rows - row, NULL);
	return rc < 0 ? rc : (int64_t)(batch->rows - row);
}

struct mark {
	int64_t value;
};

static int mark(struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	int64_t value = ((const struct mark *)body)->value;

	(void)state, (void)job;
	end_stepping();
	self.state.marks++;
	enrg_fields_set_int(enrg_answer_fields(answer), "value", value);
	return emit(KIND_MARK, value, err);
}

static int on_alert(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err)
{
	(void)job, (void)state;
	end_stepping();
	self.state.alerts++;
	return emit(KIND_ALERT, alert->severity, err);
}

/* What has gone out by now is known to whoever asked. */
static void note_answers(void)
{
	struct mail_out *out;

	while ((out = mailbox_take_out(self.mailbox))) {
		json_int_t value = json_integer_value(json_object_get(json_object_get(out->body, "fields"), "value"));
		control->is_answered[value] = !strcmp(out->kind, "answer");
		mail_out_free(out);
	}
}

static int save(void *state, void *bytes, uint64_t capacity, uint64_t *ret_count, struct enrg_error *err)
{
	(void)state, (void)err;
	end_stepping();
	*ret_count = sizeof(self.state);
	if (capacity < sizeof(self.state))
		return -ENOSPC;
	note_answers();
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
	stop_where_all_is_read();
	return 0;
}

static void destroy(void *state)
{
	(void)state;
	end_stepping();
}

static const struct enrg_option mark_fields[] = {{.key = "value",
							 .kind = ENRG_OPTION_INT,
							 .offset = offsetof(struct mark, value),
							 .required = true,
							 .help = "v"},
	{.key = NULL}};
static const struct enrg_message_type mark_type = {.size = sizeof(mark_type),
	.kind = "mark",
	.summary = "x",
	.body = {sizeof(struct mark), mark_fields},
	.receive = mark};
static const struct enrg_message_type *const messages[] = {&mark_type, NULL};
static const struct enrg_processor_type type = {.size = sizeof(type),
	.name = "DAQJobMarker",
	.summary = "x",
	.groups = groups,
	.start = start,
	.process = process,
	.save = save,
	.load = load,
	.destroy = destroy,
	.messages = messages,
	.on_alert = on_alert};

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
	assert_int_equal(enrg_output_open(&job, "store_config", "x", &in_schema, &output, NULL), 0);
	for (uint32_t batch = 0; batch < BATCHES; batch++) {
		assert_int_equal(enrg_output_claim(output, ROWS, NULL, &claim, NULL), 0);
		for (uint64_t i = 0; i < ROWS; i++)
			((int64_t *)claim.columns[0].values)[i] = ++value;
		assert_int_equal(enrg_output_commit(output, ROWS, 1, NULL), 0);
	}
	outputs_destroy(job.outputs);
	stream_close(stream, true);
}

static void begin(void)
{
	void *state = NULL;

	setup(&state);
	snprintf(input_path, sizeof(input_path), "%s/in.stream", folder);
	snprintf(output_path, sizeof(output_path), "%s/out.stream", folder);
	snprintf(journal_path, sizeof(journal_path), "%s/marker.journal", folder);
	snprintf(checkpoint_path, sizeof(checkpoint_path), "%s/marker.checkpoint", folder);
	snprintf(page_path, sizeof(page_path), "%s/page", folder);
	create(input_path, "a", "marker");
	produce();
	create(output_path, "marker", "store");
	memset(control, 0, sizeof(*control));
	control->limit = limit;
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
	static struct job_input named[] = {{"a", NULL, NULL}};
	static struct plan_input input;
	static struct plan plan;
	static struct process process;
	static const struct type_entry entry = {.processor = &type, .name = "DAQJobMarker"};
	struct enrg_error err = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	input = (struct plan_input){.source = "a", .stream_path = input_path, .group_count = 1, .groups = group_list};
	plan = (struct plan){.supervisor = "s",
		.run = "r",
		.name = "marker",
		.type = "DAQJobMarker",
		.file = "marker.toml",
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
		.life = context ? 1 : 0,
		.previous_signal = context ? SIGKILL : 0,
		.input_count = 1,
		.inputs = &input};
	process.plan = &plan;
	process.type = &entry;
	process.common.inputs.input = (struct enrg_struct_list){1, named};
	process.mailbox = self.mailbox = mailbox_create();
	log_init("marker", ENRG_ERROR);
	if (!process.mailbox || page_create(page_path, &process.page, &err) < 0)
		return 100;
	self.process = &process;
	int rc = processor_run(&process, &err);
	note_answers();
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

static void count_row(uint32_t kind, int64_t value, bool *is_there, struct state *counted)
{
	switch ((enum kind)kind) {
	case KIND_ROW:
		assert_int_equal(value, ++counted->rows);
		break;
	case KIND_MARK:
		assert_in_range(value, 0, control->asked - 1);
		assert_false(is_there[value]); /* not twice */
		is_there[value] = true;
		counted->marks++;
		break;
	case KIND_ALERT:
		assert_int_equal(value, ENRG_ERROR);
		counted->alerts++;
		break;
	}
}

static void read_output(bool *is_there, struct state *counted)
{
	struct enrg_column_view views[2];
	struct consumer *consumer;
	struct consumer_record record;
	int rc;

	assert_int_equal(consumer_open(output_path, "store", UINT64_MAX, &consumer, NULL), 0);
	while ((rc = consumer_acquire(consumer, &record, NULL)) == 1) {
		struct enrg_batch batch = {0};
		assert_int_equal(record.header->type, RECORD_DATA); /* no gap */
		assert_int_equal(ipc_decode_batch(&out_schema, record.payload,
					 record.header->meta_bytes + record.header->body_bytes, views, &batch, NULL),
			0);
		for (uint64_t i = 0; i < batch.rows; i++)
			count_row(((const uint32_t *)views[0].values)[i], ((const int64_t *)views[1].values)[i],
				is_there, counted);
	}
	assert_int_equal(rc, 0);
	consumer_close(consumer);
}

static uint32_t expect_all(void)
{
	bool is_there[MARKS_MAX] = {false};
	struct state counted = {0}, saved;
	struct checkpoint last;
	uint64_t number;
	uint32_t answered = 0;

	read_output(is_there, &counted);
	assert_int_equal(counted.rows, BATCHES * ROWS);
	for (uint32_t i = 0; i < control->asked; i++) {
		answered += control->is_answered[i];
		assert_true(is_there[i] || !control->is_answered[i]); /* what was answered is there */
	}
	assert_int_equal(journal_read_number(journal_path, &number), 0);
	assert_int_equal(checkpoint_read(checkpoint_path, number, true, &last, NULL), 0);
	assert_int_equal(last.state_bytes, sizeof(saved));
	memcpy(&saved, last.state, sizeof(saved));
	assert_memory_equal(&saved, &counted, sizeof(saved));
	checkpoint_fini(&last);
	return answered;
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void a_kill_at_any_call(void **state)
{
	struct tracer_end result;
	unsigned calls = 1, killed = 0;

	(void)state;
	for (unsigned call = 0; call <= calls; call++) {
		begin();
		tracer_run(live, NULL, &(struct tracer_aim){call ? call : TRACER_NEVER, false}, &result);
		calls = call ? calls : result.calls;
		killed += result.was_killed;
		if (result.was_killed)
			live_on();
		else
			assert_true(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0);
		assert_true(expect_all() >= (result.was_killed ? 1 : BATCHES));
		end();
	}
	print_message("%u kills at %u calls\n", killed, calls);
	assert_true(killed > 5);
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
	(void)expect_all();
	end();
	return WIFSIGNALED(status);
}

/* Of that checkpoint `kills` in its first instructions, which are those from the saved state to its number, and some
 * behind them, where the answer is made. */
static uint32_t kills_at_instructions(uint32_t checkpoint, uint32_t kills)
{
	uint32_t killed = 0, step = COMMIT_INSTRUCTIONS / kills + 1;

	assert_false(run_to(checkpoint, 0));
	uint32_t count = control->instructions;
	for (uint32_t at = 1; at <= count; at += at < COMMIT_INSTRUCTIONS ? step : 6 * step)
		killed += run_to(checkpoint, at);
	print_message("checkpoint %u: %u kills at %u instructions\n", checkpoint, killed, count);
	return killed;
}

static void a_kill_at_any_instruction(void **state)
{
	bool is_whole = getenv("KILLS_WHOLE") != NULL;
	uint32_t kills = is_whole ? 1000 : 10;

	(void)state;
	limit = is_whole ? 60000 : 4 * COMMIT_INSTRUCTIONS;
	uint32_t killed = kills_at_instructions(1, kills); /* that of a command … */
	if (is_whole)
		killed += kills_at_instructions(2, kills); /* … and that of a report */
#ifdef __x86_64__
	assert_true(killed > kills);
#endif
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

	return cmocka_run_group_tests_name("kills.processor_commands", tests, share_control, NULL);
}
