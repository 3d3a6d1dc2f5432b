/* runs_commands.c: `run_start`, `run_stop`, `run_state`. Process: supervisor, main thread. */
#include "supervisor/runs_state.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "supervisor/run_end.h"

struct start_body {
	int64_t number;
	const char *id;
};

struct stop_body {
	const char *id;
};

static const struct enrg_option start_options[] = {
	{.key = "number",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct start_body, number),
		.default_value = "0",
		.min = 0,
		.max = 9e15,
		.help = "Number of the run; 0: the next one."},
	{.key = "id",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct start_body, id),
		.default_value = "\"\"",
		.help = "Name of the run in files, of letters, digits, '.', '_' and '-'; without it one is drawn. The "
			"same "
			"once more is the same run."},
	{0},
};

static const struct enrg_option stop_options[] = {
	{.key = "id",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct stop_body, id),
		.default_value = "\"\"",
		.help = "The run that is meant; without it the one that is on."},
	{0},
};

static enum command_outcome refuse(const struct runs *runs, struct command_answer *answer, const char *text)
{
	command_answer_set(answer, COMMAND_REFUSED, "%s", text);
	answer->fields = runs_format(runs);
	return COMMAND_ANSWERED;
}

static enum command_outcome agree(const struct runs *runs, struct command_answer *answer, const char *text)
{
	command_answer_set(answer, COMMAND_OK, "%s", text);
	answer->fields = runs_format(runs);
	return COMMAND_ANSWERED;
}

static enum command_outcome answer_later(struct runs *runs, const struct command *command, enum runs_state asked)
{
	/* One asker at a time; whoever asked before learns what is known now. */
	runs_answer(runs, COMMAND_UNKNOWN, "somebody else has asked meanwhile: read the state");
	memcpy(runs->asker, command->id, sizeof(runs->asker));
	runs->has_asker = true;
	runs->asked = asked;
	return COMMAND_LATER;
}

static bool is_id(const char *id)
{
	return strlen(id) <= 40 && id[0] != '.' &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(id);
}

static bool has_ended(const struct runs *runs, const char *id)
{
	if (*id && !strcmp(runs->last_id, id))
		return true;
	for (uint32_t i = 0; *id && i < RUNS_CLOSING; i++)
		if (runs->closing[i] && !strcmp(runs->closing[i]->id, id))
			return true;
	return *id && run_end_has_account(runs->roster, id);
}

static int begin_start(struct runs *runs, const struct start_body *body, struct enrg_error *err)
{
	uint64_t wall_ns = clock_wall_ns(), number = body->number ? (uint64_t)body->number : runs->last_number + 1;
	char id[64];

	if (*body->id)
		snprintf(id, sizeof(id), "%s", body->id);
	else
		runtime_make_run_id(wall_ns, id, sizeof(id));
	runs->account = account_create(id, number);
	if (!runs->account)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	runs->account->began_wall_ns = wall_ns;
	runs->account->clock_begin = clock_state_read();
	runs_enter(runs, RUNS_STARTING);
	uint64_t before = runs->last_number;
	runs->last_number = number > before ? number : before;
	int rc = runs_save(runs, err);
	if (rc == 0)
		return 0;
	account_destroy(runs->account);
	runs->account = NULL;
	runs->last_number = before;
	runs->state = RUNS_IDLE;
	return rc;
}

static enum command_outcome handle_start(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct start_body *wanted = body;
	struct runs *runs = context;
	struct enrg_error err = {0};
	char text[700];

	if (!is_id(wanted->id))
		return refuse(runs, answer, "id: at most 40 letters, digits, '.', '_' and '-' are allowed");
	bool is_same = runs->account && *wanted->id && !strcmp(runs->account->id, wanted->id);
	if (is_same && runs->state == RUNS_ON)
		return agree(runs, answer, "the run is on");
	if (is_same && runs->state == RUNS_STARTING)
		return answer_later(runs, command, RUNS_ON);
	if (runs->roster->is_stopping)
		return refuse(runs, answer, "the supervisor stops");
	if (runs->state != RUNS_IDLE) {
		snprintf(text, sizeof(text), "run %s is %s", runs->account->id, runs_state_name(runs->state));
		return refuse(runs, answer, text);
	}
	if (has_ended(runs, wanted->id))
		return refuse(runs, answer, "that run has ended");
	if (wanted->number && (uint64_t)wanted->number <= runs->last_number) {
		snprintf(text, sizeof(text), "number %lld was given already: the last one is %llu",
			(long long)wanted->number, (unsigned long long)runs->last_number);
		return refuse(runs, answer, text);
	}
	if (begin_start(runs, wanted, &err) < 0)
		return refuse(runs, answer, err.text);
	return answer_later(runs, command, RUNS_ON);
}

static enum command_outcome handle_stop(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct stop_body *wanted = body;
	struct runs *runs = context;
	char text[300];

	if (has_ended(runs, wanted->id))
		return agree(runs, answer, "the run has ended");
	if (runs->state == RUNS_IDLE)
		return refuse(runs, answer, "no run is on");
	if (*wanted->id && strcmp(runs->account->id, wanted->id) != 0) {
		snprintf(text, sizeof(text), "another run is %s: %s", runs_state_name(runs->state), runs->account->id);
		return refuse(runs, answer, text);
	}
	if (runs->state == RUNS_STARTING) {
		runs->account->is_aborted = true;
		snprintf(runs->account->reason, sizeof(runs->account->reason), "stopped while it began");
		runs_answer(runs, COMMAND_FAILED, "it was stopped while it began");
	}
	if (runs->state != RUNS_STOPPING)
		runs_begin_stopping(runs);
	return answer_later(runs, command, RUNS_IDLE);
}

static enum command_outcome handle_state(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	(void)command;
	(void)body;
	answer->fields = runs_format(context);
	return COMMAND_ANSWERED;
}

static const struct enrg_option no_options[] = {{0}};

static const struct command_kind kinds[] = {
	{.kind = "run_start",
		.summary = "begins a run",
		.body = {.size = sizeof(struct start_body), .options = start_options},
		.handle = handle_start},
	{.kind = "run_stop",
		.summary = "ends the run that is on",
		.body = {.size = sizeof(struct stop_body), .options = stop_options},
		.handle = handle_stop},
	{.kind = "run_state",
		.summary = "answers which run is on",
		.body = {.size = 1, .options = no_options},
		.is_silent = true,
		.handle = handle_state},
	{0},
};

int runs_add_commands(struct runs *runs)
{
	return runs->is_on ? commands_add(runs->commands, kinds, runs) : 0;
}
