/* run_plan_fuzz.c: a template, a sequence and a value, with a NUL between them: whatever they say, the jobs that come
 * of them are TOML, a text stands in its place as it was given, and no key is there that the template has not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/run_setup.h"
#include "config/run_steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The part that ends at a NUL or at the end; a copy. */
static char *take_part(const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, 0, *size);
	size_t bytes = end ? (size_t)(end - *data) : *size;
	char *part = calloc(bytes + 1, 1);

	if (!part)
		abort();
	memcpy(part, *data, bytes);
	*data += end ? bytes + 1 : bytes;
	*size -= end ? bytes + 1 : bytes;
	return part;
}

static json_t *make_values(const struct run_template *template, const char *value)
{
	json_t *values = json_object();

	for (size_t i = 0; i < template->parameter_count; i++)
		json_object_set_new(values, template->parameters[i].name, json_string(value));
	return values;
}

static void check_place(const struct toml_node *job, const struct toml_node *made, const json_t *values)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct toml_node *child = &job->children[i], *own = toml_find(made, child->key);
		const char *place = run_parameter_place(child);
		const json_t *value = place ? json_object_get(values, place) : NULL;
		if (!json_is_string(value))
			continue;
		if (!own || own->kind != TOML_STRING || strcmp(own->text, json_string_value(value)) != 0)
			abort();
	}
	for (size_t i = 0; i < made->count; i++)
		if (!toml_find(job, made->children[i].key) && strcmp(made->children[i].key, "daq_job_unique_id") != 0)
			abort();
}

static void check_setup(const struct run_template *template, const struct run_setup *setup)
{
	size_t count = template->jobs ? template->jobs->count : 0;

	for (size_t i = 0; i < setup->job_count; i++) {
		const char *text = setup->jobs[i].text;
		struct toml_node *made = NULL;
		struct enrg_error err = {0};
		/* too deep: what stood below [[job]] is deeper by that in a file of its own than the parser takes */
		if (toml_parse("made", text, strlen(text), &made, &err))
			abort();
		if (setup->job_count == count)
			check_place(&template->jobs->children[i], made, setup->values);
		toml_free(made);
	}
}

static void make_all(const struct run_plans *plans, const char *value, struct problems *problems)
{
	const struct run_template *template = run_plans_find_template(plans, "t");
	struct run_setup_wanted wanted = {.type = run_plans_find_type(plans, "x")};
	struct run_setup *setup = NULL;
	struct run_steps *steps = NULL;

	if (!template || !wanted.type)
		return;
	json_t *values = make_values(template, value);
	wanted.values = values;
	for (int i = 0; i < 2; i++) {
		wanted.is_aligned = i > 0;
		if (!run_setup_make(plans, &wanted, &setup, problems, NULL))
			check_setup(template, setup);
		json_decref(run_setup_show_values(plans, setup));
		run_setup_free(setup);
		setup = NULL;
	}
	json_decref(values);
	if (run_plans_find_sequence(plans, "s") &&
		!run_steps_make(plans, run_plans_find_sequence(plans, "s"), &steps, problems, NULL))
		run_steps_free(steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *template = take_part(&data, &size), *sequence = take_part(&data, &size), *value = take_part(&data, &size);
	const char *const names[] = {"runs/templates/t.toml", "runs/types/x.toml", "runs/sequences/s.toml"};
	const char *const texts[] = {template, "templates = ['t']\n", sequence};
	struct options_memory *memory = options_memory_create();
	struct sources sources = {0};
	struct run_plans *plans = NULL;
	struct problems problems;

	problems_init(&problems);
	if (sources_copy(names, texts, 3, &sources, NULL) || run_plans_load(&sources, memory, &plans, &problems, NULL))
		abort();
	if (!problems.errors || run_plans_find_template(plans, "t"))
		make_all(plans, value, &problems);
	run_plans_free(plans);
	sources_fini(&sources);
	options_memory_destroy(memory);
	problems_fini(&problems);
	free(template);
	free(sequence);
	free(value);
	return 0;
}
