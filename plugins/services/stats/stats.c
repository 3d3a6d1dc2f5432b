/* stats.c: DAQJobHandleStats: the figures of all jobs as tables. A service: it hears the supervisors' messages, and
 * writes what it heard last at each interval. Main thread of its own job process. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batch.h"
#include "board.h"

#define NS_PER_S  1000000000u
#define NS_PER_MS 1000000u

struct stats_options {
	bool subscribe_to_all_stats;
	double interval_seconds;
};

struct stats {
	struct enrg_job *job;
	const struct stats_options *options;
	struct board board;
	struct enrg_output *jobs, *supervisors;
	bool has_no_series; /* no store takes time series, or there is no room for more of them */
	bool is_full_told;
	uint64_t mono_ns, wall_ns; /* of the interval that is being written */
};

static const struct enrg_option option_list[] = {
	{.key = "subscribe_to_all_stats",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct stats_options, subscribe_to_all_stats),
		.default_value = "true",
		.help = "Also of other supervisors, whose messages come here; false: of its own alone."},
	{.key = "interval_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct stats_options, interval_seconds),
		.default_value = "1.0",
		.min = 0.1,
		.max = 86400,
		.unit = "s",
		.help = "From one set of rows to the next."},
	{.key = NULL},
};

/* --- the tables --------------------------------------------------------------------------------------------------- */

enum job_column {
	JOB_SUPERVISOR,
	JOB_NAME,
	JOB_ALIVE,
	JOB_LAST_IN,
	JOB_IN,
	JOB_LAST_OUT,
	JOB_OUT,
	JOB_IN_QUEUE,
	JOB_OUT_QUEUE,
	JOB_LAST_RESTART,
	JOB_RESTARTS,
	JOB_COLUMNS
};

static const struct enrg_column job_columns[JOB_COLUMNS] = {
	[JOB_SUPERVISOR] = {.name = "supervisor", .type = ENRG_STRING},
	[JOB_NAME] = {.name = "daq_job", .type = ENRG_STRING},
	[JOB_ALIVE] = {.name = "is_alive", .type = ENRG_BOOL},
	[JOB_LAST_IN] = {.name = "last_message_in_date", .type = ENRG_I64, .unit = "ms"},
	[JOB_IN] = {.name = "message_in_count", .type = ENRG_I64},
	[JOB_LAST_OUT] = {.name = "last_message_out_date", .type = ENRG_I64, .unit = "ms"},
	[JOB_OUT] = {.name = "message_out_count", .type = ENRG_I64},
	[JOB_IN_QUEUE] = {.name = "message_in_queue_size", .type = ENRG_I64},
	[JOB_OUT_QUEUE] = {.name = "message_out_queue_size", .type = ENRG_I64},
	[JOB_LAST_RESTART] = {.name = "last_restart_date", .type = ENRG_I64, .unit = "ms"},
	[JOB_RESTARTS] = {.name = "restart_count", .type = ENRG_I64},
};
static const struct enrg_note job_notes[] = {ENRG_NOTES_HOST_TIME("last_message_in_date", "1000000"),
	ENRG_NOTES_HOST_TIME("last_message_out_date", "1000000"), ENRG_NOTES_HOST_TIME("last_restart_date", "1000000")};
static const struct enrg_schema job_schema = {.column_count = JOB_COLUMNS,
	.columns = job_columns,
	.note_count = sizeof(job_notes) / sizeof(job_notes[0]),
	.notes = job_notes};

enum supervisor_column {
	SUPERVISOR_NAME,
	SUPERVISOR_ALIVE,
	SUPERVISOR_LAST,
	SUPERVISOR_IN,
	SUPERVISOR_IN_MB,
	SUPERVISOR_OUT,
	SUPERVISOR_OUT_MB,
	SUPERVISOR_COLUMNS
};

static const struct enrg_column supervisor_columns[SUPERVISOR_COLUMNS] = {
	[SUPERVISOR_NAME] = {.name = "supervisor", .type = ENRG_STRING},
	[SUPERVISOR_ALIVE] = {.name = "is_alive", .type = ENRG_BOOL},
	[SUPERVISOR_LAST] = {.name = "last_active", .type = ENRG_I64, .unit = "ms"},
	[SUPERVISOR_IN] = {.name = "message_in_count", .type = ENRG_I64},
	[SUPERVISOR_IN_MB] = {.name = "message_in_megabytes", .type = ENRG_F64, .unit = "MB"},
	[SUPERVISOR_OUT] = {.name = "message_out_count", .type = ENRG_I64},
	[SUPERVISOR_OUT_MB] = {.name = "message_out_megabytes", .type = ENRG_F64, .unit = "MB"},
};
static const struct enrg_note supervisor_notes[] = {ENRG_NOTES_HOST_TIME("last_active", "1000000")};
static const struct enrg_schema supervisor_schema = {.column_count = SUPERVISOR_COLUMNS,
	.columns = supervisor_columns,
	.note_count = sizeof(supervisor_notes) / sizeof(supervisor_notes[0]),
	.notes = supervisor_notes};

