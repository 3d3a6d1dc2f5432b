/* sequence.c: `enrgdaq runs sequence list|show`. */
#include "runs/sequence.h"
#include "runs/program/program.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char usage[] =
	"usage: enrgdaq-runs sequence [NAME] [--json] [--database FILE]\n"
	"\n"
	"Lists the sequences that were started, and how far they are; of a NAME its runs. `enrgdaq runs sequence` "
	"calls\n"
	"it, and starts and stops them.\n"
	"\n"
	"  --json             as JSON\n"
	"  --database FILE    the run book; without it that of the system that runs, else out/runs_*.sqlite\n"
	"\n"
	"Exit code: 0 done, 1 no such sequence, or the run book can't be read, 2 wrong usage.\n";

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static long long number_of(const json_t *json, const char *key)
{
	return (long long)json_integer_value(json_object_get(json, key));
}

static void print_head(const json_t *one)
{
	long long step = number_of(one, "step"), count = number_of(one, "count");
	char safe[600];

	text_copy(safe, sizeof(safe), text_of(one, "reason"));
	text_make_safe(safe, strlen(safe));
	printf("%s: %s, step %lld of %lld, by %s%s%s\n", text_of(one, "name"), text_of(one, "state"),
		step < count ? step + 1 : count, count, text_of(one, "who"), *safe ? ": " : "", safe);
}

static void print_runs(const json_t *runs)
{
	size_t i;
	json_t *run;

	if (json_array_size(runs))
		printf("%7s  %-32s %-24s %10s  %s\n", "number", "run", "quality, flags", "rows", "description");
	json_array_foreach(runs, i, run)
	{
		char safe[400], quality[80];
		text_copy(safe, sizeof(safe), text_of(run, "description"));
		text_make_safe(safe, strlen(safe));
		snprintf(quality, sizeof(quality), "%.30s%s%.40s",
			*text_of(run, "quality") ? text_of(run, "quality") : "open", *text_of(run, "flags") ? " " : "",
			text_of(run, "flags"));
		printf("%7lld  %-32s %-24s %10lld  %s\n", number_of(run, "number"), text_of(run, "run"), quality,
			number_of(run, "rows"), safe);
	}
}

static int print_one(struct database *database, const char *name, bool is_json, struct enrg_error *err)
{
	struct sequence sequence;
	json_t *json = NULL;
	int rc = sequence_load(database, name, &sequence, err);

	if (rc == -ENOENT)
		return enrg_error_set(err, rc, "no sequence \"%.100s\" was ever started with this run book", name);
	if (!rc)
		rc = sequence_format(database, &sequence, true, &json, err);
	if (!rc && is_json) {
		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!rc) {
		print_head(json);
		print_runs(json_object_get(json, "runs"));
	}
	json_decref(json);
	return rc;
}

static int print_all(struct database *database, bool is_json, struct enrg_error *err)
{
	json_t *list = NULL, *one;
	size_t i;
	int rc = sequence_list(database, &list, err);

	if (!rc && is_json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!rc && !json_array_size(list)) {
		puts("no sequence was ever started with this run book; `enrgdaq runs sequences` lists those of the "
		     "folder");
	}
	if (!rc && !is_json)
		json_array_foreach(list, i, one) print_head(one);
	json_decref(list);
	return rc;
}

int program_sequence(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"database", required_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *path = NULL;
	struct enrg_error err = {0};
	bool is_json = false;
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h' || choice == '?') {
			fputs(usage, choice == 'h' ? stdout : stderr);
			return choice == 'h' ? 0 : 2;
		}
		is_json |= choice == 'j';
		path = choice == 'b' ? optarg : path;
	}
	if (argc - optind > 1)
		return program_usage_error("sequence", "one NAME at the most was expected");
	struct database *database = program_open_reader("sequence", path);
	if (!database)
		return 1;
	int rc = optind < argc ? print_one(database, argv[optind], is_json, &err) : print_all(database, is_json, &err);
	database_close(database);
	return rc ? program_fail("sequence", &err) : 0;
}
