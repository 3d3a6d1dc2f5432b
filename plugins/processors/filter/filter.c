/* filter.c: DAQJobFilter: the tables of other jobs, without the rows that its stages reject. */
#include "enrgdaq/processor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"
#include "stage.h"

#define STATE_MAGIC 0x31544C46u /* "FLT1" */

struct stage_options {
	const char *name;
	int kind;
	int64_t every;
	int unit;
	const char *column;
	double min, max;
	bool has_min, has_max, has_every;
};

struct filter_options {
	struct enrg_struct_list stage;
};

static const struct enrg_choice kinds[] = {{"prescale", STAGE_PRESCALE}, {"range", STAGE_RANGE}, {NULL, 0}};
static const struct enrg_choice units[] = {{"rows", STAGE_ROWS}, {"batches", STAGE_BATCHES}, {NULL, 0}};

#define AT(member) offsetof(struct stage_options, member)

static const struct enrg_option stage_option_list[] = {
	{.key = "kind",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(kind),
		.required = true,
		.choices = kinds,
		.help = "What the stage looks at."},
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(name),
		.help = "Name of the stage in the ledger; without the key its kind and number, such as range_2."},
	{.key = "every",
		.kind = ENRG_OPTION_INT,
		.offset = AT(every),
		.default_value = "1",
		.min = 1,
		.max = 1e15,
		.present_offset = AT(has_every),
		.help = "Of prescale: the first of each so many passes, of each input by itself."},
	{.key = "unit",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(unit),
		.default_value = "\"rows\"",
		.choices = units,
		.help = "Of prescale: what is counted."},
	{.key = "column",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(column),
		.help = "Of range: a column of numbers; tables without it pass."},
	{.key = "min",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(min),
		.present_offset = AT(has_min),
		.help = "Of range: the least value that passes; without the key there is no lower end."},
	{.key = "max",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(max),
		.present_offset = AT(has_max),
		.help = "Of range: the largest value that passes; without the key there is no upper end."},
	{.key = NULL},
};

static const struct enrg_table stage_table = {sizeof(struct stage_options), stage_option_list};

static const struct enrg_option filter_option_list[] = {
	{.key = "stage",
		.kind = ENRG_OPTION_TABLE_LIST,
		.offset = offsetof(struct filter_options, stage),
		.table = &stage_table,
		.help = "Rules, a section [[stage]] each, in their order: a row that one rejects is not seen by the "
			"next."},
	{.key = NULL},
};

/* A table that came in, and where its rows go. */
struct table {
	const struct enrg_schema *schema; /* of the framework: the same one for the same table */
	struct enrg_output *output;
	uint32_t columns[STAGES_MAX];
	struct table *next;
};

struct filter {
	struct enrg_processor *processor;
	uint32_t stage_count, input_count;
	struct stage stages[STAGES_MAX];
	char names[STAGES_MAX][32];
	struct stage_counts *counts; /* one an input */
	struct table *tables;
	uint32_t *kept;
	uint32_t kept_room;
};

/* --- start and end ------------------------------------------------------------------------------------------------ */

static void filter_destroy(void *state)
{
	struct filter *self = state;

	if (!self)
		return;
	while (self->tables) {
		struct table *next = self->tables->next;
		free(self->tables);
		self->tables = next;
	}
	free(self->counts);
	free(self->kept);
	free(self);
}

static int check_stage(const struct stage_options *options, size_t index, struct enrg_error *err)
{
	if (options->kind == STAGE_RANGE) {
		if (!options->column || !*options->column)
			return enrg_error_set(err, ENRG_E_CONFIG,
				"stage[%zu].column: a range needs the name of the column that it looks at", index);
		if (!options->has_min && !options->has_max)
			return enrg_error_set(err, ENRG_E_CONFIG, "stage[%zu]: a range needs min or max", index);
		if (options->has_min && options->has_max && !(options->min <= options->max))
			return enrg_error_set(err, ENRG_E_CONFIG,
				"stage[%zu].min: %g is above max, %g: nothing would pass", index, options->min,
				options->max);
	} else if (!options->has_every) {
		return enrg_error_set(err, ENRG_E_CONFIG, "stage[%zu].every: a prescale needs it", index);
	} else if (options->column || options->has_min || options->has_max) {
		return enrg_error_set(err, ENRG_E_CONFIG, "stage[%zu]: column, min and max are for a range", index);
	}
	if (options->name && (!*options->name || strlen(options->name) > 100))
		return enrg_error_set(err, ENRG_E_CONFIG, "stage[%zu].name: expected 1 to 100 bytes", index);
	return 0;
}

