/* healthcheck.c: DAQJobHealthcheck: raises an alert where a rule of its file begins to hold for a job, and another when
 * that is over. A service: it looks whenever the supervisor says how all jobs are, on its main thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enrgdaq/job.h"
#include "enrgdaq/message.h"
#include "record.h"
#include "rules.h"
#include "sample.h"
#include "state/state.h"
#include "watch.h"

#define HEARD_NS 5000000000ull /* an alert that has not come back by then went out nevertheless */
#define REPEATED " [this may be a repetition: the service was killed while it said it]"

struct healthcheck {
	struct enrg_job *job;
	const struct rules *rules;
	struct watch *watches;
	struct state state;
	struct record *record; /* of an earlier process; NULL: none */
	char run[100];
	bool is_state_told, is_foreign_told, is_changed;
};

static uint64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- what outlives a kill ---------------------------------------------------------------------------------------- */

static void save(struct healthcheck *self)
{
	struct enrg_error err = {0};
	char *text = self->state.folder ? record_format(self->watches, self->run) : NULL;

	self->is_changed = false;
	if (!text)
		return;
	int rc = state_replace(&self->state, text, strlen(text), &err);
	if (rc && !self->is_state_told)
		enrg_job_alert(self->job, ENRG_WARNING,
			"%s: should this job be killed, alerts may come twice or not at all; repair it, or set "
			"state_file",
			err.text);
	self->is_state_told = rc != 0;
	free(text);
}

static int load(struct healthcheck *self, struct enrg_error *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t count;
	struct enrg_error why = {0};

	state_format_path(self->job, self->rules->state_file, "health", path);
	int rc = state_open(&self->state, path, &why);
	if (rc == -EBUSY)
		return enrg_error_set(err, rc, "%s", why.text);
	if (!rc)
		rc = state_read(&self->state, &text, &count, &why);
	self->record = record_parse(text);
	if (!rc && text && !self->record)
		enrg_job_log(self->job, ENRG_WARNING, "%s can't be read and is begun anew", path);
	if (rc)
		enrg_job_alert(self->job, ENRG_WARNING,
			"%s: should this job be killed, alerts may come twice or not at all; repair it, or set "
			"state_file",
			why.text);
	free(text);
	return 0;
}

/* --- what is said ------------------------------------------------------------------------------------------------ */

/* It stands in the file before it is said, and until it has come back from the bus. */
static void say_due(struct healthcheck *self, uint64_t now_ns)
{
	if (self->is_changed)
		save(self);
	for (struct watch *watch = self->watches; watch; watch = watch->next) {
		if (!watch->word)
			continue;
		if (!watch->said_ns) {
			watch->said_ns = now_ns;
			enrg_job_alert(self->job, watch->severity, "%s", watch->word);
		} else if (now_ns - watch->said_ns > HEARD_NS) {
			free(watch->word);
			watch->word = NULL;
			self->is_changed = true;
		}
	}
}

static int hear_alert(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err)
{
	struct healthcheck *self = state;

	(void)err;
	if (strcmp(alert->sender.job, enrg_job_name(job)) != 0)
		return 0;
	for (struct watch *watch = self->watches; watch; watch = watch->next) {
		if (!watch->word || !watch->said_ns || strcmp(watch->word, alert->message) != 0)
			continue;
		free(watch->word);
		watch->word = NULL;
		self->is_changed = true;
		break;
	}
	if (self->is_changed)
		save(self);
	return 0;
}

static void note(struct healthcheck *self, struct watch *watch, uint64_t now_ns)
{
	const struct rule_word *word = watch->is_active ? &watch->rule->alert : &watch->rule->alive;

	free(watch->word);
	watch->word = watch_describe(watch, now_ns);
	watch->severity = (enum enrg_level)word->severity;
	watch->said_ns = 0;
	self->is_changed = true;
}

/* --- what is watched --------------------------------------------------------------------------------------------- */

/* One that an earlier process may have said already says so. */
static void mark_repetition(struct watch *watch)
{
	char *word = NULL;

	if (!watch->word || strstr(watch->word, REPEATED) || asprintf(&word, "%s%s", watch->word, REPEATED) < 0)
		return;
	free(watch->word);
	watch->word = word;
}

static struct watch *find_watch(struct healthcheck *self, const struct rule *rule, const char *job, uint64_t now_ns)
{
	struct watch *watch = self->watches;

	for (; watch; watch = watch->next)
		if (watch->rule == rule && !strcmp(watch->job, job))
			return watch;
	watch = watch_create(rule, job, now_ns);
	if (!watch)
		return NULL;
	record_restore(self->record, watch, self->run, now_ns);
	mark_repetition(watch);
	watch->next = self->watches;
	self->watches = watch;
	return watch;
}

