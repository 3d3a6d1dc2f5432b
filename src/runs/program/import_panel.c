/* import_panel.c: `enrgdaq runs import-panel DUMP`. */
#include "runs/program/program.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "runs/number.h"
#include "runs/owner.h"
#include "runs/panel_dump.h"
#include "runs/panel_plans.h"
#include "runs/panel_runs.h"

#define PATIENCE_NS 2000000000ull

static const char usage[] =
	"usage: enrgdaq runs import-panel DUMP [--config CONFIG_DIR] [--database FILE]\n"
	"\n"
	"Takes over what the web panel of the Python ENRGDAQ has: runs with their numbers, notes (as plain text), "
	"values and\n"
	"messages into the run book; types and templates as files of CONFIG_DIR/runs; webhooks as a piece of "
	"supervisor.toml\n"
	"on standard output. What was imported before, and files that are there, are left as they are.\n"
	"\n"
	"DUMP is a folder with runs.csv, run_metadata.csv, run_types.csv, templates.csv … (or .json), or one JSON file "
	"with\n"
	"these tables. In PostgreSQL: for t in runs run_metadata run_types templates template_run_types "
	"template_parameters\n"
	"run_type_parameter_defaults run_parameter_values messages message_parameter_values webhooks; do\n"
	"psql PANEL -c \"\\\\copy $t to 'DUMP/$t.csv' csv header\"; done\n"
	"\n"
	"  --config DIR     where runs/types and runs/templates go; without it they are only counted\n"
	"  --database FILE  the run book, made where there is none; no system may run with it meanwhile\n"
	"\n"
	"A placeholder {NAME} that is a whole value becomes a typed parameter; what is pasted into a text is left out, "
	"with a\n"
	"comment \"by hand\" in the file and a line here. Values that look like secrets by their key are masked in "
	"records.\n"
	"\n"
	"Exit code: 0 done, 1 failed, 2 wrong usage.\n";

static int import_runs(const json_t *tables, const char *path, struct enrg_error *err)
{
	const struct database_params params = {.path = path};
	struct enter_context context = {.supervisor = "", .folder = ""};
	char folder[DATABASE_PATH_BYTES];
	unsigned runs = 0;
	uint64_t last = 0;
	int owner = -1, rc = path_make_parent(path, 0755, err);

	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	context.folder = slash ? folder : ".";
	if (rc >= 0)
		rc = owner_take(path, "`enrgdaq runs import-panel`", PATIENCE_NS, &owner, err);
	if (rc >= 0)
		rc = database_open(&params, &context.database, err);
	if (rc >= 0)
		rc = database_begin(context.database, err);
	if (rc >= 0) {
		rc = panel_runs_enter(&context, tables, &runs, &last, err);
		if (rc >= 0)
			rc = database_commit(context.database, err);
		else
			database_abort(context.database);
	}
	if (rc >= 0 && last > number_read(path))
		rc = number_write(path, last, err);
	database_close(context.database);
	owner_release(&owner);
	if (rc >= 0)
		fprintf(stderr, "%s: %u new runs of %zu\n", path, runs,
			json_array_size(json_object_get(tables, "runs")));
	return rc < 0 ? rc : 0;
}

static void print_by_hand(const char *path, const json_t *sentences)
{
	for (size_t i = 0; i < json_array_size(sentences); i++) {
		char line[700];
		text_copy(line, sizeof(line), json_string_value(json_array_get(sentences, i)));
		text_make_safe(line, strlen(line));
		fprintf(stderr, "%s: by hand: %s\n", path, line);
	}
}

static int write_file(const char *config, const json_t *file, struct enrg_error *err)
{
	const char *text = json_string_value(json_object_get(file, "text"));
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.3000s/%.900s", config, json_string_value(json_object_get(file, "path")));
	if (access(path, F_OK) == 0) {
		fprintf(stderr, "%s: is there already and stays as it is\n", path);
		return 0;
	}
	int rc = path_make_parent(path, 0755, err);
	if (rc >= 0) /* what it was made of may hold passwords */
		rc = path_write_private_file(path, text, strlen(text), err);
	if (rc < 0)
		return rc;
	fprintf(stderr, "%s: made\n", path);
	print_by_hand(path, json_object_get(file, "by_hand"));
	return 0;
}

static int import_plans(const json_t *tables, const char *config, struct enrg_error *err)
{
	json_t *files = panel_plans_make(tables);
	char *hooks = panel_plans_make_hooks(tables);
	int rc = 0;

	if (!config)
		fprintf(stderr, "%zu types and templates: --config DIR writes them\n", json_array_size(files));
	for (size_t i = 0; config && i < json_array_size(files) && rc == 0; i++)
		rc = write_file(config, json_array_get(files, i), err);
	if (hooks && *hooks)
		printf("# for supervisor.toml:\n%s", hooks);
	free(hooks);
	json_decref(files);
	return rc;
}

int program_import_panel(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"database", required_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *config = NULL, *chosen = NULL;
	char path[DATABASE_PATH_BYTES];
	struct enrg_error err = {0};
	json_t *tables = NULL;
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return program_usage_error("import-panel", "no such option");
		config = choice == 'c' ? optarg : config;
		chosen = choice == 'b' ? optarg : chosen;
	}
	if (argc - optind != 1)
		return program_usage_error("import-panel", "one DUMP was expected, a folder or a JSON file");
	int rc = program_find_database("import-panel", chosen, path);
	if (rc)
		return rc;
	rc = panel_dump_read(argv[optind], &tables, &err);
	if (rc >= 0)
		rc = import_runs(tables, path, &err);
	if (rc >= 0)
		rc = import_plans(tables, config, &err);
	json_decref(tables);
	return rc < 0 ? program_fail("import-panel", &err) : 0;
}
