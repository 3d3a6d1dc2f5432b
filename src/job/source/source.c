/* source.c: the main loop of a job that produces data. Main thread of a source process. */
#include "job/source/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/types_message.h"
#include "handover/hardware.h"
#include "handover/unfinished.h"
#include "job/source/links.h"
#include "job/source/receive.h"
#include "job/source/run.h"
#include "job/source/wait.h"
#include "runs/entry/entry.h"

#define SOURCE_INTERVAL_NS 1000000000ull

/* --- what authors call ------------------------------------------------------------------------------------------- */

const char *enrg_job_name(const struct enrg_job *job)
{
	return job->process->plan->name;
}

const char *enrg_job_supervisor(const struct enrg_job *job)
{
	return job->process->plan->supervisor;
}

void enrg_job_set_interval(struct enrg_job *job, uint64_t interval_ns)
{
	job->is_interval_new = job->is_interval_new || job->interval_ns != interval_ns;
	job->interval_ns = interval_ns;
}

void enrg_job_log(struct enrg_job *job, enum enrg_level level, const char *format, ...)
{
	va_list arguments;

	(void)job;
	va_start(arguments, format);
	log_line_v(level, format, arguments);
	va_end(arguments);
}

void enrg_job_identify(struct enrg_job *job, const char *model, const char *serial, const char *firmware)
{
	const char *page_path = job->process->plan->page_path;
	struct enrg_error err = {0};

	if (page_path && hardware_write(page_path, model, serial, firmware, &err) < 0)
		log_line(ENRG_WARNING,
			"%s; the record of a run does not say which instrument that was: model \"%s\", serial \"%s\"",
			err.text, model ? model : "", serial ? serial : "");
}

void enrg_job_tell_archived(struct enrg_job *job, const char *path, const char *sha256, const char *where, bool is_here)
{
	const struct plan *plan = job->process->plan;
	struct enrg_error err = {0};

	if (!plan->runtime_folder || !entry_has_book(plan->runtime_folder))
		return;
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:b}", "path", path, "event", "archived", "sha256", sha256,
		"where", where, "is_here", is_here);
	if (body && entry_write(plan->runtime_folder, "file", "", plan->name, body, &err) < 0)
		log_line(ENRG_WARNING,
			"%s is archived, and the records of its runs do not say so: %s; file and copy are sound", path,
			err.text);
}

