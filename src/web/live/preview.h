/* preview.h: the newest batch of each table of a source, as JSON: read beside its stores, as it comes. Any thread; it
 * waits. Process: enrgdaq-web. */
#ifndef WEB_LIVE_PREVIEW_H
#define WEB_LIVE_PREVIEW_H

#include <jansson.h>

#include "enrgdaq/client.h"

enum { PREVIEW_ROWS_MAX = 100, PREVIEW_WAIT_MS_MAX = 5000, PREVIEW_TABLES_MAX = 16 };

struct preview_params {
	const char *supervisor, *source;
	uint32_t rows;    /* of each table, the last ones */
	uint32_t tables;  /* comes back when there are batches of so many */
	uint32_t wait_ms; /* or after so long, with what there is */
};

/* New reference to {"source", "run", "waited_ms", "tables": […]}. -ENOENT: no such source; -EAGAIN: the system is not
 * there; -ENOMEM. */
int preview_make(const struct preview_params *params, json_t **ret_preview, struct enrg_error *err);
/* A table of it; new reference, NULL: out of memory. */
json_t *preview_batch(const struct enrg_batch *batch, uint32_t rows);

#endif
