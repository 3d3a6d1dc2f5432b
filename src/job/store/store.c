/* store.c: the life of a store process: takes records in, hands them to the store type, commits, and goes back and
 * waits where the type fails (failure.c). Main thread.
 *
 * One order makes each batch stand in the files exactly once: the store writes; type->commit; one journal commit over
 * the positions of all streams and the lengths of all files; only then are the batches acknowledged to their producers.
 * A kill before the journal commit is a kill before the write, as the files are cut back; one after it is one after the
 * acknowledgement, as the next life starts at the journal's position.
 */
#include "job/store/store.h"

#include "job/file/handle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "handover/leftover.h"
#include "job/file/guard.h"
#include "job/file/sync.h"
#include "job/file/watch.h"
#include "job/store/decode.h"
#include "job/store/life.h"
#include "job/store/set_aside.h"

#define NS_PER_S           1000000000ull
#define BURST_BYTES        (8u << 20) /* of one input, before the next has its turn */
#define BURST_RECORDS      256u
#define COMMIT_BYTES       (8u << 20)      /* where the store asks for nothing else … */
#define COMMIT_BYTES_CHEAP (1u << 20)      /* … and where it has no commit of its own */
#define WAIT_NS            NS_PER_S        /* looks at files and ticks; earlier where the watchdog is impatient */
#define DRAIN_WAIT_NS      (NS_PER_S / 50) /* the end of a producer rings no bell */
#define COMMIT_NS          NS_PER_S        /* a store that never catches up commits nevertheless */
#define FAILED_LATELY_NS   (10 * NS_PER_S) /* small commits for so long, as the next failure may be near */

enum life_outcome {
	LIFE_GOES_ON = 0,
	LIFE_IN_ORDER,
	LIFE_HURRIED,
	LIFE_ABANDONED, /* hurried while the disk refused: nothing is open, nothing may be committed */
};

/* --- commits ------------------------------------------------------------------------------------------------------ */

/* Files may have changed without a batch: trailers of rotated ones. */
static int commit_journal(struct store_life *life, struct enrg_error *err)
{
	int rc = file_set_prepare(&life->store.files, err);

	if (rc < 0)
		return rc;
	intake_prepare(&life->intake);
	uint64_t number = journal_commit(life->store.journal);
	file_set_committed(&life->store.files);
	intake_release(&life->intake, number);
	journal_set_reading(life->store.journal, JOURNAL_NONE, 0);
	return 0;
}

/* Once a second, when all that was written is committed: -ESTALE, files were taken away under the store. */
static int watch_files(struct store_life *life, struct enrg_error *err)
{
	uint64_t now = clock_mono_ns();

	if (now < life->next_watch_ns)
		return 0;
	life->next_watch_ns = now + NS_PER_S;
	intake_look(&life->intake);
	if (file_watch(&life->store.files))
		return enrg_error_set(err, -ESTALE, "files were taken away");
	if (life->failure.phase == STORE_STORING)
		file_watch_forget_parted(&life->store.files);
	return 0;
}

/* `has_written`: the type has something to commit. */
static int commit_now(struct store_life *life, bool has_written, struct enrg_error *err)
{
	int rc = has_written && life->type->commit ? life->type->commit(life->state, err) : 0;
	if (rc == 0)
		rc = file_sync_due(&life->store.files, clock_mono_ns(), 0, err);
	if (rc == 0)
		rc = commit_journal(life, err);
	if (rc < 0)
		return rc;
	store_life_note_recovery(life);
	life->written_batches = 0;
	life->written_bytes = 0;
	return watch_files(life, err);
}

static int commit(struct store_life *life, struct enrg_error *err)
{
	if (!life->written_batches && !intake_is_dirty(&life->intake))
		return 0;
	return commit_now(life, life->written_batches, err);
}

static bool has_policy(const struct store_life *life)
{
	return life->store.commit_interval_ns || life->store.commit_bytes;
}

