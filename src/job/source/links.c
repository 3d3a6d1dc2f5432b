/* links.c: where shared memory is off, what a job produces travels over ZeroMQ: a thread a store reads the job's own
 * stream. Main thread of a job that produces. */
#include "job/source/links.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/link.h"
#include "job/source/wait.h"

#define LINKS_WINDOW_BYTES (16ull << 20)
#define LINKS_LOOK_NS      20000000ull
#define LINKS_DRAIN_NS     30000000000ull /* for what an ordered stop still has in flight */
#define LINKS_ORPHAN_NS    5000000000ull  /* without a supervisor nobody starts a store again: while nothing moves */
#define LINKS_BYE_NS       1000000000ull
#define LINKS_HURRY_NS     200000000ull

int links_start(struct enrg_job *job, struct enrg_error *err)
{
	const struct plan *plan = job->process->plan;

	job->links = calloc(plan->sink_count + 1, sizeof(*job->links));
	if (!job->links)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; plan->stream_path && i < plan->sink_count; i++) {
		const struct link_sender_params params = {
			.url = plan->sinks[i].link_url,
			.stream_path = plan->stream_path,
			.consumer_name = plan->sinks[i].store_name,
			.store_type = plan->sinks[i].store_type,
			.window_bytes = LINKS_WINDOW_BYTES,
		};
		if (!params.url)
			continue;
		int rc = link_sender_start(&params, &job->links[i], err);
		if (rc < 0)
			return enrg_error_add(err, rc, "store %s", plan->sinks[i].store_name);
		job->link_count = i + 1;
	}
	return 0;
}

void links_drain(struct enrg_job *job, struct stream *stream)
{
	struct process *process = job->process;
	uint64_t drain_until = 0, orphan_until = 0, last = 0, left;

	if (job->link_count)
		stream_publish(stream); /* the pad of a claim that was given back: the sender must see it to be done */
	while (job->link_count && (left = stream_in_flight(stream)) > 0) {
		enum process_stop stop = process_stop_state(process);
		uint64_t now = clock_mono_ns();
		if (stop == PROCESS_DRAIN && !drain_until)
			drain_until = now + LINKS_DRAIN_NS;
		if (atomic_load_explicit(&process->is_orphan, memory_order_relaxed) && (!orphan_until || left < last))
			orphan_until = now + LINKS_ORPHAN_NS;
		last = left;
		if (stop == PROCESS_HURRY || (drain_until && now >= drain_until) ||
			(orphan_until && now >= orphan_until))
			break;
		wait_beat(job);
		process_sleep_until(process, stop, now + LINKS_LOOK_NS);
	}
	wait_beat(job);
}

void links_stop(struct enrg_job *job, bool in_order)
{
	for (size_t i = 0; i < job->link_count; i++) {
		if (!job->links[i])
			continue;
		bool is_short = !in_order || process_stop_state(job->process) == PROCESS_HURRY;
		if (link_sender_stop(job->links[i], is_short ? LINKS_HURRY_NS : LINKS_BYE_NS) == -ETIMEDOUT)
			process_alert(job->process, ENRG_WARNING,
				"%s has not taken all batches; they stay in shared memory for the next start",
				job->process->plan->sinks[i].store_name);
		process_beat(job->process);
	}
	free(job->links);
	job->links = NULL;
	job->link_count = 0;
}
