/* waves.c: see the header. */
#include "web/live/waves.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- which columns ------------------------------------------------------------------------------------------------ */

static uint32_t find_column(const struct enrg_schema *schema, const char *name)
{
	for (uint32_t i = 0; i < schema->column_count; i++)
		if (!strcmp(schema->columns[i].name, name))
			return i;
	return WAVES_NO_COLUMN;
}

static uint32_t find_integer(const struct enrg_schema *schema, const char *name)
{
	uint32_t i = find_column(schema, name);

	return i != WAVES_NO_COLUMN && enrg_type_is_integer(schema->columns[i].type) ? i : WAVES_NO_COLUMN;
}

static uint32_t find_list(const struct enrg_schema *schema, const char *column)
{
	for (uint32_t i = 0; i < schema->column_count; i++)
		if (schema->columns[i].type == ENRG_LIST &&
			(!column || !*column || !strcmp(schema->columns[i].name, column)))
			return i;
	return WAVES_NO_COLUMN;
}

/* A row a sample: what is left beside the columns that say which sample it is. */
static uint32_t find_value(const struct enrg_schema *schema, const struct waves_layout *layout, const char *column)
{
	for (uint32_t i = 0; i < schema->column_count; i++)
		if (i != layout->channel && i != layout->event && i != layout->time && i != layout->index &&
			enrg_type_is_number(schema->columns[i].type) &&
			(!column || !*column || !strcmp(schema->columns[i].name, column)))
			return i;
	return WAVES_NO_COLUMN;
}

static uint32_t find_time(const struct enrg_schema *schema)
{
	uint32_t i = find_integer(schema, "real_ns_timestamp");

	for (uint32_t k = 0; k < schema->column_count && i == WAVES_NO_COLUMN; k++)
		if (schema->columns[k].type == ENRG_TIMESTAMP_NS)
			i = k;
	return i;
}

static double note_number(const struct enrg_schema *schema, const char *key)
{
	const char *text = enrg_schema_note(schema, NULL, key);
	char *end;
	double number = text ? strtod(text, &end) : NAN;

	return text && end != text && isfinite(number) && number > 0 ? number : NAN;
}

static void find_unit(const struct enrg_schema *schema, struct waves_layout *layout)
{
	const struct enrg_column *values = &schema->columns[layout->values];
	double mv_per_count = note_number(schema, "mv_per_count");

	layout->item = enrg_column_item(values);
	layout->scale = 1;
	snprintf(layout->unit, sizeof(layout->unit), "%s", values->unit ? values->unit : "");
	if (layout->kind == WAVES_LISTS && !isnan(mv_per_count)) {
		layout->scale = mv_per_count;
		snprintf(layout->unit, sizeof(layout->unit), "mV");
	}
}

void waves_find(const struct enrg_schema *schema, const char *column, struct waves_layout *ret_layout)
{
	struct waves_layout layout = {.kind = WAVES_LISTS, .sample_ns = note_number(schema, "sample_ns"), .scale = 1};

	layout.channel = find_integer(schema, "channel");
	layout.event = find_integer(schema, "event_counter");
	layout.index = find_integer(schema, "sample_index");
	layout.time = find_time(schema);
	layout.baseline = find_column(schema, "baseline");
	layout.values = schema->is_blob ? WAVES_NO_COLUMN : find_list(schema, column);
	if (layout.values == WAVES_NO_COLUMN && layout.channel != WAVES_NO_COLUMN && layout.index != WAVES_NO_COLUMN) {
		layout.kind = WAVES_SAMPLES;
		layout.values = find_value(schema, &layout, column);
	}
	layout.has_sample_ns = !isnan(layout.sample_ns);
	layout.sample_ns = layout.has_sample_ns ? layout.sample_ns : 1;
	if (layout.values == WAVES_NO_COLUMN)
		layout.kind = WAVES_NONE;
	else
		find_unit(schema, &layout);
	*ret_layout = layout;
}

bool waves_is_int16(const struct waves_layout *layout)
{
	return layout->item == ENRG_I8 || layout->item == ENRG_U8 || layout->item == ENRG_I16;
}

/* --- values ------------------------------------------------------------------------------------------------------- */

