/* events.h: what has happened, each with a number that only grows: the last 1,000 events, and beside them the last
 * 1,000 lines of the log, so that a busy log drives no alarm out. Any thread. Process: enrgdaq-web. */
#ifndef WEB_LIVE_EVENTS_H
#define WEB_LIVE_EVENTS_H

#include <jansson.h>
#include <stdatomic.h>

#include "enrgdaq/job.h"
#include "web/http/message.h"

enum { EVENTS_KEPT = 1000, EVENT_BYTES_MAX = 16384, EVENT_LOG_BYTES_MAX = 2000 };

enum event_bit { /* kinds, as bits of what somebody listens to */
	EVENT_SYSTEM = 1,
	EVENT_STATE = 2,
	EVENT_RUN = 4,
	EVENT_JOB = 8,
	EVENT_ALARM = 16,
	EVENT_ALERT = 32,
	EVENT_OTHER = 64,
	EVENT_LOG = 128,
	EVENT_STATUS = 256, /* is no event and kept nowhere: the newest counts */
};
#define EVENT_ALL (EVENT_SYSTEM | EVENT_STATE | EVENT_RUN | EVENT_JOB | EVENT_ALARM | EVENT_ALERT | EVENT_OTHER)

/* "all", "job", "log" …; 0: no such kind. */
uint32_t event_bits_parse(const char *name);

struct event { /* never changes */
	atomic_uint references;
	uint64_t number;
	uint32_t bit;
	enum enrg_level level; /* of a log line, with the two below */
	char process[128];
	char *message;
	struct web_bytes *bytes; /* as it is sent */
};
void event_release(struct event *event); /* takes NULL */

struct events;
struct events *events_create(void); /* NULL: out of memory */
void events_destroy(struct events *events);

/* An object with the member `event`, its kind; gets `type`, `number` and `at`. Steals. */
void events_add(struct events *events, json_t *event);
struct event_log_line {
	enum enrg_level level;
	const char *time, *process, *message;
};
void events_add_log(struct events *events, const struct event_log_line *line);

uint64_t events_last(struct events *events); /* its number; 0: none yet */
/* The first behind `after` of one of these kinds; a reference. NULL: there is none. */
struct event *events_next(struct events *events, uint64_t after, uint32_t bits);
/* Of these kinds events behind `after` are not kept any more: up to which number; 0: all are there. */
uint64_t events_lost(struct events *events, uint64_t after, uint32_t bits);

#endif
