/* job.c: `enrgdaq job add FILE | stop NAME | start NAME | restart NAME | remove NAME`: changes one job of a run. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"

static const char usage[] =
	"usage: enrgdaq job add FILE [--id ID]\n"
	"       enrgdaq job stop NAME [--id ID]\n"
	"       enrgdaq job start NAME [--id ID]\n"
	"       enrgdaq job restart NAME [--id ID]\n"
	"       enrgdaq job remove NAME [--now] [--id ID]\n"
	"\n"
	"Changes one job of a running system while the others go on: they get no signal, no message, and no new file.\n"
	"It waits until the change is done, and says what was done.\n"
	"\n"
	"  add FILE       takes the job of that file in, and stores that it names. A file in the folder of the run\n"
	"                 belongs to it from then on; one that lies elsewhere runs until this run ends. Nothing is "
	"copied.\n"
	"  stop NAME      ends it in order. It stays in the list as stopped, and is not started again by itself. What\n"
	"                 is sent to a store that is stopped waits in shared memory; when that is full, its sources "
	"wait.\n"
	"  start NAME     starts one that is stopped, done or given up\n"
	"  restart NAME   ends it in order and starts it again\n"
	"  remove NAME    ends it: of a source everything that it has sent is stored first, a store first stores all\n"
	"                 that was sent to it by now. Its file is not touched.\n"
	"\n"
	"  --now          remove does not wait: what is left stays in shared memory, and is stored when the job is\n"
	"                 added again or by the next run. The answer and the log say where.\n"
	"  --id ID        info.supervisor_id of the system; without it, the one that runs\n"
	"\n"
	"examples:\n"
	"  enrgdaq job add lab/camera2.toml\n"
	"  enrgdaq job restart digitizer\n"
	"\n"
	"Exit code: 0 done, 1 refused or failed, 2 wrong usage.\n";

static json_t *make_body(const char *verb, const char *argument, bool is_now)
{
	char path[PATH_MAX];
	json_t *body;

	if (!strcmp(verb, "add")) {
		if (realpath(argument, path))
			return json_pack("{s:s}", "file", path);
		fprintf(stderr, "enrgdaq job add: %s: %s\n", argument, strerror(errno));
		return NULL;
	}
	body = json_pack("{s:s}", "name", argument);
	if (is_now)
		json_object_set_new(body, "now", json_true());
	return body;
}

static int change(const char *supervisor, const char *verb, const char *argument, bool is_now)
{
	struct command_answer answer = {0};
	char kind[32];
	json_t *body = make_body(verb, argument, is_now);

	if (!body)
		return 1;
	snprintf(kind, sizeof(kind), "job.%s", verb);
	int rc = ask_supervisor(supervisor, kind, body, &answer);
	if (rc)
		return rc;
	rc = ask_print(&answer, "done");
	command_answer_fini(&answer);
	return rc;
}

int cli_job(int argc, char **argv)
{
	static const struct option options[] = {{"now", no_argument, NULL, 'n'}, {"id", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	static const char *const verbs[] = {"add", "stop", "start", "restart", "remove"};
	const char *supervisor = NULL;
	bool is_now = false, is_known = false;
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return cli_option_error("job");
		is_now |= choice == 'n';
		supervisor = choice == 'i' ? optarg : supervisor;
	}
	for (size_t i = 0; optind < argc && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		is_known |= !strcmp(argv[optind], verbs[i]);
	if (!is_known)
		return cli_usage_error("job", "add, stop, start, restart or remove was expected");
	if (argc - optind != 2)
		return cli_usage_error(
			"job", "%s: one %s was expected", argv[optind], strcmp(argv[optind], "add") ? "NAME" : "FILE");
	if (is_now && strcmp(argv[optind], "remove") != 0)
		return cli_usage_error("job", "--now goes with remove");
	return change(supervisor, argv[optind], argv[optind + 1], is_now);
}
