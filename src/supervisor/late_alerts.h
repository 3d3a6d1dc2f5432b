/* late_alerts.h: the last alerts, for jobs that hear alerts and were not there when they were raised: an instance that
 * comes gets those that came since the last one ended, or since the supervisor began. Process: supervisor, main thread.
 */
#ifndef SUPERVISOR_LATE_ALERTS_H
#define SUPERVISOR_LATE_ALERTS_H

#include "bus/bus.h"

#define LATE_ALERTS_MAX 64u

struct late_alerts {
	uint32_t count, next;
	struct late_alert {
		uint64_t heard_ns;
		json_t *body; /* with the mark that it is late, and the id of the message that it was */
	} items[LATE_ALERTS_MAX];
	uint32_t listener_count;
	struct late_listener {
		char job[256];
		uint64_t gone_ns; /* when its last instance ended; UINT64_MAX = it is there */
	} * listeners;
};

void late_alerts_fini(struct late_alerts *late);
void late_alerts_keep(struct late_alerts *late, const struct envelope *envelope, uint64_t now_ns);
/* A job that hears alerts has ended. */
void late_alerts_note_end(struct late_alerts *late, const char *job, uint64_t now_ns);
/* One is ready: to its own topic. How many. */
uint32_t late_alerts_send(struct late_alerts *late, struct bus_client *client, const char *job);

#endif
