/* run_steps.c: see the header. */
#include "config/run_steps.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct expander {
	const struct run_plans *plans;
	const struct run_sequence *sequence;
	const struct run_type *type;
	struct run_steps *steps;
	struct options_memory *memory;
	struct problems *problems;
};

/* --- values ------------------------------------------------------------------------------------------------------- */

/* Each that the type has, as its parameter has it, into `values`. */
static void take_values(
	const struct expander *expander, const struct toml_node *table, const char *prefix, json_t *values)
{
	char wrong[700];

	for (size_t i = 0; table && i < table->count; i++) {
		const struct toml_node *node = &table->children[i];
		const struct run_parameter *parameter =
			run_plans_find_parameter(expander->plans, expander->type, node->key);
		json_t *value = parameter ? run_parameter_take_node(parameter, node, wrong, sizeof(wrong)) : NULL;

		if (!parameter)
			problems_add(expander->problems, false, expander->sequence->file, node->key_line,
				"%s.%.80s: run type %s has no such parameter", prefix, node->key, expander->type->name);
		else if (!value)
			problems_add(expander->problems, false, expander->sequence->file, node->line, "%s.%s: %s",
				prefix, node->key, wrong);
		else
			json_object_set_new(values, node->key, value);
	}
}

static struct run_ends join_ends(const struct run_ends *own, const struct run_ends *common)
{
	struct run_ends ends = *own;
	bool has_own = own->stop_after_seconds > 0.0 || own->stop_after_events || own->stop_after_bytes ||
		       own->stop_when.count;

	if (!has_own)
		ends = *common;
	else if (!ends.count_source || !ends.count_source[0])
		ends.count_source = common->count_source;
	return ends;
}

/* NULL: out of memory, or too many. */
static struct run_steps_item *add_step(const struct expander *expander, const json_t *values)
{
	struct run_steps *steps = expander->steps;
	struct run_steps_item *longer, *step;

	if (steps->count >= RUN_STEPS_MAX) {
		problems_add(
			expander->problems, false, expander->sequence->file, 1, "more than %u steps", RUN_STEPS_MAX);
		return NULL;
	}
	longer = realloc(steps->items, (steps->count + 1) * sizeof(*longer));
	if (!longer)
		return NULL;
	steps->items = longer;
	step = &longer[steps->count++];
	*step = (struct run_steps_item){.values = json_deep_copy(values),
		.settle_seconds = expander->sequence->options.settle_seconds,
		.ends = expander->sequence->options.ends};
	return step->values ? step : NULL;
}

/* What was cut between two bytes of a letter is no text of JSON, and its step would be left out. */
static void describe(struct run_steps_item *step, const char *text)
{
	text_copy(step->description, sizeof(step->description), text);
	text_make_safe(step->description, strlen(step->description));
}

/* --- a list ------------------------------------------------------------------------------------------------------- */

static int expand_steps(const struct expander *expander, const json_t *common)
{
	static const char *const known[] = {"values", NULL};
	const struct toml_node *list = expander->sequence->steps;

	for (size_t i = 0; i < list->count; i++) {
		const struct toml_node *node = &list->children[i], *values = toml_find(node, "values");
		struct run_steps_item *step = add_step(expander, common);
		struct run_step own = {0};
		char prefix[40];

		if (!step)
			return -ENOMEM;
		snprintf(prefix, sizeof(prefix), "step[%zu].", i);
		options_fill(&run_step_table,
			&(struct options_text){
				.node = node, .file = expander->sequence->file, .prefix = prefix, .known = known},
			&own, expander->memory, expander->problems);
		snprintf(prefix, sizeof(prefix), "step[%zu].values", i);
		if (values && values->kind != TOML_TABLE)
			problems_add(expander->problems, false, expander->sequence->file, values->line,
				"%s: expected a table", prefix);
		else
			take_values(expander, values, prefix, step->values);
		if (own.has_settle)
			step->settle_seconds = own.settle_seconds;
		step->ends = join_ends(&own.ends, &expander->sequence->options.ends);
		describe(step, own.description ? own.description : "");
	}
	return 0;
}

