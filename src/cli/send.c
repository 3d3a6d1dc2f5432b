/* send.c: `enrgdaq send TO KIND KEY=VALUE …`: gives a command to a running system, and prints the answer. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <enrgdaq/client.h>

#include "cli/cli.h"

#define TIMEOUT_S     10.0
#define TIMEOUT_MAX_S 3600.0

static const char usage[] =
	"usage: enrgdaq send [OPTIONS] TO KIND [KEY=VALUE …]\n"
	"\n"
	"Gives a command to a running system and prints the answer.\n"
	"TO is the name of a job, \"type DAQJobX\" (all jobs of a type), \"all\" (all jobs), or \"supervisor\".\n"
	"KIND and its keys: `enrgdaq describe TYPE` lists what a job takes. The supervisor takes ping, stop and\n"
	"restart (in order, the folder read again, a start, in the same process); and run_start, run_stop, run_state\n"
	"where its file has [runs] control = true. All of its commands: docs/control-protocol.md.\n"
	"A VALUE is JSON (3, 1.5, true, [1, 2]) or else a string; KEY may be a path (alarm.high=5).\n"
	"\n"
	"  --id ID          info.supervisor_id of the system; without it, the one that runs\n"
	"  --timeout S      within so long it may be begun (10); its answer is waited for a little longer\n"
	"  --for NAME:ROLE  for somebody with the role visitor, user or admin, who may less than you; for trying out\n"
	"  --json           print the answer as JSON\n"
	"\n"
	"examples:\n"
	"  enrgdaq send supervisor ping\n"
	"  enrgdaq send hv set_channel slot=3 channel=0 volts=1450\n"
	"\n"
	"Exit code: 0 done, 1 refused, failed, or not known to be done, 2 wrong fields.\n";

struct send_options {
	const char *supervisor;
	const char *person, *role; /* NULL: it asks for itself */
	double timeout_s;
	bool is_json;
};

/* Puts `text` into `object` at the dotted path `key`, which is changed. */
static int put(json_t *object, char *key, const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

	for (char *dot; (dot = strchr(key, '.')); key = dot + 1) {
		json_t *inner;

		*dot = '\0';
		inner = json_object_get(object, key);
		if (!inner) {
			inner = json_object();
			json_object_set_new(object, key, inner);
		}
		if (!json_is_object(inner)) {
			json_decref(value);
			return -1;
		}
		object = inner;
	}
	return json_object_set_new(object, key, value ? value : json_string(text));
}

static json_t *read_fields(char **arguments, int count)
{
	json_t *body = json_object();

	for (int i = 0; i < count; i++) {
		char *equals = strchr(arguments[i], '=');

		if (!equals || equals == arguments[i]) {
			cli_usage_error("send", "\"%s\": KEY=VALUE was expected", arguments[i]);
			json_decref(body);
			return NULL;
		}
		*equals = '\0';
		if (put(body, arguments[i], equals + 1) == 0)
			continue;
		cli_usage_error("send", "\"%s\": that key has a value already, or is not UTF-8", arguments[i]);
		json_decref(body);
		return NULL;
	}
	return body;
}

static void print_reply(const struct enrg_client_reply *reply, bool is_json)
{
	const char *text = is_json ? reply->json : reply->fields;
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;
	char *shown = json_object_size(json) ? json_dumps(json, JSON_INDENT(2)) : NULL;

	if (!is_json)
		printf("%s%s%s\n", reply->name, reply->text[0] ? ": " : "", reply->text);
	if (shown)
		puts(shown);
	free(shown);
	json_decref(json);
}

static int exit_code_of(enum enrg_answer_code code)
{
	return code == ENRG_ANSWER_OK ? 0 : code == ENRG_ANSWER_WRONG_FIELDS ? 2 : 1;
}

static bool is_whole(const char *to)
{
	static const char *const words[] = {"job ", "type "};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(to, words[i], strlen(words[i])))
			return true;
	return !strcmp(to, "supervisor") || !strcmp(to, "all");
}

/* Takes `body`. */
static int send_command(const struct send_options *options, const char *to, const char *kind, json_t *body)
{
	char *fields = json_dumps(body, JSON_COMPACT), whole[400];
	const struct enrg_client_command command = {.size = sizeof(command),
		.timeout_ms = (uint32_t)(options->timeout_s * 1e3 + 1),
		.to = whole,
		.kind = kind,
		.fields = fields,
		.sender = "enrgdaq send",
		.for_who = options->person,
		.for_role = options->role};
	const struct enrg_client_reply *reply;
	struct enrg_client *client = NULL;
	struct enrg_error err = {0};

	snprintf(whole, sizeof(whole), "%s%s", is_whole(to) ? "" : "job ", to);
	json_decref(body);
	int rc = fields ? enrg_client_open(options->supervisor, &client, &err) : -ENOMEM;
	if (rc == 0)
		rc = enrg_client_ask(client, &command, &reply, &err);
	if (rc < 0)
		fprintf(stderr, "enrgdaq send: %s%s\n", err.text, cli_how_to_name(rc, " by --id ID"));
	else
		print_reply(reply, options->is_json);
	int code = rc < 0 ? 1 : exit_code_of(reply->code);
	enrg_client_close(client);
	free(fields);
	return code;
}

int cli_send(int argc, char **argv)
{
	static const struct option names[] = {{"id", required_argument, NULL, 'i'},
		{"timeout", required_argument, NULL, 't'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {"for", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
	struct send_options options = {.timeout_s = TIMEOUT_S};
	json_t *body;
	char *end;
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == 'i') {
			options.supervisor = optarg;
		} else if (choice == 'f' && (end = strrchr(optarg, ':'))) {
			*end = '\0';
			options.person = optarg;
			options.role = end + 1;
		} else if (choice == 'j') {
			options.is_json = true;
		} else if (choice == 't') {
			options.timeout_s = strtod(optarg, &end);
			if (*end || !(options.timeout_s > 0.0 && options.timeout_s <= TIMEOUT_MAX_S))
				return cli_usage_error(
					"send", "--timeout: %s is not a number of seconds up to 3600", optarg);
		} else {
			return cli_option_error("send");
		}
	}
	if (argc - optind < 2)
		return cli_usage_error("send", "TO and KIND were expected");
	body = read_fields(argv + optind + 2, argc - optind - 2);
	return body ? send_command(&options, argv[optind], argv[optind + 1], body) : 2;
}
