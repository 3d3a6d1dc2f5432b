/* feed.c: see the header. */
#include "feed.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "column/column.h"
#include "enrgdaq/history.h"
#include "enrgdaq/history_file.h"
#include "job_figures.h"

#define NS_PER_S     1000000000ull
#define LOOK_RECORDS 2000u /* at one look; what is more is left out */
#define JUDGE_NS     (5 * NS_PER_S)
#define WINDOW_NS    (60 * NS_PER_S)
#define KEEP_NS      (60 * NS_PER_S) /* for so long a value counts at the least */
#define KEEP_FACTOR  3u              /* or so many of the longest interval between two rows */
#define RETRY_NS     NS_PER_S
#define TABLES       256u /* of a stream: record.table is below */
#define NO_TAG       "data"
#define SLACK_ROWS   2u /* of a table that comes just as often as it may */

enum pace {
	PACE_NEW,  /* not known yet: its last row is kept */
	PACE_SLOW, /* recorded */
	PACE_FAST, /* left out */
};

struct column {
	uint32_t index, flags;
	int64_t series; /* of the recorder; negative: none */
	double value;   /* of the last row while the pace is not known */
	char *name;     /* of the series */
	char unit[ENRG_NAME_BYTES_MAX + 1];
};

/* One table of the stream. */
struct table {
	enum pace pace;
	bool is_known; /* it has come */
	uint64_t began_ns, window_ns, rows;
	uint64_t last_ns, interval_ns; /* of its batches */
	char *tag;                     /* NULL: none, or not known yet */
	struct column *columns;
	uint32_t count;
};

struct feed {
	struct enrg_job *job;
	struct recorder *recorder;
	const struct feed_rules *rules;
	char *source;
	struct enrg_stream *stream;
	uint32_t instance;
	uint64_t tried_ns;
	bool is_always; /* named by columns_of */
	bool is_told;   /* of series that there is no room for */
	struct table tables[TABLES];
};

const char *feed_source(const struct feed *feed)
{
	return feed->source;
}

struct feed *feed_create(
	struct enrg_job *job, struct recorder *recorder, const struct feed_rules *rules, const char *source)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	if (!feed || !(feed->source = strdup(source))) {
		free(feed);
		return NULL;
	}
	feed->job = job;
	feed->recorder = recorder;
	feed->rules = rules;
	for (size_t i = 0; i < rules->columns_of.count; i++)
		feed->is_always |= fnmatch(rules->columns_of.items[i], source, 0) == 0;
	return feed;
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

static void end_table(struct feed *feed, struct table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		if (table->columns[i].series >= 0)
			recorder_end(feed->recorder, (uint32_t)table->columns[i].series);
}

static void free_columns(struct table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		free(table->columns[i].name);
	free(table->columns);
	table->columns = NULL;
	table->count = 0;
}

static void forget_tables(struct feed *feed)
{
	for (uint32_t i = 0; i < TABLES; i++) {
		end_table(feed, &feed->tables[i]);
		free_columns(&feed->tables[i]);
		free(feed->tables[i].tag);
		feed->tables[i] = (struct table){0};
	}
}

void feed_destroy(struct feed *feed)
{
	if (!feed)
		return;
	forget_tables(feed);
	enrg_stream_close(feed->stream);
	free(feed->source);
	free(feed);
}

/* Which clock a table's times are those of is no history. */
static bool is_time(const struct enrg_schema *schema, const struct enrg_column *column)
{
	return enrg_type_is_time(column->type) || enrg_schema_note(schema, column->name, ENRG_NOTE_CLOCK) ||
	       !strcmp(column->name, "timestamp");
}

