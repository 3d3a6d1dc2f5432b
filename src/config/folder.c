/* folder.c: a configuration folder, read and checked as a whole. Supervisor and command line on their main threads. */
#include "config/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "config/folder_inputs.h"
#include "config/folder_loader.h"
#include "config/folder_stores.h"
#include "config/run_places.h"
#include "config/run_plans.h"
#include "config/sources.h"

static void check_supervisor(const struct toml_node *root, const char *file, const struct supervisor_options *options,
	struct problems *problems)
{
	const struct toml_node *slot = toml_find(root, "ring_buffer_slot_size_kb");
	const struct toml_node *delay = toml_find(root, "restart_delay_seconds");
	const struct toml_node *cnc = toml_find(root, "cnc"), *web = toml_find(root, "web");

	if (options->info.supervisor_id)
		folder_check_name(toml_find(toml_find(root, "info"), "supervisor_id"), "info.supervisor_id",
			options->info.supervisor_id, file, problems);
	if (options->ring_buffer_slot_size_kb > options->ring_buffer_size_mb * 1024)
		problems_add(problems, false, file, slot ? slot->line : 1,
			"ring_buffer_slot_size_kb: the largest batch (%lld KB) does not fit the rings "
			"(ring_buffer_size_mb, %lld MB)",
			(long long)options->ring_buffer_slot_size_kb, (long long)options->ring_buffer_size_mb);
	run_hooks_check(&options->runs.hook, file, problems);
	web_options_check(&(struct web_options_check){.cnc = &options->cnc,
				  .web = &options->web,
				  .has_cnc = options->has_cnc,
				  .has_web = options->has_web,
				  .cnc_line = cnc ? cnc->line : 0,
				  .web_line = web ? web->line : 0},
		file, problems);
	if (options->restart_delay_seconds > options->restart_delay_max_seconds)
		problems_add(problems, false, file, delay ? delay->line : 1,
			"restart_delay_seconds: the first delay (%g s) is longer than restart_delay_max_seconds (%g s)",
			options->restart_delay_seconds, options->restart_delay_max_seconds);
}

/* Keys of the top that stand below a section, as the Python program's documentation has it: TOML takes them for keys of
 * the section, and neither program sees them. They move behind the others; how many they are. */
static size_t hide_misplaced(struct toml_node *root, const char *name, const char *file, struct problems *problems)
{
	static const char prefix[] = "ring_buffer_";
	struct toml_node *section = (struct toml_node *)toml_find(root, name);
	size_t hidden = 0;

	for (size_t i = 0; section && section->kind == TOML_TABLE && i + hidden < section->count;) {
		struct toml_node *child = &section->children[i],
				 *last = &section->children[section->count - 1 - hidden];
		if (strncmp(child->key, prefix, sizeof(prefix) - 1) != 0) {
			i++;
			continue;
		}
		problems_add(problems, true, file, child->key_line,
			"%s.%s: stands below [%s], where it has no effect: write it above the first section, where %s "
			"is a "
			"key of the supervisor",
			name, child->key, name, child->key);
		const struct toml_node moved = *child;
		*child = *last;
		*last = moved;
		hidden++;
	}
	if (section)
		section->count -= hidden;
	return hidden;
}

static void fill_supervisor(const struct folder_loader *loader, const char *file, struct toml_node *root)
{
	static const char *const names[] = {"info", "cnc", "web", "federation"};
	size_t hidden[4];

	for (size_t i = 0; i < 4; i++)
		hidden[i] = hide_misplaced(root, names[i], file, loader->problems);
	options_fill(&supervisor_table, &(struct options_text){.node = root, .file = file}, &loader->folder->supervisor,
		loader->folder->memory, loader->problems);
	for (size_t i = 0; i < 4; i++) {
		struct toml_node *section = (struct toml_node *)toml_find(root, names[i]);
		if (section)
			section->count += hidden[i];
	}
}

