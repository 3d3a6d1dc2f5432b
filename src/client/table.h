/* table.h: a table of a stream that is observed: its columns, and the batch that was read last. Plain memory. */
#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include "enrgdaq/batch.h"
#include "plane/observer.h"

struct table {
	const struct observer_route *route; /* the observer's; NULL: nothing has come from it yet */
	struct enrg_schema *schema;         /* NULL: nothing was read */
	struct enrg_column_view *views;
	uint8_t *payload; /* of the batch */
	uint64_t capacity;
	struct enrg_batch batch;
};

void table_fini(struct table *table); /* takes zeroed memory */
/* The record that `observer` gave last as a batch, copied and checked. -EOVERFLOW, ENRG_E_CORRUPT, -ESTALE, -ENOMEM. */
int table_read(struct table *table, struct observer *observer, const struct record *header, struct enrg_error *err);

#endif