static void look_at(struct healthcheck *self, const struct rule *rule, const struct sample_job *job, uint64_t now_ns)
{
	struct watch *watch = find_watch(self, rule, job->name, now_ns);

	if (!watch)
		return;
	uint64_t before = watch->count;
	watch->is_seen = true;
	if (watch_look(watch, job->counts[rule->figure], job->is_at_rest, now_ns) != WATCH_SAME)
		note(self, watch, now_ns);
	/* the next process sees by it what happened while none was there */
	if (rule->figure == RULE_RESTARTS && watch->count != before)
		self->is_changed = true;
}

static void look_for_rule(
	struct healthcheck *self, const struct rule *rule, const struct sample *sample, uint64_t now_ns)
{
	const struct sample_job nobody = {.name = ""};
	size_t found = 0;

	for (size_t i = 0; i < sample->count; i++) {
		if (rule->daq_job_type && strcmp(sample->jobs[i].type, rule->daq_job_type) != 0)
			continue;
		look_at(self, rule, &sample->jobs[i], now_ns);
		found++;
	}
	if (!found && rule->daq_job_type)
		look_at(self, rule, &nobody, now_ns);
}

/* Those of jobs that are gone: what was there of them is over with them. */
static void drop_unseen(struct healthcheck *self, uint64_t now_ns)
{
	for (struct watch **at = &self->watches; *at;) {
		struct watch *watch = *at;
		bool is_seen = watch->is_seen;
		watch->is_seen = false;
		if (!is_seen && watch->is_active) {
			watch->is_active = false;
			note(self, watch, now_ns);
		}
		if (is_seen || watch->word) {
			at = &watch->next;
			continue;
		}
		*at = watch->next;
		watch_destroy(watch);
	}
}

static void look(struct healthcheck *self, const struct sample *sample)
{
	const struct rule *rules = self->rules->healthcheck_stats.items;
	uint64_t now_ns = now();

	if (!sample->is_running) /* who starts or ends is silent with good reason */
		return;
	if (strcmp(self->run, sample->run) != 0) {
		snprintf(self->run, sizeof(self->run), "%s", sample->run);
		for (struct watch *watch = self->watches; watch; watch = watch->next)
			watch_begin_run(watch, now_ns);
		self->is_changed = true;
	}
	for (size_t i = 0; i < self->rules->healthcheck_stats.count; i++)
		look_for_rule(self, &rules[i], sample, now_ns);
	if (self->rules->enable_alerts_on_restart)
		look_for_rule(self, &rules_of_restarts, sample, now_ns);
	drop_unseen(self, now_ns);
	say_due(self, now_ns);
}

static int hear_message(struct enrg_job *job, void *state, const struct enrg_message *message, struct enrg_error *err)
{
	struct healthcheck *self = state;
	struct sample sample;

	(void)err;
	if (strcmp(message->kind, "combined_stats") != 0 ||
		strcmp(message->sender.supervisor, enrg_job_supervisor(job)) != 0)
		return 0;
	int rc = sample_parse(message->json, &sample);
	if (rc && !self->is_foreign_told) {
		self->is_foreign_told = true;
		enrg_job_log(job, ENRG_WARNING, "what the supervisor says of its jobs can't be read: %s",
			enrg_error_name(rc));
	}
	if (rc)
		return 0;
	look(self, &sample);
	sample_fini(&sample);
	return 0;
}

/* --- the job ----------------------------------------------------------------------------------------------------- */

static void healthcheck_destroy(void *state)
{
	struct healthcheck *self = state;

	if (!self)
		return;
	while (self->watches) {
		struct watch *watch = self->watches;
		self->watches = watch->next;
		watch_destroy(watch);
	}
	record_destroy(self->record);
	state_close(&self->state);
	free(self);
}

static int healthcheck_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct healthcheck *self = calloc(1, sizeof(*self));
	char topic[300];

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->job = job;
	self->rules = options;
	int rc = load(self, err);
	snprintf(topic, sizeof(topic), "stats.combined.supervisor.%s", enrg_job_supervisor(job));
	if (!rc)
		rc = enrg_job_subscribe(job, topic, err);
	if (rc) {
		healthcheck_destroy(self);
		return rc;
	}
	*ret_state = self;
	return 0;
}

static const char *const healthcheck_old_names[] = {"healthcheck", NULL};

static const struct enrg_job_type healthcheck_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobHealthcheck",
	.old_names = healthcheck_old_names,
	.summary = "Raises alerts where jobs fall silent, fall behind or are restarted, and when that is over.",
	.options = {.size = sizeof(struct rules), .options = rules_option_list},
	.start = healthcheck_start,
	.destroy = healthcheck_destroy,
	.check = rules_check,
	.on_alert = hear_alert,
	.on_message = hear_message,
};

static const struct enrg_job_type *const healthcheck_jobs[] = {&healthcheck_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "healthcheck", .jobs = healthcheck_jobs};