static int add_stage(struct filter *self, const struct stage_options *options, size_t index, struct enrg_error *err)
{
	int rc = check_stage(options, index, err);
	struct stage *stage = &self->stages[index];

	if (rc < 0)
		return rc;
	snprintf(self->names[index], sizeof(self->names[index]), "%s_%zu",
		options->kind == STAGE_RANGE ? "range" : "prescale", index + 1);
	*stage = (struct stage){
		.name = options->name ? options->name : self->names[index],
		.kind = options->kind,
		.every = options->every,
		.unit = options->unit,
		.column = options->column,
		.min = options->min,
		.max = options->max,
		.has_min = options->has_min,
		.has_max = options->has_max,
	};
	for (size_t i = 0; i < index; i++)
		if (!strcmp(self->stages[i].name, stage->name))
			return enrg_error_set(err, ENRG_E_CONFIG, "stage[%zu].name: \"%s\" is that of stage[%zu]",
				index, stage->name, i);
	self->stage_count++;
	return 0;
}

static int read_stages(struct filter *self, const struct filter_options *options, struct enrg_error *err)
{
	const struct stage_options *stages = options->stage.items;
	int rc = 0;

	if (options->stage.count > STAGES_MAX)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "stage: at most %u", STAGES_MAX);
	for (size_t i = 0; i < options->stage.count && rc == 0; i++)
		rc = add_stage(self, &stages[i], i, err);
	return rc;
}

static int filter_check(const void *options, struct enrg_error *err)
{
	struct filter *self = calloc(1, sizeof(*self));
	int rc = self ? read_stages(self, options, err) : enrg_error_set(err, -ENOMEM, "out of memory");

	filter_destroy(self);
	return rc;
}

