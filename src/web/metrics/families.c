/* families.c: see the header. */
#include "web/metrics/families.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "enrgdaq/statistics.h"

#define LABELS_MAX 5

static void begin(struct families *families, const char *family, enum family_type type, const char *help)
{
	exposition_begin(&families->exposition, family, type, help);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* NaN: there is none. */
static double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_boolean(value))
		return json_is_true(value);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* "in.rows"; NULL: there is none. */
static const json_t *find(const json_t *object, const char *path)
{
	char part[64];

	while (object && *path) {
		size_t bytes = strcspn(path, ".");
		if (bytes >= sizeof(part))
			return NULL;
		memcpy(part, path, bytes);
		part[bytes] = '\0';
		object = json_object_get(object, part);
		path += bytes + (path[bytes] == '.');
	}
	return object;
}

/* Whole numbers stay exact. */
static void put(struct families *families, const struct sample *sample, const json_t *value, double factor)
{
	if (json_is_integer(value) && factor == 1 && json_integer_value(value) >= 0)
		exposition_put_count(&families->exposition, sample, (uint64_t)json_integer_value(value));
	else if (json_is_number(value))
		exposition_put(&families->exposition, sample, json_number_value(value) * factor);
}

/* --- the system as a whole --- */

static void put_one(
	struct families *families, const char *family, enum family_type type, const char *help, double value)
{
	const struct label labels[] = {{"supervisor", families->supervisor}, {0}};

	if (isnan(value))
		return;
	begin(families, family, type, help);
	exposition_put(&families->exposition, &(struct sample){.labels = labels}, value);
}

static void put_build(struct families *families)
{
	const struct label labels[] = {{"version", version_text()}, {"commit", version_commit()}, {0}};

	begin(families, "enrgdaq_build_info", FAMILY_GAUGE, "which program this is; always 1");
	exposition_put_count(&families->exposition, &(struct sample){.labels = labels}, 1);
}

static void put_run(struct families *families)
{
	const json_t *runs = json_object_get(families->status, "runs");
	const char *state = text_of(runs, "state");
	bool is_on = !strcmp(state, "running") || !strcmp(state, "error");
	double began_ns = number_of(runs, "began_wall_ns");

	if (!runs)
		return;
	put_one(families, "enrgdaq_run_active", FAMILY_GAUGE, "1 while a run is on", is_on);
	put_one(families, "enrgdaq_run_number", FAMILY_GAUGE,
		"number of the run that is on, begins or ends; without one that of the last",
		number_of(runs, "number") > 0 ? number_of(runs, "number") : number_of(runs, "last_number"));
	if (number_of(runs, "number") > 0 && began_ns > 0)
		put_one(families, "enrgdaq_run_start_timestamp_seconds", FAMILY_GAUGE,
			"when that run was asked for, since 1970", began_ns / 1e9);
}

static void put_clock(struct families *families)
{
	const json_t *clock = json_object_get(families->status, "clock");

	put_one(families, "enrgdaq_clock_locked", FAMILY_GAUGE, "1 while the clock of the machine is synchronised",
		number_of(clock, "locked"));
	put_one(families, "enrgdaq_clock_offset_seconds", FAMILY_GAUGE,
		"how far it is off, as who synchronises it says", number_of(clock, "offset_ns") / 1e9);
}

static void put_system(struct families *families)
{
	put_one(families, "enrgdaq_supervisor_up", FAMILY_GAUGE,
		"1 while the supervisor runs and writes its state; without it nothing else is said of the system",
		families->is_there);
	put_one(families, "enrgdaq_status_age_seconds", FAMILY_GAUGE, "since the supervisor wrote its state last",
		families->age_s);
}