/* 0; -ENOMEM. */
static int add_column(struct feed *feed, struct table *table, const struct enrg_batch *batch, uint32_t index)
{
	const struct enrg_column *what = &batch->schema->columns[index];
	struct column *column = &table->columns[table->count];
	char *name;

	if (!column_is_number(batch->schema, index) || is_time(batch->schema, what))
		return 0;
	if (asprintf(&name, "%s/%s/%s", feed->source, table->tag ? table->tag : NO_TAG, what->name) < 0)
		return -ENOMEM;
	if (job_figures_is_excluded(feed->rules->exclude, name)) {
		free(name);
		return 0;
	}
	*column = (struct column){.index = index,
		.flags = what->type == ENRG_BOOL ? ENRG_HISTORY_YES_NO : 0,
		.series = -1,
		.value = NAN,
		.name = name};
	snprintf(column->unit, sizeof(column->unit), "%s", what->unit ? what->unit : "");
	table->count++;
	return 0;
}

/* Of a table that has come for the first time. */
static int find_columns(struct feed *feed, struct table *table, const struct enrg_batch *batch)
{
	int rc = 0;

	table->columns = calloc(batch->schema->column_count, sizeof(*table->columns));
	if (!table->columns)
		return -ENOMEM;
	table->tag = batch->tag[0] ? strdup(batch->tag) : NULL;
	for (uint32_t i = 0; i < batch->schema->column_count && rc == 0; i++)
		rc = add_column(feed, table, batch, i);
	return rc;
}

/* Two tables of one source may have one name: then the columns of the one that came first count. */
static bool is_taken(const struct feed *feed, const struct table *table, int64_t series)
{
	for (const struct table *other = feed->tables; other < feed->tables + TABLES; other++)
		for (uint32_t i = 0; other != table && i < other->count; i++)
			if (other->columns[i].series == series)
				return true;
	return false;
}

static int find_series(struct feed *feed, struct table *table, struct column *column)
{
	column->series = recorder_take(feed->recorder, column->name, column->unit, column->flags);
	if (column->series >= 0 && is_taken(feed, table, column->series))
		column->series = -EEXIST;
	if (column->series == -ENOSPC && !feed->is_told) {
		feed->is_told = true;
		enrg_job_alert(feed->job, ENRG_WARNING,
			"%s and what comes behind it is not recorded: %u series are the most. Narrow them by `exclude`",
			column->name, RECORDER_SERIES_MAX);
	}
	return column->series == -ENOMEM ? -ENOMEM : 0;
}

/* From now on it is recorded: first what its last row said. */
static int accept(struct feed *feed, struct table *table)
{
	int rc = 0;

	table->pace = PACE_SLOW;
	for (uint32_t i = 0; i < table->count && rc == 0; i++) {
		struct column *column = &table->columns[i];

		rc = find_series(feed, table, column);
		if (column->series >= 0)
			recorder_set(feed->recorder, (uint32_t)column->series, column->value);
	}
	return rc;
}

static void record_rows(struct feed *feed, const struct table *table, const struct enrg_batch *batch)
{
	for (uint32_t i = 0; i < table->count; i++)
		for (uint64_t row = 0; row < batch->rows && table->columns[i].series >= 0; row++)
			recorder_set(feed->recorder, (uint32_t)table->columns[i].series,
				column_number(batch, table->columns[i].index, row));
}

static void note_row(struct table *table, const struct enrg_batch *batch)
{
	for (uint32_t i = 0; i < table->count; i++)
		table->columns[i].value = column_number(batch, table->columns[i].index, batch->rows - 1);
}

/* --- how often they come ------------------------------------------------------------------------------------------ */

/* Also before its source was restarted. */
static bool was_recorded(const struct feed *feed, const struct table *table)
{
	bool was = table->pace == PACE_SLOW;

	for (uint32_t i = 0; i < table->count && !was; i++)
		was = recorder_has(feed->recorder, table->columns[i].name);
	return was;
}

static void leave_out(struct feed *feed, struct table *table)
{
	if (was_recorded(feed, table))
		enrg_job_alert(feed->job, ENRG_WARNING,
			"the table %s/%s comes more than %g times a second now: its columns are not recorded any more. "
			"Name the source in columns_of where they are to be",
			feed->source, table->tag ? table->tag : NO_TAG, feed->rules->slow_hz);
	end_table(feed, table);
	free_columns(table);
	table->pace = PACE_FAST;
}

