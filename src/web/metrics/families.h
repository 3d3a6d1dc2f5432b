/* families.h: what there is to say of a system, as families of metrics. docs/metrics.md lists them. One thread.
 * Process: enrgdaq-web. */
#ifndef WEB_METRICS_FAMILIES_H
#define WEB_METRICS_FAMILIES_H

#include <jansson.h>
#include <stdbool.h>

#include "web/http/server.h"
#include "web/live/live.h"
#include "web/metrics/exposition.h"

/* What one rendering is made of; all of it is borrowed. */
struct families {
	struct exposition exposition;
	const char *supervisor;
	bool is_there;        /* its figures are those of now */
	double age_s;         /* NaN: never seen */
	const json_t *status; /* object of `status --json`; NULL: none */
	const struct http_counts *http;
	const struct live_counts *live;
};

/* Where the system is not there, its figures are left out rather than shown old. */
void families_put(struct families *families);

#endif
