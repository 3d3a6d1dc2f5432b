/* run_setup.c: see the header. */
#include "config/run_setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "config/run_text.h"

#define VALUES "values" /* stands for the file where whoever starts a run is told what is wrong */

struct maker {
	const struct run_plans *plans;
	const struct run_setup_wanted *wanted;
	struct run_setup *setup;
	struct problems *problems;
};

/* --- values ------------------------------------------------------------------------------------------------------- */

static void add_unknown(const struct maker *maker, const char *name)
{
	const struct run_type *type = maker->wanted->type;
	char listed[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < type->options.templates.count; i++) {
		const struct run_template *template = run_plans_template_of(maker->plans, type, i);
		for (size_t k = 0; template && k < template->parameter_count && used < sizeof(listed); k++)
			used += (size_t)snprintf(listed + used, sizeof(listed) - used, "%s%s", used ? ", " : "",
				template->parameters[k].name);
	}
	problems_add(maker->problems, false, VALUES, 0, "%.80s: run type %s has no such parameter; %s%s", name,
		type->name, used ? "it has " : "it has none", listed);
}

static void check_given(const struct maker *maker)
{
	json_t *given = (json_t *)(uintptr_t)maker->wanted->values; /* jansson's iterators ask for it */
	const char *name;
	json_t *value;

	if (given && !json_is_object(given)) {
		problems_add(maker->problems, false, VALUES, 0, "expected a table of values by name");
		return;
	}
	json_object_foreach(given, name, value) if (!run_plans_find_parameter(maker->plans, maker->wanted->type, name))
		add_unknown(maker, name);
}

/* New reference, or NULL: it has none, or a wrong one. */
static json_t *choose_value(const struct maker *maker, const struct run_parameter *parameter)
{
	const struct run_type *type = maker->wanted->type;
	const json_t *given = json_object_get(maker->wanted->values, parameter->name);
	const struct toml_node *node = type->values ? toml_find(type->values, parameter->name) : NULL;
	char wrong[700];
	json_t *value;

	if (given && !json_is_null(given)) {
		value = run_parameter_take(parameter, given, wrong, sizeof(wrong));
		if (!value)
			problems_add(maker->problems, false, VALUES, 0, "%s: %s", parameter->name, wrong);
		return value;
	}
	if (parameter->options.required && !maker->wanted->is_draft) {
		problems_add(maker->problems, false, VALUES, 0, "%s: whoever starts a run of type %s has to give it",
			parameter->name, type->name);
		return NULL;
	}
	if (node)
		return run_parameter_take_node(parameter, node, wrong, sizeof(wrong));
	value = run_parameter_default(parameter);
	if (!value && !maker->wanted->is_draft)
		problems_add(maker->problems, false, VALUES, 0, "%s: it has no default, and no value was given",
			parameter->name);
	return value;
}

static void choose_values(const struct maker *maker)
{
	const struct run_type *type = maker->wanted->type;

	for (size_t i = 0; i < type->options.templates.count; i++) {
		const struct run_template *template = run_plans_template_of(maker->plans, type, i);
		for (size_t k = 0; template && k < template->parameter_count; k++) {
			const struct run_parameter *own = &template->parameters[k];
			/* one name is one value; a template that shares it may want it narrower */
			const struct run_parameter *first = run_plans_find_parameter(maker->plans, type, own->name);
			json_t *value = json_object_get(maker->setup->values, own->name), *again;
			char wrong[700];
			if (first == own && (value = choose_value(maker, own))) {
				json_object_set_new(maker->setup->values, own->name, value);
				if (json_is_string(value) && run_plans_is_secret(maker->plans, type, own->name))
					secret_remember(json_string_value(value));
				continue;
			}
			again = value && first != own ? run_parameter_take(own, value, wrong, sizeof(wrong)) : NULL;
			if (value && first != own && !again)
				problems_add(maker->problems, false, VALUES, 0, "%s: for template %s %s", own->name,
					template->name, wrong);
			json_decref(again);
		}
	}
}

/* --- jobs and messages -------------------------------------------------------------------------------------------- */

/* Has each place in it a value? */
static bool is_complete(const struct toml_node *node, const json_t *values)
{
	const char *place = run_parameter_place(node);
	bool is_whole = !place || json_object_get(values, place);

	for (size_t i = 0; !place && is_whole && i < node->count; i++)
		is_whole = is_complete(&node->children[i], values);
	return is_whole;
}

