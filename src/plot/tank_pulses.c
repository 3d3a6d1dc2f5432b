/* tank_pulses.c: see the header. In the process of `enrgdaq plot`. */
#include "plot/tank_pulses.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/reader.h"
#include "waveform/pulse.h"

#define SMOOTH_NS     20.0 /* light comes over so long */
#define OHM           50.0
#define PULSES_MAX    32u
#define SAMPLES_MAX   65536u
#define SHOWN_FROM_NS 250.0 /* between both pulses of the example */
#define SHOWN_TO_NS   650.0

enum { TIME, EVENT, CHANNEL, BASELINE, SAMPLES, COLUMNS };

static const struct {
	const char *name;
	enum enrg_type type;
} wanted[COLUMNS] = {{"real_ns_timestamp", ENRG_U64}, {"event_counter", ENRG_U32}, {"channel", ENRG_U8},
	{"baseline", ENRG_F32}, {"samples", ENRG_LIST}};

/* The record that is being put together. */
struct assembly {
	const struct tank_pulses_params *params;
	struct tank_pulses *pulses;
	bool is_open, has_begin;
	uint64_t begin_ns; /* of the file's first sample */
	uint64_t real_ns, with_pulse;
	uint32_t event, samples, channels;
	float *mv;       /* each channel, over its baseline: room for the most that there may be, taken as it is used */
	float *sum;      /* of all channels, mV */
	int16_t *smooth; /* the mean over channels and SMOOTH_NS, in units */
};

#define UNITS_PER_MV 16.0 /* of smooth: ±2 V */

/* --- one record -------------------------------------------------------------------------------------------------- */

/* Negative pulses, as pulse.h has them: the mean of all channels over SMOOTH_NS around each sample. */
static void smooth_record(struct assembly *assembly)
{
	uint32_t width = (uint32_t)fmax(1, round(SMOOTH_NS / assembly->pulses->sample_ns)), half = width / 2;
	double factor = UNITS_PER_MV / assembly->channels / width, moving = 0;

	for (uint32_t i = 0; i < assembly->samples + half; i++) {
		if (i < assembly->samples)
			moving += (double)assembly->sum[i];
		if (i >= width)
			moving -= (double)assembly->sum[i - width];
		if (i >= half)
			assembly->smooth[i - half] = (int16_t)fmax(INT16_MIN, fmin(INT16_MAX, -moving * factor));
	}
}

/* Charge of the samples from `from` up to `to`: mV × ns by ohm is pC. */
static double charge_pc(const struct assembly *assembly, double from, double to)
{
	double sum = 0;

	for (uint32_t i = (uint32_t)fmax(0, from); i < assembly->samples && i < to; i++)
		sum += (double)assembly->sum[i];
	return sum * assembly->pulses->sample_ns / OHM;
}

static int add_pulse(struct tank_pulses *pulses, const struct tank_pulse *pulse)
{
	if (pulses->count == pulses->capacity) {
		size_t capacity = pulses->capacity ? 2 * pulses->capacity : 4096;
		struct tank_pulse *items = realloc(pulses->items, capacity * sizeof(*items));
		if (!items)
			return -ENOMEM;
		pulses->items = items;
		pulses->capacity = capacity;
	}
	pulses->items[pulses->count++] = *pulse;
	return 0;
}

static void keep_example(struct assembly *assembly, const struct pulse *found, uint32_t count)
{
	struct tank_example *example = &assembly->pulses->example;
	size_t values = (size_t)assembly->channels * assembly->samples;

	if (example->samples || count != 2)
		return;
	double first_ns = (double)found[0].time * assembly->pulses->sample_ns;
	double second_ns = (double)found[1].time * assembly->pulses->sample_ns;
	if (second_ns - first_ns < SHOWN_FROM_NS || second_ns - first_ns > SHOWN_TO_NS)
		return;
	memcpy(example->mv, assembly->mv, values * sizeof(*example->mv));
	example->channels = assembly->channels;
	example->samples = assembly->samples;
	example->first_ns = first_ns;
	example->second_ns = second_ns;
}

static int finish_record(struct assembly *assembly)
{
	struct tank_pulses *pulses = assembly->pulses;
	const struct pulse_search search = {
		.polarity = PULSE_NEGATIVE, .threshold = (float)(assembly->params->threshold_mv * UNITS_PER_MV)};
	struct pulse found[PULSES_MAX];

	if (!assembly->is_open)
		return 0;
	assembly->is_open = false;
	smooth_record(assembly);
	uint32_t count = pulse_find(assembly->smooth, assembly->samples, &search, found, PULSES_MAX);
	count = count < PULSES_MAX ? count : PULSES_MAX;
	double since_ns = (double)(int64_t)(assembly->real_ns - assembly->begin_ns);
	double before = SMOOTH_NS / assembly->pulses->sample_ns;
	int rc = 0;
	keep_example(assembly, found, count);
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		double at = (double)found[i].time, end = i + 1 < count ? (double)found[i + 1].time : INFINITY;
		const struct tank_pulse pulse = {.time_ns = since_ns + at * assembly->pulses->sample_ns,
			.charge_pc = charge_pc(assembly, at - before, end - before)};
		rc = add_pulse(pulses, &pulse);
	}
	pulses->records++;
	if (count) {
		assembly->with_pulse++;
		pulses->first_pulse_ns += (double)found[0].time * assembly->pulses->sample_ns;
	}
	return rc;
}

