/* alarms.c: `enrgdaq alarms [ID] | ack NAME | mute NAME`: what a running system complains about, and what is to be done
 * with that. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <enrgdaq/client.h>

#include "cli/ask.h"
#include "cli/cli.h"

static const char usage[] =
	"usage: enrgdaq alarms [--json] [--id ID]\n"
	"       enrgdaq alarms ack NAME [--id ID]\n"
	"       enrgdaq alarms mute NAME --hours N --reason TEXT [--id ID]\n"
	"\n"
	"Lists what is wrong with a running system now: a source that is silent, a store that lags, a ledger that "
	"does\n"
	"not close, a disk that is full within the hour, a clock that nothing holds; each with its cause and remedy.\n"
	"An alarm is reported when it begins, again after ten minutes and then each hour, and when it ends; as an "
	"alert,\n"
	"so whoever hears alerts (DAQJobHandleAlerts, DAQJobAlertSlack …) gets it.\n"
	"\n"
	"  ack NAME         it is not repeated any more; its end is reported\n"
	"  mute NAME        it is not reported at all for so long, also where it only begins later\n"
	"\n"
	"  --hours N        of mute, up to 8760; 0 ends it\n"
	"  --reason TEXT    of mute: stands beside it in this list\n"
	"  --json           the list as JSON\n"
	"  --id ID          info.supervisor_id of the system; without it, the one that runs\n"
	"\n"
	"examples:\n"
	"  enrgdaq alarms ack silent/camera\n"
	"  enrgdaq alarms mute lag/mysql --hours 4 --reason \"the database moves to another machine\"\n"
	"\n"
	"Exit code: 0 done (also with alarms), 1 refused, or no system runs, 2 wrong usage.\n";

struct alarms_options {
	const char *supervisor, *hours, *reason;
	bool is_json;
};

static const char *time_of(uint64_t time_ns, char ret_text[ENRG_TIMESTAMP_BYTES + 1])
{
	*enrg_timestamp_format((int64_t)time_ns, ret_text) = '\0';
	strcpy(ret_text + 19, "Z"); /* to the second */
	return ret_text;
}

static void print_alarm(const struct enrg_alarm_status *alarm, bool is_colored)
{
	char time[ENRG_TIMESTAMP_BYTES + 1];

	if (alarm->is_on)
		printf("%s%s%s: on since %s%s\n  %s\n", is_colored ? "\033[1;31m" : "", alarm->name,
			is_colored ? "\033[0m" : "", time_of(alarm->since_ns, time),
			alarm->is_acknowledged ? ", acknowledged" : "", alarm->message);
	else
		printf("%s: not on\n", alarm->name);
	if (alarm->muted_until_ns)
		printf("  muted until %s: %s\n", time_of(alarm->muted_until_ns, time), alarm->mute_reason);
}

static void print_json(const struct enrg_status *status)
{
	json_t *json = json_loads(status->json, 0, NULL), *list = json_object_get(json, "alarms");

	json_dumpf(list ? list : json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
}

/* It may have been started less than a second ago: then its first status comes soon. */
static int wait_status(struct enrg_client *client, const struct enrg_status **ret_status, struct enrg_error *err)
{
	const struct enrg_supervisor *supervisor;
	int rc = enrg_client_status(client, 0, ret_status, err);

	for (int i = 0; i < 30 && rc == -EAGAIN && !enrg_client_supervisor(client, &supervisor, NULL); i++) {
		poll(NULL, 0, 100);
		rc = enrg_client_status(client, 0, ret_status, err);
	}
	return rc;
}

static int list(const struct alarms_options *options)
{
	struct enrg_client *client;
	const struct enrg_status *status;
	struct enrg_error err = {0};
	uint32_t on = 0;
	int rc = enrg_client_open(options->supervisor, &client, &err);

	if (rc < 0) {
		fprintf(stderr, "enrgdaq alarms: %s%s\n", err.text, cli_how_to_name(rc, " by --id ID"));
		return 1;
	}
	rc = wait_status(client, &status, &err);
	if (rc < 0)
		fprintf(stderr, "enrgdaq alarms: %s\n", err.text);
	else if (options->is_json)
		print_json(status);
	for (uint32_t i = 0; rc == 0 && !options->is_json && i < status->alarm_count; i++) {
		print_alarm(status->alarms[i], cli_is_colored());
		on += status->alarms[i]->is_on;
	}
	if (rc == 0 && !options->is_json && !on)
		printf("no alarm is on\n");
	enrg_client_close(client);
	return rc < 0;
}

static int say(const struct alarms_options *options, const char *verb, const char *name)
{
	struct command_answer answer = {0};
	json_t *body = json_pack("{s:s}", "name", name);
	char kind[32], *end;

	if (!strcmp(verb, "mute")) {
		double hours = options->hours ? strtod(options->hours, &end) : -1;

		if (!options->hours || *end || !(hours >= 0) || (hours > 0 && !options->reason)) {
			json_decref(body);
			return cli_usage_error("alarms", "mute: --hours N (0 ends it) and --reason TEXT were expected");
		}
		json_object_set_new(body, "hours", json_real(hours));
		json_object_set_new(body, "reason", json_string(options->reason ? options->reason : ""));
	}
	snprintf(kind, sizeof(kind), "alarm.%s", verb);
	int rc = ask_supervisor(options->supervisor, kind, body, &answer);
	if (rc)
		return rc;
	rc = ask_print(&answer, "done");
	command_answer_fini(&answer);
	return rc;
}

int cli_alarms(int argc, char **argv)
{
	static const struct option names[] = {{"id", required_argument, NULL, 'i'}, {"json", no_argument, NULL, 'j'},
		{"hours", required_argument, NULL, 'n'}, {"reason", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct alarms_options options = {0};
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return cli_option_error("alarms");
		options.is_json |= choice == 'j';
		options.supervisor = choice == 'i' ? optarg : options.supervisor;
		options.hours = choice == 'n' ? optarg : options.hours;
		options.reason = choice == 'r' ? optarg : options.reason;
	}
	if (optind == argc)
		return list(&options);
	const char *verb = argv[optind];
	if (strcmp(verb, "ack") != 0 && strcmp(verb, "mute") != 0)
		return cli_usage_error("alarms", "ack or mute was expected, not %s", verb);
	if (argc - optind != 2)
		return cli_usage_error("alarms", "%s: one NAME was expected, as `enrgdaq alarms` lists them", verb);
	return say(&options, verb, argv[optind + 1]);
}
