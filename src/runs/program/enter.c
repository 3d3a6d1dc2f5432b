/* enter.c: `enrgdaq-runs enter`: a note, a flag or a deletion while no system runs, for `enrgdaq runs`. */
#include "runs/program/program.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "runs/beside.h"
#include "runs/owner.h"
#include "runs/reader.h"

#define PATIENCE_NS 2000000000ull

static const char usage[] =
	"usage: enrgdaq-runs enter RUN KIND BODY [--who NAME] [--database FILE]\n"
	"\n"
	"Enters what `enrgdaq runs note`, `flag` and `delete` say while no system runs. BODY is a JSON object.\n";

struct enter {
	const char *database, *who;
};

static int write_beside(struct database *database, int64_t run, const char *folder, struct enrg_error *err)
{
	char path[BESIDE_PATH_BYTES];
	json_t *json = NULL;
	int rc = reader_show(database, run, &json, err);

	if (rc)
		return rc;
	beside_format_path(folder, (uint64_t)json_integer_value(json_object_get(json, "number")),
		json_string_value(json_object_get(json, "run")), json_string_value(json_object_get(json, "uuid")),
		path);
	char *text = json_dumps(json, JSON_INDENT(1));
	rc = text ? path_write_file(path, text, strlen(text), 1, err) : -ENOMEM;
	free(text);
	json_decref(json);
	return rc;
}

/* Where the record of that run lies. */
static int find_folder(
	struct database *database, int64_t run, char ret_folder[DATABASE_PATH_BYTES], struct enrg_error *err)
{
	sqlite3_stmt *statement;
	int rc = database_bind(database, "SELECT folder FROM run WHERE id = ?", &statement, err, "i", run);

	if (!rc && database_step(database, statement, &rc, err)) {
		snprintf(ret_folder, DATABASE_PATH_BYTES, "%s", database_text(statement, 0));
		sqlite3_reset(statement);
	}
	return rc;
}

static int say(struct database *database, const struct enter *enter, const char *name, const char *kind, json_t *body,
	struct enrg_error *err)
{
	char folder[DATABASE_PATH_BYTES] = ".";
	json_t *run = NULL, *json = NULL;
	struct entry entry = {0};
	int64_t id = 0;
	int rc = reader_find(database, name, &id, err);

	if (!rc)
		rc = reader_show(database, id, &run, err);
	if (!rc)
		rc = find_folder(database, id, folder, err);
	if (!rc) {
		json = entry_make(kind, json_string_value(json_object_get(run, "uuid")), enter->who, json_incref(body));
		rc = entry_parse_json(json, &entry, err);
	}
	if (!rc)
		rc = database_begin(database, err);
	if (!rc) {
		const struct enter_context context = {.database = database, .supervisor = "", .folder = folder};
		rc = enter_entry(&context, &entry, err);
		if (!rc)
			rc = database_commit(database, err);
		else
			database_abort(database);
	}
	if (!rc)
		rc = write_beside(database, id, folder, err);
	entry_fini(&entry);
	json_decref(json);
	json_decref(run);
	return rc;
}

int program_enter(int argc, char **argv)
{
	static const struct option options[] = {{"database", required_argument, NULL, 'b'},
		{"who", required_argument, NULL, 'w'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct enter enter = {.who = ""};
	struct enrg_error err = {0};
	int choice, owner = -1;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h' || choice == '?') {
			fputs(usage, choice == 'h' ? stdout : stderr);
			return choice == 'h' ? 0 : 2;
		}
		enter.database = choice == 'b' ? optarg : enter.database;
		enter.who = choice == 'w' ? optarg : enter.who;
	}
	json_t *body = argc - optind == 3 ? json_loads(argv[optind + 2], 0, NULL) : NULL;
	if (!json_is_object(body)) {
		fputs(usage, stderr);
		return 2;
	}
	char path[DATABASE_PATH_BYTES];
	int rc = program_find_database("enter", enter.database, path);
	if (rc)
		return rc;
	struct database *database = NULL;
	const struct database_params params = {.path = path};
	rc = owner_take(path, "`enrgdaq runs`", PATIENCE_NS, &owner, &err);
	if (!rc)
		rc = database_open(&params, &database, &err);
	if (!rc)
		rc = say(database, &enter, argv[optind], argv[optind + 1], body, &err);
	json_decref(body);
	database_close(database);
	owner_release(&owner);
	if (rc)
		return program_fail(argv[optind + 1], &err);
	puts("{}"); /* for who has called it: done */
	return 0;
}
