/* processor.c: the life of a processor: takes records of its inputs, hands their rows to the type, makes checkpoints
 * (commit.c). Main thread. */
#include "job/processor/processor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/toml.h"
#include "job/processor/life.h"
#include "job/source/links.h"
#include "job/source/receive.h"
#include "job/source/wait.h"
#include "job/store/decode.h"
#include "job/store/set_aside.h"

#define NS_PER_S      1000000000ull
#define BURST_BYTES   (8u << 20) /* of one input, before the next has its turn */
#define BURST_RECORDS 256u
#define WAIT_NS       NS_PER_S        /* earlier where the watchdog is impatient, or a tick is due */
#define DRAIN_WAIT_NS (NS_PER_S / 50) /* the end of a producer rings no bell */
#define INTERVAL_NS   NS_PER_S
#define GATE_LOOK_NS  1000000u

enum life_outcome { LIFE_GOES_ON = 0, LIFE_IN_ORDER, LIFE_HURRIED };

/* --- what authors call -------------------------------------------------------------------------------------------- */

struct enrg_job *enrg_processor_job(struct enrg_processor *processor)
{
	return &processor->job;
}

uint32_t enrg_processor_input_count(const struct enrg_processor *processor)
{
	return processor->now.input_count;
}

struct enrg_processor_input enrg_processor_get_input(const struct enrg_processor *processor, uint32_t input)
{
	if (input >= processor->now.input_count)
		return (struct enrg_processor_input){0};
	const struct job_input *named = count_input(processor, input);
	return (struct enrg_processor_input){named->job, named->group, named->tag};
}

bool enrg_processor_was_exact(const struct enrg_processor *processor)
{
	return processor->was_exact;
}

/* --- records ------------------------------------------------------------------------------------------------------ */

static void count_read(struct enrg_processor *self, const struct intake_record *record, bool is_left)
{
	struct journal_stream_state *now = &record->input->now;
	struct page *page = self->process->page;
	uint64_t committed_ns = record->header->committed_ns;

	if (record->header->type == RECORD_GAP)
		now->gaps++;
	else
		now->batches++;
	now->rows += record->header->rows;
	now->bytes += record->payload_bytes;
	if (is_left) {
		now->left_batches += record->header->type != RECORD_GAP;
		now->left_rows += record->header->rows;
		now->left_bytes += record->payload_bytes;
	}
	self->read_bytes += record->payload_bytes;
	histogram_add(&page->latency, self->now_ns > committed_ns ? self->now_ns - committed_ns : 0);
	intake_trace(&self->intake, record, self->now_ns);
	if (!atomic_load_explicit(&page->first_in_mono_ns, memory_order_relaxed))
		atomic_store_explicit(&page->first_in_mono_ns, self->now_ns, memory_order_relaxed);
	atomic_store_explicit(&page->last_in_mono_ns, self->now_ns, memory_order_relaxed);
}

static void skip(const struct intake_record *record)
{
	if (record->header->type == RECORD_GAP)
		record->input->now.gaps++;
	else
		record->input->now.skipped_batches++;
	record->input->now.skipped_rows += record->header->rows;
	intake_accept(record);
}

/* One call of process: rows consumed, or negative. */
static int64_t step(struct enrg_processor *self, uint32_t input, const struct enrg_batch *batch, uint64_t row,
	struct enrg_error *err)
{
	commit_begin_step(self);
	int64_t rows = self->type->process(self->state, input, batch, row, err);
	if (rows < 0) {
		if (err->code == 0)
			enrg_error_set(err, (int)rows, "%s", enrg_error_name((int)rows));
		return enrg_error_add(err, (int)rows, "process");
	}
	if ((uint64_t)rows > batch->rows - row || (!rows && batch->rows))
		return enrg_error_set(err, -EINVAL,
			"process: it says that it consumed %" PRId64 " rows, of %" PRIu64 " that were left", rows,
			batch->rows - row);
	self->now.inputs[input].read += (uint64_t)rows;
	commit_end_step(self);
	return rows;
}

