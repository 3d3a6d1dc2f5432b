/* run.c: see the header. Main thread of a source process. */
#include "job/source/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "handover/wish.h"
#include "job/source/output.h"
#include "job/source/wait.h"

/* --- what the stream says ----------------------------------------------------------------------------------------- */

/* Without run control a run is a supervisor's: a stream in which runs have begun and ended says so before it goes on.
 */
static int open_plain(struct enrg_job *job, const struct boundary *last, struct enrg_error *err)
{
	const char *run = job->process->plan->run;
	struct boundary begin = {.edge = RUN_BEGINS, .wall_ns = clock_wall_ns()};

	if (last->edge && (last->edge != RUN_BEGINS || strcmp(last->label, run) != 0)) {
		snprintf(begin.run, sizeof(begin.run), "%s", run);
		snprintf(begin.label, sizeof(begin.label), "%s", run);
		outputs_owe_boundary(job->outputs, &begin);
	}
	return outputs_set_label(job->outputs, run, err);
}

static int open_controlled(struct enrg_job *job, const struct boundary *last, struct enrg_error *err)
{
	struct source_run *run = &job->run;
	struct boundary between = {.edge = RUN_ENDED, .wall_ns = clock_wall_ns()};

	if (last->edge == RUN_BEGINS) {
		run->is_on = true;
		run->number = last->number;
		snprintf(run->id, sizeof(run->id), "%s", last->label);
		return outputs_set_label(job->outputs, run->id, err);
	}
	if (last->edge != RUN_ENDED || strcmp(last->label, run->between) != 0) {
		snprintf(between.label, sizeof(between.label), "%s", run->between);
		outputs_owe_boundary(job->outputs, &between);
	}
	return outputs_set_label(job->outputs, run->between, err);
}

int source_run_open_output(struct enrg_job *job, struct enrg_error *err)
{
	static const struct boundary none;
	const struct plan *plan = job->process->plan;
	const struct stream *stream = job->outputs->params.stream;
	const struct boundary *last = stream ? boundary_last(stream) : &none;

	job->run = (struct source_run){0};
	if (!plan->has_run_control)
		return open_plain(job, last, err);
	snprintf(job->run.between, sizeof(job->run.between), "%.50s-between", plan->run);
	return open_controlled(job, last, err);
}

int source_run_open(struct enrg_job *job, const struct enrg_job_type *type, struct enrg_error *err)
{
	const struct process *process = job->process;
	struct source_run *run = &job->run;
	int rc = source_run_open_output(job, err);

	if (rc < 0 || !process->plan->has_run_control)
		return rc;
	run->is_in_runs = process->common.has_acquire ? process->common.acquire : type->acquires_in_runs;
	return process->wish_descriptor > 0
		       ? wish_open(process->wish_descriptor, &run->wishes, err)
		       : enrg_error_set(err, -EINVAL, "run control is on, and no file says which run is");
}

void source_run_close(struct source_run *run)
{
	wish_close(run->wishes);
	run->wishes = NULL;
}

/* --- transitions -------------------------------------------------------------------------------------------------- */

/* What `status` says of it. A job without `poll` takes no data itself. */
static void tell_acquires(struct enrg_job *job)
{
	if (job->type && job->type->poll)
		atomic_store_explicit(&job->process->page->acquires,
			source_run_polls(job) ? PAGE_ACQUIRES : PAGE_ACQUIRES_NOT, memory_order_relaxed);
}

void source_run_begin(struct enrg_job *job)
{
	tell_acquires(job);
}

bool source_run_is_due(const struct enrg_job *job)
{
	return job->run.wishes && wish_serial(job->run.wishes) != job->run.seen_serial;
}

bool source_run_polls(const struct enrg_job *job)
{
	const struct source_run *run = &job->run;

	return !run->wishes || !run->is_in_runs || run->is_on || job->outputs->claimed;
}

static void answer(struct enrg_job *job, uint64_t serial, enum page_run answer, const char *reason)
{
	job->run.seen_serial = serial;
	tell_acquires(job);
	page_answer_run(job->process->page, serial, answer, reason);
}

static void refuse(struct enrg_job *job, const struct wish *wish, const struct enrg_error *why)
{
	process_alert(job->process, ENRG_ERROR, "run %s was not begun: %s", wish->run, why->text);
	answer(job, wish->serial, PAGE_RUN_REFUSED, why->text);
}

static struct enrg_run run_of(const struct enrg_job *job, uint64_t deadline_ns, bool is_continued)
{
	return (struct enrg_run){
		.number = job->run.number, .id = job->run.id, .is_continued = is_continued, .deadline_ns = deadline_ns};
}

static struct boundary boundary_of(const struct enrg_job *job, enum run_edge edge, const char *label)
{
	struct boundary boundary = {.edge = edge, .number = job->run.number, .wall_ns = clock_wall_ns()};

	snprintf(boundary.run, sizeof(boundary.run), "%s", job->run.id);
	snprintf(boundary.label, sizeof(boundary.label), "%s", label);
	return boundary;
}

static void call_run_stop(struct enrg_job *job, const struct enrg_job_type *type, void *state, uint64_t deadline_ns)
{
	const struct enrg_run told = run_of(job, deadline_ns, false);
	struct enrg_error why = {0};

	if (!job->run.is_started)
		return;
	job->run.is_started = false;
	int rc = type->run_stop ? type->run_stop(job, state, &told, &why) : 0;
	if (rc < 0)
		process_alert(job->process, ENRG_WARNING,
			"the hardware was not stopped as it should be at the end of run "
			"%s: %s; the run ends here all the same",
			told.id, why.text[0] ? why.text : enrg_error_name(rc));
}

