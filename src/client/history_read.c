/* history_read.c: minimum, mean and maximum of series in equal bins. Process: whoever looks from outside. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/history.h"

#define NS_PER_S   1000000000ull
#define COARSE_S   300u /* bins from here on are made of minutes */
#define UNSEEN     UINT32_MAX
#define UNWANTED   (UINT32_MAX - 1)
#define SERIES_MAX (UINT32_MAX - 2)

struct series {
	struct enrg_history_series shown;  /* its name and unit are one piece */
	struct enrg_history_point *points; /* while it is read: `mean` is the sum */
};

struct result {
	struct enrg_history_result shown;
	struct series *series;
	uint32_t room;
	const struct enrg_history_series **places;
};

/* A time for which a level has files of its own. */
struct interval {
	uint64_t from_ns, to_ns;
};

struct reading {
	const struct enrg_history *history;
	const struct enrg_history_query *query;
	struct result *result;
	struct history_names *names;
	struct interval *seconds; /* that seconds cover: minutes are not taken there */
	uint32_t seconds_count;
	bool is_coarse;
	uint64_t minutes_to_ns; /* behind the last minute that was taken */
};

/* A series of one file that is wanted: what holds of it now. */
struct held {
	uint32_t series; /* of the result */
	bool is_known;
	uint64_t time_ns;
	struct enrg_history_value value;
};

struct helds {
	uint32_t *slots; /* by the file's number of the series: an index of items, or UNSEEN, UNWANTED */
	uint32_t slot_count;
	struct held *items;
	uint32_t count, room;
};

/* --- bins -------------------------------------------------------------------------------------------------------- */

static uint64_t divide_up(uint64_t over, uint64_t by)
{
	return over / by + (over % by != 0);
}

/* As fine as `points` allows, in whole seconds, from a minute on in whole minutes. */
static void set_bins(const struct enrg_history_query *query, struct enrg_history_result *ret_result)
{
	uint64_t unit_ns = NS_PER_S, step_ns, from_ns;

	step_ns = divide_up(divide_up(query->to_ns - query->from_ns, query->points), unit_ns) * unit_ns;
	if (step_ns >= 60 * NS_PER_S) {
		unit_ns = 60 * NS_PER_S;
		step_ns = divide_up(step_ns, unit_ns) * unit_ns;
	}
	from_ns = query->from_ns / unit_ns * unit_ns;
	while (divide_up(query->to_ns - from_ns, step_ns) > query->points)
		step_ns += unit_ns;
	ret_result->from_ns = from_ns;
	ret_result->step_ns = step_ns;
	ret_result->point_count = (uint32_t)divide_up(query->to_ns - from_ns, step_ns);
}

/* `part`: of the span of a value. */
static void add(struct result *result, uint32_t series, const struct interval *part, uint32_t span_s,
	const struct enrg_history_value *value)
{
	uint64_t end_ns = part->to_ns, from_ns = result->shown.from_ns, step_ns = result->shown.step_ns;
	uint64_t at_ns = part->from_ns > from_ns ? part->from_ns : from_ns;

	for (uint64_t bin; at_ns < end_ns && (bin = (at_ns - from_ns) / step_ns) < result->shown.point_count;) {
		struct enrg_history_point *point = &result->series[series].points[bin];
		uint64_t behind_ns = from_ns + (bin + 1) * step_ns;
		double seconds = (double)((end_ns < behind_ns ? end_ns : behind_ns) - at_ns) / (double)NS_PER_S *
				 value->seconds / span_s;

		point->min = point->seconds > 0 ? fmin(point->min, value->min) : value->min;
		point->max = point->seconds > 0 ? fmax(point->max, value->max) : value->max;
		point->mean += value->mean * seconds;
		point->seconds += seconds;
		at_ns = behind_ns;
	}
}

/* --- series ------------------------------------------------------------------------------------------------------ */

