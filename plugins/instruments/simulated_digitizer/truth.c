/* truth.c: see the header. */
#include "truth.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct enrg_column columns[] = {
	{.name = "event_counter", .type = ENRG_U32},
	{.name = "kind", .type = ENRG_STRING},
	{.name = "channel", .type = ENRG_I32},
	{.name = "photoelectrons", .type = ENRG_U32},
	{.name = "time_ns", .type = ENRG_F64, .unit = "ns"},
	{.name = "muon", .type = ENRG_U64},
	{.name = "delta_ns", .type = ENRG_F64, .unit = "ns"},
};
static const struct enrg_schema schema = {.column_count = sizeof(columns) / sizeof(columns[0]), .columns = columns};

int truth_open(struct truth *truth, struct enrg_job *job, const char *group, struct enrg_error *err)
{
	return enrg_output_open(job, group, NULL, &schema, &truth->output, err);
}

void truth_close(struct truth *truth)
{
	free(truth->rows);
	*truth = (struct truth){0};
}

static int make_room(struct truth *truth, uint32_t more, struct enrg_error *err)
{
	uint32_t wanted = truth->count + more, capacity = truth->capacity ? truth->capacity : 256;

	if (wanted <= truth->capacity)
		return 0;
	while (capacity < wanted)
		capacity *= 2;
	struct truth_row *rows = realloc(truth->rows, capacity * sizeof(*rows));
	if (!rows)
		return enrg_error_set(err, -ENOMEM, "out of memory for %u rows of truth", capacity);
	truth->rows = rows;
	truth->capacity = capacity;
	return 0;
}

static void add_hits(struct truth *truth, const struct board_hits *hits, enum tank_kind kind, uint32_t channel,
	uint32_t event_counter)
{
	if (!hits->count)
		return;
	truth->rows[truth->count++] = (struct truth_row){.event_counter = event_counter,
		.kind = kind,
		.channel = (int32_t)channel,
		.photoelectrons = hits->count,
		.time_ns = (double)hits->first_ps / (double)PS_PER_NS,
		.delta_ns = NAN};
}

static int32_t flash_channel(const struct tank_flash *flash)
{
	int32_t channel = 0;

	if (flash->kind != TANK_SINGLE)
		return -1;
	while (!flash->by_channel[channel])
		channel++;
	return channel;
}

int truth_add(struct truth *truth, const struct board_record *record, uint32_t channels, uint32_t event_counter,
	struct enrg_error *err)
{
	if (!enrg_output_wanted(truth->output))
		return 0;
	int rc = make_room(truth, record->flash_count + 2 * channels, err);
	for (uint32_t i = 0; rc == 0 && i < record->flash_count; i++) {
		const struct tank_flash *flash = &record->flashes[i];
		double time_ns = ((double)flash->time_ps - (double)record->first_ps) / (double)PS_PER_NS;
		bool is_electron = flash->kind == TANK_ELECTRON;
		truth->rows[truth->count++] = (struct truth_row){.event_counter = event_counter,
			.kind = flash->kind,
			.channel = flash_channel(flash),
			.photoelectrons = flash->photoelectrons,
			.time_ns = time_ns,
			.muon = flash->muon,
			.delta_ns = is_electron ? (double)flash->delta_ps / (double)PS_PER_NS : NAN};
	}
	for (uint32_t i = 0; rc == 0 && i < channels; i++) {
		add_hits(truth, &record->dark[i], TANK_DARK, i, event_counter);
		add_hits(truth, &record->after[i], TANK_AFTERPULSE, i, event_counter);
	}
	return rc;
}

int truth_commit(struct truth *truth, struct enrg_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < truth->count; i++) {
		const struct truth_row *row = &truth->rows[i];
		const char *kind = tank_kind_name(row->kind);
		const struct enrg_value values[] = {
			{.u = row->event_counter},
			{.data = kind, .count = strlen(kind)},
			{.i = row->channel},
			{.u = row->photoelectrons},
			{.f = row->time_ns},
			{.u = row->muon},
			{.f = row->delta_ns},
		};
		rc = enrg_output_append(truth->output, values, err);
	}
	truth->count = 0;
	return rc;
}
