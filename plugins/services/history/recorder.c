/* recorder.c: see the header. */
#include "recorder.h"

#include <errno.h>
#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "level.h"
#include "rebuild.h"

#define NS_PER_S 1000000000ull
#define MINUTE_S 60u
#define RETRY    3u  /* seconds after a fault of the disk */
#define PARTS    16u /* a file has so much of the bound at the most */
#define CHECKS   50u /* so often within the bound it is looked what is there */

/* What the file that is being written says of a series. */
struct trace {
	uint64_t file; /* level.files */
	uint64_t second;
	bool holds;
	double value;
};

struct line {
	char *name, *unit;
	uint32_t flags, series;
	bool is_known;
	double last;
	/* of the present second */
	uint32_t count;
	double min, max, sum;
	/* of the present minute */
	uint32_t minute_seconds;
	double minute_min, minute_max, minute_sum;
	struct trace seconds, minutes;
};

struct recorder {
	struct recorder_params params;
	struct level seconds, minutes;
	struct line **lines;
	uint32_t count, room;
	void *names;             /* tree of lines */
	uint64_t second, minute; /* the present ones, s since 1970; 0: none yet */
	uint32_t pause;          /* seconds until it is tried again */
	uint64_t unchecked_bytes;
	struct bound_report report;
};

/* --- series ------------------------------------------------------------------------------------------------------ */

static int compare_lines(const void *left, const void *right)
{
	return strcmp(((const struct line *)left)->name, ((const struct line *)right)->name);
}

static void line_destroy(struct line *line)
{
	if (line) {
		free(line->name);
		free(line->unit);
	}
	free(line);
}

static struct line *line_create(struct recorder *recorder, const char *name, const char *unit, uint32_t flags)
{
	struct line *line = calloc(1, sizeof(*line));

	if (recorder->count == recorder->room) {
		uint32_t room = recorder->room ? 2 * recorder->room : 256;
		struct line **lines = realloc(recorder->lines, room * sizeof(struct line *));
		if (lines) {
			recorder->lines = lines;
			recorder->room = room;
		}
	}
	if (line) {
		line->name = strndup(name, ENRG_HISTORY_NAME_MAX);
		line->unit = strndup(unit, ENRG_HISTORY_UNIT_MAX);
		line->flags = flags;
		line->series = recorder->count;
	}
	if (!line || !line->name || !line->unit || recorder->count == recorder->room ||
		!tsearch(line, &recorder->names, compare_lines)) {
		line_destroy(line);
		return NULL;
	}
	return recorder->lines[recorder->count++] = line;
}

int64_t recorder_take(struct recorder *recorder, const char *name, const char *unit, uint32_t flags)
{
	struct line key = {.name = (char *)(uintptr_t)name};
	struct line **found = tfind(&key, &recorder->names, compare_lines);

	if (found)
		return (*found)->series;
	if (recorder->count >= RECORDER_SERIES_MAX)
		return -ENOSPC;
	struct line *line = line_create(recorder, name, unit, flags);
	return line ? (int64_t)line->series : -ENOMEM;
}

bool recorder_has(const struct recorder *recorder, const char *name)
{
	struct line key = {.name = (char *)(uintptr_t)name};

	return tfind(&key, &recorder->names, compare_lines) != NULL;
}

void recorder_end(struct recorder *recorder, uint32_t series)
{
	recorder->lines[series]->is_known = false;
}

void recorder_end_all(struct recorder *recorder)
{
	for (uint32_t i = 0; i < recorder->count; i++)
		recorder_end(recorder, i);
}

void recorder_set(struct recorder *recorder, uint32_t series, double value)
{
	struct line *line = recorder->lines[series];

	if (!isfinite(value)) {
		recorder_end(recorder, series);
		return;
	}
	line->min = line->count ? fmin(line->min, value) : value;
	line->max = line->count ? fmax(line->max, value) : value;
	line->sum = (line->count ? line->sum : 0) + value;
	line->count++;
	line->last = value;
	line->is_known = true;
}

uint32_t recorder_count_known(const struct recorder *recorder)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < recorder->count; i++)
		count += recorder->lines[i]->is_known;
	return count;
}

