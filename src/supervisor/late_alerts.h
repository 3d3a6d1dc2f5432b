/* late_alerts.h: the last alerts, for jobs that hear alerts and were not there when they were raised: an instance that
 * comes gets those that came since the last one ended, or since the supervisor began. They stand in alerts.jsonl of the
 * runtime folder too, so that the supervisor that comes after a killed one has them. Process: supervisor, main thread.
 */
#ifndef SUPERVISOR_LATE_ALERTS_H
#define SUPERVISOR_LATE_ALERTS_H

#include "bus/bus.h"

#define LATE_ALERTS_MAX 64u

struct late_alerts {
	uint32_t count, next;
	struct late_alert {
		uint64_t heard_ns, sent_wall_ns;
		char job[256]; /* that sent it */
		json_t *body;  /* with the mark that it is late, and the id of the message that it was */
	} items[LATE_ALERTS_MAX];
	uint32_t listener_count;
	struct late_listener {
		char job[256];
		uint64_t gone_ns; /* when its last instance ended; UINT64_MAX = it is there */
	} * listeners;
	char path[600]; /* of the file; "" = none */
	int file;       /* lines are appended to it; -1 = it could not be opened */
	uint32_t lines;
	bool is_failing; /* and it has been said */
};

void late_alerts_fini(struct late_alerts *late);
/* Reads what a killed supervisor had, and writes down what comes from now on. */
void late_alerts_open(struct late_alerts *late, const char *folder, uint64_t now_ns);
/* Writes one of the two down. */
void late_alerts_note(struct late_alerts *late, const struct late_alert *alert, const struct late_listener *listener);
/* Made where it is not known yet: then it has missed all. NULL: out of memory. */
struct late_listener *late_alerts_find_listener(struct late_alerts *late, const char *job);
/* From the oldest on; `index` below count. */
const struct late_alert *late_alerts_get(const struct late_alerts *late, uint32_t index);
/* The run has ended in order. */
void late_alerts_drop(const char *folder);

void late_alerts_keep(struct late_alerts *late, const struct envelope *envelope, uint64_t now_ns);
/* A job that hears alerts has ended. */
void late_alerts_note_end(struct late_alerts *late, const char *job, uint64_t now_ns);
/* One is ready: to its own topic. How many. */
uint32_t late_alerts_send(struct late_alerts *late, struct bus_client *client, const char *job);

#endif
