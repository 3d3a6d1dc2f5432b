/* folder_job.c: one job of a folder: its type, its keys, the stores that it names. Supervisor and command line on their
 * main threads; a job process fills its own options here. */
#include "config/folder_loader.h"
#include "config/python_types.h"

#include <stdlib.h>
#include <string.h>

#define LOCAL_KEY "target_local_supervisor"

static const char *const section_keys[] = {LOCAL_KEY, NULL};

/* toml_parse puts "file:line: " before its text; a problem keeps them apart. */
static void add_parse_problem(struct problems *problems, const char *file, const struct enrg_error *err)
{
	const char *text = err->text;
	size_t length = strlen(file);
	char *end = NULL;
	long line = 0;

	if (!strncmp(text, file, length) && text[length] == ':') {
		line = strtol(text + length + 1, &end, 10);
		if (end[0] == ':' && end[1] == ' ')
			text = end + 2;
		else
			line = 0;
	}
	problems_add(problems, false, file, (int)line, "%s", text);
}

struct toml_node *folder_parse(const char *file, const char *text, size_t bytes, struct problems *problems)
{
	struct toml_node *root = NULL;
	struct enrg_error err = {0};

	if (toml_parse(file, text, bytes, &root, &err))
		add_parse_problem(problems, file, &err);
	return root;
}

/* NULL: not there or unknown, and said so. */
static const struct type_entry *find_type(
	const struct types *types, const struct toml_node *root, const char *file, struct problems *problems)
{
	const struct toml_node *node = toml_find(root, "daq_job_type");
	bool is_old = false;

	if (!node) {
		problems_add(problems, false, file, 1,
			"daq_job_type: required key is missing (string: the type of the job; `enrgdaq jobs` lists "
			"them)");
		return NULL;
	}
	if (node->kind != TOML_STRING) {
		problems_add(problems, false, file, node->line,
			"daq_job_type: expected a string, the type of the job; `enrgdaq jobs` lists them");
		return NULL;
	}
	const struct type_entry *type = types_find(types, node->text, &is_old);
	const char *known = type ? NULL : python_types_explain(node->text);
	if (known) {
		problems_add(problems, false, file, node->line, "daq_job_type: \"%s\" %s", node->text, known);
	} else if (!type) {
		const char *nearest = types_suggest(types, node->text);
		if (nearest)
			problems_add(problems, false, file, node->line,
				"daq_job_type: unknown type \"%.100s\"; did you mean %s? (`enrgdaq jobs` lists the "
				"types)",
				node->text, nearest);
		else
			problems_add(problems, false, file, node->line,
				"daq_job_type: unknown type \"%.100s\"; `enrgdaq jobs` lists the types", node->text);
	} else if (is_old) {
		problems_add(problems, true, file, node->line, "daq_job_type: \"%s\" is an old name; write \"%s\"",
			node->text, type->name);
	}
	return type;
}

/* Common keys and those of the type; the keys of store groups are known and left alone. */
static void *fill_options(const struct type_entry *type, const struct toml_node *root, const char *file,
	struct job_common *ret_common, struct options_memory *memory, struct problems *problems)
{
	const struct enrg_table *tables[] = {&job_common_table, type_options(type), &job_inputs_table};
	const struct enrg_job_group *groups = type_groups(type);
	void *options = options_memory_take(memory, tables[1]->size);
	void *structs[] = {ret_common, options, &ret_common->inputs};
	const char **known = NULL;
	size_t count = 0;

