/* check.c: `enrgdaq check`: a configuration folder is read as `run` reads it, and what would run is printed. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/check_text.h"
#include "cli/cli.h"
#include "config/folder.h"
#include "config/folder_inputs.h"
#include "config/run_plans.h"

static const char help[] =
	"usage: enrgdaq check CONFIG_DIR\n"
	"       enrgdaq check CONFIG_DIR --show FILE\n"
	"       enrgdaq check CONFIG_DIR --edit FILE < NEW_TEXT\n"
	"       enrgdaq check CONFIG_DIR --mask FILE < TEXT\n\n"
	"Reads all *.toml files below the folder as `enrgdaq run` does and prints what would run: jobs, which store "
	"gets\n"
	"what, and into which files; also the types and sequences of runs that it has. Starts nothing. All errors are "
	"printed in one go, as file:line: key: what was\n"
	"expected, what was found.\n\n"
	"  --show FILE  prints that file of the folder as JSON, its secrets masked as ***, with its SHA-256\n"
	"  --edit FILE  what the folder would be with the text of standard input in the place of that file: the text "
	"(a\n"
	"               secret that says *** keeps its value) and all problems, as JSON. Writes nothing\n"
	"  --mask FILE  prints the text of standard input, as it would stand in that file, as JSON, its secrets "
	"masked\n\n"
	"Exit code: 0 it can run (warnings may be printed), 2 it can't.\n\n"
	"examples:\n"
	"  enrgdaq check configs/demo\n"
	"  enrgdaq check configs/demo && enrgdaq run configs/demo\n"
	"  enrgdaq describe DAQJobTest --example > configs/mine/test.toml\n";

/* The value of a string key of a job's file, or its default; the caller frees it. NULL: the table has no such key. */
static char *string_of(const struct toml_node *node, const struct enrg_table *table, const char *key)
{
	const struct enrg_option *option = table->options;
	const struct toml_node *own = node ? toml_find(node, key) : NULL;
	struct toml_node *root = NULL;
	char *text = NULL;

	while (option && option->key && strcmp(option->key, key))
		option++;
	if (!option || !option->key)
		return NULL;
	if (own)
		return own->kind == TOML_STRING ? strdup(own->text) : NULL;
	if (!option->default_value || options_parse_literal(option->default_value, &root, NULL))
		return NULL;
	if (root->children[0].kind == TOML_STRING)
		text = strdup(root->children[0].text);
	toml_free(root);
	return text;
}

static bool is_set(const struct toml_node *node, const char *key)
{
	const struct toml_node *value = toml_find(node, key);

	return value && value->kind == TOML_BOOLEAN && value->boolean;
}

/* A source whose tables bear a tag has a key `tag`, without which it is the supervisor's id. The caller frees it. */
static char *tag_of(const struct folder *folder, const struct job_config *job)
{
	const struct enrg_option *option = !job->type->store ? type_options(job->type)->options : NULL;
	const struct toml_node *own = toml_find(job->root, "tag");

	while (option && option->key && strcmp(option->key, "tag"))
		option++;
	if (!option || !option->key)
		return strdup("");
	return strdup(own && own->kind == TOML_STRING ? own->text : folder->supervisor.info.supervisor_id);
}

/* "out/pc_lab1.csv.zst", as its store will put it together. */
static void print_path(const char *out_dir, const char *file_path, const char *tag, const struct toml_node *section)
{
	size_t length = strlen(file_path);
	bool lacks_suffix = is_set(section, "use_zstd") && (length < 4 || strcmp(file_path + length - 4, ".zst") != 0);
	char name[1024], path[2048];
	const struct enrg_file_name parts = {.out_dir = out_dir,
		.file_path = name,
		.tag = tag,
		.add_date = is_set(section, "add_date"),
		.date_ns = clock_wall_ns()};

	snprintf(name, sizeof(name), "%s%s", file_path, lacks_suffix ? ".zst" : "");
	if (!enrg_file_path(&parts, path, sizeof(path), NULL))
		printf(", file %s%s", path, parts.add_date ? " (the day is that of the data)" : "");
}

