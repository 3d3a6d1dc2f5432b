/* runs_start.c: `enrgdaq runs start` and `enrgdaq runs stop`. */
#include "cli/runs.h"

#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"

#define MASK      "***"
#define WHOLE_MAX 9e15 /* of what a double holds to the last digit */

static const char usage[] =
	"usage: enrgdaq runs start [TYPE] [PARAMETER=VALUE …] [OPTIONS]\n"
	"       enrgdaq runs stop [--reason TEXT] [--id ID]\n"
	"\n"
	"start begins a run of a system with [runs] control = true, and waits until it is on; of a TYPE that the "
	"folder\n"
	"declares (`enrgdaq runs types`), with values of its parameters. All that is wrong is named at once, and then "
	"no\n"
	"number is taken. stop ends the run that is on, and waits until all of it is stored.\n"
	"\n"
	"  --description TEXT   what it is for, in one line\n"
	"  --comment TEXT       what else is to be known; goes to the next run where its type says so; \"\" ends that\n"
	"  --same-as N          type, values, description and comment of an earlier run, as far as they are not "
	"given;\n"
	"                       \"last\" is the newest\n"
	"  --stop-after S       it ends by itself after so many seconds\n"
	"  --stop-events N      … with so many rows\n"
	"  --stop-when TEXT     … when this is so: JOB.STATISTIC OP VALUE [for SECONDS]; may come again\n"
	"  --repeat N           so many more follow by themselves; -1: until one is stopped\n"
	"  --configure          its jobs and messages, but no data yet: `runs start` without a type goes on\n"
	"  --run NAME           its name in files; without it one is drawn\n"
	"  --reason TEXT        why it is stopped, for the record\n"
	"  --id ID              info.supervisor_id of the system; without it, the one that runs\n"
	"\n"
	"examples:\n"
	"  enrgdaq runs start\n"
	"  enrgdaq runs start calibration amplitude_mv=250 --stop-after 60\n"
	"  enrgdaq runs start --same-as last amplitude_mv=300\n"
	"  enrgdaq runs stop --reason \"beam is off\"\n"
	"\n"
	"Exit code: 0 it is on (or has ended), 1 refused or failed, 2 wrong usage.\n";

/* --- same as ------------------------------------------------------------------------------------------------------ */

static const json_t *find_begin(const json_t *run)
{
	const json_t *list = json_object_get(json_object_get(run, "entries"), "begin");

	return json_object_get(json_array_get(list, json_array_size(list) - 1), "body");
}

/* A masked value is not known to the book: it has to be given again. */
static int take_values(json_t *values, const json_t *earlier)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)earlier, name, value)
	{
		const char *text = json_string_value(value);
		if (json_object_get(values, name))
			continue;
		if (text && !strcmp(text, MASK)) {
			fprintf(stderr,
				"enrgdaq runs start: --same-as: %s is a secret, which the record does not hold: give "
				"it "
				"again (%s=VALUE)\n",
				name, name);
			return 1;
		}
		json_object_set(values, name, value);
	}
	return 0;
}

static json_t *read_run(const char *supervisor, const char *const *arguments)
{
	char name[] = "start", option[] = "--id";
	char *words[] = {name, option, (char *)(uintptr_t)supervisor, NULL};
	struct runs_book book;
	int count = supervisor ? 3 : 1;

	return runs_book_find(&count, words, &book) ? NULL : runs_read_book(&book, arguments);
}

static int take_same(json_t *body, const char *supervisor, const char *earlier)
{
	static const char *const keys[] = {"type", "description", "comment"};
	const char *const arguments[] = {"show", "--json", earlier, NULL};
	json_t *run = read_run(supervisor, arguments);
	const json_t *begin = find_begin(run);
	const char *type = json_string_value(json_object_get(body, "type"));
	int rc = 0;

	if (!run)
		return 1;
	const char *was = json_string_value(json_object_get(begin, "type"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(begin, keys[i]);
		if (!json_object_get(body, keys[i]) && json_is_string(value) && json_string_length(value))
			json_object_set(body, keys[i], value);
	}
	if (!type || !was || !strcmp(type, was))
		rc = take_values(json_object_get(body, "values"), json_object_get(begin, "values"));
	json_decref(run);
	return rc;
}

/* --- start -------------------------------------------------------------------------------------------------------- */

static int add_text(json_t *body, const char *key, const char *text)
{
	return json_object_set_new(body, key, json_string(text))
		       ? cli_usage_error("runs", "start: %s is not UTF-8 text", key)
		       : 0;
}

static int add_argument(json_t *body, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals && !json_object_get(body, "type"))
		return add_text(body, "type", text);
	if (!equals || equals == text)
		return cli_usage_error("runs", "start: \"%s\": PARAMETER=VALUE was expected", text);
	*equals = '\0';
	json_t *values = json_object_get(body, "values");
	if (json_object_get(values, text))
		return cli_usage_error("runs", "start: %s is given twice", text);
	/* as text: its parameter says what it is */
	if (json_object_set_new(values, text, json_string(equals + 1)))
		return cli_usage_error("runs", "start: the value of %s is not UTF-8 text", text);
	return 0;
}

