/* node_status.c: the status of the own system in the words of ENRGDAQ: jobs with their texts, and statistics by type.
 */
#include "web/node/node_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define STALE_S 30.0 /* nobody is to take that for the present */

static json_int_t integer_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* As a date, or null. */
static json_t *make_time(json_int_t wall_ns)
{
	char text[40];

	clock_format_local(wall_ns > 0 ? (uint64_t)wall_ns : 0, text);
	return text[0] ? json_string(text) : json_null();
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

/* Jobs that have ended and do not come again stand in no list of the Python program. */
static bool is_listed(const json_t *job)
{
	const char *state = text_of(job, "state");

	return strcmp(state, "done") != 0 && strcmp(state, "stopped") != 0;
}

static json_t *make_job(struct node *node, const json_t *job)
{
	const json_t *text = node_texts_find(&node->texts, node->system, job);
	json_t *topics = json_object_get(text, "topics");

	return json_pack("{s:s, s:s, s:I, s:s, s:o, s:o, s:O, s:s}", "daq_job_type", text_of(job, "type"), "unique_id",
		text_of(job, "name"), "instance_id", integer_of(job, "id"), "config", text_of(text, "text"),
		"subscribed_topics", topics ? json_incref(topics) : json_array(), "supervisor_info", node_info(node),
		"is_alive", json_object_get(job, "is_alive"), "state", text_of(job, "state"));
}

static json_t *make_jobs(struct node *node, const json_t *jobs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(jobs); i++)
		if (is_listed(json_array_get(jobs, i)))
			json_array_append_new(list, make_job(node, json_array_get(jobs, i)));
	return list;
}

/* `job` is the type there, since the Python program names none else; the name stands beside it. */
static json_t *make_schedules(const json_t *jobs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(jobs); i++) {
		const json_t *job = json_array_get(jobs, i);
		if (integer_of(job, "restart_due_ns"))
			json_array_append_new(list, json_pack("{s:s, s:o, s:s}", "job", text_of(job, "type"),
							    "restart_at", make_time(integer_of(job, "restart_due_ns")),
							    "unique_id", text_of(job, "name")));
	}
	return list;
}

/* --- statistics --------------------------------------------------------------------------------------------------- */

/* Of all jobs of a type. */
struct sums {
	json_int_t in, out, in_waiting, out_waiting, restarts, timed;
	json_int_t last_in_ns, last_out_ns, last_restart_ns;
	double min_ms, max_ms, sum_ms, p95_ms, p99_ms, cpu_percent, rss_mb;
	bool is_alive;
};

static json_int_t later_of(json_int_t a, json_int_t b)
{
	return a > b ? a : b;
}

static double larger_of(double a, double b)
{
	return a > b ? a : b;
}

static void add_latency(struct sums *sums, const json_t *latency)
{
	json_int_t count = integer_of(latency, "count");

	if (!count)
		return;
	if (!sums->timed || number_of(latency, "min") < sums->min_ms)
		sums->min_ms = number_of(latency, "min");
	sums->timed += count;
	sums->sum_ms += (double)count * number_of(latency, "avg");
	sums->max_ms = larger_of(sums->max_ms, number_of(latency, "max"));
	sums->p95_ms = larger_of(sums->p95_ms, number_of(latency, "p95"));
	sums->p99_ms = larger_of(sums->p99_ms, number_of(latency, "p99"));
}

static void add_job(struct sums *sums, const json_t *job)
{
	const json_t *in = json_object_get(job, "in"), *out = json_object_get(job, "out");
	bool consumes = json_is_true(json_object_get(job, "is_store")) || integer_of(in, "batches");

	sums->in += integer_of(in, "batches");
	sums->out += integer_of(out, "batches");
	*(consumes ? &sums->in_waiting : &sums->out_waiting) += integer_of(job, "backlog_batches");
	sums->restarts += integer_of(job, "restarts");
	sums->last_in_ns = later_of(sums->last_in_ns, integer_of(job, "last_in_ns"));
	sums->last_out_ns = later_of(sums->last_out_ns, integer_of(job, "last_out_ns"));
	if (integer_of(job, "restarts"))
		sums->last_restart_ns = later_of(sums->last_restart_ns, integer_of(job, "started_ns"));
	sums->cpu_percent += number_of(job, "cpu_percent");
	sums->rss_mb += number_of(job, "rss_mb");
	sums->is_alive = sums->is_alive && json_is_true(json_object_get(job, "is_alive"));
	add_latency(sums, json_object_get(job, "latency_ms"));
}

static json_t *make_record(json_int_t count, json_int_t wall_ns)
{
	return json_pack("{s:I, s:o}", "count", count, "last_updated", make_time(wall_ns));
}

static json_t *format_sums(const struct sums *sums, json_int_t now_ns)
{
	json_t *latency = json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count", sums->timed, "min_ms", sums->min_ms,
		"max_ms", sums->max_ms, "avg_ms", sums->timed ? sums->sum_ms / (double)sums->timed : 0.0, "p95_ms",
		sums->p95_ms, "p99_ms", sums->p99_ms);
	json_t *resources = json_pack("{s:f, s:f}", "cpu_percent", sums->cpu_percent, "rss_mb", sums->rss_mb);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "message_in_stats",
		make_record(sums->in, sums->last_in_ns), "message_out_stats", make_record(sums->out, sums->last_out_ns),
		"message_in_queue_stats", make_record(sums->in_waiting, now_ns), "message_out_queue_stats",
		make_record(sums->out_waiting, now_ns), "restart_stats",
		make_record(sums->restarts, sums->last_restart_ns), "latency_stats", latency, "resource_stats",
		resources, "is_alive", sums->is_alive);
}

