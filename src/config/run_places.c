/* run_places.c: see the header. */
#include "config/run_places.h"

#include <string.h>

#include "config/types_message.h"
#include "enrgdaq/message.h"

struct marker {
	struct run_template *template;
	const struct types *types;
};

static const struct enrg_option file_of_secret = {.runs_code = true};

static const struct enrg_option *find_option(const struct enrg_table *table, const char *key)
{
	for (const struct enrg_option *option = table->options; option && option->key; option++) {
		const struct enrg_option *found = NULL;
		if (option->kind == ENRG_OPTION_INCLUDE)
			found = find_option(option->table, key);
		else if (!strcmp(option->key, key))
			found = option;
		if (found)
			return found;
	}
	return NULL;
}

static void mark_place(const struct marker *marker, const struct enrg_option *option, const char *place)
{
	for (size_t i = 0; i < marker->template->parameter_count; i++) {
		struct run_parameter *parameter = &marker->template->parameters[i];
		if (strcmp(parameter->name, place) != 0)
			continue;
		parameter->is_secret |= option->secret;
		parameter->runs_code |= option->runs_code;
	}
}

static void mark_table(const struct marker *marker, const struct enrg_table *table, const struct toml_node *node)
{
	for (size_t i = 0; node && node->kind == TOML_TABLE && i < node->count; i++) {
		const struct toml_node *child = &node->children[i];
		const struct enrg_option *option = find_option(table, child->key);
		const char *place = run_parameter_place(child);

		/* the file that holds a secret is no value, and who names files reads them */
		if (!option && place && options_is_file_of_secret(table, child->key))
			option = &file_of_secret;
		if (!option)
			continue;
		marker->template->runs_code |= option->runs_code;
		if (place)
			mark_place(marker, option, place);
		else if (option->kind == ENRG_OPTION_TABLE)
			mark_table(marker, option->table, child);
		else if (option->kind == ENRG_OPTION_TABLE_LIST && child->kind == TOML_ARRAY)
			for (size_t k = 0; k < child->count; k++)
				mark_table(marker, option->table, &child->children[k]);
		/* a place in a list or map */
		for (size_t k = 0; !place && k < child->count; k++)
			if (run_parameter_place(&child->children[k]))
				mark_place(marker, option, run_parameter_place(&child->children[k]));
	}
}

static const struct type_entry *type_of(const struct toml_node *job, const struct types *types)
{
	const struct toml_node *name = toml_find(job, "daq_job_type");
	bool is_old;

	return name && name->kind == TOML_STRING ? types_find(types, name->text, &is_old) : NULL;
}

static void mark_job(const struct marker *marker, const struct toml_node *job)
{
	const struct type_entry *type = type_of(job, marker->types);

	if (!type)
		return;
	marker->template->runs_code |= type_runs_code(type);
	mark_table(marker, type_options(type), job);
	for (const struct enrg_job_group *group = type_groups(type); group && group->key; group++) {
		const struct toml_node *sections = toml_find(job, group->key);
		for (size_t i = 0; sections && sections->kind == TOML_TABLE && i < sections->count; i++) {
			const struct type_entry *store = types_find_section(marker->types, sections->children[i].key);
			if (store)
				mark_table(marker, &store->store->section_options, &sections->children[i]);
		}
	}
}

/* The type of the job of that name in the template. */
static const struct type_entry *find_in_template(
	const struct run_template *template, const char *name, const struct types *types)
{
	for (size_t i = 0; template && template->jobs && i < template->jobs->count; i++) {
		const struct toml_node *job = &template->jobs->children[i], *id = toml_find(job, "daq_job_unique_id");
		const char *own = id && id->kind == TOML_STRING ? id->text : template->name;
		if (!strcmp(own, name))
			return type_of(job, types);
	}
	return NULL;
}

const struct enrg_message_type *run_places_find_message(const struct run_message *message,
	const struct run_template *template, const struct folder *folder, const struct types *types)
{
	const char *to = message->options.to;
	const struct type_entry *type = NULL;
	bool is_old;

	if (!to || !message->options.kind)
		return NULL;
	if (!strncmp(to, "type ", 5))
		type = types_find(types, to + 5, &is_old);
	for (size_t i = 0; !type && !strncmp(to, "job ", 4) && i < folder->job_count; i++)
		if (folder->jobs[i].name && !strcmp(folder->jobs[i].name, to + 4))
			type = folder->jobs[i].type;
	if (!type && !strncmp(to, "job ", 4))
		type = find_in_template(template, to + 4, types);
	return type ? types_find_message(type_messages(type), message->options.kind) : NULL;
}

/* To all that take it, or to a job that comes later: does one of all types run programs for it? */
static bool may_run_code(const struct types *types, const char *kind)
{
	for (size_t i = 0; kind && i < types_count(types); i++) {
		const struct enrg_message_type *type = types_find_message(type_messages(types_at(types, i)), kind);
		if (type && type->runs_code)
			return true;
	}
	return false;
}

static void mark_template(struct run_template *template, const struct folder *folder, const struct types *types)
{
	const struct marker marker = {template, types};

	for (size_t i = 0; template->jobs && i < template->jobs->count; i++)
		mark_job(&marker, &template->jobs->children[i]);
	for (size_t i = 0; i < template->message_count; i++) {
		const struct run_message *message = &template->messages[i];
		const struct enrg_message_type *type = run_places_find_message(message, template, folder, types);
		template->runs_code |= type ? type->runs_code : may_run_code(types, message->options.kind);
		if (!type)
			continue;
		mark_table(&marker, &type->body, message->body);
	}
}

/* Whoever shows such a file can't tell by it what is secret in it. */
static void refuse_secrets(const struct run_plans *plans, const struct run_type *type, const struct toml_node *values,
	const char *file, struct problems *problems)
{
	for (size_t i = 0; type && values && i < values->count; i++)
		if (run_plans_is_secret(plans, type, values->children[i].key))
			problems_add(problems, false, file, values->children[i].key_line,
				"values.%s: it is a secret: it stands in its template, as the default, or is given by "
				"whoever starts the run",
				values->children[i].key);
}

static void check_secrets(const struct run_plans *plans, struct problems *problems)
{
	for (size_t i = 0; i < plans->type_count; i++)
		refuse_secrets(plans, &plans->types[i], plans->types[i].values, plans->types[i].file, problems);
	for (size_t i = 0; i < plans->sequence_count; i++) {
		const struct run_sequence *sequence = &plans->sequences[i];
		const struct run_type *type =
			sequence->options.type ? run_plans_find_type(plans, sequence->options.type) : NULL;
		refuse_secrets(plans, type, sequence->values, sequence->file, problems);
		for (size_t k = 0; sequence->steps && k < sequence->steps->count; k++)
			refuse_secrets(plans, type, toml_find(&sequence->steps->children[k], "values"), sequence->file,
				problems);
	}
}

void run_places_mark(
	struct run_plans *plans, const struct folder *folder, const struct types *types, struct problems *problems)
{
	for (size_t i = 0; i < plans->template_count; i++)
		mark_template(&plans->templates[i], folder, types);
	for (size_t i = 0; i < plans->type_count; i++)
		for (size_t k = 0; k < plans->types[i].options.templates.count; k++) {
			const struct run_template *template = run_plans_template_of(plans, &plans->types[i], k);
			plans->types[i].runs_code |= template && template->runs_code;
		}
	check_secrets(plans, problems);
}
