/* supervisor_figures.c: what all jobs do, to whoever reads it. Process: supervisor, main thread. */
#include "supervisor/supervisor_state.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "supervisor/combined.h"
#include "supervisor/sample.h"
#include "supervisor/status.h"
#include "supervisor/supervisor.h"

#define SUMMARY_NS 10000000000ull
#define TELL_NS    10000000000ull /* figures that stand still are told again */
#define TRIM_JOBS  100u           /* whose figures are worth to give their memory back */

void supervisor_look_after(struct supervisor *self, bool is_whole)
{
	keeper_look(&self->keeper, &self->control, &self->ledger->losses, is_whole);
}

bool supervisor_take_samples(struct supervisor *self, bool is_final)
{
	bool is_news = sample_take(self->roster, clock_mono_ns());

	is_news |= sample_ledger(self->roster, self->ledger, is_final);
	return is_news || self->told.phase != self->drain.phase || self->told.alerts != self->control.alert_count ||
	       self->told.losses != losses_sum(&self->ledger->losses) ||
	       self->told.runs != self->runs.since_wall_ns + self->runs.closed_count || self->runs.waits_for[0];
}

json_t *supervisor_make_status(const struct supervisor *self, double interval_s, bool is_final)
{
	const struct status_context context = {
		.roster = self->roster,
		.ledger = self->ledger,
		.supervisor = self->folder->supervisor.info.supervisor_id,
		.run = self->runtime.run,
		.phase = drain_phase_name(self->drain.phase),
		.config = self->runtime.config_path,
		.started_wall_ns = self->runtime.started_wall_ns,
		.now_wall_ns = clock_wall_ns(),
		.interval_s = interval_s,
		.alerts = self->control.alerts,
		.alert_count = self->control.alert_count,
		.is_final = is_final,
	};

	json_t *status = status_format(&context);
	const struct clock_state clock = clock_state_read();
	if (status)
		json_object_set_new(status, "clock", clock_state_format(&clock));
	if (status && self->runs.is_on)
		json_object_set_new(status, "runs", runs_format(&self->runs));
	if (status)
		json_object_set_new(status, "alarms", alarms_format(&self->alarms));
	return status;
}

void supervisor_write_status(struct supervisor *self, const json_t *status)
{
	char path[RUNTIME_PATH_BYTES + 16], *text = json_dumps(status, JSON_COMPACT);
	struct enrg_error err = {0};
	bool is_lost;

	snprintf(path, sizeof(path), "%s/status.json", self->runtime.folder);
	is_lost = !text || path_write_private_file(path, text, strlen(text), &err);
	if (is_lost && !self->is_status_lost)
		log_line(ENRG_WARNING, "status.json can't be written, and `enrgdaq status` does not see this run: %s",
			err.text);
	self->is_status_lost = is_lost;
	free(text);
}

static void tell_status(struct supervisor *self, const json_t *status, uint64_t now_ns)
{
	char summary[256];

	supervisor_write_status(self, status);
	control_plane_publish(&self->control, status);
	if (control_plane_is_read(&self->control))
		control_plane_publish_jobs(&self->control, combined_format(self->roster, self->ledger));
	if (self->params->on_status)
		self->params->on_status(self->params->context, status, false);
	if (!self->params->is_quiet && self->drain.phase == DRAIN_NONE && now_ns - self->summary_ns >= SUMMARY_NS) {
		self->summary_ns = now_ns;
		status_summary(status, summary, sizeof(summary));
		log_line(ENRG_INFO, "%s", summary);
	}
	if (service_is_watching(&self->service)) {
		status_summary(status, summary, sizeof(summary));
		service_report(
			&self->service, drain_phase_name(self->drain.phase), summary, self->drain.phase != DRAIN_NONE);
	}
}

/* To make the text of all figures takes most of the time of a look, so figures that stand still are told seldom. */
static bool is_telling_due(const struct supervisor *self, bool is_news, uint64_t now_ns)
{
	return is_news || self->told.is_news || self->params->on_status || control_plane_is_read(&self->control) ||
	       now_ns - self->told.at_ns + TICK_NS / 2 >= TELL_NS;
}

void supervisor_look_at_jobs(struct supervisor *self, uint64_t now_ns)
{
	bool is_news = supervisor_take_samples(self, false);

	is_news |= supervisor_judge(self);
	if (is_telling_due(self, is_news, now_ns)) {
		double interval_s = pace_seconds(&self->pace), most_s = (double)TELL_NS / 1e9;
		json_t *status =
			supervisor_make_status(self, is_news || interval_s > most_s ? interval_s : most_s, false);

		self->told = (struct told){.at_ns = now_ns,
			.is_news = is_news,
			.phase = self->drain.phase,
			.alerts = self->control.alert_count,
			.losses = losses_sum(&self->ledger->losses),
			.runs = self->runs.since_wall_ns + self->runs.closed_count};
		if (status)
			tell_status(self, status, now_ns);
		json_decref(status);
		if (self->roster->count >= TRIM_JOBS)
			malloc_trim(0); /* a status of many jobs is tens of megabytes of small objects */
	}
	roster_watch(self->roster, now_ns);
}
