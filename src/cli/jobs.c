/* jobs.c: `enrgdaq jobs`: the types of jobs and stores that modules provide. */
#include <getopt.h>
#include <jansson.h>
#include <string.h>

#include "cli/cli.h"
#include "config/folder.h"

static const char help[] =
	"usage: enrgdaq jobs [--json]\n\n"
	"Lists the types that daq_job_type can name, with the module that each comes from.\n"
	"Modules are searched in the folders of ENRGDAQ_MODULE_PATH, in `modules` beside the program, and where the\n"
	"program is installed; the first of a name wins.\n\n"
	"  --json   a list of objects: name, kind, section, old_names, summary, module\n\n"
	"examples:\n"
	"  enrgdaq jobs\n"
	"  ENRGDAQ_MODULE_PATH=$HOME/my-modules enrgdaq jobs\n"
	"  enrgdaq describe DAQJobTest      the keys of one of them\n";

static int widest_name(const struct types *types)
{
	size_t width = 0;

	for (size_t i = 0; i < types_count(types); i++)
		if (strlen(types_at(types, i)->name) > width)
			width = strlen(types_at(types, i)->name);
	return (int)width;
}

static bool has_kind(const struct types *types, const char *kind)
{
	for (size_t i = 0; i < types_count(types); i++)
		if (!strcmp(type_kind(types_at(types, i)), kind))
			return true;
	return false;
}

static void print_kind(const struct types *types, const char *kind, const char *title, int width)
{
	if (!has_kind(types, kind))
		return;
	puts(title);
	for (size_t i = 0; i < types_count(types); i++) {
		const struct type_entry *type = types_at(types, i);
		const char *slash = strrchr(type->module_path, '/');
		if (strcmp(type_kind(type), kind) != 0)
			continue;
		printf("  %-*s  ", width, type->name);
		if (type->store)
			printf("%-8s  ", type->store->section);
		printf("%s  (%s)\n", type_summary(type), slash ? slash + 1 : type->module_path);
	}
}

static void print_json(const struct types *types)
{
	json_t *list = json_array();

	for (size_t i = 0; i < types_count(types); i++) {
		const struct type_entry *type = types_at(types, i);
		const char *const *old = type_old_names(type);
		json_t *old_names = json_array();
		for (size_t j = 0; old && old[j]; j++)
			json_array_append_new(old_names, json_string(old[j]));
		json_array_append_new(
			list, json_pack("{ss ss ss? so ss ss}", "name", type->name, "kind", type_kind(type), "section",
				      type->store ? type->store->section : NULL, "old_names", old_names, "summary",
				      type_summary(type), "module", type->module_path));
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

int cli_jobs(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct types *types = NULL;
	bool is_json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (option != 'j')
			return cli_option_error("jobs");
		is_json = true;
	}
	if (optind < argc)
		return cli_usage_error("jobs", "unexpected argument \"%s\"", argv[optind]);
	int rc = cli_load_types(&types);
	if (rc)
		return rc;
	if (is_json) {
		print_json(types);
	} else {
		int width = widest_name(types);
		print_kind(types, "job", "jobs that produce data:", width);
		print_kind(types, "processor",
			"\nprocessors, which read other jobs by [[input]] and produce data:", width);
		print_kind(types, "store",
			"\nstores, by the section [store_config.SECTION] that sends data to them:", width);
	}
	types_free(types);
	return 0;
}
