/* alarms_commands.c: what an operator says to alarms. Process: supervisor, main thread. */
#include "supervisor/alarms_commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "config/options.h"

struct ack_body {
	const char *name;
};

struct mute_body {
	const char *name, *reason;
	double hours;
};

static const struct enrg_option ack_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct ack_body, name),
		.required = true,
		.help = "the alarm, such as \"silent/camera\""},
	{0},
};

static const struct enrg_option mute_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct mute_body, name),
		.required = true,
		.help = "the alarm, such as \"silent/camera\""},
	{.key = "hours",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct mute_body, hours),
		.required = true,
		.min = 0,
		.max = ALARM_HOURS_MAX,
		.unit = "h",
		.help = "for so long; 0: no longer"},
	{.key = "reason",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct mute_body, reason),
		.default_value = "\"\"",
		.help = "why, for whoever looks"},
	{0},
};

/* Those that are on, or the one that was meant. */
static void refuse(const struct alarms *alarms, const char *name, struct command_answer *answer)
{
	const char *names[64], *nearest;
	size_t count = 0;

	for (uint32_t i = 0; i < alarms->count && count < sizeof(names) / sizeof(names[0]); i++)
		if (alarms->items[i].is_on || alarms->items[i].muted_until_wall_ns)
			names[count++] = alarms->items[i].key;
	nearest = count ? options_suggest(name, names, count) : NULL;
	command_answer_set(answer, COMMAND_NOBODY, "no alarm \"%.150s\" is on%s%s%s", name,
		nearest ? "; did you mean "
		: count ? "; `enrgdaq alarms` lists those that are"
			: ", and no other",
		nearest ? nearest : "", nearest ? "?" : "");
}

static void keep(const struct alarms *alarms)
{
	if (alarms->keep)
		alarms->keep(alarms->context);
}

static enum command_outcome acknowledge(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct ack_body *wanted = body;
	struct alarms *alarms = context;

	(void)command;
	if (alarms_acknowledge(alarms, wanted->name) < 0) {
		refuse(alarms, wanted->name, answer);
		return COMMAND_ANSWERED;
	}
	keep(alarms);
	command_answer_set(
		answer, COMMAND_OK, "%.250s is not repeated any more; its end will be reported", wanted->name);
	return COMMAND_ANSWERED;
}

/* Before it begins a name can't be compared with those that are on: its kind has to be one that there is. */
static bool is_kind_known(const char *name)
{
	static const char *const kinds[] = {"silent/", "lag/", "disk/", "ledger", "clock"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t bytes = strlen(kinds[i]);
		if (kinds[i][bytes - 1] == '/' ? !strncmp(name, kinds[i], bytes) && name[bytes]
					       : !strcmp(name, kinds[i]))
			return strlen(name) < ALARM_KEY_BYTES;
	}
	return false;
}

static enum command_outcome mute(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct mute_body *wanted = body;
	struct alarms *alarms = context;
	char until[40];
	int rc;

	(void)command;
	if (wanted->hours > 0 && !wanted->reason[0]) {
		command_answer_set(
			answer, COMMAND_WRONG_FIELDS, "reason: is missing: whoever finds it muted wants to know why");
		return COMMAND_ANSWERED;
	}
	if (!is_kind_known(wanted->name)) {
		command_answer_set(answer, COMMAND_NOBODY,
			"\"%.150s\" is no alarm: silent/SOURCE, lag/STORE, disk/FOLDER, ledger or clock was expected",
			wanted->name);
		return COMMAND_ANSWERED;
	}
	uint64_t wall_ns = clock_wall_ns();
	rc = alarms_mute(alarms, wanted->name, wanted->hours, wanted->reason, wall_ns);
	if (rc == 0)
		keep(alarms);
	if (rc == -ENOENT) {
		command_answer_set(answer, COMMAND_NOBODY, "%.250s is not muted", wanted->name);
	} else if (rc < 0) {
		command_answer_set(answer, COMMAND_REFUSED, "too many alarms are known");
	} else if (wanted->hours > 0) {
		clock_format_utc(wall_ns + (uint64_t)(wanted->hours * 3600e9), until, sizeof(until));
		command_answer_set(answer, COMMAND_OK, "%.250s is muted until %s", wanted->name, until);
	} else {
		command_answer_set(answer, COMMAND_OK, "%.250s is not muted any more", wanted->name);
	}
	return COMMAND_ANSWERED;
}

static const struct command_kind kinds[] = {
	{.kind = "alarm.ack",
		.summary = "ends the repetition of an alarm",
		.body = {.size = sizeof(struct ack_body), .options = ack_options},
		.handle = acknowledge},
	{.kind = "alarm.mute",
		.summary = "mutes an alarm for some hours",
		.body = {.size = sizeof(struct mute_body), .options = mute_options},
		.handle = mute},
	{0},
};

int alarms_add_commands(struct alarms *alarms, struct commands *commands)
{
	return commands_add(commands, kinds, alarms);
}
