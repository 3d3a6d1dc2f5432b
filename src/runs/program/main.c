/* main.c: `enrgdaq-runs COMMAND`: the program that owns the run book, and reads it. `serve` is started by the
 * supervisor, the others by `enrgdaq runs`. */
#include "runs/program/program.h"

#include <getopt.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"list", "what runs there are", program_list},
	{"show", "all that is known of a run", program_show},
	{"diff", "what differs between two runs", program_diff},
	{"export", "a run as RO-Crate, CSV or JSON", program_export},
	{"sequence", "how far sequences of runs are", program_sequence},
	{"import-panel", "takes over what the web panel has", program_import_panel},
	{"rebuild", "makes a database from the run_*.json beside the data", program_rebuild},
	{"check", "reads the whole database and says whether it is sound", program_check},
	{"enter", "enters what is said of a run while no system runs", program_enter},
	{"answer", "reads the run book for enrgdaq-web, which starts it", program_answer},
	{"serve", "owns the database for a supervisor, which starts it", program_serve},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

int program_usage_error(const char *name, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "enrgdaq runs %s: ", name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "; `enrgdaq runs %s --help` shows how\n", name);
	return 2;
}

int program_read_options(
	const char *name, const char *usage, int argc, char **argv, const char **ret_path, bool *ret_is_json)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"database", required_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return program_usage_error(name, "no such option");
		*ret_is_json |= choice == 'j';
		*ret_path = choice == 'b' ? optarg : *ret_path;
	}
	return -1;
}

int program_fail(const char *name, const struct enrg_error *err)
{
	fprintf(stderr, "enrgdaq runs %s: %s\n", name, err->text);
	return 1;
}

static int refuse(const char *name, const glob_t *found)
{
	if (!found->gl_pathc) {
		fprintf(stderr,
			"enrgdaq runs %s: there is no run book runs_*.sqlite in out or in this folder, and no system "
			"runs "
			"here: --database FILE names it\n",
			name);
		return 1;
	}
	fprintf(stderr, "enrgdaq runs %s: there are several run books; --database FILE names one:\n", name);
	for (size_t i = 0; i < found->gl_pathc; i++)
		fprintf(stderr, "  %s\n", found->gl_pathv[i]);
	return 1;
}

int program_find_database(const char *name, const char *path, char ret_path[DATABASE_PATH_BYTES])
{
	glob_t found = {0};
	int rc = 0;

	if (path) {
		snprintf(ret_path, DATABASE_PATH_BYTES, "%s", path);
		return 0;
	}
	glob("out/runs_*.sqlite", 0, NULL, &found);
	glob("runs_*.sqlite", found.gl_pathc ? GLOB_APPEND : 0, NULL, &found);
	if (found.gl_pathc == 1)
		snprintf(ret_path, DATABASE_PATH_BYTES, "%s", found.gl_pathv[0]);
	else
		rc = refuse(name, &found);
	globfree(&found);
	return rc;
}

struct database *program_open_reader(const char *name, const char *path)
{
	char found[DATABASE_PATH_BYTES];
	struct database *database = NULL;
	struct enrg_error err = {0};
	const struct database_params params = {.path = found, .is_reader = true};

	if (program_find_database(name, path, found))
		return NULL;
	if (database_open(&params, &database, &err)) {
		program_fail(name, &err);
		return NULL;
	}
	return database;
}

int main(int argc, char **argv)
{
	static char name[64];

	for (size_t i = 0; argc > 1 && i < COMMAND_COUNT; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		snprintf(name, sizeof(name), "enrgdaq runs %s", commands[i].name);
		argv[1] = name;
		return commands[i].run(argc - 1, argv + 1);
	}
	bool is_help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
	FILE *stream = is_help ? stdout : stderr;
	fputs("enrgdaq-runs: the run book of ENRGDAQ. For humans there is `enrgdaq runs`, which calls this program.\n\n"
	      "commands:\n",
		stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].summary);
	return is_help ? 0 : 2;
}