/* Is it time for a commit while there is more to read? */
static bool is_commit_due(const struct store_life *life, const struct intake_input *input)
{
	const struct enrg_store *store = &life->store;

	if (life->crash.is_careful || input->committed.position < input->failed_end)
		return true;
	/* Alone with a table that waits, the others are committed before it has its turn. */
	if (life->failure.last_ns && life->now_ns - life->failure.last_ns < FAILED_LATELY_NS &&
		intake_next_retry(&life->intake) == UINT64_MAX)
		return true;
	if (!store->commit_interval_ns && life->written_batches && life->now_ns - life->first_written_ns >= COMMIT_NS)
		return true;
	/* Producers before policy: nobody waits for a commit that is only due later. */
	if (input->consumer && input->now.position - input->committed.position >= input->data_bytes / 4)
		return true;
	if (!has_policy(life))
		return life->written_bytes >= (life->type->commit ? COMMIT_BYTES : COMMIT_BYTES_CHEAP);
	return (store->commit_bytes && life->written_bytes >= store->commit_bytes) ||
	       (store->commit_interval_ns && life->written_batches &&
		       life->now_ns - life->first_written_ns >= store->commit_interval_ns);
}

/* With nothing to read: at once, but where the store wants to gather for a while. */
static bool is_idle_commit_due(const struct store_life *life)
{
	const struct enrg_store *store = &life->store;

	if (!store->commit_interval_ns || !life->written_batches || process_stop_state(life->process))
		return true;
	if (clock_mono_ns() - life->first_written_ns >= store->commit_interval_ns)
		return true;
	for (uint32_t i = 0; i < life->intake.count; i++)
		if (intake_is_pressed(&life->intake, life->intake.inputs[i]))
			return true;
	return false;
}

/* --- records ------------------------------------------------------------------------------------------------------ */

static void count_written(struct store_life *life, const struct intake_record *record, bool is_left)
{
	struct page *page = life->process->page;
	struct journal_stream_state *now = &record->input->now;
	uint64_t committed_ns = record->header->committed_ns;

	life->now_ns = clock_mono_ns();
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
	if (life->written_batches++ == 0)
		life->first_written_ns = life->now_ns;
	life->written_bytes += record->payload_bytes;
	/* What a library writes by itself the guard does not see. */
	if (life->store.files.guard.folder_count)
		life->store.files.guard.unchecked_bytes += record->payload_bytes;
	/* Once a batch: after a failure of the store the same ones come again. */
	if (record->end > record->input->timed_end) {
		record->input->timed_end = record->end;
		histogram_add(&page->latency, life->now_ns > committed_ns ? life->now_ns - committed_ns : 0);
		intake_trace(&life->intake, record, life->now_ns);
	}
	if (!atomic_load_explicit(&page->first_in_mono_ns, memory_order_relaxed))
		atomic_store_explicit(&page->first_in_mono_ns, life->now_ns, memory_order_relaxed);
	atomic_store_explicit(&page->last_in_mono_ns, life->now_ns, memory_order_relaxed);
}

static int store_record(struct store_life *life, const struct intake_record *record, struct enrg_error *err)
{
	struct intake_input *input = record->input;
	struct target *target;
	struct enrg_batch batch;
	struct enrg_error why = {0};
	bool is_left;
	int rc = 0;
	static const char *const words[] = {"store", "is not in the store's files; all others are stored"};

	if (set_aside_is_due(&life->crash, record)) {
		rc = set_aside_record(&life->crash, life->process, life->store.journal, record, words, err);
		return rc < 0 ? rc : commit(life, err);
	}
	rc = target_find(&life->targets, record, &target, &why);
	if (rc < 0 && rc != ENRG_E_CORRUPT)
		return enrg_error_set(err, rc, "%s", why.text);
	if (rc < 0 || (target && decode_record(record, target->schema, target->views, target->tag, &batch, &why) < 0)) {
		intake_reject(&life->intake, record, &why);
		return 0;
	}
	if (!target) {
		if (record->header->type == RECORD_GAP)
			input->now.gaps++;
		else
			input->now.skipped_batches++;
		input->now.skipped_rows += record->header->rows;
		intake_accept(record);
		return 0;
	}
	batch.run = intake_run_of(&life->intake, record, &is_left);
	chronicle_turn(&life->store.files.chronicle, batch.run, batch.acquired_ns);
	rc = target_open(&life->targets, life->state, record, batch.run, target, err);
	if (rc == 0)
		rc = life->type->write(life->state, target->handle, &batch, err);
	if (rc < 0)
		return rc;
	count_written(life, record, is_left);
	intake_accept(record);
	return 0;
}

