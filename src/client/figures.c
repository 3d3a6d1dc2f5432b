/* figures.c: see the header. */
#include "client/figures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 65536u /* of each kind; what is more is in the text alone */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* A count: what is no number, negative or out of range counts as 0. */
static uint64_t count_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	double number = json_number_value(value);

	if (json_is_integer(value))
		return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
	return number > 0 && number < 1.8e19 ? (uint64_t)number : 0;
}

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static uint32_t lines_of(const json_t *array)
{
	size_t count = json_array_size(array);

	return count < LINES_MAX ? (uint32_t)count : LINES_MAX;
}

static void fill_job(const json_t *json, struct statistics *statistics, struct enrg_job_status *ret_job)
{
	*ret_job = (struct enrg_job_status){.size = sizeof(*ret_job),
		.is_store = is_true(json, "is_store"),
		.name = text_of(json, "name"),
		.type = text_of(json, "type"),
		.file = text_of(json, "file"),
		.state = text_of(json, "state"),
		.reason = text_of(json, "reason"),
		.last_exit = text_of(json, "last_exit"),
		.pid = (int64_t)(count_of(json, "pid") & INT64_MAX),
		.acquires = json_is_boolean(json_object_get(json, "acquires")) ? is_true(json, "acquires") : -1};
	statistics_parse(json, STATISTICS_STATUS, statistics);
	statistics_show_status(statistics, ret_job);
	double memory_mb = statistics->values[STATISTIC_PRIVATE_MB].number;
	ret_job->memory_bytes = memory_mb > 0 && memory_mb < 1e12 ? (uint64_t)(memory_mb * 1e6) : 0;
}

static int fill_jobs(struct figures *figures, const json_t *jobs)
{
	uint32_t count = lines_of(jobs);

	figures->jobs = calloc(count + 1u, sizeof(*figures->jobs));
	figures->job_places = calloc(count + 1u, sizeof(struct enrg_job_status *));
	figures->job_statistics = calloc(count + 1u, sizeof(*figures->job_statistics));
	if (!figures->jobs || !figures->job_places || !figures->job_statistics)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		fill_job(json_array_get(jobs, i), &figures->job_statistics[i], &figures->jobs[i]);
		figures->job_places[i] = &figures->jobs[i];
	}
	figures->shown.job_count = count;
	figures->shown.jobs = figures->job_places;
	return 0;
}

static int fill_links(struct figures *figures, const json_t *links)
{
	uint32_t count = lines_of(links);

	figures->links = calloc(count + 1u, sizeof(*figures->links));
	figures->link_places = calloc(count + 1u, sizeof(struct enrg_link_status *));
	if (!figures->links || !figures->link_places)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const json_t *link = json_array_get(links, i);

		figures->links[i] = (struct enrg_link_status){.size = sizeof(struct enrg_link_status),
			.source = text_of(link, "source"),
			.store = text_of(link, "store"),
			.through = text_of(link, "through"),
			.backlog_batches = count_of(link, "backlog_batches"),
			.backlog_bytes = count_of(link, "backlog_bytes")};
		figures->link_places[i] = &figures->links[i];
	}
	figures->shown.link_count = count;
	figures->shown.links = figures->link_places;
	return 0;
}

static void fill_line(const json_t *source, const json_t *store, struct enrg_ledger_line *ret_line)
{
	*ret_line = (struct enrg_ledger_line){.size = sizeof(*ret_line),
		.is_accounted = is_true(store, "accounted"),
		.source = text_of(source, "source"),
		.store = text_of(store, "store"),
		.produced_batches = count_of(source, "produced_batches"),
		.produced_rows = count_of(source, "produced_rows"),
		.stored_batches = count_of(store, "stored_batches"),
		.stored_rows = count_of(store, "stored_rows"),
		.skipped_batches = count_of(store, "skipped_batches"),
		.set_aside_batches = count_of(store, "set_aside_batches"),
		.set_aside_rows = count_of(store, "set_aside_rows"),
		.in_flight_batches = count_of(store, "in_flight_batches"),
		.in_flight_bytes = count_of(store, "in_flight_bytes"),
		.dropped_rows = count_of(source, "dropped_rows"),
		.missing_batches = json_integer_value(json_object_get(store, "missing_batches")),
		.missing_rows = json_integer_value(json_object_get(store, "missing_rows"))};
}

