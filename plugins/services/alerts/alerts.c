/* alerts.c: DAQJobHandleAlerts: a row for each alert of a job of this supervisor. A service: all that it does is done
 * as alerts come, on the main thread of its own job process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/job.h"
#include "enrgdaq/message.h"

struct alerts {
	struct enrg_output *output;
};

static const struct enrg_option alerts_options[] = {{.key = NULL}};

static const struct enrg_column alerts_columns[] = {
	{.name = "timestamp", .type = ENRG_I64, .unit = "ms"},
	{.name = "daq_job", .type = ENRG_STRING},
	{.name = "severity", .type = ENRG_STRING},
	{.name = "message", .type = ENRG_STRING},
};

static const struct enrg_note alerts_notes[] = {ENRG_NOTES_HOST_TIME("timestamp", "1000000")};

static const struct enrg_schema alerts_schema = {.column_count = 4,
	.columns = alerts_columns,
	.note_count = sizeof(alerts_notes) / sizeof(alerts_notes[0]),
	.notes = alerts_notes};

static int alerts_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct alerts *alerts = calloc(1, sizeof(*alerts));
	int rc;

	(void)options;
	if (!alerts)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	rc = enrg_output_open(job, "store_config", NULL, &alerts_schema, &alerts->output, err);
	if (rc < 0)
		free(alerts);
	else
		*ret_state = alerts;
	return rc;
}

static const char *severity_name(enum enrg_level severity)
{
	switch (severity) {
	case ENRG_WARNING:
		return "warning";
	case ENRG_ERROR:
		return "error";
	case ENRG_DEBUG:
	case ENRG_INFO:
		break;
	}
	return "info";
}

static struct enrg_value text_value(const char *text)
{
	return (struct enrg_value){.data = text, .count = strlen(text)};
}

static int alerts_take(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err)
{
	struct alerts *alerts = state;
	const struct enrg_value row[] = {
		{.i = (int64_t)(alert->time_ns / 1000000u)},
		text_value(alert->job),
		text_value(severity_name(alert->severity)),
		text_value(alert->message),
	};

	(void)job;
	return enrg_output_append(alerts->output, row, err);
}

static void alerts_destroy(void *state)
{
	free(state);
}

static const struct enrg_job_group alerts_groups[] = {
	{.key = "store_config", .required = true, .help = "Where the alerts go."},
	{.key = NULL},
};

static const char *const alerts_old_names[] = {"handle_alerts", NULL};

static const struct enrg_job_type alerts_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobHandleAlerts",
	.old_names = alerts_old_names,
	.summary = "Stores the alerts of all jobs of this supervisor, a row each.",
	.options = {.size = sizeof(struct alerts), .options = alerts_options},
	.groups = alerts_groups,
	.start = alerts_start,
	.destroy = alerts_destroy,
	.on_alert = alerts_take,
};

static const struct enrg_job_type *const alerts_jobs[] = {&alerts_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "alerts", .jobs = alerts_jobs};
