/* v1_history.c: what the recorder DAQJobHistory has kept: which series, and their values in at most as many bins as are
 * asked for. Files alone are read; the disk that they lie on may hang, so few workers may wait for it. */
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "enrgdaq/client.h"
#include "enrgdaq/history.h"
#include "web/api/routes.h"

#define READING_MAX 2u
#define POINTS_MAX  10000
#define CELLS_MAX   400000u /* points of all series of an answer: some 20 MB of JSON */
#define SERIES_MAX  64
#define HOUR_NS     3600000000000ll

static atomic_uint reading;

/* --- from query to history --- */

/* -ENOENT: nothing is recorded; -EEXIST: by several; -EAGAIN … */
static int open_history(const struct call *call, struct enrg_history **ret_history, struct enrg_error *err)
{
	struct enrg_client *client = NULL;
	const char *folder = NULL;
	int rc = enrg_client_open(system_settings(call->web->system)->supervisor_id, &client, err);

	if (!rc)
		rc = enrg_history_find(client, &folder, err);
	else if (rc == -ENOENT)
		rc = -EAGAIN;
	if (!rc)
		rc = enrg_history_open(folder, ret_history, err);
	enrg_client_close(client);
	return rc;
}

static enum call_outcome refuse(struct call *call, int rc, const struct enrg_error *err)
{
	int status = rc == -ENOENT ? 404 : rc == -EEXIST ? 409 : rc == -EINVAL || rc == -E2BIG ? 422 : 503;

	return call_refuse(call, status, "%s", err->text);
}

/* Opens, reads, closes. */
static enum call_outcome with_history(
	struct call *call, int (*read)(struct call *call, struct enrg_history *history, struct enrg_error *err))
{
	struct enrg_history *history = NULL;
	struct enrg_error err = {0};
	int rc;

	if (atomic_fetch_add_explicit(&reading, 1, memory_order_relaxed) >= READING_MAX)
		rc = enrg_error_set(
			&err, -EBUSY, "the history is being read for others, or its disk does not answer: ask again");
	else
		rc = open_history(call, &history, &err);
	if (!rc)
		rc = read(call, history, &err);
	enrg_history_close(history);
	atomic_fetch_sub_explicit(&reading, 1, memory_order_relaxed);
	return rc < 0 ? refuse(call, rc, &err) : CALL_ANSWERED;
}

/* --- which series --- */

struct series_query {
	const char *pattern;
};

static const struct enrg_option series_options[] = {
	{.key = "pattern",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct series_query, pattern),
		.default_value = "\"*\"",
		.help = "A name, or with * and ?; * also stands for /."},
	{0},
};
static const struct enrg_table series_table = {.size = sizeof(struct series_query), .options = series_options};

static int list_series(struct call *call, struct enrg_history *history, struct enrg_error *err)
{
	const struct series_query *query = call->query;
	struct enrg_history_list *list = NULL;
	int rc = enrg_history_list_series(history, query->pattern, &list, err);

	if (rc < 0)
		return rc;
	json_t *series = json_array();
	for (uint32_t i = 0; i < list->count; i++) {
		const struct enrg_history_entry *entry = list->entries[i];
		json_array_append_new(
			series, json_pack("{s:s, s:s, s:b, s:b, s:I, s:I}", "name", entry->name, "unit", entry->unit,
					"counter", (entry->flags & ENRG_HISTORY_COUNTER) != 0, "yes_no",
					(entry->flags & ENRG_HISTORY_YES_NO) != 0, "first_ns",
					(json_int_t)entry->first_ns, "last_ns", (json_int_t)entry->last_ns));
	}
	enrg_history_list_destroy(list);
	call_json(call, 200, json_pack("{s:o}", "series", series));
	return 0;
}

static enum call_outcome get_series(struct call *call)
{
	return with_history(call, list_series);
}

/* --- values --- */

struct values_query {
	struct enrg_string_list series;
	int64_t from_ns, to_ns, points;
};

static const struct enrg_option values_options[] = {
	{.key = "series",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = offsetof(struct values_query, series),
		.required = true,
		.help = "Names or patterns; said again for each, at most 64."},
	{.key = "from_ns",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct values_query, from_ns),
		.default_value = "0",
		.min = 0,
		.max = 9e18,
		.help = "ns since 1970; 0: an hour before the end."},
	{.key = "to_ns",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct values_query, to_ns),
		.default_value = "0",
		.min = 0,
		.max = 9e18,
		.help = "ns since 1970; 0: now."},
	{.key = "points",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct values_query, points),
		.default_value = "500",
		.min = 1,
		.max = POINTS_MAX,
		.help = "At most so many bins, such as the plot has pixels."},
	{0},
};
static const struct enrg_table values_table = {.size = sizeof(struct values_query), .options = values_options};