static bool is_wanted(const struct enrg_history_query *query, const char *name)
{
	for (const char *const *pattern = query->patterns; *pattern; pattern++)
		if (history_matches(*pattern, name))
			return true;
	return false;
}

static int make_series(struct result *result, const struct enrg_history_name *name)
{
	size_t bytes = strlen(name->name) + 1;

	if (result->shown.series_count == result->room) {
		uint32_t room = result->room ? 2 * result->room : 16;
		struct series *series = realloc(result->series, room * sizeof(*series));
		if (!series)
			return -ENOMEM;
		result->series = series;
		result->room = room;
	}
	struct enrg_history_point *points = calloc(result->shown.point_count, sizeof(*points));
	char *text = malloc(bytes + strlen(name->unit) + 1);
	if (!points || !text) {
		free(points);
		free(text);
		return -ENOMEM;
	}
	memcpy(text, name->name, bytes);
	strcpy(text + bytes, name->unit);
	result->series[result->shown.series_count++] = (struct series){.points = points,
		.shown = {.size = sizeof(struct enrg_history_series),
			.flags = name->flags,
			.name = text,
			.unit = text + bytes,
			.points = points}};
	return 0;
}

/* Negative: -ENOMEM, -E2BIG. */
static int64_t take_series(struct reading *reading, const struct enrg_history_name *name)
{
	struct result *result = reading->result;
	int64_t index = history_names_take(reading->names, name->name, result->shown.series_count);

	if (index < 0 || index < (int64_t)result->shown.series_count)
		return index;
	if ((uint64_t)(result->shown.series_count + 1) * result->shown.point_count > ENRG_HISTORY_CELLS_MAX ||
		result->shown.series_count >= SERIES_MAX)
		return -E2BIG;
	return make_series(result, name) < 0 ? -ENOMEM : index;
}

/* --- a file ------------------------------------------------------------------------------------------------------ */

static int make_slots(struct helds *helds, uint32_t count)
{
	if (count <= helds->slot_count)
		return 0;
	uint32_t *slots = realloc(helds->slots, count * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = helds->slot_count; i < count; i++)
		slots[i] = UNSEEN;
	helds->slots = slots;
	helds->slot_count = count;
	return 0;
}

/* A series that is seen for the first time in this file. */
static int find_slot(
	struct reading *reading, const struct enrg_history_file *file, struct helds *helds, uint32_t series)
{
	const struct enrg_history_name *name = enrg_history_file_name(file, series);

	helds->slots[series] = UNWANTED;
	if (!name || !is_wanted(reading->query, name->name))
		return 0;
	int64_t index = take_series(reading, name);
	if (index < 0)
		return (int)index;
	if (helds->count == helds->room) {
		uint32_t room = helds->room ? 2 * helds->room : 16;
		struct held *items = realloc(helds->items, room * sizeof(*items));
		if (!items)
			return -ENOMEM;
		helds->items = items;
		helds->room = room;
	}
	helds->items[helds->count] = (struct held){.series = (uint32_t)index};
	helds->slots[series] = helds->count++;
	return 0;
}

static int take_block(struct reading *reading, const struct enrg_history_file *file,
	const struct enrg_history_block *block, struct helds *helds)
{
	int rc = make_slots(helds, enrg_history_file_series_end(file));

	for (uint32_t i = 0; i < block->count && rc == 0; i++) {
		const struct enrg_history_value *value = &block->values[i];

		if (helds->slots[value->series] == UNSEEN)
			rc = find_slot(reading, file, helds, value->series);
		if (rc < 0 || helds->slots[value->series] == UNWANTED)
			continue;
		struct held *held = &helds->items[helds->slots[value->series]];
		held->is_known = value->seconds > 0;
		held->time_ns = block->time_ns;
		held->value = *value;
	}
	return rc;
}