static void put_disks(struct families *families)
{
	const json_t *disks = json_object_get(families->status, "disks"), *disk;
	size_t i;

	if (!json_array_size(disks))
		return;
	begin(families, "enrgdaq_disk_free_bytes", FAMILY_GAUGE, "room that is left where stores write");
	json_array_foreach((json_t *)disks, i, disk)
	{
		const struct label labels[] = {
			{"supervisor", families->supervisor}, {"folder", text_of(disk, "path")}, {0}};
		put(families, &(struct sample){.labels = labels}, json_object_get(disk, "free_bytes"), 1);
	}
}

/* Of one kind and job: "silent/camera" is "silent" of `camera`; what else a name holds (a folder) is no label. */
struct alarm {
	char kind[64];
	const char *job, *severity;
};

static int compare_alarms(const void *a, const void *b)
{
	const struct alarm *one = a, *other = b;
	int order = strcmp(one->kind, other->kind);

	order = order ? order : strcmp(one->job, other->job);
	return order ? order : strcmp(one->severity, other->severity);
}

static void put_alarms(struct families *families)
{
	const json_t *list = json_object_get(families->status, "alarms"), *entry;
	struct alarm *alarms = calloc(json_array_size(list) + 1, sizeof(*alarms));
	size_t count = 0, i;

	if (!alarms)
		return;
	json_array_foreach((json_t *)list, i, entry)
	{
		const char *name = text_of(entry, *text_of(entry, "key") ? "key" : "name");
		if (!json_is_true(json_object_get(entry, "on")))
			continue;
		snprintf(alarms[count].kind, sizeof(alarms[count].kind), "%.*s", (int)strcspn(name, "/"), name);
		alarms[count].job = text_of(entry, "job");
		alarms[count++].severity = text_of(entry, "severity");
	}
	qsort(alarms, count, sizeof(*alarms), compare_alarms);
	if (count)
		begin(families, "enrgdaq_alarm_active", FAMILY_GAUGE, "alarms that are on, by kind");
	for (size_t from = 0, end; from < count; from = end) {
		const struct label labels[] = {{"supervisor", families->supervisor}, {"alarm", alarms[from].kind},
			{"daq_job", alarms[from].job}, {"severity", alarms[from].severity}, {0}};
		for (end = from + 1; end < count && !compare_alarms(&alarms[from], &alarms[end]); end++)
			;
		exposition_put_count(&families->exposition, &(struct sample){.labels = labels}, end - from);
	}
	free(alarms);
}

/* --- jobs --- */

static void label_job(const struct families *families, const json_t *job, struct label ret_labels[LABELS_MAX])
{
	ret_labels[0] = (struct label){"supervisor", families->supervisor};
	ret_labels[1] = (struct label){"daq_job", text_of(job, "name")};
	ret_labels[2] = (struct label){"daq_job_type", text_of(job, "type")};
	ret_labels[3] = (struct label){0};
}

static void put_statistic(struct families *families, const struct enrg_statistic *statistic)
{
	struct label labels[LABELS_MAX];
	const json_t *job;
	size_t i;

	json_array_foreach(json_object_get(families->status, "jobs"), i, job)
	{
		label_job(families, job, labels);
		put(families, &(struct sample){.more = statistic->label, .labels = labels}, find(job, statistic->json),
			statistic->metric_factor);
	}
}

static bool is_first(const char *metric, uint32_t before)
{
	for (uint32_t i = 0; i < before; i++) {
		const char *other = enrg_statistics_get(i)->metric;
		if (other && !strcmp(other, metric))
			return false;
	}
	return true;
}

static enum family_type type_of(const struct enrg_statistic *statistic)
{
	if (statistic->label && !strncmp(statistic->label, "quantile=", 9))
		return FAMILY_SUMMARY;
	return statistic->kind == ENRG_STATISTIC_COUNTER ? FAMILY_COUNTER : FAMILY_GAUGE;
}

