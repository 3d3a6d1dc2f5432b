/* traces.c: two lists of events: the main thread fills one while the reporter thread turns the other into a report. */
#include "job/process/traces.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define LANE_FEW (TRACES_MAX / 8) /* in one report: less than this, and more may be sampled in the next */

struct trace_event {
	bool is_received, is_blob;
	uint8_t stream[16];
	char source[256];
	uint32_t lane;
	uint64_t sequence, sent_ns, received_ns, rows, bytes;
};

struct trace_list {
	uint32_t count;
	struct trace_event items[TRACES_MAX];
};

/* How one stream is sampled. Written by the main thread; `step` under the lock, which the reporter thread reads. */
struct trace_lane {
	uint64_t step;         /* a power of two; 0 = no batch yet */
	uint64_t report, seen; /* so many in that report */
};

struct traces {
	pthread_mutex_t lock; /* of the lists, and of all that follows; only taken for what is sampled */
	struct trace_list lists[2];
	uint32_t filling;
	uint64_t told;
	struct trace_lane lanes[TRACES_LANES];
	uint64_t steps[TRACES_LANES]; /* of the list that is being reported; reporter thread */
	_Atomic uint64_t seen;        /* written by the main thread */
	_Atomic uint64_t report;      /* written by the reporter thread */
};

struct traces *traces_create(void)
{
	struct traces *traces = calloc(1, sizeof(*traces));

	if (traces)
		pthread_mutex_init(&traces->lock, NULL);
	return traces;
}

void traces_destroy(struct traces *traces)
{
	if (!traces)
		return;
	pthread_mutex_destroy(&traces->lock);
	free(traces);
}

/* --- main thread -------------------------------------------------------------------------------------------------- */

/* The lane that fills the list most: its step doubles, and what it does not divide goes. At the least half of what that
 * lane had goes in the long run, so a list is thinned out some times a second at any rate. */
static void thin(struct traces *traces, struct trace_list *list)
{
	uint32_t counts[TRACES_LANES] = {0}, most = 0, kept = 0;

	for (uint32_t i = 0; i < list->count; i++)
		counts[list->items[i].lane]++;
	for (uint32_t i = 1; i < TRACES_LANES; i++)
		if (counts[i] > counts[most])
			most = i;
	traces->lanes[most].step *= 2;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct trace_event *event = &list->items[i];
		if (event->lane == most && event->sequence % traces->lanes[most].step)
			continue;
		if (kept != i)
			list->items[kept] = *event;
		kept++;
	}
	list->count = kept;
}

/* A new report has begun: where the last one got few, the step halves. */
static void begin_report(struct traces *traces, struct trace_lane *lane, uint64_t report)
{
	pthread_mutex_lock(&traces->lock);
	if (!lane->step)
		lane->step = 1;
	else if (lane->step > 1 && lane->seen / lane->step < LANE_FEW)
		lane->step /= 2;
	lane->report = report;
	lane->seen = 0;
	pthread_mutex_unlock(&traces->lock);
}

static void append(struct traces *traces, const struct trace_note *note, uint32_t lane)
{
	pthread_mutex_lock(&traces->lock);
	struct trace_list *list = &traces->lists[traces->filling];

	while (list->count == TRACES_MAX)
		thin(traces, list);
	if (note->sequence % traces->lanes[lane].step == 0) {
		struct trace_event *event = &list->items[list->count++];
		*event = (struct trace_event){.is_received = note->is_received,
			.is_blob = note->is_blob,
			.lane = lane,
			.sequence = note->sequence,
			.sent_ns = note->sent_ns,
			.received_ns = note->received_ns,
			.rows = note->rows,
			.bytes = note->bytes};
		memcpy(event->stream, note->stream, sizeof(event->stream));
		snprintf(event->source, sizeof(event->source), "%s", note->source);
	}
	pthread_mutex_unlock(&traces->lock);
}

void traces_note(struct traces *traces, const struct trace_note *note)
{
	uint32_t index = note->lane % TRACES_LANES;
	struct trace_lane *lane = &traces->lanes[index];
	uint64_t report = atomic_load_explicit(&traces->report, memory_order_relaxed);

	atomic_store_explicit(&traces->seen, atomic_load_explicit(&traces->seen, memory_order_relaxed) + 1,
		memory_order_relaxed); /* one writer */
	if (lane->report != report || !lane->step)
		begin_report(traces, lane, report);
	lane->seen++;
	if (note->sequence % lane->step == 0)
		append(traces, note, index);
}

/* --- reporter thread ---------------------------------------------------------------------------------------------- */

static json_t *format_event(const struct traces *traces, const struct trace_event *event, uint64_t wall_less_mono_ns)
{
	char id[64];
	size_t at = 2 * sizeof(event->stream);

	text_format_hex(event->stream, sizeof(event->stream), id);
	snprintf(id + at, sizeof(id) - at, "-%llu", (unsigned long long)event->sequence);
	json_t *body = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I}", "event", event->is_received ? "received" : "sent",
		"message_id", id, "message_type", event->is_blob ? "bytes" : "table", "source_job", event->source,
		"sent_ns", (json_int_t)(event->sent_ns + wall_less_mono_ns), "size_bytes", (json_int_t)event->bytes,
		"rows", (json_int_t)event->rows, "sampled_every", (json_int_t)traces->steps[event->lane]);
	if (event->is_received) {
		uint64_t latency_ns = event->received_ns > event->sent_ns ? event->received_ns - event->sent_ns : 0;
		json_object_set_new(
			body, "received_ns", json_integer((json_int_t)(event->received_ns + wall_less_mono_ns)));
		json_object_set_new(body, "latency_ms", json_real((double)latency_ns / 1e6));
	}
	return body;
}

static json_t *format_events(struct traces *traces, const struct trace_list *list)
{
	uint64_t wall_less_mono_ns = clock_wall_ns() - clock_mono_ns();
	json_t *events = json_array();

	for (uint32_t i = 0; i < list->count; i++)
		json_array_append_new(events, format_event(traces, &list->items[i], wall_less_mono_ns));
	return events;
}

json_t *traces_take(struct traces *traces)
{
	json_t *events;

	pthread_mutex_lock(&traces->lock);
	const struct trace_list *list = &traces->lists[traces->filling];
	traces->filling = !traces->filling;
	traces->lists[traces->filling].count = 0;
	traces->told += list->count;
	for (uint32_t i = 0; i < TRACES_LANES; i++)
		traces->steps[i] = traces->lanes[i].step;
	atomic_store_explicit(
		&traces->report, atomic_load_explicit(&traces->report, memory_order_relaxed) + 1, memory_order_relaxed);
	pthread_mutex_unlock(&traces->lock);
	if (list->count && (events = format_events(traces, list)))
		return json_pack("{s:I,s:I,s:o}", "seen",
			(json_int_t)atomic_load_explicit(&traces->seen, memory_order_relaxed), "told",
			(json_int_t)traces->told, "events", events);
	return NULL;
}

void traces_clear(struct traces *traces)
{
	pthread_mutex_lock(&traces->lock);
	traces->lists[traces->filling].count = 0;
	pthread_mutex_unlock(&traces->lock);
}
