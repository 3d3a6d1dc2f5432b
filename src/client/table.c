/* table.c: see the header. */
#include "client/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"

void table_fini(struct table *table)
{
	free(table->schema);
	free(table->views);
	free(table->payload);
	memset(table, 0, sizeof(*table));
}

static int learn(struct table *table, struct enrg_error *err)
{
	struct enrg_schema *schema;
	int rc = ipc_decode_schema(table->route->schema_ipc, table->route->schema_bytes, &schema, err);

	if (rc < 0)
		return rc;
	table->views = calloc(schema->column_count, sizeof(*table->views));
	if (!table->views) {
		free(schema);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	table->schema = schema;
	return 0;
}

int table_read(struct table *table, struct observer *observer, const struct record *header, struct enrg_error *err)
{
	const struct observer_info *info = observer_info(observer);
	size_t bytes = (size_t)header->meta_bytes + header->body_bytes;
	const uint8_t *payload;
	int rc = table->schema ? 0 : learn(table, err);

	if (rc == 0)
		rc = observer_copy(observer, &payload, err);
	if (rc < 0)
		return rc;
	observer_swap(observer, &table->payload, &table->capacity);
	table->batch = (struct enrg_batch){.schema = table->schema,
		.columns = table->views,
		.source = info->source,
		.run = info->run,
		.tag = table->route->tag,
		.committed_ns = header->committed_ns};
	return ipc_decode_batch(table->schema, table->payload, bytes, table->views, &table->batch, err);
}