/* --- what is written of a level ---------------------------------------------------------------------------------- */

/* `value.seconds` 0: it is not known. What the file says already is not said again for 60 spans. */
static int write_value(struct level *level, const struct line *line, struct trace *trace,
	const struct enrg_history_value *value, uint64_t second)
{
	bool is_new = trace->file != level->files, holds = enrg_history_value_holds(value, level->span_s);

	if (is_new)
		trace->holds = false;
	if (!value->seconds && !trace->holds)
		return 0;
	if (holds && trace->holds && value->min >= trace->value && value->min <= trace->value &&
		second - trace->second < ENRG_HISTORY_HOLD * level->span_s)
		return 0;
	const struct enrg_history_name name = {line->series, line->flags, line->name, line->unit};
	int rc = is_new ? enrg_history_writer_name(level->writer, &name) : 0;
	if (rc == 0)
		rc = enrg_history_writer_put(level->writer, value);
	*trace = (struct trace){level->files, second, holds, value->min};
	return rc;
}

/* The mean of numbers that are all the same is that number, whatever rounding does. */
static double mean_of(double sum, uint32_t count, double min, double max)
{
	return fmin(fmax(sum / count, min), max);
}

static struct enrg_history_value second_of(const struct line *line)
{
	struct enrg_history_value value = {line->series, line->is_known, line->last, line->last, line->last};

	if (line->is_known && line->count) {
		value.min = line->min;
		value.max = line->max;
		value.mean = mean_of(line->sum, line->count, line->min, line->max);
	}
	return value;
}

static struct enrg_history_value minute_of(const struct line *line)
{
	struct enrg_history_value value = {.series = line->series, .seconds = line->minute_seconds};

	if (value.seconds) {
		value.min = line->minute_min;
		value.max = line->minute_max;
		value.mean = mean_of(line->minute_sum, line->minute_seconds, line->minute_min, line->minute_max);
	}
	return value;
}

static int check_bound(struct recorder *recorder, uint64_t more_bytes, struct enrg_error *err)
{
	const struct bound bound = {.folder = recorder->params.folder,
		.limit_bytes = recorder->params.limit_bytes,
		.seconds_number = recorder->seconds.writer ? recorder->seconds.part.number : 0,
		.minutes_number = recorder->minutes.writer ? recorder->minutes.part.number : 0};
	struct bound_report report;
	int rc = bound_keep(&bound, more_bytes, &report, err);

	recorder->unchecked_bytes = 0;
	report.early_seconds += recorder->report.early_seconds;
	report.early_minutes += recorder->report.early_minutes;
	recorder->report = report;
	return rc;
}

static int write_level(struct recorder *recorder, struct level *level, uint64_t second, struct enrg_error *err)
{
	uint64_t piece = recorder->params.limit_bytes / CHECKS;
	bool is_minute = level->span_s == MINUTE_S, is_new;
	int rc = level_open(level, second * NS_PER_S, &is_new, err);

	for (uint32_t i = 0; i < recorder->count && rc == 0; i++) {
		struct line *line = recorder->lines[i];
		const struct enrg_history_value value = is_minute ? minute_of(line) : second_of(line);

		rc = write_value(level, line, is_minute ? &line->minutes : &line->seconds, &value, second);
		if (rc < 0)
			enrg_error_set(err, rc, "%s: %s", line->name, enrg_error_name(rc));
	}
	if (rc == 0) {
		recorder->unchecked_bytes += enrg_history_writer_waiting(level->writer);
		if (is_new || recorder->unchecked_bytes > piece)
			rc = check_bound(recorder, 2 * piece + enrg_history_writer_waiting(level->writer), err);
	}
	if (rc == 0)
		rc = level_commit(level, second * NS_PER_S, err);
	if (rc < 0)
		level_close(level);
	return rc;
}

/* --- minutes ----------------------------------------------------------------------------------------------------- */

void recorder_add(struct recorder *recorder, uint32_t series, double min, double mean, double max)
{
	struct line *line = recorder->lines[series];

	if (line->minute_seconds >= MINUTE_S)
		return; /* the clock was set back within this minute */
	line->minute_min = line->minute_seconds ? fmin(line->minute_min, min) : min;
	line->minute_max = line->minute_seconds ? fmax(line->minute_max, max) : max;
	line->minute_sum = (line->minute_seconds ? line->minute_sum : 0) + mean;
	line->minute_seconds++;
}