static bool spans_runs(const struct store_life *life)
{
	const struct enrg_file_options *files = life->store.files.options;

	return life->type->spans_runs && !(files && files->rules.rotate_run);
}

/* A run of that source begins or has ended. What lies before is committed first, so that nothing but the ends of files
 * is in the commit that passes the boundary: a kill leaves the store before it or behind it. */
static int pass_boundary(struct store_life *life, const struct intake_record *record, struct enrg_error *err)
{
	bool closes = !spans_runs(life);
	char run[sizeof(record->input->boundary.run)];
	int rc = commit(life, err);

	snprintf(run, sizeof(run), "%s", boundary_run(&record->input->boundary));

	if (rc == 0 && closes)
		rc = target_close_input(&life->targets, life->state, record->input, err);
	if (rc == 0)
		rc = intake_pass(&life->intake, record, err);
	if (rc == 0)
		rc = commit_now(life, closes, err);
	if (rc == 0 && *run)
		chronicle_end_run(&life->store.files.chronicle, run);
	return rc;
}

/* Too little space is free: what is written is committed, and the rest waits as for a full disk. A stop may use the
 * reserve for what is in memory. */
static int guard(struct store_life *life, uint32_t stop, uint64_t now_ns, struct enrg_error *err)
{
	struct enrg_error why = {0};

	if (stop || file_guard_check(&life->store.files, now_ns, &why) == 0)
		return 0;
	int rc = commit(life, err);
	return rc < 0 ? rc : enrg_error_set(err, why.code, "%s", why.text);
}

/* After each record, as a turn may be longer than the reserve; and before each commit, as others use the disk too. */
static int commit_if_due(struct store_life *life, const struct intake_input *input, struct enrg_error *err)
{
	bool is_due = is_commit_due(life, input);

	if (is_due)
		life->store.files.guard.next_check_ns = 0;
	int rc = guard(life, process_stop_state(life->process), life->now_ns, err);
	return rc == 0 && is_due ? commit(life, err) : rc;
}

