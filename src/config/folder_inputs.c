/* folder_inputs.c: who reads whom by [[input]]. Supervisor and command line, on their main threads, before anything
 * starts. */
#include "config/folder_inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_TEXT_BYTES 900u

static size_t count_inputs(const struct job_config *job)
{
	return job->common.inputs.input.count;
}

static const struct job_input *input_at(const struct job_config *job, size_t index)
{
	return (const struct job_input *)job->common.inputs.input.items + index;
}

static const struct job_config *find_job(const struct folder *folder, const char *name)
{
	for (size_t i = 0; name && i < folder->job_count; i++)
		if (folder->jobs[i].name && !strcmp(folder->jobs[i].name, name))
			return &folder->jobs[i];
	return NULL;
}

bool folder_reads(const struct job_config *reader, const struct job_config *producer, const char *group)
{
	for (size_t i = 0; reader->type->processor && i < count_inputs(reader); i++) {
		const struct job_input *input = input_at(reader, i);
		if (input->job && producer->name && !strcmp(input->job, producer->name) &&
			(!group || !input->group || !strcmp(input->group, group)))
			return true;
	}
	return false;
}

uint32_t folder_level(const struct folder *folder, const struct job_config *job)
{
	uint32_t level = 0;

	for (size_t i = 0; job->type->processor && i < count_inputs(job); i++) {
		const struct job_config *producer = find_job(folder, input_at(job, i)->job);
		uint32_t own = producer ? folder_level(folder, producer) + 1 : 1;

		level = own > level ? own : level;
	}
	return level;
}

/* --- one input ---------------------------------------------------------------------------------------------------- */

/* Where the key of an input stands, else the input. */
static int line_of(const struct job_config *job, size_t index, const char *key)
{
	const struct toml_node *list = job->root ? toml_find(job->root, "input") : NULL;
	const struct toml_node *node =
		list && list->kind == TOML_ARRAY && index < list->count ? &list->children[index] : NULL;
	const struct toml_node *value = node && node->kind == TOML_TABLE ? toml_find(node, key) : NULL;

	return value ? value->line : node ? node->line : list ? list->line : 0;
}

static void add_unknown(
	const struct folder *folder, const struct job_config *job, size_t index, struct problems *problems)
{
	const char *name = input_at(job, index)->job, *nearest = NULL;
	const char **names = calloc(folder->job_count + 1, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; names && i < folder->job_count; i++)
		if (folder->jobs[i].name && &folder->jobs[i] != job && !folder->jobs[i].type->store)
			names[count++] = folder->jobs[i].name;
	if (names)
		nearest = options_suggest(name, names, count);
	if (nearest)
		problems_add(problems, false, job->file, line_of(job, index, "job"),
			"input.job: there is no job \"%.100s\"; did you mean %s?", name, nearest);
	else
		problems_add(problems, false, job->file, line_of(job, index, "job"),
			"input.job: there is no job \"%.100s\"; a job is called after its daq_job_unique_id, else "
			"after "
			"its file",
			name);
	free(names);
}

static void check_group(
	const struct job_config *job, size_t index, const struct job_config *producer, struct problems *problems)
{
	const struct enrg_job_group *groups = type_groups(producer->type);
	const char *wanted = input_at(job, index)->group, *names[128], *nearest;
	char listed[400] = "";
	size_t count = 0, used = 0;

	for (; groups && groups[count].key && count < sizeof(names) / sizeof(names[0]); count++) {
		names[count] = groups[count].key;
		if (wanted && !strcmp(wanted, names[count]))
			return;
		if (used < sizeof(listed))
			used += (size_t)snprintf(
				listed + used, sizeof(listed) - used, "%s%s", count ? ", " : "", names[count]);
	}
	if (!count) {
		problems_add(problems, false, job->file, line_of(job, index, "job"),
			"input.job: %s (%s) produces no tables: there is nothing to read", producer->name,
			producer->type->name);
		return;
	}
	if (!wanted)
		return;
	nearest = options_suggest(wanted, names, count);
	problems_add(problems, false, job->file, line_of(job, index, "group"),
		"input.group: %s (%s) has no store group \"%.100s\"%s%s; it has %s", producer->name,
		producer->type->name, wanted, nearest ? "; did you mean " : "", nearest ? nearest : "", listed);
}

static bool is_same(const char *one, const char *other)
{
	return one && other ? !strcmp(one, other) : one == other;
}

/* An input behind one that takes all that it names would never get anything. */
static void check_shadowed(const struct job_config *job, size_t index, struct problems *problems)
{
	const struct job_input *input = input_at(job, index);

	for (size_t i = 0; i < index; i++) {
		const struct job_input *before = input_at(job, i);
		if (!is_same(before->job, input->job) || (before->group && !is_same(before->group, input->group)) ||
			(before->tag && !is_same(before->tag, input->tag)))
			continue;
		problems_add(problems, false, job->file, line_of(job, index, "job"),
			"input: input %zu takes all that this one names, and a table goes to the first: remove one, or "
			"change their order",
			i + 1);
		return;
	}
}

