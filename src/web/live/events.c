/* events.c: see the header. */
#include "web/live/events.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum lane_name { LANE_EVENTS, LANE_LOG, LANES };

struct lane { /* a ring; the oldest is at `count` % EVENTS_KEPT once it is full */
	struct event *kept[EVENTS_KEPT];
	uint64_t count;   /* that were put in */
	uint64_t dropped; /* number of the last one that fell out */
};

struct events {
	pthread_mutex_t lock;
	uint64_t last;
	struct lane lanes[LANES];
};

static const struct {
	const char *name;
	uint32_t bits;
} names[] = {
	{"all", EVENT_ALL},
	{"system", EVENT_SYSTEM},
	{"state", EVENT_STATE},
	{"run", EVENT_RUN},
	{"job", EVENT_JOB},
	{"alarm", EVENT_ALARM},
	{"alert", EVENT_ALERT},
	{"other", EVENT_OTHER},
	{"log", EVENT_LOG},
	{"status", EVENT_STATUS},
};

uint32_t event_bits_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, name))
			return names[i].bits;
	return 0;
}

void event_release(struct event *event)
{
	if (!event || atomic_fetch_sub_explicit(&event->references, 1, memory_order_acq_rel) != 1)
		return;
	web_bytes_release(event->bytes);
	free(event->message);
	free(event);
}

struct events *events_create(void)
{
	struct events *events = calloc(1, sizeof(*events));

	if (events)
		pthread_mutex_init(&events->lock, NULL);
	return events;
}

void events_destroy(struct events *events)
{
	if (!events)
		return;
	for (size_t lane = 0; lane < LANES; lane++)
		for (size_t i = 0; i < EVENTS_KEPT; i++)
			event_release(events->lanes[lane].kept[i]);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

/* Number and bytes are made under the lock, so that numbers lie in a lane in their order. Takes event and object. */
static void add(struct events *events, enum lane_name name, struct event *event, json_t *object)
{
	struct lane *lane = &events->lanes[name];
	struct event *oldest = NULL;

	pthread_mutex_lock(&events->lock);
	event->number = events->last + 1;
	json_object_set_new(object, "number", json_integer((json_int_t)event->number));
	char *text = json_dumps(object, JSON_COMPACT);
	event->bytes = text ? web_bytes_create(text, strlen(text)) : NULL;
	if (event->bytes) {
		events->last++;
		oldest = lane->kept[lane->count % EVENTS_KEPT];
		lane->dropped = oldest ? oldest->number : 0;
		lane->kept[lane->count % EVENTS_KEPT] = event;
		lane->count++;
	}
	pthread_mutex_unlock(&events->lock);
	free(text);
	json_decref(object);
	event_release(event->bytes ? oldest : event);
}

static struct event *create(uint32_t bit)
{
	struct event *event = calloc(1, sizeof(*event));

	if (event) {
		atomic_init(&event->references, 1);
		event->bit = bit;
	}
	return event;
}

static void stamp(json_t *object)
{
	char at[40];

	clock_format_utc(clock_wall_ns(), at, sizeof(at));
	json_object_set_new(object, "type", json_string("event"));
	json_object_set_new(object, "at", json_string(at));
}

/* What is too long for a client's memory is named, and has to be asked for elsewhere. */
static json_t *bound(json_t *object, const char *kind)
{
	size_t bytes = json_dumpb(object, NULL, 0, JSON_COMPACT);

	if (bytes && bytes <= EVENT_BYTES_MAX - 200)
		return object;
	json_t *short_one = json_pack("{s:s, s:b}", "event", kind, "is_cut", 1);
	json_decref(object);
	return short_one;
}

void events_add(struct events *events, json_t *event)
{
	char kind[64];
	const char *name = json_string_value(json_object_get(event, "event"));
	uint32_t bit = name ? event_bits_parse(name) : 0;

	if (!name) {
		json_decref(event);
		return;
	}
	text_copy(kind, sizeof(kind), name);
	json_t *object = bound(event, kind);
	struct event *entry = object ? create(bit & EVENT_ALL && bit != EVENT_ALL ? bit : EVENT_OTHER) : NULL;
	if (!entry) {
		json_decref(object);
		return;
	}
	stamp(object);
	add(events, LANE_EVENTS, entry, object);
}

static const char *level_name(enum enrg_level level)
{
	switch (level) {
	case ENRG_DEBUG:
		return "DEBUG";
	case ENRG_INFO:
		return "INFO";
	case ENRG_WARNING:
		return "WARNING";
	case ENRG_ERROR:
		return "ERROR";
	}
	return "INFO";
}

void events_add_log(struct events *events, const struct event_log_line *line)
{
	char message[EVENT_LOG_BYTES_MAX + 1];
	struct event *entry = create(EVENT_LOG);

	if (!entry)
		return;
	text_copy(message, sizeof(message), line->message);
	text_copy(entry->process, sizeof(entry->process), line->process);
	entry->level = line->level;
	entry->message = strdup(message);
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "log", "time", line->time, "level",
		level_name(line->level), "process", entry->process, "message", message);
	if (!entry->message || !object) {
		json_decref(object);
		event_release(entry);
		return;
	}
	stamp(object);
	add(events, LANE_LOG, entry, object);
}

uint64_t events_last(struct events *events)
{
	pthread_mutex_lock(&events->lock);
	uint64_t last = events->last;
	pthread_mutex_unlock(&events->lock);
	return last;
}

static uint64_t oldest_of(const struct lane *lane)
{
	return lane->count > EVENTS_KEPT ? lane->count - EVENTS_KEPT : 0;
}

/* The first of a lane behind `after`, whatever its kind: numbers grow along it. */
static uint64_t seek(const struct lane *lane, uint64_t after)
{
	uint64_t low = oldest_of(lane), high = lane->count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (lane->kept[middle % EVENTS_KEPT]->number > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct event *events_next(struct events *events, uint64_t after, uint32_t bits)
{
	struct event *first = NULL;

	pthread_mutex_lock(&events->lock);
	for (size_t name = 0; name < LANES; name++) {
		const struct lane *lane = &events->lanes[name];

		if (!(bits & (name == LANE_LOG ? (uint32_t)EVENT_LOG : (uint32_t)EVENT_ALL)))
			continue;
		for (uint64_t i = seek(lane, after); i < lane->count; i++) {
			struct event *event = lane->kept[i % EVENTS_KEPT];

			if (!(event->bit & bits))
				continue;
			first = !first || event->number < first->number ? event : first;
			break;
		}
	}
	if (first)
		atomic_fetch_add_explicit(&first->references, 1, memory_order_relaxed);
	pthread_mutex_unlock(&events->lock);
	return first;
}

uint64_t events_lost(struct events *events, uint64_t after, uint32_t bits)
{
	uint64_t until = 0;

	pthread_mutex_lock(&events->lock);
	if (bits & EVENT_ALL)
		until = events->lanes[LANE_EVENTS].dropped;
	if (bits & EVENT_LOG && events->lanes[LANE_LOG].dropped > until)
		until = events->lanes[LANE_LOG].dropped;
	pthread_mutex_unlock(&events->lock);
	return until > after ? until : 0;
}
