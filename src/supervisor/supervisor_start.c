/* supervisor_start.c: from the configuration to a run whose jobs may be started. Process: supervisor, main thread. */
#include "supervisor/supervisor_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "config/run_judge.h"
#include "config/types_message.h"
#include "supervisor/earlier/adopt.h"
#include "supervisor/earlier/inherit.h"
#include "supervisor/job_add.h"
#include "supervisor/job_text.h"
#include "supervisor/needs.h"
#include "supervisor/processors.h"
#include "supervisor/removed.h"
#include "supervisor/record.h"
#include "supervisor/run_log.h"
#include "supervisor/runs_plain.h"
#include "supervisor/supervisor.h"

#define AWAY_NS 1500000000ull /* so long without a look at the clock: this process did not run */

uint64_t supervisor_running_ns(struct supervisor *self)
{
	uint64_t now_ns = clock_mono_ns();

	if (self->looked_ns && now_ns - self->looked_ns > AWAY_NS)
		self->away_ns += now_ns - self->looked_ns - TICK_NS;
	self->looked_ns = now_ns;
	return now_ns - self->away_ns;
}

static void warn_module(void *context, const char *sentence)
{
	(void)context;
	log_line(ENRG_WARNING, "%s", sentence);
}

int supervisor_load(struct supervisor *self)
{
	const struct supervisor_params *params = self->params;
	struct enrg_error err = {0};
	struct problems problems;
	int rc = types_load(&self->types, warn_module, NULL, &err);

	if (rc) {
		log_line(ENRG_ERROR, "%s", err.text);
		return SUPERVISOR_CONFIG;
	}
	problems_init(&problems);
	if (self->sources.count)
		rc = folder_load_sources(
			params->config_path, &self->sources, self->types, &self->folder, &problems, &err);
	else if (params->config_path)
		rc = folder_load_with(
			params->config_path, params->supervisor_file, self->types, &self->folder, &problems, &err);
	else
		rc = folder_load_texts(&(struct folder_texts){params->text_count, params->names, params->texts},
			self->types, &self->folder, &problems, &err);
	if (!rc)
		run_judge_plans(self->folder, self->types, &problems);
	problems_print(&problems, stderr);
	if (rc)
		log_line(ENRG_ERROR, "%s", err.text);
	else if (problems.errors)
		log_line(ENRG_ERROR, "%zu problem(s) in the configuration: nothing was started", problems.errors);
	rc = rc || problems.errors ? SUPERVISOR_CONFIG : 0;
	problems_fini(&problems);
	return rc;
}

static int watch(const struct supervisor *self, int descriptor, enum own_event event, struct enrg_error *err)
{
	struct epoll_event entry = {.events = EPOLLIN, .data.u64 = event};

	if (descriptor >= 0 && !epoll_ctl(self->epoll, EPOLL_CTL_ADD, descriptor, &entry))
		return 0;
	return enrg_error_set(err, -errno, "the event loop can't be set up: %s", strerror(errno));
}

static int open_loop(struct supervisor *self, struct enrg_error *err)
{
	const struct itimerspec second = {{1, 0}, {1, 0}};
	int rc;

	self->epoll = epoll_create1(EPOLL_CLOEXEC);
	self->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (self->epoll < 0 || self->timer < 0 || pipe2(self->lifeline, O_CLOEXEC))
		return enrg_error_set(err, -errno, "the event loop can't be set up: %s", strerror(errno));
	timerfd_settime(self->timer, 0, &second, NULL);
	rc = watch(self, self->signals.descriptor, OWN_SIGNAL, err);
	return rc ? rc : watch(self, self->timer, OWN_TIMER, err);
}

/* Left-overs, run id, rings. After it run.json says that this run is on. */
static json_t *make_record(void *context)
{
	const struct supervisor *self = context;

	return record_make(self->folder, self->types);
}

/* Runs of a folder have a record, unless it wants none. */
static int open_runs(struct supervisor *self, bool goes_on, struct enrg_error *err)
{
	const struct supervisor_options *options = &self->folder->supervisor;
	const char *database = options->runs.database;
	bool has_record = self->params->config_path && (!database || *database);
	const struct runs_params params = {.runtime = &self->runtime,
		.book = has_record ? &self->book : NULL,
		.make_record = make_record,
		.record_context = self,
		.supervisor = options->info.supervisor_id,
		.deadline_seconds = options->runs.deadline_seconds,
		.has_control = options->runs.control,
		.goes_on = goes_on};

	self->goes_on = goes_on;
	return runs_open(&self->runs, &params, err);
}

