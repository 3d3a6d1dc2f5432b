/* receive.h: what a job hears from others (enrgdaq/message.h): commands, each once and checked; answers to its own;
 * reports as typed structs. Main thread of a source process. */
#ifndef JOB_SOURCE_RECEIVE_H
#define JOB_SOURCE_RECEIVE_H

#include "job/source/output.h"

/* The struct behind job->receiver: NULL in a job that hears nothing and asks nobody. */
struct receiver;

/* Where the type hears something; enrg_job_send makes one at its first need. 0, -ENOMEM. */
int receiver_create(struct enrg_job *job, struct enrg_error *err);
void receiver_destroy(struct enrg_job *job);

/* Hands over what waits. How many messages there were; negative: an on_… has failed, or the end of a step, which leaves
 * the command unanswered. 0 where it is called from inside of a receive or before `start` has returned. */
int receiver_take(struct enrg_job *job, struct enrg_error *err);
/* The job ends in order: from now on commands are refused; reports that wait are handed over. 0, negative. */
int receiver_end(struct enrg_job *job, struct enrg_error *err);
/* When an answer that somebody waits for is overdue, CLOCK_MONOTONIC; UINT64_MAX = none. */
uint64_t receiver_deadline(const struct enrg_job *job);

#endif
