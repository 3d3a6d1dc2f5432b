/* wait.c: see the header. Main thread of a source process. */
#include "job/source/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/link.h"
#include "handover/wish.h"
#include "job/source/device.h"
#include "job/source/receive.h"

#define WAIT_BEAT_NS 500000000ull  /* where the plan names none */
#define WAIT_TEND_NS 5000000000ull /* while the ring has pages to give back */

/* Between polls: says once that the latency target can't be met, and what is reached. A store that its source outruns
 * is none of it: that is back-pressure, and shown as such. */
static void say_latency(struct enrg_job *job)
{
	const struct stream *stream = job->outputs->params.stream;
	uint64_t wait_ns, bytes;
	char wait[32], target[32];

	if (job->is_latency_told || !stream || !stream_misses_target(stream, &wait_ns, &bytes))
		return;
	job->is_latency_told = true;
	clock_format_span(wait_ns, wait, sizeof(wait));
	clock_format_span(job->process->plan->latency_target_ns, target, sizeof(target));
	log_line(ENRG_INFO,
		"batches wait %s from commit to stored, and latency_target_ms asks for %s: at the rate of the stores "
		"that is the %.1f MB in flight without which they would run out of work; nothing is lost; make batches "
		"smaller, the stores faster, or the target larger",
		wait, target, (double)bytes / 1e6);
}

void wait_beat(struct enrg_job *job)
{
	uint64_t bytes = 0;

	process_beat(job->process);
	for (size_t i = 0; i < job->link_count; i++) {
		struct link_counters counters;
		if (!job->links[i])
			continue;
		link_sender_get_counters(job->links[i], &counters);
		bytes += counters.bytes;
	}
	if (bytes)
		atomic_store_explicit(&job->process->page->zmq_out_bytes, bytes, memory_order_relaxed);
}

void wait_tend(struct enrg_job *job)
{
	struct stream *stream = job->outputs->params.stream;

	wait_beat(job);
	uint64_t now_ns = atomic_load_explicit(&job->process->page->heartbeat_mono_ns, memory_order_relaxed);

	say_latency(job);
	if (stream)
		stream_admit(stream);
	if (stream)
		yield_tend(&job->yield, now_ns, stream_blocked_ns(stream));
	if (stream && !job->outputs->claimed)
		stream_tend(stream, now_ns);
	if (job->devices)
		devices_check(job, now_ns);
}

/* Commits rows that are due. One claim at a time: beside an open one they wait for its end. */
static int flush_due(struct enrg_job *job, uint64_t now_ns, struct enrg_error *err)
{
	return job->outputs->staged && !job->outputs->claimed ? outputs_flush_due(job->outputs, now_ns, err) : 0;
}

/* When there is something to do before `until_ns`: rows that are due, a sign of life, a call that hangs. */
static uint64_t next_look(const struct enrg_job *job, uint64_t now_ns, uint64_t until_ns)
{
	const struct stream *stream = job->outputs->params.stream;
	uint64_t due_ns = job->outputs->claimed ? UINT64_MAX : outputs_deadline(job->outputs);
	uint64_t step_ns = job->process->plan->beat_ns ? job->process->plan->beat_ns : WAIT_BEAT_NS;

	if (step_ns > WAIT_TEND_NS && stream && stream_has_spare(stream))
		step_ns = WAIT_TEND_NS;
	until_ns = until_ns < due_ns ? until_ns : due_ns;
	until_ns = until_ns < now_ns + step_ns ? until_ns : now_ns + step_ns;
	due_ns = job->devices ? devices_deadline(job) : UINT64_MAX;
	return until_ns < due_ns ? until_ns : due_ns;
}

/* The same where messages are taken. */
static uint64_t next_look_or_answer(const struct enrg_job *job, uint64_t now_ns, uint64_t until_ns)
{
	uint64_t due_ns = receiver_deadline(job);

	return next_look(job, now_ns, until_ns < due_ns ? until_ns : due_ns);
}

