/* runs_plans.c: `enrgdaq runs types|templates|sequences [NAME]`: what runs the folder of a running system declares. */
#include "cli/runs.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"

static const char usage[] =
	"usage: enrgdaq runs types [NAME] [--id ID] [--json]\n"
	"       enrgdaq runs templates [NAME] [--id ID] [--json]\n"
	"       enrgdaq runs sequences [NAME] [--id ID] [--json]\n"
	"\n"
	"Lists the types, templates or sequences of runs that the folder of a running system declares (files of\n"
	"runs/types, runs/templates, runs/sequences); of a NAME all of it, such as the parameters of a type.\n"
	"`enrgdaq check CONFIG_DIR` lists them where nothing runs, `enrgdaq describe run-type` shows how to write "
	"one.\n"
	"\n"
	"  --id ID     info.supervisor_id of the system; without it, the one that runs\n"
	"  --json      as JSON\n"
	"\n"
	"Exit code: 0 done, 1 there is none of that name, or no system, 2 wrong usage.\n";

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static void print_value(const char *before, const json_t *value, const char *unit)
{
	char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)) : NULL;

	if (text)
		printf("%s%s%s%s", before, text, *unit ? " " : "", unit);
	free(text);
}

static void print_parameter(const json_t *parameter)
{
	const char *unit = text_of(parameter, "unit"), *description = text_of(parameter, "description");

	printf("    %-20s %-7s", text_of(parameter, "name"), text_of(parameter, "type"));
	if (json_is_true(json_object_get(parameter, "required")))
		printf(" required");
	print_value(" = ", json_object_get(parameter, "default"), unit);
	print_value(", at least ", json_object_get(parameter, "minimum"), unit);
	print_value(", at most ", json_object_get(parameter, "maximum"), unit);
	print_value(", one of ", json_object_get(parameter, "choices"), "");
	if (json_is_true(json_object_get(parameter, "secret")))
		printf(", secret");
	if (json_is_true(json_object_get(parameter, "runs_code")))
		printf(", privileged: it may run programs");
	printf("%s%s\n", *description ? "  " : "", description);
}

static void print_words(const char *label, const json_t *list)
{
	size_t i;
	json_t *word;

	if (json_array_size(list))
		printf("  %s:", label);
	json_array_foreach(list, i, word)
		printf("%s %s", i ? "," : "", json_is_string(word) ? json_string_value(word) : text_of(word, "kind"));
	if (json_array_size(list))
		putchar('\n');
}

static void print_steps(const json_t *one)
{
	size_t i;
	json_t *step;

	json_array_foreach(json_object_get(one, "steps"), i, step)
	{
		printf("    %4zu", i + 1);
		print_value("  ", json_object_get(step, "values"), "");
		print_value("  ", json_object_get(step, "ends"), "");
		putchar('\n');
	}
	json_int_t count = json_integer_value(json_object_get(one, "count"));
	if (count > (json_int_t)json_array_size(json_object_get(one, "steps")))
		printf("    … %lld steps\n", (long long)count);
}

static void print_head(const json_t *one)
{
	const char *title = text_of(one, "title"), *type = text_of(one, "type");

	printf("%s%s%s%s%s%s\n", text_of(one, "name"), *title ? ": " : "", title, *type ? ", runs of type " : "", type,
		json_is_true(json_object_get(one, "runs_code")) ? " (privileged: it may run programs)" : "");
}

static void print_one(const json_t *one)
{
	size_t i;
	json_t *parameter;

	print_head(one);
	if (*text_of(one, "description"))
		printf("  %s\n", text_of(one, "description"));
	print_words("templates", json_object_get(one, "templates"));
	print_words("jobs", json_object_get(one, "jobs"));
	print_words("messages", json_object_get(one, "messages"));
	print_words("requires the tags", json_object_get(one, "required_tags"));
	if (json_object_size(json_object_get(one, "ends")))
		print_value("  ends: ", json_object_get(one, "ends"), "\n");
	if (json_array_size(json_object_get(one, "parameters")))
		puts("  parameters:");
	json_array_foreach(json_object_get(one, "parameters"), i, parameter) print_parameter(parameter);
	print_steps(one);
}

static void print_list(const char *kind, const json_t *list)
{
	size_t i;
	json_t *one;

	if (!json_array_size(list))
		printf("the folder declares no %s: files of runs/%s would\n", kind, kind);
	json_array_foreach(list, i, one) print_head(one);
}

int runs_plans(int argc, char **argv)
{
	static const struct option names[] = {{"id", required_argument, NULL, 'i'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *supervisor = NULL, *kind = argv[0];
	struct command_answer answer = {0};
	bool is_json = false;
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return cli_option_error("runs");
		is_json |= choice == 'j';
		supervisor = choice == 'i' ? optarg : supervisor;
	}
	if (argc - optind > 1)
		return cli_usage_error("runs", "%s: one NAME at the most was expected", kind);
	const char *name = optind < argc ? argv[optind] : "";
	int rc = ask_supervisor(supervisor, "run_plans", json_pack("{s:s, s:s}", "kind", kind, "name", name), &answer);
	if (rc)
		return rc;
	if (answer.code != COMMAND_OK) {
		rc = ask_print(&answer, "");
	} else if (is_json) {
		json_dumpf(answer.fields, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
		putchar('\n');
	} else if (*name) {
		print_one(answer.fields);
	} else {
		print_list(kind, json_object_get(answer.fields, kind));
	}
	command_answer_fini(&answer);
	return rc;
}