	while (groups && groups[count].key)
		count++;
	known = calloc(count + 1, sizeof(*known));
	if (!options || !known) {
		problems_add(problems, false, file, 0, "out of memory");
		free(known);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		known[i] = groups[i].key;
	options_fill_many(tables, structs, type->processor ? 3 : 2,
		&(struct options_text){.node = root, .file = file, .known = known}, memory, problems);
	free(known);
	return options;
}

static void add_unknown_store(const struct folder_loader *loader, const struct job_config *job, const char *group,
	const struct toml_node *node)
{
	size_t count = 0, used = 0;
	const char **names = calloc(types_count(loader->types) + 1, sizeof(*names));
	char listed[400] = "none";

	if (!names)
		return;
	for (size_t i = 0; i < types_count(loader->types); i++)
		if (types_at(loader->types, i)->store)
			names[count++] = types_at(loader->types, i)->store->section;
	for (size_t i = 0; i < count && used < sizeof(listed); i++)
		used += (size_t)snprintf(listed + used, sizeof(listed) - used, "%s%s", i ? ", " : "", names[i]);
	const char *nearest = options_suggest(node->key, names, count);
	if (nearest)
		problems_add(loader->problems, false, job->file, node->key_line,
			"%s.%s: unknown store; did you mean %s?", group, node->key, nearest);
	else
		problems_add(loader->problems, false, job->file, node->key_line,
			"%s.%s: unknown store, or its module is not installed; the stores here are %s", group,
			node->key, listed);
	free(names);
}

static void add_expected(const struct folder_loader *loader, const struct job_config *job, const struct toml_node *node,
	const char *name, const char *expected)
{
	problems_add(loader->problems, false, job->file, node->line, "%s: expected %s", name, expected);
}

/* The bool target_local_supervisor of a group or section. */
static bool read_local(const struct folder_loader *loader, const struct job_config *job, const struct toml_node *table,
	const char *name, bool otherwise)
{
	const struct toml_node *node = toml_find(table, LOCAL_KEY);
	char key[512 + sizeof(LOCAL_KEY)];

	if (!node)
		return otherwise;
	snprintf(key, sizeof(key), "%s.%s", name, LOCAL_KEY);
	if (node->kind != TOML_BOOLEAN)
		add_expected(loader, job, node, key, "true or false");
	return node->boolean;
}

static void load_section(const struct folder_loader *loader, struct job_config *job,
	const struct job_store_section *start, const struct toml_node *node)
{
	struct job_store_section section = *start;
	struct job_store_section *sections;
	char name[512], prefix[520];
	size_t before = loader->problems->errors;
	void *options;

	section.store_type = types_find_section(loader->types, node->key);
	if (!section.store_type) {
		add_unknown_store(loader, job, section.group, node);
		return;
	}
	snprintf(name, sizeof(name), "%s.%s", section.group, node->key);
	if (node->kind != TOML_TABLE) {
		add_expected(loader, job, node, name, "a table, the section of a store");
		return;
	}
	const struct enrg_table *table = &section.store_type->store->section_options;
	section.node = node;
	section.target_local_supervisor = read_local(loader, job, node, name, start->target_local_supervisor);
	options = options_memory_take(loader->folder->memory, table->size);
	sections = realloc(job->sections, (job->section_count + 1) * sizeof(*sections));
	if (sections)
		job->sections = sections;
	if (!options || !sections) {
		problems_add(loader->problems, false, job->file, 0, "out of memory");
		return;
	}
	snprintf(prefix, sizeof(prefix), "%s.", name);
	options_fill(table,
		&(struct options_text){.node = node, .file = job->file, .prefix = prefix, .known = section_keys},
		options, loader->folder->memory, loader->problems);
	section.options = loader->problems->errors == before ? options : NULL;
	sections[job->section_count++] = section;
}

static void load_group(const struct folder_loader *loader, struct job_config *job, uint32_t index)
{
	const struct enrg_job_group *group = &type_groups(job->type)[index];
	const struct toml_node *node = toml_find(job->root, group->key);
	struct job_store_section start = {.group = group->key, .group_index = index};
	size_t named = 0;

	if (!node) /* where it is required: folder_check_inputs, since another job may read it */
		return;
	if (node->kind != TOML_TABLE) {
		add_expected(loader, job, node, group->key, "a table of stores");
		return;
	}
	start.target_local_supervisor = read_local(loader, job, node, group->key, false);
	for (size_t i = 0; i < node->count; i++) {
		if (!strcmp(node->children[i].key, LOCAL_KEY))
			continue;
		load_section(loader, job, &start, &node->children[i]);
		named++;
	}
	if (!named)
		problems_add(loader->problems, true, job->file, node->line,
			"%s: it names no store: what this job sends there is kept nowhere", group->key);
}

struct job_config *folder_add_job(struct folder *folder)
{
	struct job_config *jobs = realloc(folder->jobs, (folder->job_count + 1) * sizeof(*jobs));