static int prepare(struct supervisor *self, struct enrg_error *err)
{
	const struct run_log_params log_params = {
		&self->folder->supervisor, self->runtime.folder, self->params->log_format};
	struct adopt_result adopted = {0};
	bool goes_on;
	int rc = adopt_check_versions(&self->runtime, err);

	if (!rc)
		rc = adopt_wait(&self->runtime, err);
	if (!rc)
		rc = inherit_names(self->folder, &self->runtime, err);
	if (!rc)
		rc = plan_set_create(self->folder, &self->runtime, &self->plans, err);
	if (!rc)
		rc = needs_check(self->plans, err);
	if (!rc) /* not before: a start that is refused writes nothing */
		rc = supervisor_open_book(self, err);
	if (!rc && self->book.is_on)
		rc = watch(self, book_descriptor(&self->book), OWN_BOOK, err);
	if (!rc)
		rc = run_log_plan(&log_params, self->plans, err);
	if (!rc)
		rc = stream_specs_create(self->folder, self->plans, &self->specs, err);
	if (!rc)
		processors_roll_forward(self->plans);
	if (!rc)
		rc = adopt_streams(&self->runtime, self->specs, &adopted, err);
	self->losses = adopted.losses;
	if (rc)
		return rc;
	inherit_remove_journals(&self->runtime, self->plans);
	/* Only the run of a killed supervisor goes on: one that ended has its ledger, and a start is a new run. A
	 * stream that was made anew must not count from 1 again in a run that it has been part of, nor may the tables
	 * of another version, which may describe the same columns in other bytes. */
	goes_on = self->runtime.last_was_killed && !strcmp(self->runtime.last_version, version_text()) &&
		  adopted.kept && !adopted.removed && !adopted.recovered && !adopted.damaged;
	if (!goes_on) {
		streams_drop_parted(self->runtime.folder);
		removed_drop(self->runtime.folder);
	}
	for (size_t i = 0; !goes_on && i < self->plans->count; i++)
		if (self->plans->plans[i]->journal_path)
			journal_clear_loss(self->plans->plans[i]->journal_path);
	rc = adopt_name_runs(&self->runtime, self->specs, self->plans, goes_on, err);
	if (!rc)
		rc = runtime_begin_run(&self->runtime, goes_on, err);
	self->clock_begin = clock_state_read();
	self->has_begun = !rc;
	if (!rc)
		rc = plan_set_name_run(self->plans, self->runtime.run, err);
	if (!rc)
		rc = open_runs(self, goes_on, err);
	return rc ? rc : streams_create(self->specs, !self->params->checks_off, err);
}

static uint64_t clock_of(void *context)
{
	return supervisor_running_ns(context);
}

static int open_changes(struct supervisor *self, struct enrg_error *err)
{
	self->transition = (struct transition){.roster = self->roster,
		.ledger = self->ledger,
		.keeper = &self->keeper,
		.runtime = &self->runtime,
		.commands = self->commands.commands};
	self->reconfigure = (struct reconfigure){.types = self->types,
		.folder = &self->folder,
		.config_path = self->params->config_path,
		.supervisor_file = self->params->supervisor_file,
		.log_format = self->params->log_format,
		.checks = !self->params->checks_off,
		.runtime = &self->runtime,
		.transition = &self->transition,
		.now_ns = clock_of,
		.context = self,
		.runs = &self->runs};
	return reconfigure_open(&self->reconfigure, self->commands.commands) ||
			       job_text_open(&self->reconfigure, self->commands.commands) ||
			       job_add_open(&self->reconfigure, self->commands.commands) ||
			       jobs_open(&self->jobs, &self->reconfigure, self->commands.commands) ||
			       renewal_open(&self->renewal, &self->reconfigure, self->commands.commands)
		       ? enrg_error_set(err, -ENOSPC, "too many tables of commands")
		       : 0;
}

static void hear(void *context, const struct envelope *envelope)
{
	control_hear(context, envelope);
}