static void begin_record(struct assembly *assembly, uint64_t real_ns, uint32_t event, uint32_t samples)
{
	if (!assembly->has_begin)
		assembly->begin_ns = real_ns;
	assembly->has_begin = assembly->is_open = true;
	memset(assembly->sum, 0, samples * sizeof(*assembly->sum));
	assembly->real_ns = real_ns;
	assembly->event = event;
	assembly->samples = samples;
	assembly->channels = 0;
}

static void add_channel(struct assembly *assembly, const int16_t *samples, float baseline)
{
	float *mv = assembly->mv + (size_t)assembly->channels++ * assembly->samples;
	float scale = (float)assembly->pulses->mv_per_count;

	for (uint32_t i = 0; i < assembly->samples; i++) {
		mv[i] = (baseline - (float)samples[i]) * scale;
		assembly->sum[i] += mv[i];
	}
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static int find_columns(
	const char *path, const struct enrg_schema *schema, uint32_t ret_places[COLUMNS], struct enrg_error *err)
{
	for (int c = 0; c < COLUMNS; c++) {
		uint32_t at = 0;
		while (at < schema->column_count && strcmp(schema->columns[at].name, wanted[c].name))
			at++;
		bool is_there = at < schema->column_count && schema->columns[at].type == wanted[c].type;
		if (is_there && (c != SAMPLES || schema->columns[at].item == ENRG_I16)) {
			ret_places[c] = at;
			continue;
		}
		return enrg_error_set(err, -EINVAL,
			"%s: has no column %s of type %s: expected waveforms of a digitizer with layout = "
			"\"waveforms\"",
			path, wanted[c].name, c == SAMPLES ? "list of int16" : enrg_type_name(wanted[c].type));
	}
	return 0;
}

static int add_batch(struct assembly *assembly, const struct enrg_batch *batch, const uint32_t places[COLUMNS])
{
	const struct enrg_column_view *columns[COLUMNS];
	int rc = 0;

	for (int c = 0; c < COLUMNS; c++)
		columns[c] = &batch->columns[places[c]];
	for (uint64_t row = 0; rc == 0 && row < batch->rows; row++) {
		uint64_t real_ns = ((const uint64_t *)columns[TIME]->values)[row];
		uint32_t event = ((const uint32_t *)columns[EVENT]->values)[row];
		int32_t from = columns[SAMPLES]->offsets[row], to = columns[SAMPLES]->offsets[row + 1];
		uint32_t samples = (uint32_t)(to - from);
		if (samples == 0 || samples > SAMPLES_MAX)
			continue;
		bool is_same = assembly->is_open && assembly->event == event && assembly->real_ns == real_ns &&
			       assembly->samples == samples && assembly->channels < TANK_PULSES_CHANNELS_MAX;
		if (!is_same && (rc = finish_record(assembly)) == 0)
			begin_record(assembly, real_ns, event, samples);
		if (rc == 0)
			add_channel(assembly, (const int16_t *)columns[SAMPLES]->values + from,
				((const float *)columns[BASELINE]->values)[row]);
	}
	return rc;
}

/* What was not given stands in the notes of the schema. */
static int find_scale(const struct tank_pulses_params *params, const struct enrg_schema *schema, const char *note,
	double given, double *ret_value, struct enrg_error *err)
{
	const char *text = enrg_schema_note(schema, NULL, note);

	*ret_value = given > 0 ? given : text ? strtod(text, NULL) : 0;
	if (*ret_value > 0 && isfinite(*ret_value))
		return 0;
	return enrg_error_set(
		err, -EINVAL, "%s: does not say its %s: give it (`enrgdaq help plot`)", params->path, note);
}

static int read_batches(struct enrg_reader *reader, struct assembly *assembly, struct enrg_error *err)
{
	const struct enrg_batch *batch;
	uint32_t places[COLUMNS];
	const struct tank_pulses_params *params = assembly->params;
	const struct enrg_schema *schema = enrg_reader_schema(reader);
	int rc = find_columns(params->path, schema, places, err);

	if (rc == 0)
		rc = find_scale(params, schema, "sample_ns", params->sample_ns, &assembly->pulses->sample_ns, err);
	if (rc == 0)
		rc = find_scale(
			params, schema, "mv_per_count", params->mv_per_count, &assembly->pulses->mv_per_count, err);
	if (rc < 0)
		return rc;
	while ((rc = enrg_reader_next(reader, &batch, err)) != 0) {
		if (rc == ENRG_E_CORRUPT) {
			assembly->pulses->damaged++;
			continue;
		}
		if (rc < 0)
			return rc;
		if (!batch->is_gap && (rc = add_batch(assembly, batch, places)) < 0)
			return enrg_error_set(err, rc, "%s: no memory for its pulses", assembly->params->path);
	}
	rc = finish_record(assembly);
	if (rc < 0)
		return enrg_error_set(err, rc, "%s: no memory for its pulses", assembly->params->path);
	if (!assembly->pulses->records)
		return enrg_error_set(err, -ENODATA, "%s: has no record", assembly->params->path);
	assembly->pulses->samples = assembly->samples;
	return 0;
}

static int compare_times(const void *a, const void *b)
{
	const struct tank_pulse *first = a, *second = b;

	return (first->time_ns > second->time_ns) - (first->time_ns < second->time_ns);
}

int tank_pulses_read(const struct tank_pulses_params *params, struct tank_pulses *ret_pulses, struct enrg_error *err)
{
	struct tank_pulses pulses = {0};
	struct assembly assembly = {.params = params, .pulses = &pulses};
	struct enrg_reader *reader = NULL;
	int rc = enrg_reader_open(params->path, &reader, err);

	if (rc < 0)
		return rc;
	assembly.mv = malloc((size_t)TANK_PULSES_CHANNELS_MAX * SAMPLES_MAX * sizeof(*assembly.mv));
	assembly.sum = malloc(SAMPLES_MAX * sizeof(*assembly.sum));
	assembly.smooth = malloc(SAMPLES_MAX * sizeof(*assembly.smooth));
	pulses.example.mv = malloc((size_t)TANK_PULSES_CHANNELS_MAX * SAMPLES_MAX * sizeof(*assembly.mv));
	if (assembly.mv && assembly.sum && assembly.smooth && pulses.example.mv)
		rc = read_batches(reader, &assembly, err);
	else
		rc = enrg_error_set(err, -ENOMEM, "%s: no memory for a record", params->path);
	enrg_reader_close(reader);
	free(assembly.mv);
	free(assembly.sum);
	free(assembly.smooth);
	if (rc < 0) {
		tank_pulses_fini(&pulses);
		return rc;
	}
	pulses.first_pulse_ns /= assembly.with_pulse ? (double)assembly.with_pulse : 1;
	if (pulses.count)
		qsort(pulses.items, pulses.count, sizeof(*pulses.items), compare_times);
	*ret_pulses = pulses;
	return 0;
}

void tank_pulses_fini(struct tank_pulses *pulses)
{
	free(pulses->items);
	free(pulses->example.mv);
	*pulses = (struct tank_pulses){0};
}

/* --- truth ------------------------------------------------------------------------------------------------------- */

static int add_delta(struct tank_truth *truth, double delta_ns)
{
	if (truth->count == truth->capacity) {
		size_t capacity = truth->capacity ? 2 * truth->capacity : 4096;
		double *deltas = realloc(truth->deltas_ns, capacity * sizeof(*deltas));
		if (!deltas)
			return -ENOMEM;
		truth->deltas_ns = deltas;
		truth->capacity = capacity;
	}
	truth->deltas_ns[truth->count++] = delta_ns;
	return 0;
}

int tank_truth_read(const char *path, struct tank_truth *ret_truth, struct enrg_error *err)
{
	struct tank_truth truth = {0};
	struct enrg_reader *reader;
	const struct enrg_batch *batch;
	uint32_t at = 0;
	int rc = enrg_reader_open(path, &reader, err);

	if (rc < 0)
		return rc;
	const struct enrg_schema *schema = enrg_reader_schema(reader);
	while (at < schema->column_count && strcmp(schema->columns[at].name, "delta_ns"))
		at++;
	if (at == schema->column_count || schema->columns[at].type != ENRG_F64)
		rc = enrg_error_set(err, -EINVAL, "%s: has no column delta_ns: not a table of truth", path);
	while (rc >= 0 && (rc = enrg_reader_next(reader, &batch, err)) != 0) {
		rc = rc == ENRG_E_CORRUPT ? 0 : rc; /* passed over */
		for (uint64_t row = 0; rc == 1 && row < batch->rows; row++) {
			double delta_ns = ((const double *)batch->columns[at].values)[row];
			if (isfinite(delta_ns) && add_delta(&truth, delta_ns) < 0)
				rc = enrg_error_set(err, -ENOMEM, "%s: no memory for its rows", path);
		}
	}
	enrg_reader_close(reader);
	if (rc < 0)
		tank_truth_fini(&truth);
	else
		*ret_truth = truth;
	return rc;
}

void tank_truth_fini(struct tank_truth *truth)
{
	free(truth->deltas_ns);
	*truth = (struct tank_truth){0};
}
