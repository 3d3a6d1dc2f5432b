/* graph.c: from the jobs and links of a status. Any thread. */
#include "web/system/graph.h"

#include <stdbool.h>
#include <string.h>

/* Of `from` what has that name, or null. */
static int copy(json_t *to, const char *key, const json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);

	return value ? json_object_set(to, key, value) : json_object_set_new(to, key, json_null());
}

static const char *role_of(const json_t *job)
{
	const json_t *in = json_object_get(json_object_get(job, "in"), "batches");
	bool reads = json_integer_value(in) > 0;

	if (json_is_true(json_object_get(job, "is_store")))
		return "store";
	if (json_object_get(job, "ring_bytes"))
		return reads ? "processor" : "source";
	return reads ? "observer" : "service";
}

static json_t *make_node(const json_t *job)
{
	json_t *node = json_object();
	const json_t *in = json_object_get(job, "in"), *out = json_object_get(job, "out");
	int rc = !node;

	rc = rc || copy(node, "name", job, "name") || copy(node, "type", job, "type");
	rc = rc || json_object_set_new(node, "role", json_string(role_of(job)));
	rc = rc || copy(node, "state", job, "state") || copy(node, "reason", job, "reason");
	rc = rc || copy(node, "in_bytes_per_s", in, "bytes_per_s") || copy(node, "in_rows_per_s", in, "rows_per_s");
	rc = rc || copy(node, "out_bytes_per_s", out, "bytes_per_s") || copy(node, "out_rows_per_s", out, "rows_per_s");
	rc = rc || copy(node, "backlog_bytes", job, "backlog_bytes") ||
	     copy(node, "backlog_batches", job, "backlog_batches");
	if (!rc)
		return node;
	json_decref(node);
	return NULL;
}

static const json_t *find_job(const json_t *jobs, const char *name)
{
	size_t i;
	const json_t *job;

	json_array_foreach(jobs, i, job)
	{
		const char *own = json_string_value(json_object_get(job, "name"));
		if (own && name && !strcmp(own, name))
			return job;
	}
	return NULL;
}

/* What a source sends goes over each of its links whole, so that the rate of a link is that of its source. */
static json_t *make_edge(const json_t *link, const json_t *jobs)
{
	const json_t *source = find_job(jobs, json_string_value(json_object_get(link, "source")));
	const json_t *out = json_object_get(source, "out");
	json_t *edge = json_object();
	int rc = !edge;

	rc = rc || copy(edge, "from", link, "source") || copy(edge, "to", link, "store") ||
	     copy(edge, "through", link, "through");
	rc = rc || copy(edge, "bytes_per_s", out, "bytes_per_s") || copy(edge, "rows_per_s", out, "rows_per_s") ||
	     copy(edge, "batches_per_s", out, "batches_per_s");
	rc = rc || copy(edge, "backlog_bytes", link, "backlog_bytes") ||
	     copy(edge, "backlog_batches", link, "backlog_batches");
	if (!rc)
		return edge;
	json_decref(edge);
	return NULL;
}

json_t *graph_make(const json_t *status)
{
	const json_t *jobs = json_object_get(status, "jobs"), *links = json_object_get(status, "links"), *item;
	json_t *nodes = json_array(), *edges = json_array();
	json_t *graph = json_pack("{soso}", "nodes", nodes, "edges", edges);
	int rc = !graph;
	size_t i;

	json_array_foreach(jobs, i, item) rc = rc || json_array_append_new(nodes, make_node(item));
	json_array_foreach(links, i, item) rc = rc || json_array_append_new(edges, make_edge(item, jobs));
	if (!rc)
		return graph;
	json_decref(graph);
	return NULL;
}
