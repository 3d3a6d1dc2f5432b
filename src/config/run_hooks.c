/* run_hooks.c: see the header. */
#include "config/run_hooks.h"

#include <jansson.h>
#include <string.h>

#define HOOK(member) offsetof(struct run_hook_options, member)

static const struct enrg_option hook_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = HOOK(name),
		.help = "What the record of a run calls it; without the key \"hook 1\", \"hook 2\" …"},
	{.key = "url",
		.kind = ENRG_OPTION_STRING,
		.offset = HOOK(url),
		.secret = true,
		.help = "A webhook: each event is posted there as JSON. Either this or `command`."},
	{.key = "secret",
		.kind = ENRG_OPTION_STRING,
		.offset = HOOK(secret),
		.secret = true,
		.help = "Sent as it is as the header Authorization."},
	{.key = "hmac_secret",
		.kind = ENRG_OPTION_STRING,
		.offset = HOOK(hmac_secret),
		.secret = true,
		.help = "The receiver knows by it who sends: X-Enrgdaq-Signature is sha256= and HMAC-SHA256 of "
			"TIME.BODY, TIME as in X-Enrgdaq-Timestamp."},
	{.key = "payload",
		.kind = ENRG_OPTION_STRING,
		.offset = HOOK(payload),
		.help = "JSON in the place of {event, timestamp, data}: {event}, {type}, {runId}, {messageId} and "
			"every "
			"key "
			"of data are replaced in its texts; a text that is one placeholder keeps the kind of the "
			"value."},
	{.key = "command",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = HOOK(command),
		.runs_code = true,
		.help = "An e-log: a program and its arguments, without a shell. {event}, {number}, {run}, {uuid}, "
			"{type}, "
			"{description}, {supervisor}, {who}, {began}, {ended}, {quality}, {reason} and {id} are "
			"replaced in "
			"each. "
			"The first word that it prints at the start of a run is the {id} of its end."},
	{.key = "reply",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = HOOK(reply),
		.runs_code = true,
		.help = "The command at the end of a run, where the start has an id; without the key `command` again."},
	{.key = "events",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = HOOK(events),
		.default_value = "[]",
		.help = "Which: run_started, run_stopped, run_failed, message_sent, message_failed; empty: all, for a "
			"command those of runs."},
	{.key = "allow_private",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = HOOK(allow_private),
		.default_value = "[]",
		.help = "Addresses of this machine or of the laboratory's network, or networks such as "
			"192.168.1.0/24, that "
			"the URL may lead to; without them only public ones."},
	{.key = "ca_file",
		.kind = ENRG_OPTION_STRING,
		.offset = HOOK(ca_file),
		.help = "Certificates of authorities for https in the place of the system's."},
	{.key = "timeout_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = HOOK(timeout_seconds),
		.default_value = "5.0",
		.min = 0.1,
		.max = 60,
		.unit = "s",
		.help = "One try takes no longer; there are three."},
	{0},
};
const struct enrg_table run_hook_table = {sizeof(struct run_hook_options), hook_options};

static const struct enrg_option author_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct run_author_options, name),
		.required = true,
		.help = "Name of a person or group."},
	{.key = "orcid",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct run_author_options, orcid),
		.help = "Their ORCID, such as 0000-0002-1825-0097."},
	{.key = "affiliation",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct run_author_options, affiliation),
		.help = "Where they work."},
	{0},
};
const struct enrg_table run_author_table = {sizeof(struct run_author_options), author_options};

static bool is_event(const char *text)
{
	static const char *const events[] = {
		"run_started", "run_stopped", "run_failed", "message_sent", "message_failed"};

	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (!strcmp(events[i], text))
			return true;
	return false;
}

static void check_hook(const struct run_hook_options *hook, size_t index, const char *file, struct problems *problems)
{
	json_error_t error;

	if (!hook->url == !hook->command.count)
		problems_add(problems, false, file, 0, "runs.hook[%zu]: expected either url or command, found %s",
			index, hook->url ? "both" : "none");
	if (hook->url && strncmp(hook->url, "http://", 7) != 0 && strncmp(hook->url, "https://", 8) != 0)
		problems_add(problems, false, file, 0,
			"runs.hook[%zu].url: expected a text that begins with http:// or https://", index);
	if (hook->reply.count && !hook->command.count)
		problems_add(problems, false, file, 0,
			"runs.hook[%zu].reply: it follows a command at the start of a run, and there is none", index);
	for (size_t i = 0; i < hook->events.count; i++)
		if (!is_event(hook->events.items[i]))
			problems_add(problems, false, file, 0,
				"runs.hook[%zu].events: expected run_started, run_stopped, run_failed, message_sent or "
				"message_failed, found \"%s\"",
				index, hook->events.items[i]);
	json_t *payload = hook->payload ? json_loads(hook->payload, 0, &error) : NULL;
	if (hook->payload && !payload)
		problems_add(problems, false, file, 0, "runs.hook[%zu].payload: expected JSON: %s", index, error.text);
	json_decref(payload);
}

void run_hooks_check(const struct enrg_struct_list *hooks, const char *file, struct problems *problems)
{
	const struct run_hook_options *items = hooks->items;

	for (size_t i = 0; i < hooks->count; i++)
		check_hook(&items[i], i, file, problems);
}