void enrg_job_alert(struct enrg_job *job, enum enrg_level level, const char *format, ...)
{
	char text[1000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	process_alert(job->process, level, "%s", text);
}

int enrg_job_keep(struct enrg_job *job, size_t bytes, void **ret_bytes, struct enrg_error *err)
{
	const struct plan *plan = job->process->plan;

	if (job->kept.map)
		return enrg_error_set(err, -EEXIST, "%s keeps something already", plan->name);
	return kept_open(&job->kept, plan->page_path, plan->run, bytes, ret_bytes, err);
}

void enrg_job_count_missed(struct enrg_job *job, uint64_t ticks)
{
	struct page *page = job->process->page;
	uint32_t before = atomic_load_explicit(&page->missed_ticks, memory_order_relaxed);

	if (ticks)
		atomic_store_explicit(&page->missed_ticks,
			ticks < UINT32_MAX - before ? before + (uint32_t)ticks : UINT32_MAX, memory_order_relaxed);
}

void enrg_job_set_waiting(struct enrg_job *job, const char *reason)
{
	struct page *page = job->process->page;
	uint32_t state = atomic_load_explicit(&page->state, memory_order_relaxed);

	page_set_reason(page, reason);
	if (state == PAGE_RUNNING || state == PAGE_WAITING)
		atomic_store_explicit(&page->state, reason ? PAGE_WAITING : PAGE_RUNNING, memory_order_relaxed);
}

/* What can't be told counts as open: who asks would move or remove what a store goes on with. */
bool enrg_job_file_is_open(const struct enrg_job *job, const char *path)
{
	static bool is_told;
	struct enrg_error err = {0};
	char store[256];
	int rc = unfinished_find(path, store, sizeof(store), &err);

	/* This process has a page there: where it is not, the journals were taken away, too. */
	if (rc == 0 && access(job->process->plan->page_path, F_OK) < 0)
		rc = enrg_error_set(&err, -EIO, "%s: %s", job->process->plan->page_path, strerror(errno));
	if (rc < 0 && rc != -ENOENT && !is_told)
		log_line(ENRG_WARNING,
			"it can't be told which files stores have closed, so all count as open, and stay: %s",
			err.text);
	is_told = rc < 0 && (is_told || rc != -ENOENT);
	return rc != 0;
}

void enrg_job_continue(struct enrg_job *job, struct enrg_published *ret_published)
{
	const struct plan *plan = job->process->plan;
	struct stream *stream = job->outputs->params.stream;
	struct enrg_published all = {0};

	if (stream) {
		stream_read_counts(stream, &all.batches, &all.rows);
		stream_continue_exactly(stream, stream_dropped_rows(stream), false);
		outputs_forget_gaps(job->outputs);
	}
	/* The stream may be older than the run. */
	ret_published->batches = all.batches > plan->earlier_batches ? all.batches - plan->earlier_batches : 0;
	ret_published->rows = all.rows > plan->earlier_rows ? all.rows - plan->earlier_rows : 0;
}

/* --- the loop ---------------------------------------------------------------------------------------------------- */

/* The tick after `now` on a schedule that began at `tick`: missed ones are skipped, the phase stays. */
static uint64_t next_tick(uint64_t tick, uint64_t interval_ns, uint64_t now)
{
	if (interval_ns > INT64_MAX)
		interval_ns = INT64_MAX;
	if (!interval_ns || now < tick)
		return interval_ns ? tick + interval_ns : now;
	return tick + ((now - tick) / interval_ns + 1) * interval_ns;
}

/* Ticks that passed before the poll of `tick` was done, but for those that it slept through in enrg_job_wait_fd. All
 * are counted; that it was the poll itself which took so long is said once. */
static void count_missed(struct enrg_job *job, uint64_t tick, uint64_t now)
{
	uint64_t late_ns = now > tick + job->waited_ns ? now - tick - job->waited_ns : 0;
	uint64_t missed = job->interval_ns ? late_ns / job->interval_ns : 0;
	uint64_t beat_ns = atomic_load_explicit(&job->process->page->heartbeat_mono_ns, memory_order_relaxed);
	uint64_t span_ns = now - beat_ns;
	char span[32], interval[32];

	enrg_job_count_missed(job, missed);
	if (!missed || job->is_slow_told || span_ns < job->interval_ns)
		return;
	job->is_slow_told = true;
	clock_format_span(span_ns, span, sizeof(span));
	clock_format_span(job->interval_ns, interval, sizeof(interval));
	log_line(ENRG_WARNING,
		"a poll took %s, longer than its interval of %s: what was to be measured meanwhile is missing, and "
		"`enrgdaq status` counts such ticks; see what the poll waits for (a slow instrument, a store that "
		"holds "
		"it back), or make the interval longer",
		span, interval);
}

/* An enum enrg_poll of the last poll, or a negative code. ENRG_POLL_IDLE: a stop was asked for. A job without `poll`
 * does all that it does as messages come. */
static int poll_until_stopped(
	struct enrg_job *job, const struct enrg_job_type *type, void *state, struct enrg_error *err)
{
	struct process *process = job->process;
	uint64_t tick = clock_mono_ns();

	while (process_stop_state(process) == PROCESS_RUN) {
		wait_tend(job);
		int rc = receiver_take(job, err);
		if (rc >= 0)
			rc = source_run_follow(job, type, state, err);
		if (rc == 0 && (!type->poll || !source_run_polls(job))) {
			rc = wait_for_tick(job, UINT64_MAX, err);
			if (rc == 0)
				continue;
		}
		if (rc < 0)
			return rc;
		job->waited_ns = 0;
		rc = type->poll(job, state, err);
		if (rc < 0 || rc == ENRG_POLL_DONE)
			return rc;
		if (job->is_interval_new) {
			job->is_interval_new = false;
			tick = clock_mono_ns();
		}
		if (rc == ENRG_POLL_AGAIN) {
			if (job->outputs->staged)
				rc = outputs_flush_due(job->outputs, clock_mono_ns(), err);
		} else {
			uint64_t now = clock_mono_ns();
			count_missed(job, tick, now);
			tick = next_tick(tick, job->interval_ns, now);
			rc = wait_for_tick(job, tick, err);
		}
		if (rc < 0)
			return rc;
	}
	return ENRG_POLL_IDLE;
}

/* A claim that gave up because of a stop is the end of polling, not a failure. */
static bool is_stop(const struct process *process, int rc)
{
	return rc == ENRG_E_STOPPED && process_stop_state(process) != PROCESS_RUN;
}

int source_live(struct enrg_job *job, const struct enrg_job_type *type, const void *options, bool *ret_done,
	struct enrg_error *err)
{
	struct process *process = job->process;
	void *state = NULL;
	bool ends_run = false; /* not with a life that will have a successor */
	int rc = types_hears(type) ? receiver_create(job, err) : 0;

	job->type = type;
	if (rc == 0)
		rc = type->start(job, options, &state, err);
	*ret_done = false;
	if (is_stop(process, rc))
		return 0;
	if (rc < 0)
		return enrg_error_add(err, rc, "start");
	job->is_interval_new = false;
	job->state = state;
	job->is_started = true;
	source_run_begin(job);
	process_tell_ready(process);
	rc = poll_until_stopped(job, type, state, err);
	*ret_done = rc == ENRG_POLL_DONE;
	if (rc < 0 && !is_stop(process, rc)) {
		enrg_error_add(err, rc, "poll");
	} else {
		atomic_store_explicit(&process->page->state, PAGE_DRAINING, memory_order_relaxed);
		process_beat(process);
		job->stop_seen = PROCESS_DRAIN;
		ends_run = *ret_done || atomic_load_explicit(&process->is_asked, memory_order_relaxed);
		rc = receiver_end(job, err);
		if (ends_run)
			source_run_stop(job, type, state);
		if (rc >= 0)
			rc = type->stop ? type->stop(job, state, err) : 0;
		rc = is_stop(process, rc) ? 0 : rc;
		if (rc < 0)
			enrg_error_add(err, rc, "stop");
	}
	if (job->outputs->claimed)
		enrg_output_abort(job->outputs->claimed);
	/* rows that were appended are data, also those of a job that failed a moment later */
	struct enrg_error flush_err = {0};
	int flushed = outputs_flush(job->outputs, &flush_err);
	if (rc >= 0 && flushed < 0 && !is_stop(process, flushed)) {
		rc = flushed;
		enrg_error_set(err, flushed, "last rows: %s", flush_err.text);
	}
	if (ends_run)
		source_run_end(job, *ret_done);
	type->destroy(state);
	return rc < 0 ? rc : 0;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static int live_with_outputs(struct enrg_job *job, struct stream *stream, bool *ret_done, struct enrg_error *err)
{
	struct process *process = job->process;
	const struct plan *plan = process->plan;
	struct outputs_params params = {
		.stream = stream,
		.producers = plan->producers,
		.source = plan->name,
		.run = plan->run,
		.groups = process->type->job->groups,
		.read_groups = plan->read_groups,
		.process = process,
	};
	struct toml_node *toml = NULL;
	int rc = toml_parse(plan->file, plan->toml_text, strlen(plan->toml_text), &toml, err);

	params.toml = toml;
	if (rc == 0)
		rc = outputs_create(&params, &job->outputs, err);
	if (rc == 0)
		rc = source_run_open(job, process->type->job, err);
	if (rc == 0)
		rc = source_live(job, process->type->job, process->options, ret_done, err);
	source_run_close(&job->run);
	receiver_destroy(job);
	outputs_destroy(job->outputs);
	if (toml)
		toml_free(toml);
	return rc;
}

int source_run(struct process *process, struct enrg_error *err)
{
	const struct plan *plan = process->plan;
	struct enrg_job job = {.process = process, .interval_ns = SOURCE_INTERVAL_NS};
	struct stream *stream = NULL;
	bool is_done = false;
	int rc = plan->stream_path ? stream_open(plan->stream_path, plan->hot_bytes, &stream, err) : 0;

	yield_init(&job.yield, plan->producers);
	if (rc == 0 && stream && !plan->hot_bytes && plan->latency_target_ns)
		stream_govern(stream, plan->latency_target_ns, plan->producers);
	if (rc == 0)
		rc = links_start(&job, err);
	if (rc == 0)
		rc = live_with_outputs(&job, stream, &is_done, err);
	if (rc == 0)
		links_drain(&job, stream);
	/* after a failure there will be another life: the stores wait for it */
	stream_close(stream, rc == 0);
	links_stop(&job, rc == 0);
	kept_close(&job.kept);
	if (rc < 0)
		return rc == ENRG_E_CONFIG ? 2 : 1;
	if (is_done)
		log_line(ENRG_INFO, "is done");
	if (process_stop_state(process) == PROCESS_HURRY)
		return 3;
	/* neither its own end nor the supervisor's word: only the hardware is closed, the run is not over */
	return is_done || atomic_load_explicit(&process->is_asked, memory_order_relaxed) ||
			       atomic_load_explicit(&process->is_orphan, memory_order_relaxed)
		       ? 0
		       : 4;
}
