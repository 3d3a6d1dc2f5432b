/* commands.c: a memory of ids and answers, and tables of kinds. */
#include "supervisor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "config/options_json.h"

enum entry_state { ENTRY_FREE, ENTRY_PENDING, ENTRY_ANSWERED };

struct entry {
	enum entry_state state;
	bool is_silent;
	char kind[sizeof(((struct command *)0)->kind)];
	struct command_answer answer; /* its id is that of the command, from the start */
	size_t asker_count;
	struct command_asker askers[COMMANDS_ASKERS_MAX];
};

struct commands {
	size_t table_count;
	struct commands_table {
		const struct command_kind *kinds;
		void *context;
	} tables[COMMANDS_TABLES_MAX];
	commands_route *route;
	void *route_context;
	size_t next; /* the place of the oldest id */
	struct entry entries[COMMANDS_KEPT];
};

int commands_create(struct commands **ret_commands, struct enrg_error *err)
{
	*ret_commands = calloc(1, sizeof(**ret_commands));
	return *ret_commands ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

void commands_destroy(struct commands *commands)
{
	if (!commands)
		return;
	for (size_t i = 0; i < COMMANDS_KEPT; i++)
		command_answer_fini(&commands->entries[i].answer);
	free(commands);
}

int commands_add(struct commands *commands, const struct command_kind *kinds, void *context)
{
	if (commands->table_count == COMMANDS_TABLES_MAX)
		return -ENOSPC;
	commands->tables[commands->table_count++] = (struct commands_table){.kinds = kinds, .context = context};
	return 0;
}

void commands_set_route(struct commands *commands, commands_route *route, void *context)
{
	commands->route = route;
	commands->route_context = context;
}

/* --- ids --- */

static struct entry *find_entry(struct commands *commands, const uint8_t id[COMMAND_ID_BYTES])
{
	for (size_t i = 0; i < COMMANDS_KEPT; i++)
		if (commands->entries[i].state != ENTRY_FREE &&
			!memcmp(commands->entries[i].answer.id, id, COMMAND_ID_BYTES))
			return &commands->entries[i];
	return NULL;
}

/* The oldest one that is answered makes room. NULL: all are still at work. */
static struct entry *make_entry(struct commands *commands, const struct command *command)
{
	for (size_t tried = 0; tried < COMMANDS_KEPT; tried++) {
		struct entry *entry = &commands->entries[commands->next];

		commands->next = (commands->next + 1) % COMMANDS_KEPT;
		if (entry->state == ENTRY_PENDING)
			continue;
		command_answer_fini(&entry->answer);
		*entry = (struct entry){.state = ENTRY_PENDING};
		memcpy(entry->answer.id, command->id, COMMAND_ID_BYTES);
		memcpy(entry->kind, command->kind, sizeof(entry->kind));
		return entry;
	}
	return NULL;
}

static void reply(const struct command_asker *asker, const struct command_answer *answer)
{
	if (asker->reply)
		asker->reply(asker, answer);
}

static void close_entry(struct entry *entry, const struct command_answer *answer)
{
	struct command_answer kept;

	command_answer_copy(answer, &kept);
	memcpy(kept.id, entry->answer.id, COMMAND_ID_BYTES);
	command_answer_fini(&entry->answer);
	entry->answer = kept;
	entry->state = ENTRY_ANSWERED;
	if (!entry->is_silent)
		log_line(ENRG_INFO, "command %s: %s%s%s", entry->kind, command_code_name(kept.code),
			kept.text[0] ? ": " : "", kept.text);
	for (size_t i = 0; i < entry->asker_count; i++)
		reply(&entry->askers[i], &entry->answer);
	entry->asker_count = 0;
}

void commands_answer(struct commands *commands, const uint8_t id[COMMAND_ID_BYTES], struct command_answer *answer)
{
	struct entry *entry = find_entry(commands, id);

	if (entry && entry->state == ENTRY_PENDING)
		close_entry(entry, answer);
}

static void answer_again(struct entry *entry, const struct command_asker *asker)
{
	struct command_answer busy = {0};

	if (entry->state == ENTRY_ANSWERED) {
		reply(asker, &entry->answer);
	} else if (entry->asker_count < COMMANDS_ASKERS_MAX) {
		entry->askers[entry->asker_count++] = *asker;
	} else {
		memcpy(busy.id, entry->answer.id, COMMAND_ID_BYTES);
		command_answer_set(&busy, COMMAND_UNKNOWN, "it is still at work, and too many wait for its answer");
		reply(asker, &busy);
	}
}

/* --- kinds --- */

static const struct command_kind *find_kind(const struct commands *commands, const char *kind, void **ret_context)
{
	for (size_t i = 0; i < commands->table_count; i++)
		for (const struct command_kind *item = commands->tables[i].kinds; item->kind; item++)
			if (!strcmp(item->kind, kind)) {
				*ret_context = commands->tables[i].context;
				return item;
			}
	return NULL;
}

static void refuse_kind(const struct commands *commands, const char *kind, struct command_answer *answer)
{
	char known[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < commands->table_count; i++)
		for (const struct command_kind *item = commands->tables[i].kinds; item->kind; item++)
			if (used < sizeof(known))
				used += (size_t)snprintf(
					known + used, sizeof(known) - used, "%s%s", used ? ", " : "", item->kind);
	command_answer_set(answer, COMMAND_NO_KIND, "this supervisor knows no command %s; it knows %s%s", kind, known,
		!strncmp(kind, "run_", 4) ? "; commands for runs need [runs] control = true in supervisor.toml" : "");
}

static enum command_outcome handle_kind(
	const struct command_kind *kind, void *context, const struct command *command, struct command_answer *answer)
{
	struct options_memory *memory = options_memory_create();
	enum command_outcome outcome = COMMAND_ANSWERED;
	void *body = NULL;

	if (!memory)
		command_answer_set(answer, COMMAND_REFUSED, "out of memory");
	else if (options_fill_json(&kind->body, command->body, memory, &body, answer->text, sizeof(answer->text)))
		answer->code = COMMAND_WRONG_FIELDS;
	else
		outcome = kind->handle(context, command, body, answer);
	if (memory)
		options_memory_destroy(memory);
	return outcome;
}

static void log_command(const struct command *command)
{
	char user[64];

	path_format_user(command->sender.user, user, sizeof(user));
	log_line(ENRG_INFO, "command %s for %s, by process %" PRId64 " of %s%s%s", command->kind, command->to,
		command->sender.pid, user, command->sender.name[0] ? ": " : "", command->sender.name);
}

static enum command_outcome act(
	struct commands *commands, const struct command *command, struct entry *entry, struct command_answer *answer)
{
	void *context = NULL;
	const struct command_kind *kind;

	if (strcmp(command->to, "supervisor") != 0) {
		log_command(command);
		if (commands->route)
			return commands->route(commands->route_context, command, answer);
		command_answer_set(answer, COMMAND_NOBODY, "nobody here takes commands for %s", command->to);
		return COMMAND_ANSWERED;
	}
	kind = find_kind(commands, command->kind, &context);
	if (!kind) {
		refuse_kind(commands, command->kind, answer);
		return COMMAND_ANSWERED;
	}
	entry->is_silent = kind->is_silent;
	if (!kind->is_silent)
		log_command(command);
	return handle_kind(kind, context, command, answer);
}

/* false: it is refused, and forgotten. */
static bool is_in_time(const struct command *command, struct command_answer *answer)
{
	uint64_t now_ns = clock_wall_ns();
	char span[32];

	if (command->expires_ns > now_ns && command->expires_ns - now_ns <= COMMAND_EXPIRY_MAX)
		return true;
	if (command->expires_ns > now_ns) {
		command_answer_set(answer, COMMAND_REFUSED, "it expires in more than an hour");
		return false;
	}
	clock_format_span(now_ns - command->expires_ns, span, sizeof(span));
	command_answer_set(answer, COMMAND_EXPIRED, "it came %s after its expiry: nothing was done", span);
	return false;
}

void commands_take(struct commands *commands, const struct command *command, const struct command_asker *asker)
{
	struct command_answer answer = {0};
	struct entry *entry = find_entry(commands, command->id);

	memcpy(answer.id, command->id, COMMAND_ID_BYTES);
	if (entry) {
		answer_again(entry, asker);
		return;
	}
	if (is_in_time(command, &answer)) {
		entry = make_entry(commands, command);
		if (!entry)
			command_answer_set(&answer, COMMAND_REFUSED, "%u commands are still at work", COMMANDS_KEPT);
	}
	if (!entry) {
		reply(asker, &answer);
		command_answer_fini(&answer);
		return;
	}
	entry->askers[entry->asker_count++] = *asker;
	if (act(commands, command, entry, &answer) == COMMAND_ANSWERED)
		close_entry(entry, &answer);
	command_answer_fini(&answer);
}
