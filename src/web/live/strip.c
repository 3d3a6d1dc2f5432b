/* strip.c: see the header. */
#include "web/live/strip.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct strip {
	uint32_t columns[ASK_COLUMNS_MAX], column_count;
	uint32_t room, count, next; /* a ring of `room` rows */
	double *times_ns;           /* since 1970 */
	float *values;              /* column by column */
	double *shown_times_ns;     /* in their order, since the first */
	float *shown;
};

void strip_destroy(struct strip *strip)
{
	if (!strip)
		return;
	free(strip->times_ns);
	free(strip->values);
	free(strip->shown_times_ns);
	free(strip->shown);
	free(strip);
}

static struct strip *create(uint32_t column_count, uint32_t room)
{
	struct strip *strip = calloc(1, sizeof(*strip));

	if (!strip)
		return NULL;
	strip->room = room;
	strip->column_count = column_count;
	strip->times_ns = calloc(room, sizeof(double));
	strip->shown_times_ns = calloc(room, sizeof(double));
	strip->values = calloc((size_t)room * column_count, sizeof(float));
	strip->shown = calloc((size_t)room * column_count, sizeof(float));
	if (strip->times_ns && strip->shown_times_ns && strip->values && strip->shown)
		return strip;
	strip_destroy(strip);
	return NULL;
}

static bool is_shown(const struct enrg_column *column)
{
	return enrg_type_is_number(column->type) && strcmp(column->name, "timestamp") != 0 &&
	       strcmp(column->name, "real_ns_timestamp") != 0;
}

uint32_t strip_find(
	const struct feed_request *request, const struct enrg_schema *schema, uint32_t ret_columns[ASK_COLUMNS_MAX])
{
	uint32_t count = 0;

	for (uint32_t i = 0; !request->column_count && i < schema->column_count && count < ASK_COLUMNS_MAX; i++)
		if (is_shown(&schema->columns[i]))
			ret_columns[count++] = i;
	for (uint32_t k = 0; k < request->column_count; k++) {
		uint32_t i = 0;

		while (i < schema->column_count && strcmp(schema->columns[i].name, request->columns[k]) != 0)
			i++;
		if (i == schema->column_count || !enrg_type_is_number(schema->columns[i].type))
			return 0;
		ret_columns[count++] = i;
	}
	return count;
}

/* Where the rows have their times, and what one step of it is in ns; else all have that of the batch. */
struct strip_time {
	uint32_t column;
	double step_ns;
};

static struct strip_time find_time(const struct enrg_schema *schema)
{
	struct waves_layout layout;

	waves_find(schema, NULL, &layout);
	if (layout.time != WAVES_NO_COLUMN)
		return (struct strip_time){layout.time, 1};
	for (uint32_t i = 0; i < schema->column_count; i++)
		if (!strcmp(schema->columns[i].name, "timestamp") && schema->columns[i].unit &&
			!strcmp(schema->columns[i].unit, "ms"))
			return (struct strip_time){i, 1e6};
	return (struct strip_time){WAVES_NO_COLUMN, 1};
}

static double time_of(const struct enrg_batch *batch, const struct strip_time *time, uint64_t row)
{
	double value = waves_number(batch, time->column, row);

	return isnan(value) ? (double)batch->acquired_ns : value * time->step_ns;
}

int strip_add(struct feed *feed, const struct enrg_batch *batch)
{
	uint32_t columns[ASK_COLUMNS_MAX], count = strip_find(&feed->request, batch->schema, columns);
	const struct strip_time time = find_time(batch->schema);

	if (!count)
		return 0;
	if (feed->strip && feed->strip->column_count != count) {
		strip_destroy(feed->strip); /* the table has changed */
		feed->strip = NULL;
	}
	if (!feed->strip)
		feed->strip = create(count, feed->request.points);
	struct strip *strip = feed->strip;
	if (!strip)
		return -ENOMEM;
	for (uint64_t row = batch->rows > strip->room ? batch->rows - strip->room : 0; row < batch->rows; row++) {
		strip->times_ns[strip->next] = time_of(batch, &time, row);
		for (uint32_t i = 0; i < count; i++)
			strip->values[(size_t)i * strip->room + strip->next] =
				(float)waves_number(batch, columns[i], row);
		strip->next = (strip->next + 1) % strip->room;
		strip->count += strip->count < strip->room;
	}
	memcpy(strip->columns, columns, sizeof(columns));
	return 0;
}

bool strip_show(struct feed *feed, struct scope_frame *frame, struct scope_channel channels[ASK_COLUMNS_MAX])
{
	struct strip *strip = feed->strip;

	if (!strip || !strip->count)
		return false;
	uint32_t first = (strip->next + strip->room - strip->count) % strip->room;
	double began_ns = strip->times_ns[first];
	for (uint32_t k = 0; k < strip->count; k++) {
		uint32_t from = (first + k) % strip->room;

		strip->shown_times_ns[k] = strip->times_ns[from] - began_ns;
		for (uint32_t i = 0; i < strip->column_count; i++)
			strip->shown[(size_t)i * strip->room + k] = strip->values[(size_t)i * strip->room + from];
	}
	for (uint32_t i = 0; i < strip->column_count; i++)
		channels[i] = (struct scope_channel){.number = strip->columns[i],
			.scale = 1,
			.baseline = NAN,
			.values = strip->shown + (size_t)i * strip->room};
	frame->kind = SCOPE_STRIP;
	frame->type = SCOPE_FLOAT32;
	frame->points = strip->count;
	frame->sample_count = frame->record_samples = strip->count;
	frame->wall_ns = began_ns > 0 ? (uint64_t)began_ns : 0;
	frame->times_ns = strip->shown_times_ns;
	frame->channel_count = strip->column_count;
	return true;
}
