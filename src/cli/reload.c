/* reload.c: `enrgdaq reload [ID] [--dry-run]`: makes a run what its folder says now. */
#include <getopt.h>
#include <stdio.h>

#include "cli/ask.h"
#include "cli/cli.h"

static const char usage[] =
	"usage: enrgdaq reload [ID] [--dry-run]\n"
	"\n"
	"Reads the folder of a running system again, and makes the run what the folder says now: jobs whose file is\n"
	"new are added, jobs whose file is gone are removed, jobs whose text has changed are restarted. Prints the "
	"plan,\n"
	"does it, follows it to its end, and says what was done. Jobs that are not named in the plan are not touched.\n"
	"The folder is checked as a whole first: one with an error changes nothing.\n"
	"\n"
	"Sources stop before their stores, and stores start before their sources. What a removed source has sent, and\n"
	"what was sent to a removed store, is stored first (`enrgdaq job remove NAME --now` does not wait). A job "
	"that\n"
	"was stopped by `enrgdaq job stop` stays stopped. Of supervisor.toml, restart_delay_seconds,\n"
	"restart_delay_max_seconds and watchdog_seconds change at once; other keys are named, and count from the next "
	"run.\n"
	"\n"
	"  ID          info.supervisor_id; without it, the one system that runs\n"
	"  --dry-run   prints the plan alone\n"
	"\n"
	"Exit code: 0 done, 1 refused or failed, 2 wrong usage.\n";

int cli_reload(int argc, char **argv)
{
	static const struct option options[] = {
		{"dry-run", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct command_answer answer = {0};
	bool is_dry = false;
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "hn", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return cli_option_error("reload");
		is_dry = true;
	}
	if (argc - optind > 1)
		return cli_usage_error("reload", "one ID was expected, not %d", argc - optind);
	int rc = ask_supervisor(argv[optind], "reload", json_pack("{s:b}", "dry_run", 1), &answer);
	if (rc)
		return rc;
	rc = ask_print(&answer, is_dry ? "dry run" : "plan");
	fflush(stdout);
	command_answer_fini(&answer);
	if (rc || is_dry)
		return rc;
	rc = ask_supervisor(argv[optind], "reload", json_pack("{s:b}", "dry_run", 0), &answer);
	if (rc)
		return rc;
	rc = ask_print(&answer, "done");
	command_answer_fini(&answer);
	return rc;
}
