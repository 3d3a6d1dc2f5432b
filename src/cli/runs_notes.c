/* runs_notes.c: `enrgdaq runs note | flag | delete`: what somebody says of a run that is on, or has long ended. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/runs.h"

static const char usage[] =
	"usage: enrgdaq runs note RUN TEXT [--replaces ID] [--who NAME]\n"
	"       enrgdaq runs flag RUN FLAG [--clear] [--reason TEXT] [--who NAME]\n"
	"       enrgdaq runs delete RUN [--undo] [--who NAME]\n"
	"\n"
	"Says something of a run, which stands in the run book from then on, and in run_000123.json beside the data.\n"
	"Nothing is overwritten: what was said before stays in the history of the run.\n"
	"\n"
	"  note RUN TEXT    puts a note to it\n"
	"  flag RUN FLAG    marks it: tainted, degraded or interrupted\n"
	"  delete RUN       leaves it out of lists; number, record and data stay\n"
	"\n"
	"  RUN              its number, name or uuid, or \"last\"\n"
	"  --replaces ID    of note: it takes the place of that one (`show --json` has the ids of notes)\n"
	"  --clear          of flag: the run has it no more\n"
	"  --reason TEXT    of flag: why\n"
	"  --undo           of delete: lists show it again\n"
	"  --who NAME       for whom; without it this user\n"
	"  --id ID          info.supervisor_id of the system; --database FILE: the run book\n"
	"\n"
	"examples:\n"
	"  enrgdaq runs note 123 \"beam was off from 14:02 to 14:10\"\n"
	"  enrgdaq runs flag last tainted --reason \"door of the dark room open\"\n"
	"\n"
	"Exit code: 0 done, 1 refused or failed, 2 wrong usage.\n";

struct notes_options {
	const char *replaces, *reason, *who;
	bool is_cleared, is_undone;
};

/* With a system that has the book open it goes through its supervisor; else this command enters it. */
static int say(const struct runs_book *book, const char *run, const char *kind, const char *who, json_t *body)
{
	const char *const show[] = {"show", run, "--json", NULL};
	json_t *record = runs_read_book(book, show);
	const char *uuid = json_string_value(json_object_get(record, "uuid"));
	struct command_answer answer = {0};
	char command[32], *text = NULL;
	int rc = 1;

	if (uuid && *book->supervisor) {
		snprintf(command, sizeof(command), "run_%s", kind);
		json_object_set_new(body, "uuid", json_string(uuid));
		json_object_set_new(body, "who", json_string(who));
		rc = ask_supervisor(book->supervisor, command, json_incref(body), &answer);
		if (!rc)
			rc = ask_print(&answer, "done");
		command_answer_fini(&answer);
	} else if (uuid && (text = json_dumps(body, JSON_COMPACT))) {
		const char *const enter[] = {"enter", uuid, kind, text, "--who", who, NULL};
		json_t *answer_json = runs_read_book(book, enter);
		rc = answer_json ? 0 : 1;
		json_decref(answer_json);
		if (!rc)
			puts("done");
	}
	free(text);
	json_decref(record);
	json_decref(body);
	return rc;
}

static int say_verb(const struct runs_book *book, const struct notes_options *options, int argc, char **argv)
{
	const char *verb = argv[0], *run = argv[1], *text = argc > 2 ? argv[2] : "";
	json_t *body;

	if (argc != (strcmp(verb, "delete") ? 3 : 2))
		return cli_usage_error("runs", "%s: RUN%s was expected", verb,
			!strcmp(verb, "note")   ? " and TEXT"
			: !strcmp(verb, "flag") ? " and FLAG"
						: "");
	if (!strcmp(verb, "note"))
		body = json_pack("{s:s, s:s}", "text", text, "replaces", options->replaces ? options->replaces : "");
	else if (!strcmp(verb, "flag"))
		body = json_pack("{s:s, s:b, s:s}", "flag", text, "is_set", !options->is_cleared, "reason",
			options->reason ? options->reason : "");
	else
		body = json_pack("{s:b}", "is_deleted", !options->is_undone);
	if (!body)
		return cli_usage_error("runs", "%s: the text is not UTF-8 text", verb);
	return say(book, run, verb, options->who, body);
}

int runs_notes(int argc, char **argv)
{
	static const struct option names[] = {{"replaces", required_argument, NULL, 'p'},
		{"reason", required_argument, NULL, 'r'}, {"who", required_argument, NULL, 'w'},
		{"clear", no_argument, NULL, 'c'}, {"undo", no_argument, NULL, 'u'},
		{"database", required_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct notes_options options = {0};
	struct runs_book book;
	char *verb = argv[0], user[64];
	int choice;

	path_format_user(geteuid(), user, sizeof(user));
	options.who = user;
	if (runs_book_find(&argc, argv, &book))
		return 1;
	book.is_named = false; /* here its name goes to the program in any case */
	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return cli_option_error("runs");
		options.replaces = choice == 'p' ? optarg : options.replaces;
		options.reason = choice == 'r' ? optarg : options.reason;
		options.who = choice == 'w' ? optarg : options.who;
		options.is_cleared |= choice == 'c';
		options.is_undone |= choice == 'u';
	}
	argv[optind - 1] = verb;
	return say_verb(&book, &options, argc - optind + 1, argv + optind - 1);
}
