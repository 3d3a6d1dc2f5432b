/* folder.c: a configuration folder, read and checked as a whole. Supervisor and command line on their main threads; a
 * job process fills its own options here.
 */
#include "config/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "config/folder_inputs.h"
#include "config/folder_stores.h"
#include "config/sources.h"

#define NAME_BYTES_MAX 200 /* of a job: it becomes part of file names and topics */
#define LOCAL_KEY      "target_local_supervisor"

struct loader {
	const struct types *types;
	struct folder *folder;
	struct problems *problems;
};

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

static struct toml_node *parse_source(const char *file, const char *text, size_t bytes, struct problems *problems)
{
	struct toml_node *root = NULL;
	struct enrg_error err = {0};

	if (toml_parse(file, text, bytes, &root, &err))
		add_parse_problem(problems, file, &err);
	return root;
}

/* A name goes into file names, topics and terminals. */
static bool check_name(
	const struct toml_node *node, const char *key, const char *name, const char *file, struct problems *problems)
{
	int line = node ? node->line : 0;
	size_t length = strlen(name);

	if (!length || length > NAME_BYTES_MAX) {
		problems_add(problems, false, file, line, "%s: expected 1 to %d bytes, found %zu", key, NAME_BYTES_MAX,
			length);
		return false;
	}
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			problems_add(problems, false, file, line, "%s: it holds a control character", key);
			return false;
		}
	return true;
}

/* Of a multi-byte character of UTF-8: what may follow its first byte. */
static size_t count_continuation(unsigned char first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	return first >= 0xf0 && first <= 0xf4 ? 3 : SIZE_MAX;
}

/* Paths and names go into plans, status and ledger as JSON: they are UTF-8 there. (Surrogates and overlong forms, which
 * a file system may hold as well, JSON refuses as the bytes that they are: checked by the second byte.) */