static int process_batch(struct enrg_processor *self, const struct intake_record *record, uint32_t input,
	const struct enrg_batch *batch, struct enrg_error *err)
{
	uint64_t row = commit_part(self, record);

	if (row > batch->rows)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: batch %" PRIu64 " has fewer rows than were consumed",
			record->input->source, record->header->sequence);
	do {
		int64_t rows = step(self, input, batch, row, err);
		if (rows < 0)
			return (int)rows;
		row += (uint64_t)rows;
		int rc = commit_set_part(self, record, row < batch->rows ? row : 0);
		if (rc == 0 && row < batch->rows) {
			wait_beat(&self->job);
			rc = commit_is_due(self, record->input) ? commit_make(self, err) : 0;
			/* what a crash is blamed on: the commit has taken it for done */
			journal_set_reading(self->journal, record->input->journal_index, record->position);
		}
		if (rc < 0)
			return rc;
	} while (row < batch->rows);
	return 0;
}

/* Rows that were consumed in steps before the one that failed are in what it makes. */
static int put_aside(struct enrg_processor *self, const struct intake_record *record, struct enrg_error *err)
{
	uint64_t row = commit_part(self, record);
	char meaning[120] = "is in nothing that it makes; all others are";
	const char *const words[] = {"processor", meaning};

	if (row)
		snprintf(meaning, sizeof(meaning),
			"is in what it makes with its first %" PRIu64 " rows alone; all others are", row);
	int rc = set_aside_record(&self->crash, self->process, self->journal, record, words, err);
	if (rc == 0)
		rc = commit_set_part(self, record, 0);
	return rc < 0 ? rc : commit_make(self, err);
}

static int take_record(struct enrg_processor *self, const struct intake_record *record, struct enrg_error *err)
{
	struct processor_table *table;
	struct enrg_batch batch;
	struct enrg_error why = {0};
	bool is_left;
	int rc = 0;

	if (set_aside_is_due(&self->crash, record))
		return put_aside(self, record, err);
	rc = table_find(self, record, &table, &why);
	if (rc < 0 && rc != ENRG_E_CORRUPT)
		return enrg_error_set(err, rc, "%s", why.text);
	if (rc < 0 || (table && decode_record(record, table->schema, table->views, table->tag, &batch, &why) < 0)) {
		intake_reject(&self->intake, record, &why);
		return 0;
	}
	if (!table) {
		skip(record);
		return 0;
	}
	batch.run = intake_run_of(&self->intake, record, &is_left);
	rc = process_batch(self, record, table->input, &batch, err);
	if (rc < 0)
		return rc;
	count_read(self, record, is_left);
	intake_accept(record);
	return 0;
}

