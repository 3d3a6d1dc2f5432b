/* supervisor.c: one run from configuration to ledger. Process: supervisor, main thread. */
#include "supervisor/supervisor.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/needs.h"
#include "supervisor/run_log.h"
#include "supervisor/runs_plain.h"
#include "supervisor/supervisor_state.h"

#define READY_PATIENCE_NS 30000000000ull
#define WEB_PATIENCE_NS   2000000000ull /* answers that are under way */

/* --- once a second --- */

static uint64_t thread_cpu_ns(void)
{
	struct timespec time = {0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void tick(struct supervisor *self, uint64_t now_ns)
{
	bool is_starting = !roster_is_up(self->roster, now_ns);
	uint64_t began_ns;

	self->has_mail = control_plane_collect(&self->control);
	supervisor_look_after(self, false);
	control_look(&self->commands);
	if (!pace_is_due(&self->pace, now_ns, (int)self->drain.phase, is_starting))
		return;
	began_ns = thread_cpu_ns();
	supervisor_look_at_jobs(self, now_ns);
	pace_note(&self->pace, now_ns, (int)self->drain.phase, thread_cpu_ns() - began_ns, self->roster->watchdog_ns);
}

/* --- loop --- */

/* The run ends first: sources that hear of the stop end it themselves. */
static void begin_drain(struct supervisor *self, uint64_t now_ns, const char *why)
{
	runs_begin_stop(&self->runs, why);
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
	if (words.is_end || words.is_fast)
		renewal_cancel(&self->renewal);
	if (words.is_end)
		begin_drain(self, now_ns, "the supervisor was stopped by a signal");
	if (words.is_fast)
		drain_hurry(&self->drain, self->roster, now_ns);
}

/* What the commands `stop` and `restart` have asked for. */
static void handle_stop(struct supervisor *self, uint64_t now_ns)
{
	if (self->commands.is_stop_asked || self->commands.is_fast_asked)
		renewal_cancel(&self->renewal);
	if (self->renewal.is_asked && self->drain.phase == DRAIN_NONE) {
		log_line(ENRG_INFO, "the system stops in order, and starts again in this process");
		begin_drain(self, now_ns, "the system was started again by command");
	}
	if (self->commands.is_stop_asked)
		begin_drain(self, now_ns, "the supervisor was stopped by command");
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

	if (!self->duration_ns)
		return UINT64_MAX;
	/* Sources that never get ready must not make a limited run endless. */
	return (begin_ns ? begin_ns : self->started_ns + READY_PATIENCE_NS) + self->duration_ns;
}

static void step(struct supervisor *self, uint64_t now_ns)
{
	if (self->drain.phase == DRAIN_NONE && roster_is_exhausted(self->roster)) {
		if (!self->params->is_quiet)
			log_line(ENRG_INFO, "no source will produce any more: the run ends");
		begin_drain(self, now_ns, "no source will produce any more");
	}
	if (self->drain.phase == DRAIN_NONE && now_ns >= duration_end(self))
		begin_drain(self, now_ns, "its duration is over");
	if (self->drain.phase != DRAIN_NONE)
		runs_begin_stop(&self->runs, "the supervisor was stopped"); /* a fast stop */
	if (self->drain.phase != DRAIN_NONE)
		transition_stop(&self->transition);
	if (transition_step(&self->transition, now_ns))
		supervisor_look_at_jobs(self, now_ns); /* who asked for it looks next */
	jobs_step(&self->jobs);
	drain_step(&self->drain, self->roster, now_ns);
	runs_step(&self->runs, now_ns);
	runs_plain_step(&self->runs, roster_is_up(self->roster, now_ns), self->drain.phase != DRAIN_NONE);
	book_step(&self->book, clock_mono_ns());
	web_link_step(*self->web, now_ns);
	if (roster_next_due(self->roster) <= now_ns)
		supervisor_look_after(self, true);
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
	other = web_link_next_due(*self->web);
	due = other < due ? other : due;
	other = control_next_due(&self->commands); /* a clock that this process's pauses do not stop */
	due = other != UINT64_MAX && other - self->away_ns < due ? other - self->away_ns : due;
	other = book_next_due(&self->book); /* likewise */
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
	if (kind == ROSTER_END && member && !member_is_alive(member)) {
		control_plane_tell_end(&self->control, member);
		runs_note_end(&self->runs, member);
	}
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
	self->started_ns = self->summary_ns = supervisor_running_ns(self);
	/* by this clock, which is behind the machine's by the time that a restart took */
	self->roster->started_ns = self->started_ns;
	roster_start_due(self->roster, self->started_ns);
	while (self->drain.phase != DRAIN_ENDED) {
		int count = epoll_wait(self->epoll, events, sizeof(events) / sizeof(events[0]),
			timeout_ms(self, supervisor_running_ns(self)));
		uint64_t now_ns = supervisor_running_ns(self);

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
			self->drain.phase != DRAIN_NONE && !self->renewal.is_asked);
	}
}

/* --- end --- */

static void tell_begin(const struct supervisor *self)
{
	const struct account *account = self->runs.is_on ? NULL : self->runs.account;
	char number[32] = "";

	if (account && account->number)
		snprintf(number, sizeof(number), "%llu, ", (unsigned long long)account->number);
	log_line(ENRG_INFO, "run %s%s of %s: %zu jobs", number, self->runtime.run,
		self->folder->supervisor.info.supervisor_id, self->roster->count);
}

/* From configuration to ledger. */
static int run_once(struct supervisor *self)
{
	const struct supervisor_params *params = self->params;
	struct enrg_error err = {0};
	int rc = supervisor_load(self);

	if (rc)
		return rc;
	if (!params->is_quiet)
		log_set_level((enum enrg_level)self->folder->supervisor.verbosity);
	self->drain.limit_ns = (uint64_t)(self->folder->supervisor.stop_timeout_seconds * 1e9);
	if (!params->is_quiet)
		rc = run_log_open(&self->folder->supervisor, params->log_format, &err);
	if (!rc)
		rc = supervisor_start(self, &err);
	if (rc) {
		log_line(ENRG_ERROR, "%s", err.text);
		if (self->has_begun && !streams_remove_settled(self->specs))
			runtime_end_run(&self->runtime, true, SUPERVISOR_TROUBLE, NULL);
		return rc == ENRG_E_VERSION ? SUPERVISOR_CONFIG : SUPERVISOR_TROUBLE;
	}
	if (!params->is_quiet)
		tell_begin(self);
	supervisor_open_web(self);
	run_loop(self);
	return supervisor_finish(self);
}

static uint64_t duration_left(const struct supervisor *self)
{
	uint64_t end_ns = duration_end(self), now_ns = clock_mono_ns() - self->away_ns;

	if (end_ns == UINT64_MAX)
		return 0;
	return end_ns > now_ns ? end_ns - now_ns : 1;
}

/* The same system once more, where a command has asked for that. What is closed by supervisor_fini begins anew. */
static bool begin_again(struct supervisor *self)
{
	struct supervisor next = {.params = self->params,
		.web = self->web,
		.signals = self->signals,
		.service = self->service,
		.sources = self->renewal.sources,
		.looked_ns = self->looked_ns,
		.away_ns = self->away_ns,
		.epoll = -1,
		.timer = -1,
		.lifeline = {-1, -1},
		.runtime.lock = -1,
		.runtime.claim = -1};
	bool is_again = self->renewal.is_asked;

	if (is_again)
		next.duration_ns = duration_left(self);
	web_link_detach(*self->web);
	supervisor_fini(self);
	if (is_again)
		*self = next;
	else
		sources_fini(&next.sources);
	return is_again;
}

int supervisor_run(const struct supervisor_params *params)
{
	struct web_link *web = NULL;
	struct supervisor self = {.params = params,
		.web = &web,
		.duration_ns = params->duration_ns,
		.epoll = -1,
		.timer = -1,
		.lifeline = {-1, -1},
		.runtime.lock = -1,
		.runtime.claim = -1};
	int rc = signals_open(&self.signals), code, worst = SUPERVISOR_OK; /* before the broker's thread, which
									      inherits it */

	needs_raise_limits(); /* before the broker, and for the jobs */
	log_init("supervisor", params->is_quiet ? ENRG_WARNING : ENRG_INFO);
	log_start();
	service_open(&self.service);
	if (rc) {
		log_line(ENRG_ERROR, "signals can't be read: %s", strerror(-rc));
		log_stop();
		return SUPERVISOR_TROUBLE;
	}
	do {
		code = run_once(&self);
		worst = code == SUPERVISOR_TROUBLE ? code : worst;
	} while (begin_again(&self));
	web_link_close(web, WEB_PATIENCE_NS);
	log_stop();
	service_close(&self.service);
	signals_close(&self.signals);
	return code ? code : worst;
}