static bool is_utf8(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c;) {
		size_t left = count_continuation(*c);

		if (left == SIZE_MAX || (*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) ||
			(*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] > 0x8f))
			return false;
		for (c++; left; left--, c++)
			if ((*c & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static bool check_path(const char *file, struct problems *problems)
{
	for (const char *c = file; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			problems_add(problems, false, file, 0,
				"the path holds a control character: rename what is at fault");
			return false;
		}
	if (is_utf8(file))
		return true;
	problems_add(problems, false, file, 0,
		"the path is not UTF-8 text, as from an old share: rename what is at fault (`convmv -f latin1 -t utf8 "
		"--notest PATH`)");
	return false;
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
	if (!type) {
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

static void add_unknown_store(
	const struct loader *loader, const struct job_config *job, const char *group, const struct toml_node *node)
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

static void add_expected(const struct loader *loader, const struct job_config *job, const struct toml_node *node,
	const char *name, const char *expected)
{
	problems_add(loader->problems, false, job->file, node->line, "%s: expected %s", name, expected);
}

/* The bool target_local_supervisor of a group or section. */
static bool read_local(const struct loader *loader, const struct job_config *job, const struct toml_node *table,
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

static void load_section(const struct loader *loader, struct job_config *job, const struct job_store_section *start,
	const struct toml_node *node)
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

static void load_group(const struct loader *loader, struct job_config *job, uint32_t index)
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
		problems_add(
			loader->problems, !group->required, job->file, node->line, "%s: it names no store", group->key);
}

static struct job_config *add_job(struct folder *folder)
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

static void fill_job(const struct loader *loader, struct job_config *job)
{
	size_t before = loader->problems->errors;
	void *options;

	if (!job->file || !job->toml_text)
		return;
	options = fill_options(job->type, job->root, job->file, &job->common, loader->folder->memory, loader->problems);
	job->options = loader->problems->errors == before ? options : NULL;
	ask_type(job, loader->problems);
}

/* A job of unknown type is reported and left out; one with other problems stays, so that its stores are known. */
static void load_job(const struct loader *loader, const struct source *source)
{
	struct problems *problems = loader->problems;
	struct toml_node *root = parse_source(source->file, source->text, source->bytes, problems);
	const struct type_entry *type = root ? find_type(loader->types, root, source->file, problems) : NULL;
	struct job_config *job = type ? add_job(loader->folder) : NULL;

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
	fill_job(loader, job);
	const char *name = source->name;
	const char *id = job->common.daq_job_unique_id;
	(void)check_path(source->file, problems);
	if (!id && strlen(name) > NAME_BYTES_MAX)
		problems_add(problems, false, source->file, 0,
			"the job is called after the path of its file in the folder, which has %zu bytes: at most %d "
			"can be; "
			"give it a daq_job_unique_id",
			strlen(name), NAME_BYTES_MAX);
	if (id && check_name(toml_find(root, "daq_job_unique_id"), "daq_job_unique_id", id, source->file, problems))
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

static void check_supervisor(const struct toml_node *root, const char *file, const struct supervisor_options *options,
	struct problems *problems)
{
	const struct toml_node *slot = toml_find(root, "ring_buffer_slot_size_kb");
	const struct toml_node *delay = toml_find(root, "restart_delay_seconds");

	if (options->info.supervisor_id)
		check_name(toml_find(toml_find(root, "info"), "supervisor_id"), "info.supervisor_id",
			options->info.supervisor_id, file, problems);
	if (options->ring_buffer_slot_size_kb > options->ring_buffer_size_mb * 1024)
		problems_add(problems, false, file, slot ? slot->line : 1,
			"ring_buffer_slot_size_kb: the largest batch (%lld KB) does not fit the rings "
			"(ring_buffer_size_mb, %lld MB)",
			(long long)options->ring_buffer_slot_size_kb, (long long)options->ring_buffer_size_mb);
	if (options->restart_delay_seconds > options->restart_delay_max_seconds)
		problems_add(problems, false, file, delay ? delay->line : 1,
			"restart_delay_seconds: the first delay (%g s) is longer than restart_delay_max_seconds (%g s)",
			options->restart_delay_seconds, options->restart_delay_max_seconds);
}

/* `source` NULL: there is no supervisor.toml, the supervisor is named after the machine. */
static void load_supervisor(const struct loader *loader, const struct source *source)
{
	struct folder *folder = loader->folder;
	char host[128] = "", name[128], text[200], file[PATH_MAX];
	struct toml_node *root;

	if (source) {
		(void)check_path(source->file, loader->problems);
		root = parse_source(source->file, source->text, source->bytes, loader->problems);
		if (!root)
			return;
		options_fill(&supervisor_table, &(struct options_text){.node = root, .file = source->file},
			&folder->supervisor, folder->memory, loader->problems);
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
	root = parse_source(file, text, strlen(text), loader->problems);
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

static void add_default_store(const struct loader *loader, const struct type_entry *type, const char *file)
{
	struct job_config *job;
	char name[300], text[300], own_file[300];

	snprintf(name, sizeof(name), "%s", type->name);
	while (is_name_taken(loader->folder, name))
		strncat(name, "-default", sizeof(name) - strlen(name) - 1);
	snprintf(text, sizeof(text), "daq_job_type = \"%s\"\n", type->name);
	snprintf(own_file, sizeof(own_file), "(defaults of %s)", type->name);
	job = add_job(loader->folder);
	if (!job) {
		problems_add(loader->problems, false, file, 0, "out of memory");
		return;
	}
	*job = (struct job_config){.name = strdup(name),
		.file = strdup(own_file),
		.toml_text = strdup(text),
		.type = type,
		.is_default = true};
	job->root = parse_source(own_file, text, strlen(text), loader->problems);
	if (job->name && job->file && job->toml_text && job->root)
		fill_job(loader, job);
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
static void complete_stores(const struct loader *loader)
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

struct safe_name {
	size_t index; /* of the job */
	char text[NAME_BYTES_MAX + 100];
};

static int compare_safe_names(const void *left, const void *right)
{
	const struct safe_name *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static void add_taken(const struct loader *loader, const struct job_config *job, const struct job_config *first)
{
	const struct toml_node *id = toml_find(job->root, "daq_job_unique_id");

	problems_add(loader->problems, false, job->file, id ? id->line : 0,
		"daq_job_unique_id: \"%s\" is taken: %s calls its job \"%s\"; each job needs a name of its own",
		job->name, first->file, first->name);
}

/* Streams, journals and pages are files named after the job: also names that only differ in '/' or '_' collide. */
static void check_unique_names(const struct loader *loader)
{
	const struct folder *folder = loader->folder;
	struct safe_name *names = calloc(folder->job_count + 1, sizeof(*names));
	size_t count = 0;

	if (!names) {
		problems_add(loader->problems, false, folder->path, 0, "out of memory");
		return;
	}
	for (size_t i = 0; i < folder->job_count; i++) {
		if (!folder->jobs[i].name)
			continue;
		names[count].index = i;
		path_safe_name(folder->jobs[i].name, names[count].text, sizeof(names[count].text));
		count++;
	}
	qsort(names, count, sizeof(*names), compare_safe_names);
	for (size_t i = 1, first = 0; i < count; i++) {
		if (strcmp(names[i].text, names[first].text))
			first = i;
		else
			add_taken(loader, &folder->jobs[names[i].index], &folder->jobs[names[first].index]);
	}
	free(names);
}

static void load_sources(const struct loader *loader, const struct sources *sources)
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
		if (source == supervisor)
			continue;
		job_files++;
		if (slash && !strcmp(slash, "/supervisor"))
			problems_add(loader->problems, false, source->file, 0,
				"supervisor.toml counts at the top of the folder alone; move or rename it");
		else
			load_job(loader, source);
	}
	if (!job_files)
		problems_add(loader->problems, supervisor != NULL, folder->path[0] ? folder->path : "(built in)", 0,
			"no job: there is no *.toml beside supervisor.toml%s; `enrgdaq jobs` lists the types, "
			"`enrgdaq describe TYPE --example` prints a file to start from",
			supervisor ? ", and a run of it waits for `enrgdaq job add` and `enrgdaq reload`" : "");
	complete_stores(loader);
	check_unique_names(loader);
	folder_check_inputs(folder, loader->problems);
	folder_check_stores(folder, loader->problems);
}

int folder_load_sources(const char *path, struct sources *sources, const struct types *types,
	struct folder **ret_folder, struct problems *problems, struct enrg_error *err)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	const struct loader loader = {.types = types, .folder = folder, .problems = problems};

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
	options_memory_destroy(folder->memory);
	sources_fini(&folder->sources);
	free(folder->path);
	free(folder);
}

int folder_fill_job(const struct type_entry *type, const struct folder_file *file, struct job_common *ret_common,
	void **ret_options, struct options_memory *memory, struct problems *problems)
{
	size_t before = problems->errors;
	struct toml_node *root = parse_source(file->name, file->text, strlen(file->text), problems);
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
	struct toml_node *root = parse_source(file->name, file->text, strlen(file->text), problems);
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
