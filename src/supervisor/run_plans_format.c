/* run_plans_format.c: see the header. */
#include "supervisor/run_plans_format.h"

#include <string.h>

#include "config/run_steps.h"

#define STEPS_MAX 100u /* that are shown */

static json_t *text(const char *value)
{
	return json_string(value ? value : "");
}

static json_t *list(const struct enrg_string_list *strings)
{
	json_t *json = json_array();

	for (size_t i = 0; i < strings->count; i++)
		json_array_append_new(json, json_string(strings->items[i]));
	return json;
}

/* --- types -------------------------------------------------------------------------------------------------------- */

static json_t *format_head(const char *name, const char *title, const char *description, bool runs_code)
{
	return json_pack("{s:s, s:o, s:o, s:b}", "name", name, "title", text(title), "description", text(description),
		"runs_code", runs_code);
}

/* With the type's own value as the default. */
static json_t *format_parameter(const struct run_type *type, const struct run_parameter *parameter)
{
	const struct toml_node *own = type->values ? toml_find(type->values, parameter->name) : NULL;
	json_t *json = run_parameter_format(parameter);
	char wrong[600];
	json_t *value =
		own && !parameter->is_secret ? run_parameter_take_node(parameter, own, wrong, sizeof(wrong)) : NULL;

	if (!value)
		return json;
	json_object_set_new(json, "default", value);
	json_object_set_new(json, "required", json_boolean(parameter->options.required));
	return json;
}

static json_t *format_type(const struct run_plans *plans, const struct run_type *type, bool is_whole)
{
	json_t *json = format_head(type->name, type->options.title, type->options.description, type->runs_code);
	json_t *parameters = json_array();

	json_object_set_new(json, "templates", list(&type->options.templates));
	json_object_set_new(json, "required_tags", list(&type->options.required_tags));
	for (size_t i = 0; is_whole && i < type->options.templates.count; i++) {
		const struct run_template *template = run_plans_template_of(plans, type, i);
		for (size_t k = 0; template && k < template->parameter_count; k++) {
			const struct run_parameter *own = &template->parameters[k];
			if (run_plans_find_parameter(plans, type, own->name) == own)
				json_array_append_new(parameters, format_parameter(type, own));
		}
	}
	if (is_whole) {
		json_object_set(json, "parameters", parameters);
		json_object_set_new(json, "ends", run_ends_format(&type->options.ends));
		json_object_set_new(json, "repeat", json_integer(type->options.repeat));
		json_object_set_new(json, "comment_carries", json_boolean(type->options.comment_carries));
	}
	json_decref(parameters);
	return json;
}

/* --- templates ---------------------------------------------------------------------------------------------------- */

static json_t *format_template(const struct run_plans *plans, const struct run_template *template, bool is_whole)
{
	json_t *json = format_head(
		template->name, template->options.title, template->options.description, template->runs_code);
	json_t *parameters = json_array(), *jobs = json_array(), *messages = json_array();

	(void)plans;
	for (size_t i = 0; template->jobs && i < template->jobs->count; i++) {
		const struct toml_node *type = toml_find(&template->jobs->children[i], "daq_job_type");
		json_array_append_new(jobs, text(type && type->kind == TOML_STRING ? type->text : NULL));
	}
	for (size_t i = 0; i < template->message_count; i++)
		json_array_append_new(messages, json_pack("{s:o, s:o}", "to", text(template->messages[i].options.to),
							"kind", text(template->messages[i].options.kind)));
	for (size_t i = 0; is_whole && i < template->parameter_count; i++)
		json_array_append_new(parameters, run_parameter_format(&template->parameters[i]));
	json_object_set_new(json, "jobs", jobs);
	json_object_set_new(json, "messages", messages);
	if (is_whole)
		json_object_set(json, "parameters", parameters);
	json_decref(parameters);
	return json;
}

/* --- sequences ---------------------------------------------------------------------------------------------------- */

static void add_steps(json_t *json, const struct run_plans *plans, const struct run_sequence *sequence)
{
	struct run_steps *steps = NULL;
	struct problems problems;
	json_t *shown = json_array();

	problems_init(&problems);
	if (!run_steps_make(plans, sequence, &steps, &problems, NULL))
		json_object_set_new(json, "count", json_integer((json_int_t)steps->count));
	for (size_t i = 0; steps && i < steps->count && i < STEPS_MAX; i++)
		json_array_append_new(shown, run_steps_format(&steps->items[i]));
	json_object_set_new(json, "steps", shown);
	run_steps_free(steps);
	problems_fini(&problems);
}

static json_t *format_sequence(const struct run_plans *plans, const struct run_sequence *sequence, bool is_whole)
{
	const struct run_type *type =
		sequence->options.type ? run_plans_find_type(plans, sequence->options.type) : NULL;
	json_t *json = format_head(
		sequence->name, sequence->options.title, sequence->options.description, type && type->runs_code);

	json_object_set_new(json, "type", text(sequence->options.type));
	if (is_whole)
		add_steps(json, plans, sequence);
	return json;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

#define FORMAT_KIND(plural, noun)                                                                                      \
	static json_t *format_##plural(const struct run_plans *plans, const char *name)                                \
	{                                                                                                              \
		json_t *all = json_array();                                                                            \
		for (size_t i = 0; i < plans->noun##_count; i++) {                                                     \
			if (*name && !strcmp(plans->plural[i].name, name)) {                                           \
				json_decref(all);                                                                      \
				return format_##noun(plans, &plans->plural[i], true);                                  \
			}                                                                                              \
			json_array_append_new(all, format_##noun(plans, &plans->plural[i], false));                    \
		}                                                                                                      \
		if (!*name)                                                                                            \
			return json_pack("{s:o}", #plural, all);                                                       \
		json_decref(all);                                                                                      \
		return NULL;                                                                                           \
	}

FORMAT_KIND(types, type)
FORMAT_KIND(templates, template)
FORMAT_KIND(sequences, sequence)

json_t *run_plans_format(const struct run_plans *plans, const char *kind, const char *name)
{
	if (!plans)
		return NULL;
	if (!strcmp(kind, "types"))
		return format_types(plans, name);
	if (!strcmp(kind, "templates"))
		return format_templates(plans, name);
	return strcmp(kind, "sequences") ? NULL : format_sequences(plans, name);
}