static bool is_first_of_type(const json_t *jobs, size_t index)
{
	const char *type = text_of(json_array_get(jobs, index), "type");

	for (size_t i = 0; i < index; i++)
		if (!strcmp(text_of(json_array_get(jobs, i), "type"), type))
			return false;
	return true;
}

static json_t *make_statistics(const json_t *jobs, json_int_t now_ns)
{
	json_t *types = json_object();

	for (size_t i = 0; i < json_array_size(jobs); i++) {
		const char *type = text_of(json_array_get(jobs, i), "type");
		struct sums sums = {.is_alive = true};

		if (!is_first_of_type(jobs, i))
			continue;
		for (size_t k = i; k < json_array_size(jobs); k++)
			if (!strcmp(text_of(json_array_get(jobs, k), "type"), type))
				add_job(&sums, json_array_get(jobs, k));
		json_object_set_new(types, type, format_sums(&sums, now_ns));
	}
	return types;
}

/* Of the own supervisor: what its stores have taken and its sources have given. */
static json_t *make_remote(const json_t *totals, json_int_t now_ns)
{
	const json_t *in = json_object_get(totals, "stored"), *out = json_object_get(totals, "produced");

	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "message_in_count", integer_of(in, "batches"), "message_in_bytes",
		integer_of(in, "bytes"), "message_out_count", integer_of(out, "batches"), "message_out_bytes",
		integer_of(out, "bytes"), "last_active", make_time(now_ns));
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static json_t *make_status(struct node *node, const struct snapshot *snapshot)
{
	const json_t *jobs = json_object_get(snapshot->status, "jobs");
	const char *supervisor = system_settings(node->system)->supervisor_id;
	json_int_t now_ns = (json_int_t)(clock_wall_ns() - (clock_mono_ns() - snapshot->looked_ns));

	if (node->texts.count > json_array_size(jobs))
		node_texts_keep(&node->texts, jobs);
	return json_pack("{s:o, s:o, s:{s:o}, s:{s:o}, s:o}", "supervisor_info", node_info(node), "daq_jobs",
		make_jobs(node, jobs), "daq_job_stats", supervisor, make_statistics(jobs, now_ns),
		"daq_job_remote_stats", supervisor, make_remote(json_object_get(snapshot->status, "totals"), now_ns),
		"restart_schedules", make_schedules(jobs));
}

/* Of the state as it was written last; a second, 10 s apart at most. */
static double age_of(const struct snapshot *snapshot)
{
	return snapshot->age_s + (double)(clock_mono_ns() - snapshot->looked_ns) / 1e9;
}

/* Under the lock: all who ask at once wait for the first of them, who makes it for all. */
static int renew(struct node *node, struct enrg_error *err)
{
	struct snapshot *snapshot = system_hold_snapshot(node->system);
	int status = 200;

	if (!snapshot->is_there || !snapshot->status) {
		enrg_error_set(err, -EAGAIN, "the system is not there: %s",
			snapshot->reason[0] ? snapshot->reason : "it has not written its state yet");
		status = 503;
	} else if (age_of(snapshot) > STALE_S) {
		enrg_error_set(err, -ETIMEDOUT,
			"the supervisor has not written its state for %.0f s: it hangs, or the machine is overloaded",
			age_of(snapshot));
		status = 504;
	} else if (!node->status || node->status_at_ns != snapshot->looked_ns) {
		json_t *made = make_status(node, snapshot);
		char *text = json_dumps(made, JSON_COMPACT);
		struct web_bytes *bytes = text ? web_bytes_create(text, strlen(text)) : NULL;

		free(text);
		if (bytes) {
			json_decref(node->status);
			web_bytes_release(node->bytes);
			node->status = made;
			node->bytes = bytes;
			node->status_at_ns = snapshot->looked_ns;
		} else {
			json_decref(made);
			enrg_error_set(err, -ENOMEM, "out of memory");
			status = 503;
		}
	}
	snapshot_release(snapshot);
	return status;
}

struct web_bytes *node_hold_status(struct node *node, int *ret_status, struct enrg_error *err)
{
	struct web_bytes *bytes = NULL;

	pthread_mutex_lock(&node->lock);
	*ret_status = renew(node, err);
	if (*ret_status == 200)
		bytes = web_bytes_hold(node->bytes);
	pthread_mutex_unlock(&node->lock);
	return bytes;
}

int node_tell_status(struct node_call *call)
{
	struct enrg_error err = {0};
	json_t *status = NULL;

	pthread_mutex_lock(&call->node->lock);
	int rc = renew(call->node, &err);
	if (rc == 200)
		status = json_incref(call->node->status);
	pthread_mutex_unlock(&call->node->lock);
	if (rc != 200)
		return node_say(call, rc, "%s", err.text);
	call->answer = json_pack("{s:o}", "status", status);
	return 200;
}

int node_list_clients(struct node_call *call)
{
	call->answer = json_pack(
		"{s:{s:o}}", "clients", system_settings(call->node->system)->supervisor_id, node_info(call->node));
	return 200;
}
