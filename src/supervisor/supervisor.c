/* supervisor.c: one run from configuration to ledger. Process: supervisor, main thread. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/version.h"
#include "supervisor/earlier/adopt.h"
#include "supervisor/control.h"
#include "supervisor/control_plane.h"
#include "supervisor/drain.h"
#include "supervisor/run_end.h"
#include "supervisor/earlier/inherit.h"
#include "supervisor/keeper.h"
#include "supervisor/ledger.h"
#include "supervisor/needs.h"
#include "supervisor/pace.h"
#include "supervisor/processors.h"
#include "supervisor/reconfigure.h"
#include "supervisor/roster.h"
#include "supervisor/run_log.h"
#include "supervisor/runs.h"
#include "supervisor/sample.h"
#include "supervisor/service.h"
#include "supervisor/signals.h"
#include "supervisor/status.h"
#include "supervisor/transition.h"
#include "supervisor/verdict.h"
#include "supervisor/earlier/streams.h"

#define SUMMARY_NS        10000000000ull
#define READY_PATIENCE_NS 30000000000ull
#define TICK_NS           1000000000ull
#define TELL_NS           10000000000ull /* figures that stand still are told again */
#define TRIM_JOBS         100u           /* whose figures are worth to give their memory back */
#define AWAY_NS           1500000000ull  /* so long without a look at the clock: this process did not run */

/* Lower half of epoll_data.u64 where the upper half is 0 (members have their enum roster_event there). */
enum own_event { OWN_SIGNAL = 1, OWN_TIMER, OWN_BUS, OWN_CONTROL };

/* The last figures that were told to whoever reads them. */
struct told {
	uint64_t at_ns;
	bool is_news; /* they were not those of the time before; so the next ones are wanted, too */
	enum drain_phase phase;
	uint64_t alerts, losses;
	uint64_t runs; /* when their state changed, and how many are closed */
};

struct supervisor {
	const struct supervisor_params *params;
	struct types *types;
	struct folder *folder;
	struct runtime runtime;
	struct plan_set *plans;
	struct stream_specs *specs;
	struct roster *roster;
	struct ledger *ledger;
	struct control_plane control;
	struct control commands;
	struct runs runs;
	struct transition transition;
	struct reconfigure reconfigure;
	struct keeper keeper;
	struct losses losses; /* found at the start, until there is a ledger */
	struct drain drain;
	struct signals signals;
	struct service service;
	int epoll, timer, lifeline[2];
	uint64_t started_ns, summary_ns;
	struct pace pace;
	struct told told;
	uint64_t looked_ns, away_ns;    /* last look at the clock; time in which this process did not run */
	struct clock_state clock_begin; /* when this process took the run over */
	bool has_begun;                 /* run.json says "running" */
	bool has_mail;                  /* more has come over the bus than a turn could take */
	bool is_status_lost;            /* and it has been said */
};

/* CLOCK_MONOTONIC without the time in which this process itself did not run: a virtual machine that stood still, a
 * container that was paused, SIGSTOP. The jobs did not run then either, and no patience may end by it. */
static uint64_t running_ns(struct supervisor *self)
{
	uint64_t now_ns = clock_mono_ns();

	if (self->looked_ns && now_ns - self->looked_ns > AWAY_NS)
		self->away_ns += now_ns - self->looked_ns - TICK_NS;
	self->looked_ns = now_ns;
	return now_ns - self->away_ns;
}

/* --- configuration --- */

static void warn_module(void *context, const char *sentence)
{
	(void)context;
	log_line(ENRG_WARNING, "%s", sentence);
}

static int load(struct supervisor *self)
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
	if (params->config_path)
		rc = folder_load_with(
			params->config_path, params->supervisor_file, self->types, &self->folder, &problems, &err);
	else
		rc = folder_load_texts(&(struct folder_texts){params->text_count, params->names, params->texts},
			self->types, &self->folder, &problems, &err);
	problems_print(&problems, stderr);
	if (rc)
		log_line(ENRG_ERROR, "%s", err.text);
	else if (problems.errors)
		log_line(ENRG_ERROR, "%zu problem(s) in the configuration: nothing was started", problems.errors);
	rc = rc || problems.errors ? SUPERVISOR_CONFIG : 0;
	problems_fini(&problems);
	return rc;
}