/* A turn of one input. 1: there was something; 0; negative. */
static int take_turn(struct enrg_processor *self, struct intake_input *input, struct enrg_error *err)
{
	uint64_t bytes = 0;
	uint32_t records = 0;

	for (; records < BURST_RECORDS && bytes < BURST_BYTES; records++) {
		struct intake_record record;
		int rc = intake_next(&self->intake, input, &record);
		if (rc == INTAKE_NONE)
			break;
		if (rc == INTAKE_RUN) {
			rc = gate_hold(self, &record, err);
			return rc < 0 ? rc : 1;
		}
		if (rc == INTAKE_RECORD) {
			bytes += record.payload_bytes;
			rc = take_record(self, &record, err);
			if (rc < 0)
				return rc;
		}
		rc = commit_is_due(self, input) ? commit_make(self, err) : 0;
		if (rc == 0)
			rc = hear_messages(self, PROCESS_RUN, err);
		if (rc < 0)
			return rc;
	}
	return records > 0;
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

/* 1: there was something to read; 0; negative. */
static int read_all(struct enrg_processor *self, struct enrg_error *err)
{
	struct intake *intake = &self->intake;
	int any = 0;

	for (uint32_t i = 0, count = intake->count; i < count; i++) {
		struct intake_input *input = intake->inputs[(i + self->first_input) % count];
		bool is_wanted = input->consumer && !gate_is_shut(self, input) && intake_may_have(intake, input);
		int rc = is_wanted ? take_turn(self, input, err) : 0;
		if (rc < 0)
			return rc;
		any |= rc;
	}
	intake_forget(intake);
	self->first_input++;
	return any;
}

static int tick(struct enrg_processor *self, struct enrg_error *err)
{
	uint64_t now_ns = clock_mono_ns();

	if (!self->type->tick || now_ns < self->next_tick_ns)
		return 0;
	self->next_tick_ns = now_ns + self->job.interval_ns;
	commit_begin_step(self);
	int rc = self->type->tick(self->state, now_ns, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "tick");
	commit_end_step(self);
	return 0;
}

static uint64_t choose_wait(const struct enrg_processor *self, uint32_t stop)
{
	uint64_t now_ns = clock_mono_ns(), beat_ns = self->process->plan->beat_ns;
	uint64_t wait_ns = stop ? DRAIN_WAIT_NS : !beat_ns ? WAIT_NS / 2 : beat_ns < WAIT_NS ? beat_ns : WAIT_NS;

	uint64_t due_ns = hear_deadline(self);
	if (self->type->tick && self->next_tick_ns < due_ns)
		due_ns = self->next_tick_ns;
	uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
	return left_ns < wait_ns ? left_ns : wait_ns;
}

/* It is removed while those that it reads go on. */
static bool is_leaving(const struct enrg_processor *self)
{
	return atomic_load_explicit(&self->process->is_leaving, memory_order_relaxed);
}

/* One round over all inputs. LIFE_…, or negative. */
static int go_round(struct enrg_processor *self, struct enrg_error *err)
{
	uint32_t stop = process_stop_state(self->process);
	int rc = hear_messages(self, stop, err);

	wait_tend(&self->job);
	if (rc < 0)
		return rc;
	if (stop == PROCESS_HURRY) { /* the steps so far are whole */
		rc = commit_make(self, err);
		return rc < 0 ? rc : LIFE_HURRIED;
	}
	if (stop)
		atomic_store_explicit(&self->process->page->state, PAGE_DRAINING, memory_order_relaxed);
	if (stop && is_leaving(self)) /* what was to be read first is read: the supervisor has waited for that */
		return LIFE_IN_ORDER;
	int any = read_all(self, err);
	rc = any < 0 ? any : gate_step(self, err);
	if (rc == 0)
		rc = tick(self, err);
	if (rc == 0 && (!any || commit_is_due(self, NULL)))
		rc = commit_make(self, err);
	if (rc < 0)
		return rc;
	if (stop && !gate_is_any_shut(self) && intake_is_drained(&self->intake, any))
		return LIFE_IN_ORDER;
	if (any)
		return LIFE_GOES_ON;
	self->crash.is_careful = false; /* the record that was being read at the crash is in the ring: it is past */
	if (gate_is_any_shut(self))     /* what stands behind a boundary would end each wait at once */
		process_sleep_until(self->process, stop, clock_mono_ns() + GATE_LOOK_NS);
	else
		intake_wait(&self->intake, stop, choose_wait(self, stop));
	return LIFE_GOES_ON;
}

static int run(struct enrg_processor *self, struct enrg_error *err)
{
	int rc;

	do
		rc = go_round(self, err);
	while (rc == LIFE_GOES_ON);
	return rc;
}

/* --- start and end ------------------------------------------------------------------------------------------------ */

static int open_outputs(struct enrg_processor *self, struct toml_node *toml, struct enrg_error *err)
{
	const struct plan *plan = self->process->plan;
	const struct outputs_params params = {
		.stream = self->stream,
		.producers = plan->producers,
		.source = plan->name,
		.run = plan->run,
		.groups = self->type->groups,
		.toml = toml,
		.read_groups = plan->read_groups,
		.process = self->process,
		.is_patient = true,
	};

	yield_init(&self->job.yield, plan->producers);
	int rc = outputs_create(&params, &self->job.outputs, err);
	if (rc == 0)
		rc = source_run_open_output(&self->job, err);
	return rc == 0 ? links_start(&self->job, err) : rc;
}

static int start(struct enrg_processor *self, struct enrg_error *err)
{
	int rc = hear_open(self, err);

	if (rc == 0)
		rc = self->type->start(self, self->process->options, &self->state, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "start");
	self->job.is_interval_new = false;
	self->next_tick_ns = clock_mono_ns() + self->job.interval_ns;
	rc = commit_load(self, err);
	hear_start(self);
	if (rc == 0)
		process_tell_ready(self->process);
	return rc;
}

/* All that will ever come is consumed: what is open goes out. *ret_flushed: nothing is kept for a next run. */
static int flush(struct enrg_processor *self, bool *ret_flushed, struct enrg_error *err)
{
	*ret_flushed = is_leaving(self) || !intake_has_producers(&self->intake);
	if (!*ret_flushed)
		return 0;
	commit_begin_step(self);
	int rc = self->type->flush ? self->type->flush(self->state, err) : 0;
	if (rc < 0)
		return enrg_error_add(err, rc, "flush");
	return commit_make_last(self, err);
}

static int live(struct enrg_processor *self, struct toml_node *toml, bool *ret_hurried, struct enrg_error *err)
{
	struct process *process = self->process;
	bool is_flushed = false;
	int rc = open_outputs(self, toml, err);

	if (rc == 0)
		rc = intake_open(&self->intake, process, self->journal, err);
	if (rc == 0)
		rc = start(self, err);
	if (rc == 0)
		rc = gate_join(self, err);
	if (rc == 0)
		rc = run(self, err);
	if (rc == LIFE_IN_ORDER)
		rc = flush(self, &is_flushed, err);
	*ret_hurried = rc >= 0 && !is_flushed;
	/* a claim gave up as the stores took nothing: the step is not made, and the next life begins with its rows */
	if (rc == ENRG_E_STOPPED && process_stop_state(process) == PROCESS_HURRY) {
		*ret_hurried = true;
		rc = 0;
	}
	if (self->job.outputs && self->job.outputs->claimed)
		enrg_output_abort(self->job.outputs->claimed);
	if (rc >= 0 && self->stream)
		links_drain(&self->job, self->stream);
	self->type->destroy(self->state);
	return rc;
}

int processor_run(struct process *process, struct enrg_error *err)
{
	static struct enrg_processor self; /* one a process */
	const struct plan *plan = process->plan;
	struct toml_node *toml = NULL;
	bool is_hurried = false;

	self = (struct enrg_processor){.process = process,
		.type = process->type->processor,
		.job = {.process = process, .interval_ns = INTERVAL_NS},
		.crash = {.stream = JOURNAL_NONE}};
	int rc = toml_parse(plan->file, plan->toml_text, strlen(plan->toml_text), &toml, err);
	if (rc == 0)
		rc = commit_open(&self, err);
	if (rc == 0) {
		set_aside_look_back(&self.crash, self.process->plan, self.journal);
		rc = live(&self, toml, &is_hurried, err);
	}
	receiver_destroy(&self.job);
	outputs_destroy(self.job.outputs);
	table_free_all(&self);
	gate_free(&self);
	intake_close(&self.intake);
	/* after a failure there will be another life: the stores wait for it */
	commit_close(&self, rc >= 0);
	links_stop(&self.job, rc >= 0);
	toml_free(toml);
	if (rc < 0)
		return rc == ENRG_E_CONFIG ? 2 : 1;
	if (is_hurried)
		log_line(ENRG_WARNING,
			"ended by a fast stop: what it has not read stays in shared memory, what it holds in its "
			"checkpoint, and the next `enrgdaq run` goes on with it");
	return is_hurried ? 3 : 0;
}