static const struct enrg_column series_columns[] = {
	{.name = "timestamp", .type = ENRG_I64, .unit = "ms"},
	{.name = "rss_mb", .type = ENRG_F64, .unit = "MB"},
	{.name = "cpu_percent", .type = ENRG_F64, .unit = "%"},
};
static const struct enrg_note series_notes[] = {ENRG_NOTES_HOST_TIME("timestamp", "1000000")};
static const struct enrg_schema series_schema = {.column_count = 3,
	.columns = series_columns,
	.note_count = sizeof(series_notes) / sizeof(series_notes[0]),
	.notes = series_notes};

/* --- values ------------------------------------------------------------------------------------------------------- */

static struct enrg_value text_value(const char *text)
{
	return (struct enrg_value){.data = text, .count = strlen(text)};
}

static struct enrg_value count_value(uint64_t count)
{
	return (struct enrg_value){.i = count < INT64_MAX ? (int64_t)count : INT64_MAX};
}

/* Unix time in ms; 0: never. */
static struct enrg_value date_value(uint64_t wall_ns)
{
	return count_value(wall_ns / NS_PER_MS);
}

static const struct board_job *find_job(
	const struct board *board, uint64_t row, const struct board_supervisor **ret_supervisor)
{
	const struct board_supervisor *supervisor = board->supervisors;

	while (row >= supervisor->job_count)
		row -= supervisor++->job_count;
	*ret_supervisor = supervisor;
	return &supervisor->jobs[row];
}

static struct enrg_value job_value(void *context, uint64_t row, uint32_t column)
{
	struct stats *stats = context;
	const struct board_supervisor *supervisor;
	const struct board_job *job = find_job(&stats->board, row, &supervisor);

	switch ((enum job_column)column) {
	case JOB_SUPERVISOR:
		return text_value(supervisor->name);
	case JOB_NAME:
		return text_value(job->name);
	case JOB_ALIVE:
		return (struct enrg_value){.i = job->is_alive && board_is_alive(supervisor, stats->mono_ns)};
	case JOB_LAST_IN:
		return date_value(job->last_in_ns);
	case JOB_IN:
		return count_value(job->in_batches);
	case JOB_LAST_OUT:
		return date_value(job->last_out_ns);
	case JOB_OUT:
		return count_value(job->out_batches);
	case JOB_IN_QUEUE:
		return count_value(job->in_waiting);
	case JOB_OUT_QUEUE:
		return count_value(job->out_waiting);
	case JOB_LAST_RESTART:
		return date_value(job->last_restart_ns);
	case JOB_RESTARTS:
		return count_value(job->restarts);
	case JOB_COLUMNS:
		break;
	}
	return (struct enrg_value){.count = 0};
}

static struct enrg_value supervisor_value(void *context, uint64_t row, uint32_t column)
{
	struct stats *stats = context;
	const struct board_supervisor *supervisor = &stats->board.supervisors[row];
	uint64_t in_batches = 0, in_bytes = 0, out_batches = 0, out_bytes = 0;

	for (uint32_t i = 0; i < supervisor->job_count; i++) {
		in_batches += supervisor->jobs[i].in_batches;
		in_bytes += supervisor->jobs[i].in_bytes;
		out_batches += supervisor->jobs[i].out_batches;
		out_bytes += supervisor->jobs[i].out_bytes;
	}
	switch ((enum supervisor_column)column) {
	case SUPERVISOR_NAME:
		return text_value(supervisor->name);
	case SUPERVISOR_ALIVE:
		return (struct enrg_value){.i = board_is_alive(supervisor, stats->mono_ns)};
	case SUPERVISOR_LAST:
		return date_value(supervisor->heard_ns);
	case SUPERVISOR_IN:
		return count_value(in_batches);
	case SUPERVISOR_IN_MB:
		return (struct enrg_value){.f = (double)in_bytes / 1e6};
	case SUPERVISOR_OUT:
		return count_value(out_batches);
	case SUPERVISOR_OUT_MB:
		return (struct enrg_value){.f = (double)out_bytes / 1e6};
	case SUPERVISOR_COLUMNS:
		break;
	}
	return (struct enrg_value){.count = 0};
}

/* --- time series -------------------------------------------------------------------------------------------------- */

