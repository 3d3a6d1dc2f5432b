/* route.c: one table may have several routes, of different notes. */
#include "job/source/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"

static bool is_same_table(
	const struct stream_route *route, const struct stream_route *wanted, const struct enrg_schema *schema)
{
	struct enrg_schema *other = NULL;

	if (route->group != wanted->group || route->flags != wanted->flags || strcmp(route->tag, wanted->tag) != 0)
		return false;
	if (ipc_decode_schema(route->schema, route->schema_bytes, &other, NULL) < 0)
		return false;
	bool is_same = ipc_schema_equal(other, schema);
	free(other);
	return is_same;
}

/* Of the same table, from `from` on; UINT32_MAX: there is none. */
static uint32_t find_twin(
	const struct enrg_output *output, const struct stream_route *wanted, uint32_t from, uint32_t besides)
{
	struct stream_route route;

	for (uint32_t i = from; stream_find_route(output->set->params.stream, i, &route); i++)
		if (i != besides && is_same_table(&route, wanted, output->schema))
			return i;
	return UINT32_MAX;
}

/* A job that can't start again because it had changed its notes 250 times would be worse than notes that are old. */
static int keep_earlier(struct enrg_output *output, const struct stream_route *wanted, struct enrg_error *err)
{
	uint32_t twin = find_twin(output, wanted, 0, UINT32_MAX);

	if (twin == UINT32_MAX)
		return -ENOSPC;
	/* Said once: notes that change this often would make a flood of it. */
	if (output->set->params.process && !output->is_notes_told)
		process_alert(output->set->params.process, ENRG_WARNING,
			"%s: the new notes of this table are not passed on, it keeps its old ones: %s; its data are "
			"not "
			"concerned. Notes are for what hardly ever changes: make a column of what does",
			wanted->tag[0] ? wanted->tag : "a table", err ? err->text : "no room");
	output->is_notes_told = true;
	output->route = (uint16_t)twin;
	return 0;
}

int route_add(struct enrg_output *output, struct enrg_error *err)
{
	struct stream *stream = output->set->params.stream;
	const struct ipc_origin origin = {.source = output->set->params.source, .run = "", .tag = ""};
	struct enrg_error why = {0};
	void *schema;
	uint32_t schema_bytes;
	int rc = ipc_encode_schema(output->schema, &origin, &schema, &schema_bytes, err);

	if (rc < 0)
		return rc;
	const struct stream_route wanted = {.group = output->group,
		.tag = output->tag,
		.schema = schema,
		.schema_bytes = schema_bytes,
		.flags = output->schema->is_blob ? ROUTE_BLOB : 0};
	rc = stream_add_route(stream, &wanted, &output->route, &why);
	if (rc == -ENOSPC)
		rc = keep_earlier(output, &wanted, &why);
	if (rc < 0)
		rc = enrg_error_set(err, rc, "%s", why.text);
	for (uint32_t twin = 0; rc == 0; twin++) {
		twin = find_twin(output, &wanted, twin, output->route);
		if (twin == UINT32_MAX)
			break;
		stream_join_routes(stream, output->route, (uint16_t)twin);
	}
	free(schema);
	return rc;
}
