/* clock.c: DAQJobClock: how well this machine's clock is held to a reference. Runs in its own job process, main thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "enrgdaq/clock.h"
#include "enrgdaq/job.h"

#define NS_PER_S 1000000000

struct clock_options {
	double poll_interval_seconds;
	double alert_above_ms;
	const char *tag;
};

struct clock_job {
	const struct clock_options *options;
	struct enrg_output *output;
	bool is_bad_told; /* and the operator has been told so */
};

enum {
	COLUMN_TIMESTAMP,
	COLUMN_CLOCK,
	COLUMN_LOCKED,
	COLUMN_OFFSET,
	COLUMN_UNCERTAINTY,
	COLUMN_FREQUENCY,
	COLUMN_TAI,
	COLUMN_LEAP,
	COLUMNS
};

static const struct enrg_column columns[COLUMNS] = {
	[COLUMN_TIMESTAMP] = {.name = "timestamp", .type = ENRG_I64, .unit = "ms"},
	[COLUMN_CLOCK] = {.name = "clock", .type = ENRG_STRING},
	[COLUMN_LOCKED] = {.name = "is_locked", .type = ENRG_BOOL},
	[COLUMN_OFFSET] = {.name = "offset_ns", .type = ENRG_I64, .unit = "ns"},
	[COLUMN_UNCERTAINTY] = {.name = "uncertainty_ns", .type = ENRG_I64, .unit = "ns"},
	[COLUMN_FREQUENCY] = {.name = "frequency_ppm", .type = ENRG_F64, .unit = "ppm"},
	[COLUMN_TAI] = {.name = "tai_minus_utc_s", .type = ENRG_I32, .unit = "s"},
	[COLUMN_LEAP] = {.name = "leap_pending", .type = ENRG_I8},
};

static const struct enrg_note notes[] = {ENRG_NOTES_HOST_TIME("timestamp", "1000000")};

static const struct enrg_schema schema = {
	.column_count = COLUMNS, .columns = columns, .note_count = sizeof(notes) / sizeof(notes[0]), .notes = notes};

static const struct enrg_option option_list[] = {
	{.key = "poll_interval_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct clock_options, poll_interval_seconds),
		.default_value = "1.0",
		.min = 0.1,
		.max = 86400,
		.unit = "s",
		.help = "From one row to the next."},
	{.key = "alert_above_ms",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct clock_options, alert_above_ms),
		.default_value = "1000.0",
		.min = 0,
		.max = 1e9,
		.unit = "ms",
		.help = "An alert where the clock may be wrong by more, or nobody holds it; 0 = never."},
	{.key = "tag",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct clock_options, tag),
		.default_value = "\"clock\"",
		.help = "Stands in the name of its files, lab_TAG.csv; \"\" = nothing."},
	{.key = NULL},
};

static int clock_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct clock_options *chosen = options;
	struct clock_job *clock = calloc(1, sizeof(*clock));
	int rc;

	if (!clock)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	clock->options = chosen;
	rc = enrg_output_open(job, "store_config", chosen->tag[0] ? chosen->tag : NULL, &schema, &clock->output, err);
	if (rc < 0) {
		free(clock);
		return rc;
	}
	enrg_job_set_interval(job, (uint64_t)(chosen->poll_interval_seconds * NS_PER_S));
	*ret_state = clock;
	return 0;
}

/* Each change is told once. */
static void tell(struct clock_job *clock, struct enrg_job *job, const struct enrg_host_clock *now)
{
	double limit_ms = clock->options->alert_above_ms, wrong_ms = (double)now->uncertainty_ns / 1e6;
	bool is_bad = limit_ms > 0 && (!now->is_locked || wrong_ms > limit_ms);

	if (is_bad == clock->is_bad_told)
		return;
	clock->is_bad_told = is_bad;
	if (!is_bad)
		enrg_job_alert(job, ENRG_INFO, "the clock of this machine is held to a reference again, within %.3f ms",
			wrong_ms);
	else if (!now->is_locked)
		enrg_job_alert(job, ENRG_WARNING,
			"nobody holds the clock of this machine: times in the data drift from true time by seconds a "
			"day; "
			"start chrony or systemd-timesyncd (`timedatectl` shows its state)");
	else
		enrg_job_alert(job, ENRG_WARNING,
			"the clock of this machine may be wrong by %.3f ms (alert_above_ms = %g): see what its time "
			"service "
			"has for a reference (`chronyc sources`, `timedatectl timesync-status`)",
			wrong_ms, limit_ms);
}

static int clock_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct clock_job *clock = state;
	struct enrg_host_clock now = {.size = sizeof(now)};
	struct timespec time;
	int rc = enrg_host_clock_read(&now, err);

	if (rc < 0)
		return rc;
	clock_gettime(CLOCK_REALTIME, &time);
	const struct enrg_value values[COLUMNS] = {
		[COLUMN_TIMESTAMP] = {.i = (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000},
		[COLUMN_CLOCK] = {.data = "host", .count = 4},
		[COLUMN_LOCKED] = {.i = now.is_locked},
		[COLUMN_OFFSET] = {.i = now.offset_ns},
		[COLUMN_UNCERTAINTY] = {.i = now.uncertainty_ns},
		[COLUMN_FREQUENCY] = {.f = now.frequency_ppm},
		[COLUMN_TAI] = {.i = now.tai_minus_utc_s},
		[COLUMN_LEAP] = {.i = now.leap},
	};
	rc = enrg_output_append(clock->output, values, err);
	if (rc < 0)
		return rc;
	tell(clock, job, &now);
	return ENRG_POLL_IDLE;
}

static const struct enrg_job_group groups[] = {
	{.key = "store_config", .required = true, .help = "Where the rows go."},
	{.key = NULL},
};

static const struct enrg_job_type clock_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobClock",
	.summary = "Tells how well this machine's clock is held to a reference: lock, offset, uncertainty.",
	.options = {.size = sizeof(struct clock_options), .options = option_list},
	.groups = groups,
	.start = clock_start,
	.poll = clock_poll,
	.destroy = free,
};

static const struct enrg_job_type *const jobs[] = {&clock_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "clock", .jobs = jobs};
