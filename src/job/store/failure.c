/* failure.c: what a store process does when its type fails: it says so, goes back to the last commit, waits, and
 * tries again; and how it opens and closes the type. Main thread. */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "job/file/watch.h"
#include "job/store/life.h"
#include "job/store/remedy.h"

#define NS_PER_S        1000000000ull
#define RETRY_NS        NS_PER_S       /* after a failure */
#define RETRY_MAX_NS    (8 * NS_PER_S) /* of one table, while the others go on */
#define RETRY_SLICE_NS  (NS_PER_S / 4)
#define ORPHAN_RETRY_NS (10 * NS_PER_S) /* without a supervisor: the next start waits until its stores have ended */

void store_life_enter(struct store_life *life, enum store_phase phase)
{
	enum page_state state = PAGE_WAITING;

	life->failure.phase = phase;
	life->store.files.is_going_back = phase == STORE_GOING_BACK;
	if (phase == STORE_STORING) {
		state = process_stop_state(life->process) ? PAGE_DRAINING : PAGE_RUNNING;
		if (life->failure.since_ns)
			page_set_reason(life->process->page, NULL);
		life->failure.since_ns = 0;
		life->failure.orphan_ns = 0;
	}
	/* Files that were taken away are nothing to wait for. */
	if (phase == STORE_STORING || life->failure.since_ns)
		atomic_store_explicit(&life->process->page->state, state, memory_order_relaxed);
}

/* One outage is over: where it was reported, so is its end. */
static void end_outage(struct outage *outage, const char *of)
{
	uint64_t span_ns;
	char span[32];

	if (!outage_end(outage, clock_mono_ns(), &span_ns))
		return;
	clock_format_span(span_ns, span, sizeof(span));
	log_line(ENRG_INFO, "%s%sstores again after %s; nothing was lost", of, *of ? ": " : "", span);
}

void store_life_settle(struct store_life *life)
{
	for (uint32_t i = 0; i < life->intake.count; i++) {
		struct intake_input *input = life->intake.inputs[i];
		if (!input->outage.since_ns)
			end_outage(&input->outage, input->source);
	}
	if (!life->failure.outage.since_ns)
		end_outage(&life->failure.outage, "");
}

void store_life_note_recovery(struct store_life *life)
{
	if (life->failure.phase == STORE_STORING)
		return;
	for (uint32_t i = 0; i < life->intake.count; i++) {
		struct intake_input *input = life->intake.inputs[i];
		if (input->committed.position < input->failed_end)
			continue;
		input->retry_step_ns = 0;
		end_outage(&input->outage, input->source);
	}
	if (!intake_is_recovered(&life->intake))
		return;
	end_outage(&life->failure.outage, "");
	store_life_enter(life, STORE_STORING);
}

/* --- open and close of the type ----------------------------------------------------------------------------------- */

int store_life_open_type(struct store_life *life, struct enrg_error *err)
{
	life->state = NULL;
	int rc = life->type->open(&life->store, life->process->options, &life->state, err);
	life->is_open = rc >= 0;
	return rc < 0 ? rc : 0;
}

int store_life_close_type(struct store_life *life, bool abandon, struct enrg_error *err)
{
	if (!life->is_open)
		return 0;
	int result = target_close_all(&life->targets, life->state, &life->intake, abandon, err);
	int code = life->type->close(life->state, abandon, result == 0 ? err : NULL);
	life->is_open = false;
	life->state = NULL;
	return result < 0 ? result : code < 0 ? code : 0;
}

/* --- failures ----------------------------------------------------------------------------------------------------- */

/* A commit that fails with the records of one input in it: that input's. */
static void find_failed_input(struct store_life *life)
{
	struct intake_input *dirty = NULL;

	for (uint32_t i = 0; i < life->intake.count; i++) {
		if (!life->intake.inputs[i]->is_dirty)
			continue;
		if (dirty)
			return;
		dirty = life->intake.inputs[i];
	}
	if (dirty && life->written_batches)
		life->failure.input = dirty;
}

/* `input`: the table's source where it is one table's outage, else NULL. */
static void alert_failure(struct store_life *life, struct intake_input *input, const struct enrg_error *err)
{
	uint64_t now = clock_mono_ns();
	char reason[PAGE_REASON_BYTES];

	life->failure.last_ns = now;
	if (!life->failure.since_ns)
		life->failure.since_ns = now;
	snprintf(reason, sizeof(reason), "%.380s; %s", err->text, remedy_find(err->code));
	page_set_reason(life->process->page, reason);
	enum outage_word word = outage_note(input ? &input->outage : &life->failure.outage, err->code, now);
	if (word == OUTAGE_LINE)
		log_line(ENRG_WARNING, "waiting again: %s", reason);
	if (word != OUTAGE_ALERT)
		return;
	process_alert(life->process, ENRG_ERROR,
		"waiting: %s; %s; %.1f MB waiting in memory, producers will be held back when the ring "
		"is full; nothing is lost, trying again until it works",
		err->text, remedy_find(err->code), (double)intake_backlog(&life->intake) / 1e6);
}

