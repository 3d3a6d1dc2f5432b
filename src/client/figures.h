/* figures.h: a status object as typed structs. It may come from another version of the program, or from somebody else:
 * any JSON is taken. Plain memory. */
#ifndef CLIENT_FIGURES_H
#define CLIENT_FIGURES_H

#include <jansson.h>

#include "enrgdaq/client.h"
#include "handover/statistics.h"

struct figures {
	struct enrg_status shown;
	json_t *json; /* the texts of `shown` are those in it */
	char *text;
	struct enrg_run_status run;
	struct enrg_host_clock clock;
	struct enrg_alarm_status *alarms;
	const struct enrg_alarm_status **alarm_places;
	struct enrg_job_status *jobs;
	const struct enrg_job_status **job_places;
	struct statistics *job_statistics; /* one a job */
	struct enrg_link_status *links;
	const struct enrg_link_status **link_places;
	struct enrg_ledger_line *ledger;
	const struct enrg_ledger_line **ledger_places;
	struct enrg_processor_line *processors;
	const struct enrg_processor_line **processor_places;
};

/* Takes the reference, in any case. -ENOMEM; ENRG_E_CORRUPT: not an object. */
int figures_init(struct figures *ret_figures, json_t *json, struct enrg_error *err);
void figures_fini(struct figures *figures); /* takes zeroed memory */

#endif