static void print_file(const struct folder *folder, const struct job_config *job,
	const struct job_store_section *section, const struct job_config *store)
{
	const struct enrg_store_type *type = section->store_type->store;
	char *path = string_of(section->node, &type->section_options, "file_path");
	char *out_dir = string_of(store->root, &type->options, "out_dir");
	char *tag = tag_of(folder, job);

	if (path && tag)
		print_path(out_dir ? out_dir : "", path, tag, section->node);
	free(tag);
	free(path);
	free(out_dir);
}

static void print_section(
	const struct folder *folder, const struct job_config *job, const struct job_store_section *section)
{
	for (size_t i = 0; i < folder->job_count; i++) {
		const struct job_config *store = &folder->jobs[i];
		if (store->type != section->store_type)
			continue;
		printf("      %s.%s to %s", section->group, section->store_type->store->section, store->name);
		print_file(folder, job, section, store);
		printf("%s\n", section->target_local_supervisor ? ", on this supervisor alone" : "");
	}
}

/* Jobs that name this one as an input. */
static bool print_readers(const struct folder *folder, const struct job_config *job)
{
	bool is_read = false;

	for (size_t i = 0; i < folder->job_count; i++) {
		if (!folder_reads(&folder->jobs[i], job, NULL))
			continue;
		printf("      read by %s\n", folder->jobs[i].name);
		is_read = true;
	}
	return is_read;
}

static void print_folder(const struct folder *folder)
{
	printf("supervisor %s: %zu job%s, rings of %lld MB in all, largest batch %lld KB\n",
		folder->supervisor.info.supervisor_id, folder->job_count, folder->job_count == 1 ? "" : "s",
		(long long)folder->supervisor.ring_buffer_size_mb,
		(long long)folder->supervisor.ring_buffer_slot_size_kb);
	for (size_t i = 0; i < folder->job_count; i++) {
		const struct job_config *job = &folder->jobs[i];
		printf("  %s: %s, %s%s\n", job->name, job->type->name,
			job->is_default ? "with its defaults (no file configures it)" : job->file,
			job->common.use_shm_when_possible ? "" : ", not through shared memory");
		for (size_t j = 0; j < job->section_count; j++)
			print_section(folder, job, &job->sections[j]);
		bool is_read = print_readers(folder, job);
		const struct enrg_job_group *groups = type_groups(job->type);
		if (groups && groups[0].key && !job->section_count && !is_read)
			puts("      no store: its data goes nowhere");
	}
}

static void print_plans(const struct run_plans *plans)
{
	for (size_t i = 0; i < plans->type_count; i++) {
		const struct run_type *type = &plans->types[i];
		printf("  run type %s:", type->name);
		for (size_t k = 0; k < type->options.templates.count; k++)
			printf("%s %s", k ? "," : "", type->options.templates.items[k]);
		printf("%s%s\n", type->options.templates.count ? "" : " no template",
			type->runs_code ? " (privileged: it may run programs)" : "");
	}
	for (size_t i = 0; i < plans->sequence_count; i++)
		printf("  sequence %s: runs of type %s\n", plans->sequences[i].name, plans->sequences[i].options.type);
}

int cli_check(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"show", required_argument, NULL, 's'}, {"edit", required_argument, NULL, 'e'},
		{"mask", required_argument, NULL, 'm'}, {0}};
	const char *shown = NULL, *edited = NULL, *masked = NULL;
	struct types *types = NULL;
	struct folder *folder = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == '?')
			return cli_option_error("check");
		if (option == 'h') {
			fputs(help, stdout);
			return 0;
		}
		shown = option == 's' ? optarg : shown;
		edited = option == 'e' ? optarg : edited;
		masked = option == 'm' ? optarg : masked;
	}
	if (optind + 1 != argc || !!shown + !!edited + !!masked > 1)
		return cli_usage_error("check", "expected one argument, the folder");
	if (masked)
		return check_text_mask(masked);
	if (shown || edited)
		return shown ? check_text_show(argv[optind], shown) : check_text_edit(argv[optind], edited);
	int rc = cli_load_types(&types);
	if (rc)
		return rc;
	rc = cli_load_folder(argv[optind], types, &folder);
	if (!rc) {
		print_folder(folder);
		print_plans(folder->plans);
	}
	folder_free(folder);
	types_free(types);
	return rc;
}