/* `source` NULL: there is no supervisor.toml, the supervisor is named after the machine. */
static void load_supervisor(const struct folder_loader *loader, const struct source *source)
{
	struct folder *folder = loader->folder;
	char host[128] = "", name[128], text[200], file[PATH_MAX];
	struct toml_node *root;

	if (source) {
		(void)folder_check_path(source->file, loader->problems);
		root = folder_parse(source->file, source->text, source->bytes, loader->problems);
		if (!root)
			return;
		fill_supervisor(loader, source->file, root);
		check_supervisor(root, source->file, &folder->supervisor, loader->problems);
		toml_free(root);
		return;
	}
	if (gethostname(host, sizeof(host) - 1) || !host[0])
		snprintf(host, sizeof(host), "localhost");
	path_safe_name(host, name, sizeof(name));
	snprintf(file, sizeof(file), "%s%ssupervisor.toml", folder->path, folder->path[0] ? "/" : "");
	problems_add(loader->problems, true, file, 0, "there is no such file; the supervisor is called \"%s\"", name);
	snprintf(text, sizeof(text), "info.supervisor_id = \"%s\"", name);
	root = folder_parse(file, text, strlen(text), loader->problems);
	options_fill(&supervisor_table, &(struct options_text){.node = root, .file = file}, &folder->supervisor,
		folder->memory, loader->problems);
	toml_free(root);
}

static const struct job_config *find_job_of(const struct folder *folder, const struct type_entry *type)
{
	for (size_t i = 0; i < folder->job_count; i++)
		if (folder->jobs[i].type == type)
			return &folder->jobs[i];
	return NULL;
}

static bool is_name_taken(const struct folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->job_count; i++)
		if (folder->jobs[i].name && !strcmp(folder->jobs[i].name, name))
			return true;
	return false;
}

static void add_default_store(const struct folder_loader *loader, const struct type_entry *type, const char *file)
{
	struct job_config *job;
	char name[300], text[300], own_file[300];

	snprintf(name, sizeof(name), "%s", type->name);
	while (is_name_taken(loader->folder, name))
		strncat(name, "-default", sizeof(name) - strlen(name) - 1);
	snprintf(text, sizeof(text), "daq_job_type = \"%s\"\n", type->name);
	snprintf(own_file, sizeof(own_file), "(defaults of %s)", type->name);
	job = folder_add_job(loader->folder);
	if (!job) {
		problems_add(loader->problems, false, file, 0, "out of memory");
		return;
	}
	*job = (struct job_config){.name = strdup(name),
		.file = strdup(own_file),
		.toml_text = strdup(text),
		.type = type,
		.is_default = true};
	job->root = folder_parse(own_file, text, strlen(text), loader->problems);
	if (job->name && job->file && job->toml_text && job->root)
		folder_complete_job(loader, job);
	else
		problems_add(loader->problems, false, file, 0, "out of memory");
}

/* "host, user" of the store's required keys, each with a comma before it. */
static void list_required(const struct enrg_table *table, char *ret_text, size_t text_bytes)
{
	size_t used = 0;

	ret_text[0] = 0;
	for (const struct enrg_option *option = table->options; option && option->key && used < text_bytes; option++)
		if (option->required)
			used += (size_t)snprintf(ret_text + used, text_bytes - used, ", %s", option->key);
}

/* Each store that a section names needs a job: one in the folder, or one with defaults. Reported once a store. */
static void complete_stores(const struct folder_loader *loader)
{
	struct folder *folder = loader->folder;
	size_t configured = folder->job_count;
	char keys[400];

	for (size_t i = 0; i < configured; i++)
		for (size_t j = 0; j < folder->jobs[i].section_count; j++) {
			const struct job_config *job = &folder->jobs[i];
			const struct job_store_section *section = &job->sections[j];
			const struct enrg_store_type *store = section->store_type->store;
			if (find_job_of(folder, section->store_type))
				continue;
			if (store->starts_by_default) {
				add_default_store(loader, section->store_type, job->file);
				continue;
			}
			list_required(&store->options, keys, sizeof(keys));
			problems_add(loader->problems, false, job->file, section->node->line,
				"%s.%s: no file configures the store %s; add a file such as %s.toml with the keys "
				"daq_job_type = "
				"\"%s\"%s",
				section->group, store->section, store->name, store->section, store->name, keys);
		}
}

