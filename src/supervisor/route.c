/* route.c: commands under way to jobs. */
#include "supervisor/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/options.h"
#include "config/types_message.h"

#define AGAIN_NS     100000000ull  /* first repetition; each waits twice as long as the one before … */
#define AGAIN_MAX_NS 1000000000ull /* … up to this */
#define ANSWER_NS    2000000000ull /* so much later than its expiry a command may be answered */
#define LAST_NS      300000000ull  /* the last answer of a job that has ended may still be on its way */

/* One job that a command is meant for. */
struct target {
	char *name;
	int64_t pid; /* of the instance that was asked */
	bool is_answered;
	uint64_t gone_ns; /* when it was seen to have ended; 0 = it was not */
	struct command_answer answer;
};

struct pending {
	struct command command; /* kind "" = the place is free */
	bool is_single;         /* to one job by its name: its answer is the answer */
	size_t count, open;
	struct target *targets;
	uint64_t deadline_ns, again_ns, pause_ns;
};

struct route {
	const struct roster *roster;
	struct bus_client *bus;
	struct commands *commands;
	struct pending pending[ROUTE_PENDING_MAX];
};

static bool is_free(const struct pending *pending)
{
	return !pending->command.kind[0];
}

static void pending_fini(struct pending *pending)
{
	for (size_t i = 0; i < pending->count; i++) {
		free(pending->targets[i].name);
		command_answer_fini(&pending->targets[i].answer);
	}
	free(pending->targets);
	command_fini(&pending->command);
	*pending = (struct pending){0};
}

/* --- who is meant --- */

static bool takes(const struct member *member, const char *kind)
{
	return types_find_message(type_messages(member->config->type), kind) != NULL;
}

/* The name behind "job " or "type ", or NULL. */
static const char *name_behind(const char *to, const char *word)
{
	size_t bytes = strlen(word);

	return !strncmp(to, word, bytes) && to[bytes] ? to + bytes : NULL;
}

static bool is_meant(const struct member *member, const struct command *command)
{
	const char *job = name_behind(command->to, "job "), *type = name_behind(command->to, "type ");

	if (job)
		return !strcmp(member->plan->name, job);
	if (type)
		return !strcmp(member->plan->type, type);
	return !strcmp(command->to, "all") && takes(member, command->kind); /* all that know it */
}

