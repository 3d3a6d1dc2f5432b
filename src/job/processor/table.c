/* table.c: which [[input]] a record is for, and how it is decoded: looked up once for each route of each stream. Main
 * thread of a processor's process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"
#include "job/processor/life.h"

enum table_state { TABLE_NEW = 0, TABLE_READY, TABLE_SKIPPED };

struct processor_tables {
	enum table_state states[SEGMENT_ROUTES];
	struct processor_table items[SEGMENT_ROUTES];
};

/* The first one that takes it; UINT32_MAX: none. */
static uint32_t choose_input(const struct enrg_processor *self, const struct intake_record *record)
{
	const struct plan_input *plan = record->input->plan;
	const char *group = record->route.group < plan->group_count ? plan->groups[record->route.group] : "";

	for (uint32_t i = 0; i < self->now.input_count; i++) {
		const struct job_input *input = count_input(self, i);
		if (!strcmp(input->job, plan->source) && (!input->group || !strcmp(input->group, group)) &&
			(!input->tag || !strcmp(input->tag, record->route.tag)))
			return i;
	}
	return UINT32_MAX;
}

static int prepare(const struct enrg_processor *self, const struct intake_record *record, struct processor_table *table,
	enum table_state *state, struct enrg_error *err)
{
	struct enrg_error why = {0};

	table->input = choose_input(self, record);
	if (table->input == UINT32_MAX) {
		*state = TABLE_SKIPPED;
		return 0;
	}
	if (!table->schema &&
		ipc_decode_schema(record->route.schema_ipc, record->route.schema_bytes, &table->schema, &why) < 0)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: schema of route %u: %s", record->input->source,
			record->header->route, why.text);
	if (!table->views)
		table->views = calloc(table->schema->column_count, sizeof(*table->views));
	if (!table->tag)
		table->tag = strdup(record->route.tag);
	if (!table->views || !table->tag)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", record->input->source);
	*state = TABLE_READY;
	return 0;
}

/* Inputs keep their places as long as the intake is open, and none comes. */
static struct processor_tables **find_tables(struct enrg_processor *self, const struct intake_input *input)
{
	if (!self->tables)
		self->tables = calloc(self->intake.count + 1, sizeof(*self->tables));
	for (uint32_t i = 0; self->tables && i < self->intake.count; i++)
		if (self->intake.inputs[i] == input)
			return &self->tables[i];
	return NULL;
}

int table_find(struct enrg_processor *self, const struct intake_record *record, struct processor_table **ret_table,
	struct enrg_error *err)
{
	struct processor_tables **tables = find_tables(self, record->input);
	uint16_t route = record->header->route;

	if (route >= SEGMENT_ROUTES)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: no route %u", record->input->source, route);
	if (tables && !*tables)
		*tables = calloc(1, sizeof(**tables));
	if (!tables || !*tables)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", record->input->source);
	struct processor_table *table = &(*tables)->items[route];
	enum table_state *state = &(*tables)->states[route];
	int rc = *state == TABLE_NEW ? prepare(self, record, table, state, err) : 0;
	if (rc < 0)
		return rc;
	*ret_table = *state == TABLE_READY ? table : NULL;
	return 0;
}

void table_free_all(struct enrg_processor *self)
{
	for (uint32_t i = 0; self->tables && i < self->intake.count; i++) {
		for (uint32_t route = 0; self->tables[i] && route < SEGMENT_ROUTES; route++) {
			free(self->tables[i]->items[route].schema);
			free(self->tables[i]->items[route].views);
			free(self->tables[i]->items[route].tag);
		}
		free(self->tables[i]);
	}
	free(self->tables);
	self->tables = NULL;
}
