/* board.c: see the header. */
#include "board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SAME_MOMENT_NS 10000000u /* a date that is calculated anew each second differs by less */

static void free_job(struct board_job *job)
{
	free(job->name);
	free(job->type);
}

void board_fini(struct board *board)
{
	for (uint32_t i = 0; i < board->count; i++) {
		struct board_supervisor *supervisor = &board->supervisors[i];
		for (uint32_t k = 0; k < supervisor->job_count; k++)
			free_job(&supervisor->jobs[k]);
		free(supervisor->jobs);
		free(supervisor->name);
	}
	free(board->supervisors);
	*board = (struct board){0};
}

/* NULL: out of memory. */
static struct board_supervisor *take_supervisor(struct board *board, const char *name)
{
	for (uint32_t i = 0; i < board->count; i++)
		if (!strcmp(board->supervisors[i].name, name))
			return &board->supervisors[i];
	struct board_supervisor *longer = realloc(board->supervisors, (board->count + 1) * sizeof(*longer));
	if (!longer)
		return NULL;
	board->supervisors = longer;
	longer[board->count] = (struct board_supervisor){.name = strdup(name)};
	return longer[board->count].name ? &longer[board->count++] : NULL;
}

/* `hint`: where it was last time, as jobs hardly ever change their order. */
static struct board_job *take_job(
	struct board_supervisor *supervisor, const char *name, const char *type, uint32_t hint)
{
	if (hint < supervisor->job_count && !strcmp(supervisor->jobs[hint].name, name))
		return &supervisor->jobs[hint];
	for (uint32_t i = 0; i < supervisor->job_count; i++)
		if (!strcmp(supervisor->jobs[i].name, name))
			return &supervisor->jobs[i];
	struct board_job *longer = realloc(supervisor->jobs, (supervisor->job_count + 1) * sizeof(*longer));
	if (!longer)
		return NULL;
	supervisor->jobs = longer;
	struct board_job *job = &longer[supervisor->job_count];
	*job = (struct board_job){.name = strdup(name), .type = strdup(type)};
	if (!job->name || !job->type) {
		free_job(job);
		return NULL;
	}
	supervisor->job_count++;
	return job;
}

/* An instance that is new has none yet: then that of the one before it counts. */
static uint64_t keep_date(uint64_t before_ns, uint64_t now_ns)
{
	return !now_ns || (now_ns < before_ns + SAME_MOMENT_NS && before_ns < now_ns + SAME_MOMENT_NS) ? before_ns
												       : now_ns;
}

static void set_job(struct board_job *job, const struct enrg_job_figures *figures)
{
	job->is_listed = true;
	job->is_alive = figures->is_alive;
	job->in_batches = figures->in_batches;
	job->in_bytes = figures->in_bytes;
	job->out_batches = figures->out_batches;
	job->out_bytes = figures->out_bytes;
	job->in_waiting = figures->in_waiting;
	job->out_waiting = figures->out_waiting;
	job->restarts = figures->restarts;
	job->last_in_ns = keep_date(job->last_in_ns, figures->last_in_ns);
	job->last_out_ns = keep_date(job->last_out_ns, figures->last_out_ns);
	job->last_restart_ns = keep_date(job->last_restart_ns, figures->last_restart_ns);
	job->cpu_percent = figures->cpu_percent;
	job->rss_mb = figures->rss_mb;
}

static void drop_unlisted(struct board_supervisor *supervisor)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < supervisor->job_count; i++) {
		if (supervisor->jobs[i].is_listed)
			supervisor->jobs[kept++] = supervisor->jobs[i];
		else
			free_job(&supervisor->jobs[i]);
	}
	supervisor->job_count = kept;
}

int board_take(struct board *board, const struct enrg_combined_stats *stats, uint64_t mono_ns)
{
	struct board_supervisor *supervisor = take_supervisor(board, stats->sender.supervisor);

	if (!supervisor)
		return -ENOMEM;
	if (board->count > BOARD_SUPERVISORS_MAX) {
		free(supervisor->name);
		board->count--;
		return -ENOSPC;
	}
	supervisor->heard_mono_ns = mono_ns;
	supervisor->heard_ns = stats->sender.sent_ns;
	for (uint32_t i = 0; i < supervisor->job_count; i++)
		supervisor->jobs[i].is_listed = false;
	for (uint32_t i = 0; i < stats->count; i++) {
		const struct enrg_job_figures *figures = stats->jobs[i];
		struct board_job *job = take_job(supervisor, figures->job, figures->job_type, i);
		if (!job)
			return -ENOMEM;
		set_job(job, figures);
	}
	drop_unlisted(supervisor);
	return 0;
}

bool board_is_alive(const struct board_supervisor *supervisor, uint64_t mono_ns)
{
	return mono_ns < supervisor->heard_mono_ns + BOARD_ALIVE_NS;
}

uint64_t board_count_jobs(const struct board *board)
{
	uint64_t jobs = 0;

	for (uint32_t i = 0; i < board->count; i++)
		jobs += board->supervisors[i].job_count;
	return jobs;
}