/* A turn of one input (NULL: the link). 1: there was something; 0; negative: the store failed. */
static int take_turn(struct store_life *life, struct intake_input *input, struct enrg_error *err)
{
	uint64_t bytes = 0;
	uint32_t records = 0;

	for (; records < BURST_RECORDS && bytes < BURST_BYTES; records++) {
		struct intake_record record;
		int rc = intake_next(&life->intake, input, &record);
		if (rc == INTAKE_NONE)
			break;
		if (rc == INTAKE_SKIPPED)
			continue;
		bytes += record.payload_bytes;
		rc = rc == INTAKE_RUN ? pass_boundary(life, &record, err) : store_record(life, &record, err);
		if (rc < 0) {
			life->failure.input = record.input;
			life->failure.record_end = record.end;
		}
		if (rc == 0)
			rc = commit_if_due(life, record.input, err);
		if (rc < 0)
			return rc;
	}
	if (records && intake_is_pressed(&life->intake, input)) {
		int rc = commit(life, err);
		if (rc < 0)
			return rc;
	}
	return records > 0;
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

static int tick(struct store_life *life, struct enrg_error *err)
{
	uint64_t now = clock_mono_ns();

	if (now < life->next_tick_ns)
		return 0;
	life->next_tick_ns = now + NS_PER_S;
	store_life_settle(life);
	int rc = file_sync_due(&life->store.files, now, NS_PER_S, err);
	if (rc < 0 || !life->type->tick)
		return rc;
	rc = life->type->tick(life->state, clock_wall_ns(), err);
	if (rc < 0)
		return rc;
	return life->written_batches ? 0 : commit_journal(life, err); /* what it wrote by itself */
}

static uint64_t choose_wait(const struct store_life *life, uint32_t stop)
{
	uint64_t now = clock_mono_ns(), beat = life->process->plan->beat_ns;
	uint64_t wait = stop ? DRAIN_WAIT_NS : !beat ? WAIT_NS / 2 : beat < WAIT_NS ? beat : WAIT_NS;

	if (life->written_batches && life->store.commit_interval_ns) {
		uint64_t due = life->first_written_ns + life->store.commit_interval_ns;
		wait = due <= now ? 0 : due - now < wait ? due - now : wait;
	}
	uint64_t retry = intake_next_retry(&life->intake);
	if (retry != UINT64_MAX)
		wait = retry <= now ? 0 : retry - now < wait ? retry - now : wait;
	return wait;
}

/* After a failure of its table an input waits. When its time has come, what the others have written is committed before
 * it can fail again. */
static int take_turn_if_due(struct store_life *life, struct intake_input *input, struct enrg_error *err)
{
	if (input->retry_ns) {
		if (clock_mono_ns() < input->retry_ns)
			return 0;
		int rc = commit(life, err);
		if (rc < 0)
			return rc;
		input->retry_ns = 0;
	}
	return take_turn(life, input, err);
}

/* 1: there was something to read; 0; negative: the store failed. */
static int read_all(struct store_life *life, struct enrg_error *err)
{
	struct intake *intake = &life->intake;
	int any = 0;

	for (uint32_t i = 0, count = intake->count; i < count; i++) {
		struct intake_input *input = intake->inputs[(i + life->first_input) % count];
		bool is_wanted = input->consumer && intake_may_have(intake, input);
		int rc = is_wanted ? take_turn_if_due(life, input, err) : 0;
		if (rc < 0)
			return rc;
		any |= rc;
	}
	intake_forget(intake);
	life->first_input++;
	int rc = intake->link ? take_turn(life, NULL, err) : 0;
	return rc < 0 ? rc : any | rc;
}

static int replan_if_due(struct store_life *life, struct enrg_error *err)
{
	if (!atomic_load_explicit(&life->process->is_plan_due, memory_order_relaxed))
		return 0;
	/* Pairs with the release in the reporter: the file is there. */
	atomic_exchange_explicit(&life->process->is_plan_due, 0, memory_order_acquire);
	int rc = commit(life, err);

	if (rc == 0)
		rc = store_life_replan(life, err);
	return rc < 0 ? rc : commit_journal(life, err);
}

/* One round over all inputs. LIFE_…, or negative: the store failed. */
static int go_round(struct store_life *life, struct enrg_error *err)
{
	struct intake *intake = &life->intake;
	uint32_t stop = process_stop_state(life->process);

	process_beat(life->process);
	if (stop == PROCESS_HURRY)
		return LIFE_HURRIED;
	if (stop && life->failure.phase == STORE_STORING)
		store_life_enter(life, STORE_STORING);
	int replanned = replan_if_due(life, err);
	if (replanned < 0)
		return replanned;
	int any = read_all(life, err);
	if (any < 0)
		return any;
	int rc = tick(life, err);
	if (rc == 0)
		rc = guard(life, stop, clock_mono_ns(), err);
	if (rc == 0 && !any && is_idle_commit_due(life))
		rc = commit(life, err);
	if (rc == 0 && !life->written_batches)
		rc = watch_files(life, err);
	if (rc < 0)
		return rc;
	if (stop && intake_is_drained(intake, any)) {
		rc = commit(life, err);
		return rc < 0 ? rc : LIFE_IN_ORDER;
	}
	if (any)
		return LIFE_GOES_ON;
	bool has_waiting = intake_next_retry(intake) != UINT64_MAX;
	if (!has_waiting)
		life->crash.is_careful =
			false; /* the record that was being read at the crash is in the ring: it is past */
	if (!has_waiting && !life->written_batches)
		store_life_note_recovery(life);
	intake_wait(intake, stop, choose_wait(life, stop));
	return LIFE_GOES_ON;
}

static int run(struct store_life *life, struct enrg_error *err)
{
	for (;;) {
		*err = (struct enrg_error){0};
		int rc = go_round(life, err);
		if (rc == LIFE_HURRIED) { /* the batch at hand is written: keep it */
			rc = commit(life, err);
			rc = rc < 0 ? rc : LIFE_HURRIED;
		}
		if (rc == LIFE_IN_ORDER || rc == LIFE_HURRIED)
			return rc;
		if (rc == LIFE_GOES_ON)
			continue;
		if (err->code == 0) /* a store that says no more than that */
			enrg_error_set(err, rc, "%s: %s", life->type->name, enrg_error_name(rc));
		if (store_life_roll_back(life, err) < 0)
			return process_stop_state(life->process) == PROCESS_HURRY ? LIFE_ABANDONED : -EIO;
	}
}

/* --- start and end ------------------------------------------------------------------------------------------------ */

/* Ordered end. What the store writes while it closes its files (a footer) is committed with them; where that fails they
 * stay as the last commit left them. */
static int end(struct store_life *life, struct enrg_error *err)
{
	/* A last look: once they are closed nobody compares them with their names any more. */
	file_watch(&life->store.files);
	int rc = store_life_close_type(life, false, err);

	if (rc == 0)
		rc = commit_journal(life, err);
	if (rc == 0 && file_set_has_due(&life->store.files)) /* the journal must stay */
		rc = enrg_error_set(err, -EIO, "what follows the last commit can't be written");
	if (rc == 0) {
		chronicle_close_all(&life->store.files.chronicle);
		return 0;
	}
	enrg_error_add(err, rc, "closing the files (the batches are stored)");
	file_set_rollback(&life->store.files, NULL);
	return rc;
}

static int finish(struct store_life *life, int outcome, struct enrg_error *err)
{
	uint64_t left = intake_backlog(&life->intake);

	if (outcome < 0)
		return 1;
	if (outcome == LIFE_ABANDONED)
		log_line(ENRG_WARNING, "%s", err->text);
	else if (end(life, err) < 0)
		return 1;
	if (outcome == LIFE_ABANDONED)
		return 3;
	if (outcome == LIFE_IN_ORDER || !left)
		return 0;
	if (atomic_load_explicit(&life->process->is_parting, memory_order_relaxed)) {
		log_line(ENRG_INFO, "ends, while %.1f MB wait in shared memory for its next process",
			(double)left / 1e6);
		return 0;
	}
	log_line(ENRG_WARNING,
		"ended by a fast stop: %.1f MB stay in shared memory, and the next `enrgdaq run` stores them",
		(double)left / 1e6);
	return 3;
}

static void alert(void *context, enum enrg_level level, const char *text)
{
	process_alert(context, level, "%s", text);
}

static int start(struct store_life *life, struct enrg_error *err)
{
	struct process *process = life->process;
	int rc = store_init(&life->store, process->plan->name, process->plan->journal_path, err);

	if (rc < 0)
		return rc;
	chronicle_init(
		&life->store.files.chronicle, process->plan->runtime_folder, process->plan->name, life->type->section);
	life->store.alert = alert;
	life->store.alert_context = process;
	/* Between two runs files may be moved where one likes; not while one is on. */
	if (process->plan->life > 0)
		file_watch_left(&life->store.files);
	leftover_cut(life->store.journal);
	set_aside_look_back(&life->crash, life->process->plan, life->store.journal);
	rc = intake_open(&life->intake, process, life->store.journal, err);
	return rc < 0 ? rc : store_life_open_type(life, err);
}

int store_run(struct process *process, struct enrg_error *err)
{
	static struct store_life life; /* one a process */
	struct enrg_error cause = {0};
	int exit_code;

	life = (struct store_life){
		.process = process,
		.type = process->type->store,
		.targets = {.type = process->type->store, .memory = process->memory},
		.crash = {.stream = JOURNAL_NONE},
	};
	int code = start(&life, &cause);
	if (code < 0) {
		exit_code = code == ENRG_E_CONFIG ? 2 : 1;
	} else {
		atomic_store_explicit(&process->page->plan_serial, process->plan->serial, memory_order_relaxed);
		process_tell_ready(process);
		exit_code = finish(&life, run(&life, &cause), &cause);
	}
	store_life_close_type(&life, true, NULL);
	target_free_all(&life.intake);
	intake_close(&life.intake);
	store_fini(&life.store);
	if (exit_code == 1 || exit_code == 2)
		enrg_error_set(err, cause.code, "%s", cause.text);
	return exit_code;
}