/* --- scans -------------------------------------------------------------------------------------------------------- */

/* 0.1 + 2 * 0.1 is 0.30000000000000004: a scan says 0.3. */
static double round_value(double value)
{
	char text[40];

	snprintf(text, sizeof(text), "%.12g", value);
	return strtod(text, NULL);
}

static bool is_downward(const struct run_scan *scan)
{
	return scan->step < 0.0;
}

/* New reference: a list of raw values; NULL: it is wrong, and said so. */
static json_t *list_range(const struct expander *expander, const struct toml_node *node, const struct run_scan *scan)
{
	bool is_whole = scan->has_from && scan->has_to && scan->has_step;
	double span = scan->to - scan->from;
	json_t *list;

	if (!is_whole || !isnormal(scan->step) || (span < 0.0) != is_downward(scan)) {
		if (!is_whole || span < 0.0 || span > 0.0 || !isnormal(scan->step)) {
			problems_add(expander->problems, false, expander->sequence->file, node->line,
				"scan: expected `values`, or `from`, `to` and a `step` that leads from one to the "
				"other");
			return NULL;
		}
	}
	double count = floor(span / scan->step + 1e-9) + 1.0;
	if (!(count <= RUN_STEPS_MAX)) {
		problems_add(expander->problems, false, expander->sequence->file, node->line,
			"scan: %.0f steps, and at most %u can be", count, RUN_STEPS_MAX);
		return NULL;
	}
	list = json_array();
	for (size_t i = 0; (double)i < count; i++)
		json_array_append_new(list, json_real(round_value(scan->from + (double)i * scan->step)));
	return list;
}

static json_t *list_values(const struct expander *expander, const struct toml_node *node, const struct run_scan *scan)
{
	const struct toml_node *values = toml_find(node, "values");
	bool has_range = scan->has_from || scan->has_to || scan->has_step;

	if (values && (has_range || values->kind != TOML_ARRAY || !values->count)) {
		problems_add(expander->problems, false, expander->sequence->file, values->line,
			has_range ? "scan: expected either values or from, to and step, found both"
				  : "scan.values: expected a list of values");
		return NULL;
	}
	return values ? run_parameter_json(values) : list_range(expander, node, scan);
}

/* New reference: the list as the parameter has it. */
static json_t *read_scan(const struct expander *expander, const struct toml_node *node, const char **ret_name)
{
	static const char *const known[] = {"values", NULL};
	struct run_scan scan = {0};
	size_t before = expander->problems->errors;
	char wrong[700];

	options_fill(&run_scan_table,
		&(struct options_text){
			.node = node, .file = expander->sequence->file, .prefix = "scan.", .known = known},
		&scan, expander->memory, expander->problems);
	if (expander->problems->errors > before)
		return NULL;
	const struct run_parameter *parameter =
		run_plans_find_parameter(expander->plans, expander->type, scan.parameter);
	if (!parameter) {
		problems_add(expander->problems, false, expander->sequence->file, node->line,
			"scan.parameter: run type %s has no parameter \"%.80s\"", expander->type->name, scan.parameter);
		return NULL;
	}
	if (parameter->is_secret) {
		problems_add(expander->problems, false, expander->sequence->file, node->line,
			"scan.parameter: %s is a secret, and no file may list values of one", parameter->name);
		return NULL;
	}
	json_t *raw = list_values(expander, node, &scan), *list = raw ? json_array() : NULL;
	for (size_t i = 0; i < json_array_size(raw); i++) {
		json_t *value = run_parameter_take(parameter, json_array_get(raw, i), wrong, sizeof(wrong));
		if (value)
			json_array_append_new(list, value);
		else if (json_array_size(list) == i) /* the first that is wrong */
			problems_add(expander->problems, false, expander->sequence->file, node->line,
				"scan of %s, value %zu: %s", scan.parameter, i + 1, wrong);
	}
	json_decref(raw);
	*ret_name = parameter->name;
	return list;
}