/* Several statistics may be one metric, by a label: its samples have to stand together. */
static void put_statistics(struct families *families)
{
	uint32_t count = enrg_statistics_count();

	for (uint32_t i = 0; i < count; i++) {
		const struct enrg_statistic *first = enrg_statistics_get(i);
		if (!first->metric || !first->json || !is_first(first->metric, i))
			continue;
		begin(families, first->metric, type_of(first), first->help);
		for (uint32_t k = i; k < count; k++) {
			const struct enrg_statistic *other = enrg_statistics_get(k);
			if (other->metric && other->json && !strcmp(other->metric, first->metric))
				put_statistic(families, other);
		}
	}
}

static void put_histogram(struct families *families, const json_t *job)
{
	const json_t *buckets = json_object_get(job, "latency_buckets"), *bounds, *counts;
	struct label labels[LABELS_MAX];
	char more[64];
	size_t i;

	if (!buckets)
		return;
	label_job(families, job, labels);
	bounds = json_object_get(buckets, "at_most_s");
	counts = json_object_get(buckets, "batches");
	for (i = 0; i < json_array_size(bounds); i++) {
		snprintf(more, sizeof(more), "le=\"%g\"", json_number_value(json_array_get(bounds, i)));
		put(families, &(struct sample){"_bucket", more, labels}, json_array_get(counts, i), 1);
	}
	put(families, &(struct sample){"_bucket", "le=\"+Inf\"", labels}, json_object_get(buckets, "count"), 1);
	put(families, &(struct sample){"_sum", NULL, labels}, json_object_get(buckets, "sum_s"), 1);
	put(families, &(struct sample){"_count", NULL, labels}, json_object_get(buckets, "count"), 1);
}

/* Seconds that what waits for a store takes at its present pace; while it stores nothing, since when it stores nothing.
 */
static double lag_of(const json_t *job, double now_ns)
{
	double waiting = number_of(job, "backlog_bytes"), pace = number_of(json_object_get(job, "in"), "bytes_per_s");
	double last_ns = number_of(job, "last_in_ns");

	if (!(waiting > 0))
		return waiting; /* 0, or not known */
	if (pace > 0)
		return waiting / pace;
	last_ns = last_ns > 0 ? last_ns : number_of(job, "started_ns");
	return last_ns > 0 && now_ns > last_ns ? (now_ns - last_ns) / 1e9 : NAN;
}

static void put_jobs(struct families *families)
{
	const json_t *jobs = json_object_get(families->status, "jobs"), *job;
	double now_ns = number_of(json_object_get(families->status, "clock"), "wall_ns");
	struct label labels[LABELS_MAX];
	size_t i;

	begin(families, "enrgdaq_up", FAMILY_GAUGE, "1 while a process of the job runs");
	json_array_foreach((json_t *)jobs, i, job)
	{
		label_job(families, job, labels);
		exposition_put(&families->exposition, &(struct sample){.labels = labels}, number_of(job, "is_alive"));
	}
	begin(families, "enrgdaq_lag_seconds", FAMILY_GAUGE,
		"of a store: what waits for it, by its present pace; while it stores nothing, since when");
	json_array_foreach((json_t *)jobs, i, job)
	{
		label_job(families, job, labels);
		if (json_is_true(json_object_get(job, "is_store")))
			exposition_put(&families->exposition, &(struct sample){.labels = labels}, lag_of(job, now_ns));
	}
	begin(families, "enrgdaq_commit_latency_seconds", FAMILY_HISTOGRAM,
		"from the producer's commit of a batch to its writing by the store, of the whole run");
	json_array_foreach((json_t *)jobs, i, job) put_histogram(families, job);
	put_statistics(families);
}

/* --- the ledger --- */

struct account {
	const char *family;
	enum family_type type;
	const char *key, *help;
};