static void name_job(
	const struct maker *maker, const struct run_template *template, size_t index, char *ret_name, size_t name_bytes)
{
	const struct toml_node *id = toml_find(&template->jobs->children[index], "daq_job_unique_id");
	const char *place = id ? run_parameter_place(id) : NULL, *text = NULL;

	if (id && id->kind == TOML_STRING)
		text = id->text;
	if (place)
		text = json_string_value(json_object_get(maker->setup->values, place));
	if (text)
		snprintf(ret_name, name_bytes, "%s", text);
	else if (index)
		snprintf(ret_name, name_bytes, "%s-%zu", template->name, index + 1);
	else
		snprintf(ret_name, name_bytes, "%s", template->name);
}

static int make_jobs(const struct maker *maker, const struct run_template *template)
{
	struct run_setup *setup = maker->setup;
	size_t count = template->jobs ? template->jobs->count : 0;
	struct run_setup_job *jobs = realloc(setup->jobs, (setup->job_count + count + 1) * sizeof(*jobs));

	if (!jobs)
		return -ENOMEM;
	setup->jobs = jobs;
	for (size_t i = 0; i < count; i++) {
		char name[400];
		const struct run_text text = {.table = &template->jobs->children[i],
			.values = setup->values,
			.name = name,
			.is_aligned = maker->wanted->is_aligned};

		if (!is_complete(text.table, setup->values))
			continue;
		name_job(maker, template, i, name, sizeof(name));
		struct run_setup_job job = {.name = strdup(name), .text = run_text_make(&text), .file = template->file};
		jobs[setup->job_count++] = job;
		if (!job.name || !job.text)
			return -ENOMEM;
	}
	return 0;
}

static int make_messages(const struct maker *maker, const struct run_template *template)
{
	struct run_setup *setup = maker->setup;
	struct run_setup_message *messages =
		realloc(setup->messages, (setup->message_count + template->message_count + 1) * sizeof(*messages));

	if (!messages)
		return -ENOMEM;
	setup->messages = messages;
	for (size_t i = 0; i < template->message_count; i++) {
		const struct run_message *message = &template->messages[i];
		if (message->body && !is_complete(message->body, setup->values))
			continue;
		json_t *body = message->body ? run_text_body(message->body, setup->values) : json_object();
		if (!body)
			return -ENOMEM;
		messages[setup->message_count++] =
			(struct run_setup_message){.template = template, .message = message, .body = body};
	}
	return 0;
}

int run_setup_make(const struct run_plans *plans, const struct run_setup_wanted *wanted, struct run_setup **ret_setup,
	struct problems *problems, struct enrg_error *err)
{
	struct run_setup *setup = calloc(1, sizeof(*setup));
	const struct maker maker = {.plans = plans, .wanted = wanted, .setup = setup, .problems = problems};
	int rc = 0;

	if (setup)
		setup->values = json_object();
	if (!setup || !setup->values) {
		run_setup_free(setup);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	setup->type = wanted->type;
	check_given(&maker);
	choose_values(&maker);
	for (size_t i = 0; !rc && i < wanted->type->options.templates.count; i++) {
		const struct run_template *template = run_plans_template_of(plans, wanted->type, i);
		rc = template ? make_jobs(&maker, template) : 0;
		if (template && !rc)
			rc = make_messages(&maker, template);
	}
	if (rc) {
		run_setup_free(setup);
		return enrg_error_set(err, rc, "out of memory");
	}
	*ret_setup = setup;
	return 0;
}

void run_setup_free(struct run_setup *setup)
{
	if (!setup)
		return;
	for (size_t i = 0; i < setup->job_count; i++) {
		free(setup->jobs[i].name);
		free(setup->jobs[i].text);
	}
	for (size_t i = 0; i < setup->message_count; i++)
		json_decref(setup->messages[i].body);
	free(setup->jobs);
	free(setup->messages);
	json_decref(setup->values);
	free(setup);
}

/* --- for records -------------------------------------------------------------------------------------------------- */

json_t *run_setup_show_values(const struct run_plans *plans, const struct run_setup *setup)
{
	json_t *shown = json_copy(setup->values);
	const char *name;
	json_t *value;

	json_object_foreach(setup->values, name, value) if (run_plans_is_secret(plans, setup->type, name))
		json_object_set_new(shown, name, json_string(SECRET_MASK));
	return shown;
}

json_t *run_setup_show_body(const struct run_plans *plans, const struct run_setup *setup, size_t message)
{
	const struct toml_node *body = setup->messages[message].message->body;
	json_t *values = run_setup_show_values(plans, setup);
	json_t *shown = body ? run_text_body(body, values) : json_object();

	json_decref(values);
	return shown;
}