/* Where seconds are taken in place of a minute. False: for all of it; else *part ends where they begin. */
static bool cut_covered(const struct reading *reading, struct interval *part)
{
	for (uint32_t i = 0; i < reading->seconds_count; i++) {
		const struct interval *seconds = &reading->seconds[i];

		if (part->from_ns >= seconds->to_ns || part->to_ns <= seconds->from_ns)
			continue;
		if (seconds->from_ns <= part->from_ns)
			return false;
		part->to_ns = seconds->from_ns;
	}
	return true;
}

/* Is it asked for, and does no other level have it? */
static bool is_of_interest(struct reading *reading, uint32_t span_s, struct interval *part)
{
	if (part->to_ns <= reading->result->shown.from_ns || part->from_ns >= reading->query->to_ns)
		return false;
	if (span_s == 1)
		return !reading->is_coarse || part->from_ns >= reading->minutes_to_ns;
	reading->minutes_to_ns = part->to_ns > reading->minutes_to_ns ? part->to_ns : reading->minutes_to_ns;
	return reading->is_coarse || cut_covered(reading, part);
}

static void add_block(struct reading *reading, uint64_t time_ns, uint32_t span_s, struct helds *helds)
{
	struct interval part = {time_ns, time_ns + span_s * NS_PER_S};
	bool is_counted = is_of_interest(reading, span_s, &part);
	bool is_cut = part.to_ns < time_ns + span_s * NS_PER_S;

	for (uint32_t i = 0; i < helds->count; i++) {
		struct held *held = &helds->items[i];

		if (!held->is_known)
			continue;
		if (held->time_ns != time_ns &&
			(!enrg_history_value_holds(&held->value, span_s) || time_ns < held->time_ns ||
				time_ns - held->time_ns > ENRG_HISTORY_HOLD * span_s * NS_PER_S))
			held->is_known = false;
		else if (is_counted && (!is_cut || held->value.seconds == span_s)) /* which part is known is not said */
			add(reading->result, held->series, &part, span_s, &held->value);
	}
}

static int read_file(struct reading *reading, struct enrg_history_file *file)
{
	uint32_t span_s = enrg_history_file_span_s(file);
	uint64_t back_ns = ENRG_HISTORY_HOLD * span_s * NS_PER_S, from_ns = reading->result->shown.from_ns;
	struct enrg_history_block block;
	struct helds helds = {0};
	int rc;

	while ((rc = enrg_history_file_next(file, from_ns > back_ns ? from_ns - back_ns : 0, &block)) == 1) {
		rc = take_block(reading, file, &block, &helds);
		if (rc < 0)
			break;
		add_block(reading, block.time_ns, span_s, &helds);
	}
	free(helds.slots);
	free(helds.items);
	return rc;
}

/* --- all files --------------------------------------------------------------------------------------------------- */

static int read_level(struct reading *reading, const struct enrg_history_part *parts, uint32_t count, uint32_t span_s)
{
	struct enrg_history_file *file;
	int rc = 0;

	for (uint32_t i = 0; i < count && rc == 0; i++) {
		if (parts[i].span_s != span_s || parts[i].to_ns <= reading->result->shown.from_ns ||
			parts[i].from_ns >= reading->query->to_ns)
			continue;
		rc = history_open_part(reading->history, &parts[i], &file);
		if (rc == 0)
			rc = read_file(reading, file);
		enrg_history_file_close(file);
		rc = rc == -ENOENT ? 0 : rc; /* the recorder has just removed it */
	}
	return rc;
}

/* Where the seconds reach back to. */
static int find_seconds(struct reading *reading, const struct enrg_history_part *parts, uint32_t count)
{
	struct enrg_history_file *file;

	reading->seconds = calloc(count + 1u, sizeof(*reading->seconds));
	if (!reading->seconds)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		if (parts[i].span_s != 1 || history_open_part(reading->history, &parts[i], &file) < 0)
			continue;
		reading->seconds[reading->seconds_count++] =
			(struct interval){enrg_history_file_begin_ns(file), parts[i].to_ns};
		enrg_history_file_close(file);
	}
	return 0;
}