/* A stop waits as long as the supervisor lets it: its fast stop, after stop_timeout_seconds, is the end. */
static bool has_waited_enough(struct store_life *life, uint64_t now_ns)
{
	if (process_stop_state(life->process) == PROCESS_HURRY)
		return true;
	if (!atomic_load_explicit(&life->process->is_orphan, memory_order_relaxed))
		return false;
	if (!life->failure.orphan_ns)
		life->failure.orphan_ns = now_ns;
	return now_ns - life->failure.orphan_ns >= ORPHAN_RETRY_NS;
}

/* Where one table fails, its source waits and the others go on. false: all wait. */
static bool hold_input(struct store_life *life, struct intake_input *input, int rc)
{
	uint64_t now = clock_mono_ns();
	uint32_t stop = process_stop_state(life->process);

	if (!input || !input->consumer || !remedy_is_of_table(rc) || has_waited_enough(life, now))
		return false;
	input->retry_step_ns = input->retry_step_ns ? input->retry_step_ns * 2 : RETRY_NS;
	if (input->retry_step_ns > RETRY_MAX_NS)
		input->retry_step_ns = RETRY_MAX_NS;
	input->retry_ns = now + (stop ? RETRY_NS : input->retry_step_ns);
	return true;
}

/* false: the stop will not wait any longer. */
static bool pause_failing(struct store_life *life)
{
	struct process *process = life->process;

	for (uint64_t waited = 0; waited < RETRY_NS; waited += RETRY_SLICE_NS) {
		uint32_t stop = process_stop_state(process);
		process_beat(process);
		if (has_waited_enough(life, clock_mono_ns()))
			return false;
		consumer_wait(NULL, 0, &process->stop, stop, RETRY_SLICE_NS);
	}
	return true;
}

/* Everything back to the last commit; the state of the type is gone. */
static bool begin_roll_back(struct store_life *life, const struct enrg_error *cause)
{
	bool is_held = true;

	/* Files that were taken away are told of where they are found, and nothing waits: what is not committed is read
	 * again at once, into files that are begun anew. Most other failures follow from that. */
	if (!file_watch(&life->store.files)) {
		if (!life->failure.input)
			find_failed_input(life);
		intake_note_failure(&life->intake, life->failure.input, life->failure.record_end);
		is_held = hold_input(life, life->failure.input, cause->code);
		alert_failure(life, is_held ? life->failure.input : NULL, cause);
	}
	life->failure.input = NULL;
	life->failure.record_end = 0;
	store_life_enter(life, STORE_GOING_BACK);
	store_life_close_type(life, true, NULL);
	life->written_batches = 0;
	life->written_bytes = 0;
	journal_set_reading(life->store.journal, JOURNAL_NONE, 0);
	return is_held;
}

int store_life_roll_back(struct store_life *life, struct enrg_error *err)
{
	struct enrg_error cause = *err;
	bool is_rewound = false, is_held = begin_roll_back(life, &cause);
	int rc;

	for (;;) {
		*err = (struct enrg_error){0};
		rc = file_set_rollback(&life->store.files, err);
		store_life_enter(life, rc < 0 ? STORE_GOING_BACK : STORE_WAITING);
		if (rc == 0 && !is_rewound) {
			rc = intake_rewind(&life->intake, err);
			if (rc < 0)
				return enrg_error_add(err, rc, "after \"%.300s\"", cause.text);
			is_rewound = true;
		}
		if ((rc < 0 || !is_held) && !pause_failing(life))
			return enrg_error_set(err, cause.code ? cause.code : -EIO,
				"%.400s; %s; %.1f MB stay in shared memory "
				"(%s), and the next `enrgdaq run` stores them",
				cause.text, remedy_find(cause.code), (double)intake_backlog(&life->intake) / 1e6,
				life->process->plan->runtime_folder);
		is_held = false;
		if (rc == 0 && !process_stop_state(life->process))
			rc = disk_guard_check_again(&life->store.files.guard, err);
		if (rc == 0)
			rc = store_life_open_type(life, err);
		if (rc == 0) {
			store_life_enter(life, life->failure.since_ns ? STORE_CATCHING_UP : STORE_STORING);
			return 0;
		}
		cause = *err;
		alert_failure(life, NULL, &cause);
		store_life_enter(life, life->failure.phase);
	}
}