static int filter_start(struct enrg_processor *processor, const void *options, void **ret_state, struct enrg_error *err)
{
	struct filter *self = calloc(1, sizeof(*self));

	if (self) {
		self->processor = processor;
		self->input_count = enrg_processor_input_count(processor);
		self->counts = calloc(self->input_count + 1, sizeof(*self->counts));
	}
	if (!self || !self->counts) {
		filter_destroy(self);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	int rc = read_stages(self, options, err);
	if (rc < 0) {
		filter_destroy(self);
		return rc;
	}
	*ret_state = self;
	return 0;
}

/* --- state: where each prescale stands ---------------------------------------------------------------------------- */

struct saved {
	uint32_t magic, stage_count, input_count, reserved;
};

static int filter_save(void *state, void *bytes, uint64_t capacity, uint64_t *ret_count, struct enrg_error *err)
{
	const struct filter *self = state;
	const struct saved saved = {STATE_MAGIC, self->stage_count, self->input_count, 0};
	uint64_t *at = (uint64_t *)(void *)((uint8_t *)bytes + sizeof(saved));

	(void)err;
	*ret_count = sizeof(saved) + (uint64_t)self->input_count * self->stage_count * sizeof(uint64_t);
	if (*ret_count > capacity)
		return -ENOSPC;
	memcpy(bytes, &saved, sizeof(saved));
	for (uint32_t input = 0; input < self->input_count; input++)
		for (uint32_t stage = 0; stage < self->stage_count; stage++)
			*at++ = self->counts[input].seen[stage];
	return 0;
}

/* With other stages or inputs than before, prescales begin anew. */
static int filter_load(void *state, const void *bytes, uint64_t count, struct enrg_error *err)
{
	struct filter *self = state;
	const uint8_t *at = (const uint8_t *)bytes + sizeof(struct saved);
	struct saved saved;

	if (count < sizeof(saved))
		return count ? enrg_error_set(err, ENRG_E_CORRUPT, "its state is too short") : 0;
	memcpy(&saved, bytes, sizeof(saved));
	if (saved.magic != STATE_MAGIC)
		return enrg_error_set(err, ENRG_E_CORRUPT, "its state is not one of a filter");
	if (saved.stage_count != self->stage_count || saved.input_count != self->input_count ||
		count != sizeof(saved) + (uint64_t)saved.stage_count * saved.input_count * sizeof(uint64_t)) {
		enrg_job_log(enrg_processor_job(self->processor), ENRG_WARNING,
			"stages or inputs are others than before: prescales begin anew");
		return 0;
	}
	for (uint32_t input = 0; input < self->input_count; input++)
		for (uint32_t stage = 0; stage < self->stage_count; stage++, at += sizeof(uint64_t)) {
			uint64_t seen;
			memcpy(&seen, at, sizeof(seen));
			if (self->stages[stage].kind == STAGE_PRESCALE)
				self->counts[input].seen[stage] = seen % (uint64_t)self->stages[stage].every;
		}
	return 0;
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

static void find_columns(const struct filter *self, const struct enrg_batch *batch, struct table *table)
{
	for (uint32_t i = 0; i < self->stage_count; i++) {
		const struct stage *stage = &self->stages[i];
		table->columns[i] = UINT32_MAX;
		for (uint32_t k = 0; stage->kind == STAGE_RANGE && k < batch->schema->column_count; k++)
			if (!strcmp(batch->schema->columns[k].name, stage->column) &&
				stage_can_compare(&batch->schema->columns[k]))
				table->columns[i] = k;
		if (stage->kind == STAGE_RANGE && table->columns[i] == UINT32_MAX)
			enrg_job_log(enrg_processor_job(self->processor), ENRG_WARNING,
				"a table of %s (tag \"%s\") has no column of numbers \"%s\": its rows pass the stage "
				"%s",
				batch->source, batch->tag, stage->column, stage->name);
	}
}

static int find_table(
	struct filter *self, const struct enrg_batch *batch, struct table **ret_table, struct enrg_error *err)
{
	for (struct table *table = self->tables; table; table = table->next)
		if (table->schema == batch->schema) {
			*ret_table = table;
			return 0;
		}
	struct table *table = calloc(1, sizeof(*table));
	if (!table)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = enrg_output_open(enrg_processor_job(self->processor), "store_config",
		batch->tag[0] ? batch->tag : NULL, batch->schema, &table->output, err);
	if (rc < 0) {
		free(table);
		return rc;
	}
	table->schema = batch->schema;
	find_columns(self, batch, table);
	table->next = self->tables;
	self->tables = table;
	*ret_table = table;
	return 0;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static int reserve(struct filter *self, uint32_t rows)
{
	uint32_t *kept;

	if (rows <= self->kept_room)
		return 0;
	kept = realloc(self->kept, rows * sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	self->kept = kept;
	self->kept_room = rows;
	return 0;
}

static int count_rows(const struct filter *self, uint32_t input, const struct stage_result *result)
{
	int rc = enrg_processor_count(self->processor, input, result->count, NULL);

	for (uint32_t i = 0; i < self->stage_count && rc == 0; i++)
		if (result->rejected[i])
			rc = enrg_processor_count(self->processor, input, result->rejected[i], self->stages[i].name);
	return rc;
}

static int64_t filter_process(
	void *state, uint32_t input, const struct enrg_batch *batch, uint64_t row, struct enrg_error *err)
{
	struct filter *self = state;
	uint32_t rows = batch->rows - row < STAGE_ROWS_MAX ? (uint32_t)(batch->rows - row) : STAGE_ROWS_MAX;
	struct stage_result result = {0};
	struct table *table = NULL;

	if (!rows)
		return 0;
	int rc = find_table(self, batch, &table, err);
	if (rc == 0 && reserve(self, rows) < 0)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	while (rc == 0) {
		struct stage_counts counts = self->counts[input];
		stage_select(&(struct stage_list){self->stages, table->columns, self->stage_count},
			&(struct stage_rows){batch, row, rows}, &counts, self->kept, &result);
		rc = result.count ? rows_commit(table->output, batch, self->kept, result.count, err) : 0;
		if (rc == -EMSGSIZE && rows > 1) { /* its own headers may be longer than those of the source */
			*err = (struct enrg_error){0};
			rows /= 2;
			rc = 0;
			continue;
		}
		if (rc == 0)
			self->counts[input] = counts;
		break;
	}
	if (rc == 0)
		rc = count_rows(self, input, &result);
	return rc < 0 ? rc : (int64_t)rows;
}

static const struct enrg_job_group filter_groups[] = {
	{.key = "store_config", .required = true, .help = "Where the rows go that pass."},
	{.key = NULL},
};

static const struct enrg_processor_type filter_type = {
	.size = sizeof(struct enrg_processor_type),
	.name = "DAQJobFilter",
	.summary = "Passes on the tables of other jobs without the rows that its stages reject.",
	.options = {.size = sizeof(struct filter_options), .options = filter_option_list},
	.groups = filter_groups,
	.start = filter_start,
	.process = filter_process,
	.save = filter_save,
	.load = filter_load,
	.destroy = filter_destroy,
	.check = filter_check,
};

static const struct enrg_processor_type *const filter_processors[] = {&filter_type, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "filter", .processors = filter_processors};