static bool hears_alerts(void *context, const char *job)
{
	const struct supervisor *self = context;
	const struct member *member = roster_find(self->roster, job);
	struct enrg_job_type listener;

	if (!member)
		return false;
	types_listen(member->config->type, &listener);
	return listener.on_alert != NULL;
}

/* Last of the start: who asks must find what it asks about. */
static int open_commands(struct supervisor *self, struct enrg_error *err)
{
	const struct control_params params = {.folder = self->runtime.folder,
		.run = self->runtime.run,
		.started_wall_ns = self->runtime.started_wall_ns,
		.roster = self->roster,
		.bus = self->control.client};
	int rc = control_open(&self->commands, &params, err);

	if (!rc) {
		self->permission = (struct permission){.folder = &self->folder, .roster = self->roster};
		commands_set_guard(self->commands.commands, permission_check, &self->permission);
	}
	self->control.hear = hear;
	self->control.hear_context = &self->commands;
	self->control.hears_alerts = hears_alerts;
	self->control.hears_context = self;
	runs_attach(&self->runs, self->roster, self->ledger, self->commands.commands);
	if (!rc && runs_add_commands(&self->runs) < 0)
		rc = enrg_error_set(err, -ENOSPC, "too many kinds of commands");
	if (!rc)
		rc = open_changes(self, err);
	if (!rc) {
		const struct runs_hooks hooks = run_parts_hooks(&self->run_parts);
		run_parts_open(
			&self->run_parts, &self->reconfigure, self->commands.commands, &self->book, self->roster);
		runs_set_hooks(&self->runs, &hooks);
		self->run_plans = (struct run_plans_commands){.reconfigure = &self->reconfigure, .book = &self->book};
		if (self->runs.is_on && run_plans_add_commands(&self->run_plans, self->commands.commands))
			rc = enrg_error_set(err, -ENOSPC, "too many tables of commands");
	}
	if (!rc)
		rc = supervisor_open_alarms(self, err);
	if (!rc)
		rc = runs_plain_begin(&self->runs, self->goes_on, err);
	return rc ? rc : watch(self, control_descriptor(&self->commands), OWN_CONTROL, err);
}

int supervisor_start(struct supervisor *self, struct enrg_error *err)
{
	char publish_url[RUNTIME_URL_BYTES], subscribe_url[RUNTIME_URL_BYTES];
	struct roster_params params;
	int rc = runtime_open(
		self->folder->supervisor.info.supervisor_id, self->params->config_path, &self->runtime, err);

	if (!rc)
		run_parts_restore(&self->folder, self->types, &self->runtime);
	if (!rc)
		job_add_restore(&self->folder, self->types, &self->runtime);
	if (!self->params->is_quiet)
		run_log_follow(&self->folder->supervisor, &self->runtime);
	if (!rc)
		rc = open_loop(self, err);
	if (!rc)
		rc = prepare(self, err);
	if (!rc) {
		runtime_format_bus(&self->runtime, publish_url, subscribe_url);
		rc = control_plane_start(
			publish_url, subscribe_url, self->folder->supervisor.info.supervisor_id, &self->control, err);
	}
	if (!rc) {
		control_plane_keep_alerts(&self->control, self->runtime.folder);
		rc = watch(self, bus_client_descriptor(self->control.client), OWN_BUS, err);
	}
	if (!rc && ledger_create(0, &self->ledger))
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc)
		return rc;
	removed_read(&self->runtime, self->ledger);
	self->ledger->losses = self->losses;
	self->losses = (struct losses){0};
	for (size_t i = 0; i < self->specs->count; i++)
		if (self->specs->items[i].kept && self->specs->items[i].kept->earlier.runs[0] &&
			ledger_set_earlier(
				self->ledger, self->specs->items[i].plan->name, &self->specs->items[i].kept->earlier))
			return enrg_error_set(err, -ENOMEM, "out of memory");
	stream_specs_drop_kept(self->specs);
	rc = keeper_open(&self->keeper, &self->runtime, self->plans, err);
	if (rc)
		return rc;
	supervisor_look_after(self, true);
	params = (struct roster_params){
		.folder = self->folder, .plans = self->plans, .epoll = self->epoll, .lifeline = self->lifeline[0]};
	rc = roster_create(&params, &self->roster, err);
	return rc ? rc : open_commands(self, err);
}
