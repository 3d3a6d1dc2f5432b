/* runs_notes.c: what somebody says of a run: `run_note`, `run_flag`, `run_delete`. Process: supervisor, main thread. */
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "supervisor/runs_state.h"

struct note_body {
	const char *text, *uuid, *replaces, *who;
};

struct flag_body {
	const char *flag, *reason, *uuid, *who;
	bool is_set;
};

struct delete_body {
	const char *uuid, *who;
	bool is_deleted;
};

#define TEXT(type, name, text)                                                                                         \
	{                                                                                                              \
		.key = #name, .kind = ENRG_OPTION_STRING, .offset = offsetof(struct type, name),                       \
		.default_value = "\"\"", .help = text                                                                  \
	}
#define UUID_HELP "The run that is meant, by its key in the book; without it the one that is on."
#define WHO_HELP  "For whom the asking program asks; without it the user that it runs as."

static const struct enrg_option note_options[] = {
	{.key = "text",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct note_body, text),
		.required = true,
		.help = "What is to be remembered of the run."},
	TEXT(note_body, uuid, UUID_HELP),
	TEXT(note_body, replaces, "Id of the note that it takes the place of; that one is kept too."),
	TEXT(note_body, who, WHO_HELP),
	{0},
};

static const struct enrg_option flag_options[] = {
	{.key = "flag",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct flag_body, flag),
		.default_value = "\"tainted\"",
		.help = "\"tainted\", \"degraded\" or \"interrupted\"."},
	{.key = "is_set",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct flag_body, is_set),
		.default_value = "true",
		.help = "Whether the run has it from now on, or no more."},
	TEXT(flag_body, reason, "Why."),
	TEXT(flag_body, uuid, UUID_HELP),
	TEXT(flag_body, who, WHO_HELP),
	{0},
};

static const struct enrg_option delete_options[] = {
	{.key = "uuid",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct delete_body, uuid),
		.required = true,
		.help = "The run that is meant, by its key in the book."},
	{.key = "is_deleted",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct delete_body, is_deleted),
		.default_value = "true",
		.help = "Whether lists leave it out from now on, or no more."},
	TEXT(delete_body, who, WHO_HELP),
	{0},
};

static bool is_uuid(const char *text)
{
	return strlen(text) == ENTRY_UUID_BYTES - 1 && strspn(text, "0123456789abcdef-") == strlen(text);
}

/* Of a run that this supervisor has in hand: NULL, also where another one is meant. */
static struct account *find_open(const struct runs *runs, const char *uuid)
{
	struct account *const all[] = {runs->account, runs->closing[1], runs->closing[0]};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] && all[i]->number && (!*uuid || !strcmp(all[i]->facts.uuid, uuid)))
			return all[i];
	return NULL;
}

/* The key of the run that is meant; NULL: `answer` says that there is none. */
static const char *find_uuid(const struct runs *runs, const char *uuid, struct command_answer *answer)
{
	const struct account *account = find_open(runs, uuid);

	if (account)
		return account->facts.uuid;
	if (*uuid && is_uuid(uuid) && runs->book && runs->book->is_on)
		return uuid; /* the book knows it, or says that it does not */
	command_answer_set(answer, COMMAND_REFUSED, "%s",
		!*uuid           ? "no run is on; uuid names one that has ended"
		: !is_uuid(uuid) ? "uuid: 36 digits and dashes, as `enrgdaq runs show` prints them, were expected"
				 : "that run is not on, and there is no run book that would know it");
	return NULL;
}

static void format_who(const struct command *command, const char *who, char ret_who[RUN_BY_BYTES])
{
	char user[64];

	path_format_user(command->sender.user, user, sizeof(user));
	text_copy(ret_who, RUN_BY_BYTES, *who ? who : user);
	text_make_safe(ret_who, strlen(ret_who));
}

