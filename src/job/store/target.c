/* target.c: from the route of a record to the table of the store. Store process, main thread. */
#include "job/store/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"

struct target_section {
	bool is_known;
	const void *options; /* NULL: the producer's file has no section of this store in that group */
};

struct target_table {
	struct target *targets[SEGMENT_ROUTES]; /* NULL: nothing came by that route yet */
	struct target_section sections[];       /* one a group of the producer's type */
};

/* --- sections ----------------------------------------------------------------------------------------------------- */

static int fill_section(const struct target_cache *cache, const struct plan_input *plan, const char *group,
	const void **ret_options, struct enrg_error *err)
{
	struct problems problems;
	void *options = NULL;

	problems_init(&problems);
	int rc = folder_fill_section(cache->type, &(struct folder_file){plan->producer_file, plan->producer_toml},
		group, &options, cache->memory, &problems);
	if (rc < 0)
		enrg_error_set(
			err, rc, "%s: section %s.%s can't be read", plan->producer_file, group, cache->type->section);
	for (size_t i = 0; i < problems.count; i++) {
		if (problems.items[i].is_warning)
			continue;
		rc = enrg_error_set(err, ENRG_E_CONFIG, "%s:%d: %s", problems.items[i].file, problems.items[i].line,
			problems.items[i].text);
		break;
	}
	problems_fini(&problems);
	if (rc == 0)
		*ret_options = options;
	return rc;
}

static int find_section(const struct target_cache *cache, const struct plan_input *plan, const char *group,
	const void **ret_options, struct enrg_error *err)
{
	struct toml_node *root;
	int rc = toml_parse(plan->producer_file, plan->producer_toml, strlen(plan->producer_toml), &root, err);

	if (rc < 0)
		return rc;
	const struct toml_node *table = toml_find(root, group);
	bool is_there = table && table->kind == TOML_TABLE && toml_find(table, cache->type->section);
	toml_free(root);
	*ret_options = NULL;
	return is_there ? fill_section(cache, plan, group, ret_options, err) : 0;
}

/* --- targets ------------------------------------------------------------------------------------------------------ */

static int prepare(const struct target_cache *cache, const struct intake_record *record, struct target_table *table,
	struct target *target, struct enrg_error *err)
{
	const struct plan_input *plan = record->input->plan;
	uint16_t group = record->route.group;
	int rc = 0;

	if (group >= plan->group_count) {
		target->state = TARGET_SKIPPED;
		return 0;
	}
	struct target_section *section = &table->sections[group];
	if (!section->is_known)
		rc = find_section(cache, plan, plan->groups[group], &section->options, err);
	if (rc < 0)
		return rc;
	section->is_known = true;
	if (!section->options) {
		target->state = TARGET_SKIPPED;
		return 0;
	}
	if (!target->schema)
		rc = ipc_decode_schema(record->route.schema_ipc, record->route.schema_bytes, &target->schema, err);
	if (rc < 0)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: schema of route %u: %s", record->input->source,
			record->header->route, err ? err->text : "");
	if (!target->views)
		target->views = calloc(target->schema->column_count, sizeof(*target->views));
	if (!target->tag)
		target->tag = strdup(record->route.tag);
	if (!target->views || !target->tag)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", record->input->source);
	target->section = section->options;
	target->state = TARGET_READY;
	return 0;
}

int target_find(const struct target_cache *cache, const struct intake_record *record, struct target **ret_target,
	struct enrg_error *err)
{
	struct intake_input *input = record->input;
	uint16_t route = record->header->route;

	if (route >= SEGMENT_ROUTES)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: no route %u", input->source, route);
	if (!input->targets) {
		input->targets = calloc(
			1, sizeof(*input->targets) + input->plan->group_count * sizeof(input->targets->sections[0]));
		if (!input->targets)
			return enrg_error_set(err, -ENOMEM, "%s: out of memory", input->source);
	}
	struct target *target = input->targets->targets[route];
	if (!target)
		target = input->targets->targets[route] = calloc(1, sizeof(*target));
	if (!target)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", input->source);
	if (target->state == TARGET_NEW) {
		struct enrg_error why;
		int rc = prepare(cache, record, input->targets, target, &why);
		if (rc < 0)
			return enrg_error_set(err, rc, "%s", why.text);
	}
	*ret_target = target->state == TARGET_READY ? target : NULL;
	return 0;
}

int target_open(const struct target_cache *cache, void *store_state, const struct intake_record *record,
	const char *run, struct target *target, struct enrg_error *err)
{
	if (target->is_open)
		return 0;
	const char *label = intake_label_of(record->input);
	const struct enrg_target parameters = {
		.source = record->input->source,
		/* Where runs are no boundaries in the stream, sequences go on from one to the next. */
		.run = label ? run : record->input->run,
		.label = label,
		.tag = target->tag,
		.section = target->section,
		.schema = target->schema,
		.acquired_ns = record->header->acquired_ns,
	};
	target->handle = NULL;
	int rc = cache->type->target_open(store_state, &parameters, &target->handle, err);
	target->is_open = rc >= 0;
	return rc < 0 ? rc : 0;
}

static int close_table(const struct target_cache *cache, void *store_state, struct target_table *table, bool abandon,
	struct enrg_error *err)
{
	int result = 0;

	for (uint32_t i = 0; i < SEGMENT_ROUTES; i++) {
		struct target *target = table->targets[i];
		if (!target || !target->is_open)
			continue;
		int code = cache->type->target_close(store_state, target->handle, abandon, result == 0 ? err : NULL);
		target->is_open = false;
		target->handle = NULL;
		result = result == 0 && code < 0 ? code : result;
	}
	return result;
}

int target_close_input(
	const struct target_cache *cache, void *store_state, struct intake_input *input, struct enrg_error *err)
{
	return input->targets ? close_table(cache, store_state, input->targets, false, err) : 0;
}

int target_close_all(const struct target_cache *cache, void *store_state, struct intake *intake, bool abandon,
	struct enrg_error *err)
{
	int result = 0;

	for (uint32_t i = 0; i < intake->count; i++) {
		int code = 0;
		if (intake->inputs[i]->targets)
			code = close_table(
				cache, store_state, intake->inputs[i]->targets, abandon, result == 0 ? err : NULL);
		result = result == 0 ? code : result;
	}
	return result;
}

static void free_table(struct intake_input *input)
{
	struct target_table *table = input->targets;

	for (uint32_t route = 0; table && route < SEGMENT_ROUTES; route++) {
		struct target *target = table->targets[route];
		if (!target)
			continue;
		free(target->schema);
		free(target->views);
		free(target->tag);
		free(target);
	}
	free(table);
	input->targets = NULL;
}

int target_drop(const struct target_cache *cache, void *store_state, struct intake_input *input, struct enrg_error *err)
{
	int rc = input->targets ? close_table(cache, store_state, input->targets, false, err) : 0;

	free_table(input);
	return rc;
}

void target_free_all(struct intake *intake)
{
	for (uint32_t i = 0; i < intake->count; i++)
		free_table(intake->inputs[i]);
}
