/* run_judge.c: see the header. */
#include "config/run_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options_json.h"
#include "config/run_places.h"
#include "config/run_steps.h"
#include "enrgdaq/message.h"

#define STEP_PROBLEMS_MAX 20u /* of one sequence: a wrong scan is wrong in each of its steps */

static bool is_known(const struct problems *problems, const struct problem *other)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *one = &problems->items[i];
		if (one->line == other->line && !strcmp(one->file, other->file) && !strcmp(one->text, other->text))
			return true;
	}
	return false;
}

/* Is it about a file of the setup's templates? */
static bool is_of(const struct run_setup *setup, const struct problem *problem)
{
	for (size_t i = 0; i < setup->job_count; i++)
		if (!strcmp(setup->jobs[i].file, problem->file))
			return true;
	for (size_t i = 0; i < setup->message_count; i++)
		if (!strcmp(setup->messages[i].template->file, problem->file))
			return true;
	return false;
}

static void take_problems(const struct run_setup *setup, const struct problems *found, struct problems *problems)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct problem *problem = &found->items[i];
		if (is_of(setup, problem) && !is_known(problems, problem))
			problems_add(problems, problem->is_warning, problem->file, problem->line, "%s", problem->text);
	}
}

/* The folder's own jobs, with none of a run that is on, and those of the setup. */
static int gather(const struct folder *folder, const struct run_setup *setup, struct sources *ret_sources)
{
	int rc = 0;
	char name[40];

	for (size_t i = 0; !rc && i < folder->sources.count; i++) {
		const struct source *source = &folder->sources.items[i];
		if (!run_plans_has(source) && strncmp(source->name, RUN_SETUP_SOURCE, strlen(RUN_SETUP_SOURCE)) != 0)
			rc = sources_put(ret_sources, source->file, source->name, source->text, NULL);
	}
	for (size_t i = 0; !rc && i < setup->job_count; i++) {
		snprintf(name, sizeof(name), RUN_SETUP_SOURCE "%zu", i);
		rc = sources_put(ret_sources, setup->jobs[i].file, name, setup->jobs[i].text, NULL);
	}
	return rc;
}

static void check_message(const struct run_setup_message *message, const struct folder *folder,
	const struct types *types, struct problems *problems)
{
	const struct run_message *own = message->message;
	const struct enrg_message_type *type = run_places_find_message(own, NULL, folder, types);
	struct options_memory *memory = options_memory_create();
	char wrong[1000];
	void *body;

	if (!own->options.to || !own->options.kind || !memory) {
		options_memory_destroy(memory);
		return;
	}
	bool is_all = !strcmp(own->options.to, "all");
	if (!type && !is_all)
		problems_add(problems, false, message->template->file, own->node->line,
			"message: %s takes no command %s, or there is no such job or type when the run begins",
			own->options.to, own->options.kind);
	else if (type && options_fill_json(&type->body, message->body, memory, &body, wrong, sizeof(wrong)))
		problems_add(problems, false, message->template->file, own->node->line, "message %s to %s: %s",
			own->options.kind, own->options.to, wrong);
	options_memory_destroy(memory);
}

void run_judge_setup(const struct folder *folder, const struct types *types, const struct run_setup *setup,
	struct problems *problems)
{
	struct folder *whole = NULL;
	struct sources sources = {0};
	struct problems found;

	if (!setup->job_count && !setup->message_count)
		return;
	problems_init(&found);
	if (gather(folder, setup, &sources)) {
		problems_add(problems, false, setup->type->file, 0, "out of memory");
		sources_fini(&sources);
	} else if (!folder_load_sources(folder->path, &sources, types, &whole, &found, NULL)) {
		for (size_t i = 0; i < setup->message_count; i++)
			check_message(&setup->messages[i], whole, types, &found);
		take_problems(setup, &found, problems);
	}
	folder_free(whole);
	problems_fini(&found);
}

static void judge_draft(const struct folder *folder, const struct types *types, const struct run_type *type,
	const json_t *values, struct problems *problems)
{
	const struct run_setup_wanted wanted = {.type = type, .values = values, .is_draft = true, .is_aligned = true};
	struct run_setup *setup = NULL;
	struct problems found;

	problems_init(&found);
	if (!run_setup_make(folder->plans, &wanted, &setup, &found, NULL) && !found.errors)
		run_judge_setup(folder, types, setup, problems);
	run_setup_free(setup);
	problems_fini(&found);
}

/* By itself, as the only template of a type. */
static void judge_template(const struct folder *folder, const struct types *types, const struct run_template *template,
	struct problems *problems)
{
	const char *const names[] = {template->name};
	const struct run_type type = {
		.name = template->name, .file = template->file, .options.templates = {.count = 1, .items = names}};

	judge_draft(folder, types, &type, NULL, problems);
}

static void judge_sequence(const struct folder *folder, const struct types *types, const struct run_sequence *sequence,
	struct problems *problems)
{
	struct run_steps *steps = NULL;
	size_t before = problems->count;

	if (run_steps_make(folder->plans, sequence, &steps, problems, NULL))
		return;
	for (size_t i = 0; i < steps->count && problems->count < before + STEP_PROBLEMS_MAX; i++) {
		/* the first and the last stand for a long scan: ranges of keys have no holes */
		if (sequence->scans && i && i + 1 < steps->count)
			continue;
		judge_draft(folder, types, run_plans_find_type(folder->plans, sequence->options.type),
			steps->items[i].values, problems);
	}
	run_steps_free(steps);
}

void run_judge_plans(const struct folder *folder, const struct types *types, struct problems *problems)
{
	const struct run_plans *plans = folder->plans;

	for (size_t i = 0; plans && i < plans->template_count; i++)
		judge_template(folder, types, &plans->templates[i], problems);
	for (size_t i = 0; plans && i < plans->type_count; i++)
		judge_draft(folder, types, &plans->types[i], NULL, problems);
	for (size_t i = 0; plans && i < plans->sequence_count; i++)
		judge_sequence(folder, types, &plans->sequences[i], problems);
}
