/* runs_sequence.c: `enrgdaq runs sequence start|stop|resume|list|show NAME`. */
#include "cli/runs.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"

static const char usage[] =
	"usage: enrgdaq runs sequence [list] [--json]\n"
	"       enrgdaq runs sequence show NAME [--json]\n"
	"       enrgdaq runs sequence start|stop|resume NAME [--reason TEXT] [--id ID]\n"
	"\n"
	"Sequences of runs (`enrgdaq runs sequences` lists those that the folder declares). The run book drives them, "
	"one\n"
	"at a time: nobody has to watch, and one goes on when everything was started again. A run that was aborted is\n"
	"repeated once; then the sequence stops and says why.\n"
	"\n"
	"  list           those that were started, and how far they are\n"
	"  show NAME      its runs\n"
	"  start NAME     begins with the first step; all that is wrong with any step is named first\n"
	"  stop NAME      ends it, and the run that is on\n"
	"  resume NAME    goes on at the step where it was stopped or failed\n"
	"\n"
	"  --reason TEXT  why it is stopped, for the record\n"
	"  --id ID        info.supervisor_id of the system; without it, the one that runs\n"
	"  --json         as JSON\n"
	"\n"
	"Exit code: 0 done, 1 refused or failed, 2 wrong usage.\n";

static int command(const char *supervisor, const char *verb, const char *name, const char *reason)
{
	struct command_answer answer = {0};
	char kind[40];

	snprintf(kind, sizeof(kind), "sequence_%s", verb);
	int rc = ask_supervisor(supervisor, kind, json_pack("{s:s, s:s}", "name", name, "reason", reason), &answer);
	if (rc)
		return rc;
	rc = ask_print(&answer, "asked");
	if (!rc)
		printf("`enrgdaq runs sequence show %s` shows how far it is\n", name);
	command_answer_fini(&answer);
	return rc;
}

static int read_book(const char *supervisor, const char *name, bool is_json)
{
	char verb[] = "sequence", json[] = "--json", id[] = "--id";
	char *words[6] = {verb};
	int count = 1;

	if (supervisor) {
		words[count++] = id;
		words[count++] = (char *)(uintptr_t)supervisor;
	}
	if (is_json)
		words[count++] = json;
	if (name)
		words[count++] = (char *)(uintptr_t)name;
	return runs_call_program(count, words);
}

int runs_sequence(int argc, char **argv)
{
	static const struct option options[] = {{"id", required_argument, NULL, 'i'}, {"json", no_argument, NULL, 'j'},
		{"reason", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *supervisor = NULL, *reason = "";
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
		is_json |= choice == 'j';
		supervisor = choice == 'i' ? optarg : supervisor;
		reason = choice == 'r' ? optarg : reason;
	}
	const char *verb = optind < argc ? argv[optind] : "list";
	int left = argc - optind - 1;
	if (!strcmp(verb, "list") && left <= 0)
		return read_book(supervisor, NULL, is_json);
	if (left != 1)
		return cli_usage_error("runs", "sequence %s: one NAME was expected", verb);
	if (!strcmp(verb, "show"))
		return read_book(supervisor, argv[optind + 1], is_json);
	if (!strcmp(verb, "start") || !strcmp(verb, "stop") || !strcmp(verb, "resume"))
		return command(supervisor, verb, argv[optind + 1], reason);
	return cli_usage_error("runs", "sequence: start, stop, resume, list or show was expected, not %s", verb);
}
