/* send.c: `enrgdaq send TO KIND KEY=VALUE …`: gives a command to a running system, and prints the answer. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "handover/command_link.h"
#include "client/find.h"

#define TIMEOUT_S     10.0
#define TIMEOUT_MAX_S 3600.0
#define ANSWER_NS     4000000000ull /* after its expiry: the supervisor gives up earlier, and says so */

static const char usage[] =
	"usage: enrgdaq send [OPTIONS] TO KIND [KEY=VALUE …]\n"
	"\n"
	"Gives a command to a running system and prints the answer.\n"
	"TO is the name of a job, \"type DAQJobX\" (all jobs of a type), \"all\" (all jobs), or \"supervisor\".\n"
	"KIND and its keys: `enrgdaq describe TYPE` lists what a job takes; the supervisor takes ping and stop.\n"
	"A VALUE is JSON (3, 1.5, true, [1, 2]) or else a string; KEY may be a path (alarm.high=5).\n"
	"\n"
	"  --id ID          info.supervisor_id of the system; without it, the one that runs\n"
	"  --timeout S      within so long it may be begun (10); its answer is waited for a little longer\n"
	"  --json           print the answer as JSON\n"
	"\n"
	"examples:\n"
	"  enrgdaq send supervisor ping\n"
	"  enrgdaq send hv set_channel slot=3 channel=0 volts=1450\n"
	"\n"
	"Exit code: 0 done, 1 refused, failed, or not known to be done, 2 wrong fields.\n";

struct send_options {
	const char *supervisor;
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

static void print_answer(const struct command_answer *answer, bool is_json)
{
	json_t *json = is_json ? command_answer_to_json(answer) : json_incref(answer->fields);
	char *text = json && json_object_size(json) ? json_dumps(json, JSON_INDENT(2)) : NULL;

	if (!is_json)
		printf("%s%s%s\n", command_code_name(answer->code), answer->text[0] ? ": " : "", answer->text);
	if (text)
		puts(text);
	free(text);
	json_decref(json);
}

static int exit_code_of(enum command_code code)
{
	return code == COMMAND_OK ? 0 : code == COMMAND_WRONG_FIELDS ? 2 : 1;
}

/* Takes `body`. */
static int send_command(const struct send_options *options, const char *to, const char *kind, json_t *body)
{
	static const char *const words[] = {"job ", "type "};
	uint64_t timeout_ns = (uint64_t)(options->timeout_s * 1e9);
	char folder[FIND_PATH_BYTES], whole[400];
	struct command_answer answer = {0};
	struct enrg_error err = {0};
	struct command command;
	pid_t pid = 0;
	bool is_whole = !strcmp(to, "supervisor") || !strcmp(to, "all");
	int rc;

	for (size_t i = 0; i < 2; i++)
		is_whole = is_whole || !strncmp(to, words[i], strlen(words[i]));
	snprintf(whole, sizeof(whole), "%s%s", is_whole ? "" : "job ", to);
	rc = command_init(&command, whole, kind, body, timeout_ns);
	snprintf(command.sender.name, sizeof(command.sender.name), "enrgdaq send");
	if (rc)
		enrg_error_set(&err, rc, "TO or KIND is too long");
	if (!rc)
		rc = find_supervisor(options->supervisor, folder, sizeof(folder), &pid, &err);
	if (!rc)
		rc = command_link_ask(folder, &command, timeout_ns + ANSWER_NS, &answer, &err);
	command_fini(&command);
	if (rc) {
		fprintf(stderr, "enrgdaq send: %s\n", err.text);
		return 1;
	}
	print_answer(&answer, options->is_json);
	rc = exit_code_of(answer.code);
	command_answer_fini(&answer);
	return rc;
}

int cli_send(int argc, char **argv)
{
	static const struct option names[] = {{"id", required_argument, NULL, 'i'},
		{"timeout", required_argument, NULL, 't'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct send_options options = {.timeout_s = TIMEOUT_S};
	json_t *body;
	char *end;
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "+h", names, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == 'i') {
			options.supervisor = optarg;
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