/* --- start --- */

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
static int prepare(struct supervisor *self, struct enrg_error *err)
{
	const struct supervisor_options *options = &self->folder->supervisor;
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
	if (!rc)
		rc = run_log_plan(&self->folder->supervisor, self->params->log_format, self->plans, err);
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
	if (!rc && options->runs.control)
		rc = runs_open(&self->runs, &self->runtime, options->info.supervisor_id, options->runs.deadline_seconds,
			goes_on, err);
	return rc ? rc : streams_create(self->specs, !self->params->checks_off, err);
}

/* Before figures are read there, and before a job is started that needs what lies there. */
static void look_after(struct supervisor *self, bool is_whole)
{
	keeper_look(&self->keeper, &self->control, &self->ledger->losses, is_whole);
}

static uint64_t clock_of(void *context)
{
	return running_ns(context);
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
		.context = self};
	return reconfigure_open(&self->reconfigure, self->commands.commands)
		       ? enrg_error_set(err, -ENOSPC, "too many tables of commands")
		       : 0;
}

static void hear(void *context, const struct envelope *envelope)
{
	control_hear(context, envelope);
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

	self->control.hear = hear;
	self->control.hear_context = &self->commands;
	runs_attach(&self->runs, self->roster, self->commands.commands);
	if (!rc && runs_add_commands(&self->runs) < 0)
		rc = enrg_error_set(err, -ENOSPC, "too many kinds of commands");
	if (!rc)
		rc = open_changes(self, err);
	return rc ? rc : watch(self, control_descriptor(&self->commands), OWN_CONTROL, err);
}

static int start(struct supervisor *self, struct enrg_error *err)
{
	char publish_url[RUNTIME_URL_BYTES], subscribe_url[RUNTIME_URL_BYTES];
	struct roster_params params;
	int rc = runtime_open(
		self->folder->supervisor.info.supervisor_id, self->params->config_path, &self->runtime, err);

	if (!self->params->is_quiet)
		run_log_find(&self->folder->supervisor, self->runtime.log_path, sizeof(self->runtime.log_path));
	if (!rc)
		rc = open_loop(self, err);
	if (!rc)
		rc = prepare(self, err);
	if (!rc) {
		runtime_format_bus(&self->runtime, publish_url, subscribe_url);
		rc = control_plane_start(
			publish_url, subscribe_url, self->folder->supervisor.info.supervisor_id, &self->control, err);
	}
	if (!rc)
		rc = watch(self, bus_client_descriptor(self->control.client), OWN_BUS, err);
	if (!rc && ledger_create(0, &self->ledger))
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc)
		return rc;
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
	look_after(self, true);
	params = (struct roster_params){
		.folder = self->folder, .plans = self->plans, .epoll = self->epoll, .lifeline = self->lifeline[0]};
	rc = roster_create(&params, &self->roster, err);
	return rc ? rc : open_commands(self, err);
}

/* --- once a second --- */

/* true: something has changed since the figures were told last. */
static bool take_samples(struct supervisor *self, bool is_final)
{
	bool is_news = sample_take(self->roster, clock_mono_ns());

	is_news |= sample_ledger(self->roster, self->ledger, is_final);
	return is_news || self->told.phase != self->drain.phase || self->told.alerts != self->control.alert_count ||
	       self->told.losses != losses_sum(&self->ledger->losses) ||
	       self->told.runs != self->runs.since_wall_ns + self->runs.closed_count || self->runs.waits_for[0];
}

static json_t *make_status(const struct supervisor *self, double interval_s, bool is_final)
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
	return status;
}

static void write_status(struct supervisor *self, const json_t *status)
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

