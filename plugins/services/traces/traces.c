/* traces.c: DAQJobHandleTraces: a row for each event of a batch on its way, as jobs report them. A service: all that it
 * does is done as reports come, on the main thread of its own job process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/job.h"
#include "enrgdaq/message.h"

#define NS_PER_MS 1000000u

struct traces {
	struct enrg_output *events, *latency;
};

static const struct enrg_option option_list[] = {{.key = NULL}};

/* The first eight are those of the Python program, in its order. */
enum event_column {
	EVENT_ID,
	EVENT_TYPE,
	EVENT_KIND,
	EVENT_TOPICS,
	EVENT_TIMESTAMP,
	EVENT_BYTES,
	EVENT_SOURCE,
	EVENT_SOURCE_SUPERVISOR,
	EVENT_DEST,
	EVENT_DEST_SUPERVISOR,
	EVENT_ROWS,
	EVENT_SAMPLED,
	EVENT_COLUMNS
};

static const struct enrg_column event_columns[EVENT_COLUMNS] = {
	[EVENT_ID] = {.name = "message_id", .type = ENRG_STRING},
	[EVENT_TYPE] = {.name = "message_type", .type = ENRG_STRING},
	[EVENT_KIND] = {.name = "event_type", .type = ENRG_STRING},
	[EVENT_TOPICS] = {.name = "topics", .type = ENRG_STRING},
	[EVENT_TIMESTAMP] = {.name = "timestamp", .type = ENRG_I64, .unit = "ms"},
	[EVENT_BYTES] = {.name = "size_bytes", .type = ENRG_I64, .unit = "B"},
	[EVENT_SOURCE] = {.name = "source_job", .type = ENRG_STRING},
	[EVENT_SOURCE_SUPERVISOR] = {.name = "source_supervisor", .type = ENRG_STRING},
	[EVENT_DEST] = {.name = "dest_job", .type = ENRG_STRING},
	[EVENT_DEST_SUPERVISOR] = {.name = "dest_supervisor", .type = ENRG_STRING},
	[EVENT_ROWS] = {.name = "rows", .type = ENRG_I64},
	[EVENT_SAMPLED] = {.name = "sampled_every", .type = ENRG_I64},
};
static const struct enrg_note event_notes[] = {ENRG_NOTES_HOST_TIME("timestamp", "1000000")};
static const struct enrg_schema event_schema = {.column_count = EVENT_COLUMNS,
	.columns = event_columns,
	.note_count = sizeof(event_notes) / sizeof(event_notes[0]),
	.notes = event_notes};

enum latency_column {
	LATENCY_ID,
	LATENCY_TYPE,
	LATENCY_SOURCE,
	LATENCY_DEST,
	LATENCY_SOURCE_SUPERVISOR,
	LATENCY_DEST_SUPERVISOR,
	LATENCY_SENT,
	LATENCY_RECEIVED,
	LATENCY_MS,
	LATENCY_BYTES,
	LATENCY_SAMPLED,
	LATENCY_COLUMNS
};

static const struct enrg_column latency_columns[LATENCY_COLUMNS] = {
	[LATENCY_ID] = {.name = "message_id", .type = ENRG_STRING},
	[LATENCY_TYPE] = {.name = "message_type", .type = ENRG_STRING},
	[LATENCY_SOURCE] = {.name = "source_job", .type = ENRG_STRING},
	[LATENCY_DEST] = {.name = "dest_job", .type = ENRG_STRING},
	[LATENCY_SOURCE_SUPERVISOR] = {.name = "source_supervisor", .type = ENRG_STRING},
	[LATENCY_DEST_SUPERVISOR] = {.name = "dest_supervisor", .type = ENRG_STRING},
	[LATENCY_SENT] = {.name = "sent_timestamp", .type = ENRG_I64, .unit = "ms"},
	[LATENCY_RECEIVED] = {.name = "received_timestamp", .type = ENRG_I64, .unit = "ms"},
	[LATENCY_MS] = {.name = "latency_ms", .type = ENRG_F64, .unit = "ms"},
	[LATENCY_BYTES] = {.name = "size_bytes", .type = ENRG_I64, .unit = "B"},
	[LATENCY_SAMPLED] = {.name = "sampled_every", .type = ENRG_I64},
};
static const struct enrg_note latency_notes[] = {
	ENRG_NOTES_HOST_TIME("sent_timestamp", "1000000"), ENRG_NOTES_HOST_TIME("received_timestamp", "1000000")};
