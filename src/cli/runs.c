/* runs.c: `enrgdaq runs`: runs of a system, and what the run book says of those that were. What commands a running
 * system goes to its control socket; what reads the book is done by the program enrgdaq-runs, which has SQLite. A line
 * a sub-command in the table. */
#include "cli/runs.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
	const char *name, *arguments, *summary; /* summary NULL: told with the one before */
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"list", "[WORDS ...]", "the newest runs, or those that are searched for; the same without a command",
		runs_call_program},
	{"show", "RUN", "all that is known of one", runs_call_program},
	{"diff", "RUN RUN", "what differs between two: configuration, versions, account, rates", runs_call_program},
	{"export", "RUN", "one as RO-Crate, CSV or JSON, for others and for archives", runs_call_program},
	{"start", "[TYPE]", "begins one ([runs] control = true)", runs_start},
	{"stop", "", "ends the one that is on", runs_stop},
	{"state", "", "which run is on, since when, what it waits for, and when it ends", runs_now},
	{"note", "RUN TEXT", "puts a note to a run", runs_notes},
	{"flag", "RUN FLAG", "marks a run, as tainted", runs_notes},
	{"delete", "RUN", "leaves a run out of lists; number, record and data stay", runs_notes},
	{"types", "", "types that the folder declares in runs/; also templates, sequences", runs_plans},
	{"templates", NULL, NULL, runs_plans},
	{"sequences", NULL, NULL, runs_plans},
	{"sequence", "VERB", "starts, stops, resumes and shows sequences of runs", runs_sequence},
	{"import-panel", "DUMP", "takes over runs, types, templates and webhooks of the web panel", runs_call_program},
	{"rebuild", "FOLDER", "makes a run book from the records beside the data", runs_call_program},
	{"check", "", "reads the run book whole and says whether it is sound", runs_call_program},
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(void)
{
	fputs("usage: enrgdaq runs [COMMAND] [OPTIONS]\n"
	      "\n"
	      "Runs: what was taken, when, by whom, how it ended, and where it lies. The run book is a database beside "
	      "the\n"
	      "data (runs.database in supervisor.toml), with a file run_000123.json for each run.\n"
	      "\n",
		stdout);
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (verbs[i].summary)
			printf("  %-12s %-11s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].summary);
	fputs("\n"
	      "  RUN              its number, name or uuid, or \"last\"\n"
	      "  --id ID          info.supervisor_id of the system; without it, the one that runs\n"
	      "  --database FILE  the run book; without it that of the system, else runs_*.sqlite in out or here\n"
	      "\n"
	      "`enrgdaq runs COMMAND --help` says more of each.\n"
	      "\n"
	      "examples:\n"
	      "  enrgdaq runs\n"
	      "  enrgdaq runs list muon --since 2026-11-01\n"
	      "  enrgdaq runs start calibration amplitude_mv=250 --description \"after the new fibre\"\n"
	      "  enrgdaq runs note last \"beam was off from 14:02 to 14:10\"\n"
	      "  enrgdaq runs sequence start led_scan\n"
	      "\n"
	      "Exit code: 0 done, 1 refused or failed, 2 wrong usage.\n",
		stdout);
}

int cli_runs(int argc, char **argv)
{
	static char list[] = "list";

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_help();
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < VERB_COUNT; i++)
		if (!strcmp(verbs[i].name, argv[1]))
			return verbs[i].run(argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] != '-')
		return cli_usage_error("runs", "\"%s\" is no command", argv[1]);
	argv[0] = list; /* `enrgdaq runs --json` */
	return runs_call_program(argc, argv);
}
