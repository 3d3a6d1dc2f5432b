/* supervisor_status.c: the state of the system as it is told, and its file. Process: supervisor, main thread. */
#include "supervisor/supervisor_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "supervisor/status.h"

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
		.running_ns = clock_mono_ns() - self->away_ns,
		.interval_s = interval_s,
		.alerts = self->control.alerts,
		.alert_count = self->control.alert_count,
		.is_final = is_final,
	};

	json_t *status = status_format(&context);
	const struct clock_state clock = clock_state_read();
	if (status)
		json_object_set_new(status, "clock", clock_state_format(&clock));
	if (status && (self->runs.is_on || self->runs.account))
		json_object_set_new(status, "runs", runs_format(&self->runs));
	if (status)
		json_object_set_new(status, "alarms", alarms_format(&self->alarms));
	json_t *web = web_link_format(*self->web);
	if (status && web)
		json_object_set(status, "web", web);
	json_decref(web);
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
