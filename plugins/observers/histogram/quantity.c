/* quantity.c: see the header. */
#include "quantity.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "column/column.h"
#include "waveform/waveform.h"

#define NONE       UINT32_MAX
#define PULSES_MAX 64u /* of one record */

static const char *const names[] = {
	[QUANTITY_COLUMN] = "",
	[QUANTITY_AMPLITUDE] = "amplitude",
	[QUANTITY_CHARGE] = "charge",
	[QUANTITY_DELTA_T] = "delta_t",
};

const char *quantity_name(enum quantity_kind kind)
{
	return names[kind];
}

bool quantity_is_plain(const struct quantity *quantity)
{
	return quantity->kind != QUANTITY_DELTA_T;
}

static int set_column(const char *text, size_t bytes, struct quantity *quantity, struct enrg_error *err)
{
	if (!bytes || bytes > ENRG_NAME_BYTES_MAX)
		return enrg_error_set(
			err, ENRG_E_CONFIG, "expected the name of a column, found \"%.*s\"", (int)bytes, text);
	memcpy(quantity->column, text, bytes);
	quantity->column[bytes] = '\0';
	return 0;
}

int quantity_parse(const char *text, struct quantity *ret_quantity, struct enrg_error *err)
{
	size_t bytes = strlen(text);
	const char *open = strchr(text, '(');

	memset(ret_quantity, 0, sizeof(*ret_quantity));
	if (!open || text[bytes - 1] != ')')
		return set_column(text, bytes, ret_quantity, err);
	for (enum quantity_kind kind = QUANTITY_AMPLITUDE; kind <= QUANTITY_DELTA_T; kind++) {
		if (strlen(names[kind]) != (size_t)(open - text) ||
			strncmp(names[kind], text, (size_t)(open - text)) != 0)
			continue;
		ret_quantity->kind = kind;
		return set_column(open + 1, bytes - (size_t)(open - text) - 2, ret_quantity, err);
	}
	return enrg_error_set(err, ENRG_E_CONFIG,
		"expected a column, or amplitude(COLUMN), charge(COLUMN) or delta_t(COLUMN) of waveforms, found \"%s\"",
		text);
}

/* --- where it is -------------------------------------------------------------------------------------------------- */

static uint32_t find_column(const struct enrg_schema *schema, const char *name)
{
	for (uint32_t i = 0; i < schema->column_count; i++)
		if (!strcmp(schema->columns[i].name, name))
			return i;
	return NONE;
}

static double find_sample_ns(const struct quantity_params *params, const struct enrg_schema *schema, const char *column)
{
	const char *note = enrg_schema_note(schema, column, "sample_ns");
	double value;

	if (params->sample_ns > 0)
		return params->sample_ns;
	note = note ? note : enrg_schema_note(schema, NULL, "sample_ns");
	value = note ? strtod(note, NULL) : 1;
	return isfinite(value) && value > 0 ? value : 1;
}

static int explain_absence(const struct enrg_schema *schema, const char *name, struct enrg_error *err)
{
	char list[300] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < schema->column_count && used < sizeof(list); i++)
		used += (size_t)snprintf(
			list + used, sizeof(list) - used, "%s%s", i ? ", " : "", schema->columns[i].name);
	return enrg_error_set(
		err, -ENOENT, "has no column \"%s\" among %s%s", name, list, used < sizeof(list) ? "" : "…");
}

int quantity_find(const struct quantity *quantity, const struct quantity_params *params,
	const struct enrg_schema *schema, struct quantity_place *ret_place, struct enrg_error *err)
{
	uint32_t at = find_column(schema, quantity->column);
	const struct enrg_column *column = at == NONE ? NULL : &schema->columns[at];

	if (!column)
		return explain_absence(schema, quantity->column, err);
	bool is_wave = column->type == ENRG_LIST && column->item == ENRG_I16;
	bool is_number = enrg_type_is_number(column->type) || column->type == ENRG_BOOL;
	if (quantity->kind == QUANTITY_COLUMN ? !is_number : !is_wave)
		return enrg_error_set(err, -EINVAL, "column \"%s\" holds %s, %s", quantity->column,
			enrg_type_name(column->type),
			quantity->kind == QUANTITY_COLUMN ? "no numbers" : "not lists of int16, as waveforms are");
	*ret_place = (struct quantity_place){.column = at,
		.channel = find_column(schema, "channel"),
		.time = find_column(schema, "real_ns_timestamp"),
		.baseline = find_column(schema, "baseline"),
		.sample_ns = find_sample_ns(params, schema, quantity->column)};
	if (params->channel >= 0 && ret_place->channel == NONE)
		return explain_absence(schema, "channel", err);
	return 0;
}

/* --- values ------------------------------------------------------------------------------------------------------- */

/* NaN: missing, or no number. */
static double number_at(const struct enrg_batch *batch, uint32_t at, uint64_t row)
{
	return at == NONE ? NAN : column_number(batch, at, row);
}

