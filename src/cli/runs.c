/* runs.c: `enrgdaq runs`: runs of a system, and what the run book says of those that were. What commands a running
 * system goes to its control socket; what reads the book is done by the program enrgdaq-runs, which has SQLite. */
#include "cli/runs.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const char usage[] =
	"usage: enrgdaq runs [COMMAND] [OPTIONS]\n"
	"\n"
	"Runs: what was taken, when, by whom, how it ended, and where it lies. Without a command it lists them.\n"
	"\n"
	"  list              the newest runs, or those that are searched for\n"
	"  show N            all that is known of one\n"
	"  start [TYPE]      begins one ([runs] control = true); stop ends it\n"
	"  types, templates, sequences\n"
	"                    what runs the folder declares in runs/, and their parameters\n"
	"  sequence          starts, stops, resumes and shows sequences of runs\n"
	"\n"
	"`enrgdaq runs COMMAND --help` says more of each.\n"
	"\n"
	"examples:\n"
	"  enrgdaq runs\n"
	"  enrgdaq runs start calibration amplitude_mv=250 --description \"after the new fibre\"\n"
	"  enrgdaq runs sequence start led_scan\n"
	"\n"
	"Exit code: 0 done, 1 refused or failed, 2 wrong usage.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"start", runs_start},
	{"stop", runs_stop},
	{"types", runs_plans},
	{"templates", runs_plans},
	{"sequences", runs_plans},
	{"sequence", runs_sequence},
};

int cli_runs(int argc, char **argv)
{
	static char list[] = "list", *only_list[] = {list, NULL};

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(usage, stdout);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, argv[1]))
			return verbs[i].run(argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] != '-')
		return runs_call_program(argc - 1, argv + 1);
	if (argc > 1) {
		argv[0] = list;
		return runs_call_program(argc, argv);
	}
	return runs_call_program(1, only_list);
}