int64_t waves_integer(enum enrg_type type, const void *values, uint64_t i)
{
	switch (enrg_type_bytes(type)) {
	case 1:
		return enrg_type_is_signed(type) ? ((const int8_t *)values)[i] : ((const uint8_t *)values)[i];
	case 2:
		return enrg_type_is_signed(type) ? ((const int16_t *)values)[i] : ((const uint16_t *)values)[i];
	case 4:
		return enrg_type_is_signed(type) ? (int64_t)((const int32_t *)values)[i]
						 : (int64_t)((const uint32_t *)values)[i];
	case 8:
		return ((const int64_t *)values)[i];
	}
	return 0;
}

static double real_at(enum enrg_type type, const void *values, uint64_t i)
{
	if (enrg_type_is_float(type))
		return enrg_type_real(type, values, i);
	if (type == ENRG_U64)
		return (double)((const uint64_t *)values)[i];
	return (double)waves_integer(type, values, i);
}

static bool is_scalar(enum enrg_type type)
{
	return enrg_type_is_number(type) || enrg_type_is_time(type);
}

double waves_number(const struct enrg_batch *batch, uint32_t column, uint64_t row)
{
	if (column >= batch->schema->column_count || row >= batch->rows ||
		!is_scalar(batch->schema->columns[column].type) || !enrg_column_present(&batch->columns[column], row))
		return NAN;
	return real_at(batch->schema->columns[column].type, batch->columns[column].values, row);
}

/* Of a column that waves_find has found to hold integers or times; 0 where there is none. */
static int64_t integer_of(const struct enrg_batch *batch, uint32_t column, uint64_t row)
{
	if (column == WAVES_NO_COLUMN || !enrg_column_present(&batch->columns[column], row))
		return 0;
	return waves_integer(batch->schema->columns[column].type, batch->columns[column].values, row);
}

/* Widths by themselves, so that the compiler makes many of them at once. */
static void convert(enum enrg_type type, const void *values, uint64_t first, uint32_t count, float *ret_values)
{
	if (type == ENRG_I16) {
		const int16_t *from = (const int16_t *)values + first;

		for (uint32_t i = 0; i < count; i++)
			ret_values[i] = (float)from[i];
	} else if (type == ENRG_F32) {
		memcpy(ret_values, (const float *)values + first, count * sizeof(float));
	} else {
		for (uint32_t i = 0; i < count; i++)
			ret_values[i] = (float)real_at(type, values, first + i);
	}
}

/* --- events ------------------------------------------------------------------------------------------------------- */

void waves_fini(struct waves_event *event)
{
	free(event->memory);
	*event = (struct waves_event){0};
}

/* Does row `row` belong to the event whose rows begin with the one behind it? */
static bool is_same_event(const struct enrg_batch *batch, const struct waves_layout *layout, uint64_t row)
{
	if (layout->event != WAVES_NO_COLUMN)
		return integer_of(batch, layout->event, row) == integer_of(batch, layout->event, row + 1);
	if (layout->channel == WAVES_NO_COLUMN)
		return false;
	int64_t before = integer_of(batch, layout->channel, row), behind = integer_of(batch, layout->channel, row + 1);
	if (layout->kind == WAVES_SAMPLES && before == behind)
		return integer_of(batch, layout->index, row) < integer_of(batch, layout->index, row + 1);
	return before < behind;
}

uint64_t waves_first_row(const struct enrg_batch *batch, const struct waves_layout *layout, uint64_t end)
{
	uint64_t first = end - 1;

	while (first > 0 && is_same_event(batch, layout, first - 1))
		first--;
	return first;
}

/* The wave of a channel, new where there is none yet; NULL: nobody asked for it, or there are too many. */
static struct wave *find_wave(
	struct waves_event *event, int64_t channel, const uint32_t *channels, uint32_t channel_count)
{
	bool is_wanted = channel_count == 0;

	for (uint32_t i = 0; i < channel_count; i++)
		is_wanted |= channels[i] == channel;
	if (!is_wanted || channel < 0 || channel > UINT32_MAX)
		return NULL;
	for (uint32_t i = 0; i < event->wave_count; i++)
		if (event->waves[i].channel == channel)
			return &event->waves[i];
	if (event->wave_count == WAVES_CHANNELS_MAX)
		return NULL;
	struct wave *wave = &event->waves[event->wave_count++];
	*wave = (struct wave){.channel = (uint32_t)channel, .baseline = NAN};
	return wave;
}

