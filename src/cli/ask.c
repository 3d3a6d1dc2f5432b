/* ask.c: asks a supervisor, and prints what it answers. */
#include "cli/ask.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "client/find.h"
#include "handover/command_link.h"

#define PATIENCE_NS 3600000000000ull

/* Ctrl-C while the answer is waited for: what was begun is not taken back by it. */
static void leave(int number)
{
	static const char text[] =
		"enrgdaq: waits no longer; what was begun goes on: the log of the run says when it is done\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

int ask_supervisor(const char *supervisor, const char *kind, json_t *body, struct command_answer *ret_answer)
{
	char folder[FIND_PATH_BYTES];
	struct enrg_error err = {0};
	struct command command;
	struct sigaction before;
	pid_t pid = 0;
	int rc = command_init(&command, "supervisor", kind, body, PATIENCE_NS);

	snprintf(command.sender.name, sizeof(command.sender.name), "enrgdaq %.100s", kind);
	if (rc)
		enrg_error_set(&err, rc, "the command can't be made: %s", enrg_error_name(rc));
	if (!rc)
		rc = find_supervisor(supervisor, folder, sizeof(folder), &pid, &err);
	if (!rc && !pid)
		rc = enrg_error_set(&err, -ESRCH, "that system does not run; start it with `enrgdaq run`");
	sigaction(SIGINT, NULL, &before);
	if (!rc)
		sigaction(SIGINT, &(struct sigaction){.sa_handler = leave}, NULL);
	if (!rc)
		rc = command_link_ask(folder, &command, PATIENCE_NS, ret_answer, &err);
	command_fini(&command);
	sigaction(SIGINT, &before, NULL);
	if (rc)
		fprintf(stderr, "enrgdaq: %s%s\n", err.text,
			cli_how_to_name(rc, strcmp(kind, "reload") == 0 ? ": `enrgdaq reload ID`" : " by --id ID"));
	return rc ? 1 : 0;
}

int ask_print(const struct command_answer *answer, const char *word)
{
	size_t index;
	json_t *line;

	json_array_foreach(json_object_get(answer->fields, "problems"), index, line)
		fprintf(stderr, "%s\n", json_string_value(line));
	if (answer->code == COMMAND_OK)
		printf("%s: %s\n", word, answer->text);
	else
		fprintf(stderr, "%s: %s\n", command_code_name(answer->code), answer->text);
	return answer->code == COMMAND_OK ? 0 : 1;
}
