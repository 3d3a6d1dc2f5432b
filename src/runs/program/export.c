/* export.c: `enrgdaq runs export N`. */
#include "runs/program/program.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "runs/crate.h"
#include "runs/flat.h"
#include "runs/reader.h"

#define BYTES_MAX (256u << 20)

static const char usage[] =
	"usage: enrgdaq runs export NUMBER|NAME|UUID|last [--format ro-crate|csv|json] [--out DIR] [--database FILE]\n"
	"\n"
	"Writes what is known of a run for others: its configuration with secrets masked, versions, account, files "
	"with\n"
	"their SHA-256, who and when.\n"
	"\n"
	"  --format FORMAT    ro-crate (default): RO-Crate 1.2, which archives of data take; csv: a line a fact "
	"(section,\n"
	"                     name, key, value); json: all that the run book has\n"
	"  --out DIR          into files there: " CRATE_METADATA_NAME " and " CRATE_CONFIG_NAME
	", or run_000123.csv, .json;\n"
	"                     without it on standard output. Files of the run below DIR are named from there, so that "
	"the\n"
	"                     folder can be handed on as it is\n"
	"  --database FILE    the run book; without it that of the system that runs, else out/runs_*.sqlite\n"
	"\n"
	"Licence, publisher and authors come from supervisor.toml: runs.license, runs.publisher, [[runs.author]].\n"
	"\n"
	"examples:\n"
	"  enrgdaq runs export 123 --out out            # the folder of the data becomes a crate\n"
	"  enrgdaq runs export last --format csv >run.csv\n"
	"\n"
	"Exit code: 0 done, 1 no such run, or nothing can be written, 2 wrong usage.\n";

enum format { FORMAT_CRATE, FORMAT_CSV, FORMAT_JSON, FORMAT_COUNT };

static const char *const formats[FORMAT_COUNT] = {"ro-crate", "csv", "json"};

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static int write_text(const char *folder, const char *name, const char *text, struct enrg_error *err)
{
	char path[PATH_MAX + 300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int rc = text ? path_write_file(path, text, strlen(text), 1, err)
		      : enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	return rc < 0 ? rc : 0;
}

/* The description of another run is not overwritten. */
static int look_for_other(const char *folder, const json_t *run, struct enrg_error *err)
{
	char path[PATH_MAX + 300], *text;
	size_t count;
	int rc = 0;

	snprintf(path, sizeof(path), "%s/" CRATE_METADATA_NAME, folder);
	if (path_read_file(path, BYTES_MAX, &text, &count, NULL) < 0)
		return 0;
	if (!strstr(text, text_of(run, "uuid")))
		rc = enrg_error_set(err, -EEXIST,
			"%s describes something else: name another folder, or move it away; nothing was written", path);
	free(text);
	return rc;
}

static int write_crate(const json_t *run, const char *folder, struct enrg_error *err)
{
	char real[PATH_MAX] = "", *text = NULL;
	int rc = folder ? look_for_other(folder, run, err) : 0;

	if (!rc && folder && !realpath(folder, real))
		rc = enrg_error_set(err, -errno, "%s: %s", folder, strerror(errno));
	if (rc)
		return rc;
	json_t *crate = crate_make(run, folder ? real : NULL);
	text = crate ? json_dumps(crate, JSON_INDENT(2)) : NULL;
	json_decref(crate);
	if (!text) {
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	} else if (!folder) {
		puts(text);
	} else {
		rc = write_text(folder, CRATE_CONFIG_NAME, text_of(reader_newest(run, "begin"), "config"), err);
		if (!rc)
			rc = write_text(folder, CRATE_METADATA_NAME, text, err);
	}
	free(text);
	return rc;
}

static int write_plain(const json_t *run, enum format format, const char *folder, struct enrg_error *err)
{
	char name[64], *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);
	int rc = 0;

	snprintf(name, sizeof(name), "run_%06lld.%s", (long long)json_integer_value(json_object_get(run, "number")),
		formats[format]);
	if (stream && format == FORMAT_CSV)
		flat_print(run, stream);
	else if (stream && json_dumpf(run, stream, JSON_INDENT(2)) == 0)
		fputc('\n', stream);
	if (!stream || fclose(stream) != 0)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	else if (folder)
		rc = write_text(folder, name, text, err);
	else
		fwrite(text, 1, bytes, stdout);
	free(text);
	return rc;
}

static int export_run(
	struct database *database, const char *name, enum format format, const char *folder, struct enrg_error *err)
{
	json_t *run = NULL;
	int64_t id = 0;
	int rc = reader_find(database, name, &id, err);

	if (!rc)
		rc = reader_show(database, id, &run, err);
	if (!rc && folder)
		rc = path_make_folders(folder, 0755, err);
	if (!rc)
		rc = format == FORMAT_CRATE ? write_crate(run, folder, err) : write_plain(run, format, folder, err);
	if (!rc && !folder && fflush(stdout) != 0)
		rc = enrg_error_set(err, -errno, "standard output: %s", strerror(errno));
	json_decref(run);
	return rc;
}

static enum format find_format(const char *name)
{
	enum format format = FORMAT_CRATE;

	while (format < FORMAT_COUNT && strcmp(formats[format], name) != 0)
		format++;
	return format;
}

int program_export(int argc, char **argv)
{
	static const struct option options[] = {{"format", required_argument, NULL, 'f'},
		{"out", required_argument, NULL, 'o'}, {"database", required_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *path = NULL, *folder = NULL;
	enum format format = FORMAT_CRATE;
	struct enrg_error err = {0};
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return program_usage_error("export", "no such option");
		if (choice == 'f')
			format = find_format(optarg);
		folder = choice == 'o' ? optarg : folder;
		path = choice == 'b' ? optarg : path;
	}
	if (format == FORMAT_COUNT)
		return program_usage_error("export", "formats are ro-crate, csv and json");
	if (argc - optind != 1)
		return program_usage_error("export", "one run was expected: its number, name or uuid, or \"last\"");
	struct database *database = program_open_reader("export", path);
	int rc = database ? export_run(database, argv[optind], format, folder, &err) : 1;
	if (rc < 0)
		rc = program_fail("export", &err);
	database_close(database);
	return rc;
}