static int add_number(json_t *body, const char *key, const char *text, bool is_float)
{
	char *end;
	double number = strtod(text, &end);

	if (*end || end == text || !isfinite(number))
		return cli_usage_error("runs", "start: %s: \"%s\" is not a number", key, text);
	/* half an event would be none: it would never end */
	if (!is_float && (fabs(number) > WHOLE_MAX || fabs(number - rint(number)) > 0))
		return cli_usage_error("runs", "start: %s: \"%s\" is not a whole number", key, text);
	return json_object_set_new(body, key, is_float ? json_real(number) : json_integer((json_int_t)number)) ? 2 : 0;
}

static int add_condition(json_t *body, const char *text)
{
	if (!json_object_get(body, "stop_when"))
		json_object_set_new(body, "stop_when", json_array());
	return json_array_append_new(json_object_get(body, "stop_when"), json_string(text))
		       ? cli_usage_error("runs", "start: stop_when is not UTF-8 text")
		       : 0;
}

static int say(const json_t *fields)
{
	const char *run = json_string_value(json_object_get(fields, "run"));

	if (run && *run)
		printf("run %lld (%s)\n", (long long)json_integer_value(json_object_get(fields, "number")), run);
	return 0;
}

static int ask(const char *supervisor, const char *kind, json_t *body)
{
	struct command_answer answer = {0};
	int rc = ask_supervisor(supervisor, kind, body, &answer);

	if (rc)
		return rc;
	if (answer.code == COMMAND_OK)
		say(answer.fields);
	rc = ask_print(&answer, "done");
	command_answer_fini(&answer);
	return rc;
}

enum {
	OPTION_DESCRIPTION = 1,
	OPTION_COMMENT,
	OPTION_SAME,
	OPTION_AFTER,
	OPTION_EVENTS,
	OPTION_WHEN,
	OPTION_REPEAT,
	OPTION_CONFIGURE,
	OPTION_RUN,
	OPTION_REASON,
	OPTION_ID
};

static const struct option options[] = {{"description", required_argument, NULL, OPTION_DESCRIPTION},
	{"comment", required_argument, NULL, OPTION_COMMENT}, {"same-as", required_argument, NULL, OPTION_SAME},
	{"stop-after", required_argument, NULL, OPTION_AFTER}, {"stop-events", required_argument, NULL, OPTION_EVENTS},
	{"stop-when", required_argument, NULL, OPTION_WHEN}, {"repeat", required_argument, NULL, OPTION_REPEAT},
	{"configure", no_argument, NULL, OPTION_CONFIGURE}, {"run", required_argument, NULL, OPTION_RUN},
	{"reason", required_argument, NULL, OPTION_REASON}, {"id", required_argument, NULL, OPTION_ID},
	{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

static int add_option(json_t *body, int choice)
{
	switch (choice) {
	case OPTION_DESCRIPTION:
		return add_text(body, "description", optarg);
	case OPTION_COMMENT:
		return add_text(body, "comment", optarg);
	case OPTION_AFTER:
		return add_number(body, "stop_after_seconds", optarg, true);
	case OPTION_EVENTS:
		return add_number(body, "stop_after_events", optarg, false);
	case OPTION_REPEAT:
		return add_number(body, "repeat", optarg, false);
	case OPTION_WHEN:
		return add_condition(body, optarg);
	case OPTION_RUN:
		return add_text(body, "id", optarg);
	default:
		return cli_usage_error("runs", "start: --reason goes with stop");
	}
}

int runs_start(int argc, char **argv)
{
	const char *supervisor = NULL, *same = NULL, *kind = "run_start";
	json_t *body = json_pack("{s:{}}", "values");
	int choice, rc = 0;

	optind = 1;
	while (!rc && (choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			json_decref(body);
			return 0;
		}
		if (choice == '?')
			rc = cli_option_error("runs");
		else if (choice == OPTION_ID)
			supervisor = optarg;
		else if (choice == OPTION_SAME)
			same = optarg;
		else if (choice == OPTION_CONFIGURE)
			kind = "run_configure";
		else
			rc = add_option(body, choice);
	}
	for (int i = optind; !rc && i < argc; i++)
		rc = add_argument(body, argv[i]);
	if (!rc && same)
		rc = take_same(body, supervisor, same);
	if (!rc)
		return ask(supervisor, kind, body);
	json_decref(body);
	return rc;
}

int runs_stop(int argc, char **argv)
{
	const char *supervisor = NULL, *reason = "";
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice != OPTION_ID && choice != OPTION_REASON)
			return choice == '?' ? cli_option_error("runs")
					     : cli_usage_error("runs", "stop: only --reason and --id go with it");
		supervisor = choice == OPTION_ID ? optarg : supervisor;
		reason = choice == OPTION_REASON ? optarg : reason;
	}
	if (optind < argc)
		return cli_usage_error(
			"runs", "stop: \"%s\" was not expected: the run that is on is ended", argv[optind]);
	json_t *body = json_pack("{s:s}", "reason", reason);
	return body ? ask(supervisor, "run_stop", body) : cli_usage_error("runs", "stop: the reason is not UTF-8 text");
}