static int fill_ledger(struct figures *figures, const json_t *sources)
{
	const json_t *source, *store;
	size_t i, k, count = 0;
	uint32_t used = 0;

	json_array_foreach((json_t *)sources, i, source) count += json_array_size(json_object_get(source, "stores"));
	count = count < LINES_MAX ? count : LINES_MAX;
	figures->ledger = calloc(count + 1u, sizeof(*figures->ledger));
	figures->ledger_places = calloc(count + 1u, sizeof(struct enrg_ledger_line *));
	if (!figures->ledger || !figures->ledger_places)
		return -ENOMEM;
	json_array_foreach((json_t *)sources, i, source)
	{
		json_array_foreach(json_object_get(source, "stores"), k, store)
		{
			if (used == count)
				break;
			fill_line(source, store, &figures->ledger[used]);
			figures->ledger_places[used] = &figures->ledger[used];
			used++;
		}
	}
	figures->shown.ledger_count = used;
	figures->shown.ledger = figures->ledger_places;
	return 0;
}

/* Rows that each policy of an input rejected, together. */
static uint64_t rejected_of(const json_t *input)
{
	json_t *policies = json_object_get(input, "rejected_rows"), *rows;
	const char *name;
	uint64_t sum = 0;

	json_object_foreach(policies, name, rows)
	{
		json_int_t count = json_integer_value(rows);

		sum += count > 0 ? (uint64_t)count : 0;
	}
	return sum;
}

static void fill_input(const json_t *processor, const json_t *input, struct enrg_processor_line *ret_line)
{
	*ret_line = (struct enrg_processor_line){.size = sizeof(*ret_line),
		.is_accounted = is_true(processor, "accounted"),
		.processor = text_of(processor, "processor"),
		.source = text_of(input, "job"),
		.tag = text_of(input, "tag"),
		.read_rows = count_of(input, "read_rows"),
		.in_rows = count_of(input, "in_rows"),
		.open_rows = count_of(input, "open_rows"),
		.rejected_rows = rejected_of(input)};
}

static int fill_processors(struct figures *figures, const json_t *processors)
{
	const json_t *processor, *input;
	size_t i, k, count = 0;
	uint32_t used = 0;

	json_array_foreach((json_t *)processors, i, processor) count +=
		json_array_size(json_object_get(processor, "inputs"));
	count = count < LINES_MAX ? count : LINES_MAX;
	figures->processors = calloc(count + 1u, sizeof(*figures->processors));
	figures->processor_places = calloc(count + 1u, sizeof(struct enrg_processor_line *));
	if (!figures->processors || !figures->processor_places)
		return -ENOMEM;
	json_array_foreach((json_t *)processors, i, processor)
	{
		json_array_foreach(json_object_get(processor, "inputs"), k, input)
		{
			if (used == count)
				break;
			fill_input(processor, input, &figures->processors[used]);
			figures->processor_places[used] = &figures->processors[used];
			used++;
		}
	}
	figures->shown.processor_count = used;
	figures->shown.processors = figures->processor_places;
	return 0;
}

static int fill_alarms(struct figures *figures, const json_t *alarms)
{
	uint32_t count = lines_of(alarms);

	figures->alarms = calloc(count + 1u, sizeof(*figures->alarms));
	figures->alarm_places = calloc(count + 1u, sizeof(struct enrg_alarm_status *));
	if (!figures->alarms || !figures->alarm_places)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const json_t *alarm = json_array_get(alarms, i);

		figures->alarms[i] = (struct enrg_alarm_status){.size = sizeof(struct enrg_alarm_status),
			.is_on = is_true(alarm, "on"),
			.is_acknowledged = is_true(alarm, "acknowledged"),
			.name = text_of(alarm, "key"),
			.job = text_of(alarm, "job"),
			.severity = text_of(alarm, "severity"),
			.message = text_of(alarm, "message"),
			.since_ns = count_of(alarm, "since_wall_ns"),
			.told = count_of(alarm, "told"),
			.muted_until_ns = count_of(alarm, "muted_until_wall_ns"),
			.mute_reason = text_of(alarm, "mute_reason")};
		figures->alarm_places[i] = &figures->alarms[i];
	}
	figures->shown.alarm_count = count;
	figures->shown.alarms = figures->alarm_places;
	return 0;
}

