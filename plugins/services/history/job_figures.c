/* job_figures.c: see the header. */
#include "job_figures.h"

#include <errno.h>
#include <float.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/history.h"
#include "enrgdaq/history_file.h"

enum { NOT_ASKED = -1, LEFT_OUT = -2 }; /* of a line; else its series */

struct known_job {
	char *name;
	int64_t *lines; /* one a statistic */
	bool is_listed;
};

bool job_figures_is_excluded(const struct enrg_string_list *exclude, const char *name)
{
	for (size_t i = 0; i < exclude->count; i++)
		if (fnmatch(exclude->items[i], name, 0) == 0)
			return true;
	return false;
}

static void job_fini(struct known_job *job)
{
	free(job->name);
	free(job->lines);
}

/* `hint`: where it was last time. NULL: out of memory. */
static struct known_job *take_job(struct job_figures *figures, const char *name, uint32_t hint)
{
	if (hint < figures->count && !strcmp(figures->jobs[hint].name, name))
		return &figures->jobs[hint];
	for (uint32_t i = 0; i < figures->count; i++)
		if (!strcmp(figures->jobs[i].name, name))
			return &figures->jobs[i];
	struct known_job *jobs = realloc(figures->jobs, (figures->count + 1) * sizeof(*jobs));
	if (!jobs)
		return NULL;
	figures->jobs = jobs;
	uint32_t lines = enrg_statistics_count();
	struct known_job *job = &jobs[figures->count];
	*job = (struct known_job){.name = strdup(name), .lines = malloc((lines + 1) * sizeof(*job->lines))};
	if (!job->name || !job->lines) {
		job_fini(job);
		return NULL;
	}
	for (uint32_t i = 0; i < lines; i++)
		job->lines[i] = NOT_ASKED;
	figures->count++;
	return job;
}

/* 0, -ENOMEM, -ENOSPC. */
static int find_line(struct job_figures *figures, struct known_job *job, uint32_t index)
{
	const struct enrg_statistic *statistic = enrg_statistics_get(index);
	char name[ENRG_HISTORY_NAME_MAX + 1];

	job->lines[index] = LEFT_OUT;
	if (snprintf(name, sizeof(name), "%s/%s", job->name, statistic->name) >= (int)sizeof(name) ||
		job_figures_is_excluded(figures->exclude, name))
		return 0;
	int64_t series = recorder_take(figures->recorder, name, statistic->unit,
		statistic->kind == ENRG_STATISTIC_COUNTER ? ENRG_HISTORY_COUNTER : 0);
	if (series < 0)
		return (int)series;
	job->lines[index] = series;
	return 0;
}

/* Gauges are to 7 digits: half the bytes, and nobody measures them better. */
static double round_gauge(double number, enum enrg_statistic_kind kind)
{
	return kind == ENRG_STATISTIC_GAUGE && number != trunc(number) && fabs(number) < (double)FLT_MAX
		       ? (double)(float)number
		       : number;
}

static int take_values(struct job_figures *figures, struct known_job *job, const struct enrg_job_status *status)
{
	int rc = 0;

	for (uint32_t i = 0; i < status->value_count && rc == 0; i++) {
		double number = status->values[i].number;

		if (job->lines[i] == NOT_ASKED && !isnan(number))
			rc = find_line(figures, job, i);
		if (job->lines[i] >= 0)
			recorder_set(figures->recorder, (uint32_t)job->lines[i],
				round_gauge(number, enrg_statistics_get(i)->kind));
	}
	return rc;
}

static void end_job(struct job_figures *figures, struct known_job *job)
{
	for (uint32_t i = 0; i < enrg_statistics_count(); i++)
		if (job->lines[i] >= 0)
			recorder_end(figures->recorder, (uint32_t)job->lines[i]);
}

int job_figures_take(struct job_figures *figures, const struct enrg_status *status)
{
	int rc = 0;

	for (uint32_t i = 0; i < figures->count; i++)
		figures->jobs[i].is_listed = false;
	for (uint32_t i = 0; status && i < status->job_count && rc != -ENOMEM; i++) {
		struct known_job *job = take_job(figures, status->jobs[i]->name, i);
		int rc_job = job ? take_values(figures, job, status->jobs[i]) : -ENOMEM;

		if (job)
			job->is_listed = true;
		rc = rc_job < 0 ? rc_job : rc;
	}
	for (uint32_t i = 0; i < figures->count; i++)
		if (!figures->jobs[i].is_listed)
			end_job(figures, &figures->jobs[i]);
	return rc;
}

void job_figures_fini(struct job_figures *figures)
{
	for (uint32_t i = 0; i < figures->count; i++)
		job_fini(&figures->jobs[i]);
	free(figures->jobs);
	figures->jobs = NULL;
	figures->count = 0;
}
