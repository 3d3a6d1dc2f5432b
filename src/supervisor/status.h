/* status.h: the state of a running system as one JSON object, and that object as a table. The table's reader may be
 * another process, of another version: it takes any JSON. Process: supervisor (format), `status` (print). */
#ifndef SUPERVISOR_STATUS_H
#define SUPERVISOR_STATUS_H

#include <jansson.h>
#include <stdio.h>

#include "supervisor/ledger.h"
#include "supervisor/roster.h"

struct status_context {
	const struct roster *roster;
	const struct ledger *ledger;
	const char *supervisor, *run, *phase, *config;
	uint64_t started_wall_ns, now_wall_ns;
	double interval_s;    /* until the next one is written */
	const json_t *alerts; /* array, or NULL */
	bool is_final;
};

/* New reference; NULL: out of memory. */
json_t *status_format(const struct status_context *context);
/* Head line, a line a job, a line a link, the state of the ledger. */
void status_print(const json_t *status, bool is_colored, FILE *stream);
/* "950 B", "12.3 kB", "4.5 MB", "1.2 GB" */
const char *status_format_bytes(double bytes, char ret_text[32]);
/* "3 jobs run, 12.3 MB/s in, 12.3 MB/s stored, 0.0 MB waiting". */
void status_summary(const json_t *status, char *ret_text, size_t text_bytes);

#endif