/* The rows at hand are of the run, and then there are none any more. */
static int end_run(struct enrg_job *job, const struct enrg_job_type *type, void *state, uint64_t deadline_ns,
	struct enrg_error *err)
{
	call_run_stop(job, type, state, deadline_ns);
	if (job->outputs->claimed)
		enrg_output_abort(job->outputs->claimed);
	int rc = outputs_flush(job->outputs, err);
	if (rc == 0)
		rc = outputs_commit_gaps(job->outputs, err);
	if (rc < 0)
		return rc;
	const struct boundary boundary = boundary_of(job, RUN_ENDED, job->run.between);
	rc = outputs_commit_boundary(job->outputs, &boundary, UINT64_MAX, err);
	if (rc == 0)
		rc = outputs_set_label(job->outputs, job->run.between, err);
	if (rc == 0)
		job->run.is_on = false;
	return rc;
}

/* 0: it was begun. A refusal leaves no trace in the stream. */
static int begin_run(struct enrg_job *job, const struct enrg_job_type *type, void *state, const struct wish *wish,
	struct enrg_error *err)
{
	struct source_run *run = &job->run;

	run->number = wish->number;
	snprintf(run->id, sizeof(run->id), "%s", wish->run);
	const struct enrg_run told = run_of(job, wish->deadline_ns, false);
	int rc = type->run_start ? type->run_start(job, state, &told, err) : 0;
	run->is_started = rc >= 0;
	if (rc >= 0 && wish->deadline_ns && clock_mono_ns() > wish->deadline_ns)
		rc = enrg_error_set(err, -ETIMEDOUT, "run_start took longer than it had");
	/* What it committed itself is from before. */
	if (rc >= 0)
		rc = outputs_flush(job->outputs, err);
	/* Who takes no data between runs has missed none there. */
	if (run->is_in_runs)
		outputs_forget_gaps(job->outputs);
	if (rc >= 0)
		rc = outputs_commit_gaps(job->outputs, err);
	const struct boundary boundary = boundary_of(job, RUN_BEGINS, run->id);
	if (rc >= 0)
		rc = outputs_commit_boundary(job->outputs, &boundary, wish->deadline_ns, err);
	if (rc == 0)
		rc = outputs_set_label(job->outputs, run->id, err);
	run->is_on = rc == 0;
	if (rc < 0)
		call_run_stop(job, type, state, wish->deadline_ns);
	return rc;
}

/* An earlier life has begun it, and the hardware was set up by that one. */
static int continue_run(struct enrg_job *job, const struct enrg_job_type *type, void *state, const struct wish *wish,
	struct enrg_error *err)
{
	const struct enrg_run told = run_of(job, wish->deadline_ns, true);
	int rc = type->run_start ? type->run_start(job, state, &told, err) : 0;

	job->run.is_started = rc >= 0;
	return rc < 0 ? enrg_error_add(err, rc, "run %s", told.id) : 0;
}

int source_run_follow(struct enrg_job *job, const struct enrg_job_type *type, void *state, struct enrg_error *err)
{
	struct source_run *run = &job->run;
	struct enrg_error why = {0};
	struct wish wish;
	int rc = 0;

	if (!source_run_is_due(job) || job->outputs->claimed || !wish_read(run->wishes, &wish))
		return 0;
	if (run->is_on && strcmp(run->id, wish.run) != 0)
		rc = end_run(job, type, state, wish.deadline_ns, err);
	if (rc == 0 && run->is_on && !run->is_started)
		rc = continue_run(job, type, state, &wish, err);
	if (rc < 0)
		return rc;
	if (wish.run[0] && !run->is_on) {
		rc = begin_run(job, type, state, &wish, &why);
		if (rc == ENRG_E_STOPPED && process_stop_state(job->process) != PROCESS_RUN)
			return rc;
		if (rc < 0) {
			refuse(job, &wish, &why);
			return 0;
		}
	}
	answer(job, wish.serial, PAGE_RUN_DONE, NULL);
	job->is_interval_new = true; /* the first poll of a run is due now */
	return 0;
}

/* --- the end of the job ------------------------------------------------------------------------------------------- */

void source_run_stop(struct enrg_job *job, const struct enrg_job_type *type, void *state)
{
	if (job->run.wishes && job->run.is_on)
		call_run_stop(job, type, state, 0);
}

/* It is still wished for: this job was stopped alone, and its next life goes on with the run. */
static bool goes_on(const struct source_run *run)
{
	struct wish wish;

	return wish_read(run->wishes, &wish) && !strcmp(wish.run, run->id);
}

void source_run_end(struct enrg_job *job, bool is_done)
{
	struct enrg_error why = {0};

	if (!job->run.wishes || !job->run.is_on || job->outputs->claimed || (!is_done && goes_on(&job->run)))
		return;
	const struct boundary boundary = boundary_of(job, RUN_ENDED, job->run.between);
	if (outputs_commit_boundary(job->outputs, &boundary, UINT64_MAX, &why) < 0)
		log_line(ENRG_WARNING, "run %s has not ended in this stream: %s; the next start ends it", job->run.id,
			why.text);
	else
		job->run.is_on = false;
}
