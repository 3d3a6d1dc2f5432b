/* supervisor_alarms.c: alarms of this supervisor: judged with its figures, kept in its folder, sent as alerts. Process:
 * supervisor, main thread. */
#include "supervisor/supervisor_state.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/alarms_commands.h"

static void tell(void *context, const struct alarm *alarm, enum alarm_event event, const char *text)
{
	static const char *const events[] = {"begins", "again", "ends"};
	struct supervisor *self = context;
	const struct control_alert alert = {.job = alarm->job,
		.message = text,
		.key = alarm->key,
		.event = events[event],
		.severity = event == ALARM_ENDS ? ENRG_INFO : alarm->severity};

	log_line(alert.severity, "%s", text);
	control_plane_raise(&self->control, &alert);
	runs_note_alarm(&self->runs,
		&(struct runs_alarm){.key = alarm->key,
			.event = events[event],
			.severity = log_level_name(alert.severity),
			.text = text,
			.begins = event == ALARM_BEGINS},
		&self->folder->supervisor.runs.taint_by);
}

static void format_path(const struct supervisor *self, char ret_path[RUNTIME_PATH_BYTES + 16])
{
	snprintf(ret_path, RUNTIME_PATH_BYTES + 16, "%s/alarms.json", self->runtime.folder);
}

static void save(struct supervisor *self)
{
	struct enrg_error err = {0};
	char path[RUNTIME_PATH_BYTES + 16];

	format_path(self, path);
	if (alarms_save(&self->alarms, path, &err) < 0)
		log_line(ENRG_DEBUG, "%s", err.text);
}

/* Whoever has said something looks next. */
static void keep(void *context)
{
	struct supervisor *self = context;
	json_t *status = supervisor_make_status(self, pace_seconds(&self->pace), false);

	save(self);
	if (status)
		supervisor_write_status(self, status);
	json_decref(status);
}

int supervisor_open_alarms(struct supervisor *self, struct enrg_error *err)
{
	char path[RUNTIME_PATH_BYTES + 16];

	format_path(self, path);
	self->alarms.tell = tell;
	self->alarms.keep = keep;
	self->alarms.context = self;
	self->judge.alarms = &self->alarms;
	if (self->folder->supervisor.alarms.enabled) /* else nobody judges what the file says to be on */
		alarms_load(&self->alarms, path, clock_mono_ns());
	return alarms_add_commands(&self->alarms, self->commands.commands)
		       ? enrg_error_set(err, -ENOSPC, "too many tables of commands")
		       : 0;
}

bool supervisor_judge(struct supervisor *self)
{
	const struct judge_context context = {.roster = self->roster,
		.ledger = self->ledger,
		.options = &self->folder->supervisor,
		.unaccounted_runs = self->runs.unaccounted_count,
		.interval_s = pace_seconds(&self->pace),
		.now_ns = clock_mono_ns(),
		.wall_ns = clock_wall_ns()};

	if (self->drain.phase != DRAIN_NONE)
		return false;
	judge_look(&self->judge, &context);
	bool is_changed = self->alarms.is_changed;
	save(self);
	return is_changed;
}

void supervisor_close_alarms(struct supervisor *self)
{
	judge_fini(&self->judge);
	alarms_fini(&self->alarms);
}
