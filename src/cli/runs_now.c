/* runs_now.c: `enrgdaq runs state`: which run is on, asked of the system that runs. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/runs.h"
#include "cli/status_runs.h"

static const char usage[] =
	"usage: enrgdaq runs state [--json] [--id ID]\n"
	"\n"
	"Which run is on: number, state, since when, who wanted it, what it waits for, and when it ends.\n"
	"\n"
	"  --json    one JSON object, as `run_state` answers\n"
	"  --id ID   info.supervisor_id of the system; without it, the one that runs\n"
	"\n"
	"Exit code: 0 a system runs, 1 none does, 2 wrong usage.\n";

enum { OPTION_ID = 256, OPTION_JSON };

static const struct option options[] = {
	{"help", no_argument, NULL, 'h'},
	{"id", required_argument, NULL, OPTION_ID},
	{"json", no_argument, NULL, OPTION_JSON},
	{0},
};

int runs_now(int argc, char **argv)
{
	struct command_answer answer = {0};
	const char *supervisor = NULL;
	bool is_json = false;
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return cli_option_error("runs");
		supervisor = choice == OPTION_ID ? optarg : supervisor;
		is_json = is_json || choice == OPTION_JSON;
	}
	if (optind < argc)
		return cli_usage_error("runs", "state: \"%s\" was not expected", argv[optind]);
	int rc = ask_supervisor(supervisor, "run_state", json_object(), &answer);
	if (rc)
		return rc;
	if (answer.code != COMMAND_OK)
		rc = ask_print(&answer, "state");
	else if (is_json)
		json_dumpf(answer.fields, stdout, JSON_INDENT(2));
	else
		status_runs_print(answer.fields, clock_wall_ns(), isatty(1), stdout);
	if (!rc && is_json)
		putchar('\n');
	command_answer_fini(&answer);
	return rc;
}