static int make_room(struct quantity_values *values, uint64_t count)
{
	if (values->room - values->count >= count)
		return 0;
	uint64_t room = 2 * values->room + count;
	double *items = realloc(values->items, room * sizeof(*items));
	if (!items)
		return -ENOMEM;
	values->items = items;
	values->room = room;
	return 0;
}

struct wave {
	const int16_t *samples;
	uint32_t count;
	float baseline;
};

/* false: the record is missing or empty. */
static bool find_wave(
	const struct quantity_place *place, const struct enrg_batch *batch, uint64_t row, struct wave *ret_wave)
{
	const struct enrg_column_view *view = &batch->columns[place->column];
	struct waveform_summary summary;
	double baseline;

	if (!enrg_column_present(view, row) || view->offsets[row + 1] <= view->offsets[row])
		return false;
	ret_wave->samples = (const int16_t *)view->values + view->offsets[row];
	ret_wave->count = (uint32_t)(view->offsets[row + 1] - view->offsets[row]);
	baseline = number_at(batch, place->baseline, row);
	if (isfinite(baseline)) {
		ret_wave->baseline = (float)baseline;
		return true;
	}
	waveform_measure(ret_wave->samples, ret_wave->count, 0, &summary);
	ret_wave->baseline = summary.baseline;
	return true;
}

static int take_waves(const struct quantity *quantity, const struct quantity_params *params,
	const struct quantity_place *place, const struct enrg_batch *batch, uint64_t row,
	struct quantity_values *values)
{
	struct pulse pulse;
	struct wave wave;

	if (!find_wave(place, batch, row, &wave)) {
		values->items[values->count++] = NAN;
		return 0;
	}
	pulse_measure(wave.samples, wave.count, wave.baseline, params->polarity, &pulse);
	values->items[values->count++] =
		(double)(quantity->kind == QUANTITY_AMPLITUDE ? pulse.amplitude : pulse.charge);
	return 0;
}

/* false: the record has no time. */
static bool find_time(const struct quantity_place *place, const struct enrg_batch *batch, uint64_t row, int64_t *ret_ns)
{
	const struct enrg_column_view *view = place->time == NONE ? NULL : &batch->columns[place->time];
	enum enrg_type type = view ? batch->schema->columns[place->time].type : ENRG_BOOL;

	*ret_ns = 0;
	if (!view || !enrg_column_present(view, row) ||
		(type != ENRG_U64 && type != ENRG_I64 && type != ENRG_TIMESTAMP_NS))
		return false;
	*ret_ns = ((const int64_t *)view->values)[row];
	return true;
}

/* From pulse to pulse of a channel, within a record, and from record to record where these have times. */
static int take_delta_t(const struct quantity_params *params, const struct quantity_place *place,
	const struct enrg_batch *batch, uint64_t row, struct quantity_values *values)
{
	double channel = number_at(batch, place->channel, row);
	struct quantity_pulse *last =
		&values->last[channel >= 0 && channel < QUANTITY_CHANNELS ? (unsigned)channel : 0];
	struct pulse pulses[PULSES_MAX];
	int64_t record_ns;
	struct wave wave;

	if (!find_time(place, batch, row, &record_ns))
		last->is_known = false;
	if (!find_wave(place, batch, row, &wave))
		return 0;
	const struct pulse_search search = {wave.baseline, params->polarity, params->threshold};
	uint32_t count = pulse_find(wave.samples, wave.count, &search, pulses, PULSES_MAX);
	count = count < PULSES_MAX ? count : PULSES_MAX;
	if (make_room(values, count) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		double within_ns = (double)pulses[i].time * place->sample_ns;
		if (last->is_known)
			values->items[values->count++] =
				(double)(record_ns - last->record_ns) + within_ns - last->within_ns;
		*last = (struct quantity_pulse){record_ns, within_ns, true};
	}
	return 0;
}

int quantity_take(const struct quantity *quantity, const struct quantity_params *params,
	const struct quantity_place *place, const struct enrg_batch *batch, struct quantity_values *values)
{
	int rc = 0;

	values->count = 0;
	if (make_room(values, batch->rows) < 0)
		return -ENOMEM;
	for (uint64_t row = 0; row < batch->rows && rc == 0; row++) {
		if (params->channel >= 0 && number_at(batch, place->channel, row) != (double)params->channel)
			continue;
		if (quantity->kind == QUANTITY_COLUMN)
			values->items[values->count++] = number_at(batch, place->column, row);
		else if (quantity->kind == QUANTITY_DELTA_T)
			rc = take_delta_t(params, place, batch, row, values);
		else
			rc = take_waves(quantity, params, place, batch, row, values);
	}
	return rc;
}

void quantity_values_fini(struct quantity_values *values)
{
	free(values->items);
	values->items = NULL;
	values->count = values->room = 0;
}
