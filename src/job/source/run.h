/* run.h: how a source follows the run that its supervisor wishes for (wish.h): run_start and run_stop of its type, the
 * boundary in its stream, and whether it is polled. What run it is in stands in the stream alone, so that a life that
 * was killed leaves no doubt: the boundary is there or it is not, and its successor goes on from there.
 *
 * Main thread of a source process. A job without run control has none of it: no file is mapped, nothing is looked at.
 */
#ifndef JOB_SOURCE_RUN_H
#define JOB_SOURCE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"
#include "plane/boundary.h"

struct enrg_job;
struct enrg_job_type;
struct outputs;
struct wish_page;

struct source_run {
	const struct wish_page *wishes; /* NULL: no run control */
	uint64_t seen_serial;           /* of the wish that was answered; 0 = none yet */
	uint64_t told_serial;           /* of the wish that has ended a wait of a poll */
	bool is_in_runs;                /* acquire = "in_runs" */
	bool is_on;                     /* a run is on, as the stream has it */
	bool is_started;                /* and this life has called run_start for it */
	uint64_t number;
	char id[64];
	char between[64]; /* label of the time between two runs */
};

/* Behind stream_open: in which run the stream is, what its batches are called, and whether a boundary has to say so
 * before the first of them. */
int source_run_open(struct enrg_job *job, const struct enrg_job_type *type, struct enrg_error *err);
void source_run_close(struct source_run *run);
/* The same for a job that takes its boundaries from its inputs (a processor): it follows no wish. */
int source_run_open_output(struct enrg_job *job, struct enrg_error *err);

/* Behind the type's start: the page says whether the job takes data. */
void source_run_begin(struct enrg_job *job);
/* Has the wish changed since it was answered? */
bool source_run_is_due(const struct enrg_job *job);
/* Between two polls: does what the wish asks for, and answers in the page. 0, also where it was refused, or has to wait
 * for the end of a claim; negative: the job fails, or is stopped. */
int source_run_follow(struct enrg_job *job, const struct enrg_job_type *type, void *state, struct enrg_error *err);
/* Is the job polled now? */
bool source_run_polls(const struct enrg_job *job);
/* The job ends in order, for good or with its supervisor: run_stop. Before stop of the type. */
void source_run_stop(struct enrg_job *job, const struct enrg_job_type *type, void *state);
/* Behind its last batch: the run has ended here, where it ends for all, or `is_done`: the job will not come again. Were
 * it ended by a job that is stopped and started in it, its tables would count from 1 twice under one name. */
void source_run_end(struct enrg_job *job, bool is_done);

#endif