	if (!jobs)
		return NULL;
	folder->jobs = jobs;
	memset(&jobs[folder->job_count], 0, sizeof(*jobs));
	return &jobs[folder->job_count++];
}

/* The type's own judgement, whose text begins with the key. */
static void ask_type(const struct job_config *job, struct problems *problems)
{
	const struct type_entry *type = job->type;
	int (*check)(const void *options, struct enrg_error *err) = type->processor ? type->processor->check
								    : type->job     ? type->job->check
										    : NULL;
	struct enrg_error err = {0};
	char key[100];

	if (!job->options || !check || check(job->options, &err) == 0)
		return;
	snprintf(key, sizeof(key), "%.*s", (int)strcspn(err.text, ":["), err.text);
	const struct toml_node *node = toml_find(job->root, key);
	problems_add(problems, false, job->file, node ? node->line : 1, "%s", err.text);
}

void folder_complete_job(const struct folder_loader *loader, struct job_config *job)
{
	size_t before = loader->problems->errors;
	void *options;

	if (!job->file || !job->toml_text)
		return;
	options = fill_options(job->type, job->root, job->file, &job->common, loader->folder->memory, loader->problems);
	job->options = loader->problems->errors == before ? options : NULL;
	ask_type(job, loader->problems);
}

void folder_load_job(const struct folder_loader *loader, const struct source *source)
{
	struct problems *problems = loader->problems;
	struct toml_node *root = folder_parse(source->file, source->text, source->bytes, problems);
	const struct type_entry *type = root ? find_type(loader->types, root, source->file, problems) : NULL;
	struct job_config *job = type ? folder_add_job(loader->folder) : NULL;

	if (!job) {
		if (type)
			problems_add(problems, false, source->file, 0, "out of memory");
		toml_free(root);
		return;
	}
	job->type = type;
	job->root = root;
	job->file = strdup(source->file);
	job->toml_text = strdup(source->text);
	folder_complete_job(loader, job);
	const char *name = source->name;
	const char *id = job->common.daq_job_unique_id;
	(void)folder_check_path(source->file, problems);
	if (!id && strlen(name) > NAME_BYTES_MAX)
		problems_add(problems, false, source->file, 0,
			"the job is called after the path of its file in the folder, which has %zu bytes: at most %d "
			"can be; "
			"give it a daq_job_unique_id",
			strlen(name), NAME_BYTES_MAX);
	if (id && folder_check_name(
			  toml_find(root, "daq_job_unique_id"), "daq_job_unique_id", id, source->file, problems))
		name = id;
	job->name = strdup(name);
	if (!job->file || !job->toml_text || !job->name) {
		problems_add(problems, false, source->file, 0, "out of memory");
		return;
	}
	const struct enrg_job_group *groups = type_groups(type);
	for (uint32_t i = 0; groups && groups[i].key; i++)
		load_group(loader, job, i);
}

int folder_fill_job(const struct type_entry *type, const struct folder_file *file, struct job_common *ret_common,
	void **ret_options, struct options_memory *memory, struct problems *problems)
{
	size_t before = problems->errors;
	struct toml_node *root = folder_parse(file->name, file->text, strlen(file->text), problems);
	void *options = root ? fill_options(type, root, file->name, ret_common, memory, problems) : NULL;

	toml_free(root);
	if (!options || problems->errors > before)
		return ENRG_E_CONFIG;
	*ret_options = options;
	return 0;
}

int folder_fill_section(const struct enrg_store_type *store, const struct folder_file *file, const char *group,
	void **ret_section, struct options_memory *memory, struct problems *problems)
{
	size_t before = problems->errors;
	struct toml_node *root = folder_parse(file->name, file->text, strlen(file->text), problems);
	const struct toml_node *node = toml_find(toml_find(root, group), store->section);
	void *options = options_memory_take(memory, store->section_options.size);
	char prefix[512];

	snprintf(prefix, sizeof(prefix), "%s.%s.", group, store->section);
	if (root && !node)
		problems_add(problems, false, file->name, 1, "%s.%s: there is no such section", group, store->section);
	else if (root && node->kind != TOML_TABLE)
		problems_add(problems, false, file->name, node->line, "%s.%s: expected a table", group, store->section);
	else if (root && options)
		options_fill(&store->section_options,
			&(struct options_text){
				.node = node, .file = file->name, .prefix = prefix, .known = section_keys},
			options, memory, problems);
	toml_free(root);
	if (!root || !options || problems->errors > before)
		return ENRG_E_CONFIG;
	*ret_section = options;
	return 0;
}