static void fill_run(struct figures *figures, const json_t *runs)
{
	const json_t *refused = json_object_get(runs, "refused");

	if (!json_is_object(runs) || json_is_false(json_object_get(runs, "control")))
		return;
	figures->run = (struct enrg_run_status){.size = sizeof(figures->run),
		.state = text_of(runs, "state"),
		.run = text_of(runs, "run"),
		.number = count_of(runs, "number"),
		.last_number = count_of(runs, "last_number"),
		.since_ns = count_of(runs, "since_wall_ns"),
		.began_ns = count_of(runs, "began_wall_ns"),
		.waits_for = text_of(runs, "waits_for"),
		.refused_run = text_of(refused, "run"),
		.refused_reason = text_of(refused, "reason"),
		.refused_ns = count_of(refused, "wall_ns"),
		.closing_run = text_of(runs, "closing"),
		.closing_waits_for = text_of(runs, "closing_waits_for"),
		.reason = text_of(runs, "reason"),
		.by = text_of(runs, "by"),
		.deadline_ns = count_of(runs, "deadline_wall_ns"),
		.type = text_of(runs, "type"),
		.description = text_of(runs, "description")};
	figures->shown.run_control = &figures->run;
}

static int64_t signed_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* A second is added, left out, or neither; TAI and UTC are some seconds apart. */
static int32_t small_of(const json_t *object, const char *key)
{
	int64_t value = signed_of(object, key);

	return value > INT32_MIN && value < INT32_MAX ? (int32_t)value : 0;
}

static void fill_clock(struct figures *figures, const json_t *clock)
{
	if (!json_is_object(clock))
		return;
	figures->clock = (struct enrg_host_clock){.size = sizeof(figures->clock),
		.is_locked = is_true(clock, "locked"),
		.offset_ns = signed_of(clock, "offset_ns"),
		.uncertainty_ns = signed_of(clock, "uncertainty_ns"),
		.frequency_ppm = number_of(clock, "frequency_ppm"),
		.tai_minus_utc_s = small_of(clock, "tai_minus_utc_s"),
		.leap = small_of(clock, "leap_pending")};
	figures->shown.clock = &figures->clock;
}

static void fill_whole(struct figures *figures, const json_t *json)
{
	figures->shown = (struct enrg_status){.size = sizeof(figures->shown),
		.is_accounted = is_true(json_object_get(json, "ledger"), "accounted"),
		.supervisor = text_of(json, "supervisor"),
		.run = text_of(json, "run"),
		.state = text_of(json, "state"),
		.version = text_of(json, "version"),
		.config = text_of(json, "config"),
		.since = text_of(json, "since"),
		.summary = text_of(json, "summary"),
		.age_s = number_of(json, "age_s"),
		.interval_s = number_of(json, "interval_s"),
		.json = figures->text};
}

int figures_init(struct figures *ret_figures, json_t *json, struct enrg_error *err)
{
	int rc = 0;

	memset(ret_figures, 0, sizeof(*ret_figures));
	ret_figures->json = json;
	if (!json_is_object(json))
		rc = enrg_error_set(err, ENRG_E_CORRUPT, "the state is not a JSON object");
	if (rc == 0 && !(ret_figures->text = json_dumps(json, JSON_COMPACT)))
		rc = -ENOMEM;
	if (rc == 0) {
		fill_whole(ret_figures, json);
		fill_run(ret_figures, json_object_get(json, "runs"));
		fill_clock(ret_figures, json_object_get(json, "clock"));
		rc = fill_jobs(ret_figures, json_object_get(json, "jobs"));
	}
	if (rc == 0)
		rc = fill_alarms(ret_figures, json_object_get(json, "alarms"));
	if (rc == 0)
		rc = fill_links(ret_figures, json_object_get(json, "links"));
	if (rc == 0)
		rc = fill_ledger(ret_figures, json_object_get(json_object_get(json, "ledger"), "sources"));
	if (rc == 0)
		rc = fill_processors(ret_figures, json_object_get(json_object_get(json, "ledger"), "processors"));
	if (rc == -ENOMEM)
		enrg_error_set(err, rc, "out of memory");
	if (rc < 0)
		figures_fini(ret_figures);
	return rc;
}

void figures_fini(struct figures *figures)
{
	json_decref(figures->json);
	free(figures->text);
	free(figures->jobs);
	free(figures->job_places);
	free(figures->job_statistics);
	free(figures->alarms);
	free(figures->alarm_places);
	free(figures->links);
	free(figures->link_places);
	free(figures->ledger);
	free(figures->ledger_places);
	free(figures->processors);
	free(figures->processor_places);
	memset(figures, 0, sizeof(*figures));
}
