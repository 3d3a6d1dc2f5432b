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

#define LINES_MAX     40u            /* of the log, in … */
#define LINES_SPAN_NS 10000000000ull /* … such a time; what comes then is counted */

enum entry_state { ENTRY_FREE, ENTRY_PENDING, ENTRY_ANSWERED };

struct entry {
	enum entry_state state;
	bool is_silent;
	bool is_told;    /* that it was taken; the answer's line then does not say who asked */
	uint64_t number; /* the smallest one is the oldest */
	char kind[sizeof(((struct command *)0)->kind)];
	char who[700];                /* "for TO, by process PID of USER: NAME" */
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
	commands_guard *guard;
	void *guard_context;
	uint64_t number; /* of the last entry */
	struct entry entries[COMMANDS_KEPT];
	uint32_t taken_count;
	struct taken {
		uint8_t id[COMMAND_ID_BYTES];
		bool is_job;       /* it came from a job */
		uint64_t until_ns; /* wall clock: its expiry; 0 = free */
	} taken[COMMANDS_IDS_KEPT];
	/* lines of the log */
	uint64_t span_ns; /* when the present span began */
	uint32_t lines, untold;
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

void commands_set_guard(struct commands *commands, commands_guard *guard, void *context)
{
	commands->guard = guard;
	commands->guard_context = context;
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
	struct entry *found = NULL;

	for (size_t i = 0; i < COMMANDS_KEPT; i++) {
		struct entry *entry = &commands->entries[i];

		if (entry->state != ENTRY_PENDING && (!found || entry->number < found->number))
			found = entry;
	}
	if (!found)
		return NULL;
	command_answer_fini(&found->answer);
	*found = (struct entry){.state = ENTRY_PENDING, .number = ++commands->number};
	memcpy(found->answer.id, command->id, COMMAND_ID_BYTES);
	memcpy(found->kind, command->kind, sizeof(found->kind));
	return found;
}

static void free_entry(struct entry *entry)
{
	command_answer_fini(&entry->answer);
	*entry = (struct entry){.state = ENTRY_FREE};
}

static bool was_taken(const struct commands *commands, const uint8_t id[COMMAND_ID_BYTES])
{
	for (uint32_t i = 0; i < commands->taken_count; i++)
		if (commands->taken[i].until_ns && !memcmp(commands->taken[i].id, id, COMMAND_ID_BYTES))
			return true;
	return false;
}

/* Before it acts. false: there is no room for its id, and it would act twice where it came again. */
static bool note_taken(struct commands *commands, const struct command *command, bool is_job)
{
	uint64_t now_ns = clock_wall_ns();
	uint32_t place = commands->taken_count, of_jobs = 0;

	for (uint32_t i = 0; i < commands->taken_count; i++) {
		const struct taken *taken = &commands->taken[i];

		if (taken->until_ns <= now_ns)
			place = i < place ? i : place;
		else
			of_jobs += taken->is_job;
	}
	if (place == COMMANDS_IDS_KEPT || (is_job && of_jobs >= COMMANDS_IDS_JOBS))
		return false;
	commands->taken_count += place == commands->taken_count;
	commands->taken[place] = (struct taken){.is_job = is_job, .until_ns = command->expires_ns};
	memcpy(commands->taken[place].id, command->id, COMMAND_ID_BYTES);
	return true;
}

/* Nothing was done: it needs no place. Its answer stays as long as others do. */
static void forget_if_idle(struct commands *commands, const struct command_answer *answer)
{
	if (answer->code == COMMAND_OK || answer->code == COMMAND_FAILED || answer->code == COMMAND_UNKNOWN)
		return;
	for (uint32_t i = 0; i < commands->taken_count; i++)
		if (!memcmp(commands->taken[i].id, answer->id, COMMAND_ID_BYTES))
			commands->taken[i] = (struct taken){0};
}

/* --- lines of the log --- */

/* May it be said, or are there too many? */
static bool is_line_due(struct commands *commands)
{
	commands_look(commands, clock_mono_ns());
	if (commands->lines < LINES_MAX) {
		commands->lines++;
		return true;
	}
	commands->untold++;
	return false;
}

void commands_look(struct commands *commands, uint64_t now_ns)
{
	if (now_ns - commands->span_ns < LINES_SPAN_NS)
		return;
	if (commands->untold)
		log_line(ENRG_INFO,
			"%u more lines about commands, which came faster than %u in %.0f s, are left out (verbosity = "
			"\"DEBUG\" has them)",
			commands->untold, LINES_MAX, (double)LINES_SPAN_NS / 1e9);
	commands->span_ns = now_ns;
	commands->lines = commands->untold = 0;
}

static void describe(struct entry *entry, const struct command *command)
{
	char user[64];

	path_format_user(command->sender.user, user, sizeof(user));
	int used = snprintf(entry->who, sizeof(entry->who), "for %.150s, by process %" PRId64 " of %s%s%s", command->to,
		command->sender.pid, user, command->sender.name[0] ? ": " : "", command->sender.name);
	if (command->person.is_there)
		snprintf(entry->who + used, sizeof(entry->who) - (size_t)used, ", asked for by %s (%s)%s%s",
			command->person.who, command_role_name(command->person.role),
			command->person.address[0] ? " at " : "", command->person.address);
}

/* One whose answer will take its time. */
static void tell_taken(struct commands *commands, struct entry *entry)
{
	if (entry->is_silent)
		return;
	entry->is_told = is_line_due(commands);
	log_line(entry->is_told ? ENRG_INFO : ENRG_DEBUG, "command %s %s", entry->kind, entry->who);
}

static void tell_answer(struct commands *commands, const struct entry *entry)
{
	if (entry->is_silent)
		return;
	enum enrg_level level = entry->is_told || is_line_due(commands) ? ENRG_INFO : ENRG_DEBUG;
	log_line(level, "command %s%s%s: %s%s%s", entry->kind, entry->is_told ? "" : " ",
		entry->is_told ? "" : entry->who, command_code_name(entry->answer.code),
		entry->answer.text[0] ? ": " : "", entry->answer.text);
}

/* --- answers --- */

static void reply(const struct command_asker *asker, const struct command_answer *answer)
{
	if (asker->reply)
		asker->reply(asker, answer);
}

static void close_entry(struct commands *commands, struct entry *entry, const struct command_answer *answer)
{
	struct command_answer kept;

	command_answer_copy(answer, &kept);
	memcpy(kept.id, entry->answer.id, COMMAND_ID_BYTES);
	command_answer_fini(&entry->answer);
	entry->answer = kept;
	entry->state = ENTRY_ANSWERED;
	tell_answer(commands, entry);
	forget_if_idle(commands, &entry->answer);
	for (size_t i = 0; i < entry->asker_count; i++)
		reply(&entry->askers[i], &entry->answer);
	entry->asker_count = 0;
	if (entry->is_silent)
		free_entry(entry);
}

void commands_answer(struct commands *commands, const uint8_t id[COMMAND_ID_BYTES], struct command_answer *answer)
{
	struct entry *entry = find_entry(commands, id);

	if (entry && entry->state == ENTRY_PENDING)
		close_entry(commands, entry, answer);
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

static bool has_field(const struct enrg_table *table, const char *key)
{
	for (const struct enrg_option *option = table->options; option && option->key; option++)
		if (option->kind == ENRG_OPTION_INCLUDE ? has_field(option->table, key) : !strcmp(option->key, key))
			return true;
	return false;
}

/* Records name the person that has logged in, whatever the fields say. */
static void set_person(const struct command_kind *kind, const struct command *command)
{
	const struct command_person *person = &command->person;

	if (!person->is_there || !command->body)
		return;
	if (has_field(&kind->body, "who"))
		json_object_set_new(command->body, "who", json_string(person->who));
	if (has_field(&kind->body, "role"))
		json_object_set_new(command->body, "role", json_string(command_role_name(person->role)));
	if (has_field(&kind->body, "address"))
		json_object_set_new(command->body, "address", json_string(person->address));
}

static enum command_outcome handle_kind(
	const struct command_kind *kind, void *context, const struct command *command, struct command_answer *answer)
{
	struct options_memory *memory = options_memory_create();
	enum command_outcome outcome = COMMAND_ANSWERED;
	void *body = NULL;

	set_person(kind, command);
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

/* To a job: its answer is the one line. */
static enum command_outcome route(
	const struct commands *commands, const struct command *command, struct command_answer *answer)
{
	if (commands->route)
		return commands->route(commands->route_context, command, answer);
	command_answer_set(answer, COMMAND_NOBODY, "nobody here takes commands for %s", command->to);
	return COMMAND_ANSWERED;
}

static enum command_outcome act(
	struct commands *commands, const struct command *command, struct entry *entry, struct command_answer *answer)
{
	void *context = NULL;
	const struct command_kind *kind;

	describe(entry, command);
	if (commands->guard && !commands->guard(commands->guard_context, command, answer))
		return COMMAND_ANSWERED;
	if (strcmp(command->to, "supervisor") != 0)
		return route(commands, command, answer);
	kind = find_kind(commands, command->kind, &context);
	if (!kind) {
		refuse_kind(commands, command->kind, answer);
		return COMMAND_ANSWERED;
	}
	entry->is_silent = kind->is_silent;
	enum command_outcome outcome = handle_kind(kind, context, command, answer);
	if (outcome == COMMAND_LATER)
		tell_taken(commands, entry);
	return outcome;
}

/* It changes nothing: that it comes again does no harm. */
static bool is_harmless(const struct commands *commands, const struct command *command)
{
	void *context;
	const struct command_kind *kind =
		strcmp(command->to, "supervisor") == 0 ? find_kind(commands, command->kind, &context) : NULL;

	return kind && kind->is_silent;
}

/* false: it is refused, and forgotten. */
static bool is_in_time(
	struct commands *commands, const struct command *command, bool is_job, struct command_answer *answer)
{
	uint64_t now_ns = clock_wall_ns();
	char span[32];

	if (was_taken(commands, command->id)) {
		command_answer_set(answer, COMMAND_UNKNOWN,
			"it was taken before, and its answer is forgotten: read the state back");
		return false;
	}
	if (command->expires_ns > now_ns && command->expires_ns - now_ns <= COMMAND_EXPIRY_MAX) {
		if (is_harmless(commands, command) || note_taken(commands, command, is_job))
			return true;
		command_answer_set(answer, COMMAND_REFUSED,
			"%u commands were taken that have not expired yet: nothing was done",
			is_job ? COMMANDS_IDS_JOBS : COMMANDS_IDS_KEPT);
		return false;
	}
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
	if (is_in_time(commands, command, asker->job[0], &answer)) {
		entry = make_entry(commands, command);
		if (!entry) {
			command_answer_set(&answer, COMMAND_REFUSED, "%u commands are still at work", COMMANDS_KEPT);
			forget_if_idle(commands, &answer);
		}
	}
	if (!entry) {
		reply(asker, &answer);
		command_answer_fini(&answer);
		return;
	}
	entry->askers[entry->asker_count++] = *asker;
	if (act(commands, command, entry, &answer) == COMMAND_ANSWERED)
		close_entry(commands, entry, &answer);
	command_answer_fini(&answer);
}

void commands_act(struct commands *commands, const struct command *command)
{
	struct command_answer answer = {0};
	void *context = NULL;
	const struct command_kind *kind = find_kind(commands, command->kind, &context);

	if (kind && handle_kind(kind, context, command, &answer) == COMMAND_ANSWERED)
		commands_answer(commands, command->id, &answer);
	command_answer_fini(&answer);
}