static const struct enrg_schema latency_schema = {.column_count = LATENCY_COLUMNS,
	.columns = latency_columns,
	.note_count = sizeof(latency_notes) / sizeof(latency_notes[0]),
	.notes = latency_notes};

static int traces_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct traces *traces = calloc(1, sizeof(*traces));
	int rc;

	(void)options;
	if (!traces)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	rc = enrg_output_open(job, "store_config", NULL, &event_schema, &traces->events, err);
	if (rc == 0)
		rc = enrg_output_open(job, "store_config", "latency", &latency_schema, &traces->latency, err);
	if (rc < 0)
		free(traces);
	else
		*ret_state = traces;
	return rc;
}

static struct enrg_value text_value(const char *text)
{
	return (struct enrg_value){.data = text, .count = strlen(text)};
}

static struct enrg_value count_value(uint64_t count)
{
	return (struct enrg_value){.i = count < INT64_MAX ? (int64_t)count : INT64_MAX};
}

static int append_event(struct traces *traces, const struct enrg_trace *trace, struct enrg_error *err)
{
	bool is_received = trace->event == ENRG_TRACE_RECEIVED;
	const struct enrg_value row[EVENT_COLUMNS] = {
		[EVENT_TIMESTAMP] = count_value((is_received ? trace->received_ns : trace->sent_ns) / NS_PER_MS),
		[EVENT_KIND] = text_value(is_received ? "received" : "sent"),
		[EVENT_ID] = text_value(trace->message_id),
		[EVENT_TYPE] = text_value(trace->message_type),
		[EVENT_TOPICS] = text_value(""),
		[EVENT_SOURCE] = text_value(trace->source_job),
		[EVENT_DEST] = text_value(trace->dest_job),
		[EVENT_SOURCE_SUPERVISOR] = text_value(trace->source_supervisor),
		[EVENT_DEST_SUPERVISOR] = text_value(trace->dest_supervisor),
		[EVENT_BYTES] = count_value(trace->size_bytes),
		[EVENT_ROWS] = count_value(trace->rows),
		[EVENT_SAMPLED] = count_value(trace->sampled_every),
	};

	return enrg_output_append(traces->events, row, err);
}

static int append_latency(struct traces *traces, const struct enrg_trace *trace, struct enrg_error *err)
{
	const struct enrg_value row[LATENCY_COLUMNS] = {
		[LATENCY_ID] = text_value(trace->message_id),
		[LATENCY_TYPE] = text_value(trace->message_type),
		[LATENCY_SOURCE] = text_value(trace->source_job),
		[LATENCY_DEST] = text_value(trace->dest_job),
		[LATENCY_SOURCE_SUPERVISOR] = text_value(trace->source_supervisor),
		[LATENCY_DEST_SUPERVISOR] = text_value(trace->dest_supervisor),
		[LATENCY_SENT] = count_value(trace->sent_ns / NS_PER_MS),
		[LATENCY_RECEIVED] = count_value(trace->received_ns / NS_PER_MS),
		[LATENCY_MS] = {.f = trace->latency_ms},
		[LATENCY_BYTES] = count_value(trace->size_bytes),
		[LATENCY_SAMPLED] = count_value(trace->sampled_every),
	};

	return enrg_output_append(traces->latency, row, err);
}

/* Its own batches are left out, or each report would make further ones for ever. */
static int traces_take(struct enrg_job *job, void *state, const struct enrg_trace *trace, struct enrg_error *err)
{
	struct traces *traces = state;

	if (!strcmp(trace->source_job, enrg_job_name(job)))
		return 0;
	int rc = append_event(traces, trace, err);
	return rc == 0 && trace->event == ENRG_TRACE_RECEIVED ? append_latency(traces, trace, err) : rc;
}

static const struct enrg_job_group groups[] = {
	{.key = "store_config", .required = true, .help = "Where the events and latencies go."},
	{.key = NULL},
};

static const struct enrg_job_type traces_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobHandleTraces",
	.summary = "Stores where batches were on their way and how long, as all jobs report it.",
	.options = {.size = sizeof(struct traces), .options = option_list},
	.groups = groups,
	.start = traces_start,
	.destroy = free,
	.on_trace = traces_take,
};

static const struct enrg_job_type *const jobs[] = {&traces_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "traces", .jobs = jobs};