/* Counts rows in windows: of the first seconds, then of a minute each. */
static void judge(struct feed *feed, struct table *table, uint64_t rows, uint64_t now_ns)
{
	uint64_t window_ns = table->pace == PACE_NEW ? JUDGE_NS : WINDOW_NS;

	if (now_ns - table->window_ns > window_ns) {
		table->window_ns = now_ns;
		table->rows = 0;
	}
	table->rows += rows;
	if (!feed->is_always &&
		(double)table->rows > feed->rules->slow_hz * (double)window_ns / (double)NS_PER_S + SLACK_ROWS)
		leave_out(feed, table);
}

static void note_time(struct table *table, uint64_t now_ns)
{
	if (!table->is_known)
		table->began_ns = table->window_ns = table->last_ns = now_ns;
	if (now_ns - table->last_ns > table->interval_ns)
		table->interval_ns = now_ns - table->last_ns;
	table->is_known = true;
	table->last_ns = now_ns;
}

static int take_record(struct feed *feed, const struct enrg_record *record, uint64_t now_ns)
{
	struct table *table = &feed->tables[record->table];
	const struct enrg_batch *batch;
	int rc = 0;

	if (record->is_gap || record->is_blob || !record->rows)
		return 0;
	note_time(table, now_ns);
	if (table->pace != PACE_FAST)
		judge(feed, table, record->rows, now_ns);
	if (table->pace == PACE_FAST || enrg_stream_read(feed->stream, &batch, NULL) < 0)
		return 0;
	if (!table->columns)
		rc = find_columns(feed, table, batch);
	if (rc == 0 && table->pace == PACE_NEW && feed->is_always)
		rc = accept(feed, table);
	if (rc == 0 && table->pace == PACE_SLOW)
		record_rows(feed, table, batch);
	else if (rc == 0)
		note_row(table, batch);
	return rc;
}

/* Those that have come seldom for long enough count from now on; those that come no more, no more. */
static int turn_tables(struct feed *feed, uint64_t now_ns)
{
	int rc = 0;

	for (uint32_t i = 0; i < TABLES && rc == 0; i++) {
		struct table *table = &feed->tables[i];
		uint64_t keep_ns =
			KEEP_FACTOR * table->interval_ns > KEEP_NS ? KEEP_FACTOR * table->interval_ns : KEEP_NS;

		if (table->pace == PACE_NEW && table->columns && now_ns - table->began_ns >= JUDGE_NS)
			rc = accept(feed, table);
		else if (table->pace == PACE_SLOW && now_ns - table->last_ns > keep_ns)
			end_table(feed, table);
	}
	return rc;
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static void open_stream(struct feed *feed, struct enrg_client *client, uint64_t now_ns)
{
	const struct enrg_stream_params params = {.size = sizeof(params), .source = feed->source};

	if (feed->tried_ns && now_ns - feed->tried_ns < RETRY_NS)
		return;
	feed->tried_ns = now_ns;
	enrg_stream_open(client, &params, &feed->stream, NULL); /* where it fails it is just coming or going */
}

int feed_look(struct feed *feed, struct enrg_client *client, uint64_t now_ns)
{
	const struct enrg_record *record;
	uint32_t count = 0;
	int rc = 0, found = 1;

	if (!feed->stream)
		open_stream(feed, client, now_ns);
	while (feed->stream && rc == 0 && found == 1 && count++ < LOOK_RECORDS) {
		found = enrg_stream_next(feed->stream, &record, NULL);
		if (found == 1 && record->instance != feed->instance) {
			forget_tables(feed); /* its tables have other numbers */
			feed->instance = record->instance;
		}
		if (found == 1)
			rc = take_record(feed, record, now_ns);
	}
	if (feed->stream && found == 1)
		enrg_stream_skip(feed->stream); /* it comes faster than it can be looked at */
	return rc < 0 ? rc : turn_tables(feed, now_ns);
}
