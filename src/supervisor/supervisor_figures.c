/* supervisor_figures.c: what all jobs do, to whoever reads it. Process: supervisor, main thread. */
#include "supervisor/supervisor_state.h"

#include <malloc.h>

#include "base/clock.h"
#include "base/log.h"
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
	       self->told.web != web_link_changes(*self->web) ||
	       self->told.runs != self->runs.changes + self->runs.closed_count || self->runs.waits_for[0];
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
	runs_judge(&self->runs, now_ns);
	if (is_telling_due(self, is_news, now_ns)) {
		double interval_s = pace_seconds(&self->pace), most_s = (double)TELL_NS / 1e9;
		json_t *status =
			supervisor_make_status(self, is_news || interval_s > most_s ? interval_s : most_s, false);

		self->told = (struct told){.at_ns = now_ns,
			.is_news = is_news,
			.phase = self->drain.phase,
			.alerts = self->control.alert_count,
			.losses = losses_sum(&self->ledger->losses),
			.runs = self->runs.changes + self->runs.closed_count,
			.web = web_link_changes(*self->web)};
		if (status)
			tell_status(self, status, now_ns);
		json_decref(status);
		if (self->roster->count >= TRIM_JOBS)
			malloc_trim(0); /* a status of many jobs is tens of megabytes of small objects */
	}
	roster_watch(self->roster, now_ns);
}
