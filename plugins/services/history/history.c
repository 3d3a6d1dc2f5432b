/* history.c: DAQJobHistory: records statistics and slowly changing columns, each second for two days, each minute for a
 * year. An observer: it reads what the supervisor says of all jobs, and looks at streams; nobody waits for it. Main
 * thread of its own process. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "enrgdaq/job.h"
#include "feed.h"
#include "job_figures.h"
#include "place.h"
#include "recorder.h"

#define NS_PER_S    1000000000ull
#define LOOK_NS     (NS_PER_S / 4)
#define SOURCES_S   2u  /* from one look for sources to the next */
#define SYNC_S      10u /* from one sync to the next */
#define OPEN_S      10u /* where the folder can't be used: from one try to the next */
#define TELL_S      86400u
#define STATUS_OLD  5.0 /* seconds: then the supervisor stands still, and what it said is not known any more */
#define BYTES_IN_MB 1000000u

struct history_options {
	const char *folder;
	int64_t history_mb;
	double min_free_gb, slow_hz;
	struct enrg_string_list columns_of, exclude;
};

struct history {
	struct enrg_job *job;
	const struct history_options *options;
	struct feed_rules rules;
	struct place place;
	struct enrg_client *client; /* NULL: not there yet */
	struct recorder *recorder;  /* NULL: the folder can't be used now */
	struct job_figures figures;
	struct feed **feeds;
	uint32_t feed_count;
	uint64_t second;            /* wall clock */
	uint64_t turned, next_open; /* seconds that this process has seen */
	uint64_t fault_second;      /* since when nothing is recorded; 0: it is */
	uint64_t told_early;        /* when it was said that files go before their time */
	bool is_full_told;          /* that there is no room for another series */
};

static const struct enrg_option history_options[] = {
	{.key = "folder",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct history_options, folder),
		.default_value = "\"out/history\"",
		.help = "Where the history lies; each recorder needs a folder of its own."},
	{.key = "history_mb",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct history_options, history_mb),
		.default_value = "2000",
		.min = 10,
		.max = 1e9,
		.unit = "MB",
		.help = "It never takes more: where two days and a year don't fit, the oldest goes before."},
	{.key = "min_free_gb",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct history_options, min_free_gb),
		.default_value = "0.5",
		.min = 0,
		.max = 1e9,
		.unit = "GB",
		.help = "Nothing is recorded while less is free on the disk (at most a tenth of it), so that the data "
			"have "
			"it; 0 = never."},
	{.key = "slow_hz",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct history_options, slow_hz),
		.default_value = "2.0",
		.min = 0,
		.max = 1000,
		.unit = "Hz",
		.help = "Tables of which at most so many rows come in a second are recorded; 0 = none."},
	{.key = "columns_of",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = offsetof(struct history_options, columns_of),
		.default_value = "[]",
		.help = "Sources whose tables are recorded however often their rows come (names or patterns)."},
	{.key = "exclude",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = offsetof(struct history_options, exclude),
		.default_value = "[]",
		.help = "Patterns of series that are not recorded: \"*/latency_*\"."},
	{.key = NULL},
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

/* Said once, until it is over. */
static void note_fault(struct history *self, const struct enrg_error *err)
{
	char reason[300];

	snprintf(reason, sizeof(reason), "nothing is recorded: %.250s", err->text);
	enrg_job_set_waiting(self->job, reason);
	if (self->fault_second)
		return;
	self->fault_second = self->second ? self->second : 1;
	enrg_job_alert(self->job, ENRG_ERROR,
		"the history is not recorded: %s. Data and their stores are not touched by it; it goes on by itself "
		"when "
		"that is over",
		err->text);
}

static void note_success(struct history *self)
{
	if (!self->fault_second)
		return;
	enrg_job_set_waiting(self->job, NULL);
	enrg_job_alert(self->job, ENRG_INFO, "the history is recorded again; %" PRIu64 " s are missing",
		self->second > self->fault_second ? self->second - self->fault_second : 0);
	self->fault_second = 0;
}

static void format_hour(uint64_t time_ns, char ret_text[32])
{
	time_t time = (time_t)(time_ns / NS_PER_S);
	struct tm tm;

	if (!gmtime_r(&time, &tm) || !strftime(ret_text, 32, "%FT%HZ", &tm))
		strcpy(ret_text, "?");
}