/* A table each has a limit of its own: what is beyond it is in the table of all jobs alone. */
static int open_series(struct stats *stats, const char *supervisor, struct board_job *job, struct enrg_error *err)
{
	char tag[208]; /* as long as a tag may be; names of jobs are unique before that */

	snprintf(tag, sizeof(tag), "%.80s.%.120s", supervisor, job->name);
	int rc = enrg_output_open(stats->job, "timeseries_store_config", tag, &series_schema, &job->series, err);
	if (rc == -ENOSPC) {
		if (!stats->is_full_told)
			enrg_job_alert(stats->job, ENRG_WARNING,
				"no time series of %s.%s and of what comes behind it: %s; its figures are in the table "
				"of all "
				"jobs",
				supervisor, job->name, err ? err->text : "too many");
		stats->is_full_told = true;
		return 0;
	}
	if (rc == 0)
		stats->has_no_series = !enrg_output_wanted(job->series);
	return rc;
}

static int write_series(struct stats *stats, const char *supervisor, struct board_job *job, struct enrg_error *err)
{
	const struct enrg_value values[] = {
		{.i = (int64_t)(stats->wall_ns / NS_PER_MS)}, {.f = job->rss_mb}, {.f = job->cpu_percent}};
	int rc = job->series || stats->is_full_told ? 0 : open_series(stats, supervisor, job, err);

	return rc == 0 && job->series && !stats->has_no_series ? enrg_output_append(job->series, values, err) : rc;
}

static int write_all_series(struct stats *stats, struct enrg_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < stats->board.count && rc == 0; i++) {
		struct board_supervisor *supervisor = &stats->board.supervisors[i];
		for (uint32_t k = 0; k < supervisor->job_count && rc == 0 && !stats->has_no_series; k++)
			if (supervisor->jobs[k].is_alive && board_is_alive(supervisor, stats->mono_ns))
				rc = write_series(stats, supervisor->name, &supervisor->jobs[k], err);
	}
	return rc;
}

/* --- the job ------------------------------------------------------------------------------------------------------ */

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void stats_destroy(void *state)
{
	struct stats *stats = state;

	if (stats)
		board_fini(&stats->board);
	free(stats);
}

static int stats_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct stats *stats = calloc(1, sizeof(*stats));
	int rc;

	if (!stats)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	stats->job = job;
	stats->options = options;
	rc = enrg_output_open(job, "store_config", NULL, &job_schema, &stats->jobs, err);
	if (rc == 0)
		rc = enrg_output_open(job, "store_config", "remote", &supervisor_schema, &stats->supervisors, err);
	if (rc == 0 && stats->options->subscribe_to_all_stats)
		rc = enrg_job_subscribe(job, "stats.combined.supervisor.", err);
	if (rc < 0) {
		stats_destroy(stats);
		return rc;
	}
	enrg_job_set_interval(job, (uint64_t)(stats->options->interval_seconds * NS_PER_S));
	*ret_state = stats;
	return 0;
}

/* A topic is a prefix: "lab" hears "lab2" as well. */
static int stats_take(
	struct enrg_job *job, void *state, const struct enrg_combined_stats *combined, struct enrg_error *err)
{
	struct stats *stats = state;

	if (!stats->options->subscribe_to_all_stats &&
		strcmp(combined->sender.supervisor, enrg_job_supervisor(job)) != 0)
		return 0;
	int rc = board_take(&stats->board, combined, read_clock(CLOCK_MONOTONIC));
	if (rc == -ENOSPC)
		return 0; /* whoever invents supervisors is not heard any more */
	return rc < 0 ? enrg_error_set(err, rc, "out of memory") : 0;
}

static int stats_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct stats *stats = state;

	(void)job;
	stats->mono_ns = read_clock(CLOCK_MONOTONIC);
	stats->wall_ns = read_clock(CLOCK_REALTIME);
	if (!stats->board.count)
		return ENRG_POLL_IDLE;
	int rc = batch_publish(stats->jobs, &job_schema, board_count_jobs(&stats->board), job_value, stats, err);
	if (rc == 0)
		rc = batch_publish(
			stats->supervisors, &supervisor_schema, stats->board.count, supervisor_value, stats, err);
	if (rc == 0)
		rc = write_all_series(stats, err);
	return rc < 0 ? rc : ENRG_POLL_IDLE;
}

static const struct enrg_job_group groups[] = {
	{.key = "store_config", .required = true, .help = "Where the tables of jobs and of supervisors go."},
	{.key = "timeseries_store_config", .help = "Where memory and CPU time of each job go, a table each."},
	{.key = NULL},
};

static const char *const old_names[] = {"handle_stats", NULL};

static const struct enrg_job_type stats_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobHandleStats",
	.old_names = old_names,
	.summary = "Stores the figures of all jobs: counts, queues, restarts, memory, CPU time.",
	.options = {.size = sizeof(struct stats_options), .options = option_list},
	.groups = groups,
	.start = stats_start,
	.poll = stats_poll,
	.destroy = stats_destroy,
	.is_service = true,
	.on_combined_stats = stats_take,
};

static const struct enrg_job_type *const jobs[] = {&stats_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "stats", .jobs = jobs};
