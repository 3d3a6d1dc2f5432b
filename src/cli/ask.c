/* ask.c: asks a supervisor, and prints what it answers. */
#include "cli/ask.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "client/find.h"
#include "handover/command_link.h"

#define PATIENCE_NS 3600000000000ull
#define LOOK_NS     1000000000ull

/* Ctrl-C while the answer is waited for: what was begun is not taken back by it. */
static void leave(int number)
{
	static const char text[] =
		"enrgdaq: waits no longer; what was begun goes on: the log of the run says when it is done\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

static bool is_of(const struct command_answer *answer, const struct command *command)
{
	static const uint8_t no_id[COMMAND_ID_BYTES];

	return !memcmp(answer->id, command->id, COMMAND_ID_BYTES) || !memcmp(answer->id, no_id, COMMAND_ID_BYTES);
}

/* A line when what is waited for is another than before. false: this supervisor, of another version, can't say it. */
static bool tell_wait(const struct command_answer *answer, char *told, size_t told_bytes)
{
	if (answer->code != COMMAND_OK)
		return false;
	if (answer->text[0] && strcmp(answer->text, told) != 0) {
		snprintf(told, told_bytes, "%s", answer->text);
		printf("waits: %s\n", told);
		fflush(stdout);
	}
	return true;
}

static void ask_wait(int link)
{
	struct command command;

	/* where that fails, the answer that is waited for says what there is to say */
	if (!command_init(&command, "supervisor", "job.wait", json_object(), LOOK_NS * 60))
		(void)command_link_send(link, &command, NULL);
	command_fini(&command);
}

/* 1: *ret_answer is that of the command; 0, or a negative code: none came. */
static int follow(int link, const struct command *command, struct command_answer *ret_answer, struct enrg_error *err)
{
	uint64_t end_ns = clock_mono_ns() + PATIENCE_NS;
	char told[sizeof(ret_answer->text)] = "";
	bool can_say = true;

	while (clock_mono_ns() < end_ns) {
		int rc = command_link_recv(link, LOOK_NS, ret_answer, err);

		if (rc < 0 || (rc && is_of(ret_answer, command)))
			return rc;
		if (rc) {
			can_say = tell_wait(ret_answer, told, sizeof(told));
			command_answer_fini(ret_answer);
		} else if (can_say) {
			ask_wait(link);
		}
	}
	return enrg_error_set(err, -ETIMEDOUT, "the time is over");
}

static int ask(
	const char *folder, const struct command *command, struct command_answer *ret_answer, struct enrg_error *err)
{
	int link = -1, rc = command_link_open(folder, &link, err);

	if (!rc)
		rc = command_link_send(link, command, err);
	if (!rc) {
		rc = follow(link, command, ret_answer, err);
		if (rc < 0) {
			*ret_answer = (struct command_answer){0};
			command_answer_set(ret_answer, COMMAND_UNKNOWN,
				"no answer to %s: %s; it may have been done or not: read the state back", command->kind,
				err->text);
		}
		rc = 0;
	}
	command_link_close(link);
	return rc;
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
		rc = ask(folder, &command, ret_answer, &err);
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