/* Files that went before their time, once a day. */
static void tell_early(struct history *self)
{
	struct bound_report report;
	char seconds[32], minutes[32];

	if (self->told_early && self->turned - self->told_early < TELL_S)
		return;
	recorder_get_report(self->recorder, &report);
	if (!report.early_seconds && !report.early_minutes)
		return;
	self->told_early = self->turned;
	format_hour(report.seconds_from_ns, seconds);
	format_hour(report.minutes_from_ns, minutes);
	enrg_job_log(self->job, ENRG_WARNING,
		"history_mb = %" PRId64
		" is reached: the oldest went before its time. Seconds reach back to %s, minutes to "
		"%s. More room or fewer series (exclude, slow_hz) make it longer",
		self->options->history_mb, seconds, minutes);
}

/* --- what is looked at -------------------------------------------------------------------------------------------- */

static void open_client(struct history *self)
{
	const struct enrg_supervisor *supervisor;
	struct enrg_error err = {0};

	if (self->client || enrg_client_open(enrg_job_supervisor(self->job), &self->client, NULL) < 0)
		return; /* it is just beginning */
	if (enrg_client_supervisor(self->client, &supervisor, NULL) < 0 || self->place.pointer[0])
		return;
	if (place_show(&self->place, supervisor->folder, enrg_job_name(self->job), &err) < 0)
		enrg_job_log(self->job, ENRG_WARNING,
			"`enrgdaq history` does not find this history by itself (%s): name it by --folder", err.text);
}

static int take_figures(struct history *self, struct enrg_error *err)
{
	const struct enrg_status *status = NULL;

	if (!self->client || enrg_client_status(self->client, 0, &status, NULL) < 0 ||
		status->age_s > STATUS_OLD + 2 * status->interval_s)
		status = NULL;
	int rc = job_figures_take(&self->figures, status);
	if (rc == -ENOSPC && !self->is_full_told) {
		self->is_full_told = true;
		enrg_job_alert(self->job, ENRG_WARNING,
			"some statistics are not recorded: %u series are the most. Narrow them by `exclude`",
			RECORDER_SERIES_MAX);
	}
	return rc == -ENOMEM ? enrg_error_set(err, rc, "out of memory") : 0;
}

/* Tables about jobs (of alerts, statistics, traces) are no measurements. */
static bool is_about_jobs(const struct enrg_status *status, const char *source)
{
	for (uint32_t i = 0; i < status->job_count; i++)
		if (!strcmp(status->jobs[i]->name, source))
			return !strncmp(status->jobs[i]->type, "DAQJobHandle", strlen("DAQJobHandle"));
	return true; /* it is not known yet: the next look will */
}

static bool is_among(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static bool has_feed(const struct history *self, const char *source)
{
	for (uint32_t i = 0; i < self->feed_count; i++)
		if (!strcmp(feed_source(self->feeds[i]), source))
			return true;
	return false;
}

static int add_feed(struct history *self, const char *source)
{
	struct feed **feeds = realloc(self->feeds, (self->feed_count + 1) * sizeof(struct feed *));

	if (!feeds)
		return -ENOMEM;
	self->feeds = feeds;
	feeds[self->feed_count] = feed_create(self->job, self->recorder, &self->rules, source);
	if (!feeds[self->feed_count])
		return -ENOMEM;
	self->feed_count++;
	return 0;
}

static void drop_feeds(struct history *self, const char *const *sources)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < self->feed_count; i++) {
		if (sources && is_among(sources, feed_source(self->feeds[i])))
			self->feeds[kept++] = self->feeds[i];
		else
			feed_destroy(self->feeds[i]);
	}
	self->feed_count = kept;
}

/* Sources come and go. */
static int find_feeds(struct history *self, struct enrg_error *err)
{
	const char *const *sources;
	const struct enrg_status *status;
	int rc = 0;

	if (!self->client || enrg_client_sources(self->client, &sources, NULL) < 0 ||
		enrg_client_status(self->client, 0, &status, NULL) < 0 || self->options->slow_hz <= 0)
		return 0;
	drop_feeds(self, sources);
	for (; *sources && rc == 0; sources++)
		if (!has_feed(self, *sources) && !is_about_jobs(status, *sources))
			rc = add_feed(self, *sources);
	return rc < 0 ? enrg_error_set(err, rc, "out of memory") : 0;
}

static int look(struct history *self, struct enrg_error *err)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	int rc = 0;

	for (uint32_t i = 0; i < self->feed_count && rc == 0; i++)
		rc = feed_look(self->feeds[i], self->client, now_ns);
	return rc < 0 ? enrg_error_set(err, rc, "out of memory") : 0;
}