static void put_account(struct families *families, const struct account *account)
{
	const json_t *source, *store;
	size_t i, k;

	begin(families, account->family, account->type, account->help);
	json_array_foreach(json_object_get(json_object_get(families->status, "ledger"), "sources"), i, source)
		json_array_foreach(json_object_get(source, "stores"), k, store)
	{
		const struct label labels[] = {{"supervisor", families->supervisor},
			{"source", text_of(source, "source")}, {"store", text_of(store, "store")}, {0}};
		put(families, &(struct sample){.labels = labels}, json_object_get(store, account->key), 1);
	}
}

static void put_dropped(struct families *families)
{
	const json_t *source;
	size_t i;

	begin(families, "enrgdaq_dropped_rows_total", FAMILY_COUNTER,
		"rows that a source itself has left out, by a policy that it names");
	json_array_foreach(json_object_get(json_object_get(families->status, "ledger"), "sources"), i, source)
	{
		const struct label labels[] = {
			{"supervisor", families->supervisor}, {"source", text_of(source, "source")}, {0}};
		put(families, &(struct sample){.labels = labels}, json_object_get(source, "dropped_rows"), 1);
	}
}

static void put_ledger(struct families *families)
{
	static const struct account accounts[] = {
		{"enrgdaq_stored_batches_total", FAMILY_COUNTER, "stored_batches", "batches of a source in a store"},
		{"enrgdaq_stored_rows_total", FAMILY_COUNTER, "stored_rows", "rows of a source in a store"},
		{"enrgdaq_stored_bytes_total", FAMILY_COUNTER, "stored_bytes", "bytes of a source in a store"},
		{"enrgdaq_skipped_batches_total", FAMILY_COUNTER, "skipped_batches",
			"batches of a table that this store does not take"},
		{"enrgdaq_store_set_aside_rows_total", FAMILY_COUNTER, "set_aside_rows",
			"rows that ended their store again and again, and lie in a file now"},
		{"enrgdaq_in_flight_bytes", FAMILY_GAUGE, "in_flight_bytes", "bytes that a store has still to take"},
		{"enrgdaq_missing_batches", FAMILY_GAUGE, "missing_batches",
			"batches that are in no account: lost; negative: counted twice"},
	};

	put_one(families, "enrgdaq_ledger_closed", FAMILY_GAUGE, "1 while every batch of the run is accounted for",
		number_of(json_object_get(families->status, "ledger"), "accounted"));
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++)
		put_account(families, &accounts[i]);
	put_dropped(families);
}

/* --- this server --- */

static void put_server(struct families *families)
{
	const struct http_counts *http = families->http;
	const struct live_counts *live = families->live;
	struct label labels[] = {{"supervisor", families->supervisor}, {"code", NULL}, {0}};
	char code[16];

	begin(families, "enrgdaq_http_requests_total", FAMILY_COUNTER, "requests that were answered, by status");
	for (unsigned i = 100; http && i < 600; i++) {
		snprintf(code, sizeof(code), "%u", i);
		labels[1].value = code;
		if (http->answers[i])
			exposition_put_count(
				&families->exposition, &(struct sample){.labels = labels}, http->answers[i]);
	}
	if (http)
		put_one(families, "enrgdaq_http_connections", FAMILY_GAUGE, "connections that are open",
			(double)http->connections);
	if (!live)
		return;
	put_one(families, "enrgdaq_live_connections", FAMILY_GAUGE, "pages and programs that follow live",
		(double)live->sockets);
	put_one(families, "enrgdaq_scope_frames_total", FAMILY_COUNTER, "frames of waveforms that were sent",
		(double)live->frames_sent);
	put_one(families, "enrgdaq_scope_frames_skipped_total", FAMILY_COUNTER,
		"frames that nobody had room for; data are not touched by that", (double)live->frames_skipped);
}

void families_put(struct families *families)
{
	put_build(families);
	put_system(families);
	put_server(families);
	if (!families->is_there || !families->status)
		return;
	put_run(families);
	put_clock(families);
	put_disks(families);
	put_alarms(families);
	put_jobs(families);
	put_ledger(families);
}