static void load_sources(const struct folder_loader *loader, const struct sources *sources)
{
	const struct source *supervisor = NULL;
	struct folder *folder = loader->folder;
	size_t job_files = 0;

	for (size_t i = 0; i < sources->count; i++)
		if (!strcmp(sources->items[i].name, "supervisor"))
			supervisor = &sources->items[i];
	load_supervisor(loader, supervisor);
	for (size_t i = 0; i < sources->count; i++) {
		const struct source *source = &sources->items[i];
		const char *slash = strrchr(source->name, '/');
		if (source == supervisor || run_plans_has(source))
			continue;
		job_files++;
		if (slash && !strcmp(slash, "/supervisor"))
			problems_add(loader->problems, false, source->file, 0,
				"supervisor.toml counts at the top of the folder alone; move or rename it");
		else
			folder_load_job(loader, source);
	}
	if (!job_files)
		problems_add(loader->problems, supervisor != NULL, folder->path[0] ? folder->path : "(built in)", 0,
			"no job: there is no *.toml beside supervisor.toml%s; `enrgdaq jobs` lists the types, "
			"`enrgdaq describe TYPE --example` prints a file to start from",
			supervisor ? ", and a run of it waits for `enrgdaq job add` and `enrgdaq reload`" : "");
	complete_stores(loader);
	folder_check_unique_names(loader);
	folder_check_inputs(folder, loader->problems);
	folder_check_stores(folder, loader->problems);
	if (run_plans_load(sources, folder->memory, &folder->plans, loader->problems, NULL))
		problems_add(loader->problems, false, folder->path, 0, "out of memory");
	else
		run_places_mark(folder->plans, folder, loader->types, loader->problems);
}

int folder_load_sources(const char *path, struct sources *sources, const struct types *types,
	struct folder **ret_folder, struct problems *problems, struct enrg_error *err)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	const struct folder_loader loader = {.types = types, .folder = folder, .problems = problems};

	if (folder) {
		folder->path = strdup(path);
		folder->memory = options_memory_create();
	}
	if (!folder || !folder->path || !folder->memory) {
		folder_free(folder);
		sources_fini(sources);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	load_sources(&loader, sources);
	folder->sources = *sources;
	*sources = (struct sources){0};
	*ret_folder = folder;
	return 0;
}

int folder_load_with(const char *path, const char *supervisor_file, const struct types *types,
	struct folder **ret_folder, struct problems *problems, struct enrg_error *err)
{
	struct sources sources = {0};
	int rc = sources_read(path, &sources, problems, err);

	if (!rc && supervisor_file)
		rc = sources_set_supervisor(&sources, supervisor_file, err);
	if (rc) {
		sources_fini(&sources);
		return rc;
	}
	return folder_load_sources(path, &sources, types, ret_folder, problems, err);
}

int folder_load(const char *path, const struct types *types, struct folder **ret_folder, struct problems *problems,
	struct enrg_error *err)
{
	return folder_load_with(path, NULL, types, ret_folder, problems, err);
}

int folder_load_texts(const struct folder_texts *texts, const struct types *types, struct folder **ret_folder,
	struct problems *problems, struct enrg_error *err)
{
	struct sources sources = {0};
	int rc = sources_copy(texts->names, texts->texts, texts->count, &sources, err);

	return rc ? rc : folder_load_sources("", &sources, types, ret_folder, problems, err);
}

void folder_free(struct folder *folder)
{
	if (!folder)
		return;
	for (size_t i = 0; i < folder->job_count; i++) {
		free(folder->jobs[i].name);
		free(folder->jobs[i].file);
		free(folder->jobs[i].toml_text);
		free(folder->jobs[i].sections);
		toml_free(folder->jobs[i].root);
	}
	free(folder->jobs);
	run_plans_free(folder->plans);
	options_memory_destroy(folder->memory);
	sources_fini(&folder->sources);
	free(folder->path);
	free(folder);
}
