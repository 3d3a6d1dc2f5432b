/* job_figures.h: the statistics of all jobs as series, as the supervisor has them. In the process of DAQJobHistory, on
 * its main thread. */
#ifndef HISTORY_JOB_FIGURES_H
#define HISTORY_JOB_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/client.h"
#include "enrgdaq/option.h"
#include "recorder.h"

struct known_job;

struct job_figures {
	struct recorder *recorder;
	const struct enrg_string_list *exclude;
	struct known_job *jobs;
	uint32_t count;
};

/* Sets all values of `status`; NULL: the supervisor does not say any now, so none is known. -ENOMEM; -ENOSPC: too many
 * series: those that are new are left out. */
int job_figures_take(struct job_figures *figures, const struct enrg_status *status);
void job_figures_fini(struct job_figures *figures);

/* Does one of the patterns mean that name? */
bool job_figures_is_excluded(const struct enrg_string_list *exclude, const char *name);

#endif