static int read_all(struct reading *reading, struct enrg_error *err)
{
	struct enrg_history_part *parts;
	uint32_t count;
	int rc = enrg_history_parts_list(reading->history->folder, &parts, &count, err);

	if (rc < 0)
		return rc;
	if (!reading->is_coarse)
		rc = find_seconds(reading, parts, count);
	if (rc == 0)
		rc = read_level(reading, parts, count, 60);
	if (rc == 0)
		rc = read_level(reading, parts, count, 1);
	free(parts);
	free(reading->seconds);
	if (rc == -E2BIG)
		return enrg_error_set(
			err, rc, "more than %u points in all: ask for fewer series or points", ENRG_HISTORY_CELLS_MAX);
	return rc < 0 ? enrg_error_set(err, rc, "out of memory") : 0;
}

/* --- the result -------------------------------------------------------------------------------------------------- */

static void series_fini(struct series *series)
{
	free((void *)(uintptr_t)series->shown.name);
	free(series->points);
}

static bool finish_series(struct series *series, uint32_t count)
{
	bool is_known = false;

	for (uint32_t i = 0; i < count; i++) {
		struct enrg_history_point *point = &series->points[i];

		is_known |= point->seconds > 0;
		if (point->seconds > 0)
			point->mean = fmin(fmax(point->mean / point->seconds, point->min), point->max);
		else
			*point = (struct enrg_history_point){NAN, NAN, NAN, 0};
	}
	return is_known;
}

static int compare_series(const void *left, const void *right)
{
	return strcmp(((const struct series *)left)->shown.name, ((const struct series *)right)->shown.name);
}

static int finish(struct result *result)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < result->shown.series_count; i++) {
		if (finish_series(&result->series[i], result->shown.point_count))
			result->series[kept++] = result->series[i];
		else
			series_fini(&result->series[i]);
	}
	result->shown.series_count = kept;
	result->places = calloc(kept + 1u, sizeof(struct enrg_history_series *));
	if (!result->places)
		return -ENOMEM;
	if (kept)
		qsort(result->series, kept, sizeof(*result->series), compare_series);
	for (uint32_t i = 0; i < kept; i++)
		result->places[i] = &result->series[i].shown;
	result->shown.size = sizeof(result->shown);
	result->shown.series = (const struct enrg_history_series *const *)result->places;
	return 0;
}

void enrg_history_result_destroy(struct enrg_history_result *shown)
{
	struct result *result = (struct result *)shown; /* its first member */

	if (!result)
		return;
	for (uint32_t i = 0; i < result->shown.series_count; i++)
		series_fini(&result->series[i]);
	free(result->series);
	free(result->places);
	free(result);
}

int enrg_history_read(struct enrg_history *history, const struct enrg_history_query *query,
	struct enrg_history_result **ret_result, struct enrg_error *err)
{
	struct reading reading = {.history = history, .query = query};

	if (query->size < sizeof(*query) || !query->patterns || !query->points ||
		query->points > ENRG_HISTORY_POINTS_MAX)
		return enrg_error_set(err, -EINVAL, "1 to %u points were expected", ENRG_HISTORY_POINTS_MAX);
	if (query->from_ns >= query->to_ns || query->to_ns > INT64_MAX)
		return enrg_error_set(err, -EINVAL, "the time ends before it begins");
	reading.result = calloc(1, sizeof(*reading.result));
	reading.names = history_names_create();
	int rc = reading.result && reading.names ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0) {
		set_bins(query, &reading.result->shown);
		reading.is_coarse = reading.result->shown.step_ns >= COARSE_S * NS_PER_S;
		rc = read_all(&reading, err);
	}
	if (rc == 0 && finish(reading.result) < 0)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	history_names_destroy(reading.names);
	if (rc < 0)
		enrg_history_result_destroy(&reading.result->shown);
	else
		*ret_result = &reading.result->shown;
	return rc;
}
