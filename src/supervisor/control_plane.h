/* control_plane.h: the supervisor's part of the control plane: the broker, its statistics going out, alerts of jobs coming
 * in. Process: supervisor, main thread (the broker forwards on its own). */
#ifndef SUPERVISOR_CONTROL_PLANE_H
#define SUPERVISOR_CONTROL_PLANE_H

#include <jansson.h>

#include "bus/bus.h"

#define COURIER_ALERTS_MAX 20u

struct courier {
	struct broker *broker;
	struct bus_client *client;
	json_t *alerts; /* the last ones: {time, severity, job, message} */
	uint64_t alert_count;
	char supervisor[256];
};

int courier_start(const char *publish_url, const char *subscribe_url, const char *supervisor,
	struct courier *ret_courier, struct enrg_error *err);
void courier_stop(struct courier *courier);
/* "combined_stats" on stats.combined.supervisor.<id>. */
void courier_publish(struct courier *courier, const json_t *status);
/* Takes what came in. Alerts are kept for status.json; the job that raised one has logged it already. */
void courier_collect(struct courier *courier);

#endif
