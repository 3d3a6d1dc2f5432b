/* show.c: `enrgdaq runs show N`. */
#include "runs/program/program.h"

#include <getopt.h> /* optind */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "runs/reader.h"

static const char usage[] =
	"usage: enrgdaq runs show NUMBER|NAME|UUID|last [--json] [--database FILE]\n"
	"\n"
	"Shows what is known of a run: who began it and when, how it ended, what was counted, its files, notes and "
	"alarms.\n"
	"\n"
	"  --json             all of it as one JSON object, as it lies beside the data in run_000123.json\n"
	"  --database FILE    the run book; without it that of the system that runs, else out/runs_*.sqlite\n"
	"\n"
	"examples:\n"
	"  enrgdaq runs show 123\n"
	"  enrgdaq runs show last --json | jq '.files[].path'\n"
	"  enrgdaq runs show 123 --json | jq -r '.entries.begin[-1].body.config'\n"
	"\n"
	"Exit code: 0 done, 1 no such run, or the run book can't be read, 2 wrong usage.\n";

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static uint64_t number_of(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

/* Text of others: never a sequence that steers a terminal. */
static void print_text(const char *label, const char *text)
{
	char safe[1000];

	if (!*text)
		return;
	text_copy(safe, sizeof(safe), text);
	text_make_safe(safe, strlen(safe));
	printf("  %-12s %s\n", label, safe);
}

static void print_head(const json_t *run)
{
	const json_t *begin = reader_newest(run, "begin"), *end = reader_newest(run, "end"),
		     *flags = json_object_get(run, "flags");
	uint64_t began_ns = number_of(run, "began_wall_ns"), ended_ns = number_of(run, "ended_wall_ns");
	char span[32] = "", line[1500];
	size_t used = 0;

	text_copy(line, sizeof(line), text_of(run, "run"));
	text_make_safe(line, strlen(line));
	printf("run %llu (%s)\n", (unsigned long long)number_of(run, "number"), line);
	print_text("type", text_of(run, "type"));
	print_text("description", text_of(run, "description"));
	print_text("comment", text_of(begin, "comment"));
	print_text("began", text_of(run, "began"));
	print_text("by", text_of(json_object_get(begin, "by"), "who"));
	clock_format_span((ended_ns ? ended_ns : clock_wall_ns()) - began_ns, span, sizeof(span));
	snprintf(line, sizeof(line), "%s%s%s%s", ended_ns ? text_of(run, "ended") : text_of(run, "state"),
		ended_ns ? " (" : ", for ", span, ended_ns ? ")" : "");
	print_text(ended_ns ? "ended" : "is", line);
	used = (size_t)snprintf(line, sizeof(line), "%s", text_of(run, "quality"));
	for (size_t i = 0; i < json_array_size(flags) && used < sizeof(line); i++)
		used += (size_t)snprintf(
			line + used, sizeof(line) - used, ", %s", json_string_value(json_array_get(flags, i)));
	print_text("quality", line);
	print_text("why", text_of(end, "reason"));
	snprintf(line, sizeof(line), "%llu in %s", (unsigned long long)number_of(run, "rows"),
		text_format_bytes((double)number_of(run, "bytes"), span));
	print_text("rows", line);
	print_text("config", text_of(begin, "config_sha256"));
	print_text("uuid", text_of(run, "uuid"));
	if (json_is_true(json_object_get(run, "deleted")))
		print_text("deleted", "yes: lists leave it out");
}

static void print_files(const json_t *run)
{
	const json_t *files = json_object_get(run, "files");
	char bytes[32], line[2000];

	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		snprintf(line, sizeof(line), "%s: %s, %llu rows, %s%s%.12s", text_of(file, "path"),
			text_format_bytes((double)number_of(file, "bytes"), bytes),
			(unsigned long long)number_of(file, "rows"), text_of(file, "state"),
			*text_of(file, "sha256") ? ", SHA-256 " : "", text_of(file, "sha256"));
		print_text("file", line);
	}
}

static void print_lines(const json_t *run, const char *kind, const char *label, const char *const keys[2])
{
	const json_t *list = json_object_get(json_object_get(run, "entries"), kind);
	char line[1500], time[40];

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i), *body = json_object_get(entry, "body");
		clock_format_utc(number_of(entry, "wall_ns"), time, sizeof(time));
		snprintf(line, sizeof(line), "%s %s%s%s", time, text_of(body, keys[0]),
			*text_of(body, keys[1]) ? ": " : "", text_of(body, keys[1]));
		print_text(label, line);
	}
}

static void print_notes(const json_t *run)
{
	const json_t *notes = json_object_get(run, "notes");
	char line[1500], time[40];

	for (size_t i = 0; i < json_array_size(notes); i++) {
		const json_t *note = json_array_get(notes, i);
		clock_format_utc(number_of(note, "wall_ns"), time, sizeof(time));
		snprintf(line, sizeof(line), "%s %s: %s", time, text_of(note, "who"), text_of(note, "text"));
		if (*text_of(note, "text"))
			print_text("note", line);
	}
}

static int print_run(struct database *database, const char *name, bool is_json)
{
	struct enrg_error err = {0};
	json_t *run = NULL;
	int64_t id = 0;
	int rc = reader_find(database, name, &id, &err);

	if (!rc)
		rc = reader_show(database, id, &run, &err);
	if (rc)
		return program_fail("show", &err);
	if (is_json) {
		json_dumpf(run, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_head(run);
		print_lines(run, "state", "state", (const char *const[]){"state", "reason"});
		print_lines(run, "alarm", "alarm", (const char *const[]){"event", "text"});
		print_lines(run, "hook", "hook", (const char *const[]){"hook", "answer"});
		print_notes(run);
		print_files(run);
	}
	json_decref(run);
	return 0;
}

int program_show(int argc, char **argv)
{
	const char *path = NULL;
	bool is_json = false;
	int code = program_read_options("show", usage, argc, argv, &path, &is_json);

	if (code >= 0)
		return code;
	if (argc - optind != 1)
		return program_usage_error("show", "one run was expected: its number, name or uuid, or \"last\"");
	struct database *database = program_open_reader("show", path);
	int rc = database ? print_run(database, argv[optind], is_json) : 1;
	database_close(database);
	return rc;
}