static int expand_scan(const struct expander *expander, size_t index, json_t *values, const char *text)
{
	const struct toml_node *scans = expander->sequence->scans;
	const char *name = "";
	int rc = 0;

	if (index == scans->count) {
		struct run_steps_item *step = add_step(expander, values);
		if (step)
			describe(step, text);
		return step ? 0 : -ENOMEM;
	}
	json_t *list = read_scan(expander, &scans->children[index], &name);
	if (!list)
		return ENRG_E_CONFIG;
	for (size_t i = 0; !rc && i < json_array_size(list); i++) {
		json_t *value = json_array_get(list, i);
		char longer[300], *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));

		snprintf(longer, sizeof(longer), "%.150s%s%.80s = %.60s", text, text[0] ? ", " : "", name,
			shown ? shown : "");
		free(shown);
		json_object_set(values, name, value);
		rc = expand_scan(expander, index + 1, values, longer);
	}
	json_decref(list);
	return rc;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

int run_steps_make(const struct run_plans *plans, const struct run_sequence *sequence, struct run_steps **ret_steps,
	struct problems *problems, struct enrg_error *err)
{
	const struct run_type *type =
		sequence->options.type ? run_plans_find_type(plans, sequence->options.type) : NULL;
	struct run_steps *steps = type ? calloc(1, sizeof(*steps)) : NULL;
	struct options_memory *memory = options_memory_create();
	json_t *values = json_object();
	const struct expander expander = {.plans = plans,
		.sequence = sequence,
		.type = type,
		.steps = steps,
		.memory = memory,
		.problems = problems};
	int rc = steps && memory && values ? 0 : type ? -ENOMEM : ENRG_E_CONFIG;

	if (!rc)
		take_values(&expander, sequence->values, "values", values);
	if (!rc && sequence->steps)
		rc = expand_steps(&expander, values);
	else if (!rc && sequence->scans)
		rc = expand_scan(&expander, 0, values, "");
	json_decref(values);
	if (rc) {
		options_memory_destroy(memory);
		run_steps_free(steps);
		return enrg_error_set(err, rc, "sequence %s has no steps", sequence->name);
	}
	steps->memory = memory;
	*ret_steps = steps;
	return 0;
}

void run_steps_free(struct run_steps *steps)
{
	if (!steps)
		return;
	for (size_t i = 0; i < steps->count; i++)
		json_decref(steps->items[i].values);
	options_memory_destroy(steps->memory);
	free(steps->items);
	free(steps);
}

json_t *run_ends_format(const struct run_ends *ends)
{
	json_t *json = json_object(), *list = json_array();

	if (ends->stop_after_seconds > 0.0)
		json_object_set_new(json, "stop_after_seconds", json_real(ends->stop_after_seconds));
	if (ends->stop_after_events)
		json_object_set_new(json, "stop_after_events", json_integer(ends->stop_after_events));
	if (ends->stop_after_bytes)
		json_object_set_new(json, "stop_after_bytes", json_integer(ends->stop_after_bytes));
	if (ends->count_source && ends->count_source[0])
		json_object_set_new(json, "count_source", json_string(ends->count_source));
	for (size_t i = 0; i < ends->stop_when.count; i++)
		json_array_append_new(list, json_string(ends->stop_when.items[i]));
	if (ends->stop_when.count)
		json_object_set(json, "stop_when", list);
	json_decref(list);
	return json;
}

json_t *run_steps_format(const struct run_steps_item *step)
{
	return json_pack("{s:s, s:O, s:f, s:o}", "description", step->description, "values", step->values,
		"settle_seconds", step->settle_seconds, "ends", run_ends_format(&step->ends));
}