static void refuse_name(const struct route *route, const struct command *command, struct command_answer *answer)
{
	const char *job = name_behind(command->to, "job "), *type = name_behind(command->to, "type "), *nearest;
	const struct roster *roster = route->roster;
	const char **names = calloc(roster->count + 1, sizeof(*names));

	for (size_t i = 0; names && i < roster->count; i++)
		names[i] = job ? roster->members[i]->plan->name : roster->members[i]->plan->type;
	nearest = names && (job || type) ? options_suggest(job ? job : type, names, roster->count) : NULL;
	if (!job && !type && strcmp(command->to, "all") != 0)
		command_answer_set(answer, COMMAND_NOBODY,
			"\"%s\" is nobody: \"job NAME\", \"type NAME\", \"all\" or \"supervisor\" was expected",
			command->to);
	else if (!job && !type)
		command_answer_set(answer, COMMAND_NO_KIND, "no job here takes a command %s", command->kind);
	else
		command_answer_set(answer, COMMAND_NOBODY, "there is no %s%s%s%s", command->to,
			nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
	free(names);
}

/* Can this instance take a command now? Else `answer` says why not. */
static bool is_ready(
	const struct roster *roster, const struct member *member, const char *kind, struct command_answer *answer)
{
	const char *name = member->plan->name;

	if (!takes(member, kind)) {
		command_answer_set(answer, COMMAND_NO_KIND,
			"%s (%s) takes no command %s; `enrgdaq describe %s` lists what it takes", name,
			member->plan->type, kind, member->plan->type);
		return false;
	}
	if (member->state == MEMBER_RUNNING && member->child.pid && !member->stop_orders && !member->is_hung &&
		!roster->is_stopping)
		return true;
	command_answer_set(answer, COMMAND_REFUSED, "%s is %s: nothing was done, and nothing waits for it", name,
		member_is_alive(member) && (roster->is_stopping || member->stop_orders) ? "ending"
											: member_state_name(member));
	return false;
}

/* --- the way there and back --- */

static void send_to(struct route *route, const struct pending *pending, const struct target *target)
{
	json_t *body = command_to_json(&pending->command);
	char topic[TOPIC_BYTES_MAX];
	struct enrg_error err = {0};

	topic_format(topic, sizeof(topic), "daq_job.%s", target->name);
	json_object_set_new(body, "for_pid", json_integer((json_int_t)target->pid));
	if (body && bus_client_send(route->bus, topic, "command", body, &err))
		log_line(ENRG_DEBUG, "command %s for %s: %s", pending->command.kind, target->name, err.text);
	json_decref(body);
}

/* One answer of all: fields by job, and the worst of their codes. */
static void gather(const struct pending *pending, struct command_answer *ret_answer)
{
	size_t done = 0;

	ret_answer->code = COMMAND_OK;
	ret_answer->fields = json_object();
	for (size_t i = 0; i < pending->count; i++) {
		const struct command_answer *one = &pending->targets[i].answer;

		done += one->code == COMMAND_OK;
		if (one->code > ret_answer->code)
			ret_answer->code = one->code;
		json_object_set_new(ret_answer->fields, pending->targets[i].name,
			json_pack("{s:s, s:s, s:O*}", "answer", command_code_name(one->code), "text", one->text,
				"fields", one->fields));
	}
	command_answer_set(ret_answer, ret_answer->code, "%zu of %zu jobs have done it", done, pending->count);
}

static void finish(struct pending *pending, struct command_answer *ret_answer)
{
	if (pending->is_single)
		command_answer_copy(&pending->targets[0].answer, ret_answer);
	else
		gather(pending, ret_answer);
}

static void close_target(struct pending *pending, struct target *target)
{
	target->is_answered = true;
	pending->open--;
}

static void close_if_done(struct route *route, struct pending *pending)
{
	struct command_answer answer = {0};
	uint8_t id[COMMAND_ID_BYTES];

	if (pending->open)
		return;
	finish(pending, &answer);
	memcpy(id, pending->command.id, sizeof(id));
	pending_fini(pending);
	commands_answer(route->commands, id, &answer);
	command_answer_fini(&answer);
}

/* --- a command begins --- */

static void copy_command(const struct command *command, struct pending *pending)
{
	pending->command = *command;
	json_incref(pending->command.body);
	pending->is_single = name_behind(command->to, "job ") != NULL;
}

static bool add_target(const struct route *route, struct pending *pending, const struct member *member)
{
	struct target *targets = realloc(pending->targets, (pending->count + 1) * sizeof(*targets)), *target;

	if (!targets)
		return false;
	pending->targets = targets;
	target = &targets[pending->count];
	*target = (struct target){.name = strdup(member->plan->name), .pid = member->child.pid};
	if (!target->name)
		return false;
	pending->count++;
	target->is_answered = !is_ready(route->roster, member, pending->command.kind, &target->answer);
	pending->open += !target->is_answered;
	return true;
}

static bool find_targets(const struct route *route, struct pending *pending)
{
	for (size_t i = 0; i < route->roster->count; i++) {
		const struct member *member = route->roster->members[i];

		if (is_meant(member, &pending->command) && !add_target(route, pending, member))
			return false;
	}
	return true;
}

static struct pending *find_place(struct route *route)
{
	for (size_t i = 0; i < ROUTE_PENDING_MAX; i++)
		if (is_free(&route->pending[i]))
			return &route->pending[i];
	return NULL;
}

static void begin(struct route *route, struct pending *pending)
{
	uint64_t now_ns = clock_mono_ns(), wall_ns = clock_wall_ns();
	uint64_t left_ns = pending->command.expires_ns > wall_ns ? pending->command.expires_ns - wall_ns : 0;

	pending->deadline_ns = now_ns + left_ns + ANSWER_NS;
	pending->pause_ns = AGAIN_NS;
	pending->again_ns = now_ns + AGAIN_NS;
	for (size_t i = 0; i < pending->count; i++)
		if (!pending->targets[i].is_answered)
			send_to(route, pending, &pending->targets[i]);
}

static enum command_outcome take(void *context, const struct command *command, struct command_answer *answer)
{
	struct route *route = context;
	struct pending *pending = find_place(route);

	if (!pending) {
		command_answer_set(
			answer, COMMAND_REFUSED, "%u commands to jobs are under way already", ROUTE_PENDING_MAX);
		return COMMAND_ANSWERED;
	}
	copy_command(command, pending);
	if (!find_targets(route, pending))
		command_answer_set(answer, COMMAND_REFUSED, "out of memory");
	else if (!pending->count)
		refuse_name(route, command, answer);
	else if (!pending->open)
		finish(pending, answer);
	else
		begin(route, pending);
	if (pending->open && answer->code == COMMAND_OK)
		return COMMAND_LATER;
	pending_fini(pending);
	return COMMAND_ANSWERED;
}

/* --- a command ends --- */

static struct pending *find_pending(struct route *route, const uint8_t id[COMMAND_ID_BYTES])
{
	for (size_t i = 0; i < ROUTE_PENDING_MAX; i++)
		if (!is_free(&route->pending[i]) && !memcmp(route->pending[i].command.id, id, COMMAND_ID_BYTES))
			return &route->pending[i];
	return NULL;
}

void route_hear(struct route *route, const struct envelope *envelope)
{
	struct command_answer answer;
	struct pending *pending;

	if (command_answer_from_json(envelope->body, &answer, NULL))
		return;
	pending = find_pending(route, answer.id);
	for (size_t i = 0; pending && i < pending->count; i++) {
		struct target *target = &pending->targets[i];

		if (target->is_answered || target->pid != envelope->pid || strcmp(target->name, envelope->job) != 0)
			continue;
		target->answer = answer;
		answer = (struct command_answer){0};
		close_target(pending, target);
		close_if_done(route, pending);
		break;
	}
	command_answer_fini(&answer);
}

static void give_up(struct pending *pending, struct target *target, const char *why)
{
	command_answer_set(&target->answer, COMMAND_UNKNOWN, "%s %s: it may have been done or not; read the state back",
		target->name, why);
	close_target(pending, target);
}

/* The bus and the end of a process come by different ways: what it sent before may be heard later. */
static bool is_silent(struct target *target, uint64_t now_ns)
{
	if (!target->gone_ns)
		target->gone_ns = now_ns;
	return now_ns >= target->gone_ns + LAST_NS;
}

static void step_pending(struct route *route, struct pending *pending, uint64_t now_ns)
{
	bool is_again = now_ns >= pending->again_ns;

	for (size_t i = 0; i < pending->count; i++) {
		struct target *target = &pending->targets[i];
		const struct member *member;

		if (target->is_answered)
			continue;
		member = roster_find(route->roster, target->name);
		bool is_gone = !member || member->child.pid != target->pid;
		if (is_gone && is_silent(target, now_ns))
			give_up(pending, target, "ended before it had answered");
		else if (is_gone)
			continue;
		else if (now_ns >= pending->deadline_ns)
			give_up(pending, target, "has not answered in time");
		else if (is_again)
			send_to(route, pending, target);
	}
	if (is_again) {
		pending->pause_ns = 2 * pending->pause_ns < AGAIN_MAX_NS ? 2 * pending->pause_ns : AGAIN_MAX_NS;
		pending->again_ns = now_ns + pending->pause_ns;
	}
	close_if_done(route, pending);
}

void route_step(struct route *route, uint64_t now_ns)
{
	for (size_t i = 0; i < ROUTE_PENDING_MAX; i++)
		if (!is_free(&route->pending[i]))
			step_pending(route, &route->pending[i], now_ns);
}

uint64_t route_next_due(const struct route *route)
{
	uint64_t due_ns = UINT64_MAX;

	for (size_t i = 0; i < ROUTE_PENDING_MAX; i++) {
		const struct pending *pending = &route->pending[i];

		if (!is_free(pending) && pending->again_ns < due_ns)
			due_ns = pending->again_ns;
		for (size_t k = 0; k < pending->count; k++) {
			const struct target *target = &pending->targets[k];

			if (!target->is_answered && target->gone_ns && target->gone_ns + LAST_NS < due_ns)
				due_ns = target->gone_ns + LAST_NS;
		}
	}
	return due_ns;
}

/* --- life --- */

int route_create(const struct roster *roster, struct bus_client *bus, struct commands *commands,
	struct route **ret_route, struct enrg_error *err)
{
	struct route *route = calloc(1, sizeof(*route));

	if (!route)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	route->roster = roster;
	route->bus = bus;
	route->commands = commands;
	commands_set_route(commands, take, route);
	*ret_route = route;
	return 0;
}

void route_destroy(struct route *route)
{
	if (!route)
		return;
	for (size_t i = 0; i < ROUTE_PENDING_MAX; i++)
		pending_fini(&route->pending[i]);
	free(route);
}
