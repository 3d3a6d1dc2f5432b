/* snapshot.c: made on the thread that looks; read everywhere. */
#include "web/system/snapshot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/system/graph.h"

/* What answers begin with: how old it is, and whether anybody is there. Without the final brace. */
static json_t *make_head(const struct snapshot *snapshot)
{
	char at[32];
	double age_s = snapshot->age_s;

	clock_format_utc(clock_wall_ns(), at, sizeof(at));
	json_t *head =
		json_pack("{sbsssssn}", "is_there", snapshot->is_there, "at", at, "reason", snapshot->reason, "age_s");
	if (head && snapshot->status && isfinite(age_s))
		json_object_set_new(head, "age_s", json_real(age_s));
	return head;
}

static struct web_bytes *render(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	struct web_bytes *bytes = text ? web_bytes_create(text, strlen(text)) : NULL;

	free(text);
	return bytes;
}

static struct web_bytes *render_status(const struct snapshot *snapshot)
{
	json_t *head = make_head(snapshot);
	int rc = !head;

	if (!rc)
		rc = snapshot->status ? json_object_set(head, "system", snapshot->status)
				      : json_object_set_new(head, "system", json_null());
	struct web_bytes *bytes = rc ? NULL : render(head);
	json_decref(head);
	return bytes;
}

static struct web_bytes *render_graph(const struct snapshot *snapshot)
{
	json_t *head = make_head(snapshot), *graph = graph_make(snapshot->status);
	int rc = !head || !graph || json_object_update(head, graph);
	struct web_bytes *bytes = rc ? NULL : render(head);

	json_decref(graph);
	json_decref(head);
	return bytes;
}

/* What this look brought, else what there was, as much older. */
static void take(struct snapshot *snapshot, const struct snapshot *before, const struct snapshot_look *look)
{
	json_error_t problem;

	snapshot->looked_ns = clock_mono_ns();
	snapshot->is_there = look->is_there;
	snprintf(snapshot->reason, sizeof(snapshot->reason), "%s", look->reason ? look->reason : "");
	snapshot->status = look->json ? json_loads(look->json, 0, &problem) : NULL;
	if (json_is_object(snapshot->status)) {
		snapshot->at_ns = snapshot->looked_ns;
		snapshot->age_s = look->age_s;
		return;
	}
	json_decref(snapshot->status);
	snapshot->status = before ? json_incref(before->status) : NULL;
	snapshot->at_ns = before ? before->at_ns : 0;
	snapshot->age_s = before ? before->age_s + (double)(snapshot->looked_ns - before->looked_ns) / 1e9 : 0.0;
}

struct snapshot *snapshot_create(const struct snapshot *before, const struct snapshot_look *look)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot)
		return NULL;
	atomic_init(&snapshot->references, 1);
	take(snapshot, before, look);
	snapshot->bytes = render_status(snapshot);
	snapshot->graph = render_graph(snapshot);
	if (snapshot->bytes && snapshot->graph)
		return snapshot;
	snapshot_release(snapshot);
	return NULL;
}

struct snapshot *snapshot_hold(struct snapshot *snapshot)
{
	atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
	return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
	/* acq_rel: whoever frees sees all that others did with it before they let go */
	if (!snapshot || atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) > 1)
		return;
	json_decref(snapshot->status);
	web_bytes_release(snapshot->bytes);
	web_bytes_release(snapshot->graph);
	free(snapshot);
}