static int end_minute(struct recorder *recorder, struct enrg_error *err)
{
	int rc = recorder->minute && !recorder->pause ? write_level(recorder, &recorder->minutes, recorder->minute, err)
						      : 0;

	for (uint32_t i = 0; i < recorder->count; i++)
		recorder->lines[i]->minute_seconds = 0;
	recorder->minute = 0;
	return rc;
}

int recorder_begin_minute(struct recorder *recorder, uint64_t minute, struct enrg_error *err)
{
	int rc = minute == recorder->minute ? 0 : end_minute(recorder, err);

	recorder->minute = minute;
	return rc;
}

/* --- seconds ----------------------------------------------------------------------------------------------------- */

static int end_second(struct recorder *recorder, struct enrg_error *err)
{
	uint64_t second = recorder->second;
	int rc = recorder_begin_minute(recorder, second / MINUTE_S * MINUTE_S, err);

	if (rc == 0 && !recorder->pause)
		rc = write_level(recorder, &recorder->seconds, second, err);
	for (uint32_t i = 0; i < recorder->count; i++) {
		struct line *line = recorder->lines[i];
		const struct enrg_history_value value = second_of(line);

		if (value.seconds)
			recorder_add(recorder, i, value.min, value.mean, value.max);
		line->count = 0;
	}
	return rc;
}

int recorder_turn(struct recorder *recorder, uint64_t second, struct enrg_error *err)
{
	if (second == recorder->second)
		return 0;
	bool is_first = !recorder->second;
	recorder->pause -= recorder->pause > 0;
	int rc = is_first ? 0 : end_second(recorder, err);
	if (rc == 0 && second / MINUTE_S * MINUTE_S != recorder->minute && !is_first)
		rc = recorder_begin_minute(recorder, second / MINUTE_S * MINUTE_S, err);
	recorder->second = second;
	if (rc < 0)
		recorder->pause = RETRY;
	return rc < 0 ? rc : !is_first && !recorder->pause;
}

void recorder_pause(struct recorder *recorder)
{
	recorder->pause = RETRY;
}

int recorder_sync(struct recorder *recorder, struct enrg_error *err)
{
	int rc = level_sync(&recorder->seconds, err), rc_minutes = level_sync(&recorder->minutes, rc < 0 ? NULL : err);

	return rc < 0 ? rc : rc_minutes;
}

void recorder_get_report(struct recorder *recorder, struct bound_report *ret_report)
{
	*ret_report = recorder->report;
	recorder->report = (struct bound_report){0};
}

/* --- begin and end ----------------------------------------------------------------------------------------------- */

void recorder_destroy(struct recorder *recorder)
{
	if (!recorder)
		return;
	level_close(&recorder->seconds);
	level_close(&recorder->minutes);
	for (uint32_t i = 0; i < recorder->count; i++) {
		tdelete(recorder->lines[i], &recorder->names, compare_lines);
		line_destroy(recorder->lines[i]);
	}
	free(recorder->lines);
	free(recorder);
}

int recorder_open(const struct recorder_params *params, struct recorder **ret_recorder, struct enrg_error *err)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	const struct level level = {.folder = params->folder,
		.supervisor = params->supervisor,
		.job = params->job,
		.part_bytes_max = params->limit_bytes / PARTS};

	if (!recorder)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	recorder->params = *params;
	recorder->seconds = recorder->minutes = level;
	recorder->seconds.span_s = 1;
	recorder->minutes.span_s = MINUTE_S;
	int rc = rebuild_minutes(recorder, params->folder, err);
	if (rc < 0)
		recorder_destroy(recorder);
	else
		*ret_recorder = recorder;
	return rc;
}

int recorder_finish(struct recorder *recorder, struct enrg_error *err)
{
	int rc = recorder->second ? end_second(recorder, err) : 0;

	if (rc == 0)
		rc = end_minute(recorder, err);
	return rc < 0 ? rc : recorder_sync(recorder, err);
}