/* --- seconds ------------------------------------------------------------------------------------------------------ */

/* The folder may be on a disk that is full or not there: that is no reason to end. */
static int open_recorder(struct history *self)
{
	const struct recorder_params params = {.folder = self->place.folder,
		.supervisor = enrg_job_supervisor(self->job),
		.job = enrg_job_name(self->job),
		.limit_bytes = (uint64_t)self->options->history_mb * BYTES_IN_MB};
	struct enrg_error err = {0};

	int rc = place_check_room(&self->place, (uint64_t)(self->options->min_free_gb * 1e9), &err);
	if (rc == 0)
		rc = recorder_open(&params, &self->recorder, &err);
	self->figures.recorder = self->recorder;
	if (rc < 0)
		note_fault(self, &err);
	return rc;
}

static void write_second(struct history *self)
{
	struct enrg_error err = {0};
	int rc = place_check_room(&self->place, (uint64_t)(self->options->min_free_gb * 1e9), &err);

	if (rc < 0)
		recorder_pause(self->recorder);
	int rc_turn = recorder_turn(self->recorder, self->second, rc < 0 ? NULL : &err);
	if (rc == 0 && rc_turn >= 0 && self->turned % SYNC_S == 0)
		rc = recorder_sync(self->recorder, &err);
	if (rc < 0 || rc_turn < 0)
		note_fault(self, &err);
	else if (rc_turn == 1)
		note_success(self);
	tell_early(self);
}

static int turn(struct history *self, struct enrg_error *err)
{
	int rc = 0;

	self->turned++;
	open_client(self);
	if (!self->recorder) {
		if (self->turned < self->next_open)
			return 0;
		self->next_open = self->turned + OPEN_S;
		if (open_recorder(self) < 0)
			return 0;
	}
	if (self->turned % SOURCES_S == 1)
		rc = find_feeds(self, err);
	if (rc == 0)
		rc = take_figures(self, err);
	if (rc == 0)
		write_second(self);
	return rc;
}

static int history_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct history *self = state;
	uint64_t second = clock_ns(CLOCK_REALTIME) / NS_PER_S;
	int rc = look(self, err);

	(void)job;
	if (rc == 0 && second != self->second) {
		self->second = second;
		rc = turn(self, err);
	}
	return rc < 0 ? rc : ENRG_POLL_IDLE;
}

/* --- begin and end ------------------------------------------------------------------------------------------------ */

static int history_stop(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct history *self = state;
	struct enrg_error fault = {0};

	(void)job;
	int rc = look(self, err);
	if (rc == 0 && self->recorder && !self->fault_second && recorder_finish(self->recorder, &fault) < 0)
		enrg_job_log(self->job, ENRG_WARNING, "the last second of the history was not written: %s", fault.text);
	return rc;
}

static void history_destroy(void *state)
{
	struct history *self = state;

	if (!self)
		return;
	drop_feeds(self, NULL);
	free(self->feeds);
	job_figures_fini(&self->figures);
	recorder_destroy(self->recorder);
	place_close(&self->place);
	enrg_client_close(self->client);
	free(self);
}

static int history_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct history_options *chosen = options;
	struct history *self = calloc(1, sizeof(*self));
	int rc = self ? place_open(&self->place, chosen->folder, err) : enrg_error_set(err, -ENOMEM, "out of memory");

	if (rc < 0) {
		history_destroy(self);
		return rc;
	}
	self->job = job;
	self->options = chosen;
	self->rules = (struct feed_rules){chosen->slow_hz, chosen->columns_of, &chosen->exclude};
	self->figures.exclude = &chosen->exclude;
	setpriority(PRIO_PROCESS, 0, 10); /* data taking comes first */
	enrg_job_set_interval(job, LOOK_NS);
	*ret_state = self;
	return 0;
}

static int history_check(const void *options, struct enrg_error *err)
{
	const struct history_options *chosen = options;

	if (!chosen->folder[0])
		return enrg_error_set(err, ENRG_E_CONFIG, "folder: expected the name of a folder");
	return 0;
}

static const struct enrg_job_type history_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobHistory",
	.summary = "Records statistics and slowly changing columns: seconds for two days, minutes for a year.",
	.options = {.size = sizeof(struct history_options), .options = history_options},
	.start = history_start,
	.poll = history_poll,
	.stop = history_stop,
	.destroy = history_destroy,
	.check = history_check,
	.is_service = true,
};

static const struct enrg_job_type *const history_jobs[] = {&history_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "history", .jobs = history_jobs};
