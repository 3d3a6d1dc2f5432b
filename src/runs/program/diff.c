/* diff.c: `enrgdaq runs diff N M`. */
#include "runs/program/program.h"

#include <getopt.h> /* optind */
#include <stdio.h>

#include "runs/compare.h"
#include "runs/reader.h"

static const char usage[] =
	"usage: enrgdaq runs diff N M [--json] [--database FILE]\n"
	"\n"
	"Shows what differs between two runs (numbers, names, uuids, or \"last\"): the configuration as a unified diff "
	"of "
	"its\n"
	"text, secrets masked; type, description and values; versions of program, libraries and kernel; the account of "
	"each\n"
	"source and store; rates. What is the same is left out.\n"
	"\n"
	"  --json             as one JSON object\n"
	"  --database FILE    the run book; without it that of the system that runs, else out/runs_*.sqlite\n"
	"\n"
	"example:\n"
	"  enrgdaq runs diff 122 last\n"
	"\n"
	"Exit code: 0 done, 1 no such run, or the run book can't be read, 2 wrong usage.\n";

static int read_run(struct database *database, const char *name, json_t **ret_run)
{
	struct enrg_error err = {0};
	int64_t id = 0;
	int rc = reader_find(database, name, &id, &err);

	if (!rc)
		rc = reader_show(database, id, ret_run, &err);
	return rc ? program_fail("diff", &err) : 0;
}

static int print_diff(struct database *database, char **names, bool is_json)
{
	json_t *from = NULL, *to = NULL, *comparison = NULL;
	int rc = read_run(database, names[0], &from);

	if (!rc)
		rc = read_run(database, names[1], &to);
	if (!rc) {
		comparison = compare_runs(from, to);
		rc = !comparison;
	}
	if (!rc && is_json) {
		json_dumpf(comparison, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!rc) {
		compare_print(comparison, stdout);
	}
	json_decref(comparison);
	json_decref(from);
	json_decref(to);
	return rc;
}

int program_diff(int argc, char **argv)
{
	const char *path = NULL;
	bool is_json = false;
	int code = program_read_options("diff", usage, argc, argv, &path, &is_json);

	if (code >= 0)
		return code;
	if (argc - optind != 2)
		return program_usage_error("diff", "two runs were expected: numbers, names, uuids or \"last\"");
	struct database *database = program_open_reader("diff", path);
	int rc = database ? print_diff(database, argv + optind, is_json) : 1;
	database_close(database);
	return rc;
}