static void put(const struct runs *runs, const char *kind, const char *uuid, const char *who, json_t *body)
{
	if (runs->book && body)
		book_put(runs->book, kind, uuid, who, body);
	else
		json_decref(body);
}

static enum command_outcome handle_note(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct note_body *wanted = body;
	const struct runs *runs = context;
	char who[RUN_BY_BYTES];
	const char *uuid = find_uuid(runs, wanted->uuid, answer);

	if (!uuid)
		return COMMAND_ANSWERED;
	if (!runs->book || !runs->book->is_on) {
		command_answer_set(answer, COMMAND_REFUSED,
			"there is no run book that would keep it: runs.database is \"\", or the program enrgdaq-runs "
			"is "
			"not installed");
		return COMMAND_ANSWERED;
	}
	format_who(command, wanted->who, who);
	put(runs, "note", uuid, who, json_pack("{s:s, s:s}", "text", wanted->text, "replaces", wanted->replaces));
	command_answer_set(answer, COMMAND_OK, "the note goes into the book of runs");
	return COMMAND_ANSWERED;
}

static bool is_flag(const char *flag)
{
	return !strcmp(flag, "tainted") || !strcmp(flag, "degraded") || !strcmp(flag, "interrupted");
}

static enum command_outcome handle_flag(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct flag_body *wanted = body;
	struct runs *runs = context;
	char who[RUN_BY_BYTES];

	if (!is_flag(wanted->flag)) {
		command_answer_set(answer, COMMAND_WRONG_FIELDS, "flag: tainted, degraded or interrupted was expected");
		return COMMAND_ANSWERED;
	}
	const char *uuid = find_uuid(runs, wanted->uuid, answer);
	if (!uuid)
		return COMMAND_ANSWERED;
	format_who(command, wanted->who, who);
	struct account *account = find_open(runs, uuid);
	bool is_new =
		!account || run_facts_set_flag(&account->facts, wanted->flag, wanted->is_set, wanted->reason, who);
	if (is_new)
		put(runs, "flag", uuid, who,
			json_pack("{s:s, s:b, s:s}", "flag", wanted->flag, "is_set", wanted->is_set, "reason",
				wanted->reason));
	if (account)
		runs_save_or_tell(runs);
	runs->changes++;
	command_answer_set(answer, COMMAND_OK, "%s", is_new ? "it stands in the record" : "it was so already");
	return COMMAND_ANSWERED;
}

static enum command_outcome handle_delete(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct delete_body *wanted = body;
	const struct runs *runs = context;
	char who[RUN_BY_BYTES];
	const char *uuid = find_uuid(runs, wanted->uuid, answer);

	if (!uuid)
		return COMMAND_ANSWERED;
	if (find_open(runs, uuid)) {
		command_answer_set(answer, COMMAND_REFUSED, "it is on, or not all stored yet: end it first");
		return COMMAND_ANSWERED;
	}
	format_who(command, wanted->who, who);
	put(runs, "delete", uuid, who, json_pack("{s:b}", "is_deleted", wanted->is_deleted));
	command_answer_set(answer, COMMAND_OK,
		wanted->is_deleted ? "lists leave it out; number, record and data stay" : "lists show it again");
	return COMMAND_ANSWERED;
}

static const struct command_kind kinds[] = {
	{.kind = "run_note",
		.summary = "puts a note to the run that is on, or to another one",
		.body = {.size = sizeof(struct note_body), .options = note_options},
		.handle = handle_note},
	{.kind = "run_flag",
		.summary = "marks a run as tainted, or no more",
		.body = {.size = sizeof(struct flag_body), .options = flag_options},
		.handle = handle_flag},
	{.kind = "run_delete",
		.summary = "leaves a run that has ended out of lists, or no more",
		.body = {.size = sizeof(struct delete_body), .options = delete_options},
		.handle = handle_delete},
	{0},
};

int runs_add_notes(struct runs *runs)
{
	return commands_add(runs->commands, kinds, runs);
}
