/* watch_table.h: what `enrgdaq watch` knows of one table of a source, and how it shows it. */
#ifndef CLI_WATCH_TABLE_H
#define CLI_WATCH_TABLE_H

#include <stdio.h>

#include "enrgdaq/batch.h"
#include "plane/observer.h"

struct watch_table {
	const struct observer_route *route; /* NULL: nothing has come from it yet */
	struct enrg_schema *schema;
	struct enrg_column_view *views;
	uint8_t *message; /* of the batch that is shown; NULL = none yet */
	struct enrg_batch batch;
	uint64_t seen, rows, bytes; /* since the last view */
	bool is_fresh;              /* the batch came since then */
};

/* Learns the columns of the table. ENRG_E_CORRUPT, -ENOMEM. */
int watch_table_init(struct watch_table *table, const struct observer_route *route, struct enrg_error *err);
void watch_table_fini(struct watch_table *table); /* takes zeroed memory */
/* Keeps a copy of the batch, whose last row is shown from now on. ENRG_E_CORRUPT: it is no such batch; -ENOMEM. */
int watch_table_keep(
	struct watch_table *table, const struct record *header, const uint8_t *payload, struct enrg_error *err);

struct watch_rates {
	double seconds; /* since the last view */
	double scale;   /* all batches of the stream to those that were looked at */
};

/* A head line with rates, then a line a column; lists as a sparkline of up to `width` characters in all. */
void watch_table_print(const struct watch_table *table, const struct watch_rates *rates, unsigned width, FILE *stream);
/* One object in one line. */
void watch_table_print_json(
	const struct watch_table *table, const struct watch_rates *rates, const char *source, FILE *stream);

#endif