int wait_for_work(struct enrg_job *job, struct enrg_error *err)
{
	uint64_t now_ns = clock_mono_ns();

	wait_tend(job);
	int rc = flush_due(job, now_ns, err);
	if (rc == 0)
		process_sleep_until(job->process, process_stop_state(job->process), next_look(job, now_ns, UINT64_MAX));
	return rc;
}

int wait_for_tick(struct enrg_job *job, uint64_t tick_ns, struct enrg_error *err)
{
	struct process *process = job->process;

	for (;;) {
		uint64_t now_ns = clock_mono_ns();
		wait_tend(job);
		int rc = receiver_take(job, err);
		if (rc >= 0)
			rc = flush_due(job, now_ns, err);
		/* beside an open claim a run waits for its end, which is for a poll to bring */
		bool is_run_due = source_run_is_due(job) && !job->outputs->claimed;
		if (rc < 0 || now_ns >= tick_ns || process_stop_state(process) != PROCESS_RUN || is_run_due)
			return rc;
		process_sleep_until(process, PROCESS_RUN, next_look_or_answer(job, now_ns, tick_ns));
	}
}

/* --- enrg_job_wait_fd -------------------------------------------------------------------------------------------- */

/* A run begins or ends between two polls, so the wait of a poll ends; once for each wish. The wake that told of it may
 * have ended another wait of the same poll. */
static bool is_run_news(struct enrg_job *job)
{
	if (!job->is_started || job->stop_seen != PROCESS_RUN || !source_run_is_due(job))
		return false;
	uint64_t serial = wish_serial(job->run.wishes);
	bool is_news = serial != job->run.told_serial;
	job->run.told_serial = serial;
	return is_news;
}

/* Sleeps until one of `entries` is ready, somebody wakes this thread, or `until_ns`. entries[count] is room for one
 * more. */
static int wait_for_entries(
	struct enrg_job *job, struct pollfd *entries, uint32_t count, uint64_t until_ns, struct enrg_error *err)
{
	for (;;) {
		uint64_t now_ns = clock_mono_ns();
		wait_tend(job);
		int received = receiver_take(job, err), rc = received;
		if (rc >= 0)
			rc = flush_due(job, now_ns, err);
		if (rc < 0)
			return rc;
		if (process_stop_state(job->process) > job->stop_seen)
			return enrg_error_set(err, ENRG_E_STOPPED, "stopped while it waited");
		if (received || is_run_news(job))
			return 0;
		uint64_t look_ns = next_look_or_answer(job, now_ns, until_ns);
		rc = process_poll(job->process, process_stop_state(job->process), entries, count, look_ns);
		if (rc < 0)
			return enrg_error_set(err, rc, "waiting for descriptors: %s", enrg_error_name(rc));
		if (rc > 0)
			return rc;
		now_ns = clock_mono_ns();
		/* awake before its time: a stop, which is seen above, or a message */
		if (now_ns >= until_ns || (now_ns < look_ns && process_stop_state(job->process) <= job->stop_seen))
			return 0;
	}
}

int enrg_job_wait_fd(
	struct enrg_job *job, struct pollfd *entries, uint32_t count, uint64_t timeout_ns, struct enrg_error *err)
{
	struct pollfd all[ENRG_WAIT_MAX + 1];
	uint64_t begin_ns = clock_mono_ns();

	if (job->steps && job->is_started)
		return enrg_error_set(err, -EPERM,
			"a processor does not wait for descriptors behind start: what comes by them would be in no "
			"checkpoint");
	if (count > ENRG_WAIT_MAX)
		return enrg_error_set(err, -EINVAL,
			"waiting for %u descriptors: at most %u, or one of epoll_create1(2) that stands for more",
			count, ENRG_WAIT_MAX);
	for (uint32_t i = 0; i < count; i++)
		all[i] = (struct pollfd){.fd = entries[i].fd, .events = entries[i].events};
	uint64_t until_ns = timeout_ns < UINT64_MAX - begin_ns ? begin_ns + timeout_ns : UINT64_MAX;
	int rc = wait_for_entries(job, all, count, until_ns, err);
	for (uint32_t i = 0; i < count; i++)
		entries[i].revents = rc > 0 ? all[i].revents : 0;
	job->waited_ns += clock_mono_ns() - begin_ns;
	return rc;
}