/* Counts of all waves are known: memory for all of them. */
static int place(struct waves_event *event)
{
	size_t needed = 0;

	for (uint32_t i = 0; i < event->wave_count; i++)
		needed += event->waves[i].count;
	if (needed > event->memory_values) {
		float *memory = realloc(event->memory, needed * sizeof(float));

		if (!memory)
			return -ENOMEM;
		event->memory = memory;
		event->memory_values = needed;
	}
	event->value_count = needed;
	needed = 0;
	for (uint32_t i = 0; i < event->wave_count; i++) {
		event->waves[i].values = event->memory ? event->memory + needed : NULL; /* all are empty */
		needed += event->waves[i].count;
	}
	return 0;
}

static int take_lists(const struct enrg_batch *batch, const struct waves_layout *layout, const uint64_t rows[2],
	const uint32_t *channels, uint32_t channel_count, struct waves_event *event)
{
	const struct enrg_column_view *view = &batch->columns[layout->values];
	uint64_t from[WAVES_CHANNELS_MAX];

	for (uint64_t row = rows[0]; row < rows[1]; row++) {
		struct wave *wave = find_wave(event, integer_of(batch, layout->channel, row), channels, channel_count);
		int32_t count = view->offsets[row + 1] - view->offsets[row];

		if (!wave || wave->count || count <= 0 || !enrg_column_present(view, row))
			continue;
		wave->count = (uint32_t)(count < WAVES_SAMPLES_MAX ? count : WAVES_SAMPLES_MAX);
		wave->baseline = waves_number(batch, layout->baseline, row);
		from[wave - event->waves] = (uint64_t)view->offsets[row];
	}
	int rc = place(event);
	for (uint32_t i = 0; rc == 0 && i < event->wave_count; i++)
		if (event->waves[i].count)
			convert(layout->item, view->values, from[i], event->waves[i].count, event->waves[i].values);
	return rc;
}

static int take_samples(const struct enrg_batch *batch, const struct waves_layout *layout, const uint64_t rows[2],
	const uint32_t *channels, uint32_t channel_count, struct waves_event *event)
{
	size_t values = 0;

	for (uint64_t row = rows[0]; row < rows[1]; row++) {
		struct wave *wave = find_wave(event, integer_of(batch, layout->channel, row), channels, channel_count);
		int64_t index = integer_of(batch, layout->index, row);

		if (!wave || index < 0 || index >= WAVES_SAMPLES_MAX)
			continue;
		wave->count = wave->count > index ? wave->count : (uint32_t)index + 1;
		values++;
	}
	int rc = place(event);
	size_t places = 0;
	for (uint32_t i = 0; rc == 0 && i < event->wave_count; i++) {
		memset(event->waves[i].values, 0, event->waves[i].count * sizeof(float));
		places += event->waves[i].count;
	}
	event->has_gaps = values < places;
	for (uint64_t row = rows[0]; rc == 0 && row < rows[1]; row++) {
		struct wave *wave = find_wave(event, integer_of(batch, layout->channel, row), channels, channel_count);
		int64_t index = integer_of(batch, layout->index, row);
		double value = waves_number(batch, layout->values, row);

		if (wave && index >= 0 && index < wave->count && !isnan(value))
			wave->values[index] = (float)value;
	}
	return rc;
}

/* As asked for, or by their numbers. */
static void sort(struct waves_event *event, const uint32_t *channels, uint32_t channel_count)
{
	struct wave sorted[WAVES_CHANNELS_MAX];
	uint32_t count = 0;

	for (uint32_t k = 0; k < channel_count; k++)
		for (uint32_t i = 0; i < event->wave_count; i++)
			if (event->waves[i].channel == channels[k] && count < WAVES_CHANNELS_MAX)
				sorted[count++] = event->waves[i];
	if (channel_count) {
		memcpy(event->waves, sorted, count * sizeof(*sorted));
		event->wave_count = count;
	}
}

int waves_take(const struct enrg_batch *batch, const struct waves_layout *layout, const uint64_t rows[2],
	const uint32_t *channels, uint32_t channel_count, struct waves_event *event)
{
	event->wave_count = 0;
	event->value_count = 0;
	event->has_gaps = false;
	event->number =
		layout->event == WAVES_NO_COLUMN ? rows[0] : (uint64_t)integer_of(batch, layout->event, rows[0]);
	event->time_ns = layout->time == WAVES_NO_COLUMN ? batch->acquired_ns
							 : (uint64_t)integer_of(batch, layout->time, rows[0]);
	int rc = layout->kind == WAVES_LISTS ? take_lists(batch, layout, rows, channels, channel_count, event)
					     : take_samples(batch, layout, rows, channels, channel_count, event);
	if (rc == 0)
		sort(event, channels, channel_count);
	return rc;
}