static uint64_t thread_cpu_ns(void)
{
	struct timespec time = {0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void tell_status(struct supervisor *self, const json_t *status, uint64_t now_ns)
{
	char summary[256];

	write_status(self, status);
	control_plane_publish(&self->control, status);
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

/* All jobs' figures, to whoever reads them, and their signs of life. */
static void look_at_jobs(struct supervisor *self, uint64_t now_ns)
{
	bool is_news = take_samples(self, false);

	if (is_telling_due(self, is_news, now_ns)) {
		double interval_s = pace_seconds(&self->pace), most_s = (double)TELL_NS / 1e9;
		json_t *status = make_status(self, is_news || interval_s > most_s ? interval_s : most_s, false);

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

static void tick(struct supervisor *self, uint64_t now_ns)
{
	bool is_starting = !roster_is_up(self->roster, now_ns);
	uint64_t began_ns;

	self->has_mail = control_plane_collect(&self->control);
	look_after(self, false);
	control_look(&self->commands);
	if (!pace_is_due(&self->pace, now_ns, (int)self->drain.phase, is_starting))
		return;
	began_ns = thread_cpu_ns();
	look_at_jobs(self, now_ns);
	pace_note(&self->pace, now_ns, (int)self->drain.phase, thread_cpu_ns() - began_ns, self->roster->watchdog_ns);
}

/* --- loop --- */

/* The run ends first: sources that hear of the stop end it themselves. */
static void begin_drain(struct supervisor *self, uint64_t now_ns)
{
	runs_begin_stop(&self->runs);
	drain_begin(&self->drain, self->roster, now_ns);
}

static void handle_signals(struct supervisor *self, uint64_t now_ns)
{
	struct signals_words words = signals_read(&self->signals, clock_mono_ns());

	if (words.is_hangup && !self->params->is_quiet) {
		service_begin_reload(&self->service);
		run_log_reload(self->folder, self->params->supervisor_file, self->roster);
		service_end_reload(&self->service);
	}
	if (words.is_end && !self->params->is_quiet)
		log_line(ENRG_INFO, "stopping: sources first, then processors and stores (once more: fast stop)");
	if (words.is_end)
		begin_drain(self, now_ns);
	if (words.is_fast)
		drain_hurry(&self->drain, self->roster, now_ns);
}

/* What the command `stop` has asked for. */
static void handle_stop(struct supervisor *self, uint64_t now_ns)
{
	if (self->commands.is_stop_asked)
		begin_drain(self, now_ns);
	if (self->commands.is_fast_asked)
		drain_hurry(&self->drain, self->roster, now_ns);
	self->commands.is_stop_asked = self->commands.is_fast_asked = false;
}

static void handle_own(struct supervisor *self, enum own_event event, uint64_t now_ns)
{
	uint64_t expirations;

	if (event == OWN_BUS)
		self->has_mail = control_plane_collect(&self->control);
	else if (event == OWN_CONTROL)
		control_take(&self->commands);
	else if (event == OWN_TIMER && read(self->timer, &expirations, sizeof(expirations)) > 0)
		tick(self, now_ns);
}

static uint64_t duration_end(const struct supervisor *self)
{
	uint64_t begin_ns = self->roster->first_ready_ns;

	if (!self->params->duration_ns)
		return UINT64_MAX;
	/* Sources that never get ready must not make a limited run endless. */
	return (begin_ns ? begin_ns : self->started_ns + READY_PATIENCE_NS) + self->params->duration_ns;
}

static void step(struct supervisor *self, uint64_t now_ns)
{
	if (self->drain.phase == DRAIN_NONE && roster_is_exhausted(self->roster)) {
		if (!self->params->is_quiet)
			log_line(ENRG_INFO, "no source will produce any more: the run ends");
		begin_drain(self, now_ns);
	}
	if (self->drain.phase == DRAIN_NONE && now_ns >= duration_end(self))
		begin_drain(self, now_ns);
	if (self->drain.phase != DRAIN_NONE)
		runs_begin_stop(&self->runs);
	if (self->drain.phase != DRAIN_NONE)
		transition_stop(&self->transition);
	if (transition_step(&self->transition, now_ns))
		look_at_jobs(self, now_ns); /* who asked for it looks next */
	drain_step(&self->drain, self->roster, now_ns);
	runs_step(&self->runs, now_ns);
	if (roster_next_due(self->roster) <= now_ns)
		look_after(self, true);
	roster_start_due(self->roster, now_ns);
}

static int timeout_ms(const struct supervisor *self, uint64_t now_ns)
{
	uint64_t due = roster_next_due(self->roster), other = drain_next_due(&self->drain, now_ns);

	due = other < due ? other : due;
	other = self->drain.phase == DRAIN_NONE ? duration_end(self) : UINT64_MAX;
	due = other < due ? other : due;
	other = runs_next_due(&self->runs);
	due = other < due ? other : due;
	other = transition_next_due(&self->transition, now_ns);
	due = other < due ? other : due;
	other = service_next_beat(&self->service, clock_mono_ns());
	due = other != UINT64_MAX && now_ns + other < due ? now_ns + other : due;
	other = control_next_due(&self->commands); /* a clock that this process's pauses do not stop */
	due = other != UINT64_MAX && other - self->away_ns < due ? other - self->away_ns : due;
	if (self->has_mail)
		return 0;
	if (due == UINT64_MAX)
		return -1;
	return due <= now_ns ? 0 : (int)((due - now_ns) / 1000000 < 1000 ? (due - now_ns) / 1000000 + 1 : 1000);
}

static void handle_event(struct supervisor *self, const struct epoll_event *event, uint64_t now_ns)
{
	uint32_t kind = (uint32_t)(event->data.u64 >> 32), id = (uint32_t)event->data.u64;
	struct member *member;

	if (!kind) {
		handle_own(self, (enum own_event)id, now_ns);
		return;
	}
	roster_handle(self->roster, (enum roster_event)kind, id, now_ns);
	member = roster_find_id(self->roster, id);
	if (kind == ROSTER_END && member && !member_is_alive(member))
		control_plane_tell_end(&self->control, member);
}

static void end_runs(void *context)
{
	runs_end_streams(context);
}

static void run_loop(struct supervisor *self)
{
	struct epoll_event events[32];

	self->drain.on_sources_gone = end_runs;
	self->drain.context = &self->runs;
	self->started_ns = self->summary_ns = running_ns(self);
	roster_start_due(self->roster, self->started_ns);
	while (self->drain.phase != DRAIN_ENDED) {
		int count = epoll_wait(
			self->epoll, events, sizeof(events) / sizeof(events[0]), timeout_ms(self, running_ns(self)));
		uint64_t now_ns = running_ns(self);

		/* First: a job that ended since everybody was signalled is not to be started again. */
		handle_signals(self, now_ns);
		for (int i = 0; i < count; i++)
			handle_event(self, &events[i], now_ns);
		if (self->has_mail)
			self->has_mail = control_plane_collect(&self->control);
		handle_stop(self, now_ns);
		control_step(&self->commands, clock_mono_ns());
		step(self, now_ns);
		service_step(&self->service, clock_mono_ns(), roster_is_up(self->roster, now_ns),
			self->drain.phase != DRAIN_NONE);
	}
}

/* --- end --- */

static void print_ledger(const struct supervisor *self)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return;
	fprintf(stream, "run %s of %s:\n", self->runtime.run, self->folder->supervisor.info.supervisor_id);
	ledger_print(self->ledger, log_is_colored(1), stream);
	if (!fclose(stream))
		log_print(text);
	free(text);
}

static void roll_processors_forward(const struct roster *roster)
{
	struct plan_set plans = {.plans = calloc(roster->count + 1, sizeof(*plans.plans))};

	for (; plans.plans && plans.count < roster->count; plans.count++)
		plans.plans[plans.count] = roster->members[plans.count]->plan;
	processors_roll_forward(&plans);
	free(plans.plans);
}

static int finish(struct supervisor *self)
{
	struct enrg_error err = {0};
	int exit_code = SUPERVISOR_OK;
	bool is_failing;
	json_t *status;
	size_t left;

	control_plane_collect(&self->control);
	look_after(self, true);
	roll_processors_forward(self->roster);
	take_samples(self, true);
	status = make_status(self, 0, true);
	bool are_runs_accounted = runs_finish(&self->runs, status ? json_object_get(status, "ledger") : NULL);
	is_failing = verdict_is_any_failing(self->roster);
	verdict_tell_missed_ticks(self->roster);
	if (!verdict_is_clean(self->roster) || !ledger_is_settled(self->ledger) || !are_runs_accounted ||
		(self->drain.was_killed && !self->drain.is_hurried) || is_failing)
		exit_code = SUPERVISOR_TROUBLE;
	if (verdict_is_any_given_up(self->roster))
		exit_code = SUPERVISOR_CONFIG;
	if (status) {
		json_object_set_new(status, "exit_code", json_integer(exit_code));
		write_status(self, status);
		control_plane_publish(&self->control, status);
		json_t *ledger = json_object_get(status, "ledger");
		const struct clock_state clock = clock_state_read();
		json_object_set_new(ledger, "ended", json_string(drain_outcome(&self->drain)));
		json_object_set_new(ledger, "clock", clock_state_format_pair(&self->clock_begin, &clock));
		run_end_write_ledger(&self->runtime, self->roster, ledger);
		if (self->params->on_status)
			self->params->on_status(self->params->context, status, true);
		json_decref(status);
	}
	if (!self->params->is_quiet) {
		print_ledger(self);
	}
	left = run_end_clean(&self->runtime, self->roster);
	keeper_rescue(&self->keeper);
	if (left)
		log_line(ENRG_WARNING,
			"%zu stream(s) in %s hold batches that are not stored: the next `enrgdaq run` of "
			"this configuration stores them",
			left, self->runtime.folder);
	if (runtime_end_run(&self->runtime, !left, exit_code, &err))
		log_line(ENRG_WARNING, "run.json: %s", err.text);
	return exit_code;
}

static void close_descriptor(int descriptor)
{
	if (descriptor >= 0)
		close(descriptor);
}

static void remove_sockets(const struct supervisor *self)
{
	char publish_url[RUNTIME_URL_BYTES], subscribe_url[RUNTIME_URL_BYTES];

	if (!self->has_begun) /* they may be those of the instance that runs */
		return;
	runtime_format_bus(&self->runtime, publish_url, subscribe_url);
	unlink(publish_url + strlen("ipc://"));
	unlink(subscribe_url + strlen("ipc://"));
	for (size_t i = 0; self->roster && i < self->roster->count; i++)
		if (self->roster->members[i]->plan->link_url)
			unlink(self->roster->members[i]->plan->link_url + strlen("ipc://"));
}

static void fini(struct supervisor *self)
{
	runs_close(&self->runs);
	transition_fini(&self->transition);
	control_close(&self->commands);
	control_plane_stop(&self->control);
	remove_sockets(self);
	keeper_close(&self->keeper);
	roster_destroy(self->roster);
	ledger_destroy(self->ledger);
	losses_fini(&self->losses);
	close_descriptor(self->lifeline[1]);
	close_descriptor(self->lifeline[0]);
	close_descriptor(self->timer);
	close_descriptor(self->epoll);
	stream_specs_destroy(self->specs);
	plan_set_destroy(self->plans);
	runtime_close(&self->runtime);
	if (self->folder)
		folder_free(self->folder);
	if (self->types)
		types_free(self->types);
}

int supervisor_run(const struct supervisor_params *params)
{
	struct supervisor self = {.params = params,
		.epoll = -1,
		.timer = -1,
		.lifeline = {-1, -1},
		.runtime.lock = -1,
		.runtime.claim = -1};
	struct enrg_error err = {0};
	int rc = signals_open(&self.signals); /* before the broker's thread, which inherits it */

	needs_raise_limits(); /* before the broker, and for the jobs */
	log_init("supervisor", params->is_quiet ? ENRG_WARNING : ENRG_INFO);
	log_start();
	service_open(&self.service);
	if (rc) {
		log_line(ENRG_ERROR, "signals can't be read: %s", strerror(-rc));
		log_stop();
		return SUPERVISOR_TROUBLE;
	}
	rc = load(&self);
	if (!rc) {
		if (!params->is_quiet)
			log_set_level((enum enrg_level)self.folder->supervisor.verbosity);
		self.drain.limit_ns = (uint64_t)(self.folder->supervisor.stop_timeout_seconds * 1e9);
		if (!params->is_quiet)
			rc = run_log_open(&self.folder->supervisor, params->log_format, &err);
		if (!rc)
			rc = start(&self, &err);
		if (rc) {
			log_line(ENRG_ERROR, "%s", err.text);
			if (self.has_begun && !streams_remove_settled(self.specs))
				runtime_end_run(&self.runtime, true, SUPERVISOR_TROUBLE, NULL);
			rc = rc == ENRG_E_VERSION ? SUPERVISOR_CONFIG : SUPERVISOR_TROUBLE;
		} else {
			if (!params->is_quiet)
				log_line(ENRG_INFO, "run %s of %s: %zu jobs", self.runtime.run,
					self.folder->supervisor.info.supervisor_id, self.roster->count);
			run_loop(&self);
			rc = finish(&self);
		}
	}
	fini(&self);
	log_stop();
	service_close(&self.service);
	signals_close(&self.signals);
	return rc;
}
