/* runs_plain.h: the one run of a start without run control: a number, a record, states, as any other run; it begins
 * with the start and ends with it. Process: supervisor, main thread. */
#ifndef SUPERVISOR_RUNS_PLAIN_H
#define SUPERVISOR_RUNS_PLAIN_H

#include "supervisor/runs.h"

/* Behind runs_attach, before the first process: takes its number (2 s at the most), or goes on with that of a killed
 * supervisor. Nothing is done where there is run control, or no record is kept. -EPERM: the book belongs to another
 * supervisor. */
int runs_plain_begin(struct runs *runs, bool goes_on, struct enrg_error *err);
/* As far as the start is: all jobs have been ready, or had half a minute for it; or it ends. */
void runs_plain_step(struct runs *runs, bool is_up, bool is_ending);
/* All jobs are gone: `ledger` is the object of ledger_format_json; `is_fine`: it closes, and nothing was given up. */
void runs_plain_finish(struct runs *runs, const json_t *ledger, bool is_fine);

#endif