static void check_job(const struct folder *folder, const struct job_config *job, struct problems *problems)
{
	const struct toml_node *list = job->root ? toml_find(job->root, "input") : NULL;

	if (list && list->kind == TOML_ARRAY && !list->count)
		problems_add(problems, false, job->file, list->line,
			"input: it names nothing to read; replace it by a section [[input]] with job = \"NAME\"");
	for (size_t i = 0; i < count_inputs(job); i++) {
		const struct job_config *producer;

		if (!input_at(job, i)->job)
			continue; /* reported already: the key is required */
		producer = find_job(folder, input_at(job, i)->job);
		if (!producer)
			add_unknown(folder, job, i, problems);
		else
			check_group(job, i, producer, problems);
		check_shadowed(job, i, problems);
	}
}

/* --- circles ------------------------------------------------------------------------------------------------------ */

enum mark { MARK_NEW = 0, MARK_ON_PATH, MARK_DONE };

struct walk {
	const struct folder *folder;
	struct problems *problems;
	enum mark *marks; /* one a job */
	size_t *stack, depth;
};

/* The path from the job that is met again: "a reads b, which reads a". */
static void add_circle(const struct walk *walk, size_t again, size_t input)
{
	const struct job_config *last = &walk->folder->jobs[walk->stack[walk->depth - 1]];
	char text[PATH_TEXT_BYTES];
	size_t used = 0, from = 0;

	while (walk->stack[from] != again)
		from++;
	for (size_t i = from; i < walk->depth && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
			i == from       ? ""
			: i == from + 1 ? " reads "
					: ", which reads ",
			walk->folder->jobs[walk->stack[i]].name);
	if (used < sizeof(text))
		snprintf(text + used, sizeof(text) - used, "%s%s",
			walk->depth - from == 1 ? " reads " : ", which reads ", walk->folder->jobs[again].name);
	problems_add(walk->problems, false, last->file, line_of(last, input, "job"),
		"input.job: jobs read each other in a circle: %s", text);
}

static void visit(struct walk *walk, size_t index)
{
	const struct job_config *job = &walk->folder->jobs[index];

	walk->marks[index] = MARK_ON_PATH;
	walk->stack[walk->depth++] = index;
	for (size_t i = 0; job->type->processor && i < count_inputs(job); i++) {
		const struct job_config *producer = find_job(walk->folder, input_at(job, i)->job);
		size_t next = producer ? (size_t)(producer - walk->folder->jobs) : 0;

		if (producer && walk->marks[next] == MARK_ON_PATH)
			add_circle(walk, next, i);
		else if (producer && walk->marks[next] == MARK_NEW)
			visit(walk, next);
	}
	walk->depth--;
	walk->marks[index] = MARK_DONE;
}

static void check_circles(const struct folder *folder, struct problems *problems)
{
	struct walk walk = {.folder = folder,
		.problems = problems,
		.marks = calloc(folder->job_count + 1, sizeof(*walk.marks)),
		.stack = calloc(folder->job_count + 1, sizeof(*walk.stack))};

	for (size_t i = 0; walk.marks && walk.stack && i < folder->job_count; i++)
		if (walk.marks[i] == MARK_NEW)
			visit(&walk, i);
	if (!walk.marks || !walk.stack)
		problems_add(problems, false, folder->path, 0, "out of memory");
	free(walk.marks);
	free(walk.stack);
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

static bool is_read(const struct folder *folder, const struct job_config *producer, const char *group)
{
	for (size_t i = 0; i < folder->job_count; i++)
		if (folder_reads(&folder->jobs[i], producer, group))
			return true;
	return false;
}

static void check_required(const struct folder *folder, const struct job_config *job, struct problems *problems)
{
	const struct enrg_job_group *group = type_groups(job->type);

	for (; group && group->key; group++) {
		if (!group->required || (job->root && toml_find(job->root, group->key)) ||
			is_read(folder, job, group->key))
			continue;
		problems_add(problems, false, job->file, 1,
			"%s: required store group is missing (%s); add a section such as [%s.csv]", group->key,
			group->help, group->key);
	}
}

void folder_check_inputs(const struct folder *folder, struct problems *problems)
{
	for (size_t i = 0; i < folder->job_count; i++) {
		check_required(folder, &folder->jobs[i], problems);
		if (folder->jobs[i].type->processor)
			check_job(folder, &folder->jobs[i], problems);
	}
	check_circles(folder, problems);
}