/* What would come: refused before it is read. */
static int judge_size(struct enrg_history *history, const struct enrg_history_query *query, struct enrg_error *err)
{
	uint64_t count = 0;

	for (const char *const *pattern = query->patterns; *pattern; pattern++) {
		struct enrg_history_list *list = NULL;
		int rc = enrg_history_list_series(history, *pattern, &list, err);
		if (rc < 0)
			return rc;
		count += list->count;
		enrg_history_list_destroy(list);
	}
	if (count * query->points <= CELLS_MAX)
		return 0;
	return enrg_error_set(err, -E2BIG, "%llu series of %u points are more than %u values: ask for fewer",
		(unsigned long long)count, query->points, CELLS_MAX);
}

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *format_series(const struct enrg_history_series *series, uint32_t count)
{
	json_t *min = json_array(), *mean = json_array(), *max = json_array(), *seconds = json_array();

	for (uint32_t i = 0; i < count; i++) {
		const struct enrg_history_point *point = &series->points[i];
		json_array_append_new(min, number(point->min));
		json_array_append_new(mean, number(point->mean));
		json_array_append_new(max, number(point->max));
		json_array_append_new(seconds, json_real(isfinite(point->seconds) ? point->seconds : 0));
	}
	return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o}", "name", series->name, "unit", series->unit,
		"counter", (series->flags & ENRG_HISTORY_COUNTER) != 0, "yes_no",
		(series->flags & ENRG_HISTORY_YES_NO) != 0, "min", min, "mean", mean, "max", max, "seconds", seconds);
}

static int read_values(struct call *call, struct enrg_history *history, struct enrg_error *err)
{
	const struct values_query *query = call->query;
	const char *patterns[SERIES_MAX + 1] = {NULL};
	uint64_t to_ns = query->to_ns ? (uint64_t)query->to_ns : clock_wall_ns();
	uint64_t before_ns = to_ns > HOUR_NS ? to_ns - HOUR_NS : 0;
	struct enrg_history_result *result = NULL;
	struct enrg_history_query wanted = {.size = sizeof(wanted),
		.points = (uint32_t)query->points,
		.patterns = patterns,
		.from_ns = query->from_ns ? (uint64_t)query->from_ns : before_ns,
		.to_ns = to_ns};

	if (!query->series.count || query->series.count > SERIES_MAX)
		return enrg_error_set(err, -EINVAL, "series: 1 to %d names were expected", SERIES_MAX);
	if (wanted.from_ns >= wanted.to_ns)
		return enrg_error_set(err, -EINVAL, "from_ns: a time before to_ns was expected");
	for (size_t i = 0; i < query->series.count; i++)
		patterns[i] = query->series.items[i];
	int rc = judge_size(history, &wanted, err);
	if (!rc)
		rc = enrg_history_read(history, &wanted, &result, err);
	if (rc < 0)
		return rc;
	json_t *series = json_array();
	for (uint32_t i = 0; i < result->series_count; i++)
		json_array_append_new(series, format_series(result->series[i], result->point_count));
	json_t *answer = json_pack("{s:I, s:I, s:I, s:o}", "from_ns", (json_int_t)result->from_ns, "step_ns",
		(json_int_t)result->step_ns, "points", (json_int_t)result->point_count, "series", series);
	enrg_history_result_destroy(result);
	call_json(call, 200, answer);
	return 0;
}

static enum call_outcome get_values(struct call *call)
{
	return with_history(call, read_values);
}

/* --- the table --- */

#define HISTORY_ANSWERS                                                                                                \
	{404, "#Error", "nothing is recorded: the system has no DAQJobHistory"},                                       \
	{                                                                                                              \
		409, "#Error", "several recorders write a history each"                                                \
	}

static const struct route_answer series_answers[] = {{200, "#HistoryList", "by name"}, HISTORY_ANSWERS, {0}};
static const struct route_answer values_answers[] = {
	{200, "#History", "equal bins; null where nothing is known"}, HISTORY_ANSWERS, {0}};

const struct route v1_history_routes[] = {
	{.method = WEB_GET,
		.path = "/api/v1/history/series",
		.least = ACCESS_VISITOR,
		.operation = "listHistory",
		.tag = "history",
		.summary = "What is recorded",
		.query = &series_table,
		.answers = series_answers,
		.handle = get_series},
	{.method = WEB_GET,
		.path = "/api/v1/history",
		.least = ACCESS_VISITOR,
		.operation = "getHistory",
		.tag = "history",
		.summary = "Minimum, mean and maximum of recorded series in a time",
		.query = &values_table,
		.answers = values_answers,
		.handle = get_values},
	{0},
};
